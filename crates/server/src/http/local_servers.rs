//! The other servers on this network: `GET /api/local-servers`. Those that announce themselves are shown as they say of
//! themselves; those that this server coordinates with have proved who they are.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use station::{Callsign, Fingerprint};

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use crate::network::Ends;
use crate::network::endpoint::Endpoint;
use crate::network::links::Links;
use crate::runtime::coordination::PresentServer;
use crate::runtime::{Neighbour, Source, lock};

/// `GET /api/local-servers`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct LocalServers {
    /// By callsign and then by address.
    servers: Vec<LocalServer>,
}

/// A server on this network.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LocalServer {
    /// Whose it is, or says it is.
    callsign: Callsign,
    /// Its URL.
    endpoint: String,
    /// Its WebSocket URL.
    signaling_url: String,
    /// What it says it can do.
    capabilities: Vec<String>,
    /// How it was found.
    source: Found,
    /// Seconds since it was last heard; null for one that only other servers hear.
    age: Option<u64>,
    /// The first 16 hexadecimal digits of its certificate's fingerprint, or null.
    fp: Option<String>,
    /// Whether it has proved that its certificate is the one with `fp`, that this is its address, and that somebody
    /// whom this server trusts vouches for it.
    verified: bool,
}

/// How a server was found.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Found {
    /// It announces itself.
    Mdns,
    /// The owner had it imported.
    Manual,
    /// This server coordinates with it.
    Peer,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
) -> Json<LocalServers> {
    let now = Instant::now();
    let heard = lock(&app.neighbourhood).list(now);
    let mut servers: Vec<_> = heard
        .into_iter()
        .map(|known| heard_of(known, now))
        .collect();
    for present in app.coordinator.present() {
        let fp = short(&present.fingerprint);
        let places = places(&present, ends);
        let mut announced = false;
        for server in &mut servers {
            let there = |place: &Endpoint| server.endpoint == url("http", place);
            if server.fp.as_deref() == Some(&fp) && places.iter().any(there) {
                server.verified = true;
                announced = true;
            }
        }
        if !announced && let Some(place) = nearest(&places, &app.zoning.links()) {
            servers.push(proven(present, place, fp));
        }
    }
    servers.sort_by(|a, b| (&a.callsign, &a.endpoint).cmp(&(&b.callsign, &b.endpoint)));
    Json(LocalServers { servers })
}

/// One that announces itself or was imported: nothing of it is proven.
fn heard_of(known: Neighbour, now: Instant) -> LocalServer {
    let Neighbour {
        sighting,
        heard,
        source,
    } = known;
    LocalServer {
        callsign: sighting.callsign,
        endpoint: sighting.endpoint,
        signaling_url: sighting.signaling_url,
        capabilities: sighting.capabilities,
        source: match source {
            Source::Mdns => Found::Mdns,
            Source::Manual => Found::Manual,
        },
        age: Some(now.saturating_duration_since(heard).as_secs()),
        fp: sighting.fp,
        verified: false,
    }
}

fn proven(present: PresentServer, place: &Endpoint, fp: String) -> LocalServer {
    LocalServer {
        callsign: present.callsign,
        endpoint: url("http", place),
        signaling_url: format!("{}/signal", url("ws", place)),
        capabilities: present.capabilities,
        source: Found::Peer,
        age: present.heard.map(|heard| heard.as_secs()),
        fp: Some(fp),
        verified: true,
    }
}

fn short(fingerprint: &Fingerprint) -> String {
    let mut fp = fingerprint.to_string();
    fp.truncate(16);
    fp
}

/// Where a server is, for who is at the other end. Loopback addresses are for who is on this machine.
fn places(present: &PresentServer, ends: Ends) -> Vec<Endpoint> {
    let endpoints = present.endpoints.iter();
    let places = endpoints.filter_map(|text| text.parse::<Endpoint>().ok());
    places
        .filter(|place| {
            let loopback = place.address().is_some_and(|address| address.is_loopback());
            ends.loopback() || !loopback && place.host != "localhost"
        })
        .collect()
}

/// A place on a network of this machine's before any other.
fn nearest<'a>(places: &'a [Endpoint], links: &Links) -> Option<&'a Endpoint> {
    let near = |place: &&Endpoint| {
        let address = place.address();
        address.is_some_and(|address| links.are_next_to(address))
    };
    places.iter().find(near).or_else(|| places.first())
}

fn url(scheme: &str, place: &Endpoint) -> String {
    format!("{scheme}://{}", place.authority())
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let list = Operation::new("The other servers on this network").answers::<LocalServers>(
        paths,
        200,
        "The other servers",
    );
    paths.add("get", "/api/local-servers", list);
}

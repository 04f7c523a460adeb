//! The other servers on this network, as they say of themselves: `GET /api/local-servers`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use station::Callsign;

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use crate::runtime::{Neighbour, Source, lock};

/// `GET /api/local-servers`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct LocalServers {
    /// By callsign and then by address; at most 80.
    servers: Vec<LocalServer>,
}

/// A server on this network. Nothing of it is proven.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LocalServer {
    /// Whose it says it is.
    callsign: Callsign,
    /// Its URL.
    endpoint: String,
    /// Its WebSocket URL.
    signaling_url: String,
    /// What it says it can do.
    capabilities: Vec<String>,
    /// How it was found: `mdns`, or `manual` where the owner had it imported.
    source: &'static str,
    /// Seconds since it was last heard.
    age: u64,
    /// The first 16 hexadecimal digits of its certificate's fingerprint, or null.
    fp: Option<String>,
    /// Whether it has proven who it is; false.
    verified: bool,
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<LocalServers> {
    let now = Instant::now();
    let servers = lock(&app.neighbourhood).list(now);
    let shown = |known: Neighbour| {
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
                Source::Mdns => "mdns",
                Source::Manual => "manual",
            },
            age: now.saturating_duration_since(heard).as_secs(),
            fp: sighting.fp,
            verified: false,
        }
    };
    Json(LocalServers {
        servers: servers.into_iter().map(shown).collect(),
    })
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let list = Operation::new("The other servers on this network, unverified")
        .answers::<LocalServers>(paths, 200, "The other servers");
    paths.add("get", "/api/local-servers", list);
}

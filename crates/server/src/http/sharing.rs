//! How this server is shared: its addresses and the QR code of the joining URL.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use signaling::Net;
use station::Zone;

use super::App;
use super::guard::Authority;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use crate::network::choice::Choice;
use crate::network::links::way_out;
use crate::network::{Ends, is_unicast_link_local, url_host};
use crate::qr::Code;

/// What a QR code shall hold.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// One of the server's own URLs; the best one without it.
    address: Option<String>,
    /// The net to enter.
    net: Option<String>,
}

pub(super) async fn svg(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Extension(authority): Extension<Authority>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let code = code(&app, ends, &authority, wanted)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], code.svg()).into_response())
}

pub(super) async fn png(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Extension(authority): Extension<Authority>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let code = code(&app, ends, &authority, wanted)?;
    let image = code.png().map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "image/png")], image).into_response())
}

fn code(
    app: &App,
    ends: Ends,
    authority: &Authority,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Code, Problem> {
    let Query(wanted) = wanted.map_err(|error| Problem::bad_request(error.body_text()))?;
    let mut urls = urls(app, ends, authority);
    let address = match wanted.address {
        None => urls.swap_remove(0),
        Some(address) if urls.contains(&address) => address,
        Some(_) => {
            return Err(Problem::bad_request(
                "that is none of this server's addresses",
            ));
        }
    };
    let net = wanted.net.as_deref().map(Net::parse).transpose();
    let net = net.map_err(|error| Problem::bad_request(error.to_string()))?;
    let url = joining_url(&address, app, net.as_ref());
    Code::new(&url).map_err(|error| Problem::internal(&error))
}

/// `http://ADDR:PORT/#join=1.FINGERPRINT[.NET]`; without an owner there is nothing to join yet.
pub(crate) fn joining_url(address: &str, app: &App, net: Option<&Net>) -> String {
    let Some(claim) = app.ownership.claim() else {
        return format!("{address}/");
    };
    let net = net.map(|net| format!(".{net}")).unwrap_or_default();
    format!("{address}/#join=1.{}{net}", claim.server.fingerprint())
}

/// The URL that reaches this server, for somebody else.
pub(super) fn endpoint(app: &App, ends: Ends, authority: &Authority) -> String {
    urls(app, ends, authority).swap_remove(0)
}

/// URLs that reach this server, the best for this caller's network first; at least one. Addresses come before a name under
/// `.local`, which not every phone can look up; names of an AREDN network and of proxies are used as the caller used them.
pub(super) fn urls(app: &App, ends: Ends, authority: &Authority) -> Vec<String> {
    let used = format!("http://{}", authority.as_str());
    let came_to = Some(ends.local.ip()).filter(|local| !local.is_loopback());
    let mut urls = network_urls(app, ends.local.port(), came_to);
    let at_machine = came_to.is_none() || authority.host() == "localhost";
    match sort_of(authority.host()) {
        _ if urls.is_empty() => urls.push(used),
        _ if at_machine || urls.contains(&used) => {}
        Host::Address => urls.insert(0, used),
        Host::LocalName => urls.insert(1, used),
        Host::Zoned => {}
    }
    urls
}

/// How the caller called this server.
enum Host {
    /// In a way that others can use as it is: an address, a name of an AREDN network, a proxy's.
    Address,
    /// By a name that multicast resolves.
    LocalName,
    /// By an address that needs the name of an interface, which means nothing to anybody else.
    Zoned,
}

fn sort_of(host: &str) -> Host {
    let literal = host
        .strip_prefix('[')
        .map(|rest| rest.trim_end_matches(']'));
    let address = literal.and_then(|text| text.split('%').next()?.parse().ok());
    match address {
        Some(IpAddr::V6(six)) if is_unicast_link_local(&six) => Host::Zoned,
        _ if host.to_ascii_lowercase().ends_with(".local") => Host::LocalName,
        _ => Host::Address,
    }
}

/// URLs of this machine's addresses on the network, the best first for somebody who came to one of them.
pub(crate) fn network_urls(app: &App, port: u16, came_to: Option<IpAddr>) -> Vec<String> {
    let links = app.zoning.links();
    let choice = Choice {
        links: &links,
        came_to,
        way_out: way_out(&links),
    };
    let crosses_radio = |address| app.zoning.between(address, address).zone == Zone::Part97;
    let addresses = choice.order(app.reach.addresses(), crosses_radio);
    let url = |address| format!("http://{}:{port}", url_host(address));
    addresses.into_iter().map(url).collect()
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    for (path, media_type) in [
        ("/api/qr.svg", "image/svg+xml"),
        ("/api/qr.png", "image/png"),
    ] {
        let code = Operation::new("The joining URL as a QR code")
            .query(
                "address",
                "One of the server's own URLs; the best one without it",
            )
            .query("net", "The net to enter")
            .answers_file("A QR code", media_type);
        paths.add("get", path, code);
    }
}

//! How this server is shared: its addresses and the QR code of the joining URL.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use signaling::Net;

use super::App;
use super::guard::Authority;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use crate::network::{Ends, Reach, url_host};
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

/// URLs that reach this server, the best first; at least one. The address this caller used comes
/// first, if others can use it too: it is known to work.
pub(super) fn urls(app: &App, ends: Ends, authority: &Authority) -> Vec<String> {
    let used = format!("http://{}", authority.as_str());
    let mut urls = addresses_as_urls(app.reach, ends.local.port());
    if !ends.local.ip().is_loopback() && authority.host() != "localhost" {
        urls.retain(|url| *url != used);
        urls.insert(0, used);
    } else if urls.is_empty() {
        urls.push(used);
    }
    urls
}

/// URLs of this machine's addresses on the network.
pub(crate) fn addresses_as_urls(reach: Reach, port: u16) -> Vec<String> {
    let url = |address| format!("http://{}:{port}", url_host(address));
    reach.addresses().into_iter().map(url).collect()
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

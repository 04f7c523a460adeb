//! The gate every request passes.
//!
//! The Host header must name this server, so that a stranger's domain pointed at this machine (DNS
//! rebinding) gets nothing. A write or a WebSocket that carries an Origin must carry this server's,
//! so that a stranger's page cannot act through a visitor's browser.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::{App, forwarded};
use crate::network::{Ends, split_authority};

/// The host and port a request was sent to, as the client wrote them and as checked here.
#[derive(Debug, Clone)]
pub(super) struct Authority(String);

impl Authority {
    /// `host[:port]`.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without the port.
    pub(super) fn host(&self) -> &str {
        split_authority(&self.0).map_or("", |(host, _)| host)
    }
}

pub(super) async fn check(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    mut request: Request,
    next: Next,
) -> Response {
    let ends = forwarded::ends(&app.door, ends, request.headers());
    request.extensions_mut().insert(ends);
    let authority = match authority(&app, ends, request.uri(), request.headers()) {
        Ok(authority) => authority,
        Err(problem) => return problem.into_response(),
    };
    let acts = *request.method() != Method::GET
        && *request.method() != Method::HEAD
        && *request.method() != Method::OPTIONS;
    let upgrades = request.headers().contains_key(header::UPGRADE);
    if (acts || upgrades) && !same_origin(request.headers(), ends, &authority) {
        let error = "a page of another site may not do this";
        return Problem::new(StatusCode::FORBIDDEN, "foreign-origin", error).into_response();
    }
    request.extensions_mut().insert(authority);
    next.run(request).await
}

fn authority(app: &App, ends: Ends, uri: &Uri, headers: &HeaderMap) -> Result<Authority, Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next(), uri.authority()) {
        (Some(host), None, None) => host.to_str().unwrap_or_default(),
        (Some(host), None, Some(named)) if host == named.as_str() => named.as_str(),
        _ => return Err(Problem::bad_request("a request has exactly one Host")),
    };
    let owner = app.ownership.callsign();
    match split_authority(host) {
        Some((name, _)) if app.names.is_own(name, ends.local.ip(), owner.as_ref()) => {
            Ok(Authority(host.to_owned()))
        }
        _ => {
            let error = "this server does not go by that name; use its address, or start it with \
                         --host-name if the name is right";
            Err(Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "wrong-host",
                error,
            ))
        }
    }
}

/// Programs that are not browsers send no Origin, and no stranger's page can make them.
pub(super) fn same_origin(headers: &HeaderMap, ends: Ends, authority: &Authority) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => {
            let origin = origin.to_str().unwrap_or_default();
            let rest = origin.strip_prefix(ends.scheme());
            rest.and_then(|rest| rest.strip_prefix("://")) == Some(authority.as_str())
        }
        _ => false,
    }
}

/// Whether something between the client and this server passed the request on.
pub(super) fn was_forwarded(headers: &HeaderMap) -> bool {
    const HEADERS: [&str; 6] = [
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
    ];
    HEADERS
        .iter()
        .any(|&name| headers.contains_key(HeaderName::from_static(name)))
}

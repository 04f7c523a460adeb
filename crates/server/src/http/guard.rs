//! The gate every request passes.
//!
//! The Host header must name this server, so that a stranger's domain pointed at this machine (DNS
//! rebinding) gets nothing. A write or a WebSocket that carries an Origin must carry this server's,
//! so that a stranger's page cannot act through a visitor's browser. Only signaling is also open to pages
//! of other machines on the local network: their own server may be gone
//! (`docs/decisions/0020-moving-to-another-server.md`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::problem::Problem;
use super::{App, forwarded};
use crate::network::{Ends, is_private, split_authority};

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
    if let Err(wait) = app.door.request(ends.sharing(), Instant::now()) {
        let error = "too many requests come from your address; wait a moment";
        let mut refusal = Problem::too_many(error, wait).into_response();
        // Else the next one is here already.
        let headers = refusal.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        return refusal;
    }
    let authority = match authority(&app, ends, request.uri(), request.headers()) {
        Ok(authority) => authority,
        Err(problem) => return problem.into_response(),
    };
    let ends = ends.called(authority.host());
    request.extensions_mut().insert(ends);
    let acts = *request.method() != Method::GET
        && *request.method() != Method::HEAD
        && *request.method() != Method::OPTIONS;
    let upgrades = request.headers().contains_key(header::UPGRADE);
    let signals = !acts && matches!(request.uri().path(), "/signal" | "/ws/signal");
    let welcome = same_origin(request.headers(), ends, &authority)
        || (signals && is_of_a_neighbour(request.headers(), ends));
    if (acts || upgrades) && !welcome {
        let error = "a page of another site may not do this";
        return Problem::new(StatusCode::FORBIDDEN, "foreign-origin", error).into_response();
    }
    request.extensions_mut().insert(authority);
    // Else a body that comes byte by byte keeps its place, and what came of it, for ever.
    let within = Duration::from_secs(app.limits.request_seconds.get().into());
    match timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let error = "the request did not come whole in time; try again";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", error).into_response()
        }
    }
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

/// Whether a page comes from a machine of the local network, the visitor's own included. On this machine that counts for nothing: what
/// is here is not for every page that somebody at it opens.
fn is_of_a_neighbour(headers: &HeaderMap, ends: Ends) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None, false) = (origins.next(), origins.next(), ends.loopback()) else {
        return false;
    };
    let origin = origin.to_str().unwrap_or_default();
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    let Some((host, _)) = authority.and_then(split_authority) else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || is_private(address.to_canonical()),
        Err(_) => host == "localhost" || host.ends_with(".local") || host.ends_with(".local.mesh"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_local_network_are_neighbours_except_on_this_machine() {
        let ends = |local: &str, remote: &str| {
            let [local, remote] = [local, remote].map(|end| format!("{end}:8080").parse().unwrap());
            Ends::new(local, remote)
        };
        let lan = ends("192.168.1.2", "192.168.1.7");
        let neighbour = |origins: &[&str], ends| {
            let mut headers = HeaderMap::new();
            for origin in origins {
                headers.append(header::ORIGIN, origin.parse().unwrap());
            }
            is_of_a_neighbour(&headers, ends)
        };
        for known in [
            "http://192.168.1.5:8080",
            "https://10.1.2.3",
            "http://[fd00::5]:8081",
            "https://w1aw-2.local:8080",
            "http://w1aw.local.mesh:8080",
            "http://localhost:8080",
            "http://127.0.0.1:8080",
        ] {
            assert!(neighbour(&[known], lan), "{known}");
            assert!(!neighbour(&[known], ends("127.0.0.1", "127.0.0.1")));
        }
        for stranger in [
            "http://evil.example",
            "https://203.0.113.5:8080",
            "http://192.168.1.5.evil.example",
            "http://evil.local.example",
            "http://local",
            "null",
            "file://",
            "",
        ] {
            assert!(!neighbour(&[stranger], lan), "{stranger}");
        }
        let twice = ["http://192.168.1.5:8080", "http://evil.example"];
        assert!(!neighbour(&twice, lan) && !neighbour(&[], lan));
    }
}

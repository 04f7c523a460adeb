//! What the server says of itself: `/healthz`, `/api/status`, `/api/info`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use signaling::CloseCode;
use signaling::message::MAX_FRAME;
use station::{Callsign, Fingerprint, Grid, LicenceClass, Zone};

use super::App;
use super::guard::Authority;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::sharing;
use crate::network::Ends;
use crate::runtime::{ClaimState, Mode};
use crate::{CAPABILITIES, VERSION};

/// `GET /api/status`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Status {
    /// How far the server is on its way to people.
    pub(super) state: ClaimState,
    /// The owner's callsign.
    pub(super) owner: Option<Callsign>,
    /// `MAJOR.MINOR.PATCH-BUILD`.
    pub(super) version: &'static str,
    /// The URL that reaches this server.
    pub(super) endpoint: String,
    /// The signaling service.
    pub(super) signaling: SignalingStatus,
    /// Seconds since the start.
    pub(super) uptime: u64,
    /// Whether there seems to be internet.
    pub(super) mode: Mode,
    /// Seconds since that changed, or since the start.
    pub(super) mode_for: u64,
    /// Who is here.
    pub(super) clients: Clients,
    /// Whether the owner lets guests call each other (never over amateur frequencies).
    pub(super) guest_calls: bool,
    /// What the limits have refused since the start; for callers on the server's own machine.
    pub(super) limited: Option<Limited>,
}

/// What the limits have refused since the start.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Limited {
    /// Messages and logins over a budget, by whose it is (`scope` of `rate-limited`).
    messages: BTreeMap<&'static str, u64>,
    /// Connections closed for going on over a limit, for silence, or because the server was full.
    closed: u64,
    /// Of these, because their client did not read what it was sent.
    slow: u64,
    /// Pauses given to addresses.
    pauses: u64,
    /// Connections closed at once, because too many came from their address.
    turned_away: u64,
    /// Connections that gave way to others.
    displaced: u64,
    /// Requests over the budget of their address.
    requests: u64,
}

/// The signaling service in a status.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SignalingStatus {
    /// Its WebSocket URL.
    pub(super) url: String,
    /// Whether it takes connections.
    pub(super) connected: bool,
}

/// How many are here.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Clients {
    /// Licensed operators.
    pub(super) licensed: usize,
    /// Guests.
    pub(super) unlicensed: usize,
}

/// `GET /api/info`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Info {
    /// Always `signaling`.
    pub(super) r#type: &'static str,
    /// `MAJOR.MINOR.PATCH-BUILD`.
    pub(super) version: &'static str,
    /// What this server can do.
    pub(super) capabilities: &'static [&'static str],
    /// The owner's callsign.
    pub(super) callsign: Option<Callsign>,
    /// The WebSocket URL as this caller can reach it.
    pub(super) signaling_url: String,
    /// How far the server is on its way to people.
    pub(super) state: ClaimState,
    /// The fingerprint of the server's certificate.
    pub(super) cert_fingerprint: Option<Fingerprint>,
    /// What the owner says of the station.
    pub(super) station: Option<StationInfo>,
    /// URLs by which other machines reach this server, the best first.
    pub(super) addresses: Vec<String>,
    /// How browsers reach this server securely, once there is an owner, and where TLS is allowed.
    pub(super) secure: Option<SecureInfo>,
    /// What the caller's way to this server counts as.
    pub(super) zone: ZoneInfo,
    /// Whether the caller is on the server's machine.
    pub(super) local: bool,
    /// Whether the owner lets guests call each other (never over amateur frequencies).
    pub(super) guest_calls: bool,
    /// What a client may send.
    pub(super) limits: Limits,
}

/// What a way counts as.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ZoneInfo {
    /// On a `part97` way nothing may be encrypted: there is no TLS, and there are no calls.
    zone: Zone,
    /// Why, as the end of a sentence.
    reason: String,
}

/// How browsers reach this server securely.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SecureInfo {
    /// The fingerprint of the root certificate to install (`/trust/ca.crt`).
    root: Fingerprint,
    /// URLs, the stable name first.
    urls: Vec<String>,
    /// The networks of 44net that the root vouches for, beside private networks and the server's own names.
    amateur_networks: Vec<String>,
}

/// What the owner says of the station.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct StationInfo {
    /// The operator's or the station's name.
    name: Option<String>,
    /// Where it is.
    grid: Option<Grid>,
    /// The class on the owner's licence.
    license_class: Option<LicenceClass>,
}

/// What a client may send.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Limits {
    /// Bytes of a frame.
    pub(super) frame_bytes: usize,
    /// Messages a minute, sustained.
    pub(super) messages_per_minute: u32,
    /// Messages at once.
    pub(super) burst: u32,
}

pub(super) async fn health() -> &'static str {
    "ok\n"
}

pub(super) async fn status(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Extension(authority): Extension<Authority>,
) -> Json<Status> {
    let (licensed, unlicensed) = app.switchboard.population();
    let state = app.ownership.state();
    let (mode, since) = app.connectivity.mode();
    Json(Status {
        state,
        owner: app.ownership.callsign(),
        version: VERSION,
        endpoint: sharing::endpoint(&app, ends, &authority),
        signaling: SignalingStatus {
            url: signaling_url(ends, &authority),
            connected: is_open_to(state, ends),
        },
        uptime: app.started.elapsed().as_secs(),
        mode,
        mode_for: since.elapsed().as_secs(),
        clients: Clients {
            licensed,
            unlicensed,
        },
        guest_calls: app.ownership.policy().guest_calls,
        limited: ends.loopback().then(|| limited(&app)),
    })
}

fn limited(app: &App) -> Limited {
    let counters = app.switchboard.counters();
    let door = app.door.counters();
    let scopes = counters.limited.iter();
    // Who is told goodbye when the server stops is no matter of limits.
    let closed = counters.closed.iter();
    let closed = closed.filter(|(code, _)| **code != CloseCode::GoingAway);
    Limited {
        messages: scopes
            .map(|(scope, &count)| (scope.as_str(), count))
            .collect(),
        closed: closed.map(|(_, count)| count).sum(),
        slow: counters.slow,
        pauses: counters.pauses,
        turned_away: door.turned_away,
        displaced: door.displaced,
        requests: door.refused,
    }
}

pub(super) async fn info(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Extension(authority): Extension<Authority>,
) -> Json<Info> {
    let claim = app.ownership.claim();
    let messages = app.limits.of_hub().messages;
    let zone = app.zoning.of(ends);
    let root = app.tls.root().filter(|_| zone.zone == Zone::Open);
    Json(Info {
        r#type: "signaling",
        version: VERSION,
        capabilities: CAPABILITIES,
        callsign: claim.as_ref().map(|claim| claim.owner.callsign().clone()),
        signaling_url: signaling_url(ends, &authority),
        state: app.ownership.state(),
        cert_fingerprint: claim.as_ref().map(|claim| claim.server.fingerprint()),
        station: claim.map(|claim| StationInfo {
            name: claim.station.name,
            grid: claim.station.grid,
            license_class: claim.station.licence_class,
        }),
        addresses: sharing::urls(&app, ends, &authority),
        secure: root.map(|root| SecureInfo {
            root: root.fingerprint,
            urls: app.secure_urls(ends.local.port()),
            amateur_networks: root.amateur.iter().map(ToString::to_string).collect(),
        }),
        zone: ZoneInfo {
            zone: zone.zone,
            reason: zone.reason.to_string(),
        },
        local: ends.loopback(),
        guest_calls: app.ownership.policy().guest_calls,
        limits: Limits {
            frame_bytes: MAX_FRAME,
            messages_per_minute: messages.units(),
            burst: messages.burst(),
        },
    })
}

/// The same host and port the caller used: it is known to work for them.
pub(super) fn signaling_url(ends: Ends, authority: &Authority) -> String {
    format!(
        "{}://{}/signal",
        ends.websocket_scheme(),
        authority.as_str()
    )
}

/// Whether signaling is for whoever is at the other end.
pub(super) fn is_open_to(state: ClaimState, ends: Ends) -> bool {
    match state {
        ClaimState::Unclaimed => false,
        ClaimState::Claimed => ends.loopback(),
        ClaimState::Active => true,
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let status = Operation::new("The server's state and who is here").answers::<Status>(
        paths,
        200,
        "The server's state",
    );
    paths.add("get", "/api/status", status);
    let info = Operation::new("What the server is and how to reach it").answers::<Info>(
        paths,
        200,
        "What the server is",
    );
    paths.add("get", "/api/info", info);
    let health =
        Operation::new("Whether the server serves").answers_file("It serves", "text/plain");
    paths.add("get", "/healthz", health);
}

//! `/coordinate`: another server's WebSocket, between its socket and its line to the coordinator.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use coordination::Protocol;
use coordination::message::{MAX_FRAME, SUBPROTOCOL};
use socket::websocket::Upgrade;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::signal::not_open;
use super::status::is_open_to;
use crate::network::Ends;
use crate::runtime::coordination::carry;
use crate::runtime::{ClaimState, Coordinator};

/// Bytes a link may read ahead, and gathers before it writes.
const BUFFER: usize = 4 * 1024;

pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    upgrade: Result<Upgrade, StatusCode>,
) -> Result<Response, Problem> {
    let mut upgrade = upgrade.map_err(|status| {
        let error = "this address takes WebSockets of other servers only";
        Problem::new(status, "websocket-only", error)
    })?;
    let state = app.ownership.state();
    if state != ClaimState::Active || !is_open_to(state, ends) {
        return Err(not_open(state));
    }
    let protocol = if upgrade.agree(SUBPROTOCOL) {
        Protocol::Coordinate
    } else {
        Protocol::Plain
    };
    let sockets = app.sockets.token();
    let coordinator = Arc::clone(&app.coordinator);
    if !coordinator.may_link(ends) {
        let error = "too many links, or too many that failed, come from your address; wait a while";
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate-limited",
            error,
        ));
    }
    if !coordinator.is_there().await {
        let error = "this server does not coordinate with others now; try again in a minute";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(Problem::new(status, "not-coordinating", error));
    }
    let bounds = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    Ok(upgrade.serve(bounds, async move |socket| {
        if let Some(line) = Coordinator::link_up(&coordinator, None, ends, protocol) {
            carry(line, socket.into_stream()).await;
        }
        drop(sockets);
    }))
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    for path in ["/coordinate", "/ws/coordinate"] {
        let upgrade = Operation::new("Coordination between servers")
            .answers_nothing(101, "WebSocket; see coordination.md")
            .refuses(paths, &[403, 426, 429]);
        paths.add("get", path, upgrade);
    }
}

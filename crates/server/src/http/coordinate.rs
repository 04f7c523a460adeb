//! `/coordinate`: another server's WebSocket, between its socket and its line to the coordinator.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use coordination::message::{MAX_FRAME, SUBPROTOCOL};
use coordination::{Blob, Frame, Protocol};

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::signal::not_open;
use super::status::is_open_to;
use crate::network::Ends;
use crate::runtime::coordination::{Heard, Outgoing, carry, close_of};
use crate::runtime::{ClaimState, Coordinator};

/// Bytes a link may read ahead, and gathers before it writes.
const BUFFER: usize = 4 * 1024;

pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| {
        let error = "this address takes WebSockets of other servers only";
        Problem::new(StatusCode::UPGRADE_REQUIRED, "websocket-only", error)
    })?;
    let state = app.ownership.state();
    if state != ClaimState::Active || !is_open_to(state, ends) {
        return Err(not_open(state));
    }
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    let protocol = match upgrade.selected_protocol() {
        Some(_) => Protocol::Coordinate,
        None => Protocol::Plain,
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
    Ok(upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .on_upgrade(async move |socket| {
            if let Some(line) = Coordinator::link_up(&coordinator, None, ends, protocol) {
                carry(line, socket, read, write).await;
            }
            drop(sockets);
        }))
}

fn read(message: Message) -> Heard {
    match message {
        Message::Text(text) => Heard::Frame(Frame::Text(text.as_str().into())),
        Message::Binary(bytes) => Heard::Frame(Frame::Binary(Blob::from(bytes.as_ref()))),
        Message::Ping(bytes) | Message::Pong(bytes) => Heard::Control(bytes.len()),
        Message::Close(_) => Heard::Close,
    }
}

fn write(outgoing: Outgoing) -> Message {
    match outgoing {
        Outgoing::Frame(Frame::Text(text)) => Message::Text(Utf8Bytes::from(&*text)),
        Outgoing::Frame(Frame::Binary(bytes)) => {
            Message::Binary(Bytes::copy_from_slice(bytes.as_bytes()))
        }
        Outgoing::Ping => Message::Ping(Bytes::new()),
        Outgoing::Close(refusal) => {
            let (code, reason) = close_of(refusal);
            let reason = Utf8Bytes::from_static(reason);
            Message::Close(Some(CloseFrame { code, reason }))
        }
    }
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

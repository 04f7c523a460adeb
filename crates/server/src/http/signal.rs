//! `/signal`: one client's WebSocket, between its socket and its line to the switchboard.

use std::collections::VecDeque;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::SinkExt as _;
use signaling::message::MAX_FRAME;
use tokio::time::timeout;

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::status::is_open_to;
use crate::network::Ends;
use crate::runtime::{ClaimState, Line, Outgoing};

/// A frame up to this size is still read, to be refused with a typed error; a larger one ends the
/// connection.
const MAX_READ: usize = 2 * MAX_FRAME;

/// Bytes a connection may read ahead or gather before writing. The library's default of 128 KiB is most of what an idle
/// connection costs.
pub(super) const BUFFER: usize = 4 * 1024;

/// Time a client has to take what it is sent.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| {
        let error = "this address takes WebSockets only";
        Problem::new(StatusCode::UPGRADE_REQUIRED, "websocket-only", error)
    })?;
    let state = app.ownership.state();
    if !is_open_to(state, ends) {
        return Err(not_open(state));
    }
    let changes = app.zoning.watch();
    let line = app
        .switchboard
        .connect(ends, app.zoning.of(ends).zone)
        .map_err(|error| Problem::internal(&error))?;
    let Some(line) = line else {
        let error = "the server is stopping";
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            error,
        ));
    };
    // Who came while zones changed may have been judged by the old ones and not been sent away.
    if changes.has_changed().unwrap_or(true) {
        let error = "the owner has just changed what this network counts as; try again";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(Problem::new(status, "zone-changed", error));
    }
    let sockets = app.sockets.token();
    Ok(upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(MAX_READ)
        .max_frame_size(MAX_READ)
        .on_upgrade(async move |socket| {
            serve(socket, &line).await;
            drop(sockets);
        }))
}

pub(super) fn not_open(state: ClaimState) -> Problem {
    let (code, error) = match state {
        ClaimState::Unclaimed => ("unclaimed", "this server has no owner yet"),
        _ => (
            "not-open",
            "the owner has not opened this server to the network",
        ),
    };
    Problem::new(StatusCode::FORBIDDEN, code, error)
}

/// Reads and writes until either side ends it.
async fn serve(mut socket: WebSocket, line: &Line) {
    loop {
        tokio::select! {
            frame = socket.recv() => match frame {
                Some(Ok(Message::Text(text))) => line.receive(&text),
                Some(Ok(Message::Binary(bytes))) => line.receive_binary(bytes.len()),
                Some(Ok(Message::Ping(_))) => line.heard(),
                Some(Ok(Message::Pong(_))) => line.answered_ping(),
                Some(Ok(Message::Close(Some(frame)))) if is_leaving(frame.code) => {
                    line.left();
                    return;
                }
                Some(Err(error)) if is_oversized(&error) => {
                    line.receive_oversized();
                    send(&mut socket, line.outbox.take().await).await;
                    return;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            batch = line.outbox.take() => if !send(&mut socket, batch).await {
                return;
            },
        }
    }
}

/// Sends a batch with one flush. False when it was the last, or the client did not take it.
async fn send(socket: &mut WebSocket, batch: VecDeque<Outgoing>) -> bool {
    let sending = async {
        for outgoing in batch {
            let (message, last) = match outgoing {
                Outgoing::Frame(frame) => (Message::Text(frame.text().into()), false),
                Outgoing::Ping => (Message::Ping(Bytes::new()), false),
                Outgoing::Close(code) => {
                    let frame = CloseFrame {
                        code: code.number(),
                        reason: Utf8Bytes::default(),
                    };
                    (Message::Close(Some(frame)), true)
                }
            };
            socket.feed(message).await?;
            if last {
                socket.flush().await?;
                return Ok(false);
            }
        }
        socket.flush().await?;
        Ok::<_, axum::Error>(true)
    };
    matches!(timeout(WRITE_WITHIN, sending).await, Ok(Ok(true)))
}

/// Whether who closes with this code does not want to come back: they are done (1000), or navigate
/// away (1001, RFC 6455, 7.4.1). Anything else, and a close without a code, may be followed by `RESUME`.
fn is_leaving(code: u16) -> bool {
    matches!(code, 1000 | 1001)
}

fn is_oversized(error: &axum::Error) -> bool {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<tungstenite::Error>());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    for path in ["/signal", "/ws/signal"] {
        let upgrade = Operation::new("Signaling")
            .answers_nothing(101, "WebSocket; see signaling.schema.json");
        paths.add("get", path, upgrade);
    }
}

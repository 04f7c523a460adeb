//! `/signal`: one client's WebSocket, between its socket and its line to the switchboard.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use signaling::message::MAX_FRAME;
use socket::lingering::BytesRead;
use socket::websocket::{
    Control, Data, OpCode, Socket, Unfinished, Upgrade, bounds, is_oversized, put_head,
};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::status::is_open_to;
use crate::network::Ends;
use crate::runtime::{Batch, ClaimState, Line, Outgoing};

/// A message up to this size, in bytes, is still read, to be refused with a typed error; a larger one ends the
/// connection.
const MAX_READ: usize = 2 * MAX_FRAME;

/// Bytes that may come on the wire until a message ends.
const MOST_UNFINISHED: u64 = 8 * MAX_FRAME as u64;

/// Frames of one client that are read before it is sent what waits for it.
const READ_IN_A_ROW: u32 = 32;

/// Bytes that are written at once, or the one frame that is longer.
const AT_ONCE: usize = 16 * 1024;

/// Time a client has to take what it is sent.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Extension(read): Extension<BytesRead>,
    upgrade: Result<Upgrade, StatusCode>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|status| {
        let error = "this address takes WebSockets only";
        Problem::new(status, "websocket-only", error)
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
    Ok(upgrade.serve(bounds(MAX_READ), async move |mut socket| {
        serve(&mut socket, &line, Unfinished::new(read, MOST_UNFINISHED)).await;
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
async fn serve(socket: &mut Socket, line: &Line, mut unfinished: Unfinished) {
    let mut batch = Batch::default();
    let mut in_a_row = 0;
    loop {
        match next(socket, line, &mut batch, &mut in_a_row, &unfinished).await {
            Next::Came(Some(frame)) => match take_in(frame, line) {
                Taken::Done => unfinished.end(),
                Taken::Closed => return socket.answer_close().await,
                Taken::Failed(error) => return socket.fail(&error).await,
                Taken::TooLarge => return send_last(socket, line).await,
            },
            Next::Came(None) => return,
            Next::Endless => {
                line.receive_oversized();
                return send_last(socket, line).await;
            }
            Next::ToSend => {
                if !send(socket, line, &mut batch).await {
                    return;
                }
            }
        }
    }
}

/// Sends what waits, of which the last is a close.
async fn send_last(socket: &mut Socket, line: &Line) {
    let mut last = line.outbox.take().await;
    send(socket, line, &mut last).await;
}

/// What there is to do on a connection.
enum Next {
    /// A frame came, or the end.
    Came(Option<Result<Message, Error>>),
    /// More came of one message than any message has.
    Endless,
    /// The batch is to be sent.
    ToSend,
}

/// Waits for a frame, and for something to send. What waits is sent first, then everything is read that came already,
/// so that the answers to it leave together; but not for ever.
async fn next(
    socket: &mut Socket,
    line: &Line,
    batch: &mut Batch,
    in_a_row: &mut u32,
    unfinished: &Unfinished,
) -> Next {
    poll_fn(|context| {
        if !(1..READ_IN_A_ROW).contains(in_a_row) {
            *in_a_row = 0;
            if line.outbox.poll_take(batch, context).is_ready() {
                return Poll::Ready(Next::ToSend);
            }
        }
        if let Poll::Ready(frame) = socket.poll_next(context) {
            *in_a_row += 1;
            return Poll::Ready(Next::Came(frame));
        }
        *in_a_row = 0;
        if unfinished.is_endless() {
            return Poll::Ready(Next::Endless);
        }
        Poll::Pending
    })
    .await
}

/// How a connection goes on after a frame.
enum Taken {
    Done,
    /// The client closed it.
    Closed,
    /// Nothing more can be read from it.
    Failed(Error),
    TooLarge,
}

fn take_in(frame: Result<Message, Error>, line: &Line) -> Taken {
    match frame {
        Ok(Message::Text(text)) => line.receive(&text),
        Ok(Message::Binary(bytes)) => line.receive_binary(bytes.len()),
        Ok(Message::Ping(_)) => line.heard(),
        Ok(Message::Pong(_)) => line.answered_ping(),
        Ok(Message::Close(frame)) => {
            if frame.is_some_and(|frame| is_leaving(frame.code.into())) {
                line.left();
            }
            return Taken::Closed;
        }
        // Only written, never read.
        Ok(Message::Frame(_)) => {}
        Err(error) if is_oversized(&error) => {
            line.receive_oversized();
            return Taken::TooLarge;
        }
        Err(error) => return Taken::Failed(error),
    }
    Taken::Done
}

/// Sends a batch in few writes, and empties it. False when it was the last, or the client did not take it.
async fn send(socket: &mut Socket, line: &Line, batch: &mut Batch) -> bool {
    let sending = async {
        let mut bytes = Vec::new();
        for outgoing in batch.frames.drain(..) {
            match outgoing {
                Outgoing::Frame(frame) => {
                    put_head(&mut bytes, OpCode::Data(Data::Text), frame.size());
                    frame.write_to(&mut bytes);
                }
                Outgoing::Ping => put_head(&mut bytes, OpCode::Control(Control::Ping), 0),
                Outgoing::Close(code) => {
                    socket.write(&bytes).await?;
                    socket.close(code.number()).await?;
                    return Ok(false);
                }
            }
            if bytes.len() >= AT_ONCE {
                socket.write(&bytes).await?;
                bytes.clear();
            }
        }
        socket.write(&bytes).await?;
        Ok::<_, Error>(true)
    };
    let sent = {
        let mut sending = pin!(sending);
        match poll_fn(|context| Poll::Ready(sending.as_mut().poll(context))).await {
            Poll::Ready(sent) => Ok(sent),
            // Only who does not take it at once needs a clock.
            Poll::Pending => timeout(WRITE_WITHIN, sending).await,
        }
    };
    let goes_on = matches!(sent, Ok(Ok(true)));
    line.outbox.sent(batch);
    goes_on
}

/// Whether who closes with this code does not want to come back: they are done (1000), or navigate
/// away (1001, RFC 6455, 7.4.1). Anything else, and a close without a code, may be followed by `RESUME`.
fn is_leaving(code: u16) -> bool {
    matches!(code, 1000 | 1001)
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    for path in ["/signal", "/ws/signal"] {
        let upgrade = Operation::new("Signaling")
            .answers_nothing(101, "WebSocket; see signaling.schema.json");
        paths.add("get", path, upgrade);
    }
}

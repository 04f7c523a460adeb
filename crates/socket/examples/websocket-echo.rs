//! An echo on the WebSockets of `/signal`: the same upgrade, bounds and ending, for a foreign judge of the
//! protocol. `/signal` itself does not repeat what it is told. It listens on the address it is given, and
//! prints that it does.

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use socket::websocket::{Data, OpCode, Socket, Upgrade, bounds, put_head};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

/// As `/signal` has it.
const MAX_READ: usize = 128 * 1024;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("websocket-echo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_default();
    let address: SocketAddr = address.parse()?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    Ok(axum::serve(listener, Router::new().route("/", get(upgrade))).await?)
}

async fn upgrade(upgrade: Upgrade) -> Response {
    upgrade.serve(bounds(MAX_READ), async |mut socket| echo(&mut socket).await)
}

async fn echo(socket: &mut Socket) {
    while let Some(came) = socket.next().await {
        let (kind, payload) = match came {
            Ok(Message::Text(text)) => (Data::Text, text.into()),
            Ok(Message::Binary(bytes)) => (Data::Binary, bytes),
            Ok(Message::Close(_)) => return socket.answer_close().await,
            // The library answers pings by itself.
            Ok(_) => continue,
            Err(error) => return socket.fail(&error).await,
        };
        let mut frame = Vec::new();
        put_head(&mut frame, OpCode::Data(kind), payload.len());
        frame.extend_from_slice(&payload);
        if socket.write(&frame).await.is_err() {
            return;
        }
    }
}

//! An echo on the WebSockets of `/signal`: the same upgrade, bounds and ending, for a foreign judge of the
//! protocol. `/signal` itself does not repeat what it is told. It listens on the address it is given, and
//! prints that it does.

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use futures_util::StreamExt as _;
use ham_server::http::websocket::{answer_close, bounded, fail};
use tokio::net::TcpListener;

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

async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
    bounded(upgrade).on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    while let Some(came) = socket.next().await {
        match came {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            Ok(Message::Close(_)) => return answer_close(&mut socket).await,
            // The library answers pings by itself.
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Err(error) => return fail(&mut socket, &error).await,
        }
    }
}

//! What a relay on axum can reach: it knows names and passes frames on, and nothing else.
//!
//! A client connects to `/ws?name=NAME`, is told `open`, and sends frames `NAME text`; whoever has that
//! name gets the frame as it is. No JSON, no checks, no limits but a bounded queue, and 4 KiB read buffers.
//!
//! By itself it sends as everybody writes it with axum: `send` for each frame, which flushes each. With
//! `--batch` it has one flush for everything that waits: the limit of what the library can do.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use futures_util::SinkExt as _;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Bytes a connection may read ahead.
const BUFFER: usize = 4 * 1024;

/// Frames that may wait for a client.
const QUEUE: usize = 64;

type Clients = Arc<RwLock<HashMap<String, Sender<Utf8Bytes>>>>;

#[derive(Debug, Deserialize)]
struct Who {
    name: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let port = words.next().context("usage: bare-relay PORT [--batch]")?;
    let batch = words.next().is_some_and(|word| word == "--batch");
    let listener = TcpListener::bind(("127.0.0.1", port.parse::<u16>()?)).await?;
    let router = Router::new()
        .route("/ws", get(upgrade))
        .with_state((Clients::default(), batch));
    axum::serve(listener, router).await?;
    Ok(())
}

async fn upgrade(
    State((clients, batch)): State<(Clients, bool)>,
    Query(Who { name }): Query<Who>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .read_buffer_size(BUFFER)
        .on_upgrade(async move |socket| {
            let (sender, queue) = mpsc::channel(QUEUE);
            clients
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name.clone(), sender);
            // However it ended, the client is gone.
            drop(serve(socket, queue, &clients, batch).await);
            clients
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&name);
        })
}

async fn serve(
    mut socket: WebSocket,
    mut queue: Receiver<Utf8Bytes>,
    clients: &Clients,
    batch: bool,
) -> Result<(), axum::Error> {
    socket.send(Message::Text("open".into())).await?;
    loop {
        tokio::select! {
            frame = socket.recv() => match frame {
                Some(Ok(Message::Text(text))) => relay(&text, clients),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            Some(text) = queue.recv() => {
                if !batch {
                    socket.send(Message::Text(text)).await?;
                    continue;
                }
                socket.feed(Message::Text(text)).await?;
                while let Ok(text) = queue.try_recv() {
                    socket.feed(Message::Text(text)).await?;
                }
                socket.flush().await?;
            }
        }
    }
}

fn relay(text: &Utf8Bytes, clients: &Clients) {
    let clients = clients.read().unwrap_or_else(PoisonError::into_inner);
    let target = text.split_once(' ').and_then(|(to, _)| clients.get(to));
    // Who does not read loses frames.
    drop(target.map(|target| target.try_send(text.clone())));
}

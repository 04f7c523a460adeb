//! A WebSocket on a real connection: what is read and what is written get into each other's way nowhere.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use socket::websocket::{Data, OpCode, Socket, Upgrade, bounds, put_head};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(20);

async fn upgrade(upgrade: Upgrade) -> Response {
    upgrade.serve(bounds(1024 * 1024), async |mut socket| {
        serve(&mut socket).await;
    })
}

/// Answers each text with three frames of that text, in one piece.
async fn serve(socket: &mut Socket) {
    while let Some(Ok(came)) = socket.next().await {
        let Message::Text(text) = came else { continue };
        let mut frames = Vec::new();
        for _ in 0..3 {
            put_head(&mut frames, OpCode::Data(Data::Text), text.len());
            frames.extend_from_slice(text.as_bytes());
        }
        if socket.write(&frames).await.is_err() {
            return;
        }
    }
}

async fn client() -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", get(upgrade));
    tokio::spawn(async move { axum::serve(listener, app).await });
    connect_async(format!("ws://{address}")).await.unwrap().0
}

#[tokio::test]
async fn pongs_stand_between_whole_frames() {
    let client = client().await;
    let (mut to, mut from) = client.split();
    let long = "x".repeat(300_000);
    let sending = async {
        for _ in 0..20 {
            to.feed(Message::Ping("a".into())).await.unwrap();
            to.feed(Message::Text(long.as_str().into())).await.unwrap();
        }
        to.flush().await.unwrap();
    };
    let reading = async {
        let (mut pongs, mut texts) = (0, 0);
        while texts < 60 {
            match from.next().await.unwrap().unwrap() {
                Message::Pong(_) => pongs += 1,
                Message::Text(text) => {
                    assert_eq!(text.as_str(), long);
                    texts += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        pongs
    };
    let (pongs, ()) = timeout(PATIENCE, async { tokio::join!(reading, sending) })
        .await
        .unwrap();
    assert!(pongs > 0);
}

/// Every message is heard, however they lie in what is read at once.
#[tokio::test]
async fn what_comes_at_once_is_all_read() {
    let mut client = client().await;
    let talk = async {
        for _ in 0..50 {
            for number in 0..40 {
                client
                    .feed(Message::Text(number.to_string().into()))
                    .await
                    .unwrap();
            }
            client.flush().await.unwrap();
            for number in 0..40 {
                for _ in 0..3 {
                    let text = client.next().await.unwrap().unwrap();
                    assert_eq!(text.into_text().unwrap().as_str(), number.to_string());
                }
            }
        }
    };
    timeout(PATIENCE, talk).await.unwrap();
}

//! What it costs when a thousand people come into one net at once, and everybody is told of everybody.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::client::{crowd, sockets};
use crate::dialect::Dialect;
use crate::server::Server;
use benchmark::socket::{Socket, frames};

/// Who comes.
pub(crate) const CROWD: usize = 1_000;

/// How often each server has one, freshly started, in turn. The one in the middle counts.
pub(crate) const STORMS: usize = 5;

/// It is over when nothing more arrives for so long.
const QUIET: Duration = Duration::from_secs(4);
const AT_MOST: Duration = Duration::from_secs(40);

/// What was seen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Storm {
    /// Seconds of the server's processor for opening the sockets.
    pub(crate) connecting: f64,
    /// And for everything after that: registering, and telling everybody.
    pub(crate) joining: f64,
    /// Megabytes that the clients were sent meanwhile.
    pub(crate) megabytes: f64,
    /// Seconds of the server's processor, and megabytes, when everybody then reads the whole list of people,
    /// where one has to.
    pub(crate) reading: Option<(f64, f64)>,
}

pub(crate) async fn measure(server: &Server) -> Result<Storm> {
    let dialect = server.dialect;
    let before = server.cpu()?;
    // Who comes to one of the others is in with the connection.
    let mut sockets = if dialect == Dialect::HamServer {
        sockets(server, 0..CROWD).await?
    } else {
        let clients = crowd(server, 0..CROWD, CROWD).await?;
        clients.into_iter().map(|client| client.socket).collect()
    };
    let connected = server.cpu()?;
    let received = |sockets: &[Socket]| sockets.iter().map(|socket| socket.received).sum::<u64>();
    let heads = if dialect == Dialect::HamServer {
        received(&sockets)
    } else {
        0
    };
    if let Some(greeting) = dialect.greeting("room-0") {
        let greeting = frames(&greeting, 1);
        let greeting = greeting.as_slice();
        try_join_all(sockets.iter_mut().map(|socket| socket.write(greeting))).await?;
    }
    until_quiet(&mut sockets).await?;
    let joined = server.cpu()?;
    let megabytes = in_megabytes(received(&sockets) - heads);
    let reading = if dialect == Dialect::HamServer {
        let before = received(&sockets);
        read_lists(&mut sockets).await?;
        let cpu = (server.cpu()? - joined).as_secs_f64();
        Some((cpu, in_megabytes(received(&sockets) - before)))
    } else {
        None
    };
    let connecting = connected - before;
    let joining = joined - connected;
    Ok(if dialect == Dialect::HamServer {
        Storm {
            connecting: connecting.as_secs_f64(),
            joining: joining.as_secs_f64(),
            megabytes,
            reading,
        }
    } else {
        Storm {
            connecting: 0.0,
            joining: (connecting + joining).as_secs_f64(),
            megabytes,
            reading,
        }
    })
}

/// Reads until nothing has come for a while.
pub(super) async fn until_quiet(sockets: &mut [Socket]) -> Result<()> {
    let last = Cell::new(Instant::now());
    let reading = sockets.iter_mut().map(|socket| async {
        loop {
            socket.texts(|_| last.set(Instant::now())).await?;
        }
        #[expect(unreachable_code, reason = "says what the loop never returns")]
        Ok::<(), anyhow::Error>(())
    });
    let quiet = async {
        while last.get().elapsed() < QUIET {
            sleep(QUIET / 8).await;
        }
    };
    tokio::select! {
        lost = try_join_all(reading) => lost.map(drop),
        _ = timeout(AT_MOST, quiet) => Ok(()),
    }
}

/// Everybody reads the list of people, page by page.
async fn read_lists(sockets: &mut [Socket]) -> Result<()> {
    let reading = sockets.iter_mut().map(|socket| async {
        let mut ask = r#"{"type":"LIST_PEERS"}"#.to_owned();
        loop {
            socket.write(&frames(&ask, 1)).await?;
            let next = socket.until(page).await?;
            match next {
                Some(cursor) => ask = format!(r#"{{"type":"LIST_PEERS","cursor":"{cursor}"}}"#),
                None => return Ok::<(), anyhow::Error>(()),
            }
        }
    });
    try_join_all(reading).await.map(drop)
}

/// The cursor of the next page, if this is a page.
#[expect(clippy::option_option, reason = "a page may be the last")]
fn page(text: &[u8]) -> Option<Option<String>> {
    let beginning = br#"{"type":"PEER_LIST""#;
    if !text.starts_with(beginning) {
        return None;
    }
    let page: Value = serde_json::from_slice(text).ok()?;
    Some(page["next"].as_str().map(str::to_owned))
}

fn in_megabytes(bytes: u64) -> f64 {
    let kilobytes = u32::try_from(bytes / 1_000).unwrap_or(u32::MAX);
    f64::from(kilobytes) / 1e3
}

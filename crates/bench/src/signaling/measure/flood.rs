//! What one client that floods does to the others.

use std::time::Duration;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tokio::task::yield_now;

use super::latency::{self, Latency};
use super::sdp;
use crate::client::{CROWD, enter, pairs};
use crate::server::Server;
use benchmark::socket::frames;

/// Pairs that set up calls meanwhile, at a person's pace: nobody of them reaches a limit.
const BYSTANDERS: usize = 40;
const RATE: f64 = 120.0;
const BEFORE: Duration = Duration::from_secs(3);
const DURING: Duration = Duration::from_secs(6);

/// Where the flood comes from when it is to be told from the crowd.
const ELSEWHERE: [u8; 4] = [127, 0, 0, 66];

/// Offers that the flooder sends without a look at what comes back.
const AT_ONCE: usize = 100;

/// What becomes of the flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flood {
    /// Every message is passed on, as fast as the server can and somebody reads them.
    PassedOn,
    /// The server's limits end the connection, and the flooder comes again at once.
    Limited,
}

/// What the bystanders saw.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Bystanders {
    pub(crate) before: Latency,
    pub(crate) during: Latency,
}

pub(crate) async fn measure(server: &Server, flood: Flood) -> Result<Bystanders> {
    let mut bystanders = pairs(server, 0..BYSTANDERS).await?;
    let dialect = server.dialect;
    let before = latency::measure(dialect, &mut bystanders, RATE, BEFORE).await?;
    let from = match flood {
        Flood::PassedOn => CROWD,
        Flood::Limited => ELSEWHERE,
    };
    let flooding = async {
        loop {
            // To be thrown out, not to be let in, or to have nobody left who reads, is no end of it.
            drop(pour(server, from).await);
            yield_now().await;
        }
    };
    let during = latency::measure(dialect, &mut bystanders, RATE, DURING);
    tokio::select! {
        () = flooding => bail!("{dialect}: the flood ended"),
        during = during => Ok(Bystanders { before, during: during? }),
    }
}

/// Comes in with somebody who reads everything, and sends them offers without a pause.
async fn pour(server: &Server, from: [u8; 4]) -> Result<()> {
    let mut reader = enter(server, from, 1_000_000, "flood").await?;
    let mut flooder = enter(server, from, 1_000_001, "flood").await?;
    let offers = frames(&server.dialect.signal(&reader.name, &sdp()), AT_ONCE);
    let pouring = async {
        loop {
            flooder.socket.write(&offers).await?;
            yield_now().await;
        }
    };
    let reading = async {
        loop {
            reader.socket.texts(|_| {}).await?;
        }
    };
    tokio::select! {
        ended = pouring => ended,
        ended = reading => ended,
    }
}

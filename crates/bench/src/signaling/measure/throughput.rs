//! How many messages a server relays in a second of its processor's time.
//!
//! Fifty pairs send offers to and fro. Each pair has one offer under way, or sixteen: who gets one sends one
//! back at once.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::{PAIRS, sdp};
use crate::client::{Client, pairs};
use crate::dialect::Dialect;
use crate::server::Server;
use benchmark::socket::frames;

const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_millis(1_200);

/// Messages that may be under way in each pair.
pub(crate) const UNDER_WAY: [usize; 2] = [1, 16];

/// What was seen.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Throughput {
    /// Messages relayed in a second of the server's processor time.
    pub(crate) per_cpu_second: f64,
    /// Messages relayed in a second.
    pub(crate) per_second: f64,
}

pub(crate) async fn measure(server: &Server, under_way: usize) -> Result<Throughput> {
    let mut pairs = pairs(server, 0..PAIRS).await?;
    let count = Cell::new(0);
    let mut bouncing = Vec::new();
    for (one, other) in &mut pairs {
        let (to_one, to_other) = (one.name.clone(), other.name.clone());
        let dialect = server.dialect;
        bouncing.push(bounce(dialect, one, to_other, under_way, under_way, &count));
        bouncing.push(bounce(dialect, other, to_one, 0, under_way, &count));
    }
    let measuring = async {
        sleep(WARM_UP).await;
        let (begin, cpu, before) = (Instant::now(), server.cpu()?, count.get());
        sleep(MEASURED).await;
        let relayed = f64::from(u32::try_from(count.get() - before)?);
        let cpu = (server.cpu()? - cpu).as_secs_f64();
        Ok(Throughput {
            per_cpu_second: relayed / cpu,
            per_second: relayed / begin.elapsed().as_secs_f64(),
        })
    };
    tokio::select! {
        () = never_sleep() => Ok(Throughput::default()),
        ended = try_join_all(bouncing) => bail!("{}: a client was lost: {ended:?}", server.dialect),
        measured = measuring => measured,
    }
}

/// Keeps this program awake, for ever: a server that would have to wake it would pay for it, and the slower one
/// more often.
async fn never_sleep() {
    loop {
        yield_now().await;
    }
}

/// Sends so many offers to begin with, and one for each that comes.
async fn bounce(
    dialect: Dialect,
    client: &mut Client,
    to: String,
    begin_with: usize,
    at_once: usize,
    count: &Cell<u64>,
) -> Result<()> {
    let offers = frames(&dialect.signal(&to, &sdp()), at_once);
    let length = offers.len() / at_once;
    client.socket.write(&offers[..begin_with * length]).await?;
    loop {
        let mut came = 0;
        client
            .socket
            .texts(|text| came += usize::from(dialect.is_signal(text)))
            .await?;
        count.set(count.get() + u64::try_from(came)?);
        client.socket.write(&offers[..came * length]).await?;
    }
}

//! How many messages a server relays in a second of its processor's time.
//!
//! Fifty pairs send offers to and fro. Each pair has one offer under way, or sixteen: who gets one sends one
//! back at once. The servers take short turns, many of them, because a machine may be faster or slower from one moment to the
//! next.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::sdp;
use crate::client::Client;
use crate::dialect::Dialect;
use crate::server::Server;
use benchmark::socket::frames;

/// How often every server has its turn.
pub(crate) const TURNS: usize = 60;

/// How long a turn is, until no offer is sent any more.
const TURN: Duration = Duration::from_millis(100);

/// Time in which a server that nobody sends anything goes to sleep. What it used so far is certain only then.
const ASLEEP_AFTER: Duration = Duration::from_millis(5);

/// Time in which the last offers have to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

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

/// What happens in one turn.
struct Turn {
    dialect: Dialect,
    at_once: usize,
    /// Offers that arrived.
    arrived: Cell<u64>,
    /// Whether those who get one send none back.
    over: Cell<bool>,
    /// Offers under way.
    under_way: Cell<usize>,
    /// No offer is under way any more.
    ended: Notify,
}

/// One turn of a server with the clients it has.
pub(crate) async fn turn(
    server: &Server,
    pairs: &mut [(Client, Client)],
    under_way: usize,
) -> Result<Throughput> {
    let turn = Turn {
        dialect: server.dialect,
        at_once: under_way,
        arrived: Cell::new(0),
        over: Cell::new(false),
        under_way: Cell::new(pairs.len() * under_way),
        ended: Notify::new(),
    };
    let mut bouncing = Vec::new();
    for (one, other) in pairs {
        let (to_one, to_other) = (one.name.clone(), other.name.clone());
        bouncing.push(bounce(&turn, one, to_other, under_way));
        bouncing.push(bounce(&turn, other, to_one, 0));
    }
    let measuring = async {
        let (begin, cpu) = (Instant::now(), server.cpu()?);
        sleep(TURN).await;
        turn.over.set(true);
        timeout(ARRIVES_WITHIN, turn.ended.notified())
            .await
            .with_context(|| format!("{}: offers were lost", server.dialect))?;
        let relayed = f64::from(u32::try_from(turn.arrived.get())?);
        let per_second = relayed / begin.elapsed().as_secs_f64();
        sleep(ASLEEP_AFTER).await;
        let cpu = (server.cpu()? - cpu).as_secs_f64();
        Ok(Throughput {
            per_cpu_second: relayed / cpu,
            per_second,
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
async fn bounce(turn: &Turn, client: &mut Client, to: String, begin_with: usize) -> Result<()> {
    let dialect = turn.dialect;
    let offers = frames(&dialect.signal(&to, &sdp()), turn.at_once);
    let length = offers.len() / turn.at_once;
    client.socket.write(&offers[..begin_with * length]).await?;
    loop {
        let mut came = 0;
        client
            .socket
            .texts(|text| came += usize::from(dialect.is_signal(text)))
            .await?;
        turn.arrived.set(turn.arrived.get() + u64::try_from(came)?);
        if !turn.over.get() {
            client.socket.write(&offers[..came * length]).await?;
            continue;
        }
        turn.under_way.set(turn.under_way.get() - came);
        if turn.under_way.get() == 0 {
            turn.ended.notify_one();
        }
    }
}

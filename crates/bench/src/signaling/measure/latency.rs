//! How long a message takes at a fixed rate: offers are sent when they are due, whatever became of those
//! before.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::sdp;
use crate::client::Client;
use crate::dialect::Dialect;
use benchmark::socket::frames;

/// A timer's step: what is due within one is sent together.
const STEP: Duration = Duration::from_millis(1);

/// Time after the last offer for those on their way to arrive.
const LINGER: Duration = Duration::from_millis(500);

/// From the sending of an offer to its arrival, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// Offers sent in a second.
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    /// Offers that never arrived.
    pub(crate) lost: usize,
}

/// Has the first of each pair send offers to the second, `rate` a second over all pairs.
pub(crate) async fn measure(
    dialect: Dialect,
    pairs: &mut [(Client, Client)],
    rate: f64,
    time: Duration,
) -> Result<Latency> {
    let times = RefCell::new(Vec::new());
    let sent: Vec<_> = pairs
        .iter()
        .map(|_| RefCell::new(VecDeque::new()))
        .collect();
    let (mut senders, mut receivers) = (Vec::new(), Vec::new());
    for ((one, other), sent) in pairs.iter_mut().zip(&sent) {
        let offer = frames(&dialect.signal(&other.name, &sdp()), 1);
        senders.push((&mut one.socket, offer, sent));
        receivers.push(receive(dialect, other, sent, &times));
    }
    let sending = async {
        let begin = Instant::now();
        let mut number = 0_u32;
        while begin.elapsed() < time {
            while f64::from(number) / rate <= begin.elapsed().as_secs_f64() {
                let turn = usize::try_from(number)? % senders.len();
                let (socket, offer, sent) = &mut senders[turn];
                sent.borrow_mut().push_back(Instant::now());
                socket.write(offer).await?;
                number += 1;
            }
            sleep(STEP).await;
        }
        sleep(LINGER).await;
        Ok::<_, anyhow::Error>(())
    };
    tokio::select! {
        ended = try_join_all(receivers) => bail!("{dialect}: a client was lost: {ended:?}"),
        sent = sending => sent?,
    }
    let lost = sent.iter().map(|sent| sent.borrow().len()).sum();
    summary(times.into_inner(), rate, lost)
}

async fn receive(
    dialect: Dialect,
    client: &mut Client,
    sent: &RefCell<VecDeque<Instant>>,
    times: &RefCell<Vec<Duration>>,
) -> Result<()> {
    loop {
        let receiving = client.socket.texts(|text| {
            if dialect.is_signal(text)
                && let Some(sent) = sent.borrow_mut().pop_front()
            {
                times.borrow_mut().push(sent.elapsed());
            }
        });
        receiving.await?;
    }
}

fn summary(mut times: Vec<Duration>, rate: f64, lost: usize) -> Result<Latency> {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        let time = times.get(place).context("nothing arrived")?;
        Ok::<_, anyhow::Error>(time.as_secs_f64() * 1e3)
    };
    Ok(Latency {
        rate,
        p50: at(50)?,
        p99: at(99)?,
        max: at(100)?,
        lost,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_times_the_99th_is_the_last() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let seen = summary(times, 1.0, 0).unwrap();
        assert_eq!((seen.p50, seen.p99, seen.max), (51.0, 100.0, 100.0));
        assert!(summary(Vec::new(), 1.0, 0).is_err());
    }
}

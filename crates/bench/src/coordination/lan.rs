//! How soon a server that starts on a network finds those who are there, and has links to them. Nobody was named anybody.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::ham::HamServers;
use crate::net::Net as _;
use crate::person::ask;
use crate::trial::{Spread, spread};

const ROUNDS: usize = 10;

/// Time after which something counts as not having come about.
const LONGEST: Duration = Duration::from_secs(20);

/// How often a server is asked what it sees.
const LOOK: Duration = Duration::from_millis(10);

/// The one that comes and goes; two others stay.
const NEWCOMER: usize = 2;

/// From the start of the newcomer's process, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Until another lists it.
    pub(crate) listed: Spread,
    /// Until it has links to both others.
    pub(crate) linked: Spread,
    /// Until everybody sees everybody at all three, who came anew included.
    pub(crate) together: Spread,
}

/// The servers announce themselves and hear each other by mDNS.
pub(crate) async fn run(net: &mut HamServers) -> Result<Found> {
    net.start(0)?;
    net.start(1)?;
    net.board()
        .agree(LONGEST, &[&[0, 1]])
        .await
        .context("two servers on a network do not find each other")?;
    let (mut listed, mut linked, mut together) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let since = Instant::now();
        net.start(NEWCOMER)?;
        let milliseconds = |at: Instant| (at - since).as_secs_f64() * 1_000.0;
        let is_listed = until(net, 0, "/api/local-servers", |answer| {
            let servers = answer["servers"].as_array();
            servers.is_some_and(|servers| servers.len() == 2)
        });
        let is_linked = until(net, NEWCOMER, "/api/peers", |answer| {
            let peers = answer.as_array().into_iter().flatten();
            peers.filter(|peer| peer["state"] == "linked").count() == 2
        });
        let (a, b, c) = tokio::join!(
            is_listed,
            is_linked,
            net.board().agree(LONGEST, &[&[0, 1, 2]])
        );
        println!(
            "  round {round}: {:?}",
            [a, b, c].map(|at| at.map(milliseconds))
        );
        listed.extend(a.map(milliseconds));
        linked.extend(b.map(milliseconds));
        together.extend(c.map(milliseconds));
        net.stop(NEWCOMER)?;
        until(net, 0, "/api/local-servers", |answer| {
            let servers = answer["servers"].as_array();
            servers.is_some_and(|servers| servers.len() == 1)
        })
        .await
        .context("a server that stopped is still listed")?;
        net.board().agree(LONGEST, &[&[0, 1]]).await;
    }
    Ok(Found {
        listed: spread(&listed, ROUNDS),
        linked: spread(&linked, ROUNDS),
        together: spread(&together, ROUNDS),
    })
}

/// When a server answers as wanted.
async fn until(
    net: &HamServers,
    server: usize,
    path: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Option<Instant> {
    let asking = async {
        loop {
            // One that just starts does not answer yet.
            if let Ok(answer) = ask(net.lab(), server, path).await
                && wanted(&answer)
            {
                return Instant::now();
            }
            sleep(LOOK).await;
        }
    };
    timeout(LONGEST, asking).await.ok()
}

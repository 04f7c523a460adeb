//! What is measured of a net, whoever's servers it is made of.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use benchmark::figures::median;
use benchmark::process::{self, Threads};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::net::Net;

/// Time after which something counts as not having come about: three times what is aimed at.
const LONGEST: Duration = Duration::from_secs(15);

/// Time for what has come about already, unless it never did.
const SOON: Duration = Duration::from_secs(2);

/// How long a net is left alone before what it uses at rest is measured.
const SETTLE: Duration = Duration::from_secs(3);

/// How often each thing is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) presence: usize,
    pub(crate) deaths: usize,
    pub(crate) cuts: usize,
    pub(crate) restarts: usize,
    /// How long the net is watched at rest.
    pub(crate) idle: Duration,
}

/// Milliseconds, of many.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) max: f64,
    /// Of how many.
    pub(crate) of: usize,
    /// How many more never came.
    pub(crate) never: usize,
}

/// Seconds of each round; nothing for one that did not come about.
pub(crate) type Times = Vec<Option<f64>>;

/// What was seen of a net.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) servers: usize,
    /// Links that stand at rest.
    pub(crate) links: usize,
    /// All started at once for the first time, until all know all.
    pub(crate) cold: Option<f64>,
    /// Milliseconds of a processor that each server needed for that.
    #[serde(default)]
    pub(crate) cold_processor: f64,
    /// Somebody comes, until each other server shows them.
    pub(crate) came: Spread,
    /// Somebody goes, until no other server shows them.
    pub(crate) went: Spread,
    /// A server's process is killed, until each other server shows nobody there.
    pub(crate) death: Spread,
    /// It is started again, until all know all.
    pub(crate) returned: Times,
    /// A server's cables are pulled, until each other server shows nobody there.
    pub(crate) cut: Spread,
    /// They are put back, until all know all.
    pub(crate) mended: Times,
    /// The network falls into two halves, until each knows itself and nobody else. Not every net is tried so.
    pub(crate) parted: Times,
    /// It is whole again, until all know all.
    pub(crate) merged: Times,
    /// All are killed and started at once, until all know all.
    pub(crate) all_at_once: Times,
    /// Each is killed and started when the one before listens again; from the last one's start until all know all.
    pub(crate) one_by_one: Times,
    pub(crate) idle: Idle,
}

/// What a net at rest uses.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Idle {
    /// Bytes a second on each link, both ways, with everything down to Ethernet.
    pub(crate) bytes: f64,
    /// Milliseconds of a processor a second, each server.
    pub(crate) processor: f64,
    /// Megabytes resident, the middle one and the largest.
    pub(crate) memory: [f64; 2],
}

/// Measures everything. The servers run afterwards, if nothing failed.
pub(crate) async fn run(net: &mut impl Net, rounds: Rounds, parts_in_two: bool) -> Result<Seen> {
    let all: Vec<usize> = (0..net.size()).collect();
    let cold = start_all(net).await?;
    let cold_processor = processor(net, &all)?.as_secs_f64() * 1_000.0 / as_f64(all.len());
    report("started, all know all", (cold, cold_processor));
    let (came, went) = presence(net, &all, rounds.presence).await?;
    report("somebody comes", came);
    let idle = idle(net, &all, rounds.idle).await?;
    report("at rest", idle);
    let links = links(net, &all)?;
    let (death, returned) = deaths(net, &all, rounds.deaths).await?;
    report("a process dies", death);
    let (cut, mended) = cuts(net, &all, rounds.cuts).await?;
    report("a cable is cut", cut);
    let (parted, merged) = if parts_in_two {
        partition(net, &all).await?
    } else {
        (Times::new(), Times::new())
    };
    report("the network parts and merges", (&parted, &merged));
    let mut all_at_once = Times::new();
    let mut one_by_one = Times::new();
    for _ in 0..rounds.restarts {
        for &server in &all {
            net.kill(server)?;
        }
        all_at_once.push(start_all(net).await?);
        one_by_one.push(restart_each(net, &all).await?);
    }
    report("all restarted at once", &all_at_once);
    report("restarted one by one", &one_by_one);
    Ok(Seen {
        servers: net.size(),
        links,
        cold,
        cold_processor,
        came,
        went,
        death,
        returned,
        cut,
        mended,
        parted,
        merged,
        all_at_once,
        one_by_one,
        idle,
    })
}

fn report(what: &str, seen: impl std::fmt::Debug) {
    println!("  {what}: {seen:?}");
}

/// Starts everybody, and says after how many seconds all know all.
async fn start_all(net: &mut impl Net) -> Result<Option<f64>> {
    let all: Vec<usize> = (0..net.size()).collect();
    for &server in &all {
        net.start(server)?;
    }
    Ok(agreed_since(net, &all, Instant::now()).await)
}

/// Seconds from then until all know all; tells who does not, where that takes too long.
async fn agreed_since(net: &impl Net, all: &[usize], then: Instant) -> Option<f64> {
    let agreed = net.board().agree(LONGEST, &[all]).await;
    if agreed.is_none() {
        let wrong = net.board().wrong(all);
        println!("  after {LONGEST:?}: {}", wrong.join(", "));
    }
    agreed.map(|agreed| agreed.saturating_duration_since(then).as_secs_f64())
}

/// What follows starts from a net in which all know all. One that will not come to that is started anew.
async fn settled(net: &mut impl Net, all: &[usize]) -> Result<()> {
    if net.board().agree(SOON, &[all]).await.is_some() {
        return Ok(());
    }
    println!("  not all know all: everybody is started anew");
    for &server in all {
        net.kill(server)?;
    }
    if start_all(net).await?.is_none() {
        bail!("the net does not come together, not even anew");
    }
    Ok(())
}

/// Milliseconds until each other server showed that somebody came or went.
fn delays(net: &impl Net, who: &str, came: bool, since: Instant) -> Vec<f64> {
    let first = net.board().first_seen(who, came).into_iter();
    first
        .map(|(_, at)| at.saturating_duration_since(since).as_secs_f64() * 1_000.0)
        .collect()
}

/// The middle and the end of what was seen.
pub(crate) fn spread(delays: &[f64], expected: usize) -> Spread {
    Spread {
        median: median(delays.iter().copied()),
        max: delays.iter().copied().fold(f64::NAN, f64::max),
        of: delays.len(),
        never: expected.saturating_sub(delays.len()),
    }
}

async fn presence(net: &mut impl Net, all: &[usize], rounds: usize) -> Result<(Spread, Spread)> {
    let (mut came, mut went) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        settled(net, all).await?;
        let server = (round * 7 + 1) % all.len();
        let who = net.board().here(server).context("nobody is there")?;
        net.board().forget_log();
        let since = net.person(server, false).await?;
        let others = all.len() - 1;
        let gone = |board: &crate::board::Board| board.first_seen(&who, false).len() >= others;
        net.board().until(LONGEST, gone).await;
        went.extend(delays(net, &who, false, since));
        net.board().forget_log();
        let since = net.person(server, true).await?;
        net.board().agree(LONGEST, &[all]).await;
        let who = net.board().here(server).context("nobody is there")?;
        came.extend(delays(net, &who, true, since));
    }
    let expected = rounds * (all.len() - 1);
    Ok((spread(&came, expected), spread(&went, expected)))
}

async fn deaths(net: &mut impl Net, all: &[usize], rounds: usize) -> Result<(Spread, Times)> {
    let (mut noticed, mut returned, mut expected) = (Vec::new(), Times::new(), 0);
    for round in 0..rounds {
        settled(net, all).await?;
        let server = (round * 7 + 2) % all.len();
        let who = net.board().here(server).context("nobody is there")?;
        net.board().forget_log();
        let since = Instant::now();
        net.kill(server)?;
        let others = shown_to(all, server);
        let gone = |board: &crate::board::Board| board.first_seen(&who, false).len() >= others;
        net.board().until(LONGEST, gone).await;
        noticed.extend(delays(net, &who, false, since));
        expected += others;
        net.start(server)?;
        returned.push(agreed_since(net, all, Instant::now()).await);
    }
    Ok((spread(&noticed, expected), returned))
}

fn shown_to(all: &[usize], server: usize) -> usize {
    all.iter().filter(|other| **other != server).count()
}

async fn cuts(net: &mut impl Net, all: &[usize], rounds: usize) -> Result<(Spread, Times)> {
    let (mut noticed, mut mended, mut expected) = (Vec::new(), Times::new(), 0);
    for round in 0..rounds {
        settled(net, all).await?;
        let server = (round * 7 + 3) % all.len();
        let who = net.board().here(server).context("nobody is there")?;
        net.board().forget_log();
        let since = Instant::now();
        net.lab().cut(server)?;
        let others = shown_to(all, server);
        let gone = |board: &crate::board::Board| {
            let by = board.first_seen(&who, false);
            by.iter().filter(|(by, _)| *by != server).count() >= others
        };
        net.board().until(LONGEST, gone).await;
        noticed.extend(delays(net, &who, false, since));
        expected += others;
        net.lab().mend(server)?;
        mended.push(agreed_since(net, all, Instant::now()).await);
    }
    Ok((spread(&noticed, expected), mended))
}

async fn partition(net: &mut impl Net, all: &[usize]) -> Result<(Times, Times)> {
    settled(net, all).await?;
    let (one, other) = all.split_at(all.len() / 2);
    let since = Instant::now();
    net.lab().part(other)?;
    let parted = net.board().agree(LONGEST, &[one, other]).await;
    if parted.is_none() {
        println!(
            "  halves that do not agree: {:?} {:?}",
            net.board().wrong(one),
            net.board().wrong(other)
        );
    }
    let parted = parted.map(|parted| parted.saturating_duration_since(since).as_secs_f64());
    let since = Instant::now();
    net.lab().join(other)?;
    let merged = agreed_since(net, all, since).await;
    Ok((vec![parted], vec![merged]))
}

async fn restart_each(net: &mut impl Net, all: &[usize]) -> Result<Option<f64>> {
    settled(net, all).await?;
    let mut last = Instant::now();
    for &server in all {
        net.kill(server)?;
        last = Instant::now();
        net.start(server)?;
        net.listening(server).await?;
    }
    Ok(agreed_since(net, all, last).await)
}

fn links(net: &impl Net, all: &[usize]) -> Result<usize> {
    let ends = all.iter().map(|&server| net.lab().connections(server));
    Ok(ends.sum::<Result<usize>>()? / 2)
}

async fn idle(net: &mut impl Net, all: &[usize], time: Duration) -> Result<Idle> {
    settled(net, all).await?;
    sleep(SETTLE).await;
    let used = |net: &_| -> Result<(u64, Vec<Threads>)> {
        let sent = all.iter().map(|&server| Net::lab(net).sent(server));
        let running = all.iter().filter_map(|&server| Net::process(net, server));
        let threads = running.map(process::threads).collect::<Result<_>>()?;
        Ok((sent.sum::<Result<u64>>()?, threads))
    };
    let before = used(net)?;
    let begun = Instant::now();
    sleep(time).await;
    let seconds = begun.elapsed().as_secs_f64();
    let after = used(net)?;
    let pairs = before.1.iter().zip(&after.1);
    let computed: Duration = pairs.map(|(then, now)| process::between(then, now)).sum();
    let memory = all.iter().filter_map(|&server| net.process(server));
    let memory: Vec<f64> = memory
        .map(|process| Ok(megabytes(process::resident(process)?)))
        .collect::<Result<_>>()?;
    let links = as_f64(links(net, all)?);
    let servers = as_f64(all.len());
    Ok(Idle {
        bytes: as_f64(usize::try_from(after.0 - before.0)?) / links / seconds,
        processor: computed.as_secs_f64() * 1_000.0 / servers / seconds,
        memory: [
            median(memory.iter().copied()),
            memory.iter().copied().fold(f64::NAN, f64::max),
        ],
    })
}

/// Processor time that these servers' processes have used so far.
fn processor(net: &impl Net, servers: &[usize]) -> Result<Duration> {
    let running = servers.iter().filter_map(|&server| net.process(server));
    running.map(process::cpu).sum()
}

pub(crate) fn as_f64(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn megabytes(bytes: u64) -> f64 {
    as_f64(usize::try_from(bytes / 1_000).unwrap_or(usize::MAX)) / 1_000.0
}

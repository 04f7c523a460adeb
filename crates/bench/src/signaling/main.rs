//! The load benchmark of signaling: ham-server beside other signaling servers, and beside a bare relay on
//! the same library as the limit. All on loopback, each server alone on one core and this generator on another.
//!
//! `cargo xtask bench signaling` builds and fetches what is measured, and starts this in a network of its own. What is measured
//! quickly the servers do in many short turns, of which the median counts, so that a machine that is busy for a moment does
//! not decide. What was seen is kept as JSON, and the page in `docs/benchmarks` is written from it.
//!
//! Reading order: [`measure`] (what is measured), [`server`] (on what, with which settings), [`dialect`]
//! (in which protocol), `client` and `socket` (by whom), [`report`] and [`plot`] (how it is shown).

mod client;
mod dialect;
mod measure;
mod plot;
mod report;
mod results;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use benchmark::arguments::Arguments;
use benchmark::figures::{median, publish};

use crate::dialect::Dialect;
use crate::measure::flood::{self, Flood};
use crate::measure::storm::{self, STORMS, Storm};
use crate::measure::throughput::{TURNS, Throughput, UNDER_WAY};
use crate::measure::{PAIRS, growth, idle, latency, throughput};
use crate::results::{Half, Results};
use crate::server::{Limits, Programs};

const USAGE: &str = "usage: bench-signaling --ham-server FILE --bare-relay FILE [--matchbox FILE] \
    [--peer-server FILE] --results FILE --page FILE [PART...]";

/// Time over which latency is measured.
const LATENCY_TIME: std::time::Duration = std::time::Duration::from_secs(4);

/// The parts, in the order in which they are measured.
const PARTS: [&str; 6] = ["throughput", "latency", "storm", "growth", "flood", "idle"];

fn main() -> Result<()> {
    let wanted = Wanted::read(std::env::args().skip(1))?;
    // Ten thousand clients are ten thousand open files, here and in the server.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut results = Results::read(&wanted.results);
    results.begin(&wanted.programs.dialects());
    for part in &wanted.parts {
        runtime.block_on(run(part, &wanted.programs, &mut results))?;
        results.write(&wanted.results)?;
    }
    publish(&report::page(&results), &wanted.page)?;
    fs::write(wanted.page.with_extension("svg"), plot::svg(&results))?;
    Ok(())
}

async fn run(part: &str, programs: &Programs, results: &mut Results) -> Result<()> {
    println!("{part}");
    match part {
        "throughput" => measure_throughput(programs, results).await,
        "latency" => measure_latency(programs, results).await,
        "storm" => measure_storm(programs, results).await,
        "growth" => measure_growth(programs, results).await,
        "flood" => measure_flood(programs, results).await,
        "idle" => measure_idle(programs, results).await,
        unknown => bail!(
            "nothing named {unknown} is measured; there is {}",
            PARTS.join(", ")
        ),
    }
}

async fn measure_throughput(programs: &Programs, results: &mut Results) -> Result<()> {
    let mut servers = Vec::new();
    for dialect in programs.dialects() {
        let server = programs.start(dialect, Limits::Raised)?;
        let pairs = client::pairs(&server, 0..PAIRS).await?;
        servers.push((server, pairs));
    }
    let mut seen: BTreeMap<(usize, Dialect), Vec<Throughput>> = BTreeMap::new();
    for under_way in UNDER_WAY {
        for _ in 0..TURNS {
            for (server, pairs) in &mut servers {
                let one = throughput::turn(server, pairs, under_way).await?;
                let turns = seen.entry((under_way, server.dialect)).or_default();
                turns.push(one);
            }
        }
    }
    drop(servers);
    results.throughput.clear();
    for ((under_way, dialect), turns) in seen {
        let middle = Throughput {
            per_cpu_second: median(turns.iter().map(|one| one.per_cpu_second)),
            per_second: median(turns.iter().map(|one| one.per_second)),
        };
        println!(
            "  {dialect}, {under_way} under way: {:.0} a CPU second, {:.0} a second",
            middle.per_cpu_second, middle.per_second
        );
        let of_it = results.throughput.entry(dialect).or_default();
        of_it.insert(under_way, middle);
    }
    Ok(())
}

/// At half of what the server relays with one message under way in each pair, and at the same rate for all:
/// half of what the slowest does.
async fn measure_latency(programs: &Programs, results: &mut Results) -> Result<()> {
    let reached = |dialect: Dialect| {
        let of_it = results.throughput.get(&dialect);
        of_it
            .and_then(|of_it| of_it.get(&1))
            .map(|seen| seen.per_second)
    };
    let dialects = programs.dialects();
    let all = dialects.iter().copied().filter_map(reached);
    let common = all.fold(f64::INFINITY, f64::min) / 2.0;
    if !common.is_finite() {
        bail!("latency is measured at half of the throughput: measure that first");
    }
    let mut seen = BTreeMap::new();
    for &dialect in &dialects {
        let own = reached(dialect).context("its throughput was not measured")? / 2.0;
        let mut half = Vec::new();
        for rate in [own, common] {
            let server = programs.start(dialect, Limits::Raised)?;
            let mut pairs = client::pairs(&server, 0..PAIRS).await?;
            let one = latency::measure(dialect, &mut pairs, rate, LATENCY_TIME).await?;
            println!("  {dialect}: {one:?}");
            half.push(one);
        }
        let [own, common] = half[..] else { continue };
        seen.insert(dialect, Half { own, common });
    }
    results.latency = seen;
    Ok(())
}

async fn measure_storm(programs: &Programs, results: &mut Results) -> Result<()> {
    let mut seen: BTreeMap<Dialect, Vec<Storm>> = BTreeMap::new();
    for _ in 0..STORMS {
        for dialect in programs.dialects() {
            let server = programs.start(dialect, Limits::Raised)?;
            let one = storm::measure(&server).await?;
            println!("  {dialect}: {one:?}");
            seen.entry(dialect).or_default().push(one);
        }
    }
    results.storm.clear();
    for (dialect, mut storms) in seen {
        storms.sort_by(|one, other| one.joining.total_cmp(&other.joining));
        results.storm.insert(dialect, storms[storms.len() / 2]);
    }
    Ok(())
}

async fn measure_growth(programs: &Programs, results: &mut Results) -> Result<()> {
    results.growth.clear();
    for people in growth::SIZES {
        let server = programs.start(Dialect::HamServer, Limits::Raised)?;
        let one = growth::measure(&server, people).await?;
        println!("  {one:?}");
        results.growth.push(one);
    }
    Ok(())
}

async fn measure_flood(programs: &Programs, results: &mut Results) -> Result<()> {
    results.flood.clear();
    for dialect in programs.dialects() {
        let server = programs.start(dialect, Limits::Raised)?;
        let one = flood::measure(&server, Flood::PassedOn).await?;
        println!("  {dialect}, passed on: {one:?}");
        results.flood.insert(dialect, one);
    }
    let server = programs.start(Dialect::HamServer, Limits::OfClientsKept)?;
    let limited = flood::measure(&server, Flood::Limited).await?;
    println!("  ham-server, limited: {limited:?}");
    results.limited = Some(limited);
    Ok(())
}

async fn measure_idle(programs: &Programs, results: &mut Results) -> Result<()> {
    results.idle.clear();
    for dialect in programs.dialects() {
        let server = programs.start(dialect, Limits::Raised)?;
        let seen = idle::measure(&server).await?;
        println!("  {dialect}: {seen:?}");
        results.idle.insert(dialect, seen);
    }
    Ok(())
}

/// What was typed.
#[derive(Debug)]
struct Wanted {
    programs: Programs,
    results: PathBuf,
    page: PathBuf,
    parts: Vec<String>,
}

impl Wanted {
    fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut typed = Arguments::read(words, USAGE)?;
        Ok(Self {
            programs: Programs {
                ham_server: typed.required("ham-server")?,
                bare_relay: typed.required("bare-relay")?,
                matchbox: typed.file("matchbox"),
                peer_server: typed.file("peer-server"),
            },
            results: typed.required("results")?,
            page: typed.required("page")?,
            parts: match typed.parts()? {
                none if none.is_empty() => PARTS.map(str::to_owned).to_vec(),
                named => named,
            },
        })
    }
}

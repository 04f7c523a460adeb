//! Many servers, one net: how soon everybody is known everywhere, whatever dies, parts or starts anew, and what that costs; ours
//! beside zenoh, between real processes on machines made of network namespaces.
//!
//! `cargo xtask bench coordination` builds what is measured and starts this in a network namespace of its own. What was seen is
//! kept as JSON, and the page in `docs/benchmarks` is written from it.
//!
//! Reading order: [`trial`] (what is measured of a net) and [`net`] (what a net is), [`ham`] and [`zenoh`] (the two kinds of
//! nets), [`lab`] (the machines), [`board`] (who sees whom), `person` and `operator` (who looks); [`lan`] and [`slow`] (what
//! is measured besides); [`report`] (how it is shown).

mod board;
mod ham;
mod lab;
mod lan;
mod net;
mod operator;
mod person;
mod report;
mod results;
mod slow;
mod trial;
mod zenoh;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use benchmark::arguments::Arguments;
use benchmark::figures::{machine, publish};
use tempfile::TempDir;
use tokio::task::LocalSet;

use crate::ham::{HamServers, Plan};
use crate::net::{Net as _, mesh};
use crate::operator::Operator;
use crate::results::Results;
use crate::trial::Rounds;
use crate::zenoh::Routers;

const USAGE: &str = "usage: bench-coordination --ham-server FILE [--zenoh FILE --ours FILE --nothing FILE] [--simulation FILE] \
    --results FILE --page FILE [PART...]";

/// The parts, in the order in which they are measured, and whether they are if none is named.
const PARTS: [(&str, bool); 8] = [
    ("simulation", true),
    ("lan", true),
    ("3", true),
    ("10", true),
    ("50", true),
    ("zenoh", true),
    ("slow", true),
    ("slower", false),
];

/// What a small net does often, a large one does a few times.
const SMALL: Rounds = Rounds {
    presence: 10,
    deaths: 3,
    cuts: 2,
    restarts: 4,
    idle: Duration::from_secs(10),
};
const LARGE: Rounds = Rounds {
    presence: 10,
    deaths: 3,
    cuts: 1,
    restarts: 3,
    idle: Duration::from_secs(10),
};

/// Servers beside as many routers of zenoh.
const MANY: usize = 50;

fn main() -> Result<()> {
    let wanted = Wanted::read(std::env::args().skip(1))?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut results = Results::read(&wanted.results);
    results.machine = machine();
    for part in &wanted.parts {
        let begun = Instant::now();
        println!("{part}");
        let tasks = LocalSet::new();
        runtime.block_on(tasks.run_until(run(part, &wanted, &mut results)))?;
        println!("  {part} took {:.0} s", begun.elapsed().as_secs_f64());
        results.write(&wanted.results)?;
    }
    publish(&report::page(&results), &wanted.page)?;
    Ok(())
}

async fn run(part: &str, wanted: &Wanted, results: &mut Results) -> Result<()> {
    let folder = folder()?;
    let root = Operator::new("W1AW")?;
    match part {
        "simulation" => {
            // It was run before this was started.
            let file = wanted.simulation.as_ref().context(USAGE)?;
            results.simulation = fs::read_to_string(file)?;
        }
        "lan" => {
            let plan = plan(vec![vec![0]; 3], Vec::new(), &[]);
            let mut net =
                HamServers::prepare(&wanted.ham_server, folder.path(), &root, &plan).await?;
            results.lan = Some(kept(lan::run(&mut net).await, folder)?);
        }
        "3" => {
            // The one in the middle is on both networks.
            let named = vec![(0, 1, 0), (2, 1, 1)];
            let plan = plan(vec![vec![0], vec![0, 1], vec![1]], named, &["--no-mdns"]);
            let mut net =
                HamServers::prepare(&wanted.ham_server, folder.path(), &root, &plan).await?;
            let seen = trial::run(&mut net, SMALL, false).await;
            results.ours.insert(3, kept(seen, folder)?);
        }
        number if number.parse::<usize>().is_ok_and(|size| size > 3) => {
            let size: usize = number.parse()?;
            let named = mesh(size).into_iter().map(|(from, to)| (from, to, 0));
            let plan = plan(vec![vec![0]; size], named.collect(), &["--no-mdns"]);
            let mut net =
                HamServers::prepare(&wanted.ham_server, folder.path(), &root, &plan).await?;
            let rounds = if size < MANY { SMALL } else { LARGE };
            let seen = trial::run(&mut net, rounds, true).await;
            results.ours.insert(size, kept(seen, folder)?);
        }
        "zenoh" => {
            let Some([nothing, ours, zenoh]) = &wanted.engines else {
                println!("  not measured: it was not built");
                return Ok(());
            };
            let mut net = Routers::prepare(zenoh, MANY, mesh(MANY))?;
            results.zenoh = Some(trial::run(&mut net, LARGE, true).await?);
            let size = |file: &PathBuf| Ok::<_, anyhow::Error>(fs::metadata(file)?.len());
            results.binaries = Some([size(nothing)?, size(ours)?, size(zenoh)?]);
        }
        "slow" | "slower" => {
            let differ = if part == "slow" { 10 } else { 100 };
            let mut plan = plan(
                vec![vec![0]; 2],
                vec![(0, 1, 0)],
                &["--no-mdns", "--zone", "10.77.0.0/16=part97"],
            );
            plan.scheme = "http";
            let mut net =
                HamServers::prepare(&wanted.ham_server, folder.path(), &root, &plan).await?;
            net.lab().cut(1)?;
            net.start(0)?;
            net.start(1)?;
            net.listening(0).await?;
            net.listening(1).await?;
            let seen = slow::run(&mut net, &root, differ).await;
            results.slow.insert(differ, kept(seen, folder)?);
        }
        unknown => {
            let parts = PARTS.map(|(part, _)| part).join(", ");
            bail!(
                "nothing named {unknown} is measured; there is {parts}, and other numbers of servers"
            );
        }
    }
    Ok(())
}

/// Where the servers' data is: in memory where that is offered, because so many would wait for this machine's one disk, and
/// each has its own in truth.
fn folder() -> Result<TempDir> {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    Ok(tempfile::Builder::new()
        .prefix("coordination-")
        .tempdir_in(parent)?)
}

fn plan(bridges: Vec<Vec<usize>>, named: Vec<(usize, usize, usize)>, flags: &[&str]) -> Plan {
    Plan {
        bridges,
        named,
        scheme: "https",
        flags: flags.iter().map(ToString::to_string).collect(),
    }
}

/// After a failure the servers' folders with their logs stay, and it is said where.
fn kept<T>(done: Result<T>, folder: TempDir) -> Result<T> {
    done.map_err(|error| {
        let left = folder.keep();
        error.context(format!("the servers' logs are below {}", left.display()))
    })
}

/// What was typed.
#[derive(Debug)]
struct Wanted {
    ham_server: PathBuf,
    /// Programs that do nothing, hold our node, and are a router of zenoh.
    engines: Option<[PathBuf; 3]>,
    simulation: Option<PathBuf>,
    results: PathBuf,
    page: PathBuf,
    parts: Vec<String>,
}

impl Wanted {
    fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut typed = Arguments::read(words, USAGE)?;
        let engines = match ["nothing", "ours", "zenoh"].map(|name| typed.file(name)) {
            [Some(nothing), Some(ours), Some(zenoh)] => Some([nothing, ours, zenoh]),
            _ => None,
        };
        Ok(Self {
            ham_server: typed.required("ham-server")?,
            engines,
            simulation: typed.file("simulation"),
            results: typed.required("results")?,
            page: typed.required("page")?,
            parts: match typed.parts()? {
                none if none.is_empty() => usual_parts(),
                named => named,
            },
        })
    }
}

fn usual_parts() -> Vec<String> {
    let usual = PARTS.iter().filter(|(_, usual)| *usual);
    usual.map(|(part, _)| (*part).to_owned()).collect()
}

//! `cargo xtask bench coordination`: many servers as one net, in simulated time and between real processes, beside zenoh.
//!
//! What is foreign goes into a folder below `target`, and is built only for this. If zenoh cannot be had, that is said.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Bench;
use crate::deps::{self, Need};
use crate::run;

/// Programs of `crates/bench/engines`: by the name the benchmark has for them, and the feature they are built with.
const ENGINES: [(&str, Option<&str>); 3] = [
    ("nothing", None),
    ("ours", Some("ours")),
    ("zenoh", Some("zenoh")),
];

pub(super) fn main(parts: &[&str]) -> Result<()> {
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    deps::provide(&[Need::Node, Need::Namespaces])?;
    if let Some(missing) = Need::Namespaces.missing() {
        bail!("servers are measured on machines made of network namespaces: {missing}");
    }
    let built = Bench::build()?;
    let mut bench = run::program("setpriv");
    bench.args(["--pdeathsig", "KILL", "unshare", "--net"]);
    if !deps::is_root() {
        bench.arg("--map-root-user");
    }
    bench.args(built.arguments("coordination"));
    if wanted("simulation") {
        bench.arg("--simulation").arg(simulation(&built.folder)?);
    }
    if wanted("zenoh") {
        match engines(&built.folder) {
            Ok(programs) => {
                for (name, program) in programs {
                    bench.arg(format!("--{name}")).arg(program);
                }
            }
            Err(error) => println!("zenoh is not measured: {error:#}"),
        }
    }
    run::must(bench.args(parts))
}

/// What happens in simulated time, as tables in a file.
fn simulation(folder: &Path) -> Result<PathBuf> {
    let mut tables = String::new();
    let words = ["bench", "--package", "coordination", "--bench", "figures"];
    let status = run::watch(&mut run::cargo(&words), |line| {
        tables.push_str(line);
        tables.push('\n');
    })?;
    if !status.success() {
        bail!("the simulation failed ({status})");
    }
    let file = folder.join("simulation.md");
    std::fs::write(&file, tables)?;
    Ok(file)
}

fn engines(folder: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
    let manifest = run::root().join("crates/bench/engines/Cargo.toml");
    let mut programs = Vec::new();
    for (name, feature) in ENGINES {
        let target = folder.join("engines").join(name);
        let mut build = run::cargo(&["build", "--release", "--manifest-path"]);
        build.arg(&manifest).arg("--target-dir").arg(&target);
        if let Some(feature) = feature {
            build.args(["--features", feature]);
        }
        run::must(&mut build)?;
        programs.push((name, target.join("release/bench-engines")));
    }
    Ok(programs)
}

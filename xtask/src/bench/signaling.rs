//! `cargo xtask bench signaling`: the load benchmark of `crates/bench`, with the servers it compares ours with.
//!
//! What is foreign goes into a folder below `target`. A server that cannot be had is named as not run.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Bench;
use crate::deps::{self, Need};
use crate::run;

/// The core of the load generator; servers run on core 0.
const CORE: &str = "1";

/// Begins a network of its own, in which nothing is sent later than it could be: a machine whose TCP paces what it sends, as
/// by BBR, makes one server or another wait as chance has it.
const NETWORK: &str =
    "ip link set lo up && echo reno >/proc/sys/net/ipv4/tcp_congestion_control && exec \"$@\"";

pub(super) fn main(parts: &[&str]) -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    if !run::installed("taskset") || cores < 2 {
        bail!(
            "servers and generator are measured on cores of their own: that needs taskset and two cores"
        );
    }
    deps::provide(&[Need::Namespaces])?;
    if let Some(missing) = Need::Namespaces.missing() {
        bail!("servers are measured in a network of their own: {missing}");
    }
    let built = Bench::build()?;
    let mut bench = run::program("unshare");
    bench.arg("--net");
    if !deps::is_root() {
        bench.arg("--map-root-user");
    }
    bench
        .args(["sh", "-c", NETWORK, "sh", "taskset", "-c", CORE])
        .args(built.arguments("signaling"))
        .arg("--bare-relay")
        .arg(built.program("bare-relay"));
    for (name, fetched) in [
        ("matchbox", matchbox(&built.folder)),
        ("peer-server", peer_server(&built.folder)),
    ] {
        match fetched {
            Ok(program) => {
                bench.arg(format!("--{name}")).arg(program);
            }
            Err(error) => println!("{name} is not measured: {error:#}"),
        }
    }
    run::must(bench.args(parts))
}

fn matchbox(folder: &Path) -> Result<PathBuf> {
    let root = folder.join("matchbox");
    let program = root.join("bin/matchbox_server");
    if !program.is_file() {
        let install = [
            "install",
            "matchbox_server",
            "--version",
            "0.15.0",
            "--locked",
            "--root",
        ];
        let mut command = run::cargo(&install);
        run::must(
            command
                .arg(&root)
                .arg("--target-dir")
                .arg(root.join("target")),
        )?;
    }
    Ok(program)
}

fn peer_server(folder: &Path) -> Result<PathBuf> {
    let root = folder.join("peer-server");
    let script = root.join("node_modules/peer/dist/bin/peerjs.js");
    if !script.is_file() {
        std::fs::create_dir_all(&root)?;
        std::fs::write(root.join("package.json"), "{\"private\":true}\n")?;
        let mut command = run::npm(&["install", "peer@1.0.2", "--no-audit", "--no-fund"]);
        run::must(command.current_dir(&root))?;
    }
    Ok(script)
}

//! `cargo xtask bench`: measurements of the release binary. Nothing is asserted: times are of one machine,
//! and a busy one tells little.
//!
//! [`readme`] has the figures that the README names; [`signaling`] is the load benchmark beside other
//! servers, [`coordination`] many servers as one net.

mod coordination;
mod readme;
mod signaling;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run;

pub(crate) fn main(words: &[&str]) -> Result<()> {
    match words {
        ["coordination", parts @ ..] => coordination::main(parts),
        ["signaling", parts @ ..] => signaling::main(parts),
        words => readme::main(words),
    }
}

/// What the programs of `crates/bench` need: the release builds, and a folder below `target` for what is foreign.
struct Bench {
    server: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn build() -> Result<Self> {
        for package in ["ham-server", "bench"] {
            // One after the other, so that neither gets the other's features.
            let build = ["build", "--release", "--package", package];
            run::must(&mut run::cargo(&build))?;
        }
        let server = run::server_binary("release")?;
        let target = server.parent().and_then(Path::parent);
        let folder = target.context("no target folder")?.join("bench");
        std::fs::create_dir_all(&folder)?;
        Ok(Self { server, folder })
    }

    /// A program that was built beside the server.
    fn program(&self, name: &str) -> PathBuf {
        self.server.with_file_name(name)
    }

    /// What the program called `bench-NAME` is told: what to measure, where to keep what was seen, and the page to write.
    fn arguments(&self, name: &str) -> Vec<PathBuf> {
        let page = run::root().join(format!("docs/benchmarks/{name}.md"));
        vec![
            self.program(&format!("bench-{name}")),
            "--ham-server".into(),
            self.server.clone(),
            "--results".into(),
            self.folder.join(format!("{name}.json")),
            "--page".into(),
            page,
        ]
    }
}

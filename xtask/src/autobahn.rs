//! `cargo xtask test autobahn`: the Autobahn test suite, which knows the WebSocket protocol (RFC 6455) and not
//! us, against an echo on the WebSockets of `/signal` (`crates/socket/examples/websocket-echo.rs`).
//!
//! The suite is written in Python 2.7, which is old and which not everybody has: so it runs only when it is
//! named. What it needs goes into a folder below `target`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::report::Counts;
use crate::run;

const SUITE: &str = "autobahntestsuite==25.10.1";

/// Compression (RFC 7692), which we do not offer.
const NOT_OURS: [&str; 2] = ["12.*", "13.*"];

/// Why the suite cannot run here, if it cannot.
pub(crate) fn missing() -> Option<String> {
    python()
        .is_none()
        .then(|| "Python 2.7 is not installed".to_owned())
}

pub(crate) fn main() -> Result<Counts> {
    let python = python().context("Python 2.7 is not installed")?;
    run::must(&mut run::cargo(&[
        "build",
        "--package",
        "socket",
        "--example",
        "websocket-echo",
    ]))?;
    let server = run::server_binary("debug")?;
    let target = server.parent().context("no target folder")?;
    let folder = target.with_file_name("autobahn");
    let echo = Echo::start(&target.join("examples/websocket-echo"))?;
    install(&python, &folder)?;
    let reports = folder.join("reports");
    let spec = folder.join("spec.json");
    let wanted = json!({
        "outdir": reports,
        "servers": [{ "agent": "ham-server", "url": format!("ws://{}", echo.address) }],
        "cases": ["*"],
        "exclude-cases": NOT_OURS,
        "exclude-agent-cases": {},
    });
    std::fs::write(&spec, wanted.to_string())?;
    let mut fuzz = in_folder(&python, &folder);
    fuzz.args([
        "-m",
        "autobahntestsuite.wstest",
        "-m",
        "fuzzingclient",
        "-s",
    ]);
    run::must(fuzz.arg(&spec))?;
    drop(echo);
    let index = std::fs::read(reports.join("index.json")).context("the suite wrote no results")?;
    let index: Value = serde_json::from_slice(&index)?;
    let cases = index["ham-server"]
        .as_object()
        .context("no results of ours")?;
    Ok(judge(
        cases.iter().map(|(name, case)| (&**name, Case::read(case))),
    ))
}

/// How a case ended, in the suite's words.
#[derive(Debug)]
struct Case<'a> {
    behavior: &'a str,
    behavior_close: &'a str,
    close_code: Option<u64>,
}

impl<'a> Case<'a> {
    fn read(case: &'a Value) -> Self {
        Self {
            behavior: case["behavior"].as_str().unwrap_or("?"),
            behavior_close: case["behaviorClose"].as_str().unwrap_or("?"),
            close_code: case["remoteCloseCode"].as_u64(),
        }
    }

    /// Whether it ended as it must. Messages over our size are not echoed; who sends one is told so, unless they
    /// are still sending when the connection ends.
    fn holds(&self, name: &str) -> bool {
        if is_too_large(name) {
            return self.behavior == "FAILED" && matches!(self.close_code, Some(1009) | None);
        }
        let fine = ["OK", "NON-STRICT", "INFORMATIONAL"];
        fine.contains(&self.behavior) && fine.contains(&self.behavior_close)
    }
}

/// Whether the case sends messages of 256 KiB and more; we read up to 128 KiB.
fn is_too_large(name: &str) -> bool {
    let numbers: Vec<u32> = name
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    matches!(numbers[..], [9, 1 | 2, 2..=6] | [9, 3..=6, _])
}

/// Prints how many cases ended how, and which did not as they must.
fn judge<'a>(cases: impl Iterator<Item = (&'a str, Case<'a>)>) -> Counts {
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    let mut counts = Counts::default();
    for (name, case) in cases {
        let holds = case.holds(name);
        counts = counts.plus(if holds { Counts::PASS } else { Counts::FAIL });
        if !holds {
            println!("{name}: {case:?}");
        }
        let end = if is_too_large(name) {
            "over our size and refused"
        } else {
            case.behavior
        };
        *ends.entry(end).or_default() += 1;
    }
    for (end, cases) in ends {
        println!("{cases:>4} {end}");
    }
    counts.with_exit(true)
}

/// A Python 2.7 on the path, or among those of pyenv.
fn python() -> Option<PathBuf> {
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    let versions = pyenv.or(home).map(|root| root.join("versions"));
    let versions = versions.and_then(|versions| versions.read_dir().ok());
    let others = versions.into_iter().flatten().filter_map(Result::ok);
    let others = others.map(|version| version.path().join("bin/python2.7"));
    // What pyenv puts on the path exists also where the version it stands for is not chosen.
    let works = |python: &PathBuf| {
        let mut command = Command::new(python);
        let quiet = command
            .args(["-m", "pip", "--version"])
            .stdin(Stdio::null());
        let status = quiet.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    std::iter::once(PathBuf::from("python2.7"))
        .chain(others)
        .find(works)
}

/// Python that has its packages in our folder.
fn in_folder(python: &Path, folder: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .current_dir(folder)
        .env("PYTHONUSERBASE", folder.join("python"));
    command
}

fn install(python: &Path, folder: &Path) -> Result<()> {
    let done = folder.join(SUITE);
    if done.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let mut pip = in_folder(python, folder);
    pip.args(["-m", "pip", "install", "--user", "--quiet"]);
    pip.args([
        "--disable-pip-version-check",
        "--no-warn-script-location",
        SUITE,
    ]);
    run::must(&mut pip)?;
    Ok(std::fs::write(done, "")?)
}

/// The echo while it runs.
struct Echo {
    process: Child,
    address: String,
}

impl Echo {
    fn start(program: &Path) -> Result<Self> {
        let mut process = Command::new(program)
            .arg("127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let echo = Self {
            process,
            address: address.unwrap_or_default(),
        };
        if echo.address.is_empty() {
            bail!("the echo does not listen");
        }
        Ok(echo)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_must_be_refused_and_all_else_hold() {
        let case = |behavior, close_code| Case {
            behavior,
            behavior_close: behavior,
            close_code,
        };
        assert!(case("FAILED", Some(1009)).holds("9.1.2"));
        assert!(!case("OK", Some(1000)).holds("9.4.1"), "it was echoed");
        assert!(!case("FAILED", Some(1009)).holds("9.1.1"));
        assert!(!case("FAILED", Some(1009)).holds("1.1.2"));
        assert!(case("NON-STRICT", Some(1007)).holds("6.4.3"));
        assert!(case("OK", Some(1000)).holds("9.7.1"));
    }
}

//! `cargo xtask test`: what "it passes" means, from the layout of the code to two browsers that
//! exchange a file.
//!
//! The suites run one after another, the quick ones first. A failing suite does not stop the next:
//! one run shows everything there is to mend. A suite that cannot run here is named with the reason
//! and counts as one skipped; under `CI=true` nothing may be skipped.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::deps::{self, Need};
use crate::report::{Counts, Dialect, Report};
use crate::run::{self, cargo, must, npm, watch};
use crate::{autobahn, codegen, layers};

struct Suite {
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
    extra: Option<Extra>,
    run: fn() -> Result<Counts>,
}

/// What not everybody has. Without it a suite is named but does not count.
#[derive(Clone, Copy)]
enum Extra {
    /// A program.
    Program(&'static str),
    /// The wish to run it, by its name, and what the function says is missing.
    Wish(fn() -> Option<String>),
}

impl Extra {
    /// Why a suite is not run, if it is not.
    fn missing(self, wished: bool) -> Option<String> {
        match self {
            Self::Program(program) if run::installed(program) => None,
            Self::Program(program) => Some(format!("{program} is not installed")),
            Self::Wish(_) if !wished => Some("runs when it is named".to_owned()),
            Self::Wish(missing) => missing(),
        }
    }
}

const SUITES: &[Suite] = &[
    Suite {
        name: "format",
        about: "rustfmt has nothing to change",
        needs: &[],
        extra: None,
        run: || check(&mut cargo(&["fmt", "--all", "--check"])),
    },
    Suite {
        name: "layers",
        about: "crates and rooms use only what they may",
        needs: &[],
        extra: None,
        run: || layers::main().map(|()| Counts::PASS),
    },
    Suite {
        name: "web-types",
        about: "the web app's types",
        needs: &[Need::Node],
        extra: None,
        run: || check(&mut npm(&["run", "typecheck"])),
    },
    Suite {
        name: "web-lint",
        about: "the web app's lints",
        needs: &[Need::Node],
        extra: None,
        run: || check(&mut npm(&["run", "lint"])),
    },
    Suite {
        name: "clippy",
        about: "Rust's lints, none of them open",
        needs: &[Need::Node],
        extra: None,
        run: || {
            let arguments = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ];
            check(&mut cargo(&arguments))
        },
    },
    Suite {
        name: "codegen",
        about: "generated files are as the Rust types say",
        needs: &[Need::Node],
        extra: None,
        run: || codegen::check().map(|()| Counts::PASS),
    },
    Suite {
        name: "rust",
        about: "cargo test, with the fuzz corpus replayed",
        needs: &[Need::Node, Need::Openssl],
        extra: None,
        run: || {
            count(
                Dialect::Cargo,
                &mut cargo(&["test", "--workspace", "--no-fail-fast"]),
            )
        },
    },
    Suite {
        name: "run",
        about: "the README's `cargo run` means the server, and nothing else in the workspace",
        needs: &[Need::Node],
        extra: None,
        run: || check(&mut cargo(&["run", "--quiet", "--", "--version"])),
    },
    Suite {
        name: "web-unit",
        about: "the web app's unit tests",
        needs: &[Need::Node],
        extra: None,
        run: || count(Dialect::Vitest, &mut npm(&["test"])),
    },
    Suite {
        name: "pages",
        about: "the pages in a browser, without a server",
        needs: &[Need::Node, Need::Chromium],
        extra: None,
        run: || count(Dialect::Node, &mut npm(&["run", "test:pages"])),
    },
    Suite {
        name: "e2e",
        about: "the server, real browsers and a foreign client on a network of their own",
        needs: &[
            Need::Node,
            Need::Chromium,
            Need::Certutil,
            Need::Zbar,
            Need::Openssl,
            Need::Avahi,
            Need::NssMdns,
            Need::Certtool,
            Need::Iptables,
            Need::Nginx,
            Need::Namespaces,
        ],
        extra: None,
        run: end_to_end,
    },
    Suite {
        name: "deny",
        about: "licences and sources of the dependencies",
        needs: &[],
        extra: Some(Extra::Program("cargo-deny")),
        run: || {
            check(&mut cargo(&[
                "deny", "check", "bans", "licenses", "sources",
            ]))
        },
    },
    Suite {
        name: "machete",
        about: "no dependency without a use",
        needs: &[],
        extra: Some(Extra::Program("cargo-machete")),
        run: || check(&mut cargo(&["machete"])),
    },
    Suite {
        name: "autobahn",
        about: "a foreign judge of the WebSocket protocol",
        needs: &[Need::Node],
        extra: Some(Extra::Wish(autobahn::missing)),
        run: autobahn::main,
    },
];

pub(crate) fn main(words: &[&str]) -> Result<()> {
    if words == ["--list"] {
        for Suite { name, about, .. } in SUITES {
            println!("{name:<12}{about}");
        }
        return Ok(());
    }
    let chosen = choose(words)?;
    let needs = needs(&chosen);
    deps::provide(&needs)?;
    if needs.contains(&Need::Node) {
        web_packages()?;
    }

    let mut report = Report::default();
    for suite in chosen {
        println!("\n=== {}: {}", suite.name, suite.about);
        run_suite(suite, words.contains(&suite.name), &mut report);
    }
    println!("\n{report}");

    let total = report.total();
    if total.failed > 0 {
        bail!("something failed, see the table");
    }
    if total.skipped > 0 && std::env::var("CI").is_ok_and(|ci| ci == "true") {
        bail!("something was skipped, and under CI=true nothing may be");
    }
    Ok(())
}

fn choose(words: &[&str]) -> Result<Vec<&'static Suite>> {
    if let Some(unknown) = words
        .iter()
        .find(|word| SUITES.iter().all(|s| s.name != **word))
    {
        bail!("there is no suite named {unknown}; `cargo xtask test --list` names them");
    }
    Ok(SUITES
        .iter()
        .filter(|s| words.is_empty() || words.contains(&s.name))
        .collect())
}

fn needs(suites: &[&Suite]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for need in suites.iter().flat_map(|suite| suite.needs) {
        if !needs.contains(need) {
            needs.push(*need);
        }
    }
    needs
}

fn run_suite(suite: &Suite, wished: bool, report: &mut Report) {
    if let Some(reason) = suite.extra.and_then(|extra| extra.missing(wished)) {
        report.named(suite.name, reason);
        return;
    }
    if let Some(reason) = suite.needs.iter().find_map(|need| need.missing()) {
        report.counted(suite.name, Counts::SKIP, reason);
        return;
    }
    match (suite.run)() {
        Ok(counts) => report.counted(suite.name, counts, String::new()),
        Err(error) => {
            println!("{error:#}");
            let line = error.to_string();
            report.counted(
                suite.name,
                Counts::FAIL,
                line.lines().next().unwrap_or("").to_owned(),
            );
        }
    }
}

/// A check that passes or fails as a whole.
fn check(command: &mut Command) -> Result<Counts> {
    must(command).map(|()| Counts::PASS)
}

/// A test program that says how many of its tests passed.
fn count(dialect: Dialect, command: &mut Command) -> Result<Counts> {
    let mut counts = Counts::default();
    let status = watch(command, |line| dialect.read(line, &mut counts))?;
    Ok(counts.with_exit(status.success()))
}

fn end_to_end() -> Result<Counts> {
    must(&mut cargo(&["build", "--package", "ham-server"]))?;
    let mut tests = npm(&["run", "test:e2e"]);
    count(
        Dialect::Node,
        tests.env("HAM_SERVER_BIN", run::server_binary("debug")?),
    )
}

/// Installs the web app's packages as the lock file names them, unless that was done already.
fn web_packages() -> Result<()> {
    let web = run::root().join("web");
    let changed = |path: &Path| path.metadata().and_then(|meta| meta.modified());
    let lock = changed(&web.join("package-lock.json")).context("web/package-lock.json")?;
    // npm writes this file last.
    match changed(&web.join("node_modules/.package-lock.json")) {
        Ok(installed) if installed >= lock => Ok(()),
        _ => must(&mut npm(&["ci"])),
    }
}

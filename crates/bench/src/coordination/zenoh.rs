//! Routers of zenoh, each with a liveliness token for somebody and a subscriber to everybody's (`crates/bench/engines`).

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::ChildStdout;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::board::Board;
use crate::lab::{Lab, address};
use crate::net::Net;

const PORT: u16 = 7447;

/// Time a router has to do something that it does at once.
const WITHIN: Duration = Duration::from_secs(30);

/// How often it is looked whether a router listens.
const LOOK: Duration = Duration::from_millis(5);

/// Routers of zenoh.
pub(crate) struct Routers {
    program: PathBuf,
    lab: Rc<Lab>,
    board: Rc<Board>,
    named: Vec<(usize, usize)>,
    running: Vec<Option<Running>>,
    /// Lives so far, of anybody.
    lives: u64,
}

struct Running {
    child: Child,
    input: ChildStdin,
    reader: JoinHandle<()>,
}

impl Routers {
    /// Routers on one network, of which none runs yet.
    pub(crate) fn prepare(program: &Path, size: usize, named: Vec<(usize, usize)>) -> Result<Self> {
        Ok(Self {
            program: program.to_owned(),
            lab: Rc::new(Lab::new(&vec![vec![0]; size])?),
            board: Rc::new(Board::new(size)),
            named,
            running: (0..size).map(|_| None).collect(),
            lives: 0,
        })
    }

    /// Says who is at a router from now on.
    fn say(&mut self, server: usize, there: bool) -> Result<()> {
        let name = if there {
            self.lives += 1;
            format!("{server}-{}", self.lives)
        } else {
            String::new()
        };
        let running = self.running[server].as_mut();
        let input = &mut running.context("it does not run")?.input;
        // A pipe takes a line at once.
        input.write_all(format!("{name}\n").as_bytes())?;
        self.board.set_here(server, there.then_some(name));
        Ok(())
    }
}

impl Net for Routers {
    fn size(&self) -> usize {
        self.running.len()
    }

    fn lab(&self) -> &Lab {
        &self.lab
    }

    fn board(&self) -> &Rc<Board> {
        &self.board
    }

    fn start(&mut self, server: usize) -> Result<()> {
        let others = self.named.iter().filter(|(from, _)| *from == server);
        let others = others.map(|&(_, to)| format!("{}:{PORT}", address(to, 0)));
        let mut child = self
            .lab
            .command(server, &self.program)
            .arg(format!("0.0.0.0:{PORT}"))
            .args(others)
            .env("RUST_LOG", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().context("no input")?;
        let output = child.stdout.take().context("no output")?;
        let output = ChildStdout::from_std(output)?;
        let reader = tokio::task::spawn_local(read(server, output, Rc::clone(&self.board)));
        self.running[server] = Some(Running {
            child,
            input,
            reader,
        });
        self.say(server, true)
    }

    fn kill(&mut self, server: usize) -> Result<()> {
        if let Some(mut running) = self.running[server].take() {
            running.child.kill()?;
            running.child.wait()?;
            // What it still had to say is not its successor's.
            running.reader.abort();
            self.board.set_here(server, None);
            self.board.set_view(server, None);
        }
        Ok(())
    }

    async fn listening(&self, server: usize) -> Result<()> {
        let listening = async {
            while self.lab.visit(server, PORT).await.is_err() {
                sleep(LOOK).await;
            }
        };
        timeout(WITHIN, listening)
            .await
            .with_context(|| format!("router {server} does not listen"))
    }

    async fn person(&mut self, server: usize, there: bool) -> Result<Instant> {
        let told = Instant::now();
        self.say(server, there)?;
        Ok(told)
    }

    fn process(&self, server: usize) -> Option<u32> {
        Some(self.running[server].as_ref()?.child.id())
    }
}

impl Drop for Routers {
    fn drop(&mut self) {
        for running in self.running.iter_mut().flatten() {
            // It may have ended by itself.
            drop(running.child.kill());
            drop(running.child.wait());
        }
    }
}

/// Reads what a router says until it ends.
async fn read(server: usize, output: ChildStdout, board: Rc<Board>) {
    board.set_view(server, Some(BTreeSet::new()));
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (sign, who) = line.split_at(line.len().min(1));
        let own = who.split('-').next() == Some(&server.to_string());
        if !own && matches!(sign, "+" | "-") {
            board.saw(server, who, sign == "+");
        }
    }
}

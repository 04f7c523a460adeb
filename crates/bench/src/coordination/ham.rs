//! Our servers: claimed by operators for whom one and the same vouches, each named a part of the others.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::board::Board;
use crate::lab::{Lab, address};
use crate::net::Net;
use crate::operator::{Operator, callsign, exchange, request};
use crate::person::{PORT, Person};

/// Time a server has to do something that it does at once.
const WITHIN: Duration = Duration::from_secs(30);

/// How often it is looked whether a server listens.
const LOOK: Duration = Duration::from_millis(5);

/// Servers of ours.
pub(crate) struct HamServers {
    program: PathBuf,
    folder: PathBuf,
    flags: Vec<String>,
    lab: Rc<Lab>,
    board: Rc<Board>,
    children: Vec<Option<Child>>,
    people: Vec<Person>,
}

/// What makes servers different from each other.
#[derive(Debug)]
pub(crate) struct Plan {
    /// On which bridges each machine is.
    pub(crate) bridges: Vec<Vec<usize>>,
    /// Who is named whom, by the address on which bridge.
    pub(crate) named: Vec<(usize, usize, usize)>,
    /// How they are named: `http`, or `https` where links are encrypted.
    pub(crate) scheme: &'static str,
    /// Further flags.
    pub(crate) flags: Vec<String>,
}

impl HamServers {
    /// Servers that are claimed by operators for whom `root` vouches, and know whom they were named; none runs yet.
    /// `folder` is theirs.
    pub(crate) async fn prepare(
        program: &Path,
        folder: &Path,
        root: &Operator,
        plan: &Plan,
    ) -> Result<Self> {
        let lab = Rc::new(Lab::new(&plan.bridges)?);
        let size = plan.bridges.len();
        let board = Rc::new(Board::new(size));
        let mut people = Vec::new();
        for server in 0..size {
            let operator = Rc::new(root.vouch_for(&callsign(server))?);
            let of_this = plan.named.iter().filter(|(from, ..)| *from == server);
            let endpoints = of_this.map(|&(_, to, bridge)| {
                format!("{}://{}:{PORT}", plan.scheme, address(to, bridge))
            });
            let data = folder.join(server.to_string());
            claim(program, &data, &operator, root, endpoints.collect())
                .await
                .with_context(|| format!("server {server} could not be claimed"))?;
            people.push(Person::new(
                server,
                operator,
                Rc::clone(&lab),
                Rc::clone(&board),
            ));
        }
        Ok(Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            flags: plan.flags.clone(),
            lab,
            board,
            children: (0..size).map(|_| None).collect(),
            people,
        })
    }
}

impl HamServers {
    /// Stops a server as its owner would, and returns when it is gone.
    pub(crate) fn stop(&mut self, server: usize) -> Result<()> {
        if let Some(mut child) = self.children[server].take() {
            kill_process(Pid::from_child(&child), Signal::TERM)?;
            child.wait()?;
            self.board.set_here(server, None);
        }
        Ok(())
    }
}

impl Net for HamServers {
    fn size(&self) -> usize {
        self.children.len()
    }

    fn lab(&self) -> &Lab {
        &self.lab
    }

    fn board(&self) -> &Rc<Board> {
        &self.board
    }

    fn start(&mut self, server: usize) -> Result<()> {
        let data = self.folder.join(server.to_string());
        let log = File::options()
            .append(true)
            .create(true)
            .open(data.join("log"))?;
        let child = self
            .lab
            .command(server, &self.program)
            .args(["--port", &PORT.to_string(), "--data-dir"])
            .arg(&data)
            .args(&self.flags)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.children[server] = Some(child);
        Ok(())
    }

    fn kill(&mut self, server: usize) -> Result<()> {
        if let Some(mut child) = self.children[server].take() {
            child.kill()?;
            child.wait()?;
            // Before the person there has noticed.
            self.board.set_here(server, None);
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
            .with_context(|| format!("server {server} does not listen"))
    }

    async fn person(&mut self, server: usize, there: bool) -> Result<Instant> {
        let told = Instant::now();
        self.people[server].want(there);
        let here = self
            .board
            .until(WITHIN, |board| board.here(server).is_some() == there);
        here.await
            .with_context(|| format!("the person at server {server} is not let in or out"))?;
        if !there {
            return Ok(told);
        }
        let asked = self.people[server].asked();
        asked.context("nobody asked to be let in")
    }

    fn process(&self, server: usize) -> Option<u32> {
        Some(self.children[server].as_ref()?.id())
    }
}

impl Drop for HamServers {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Makes a server that an operator owns and that trusts whoever vouches for all of them, and names it others.
async fn claim(
    program: &Path,
    data: &Path,
    operator: &Operator,
    root: &Operator,
    endpoints: Vec<String>,
) -> Result<()> {
    std::fs::create_dir_all(data)?;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port();
    let authority = format!("127.0.0.1:{port}");
    let log = File::create(data.join("log"))?;
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .arg(program)
        .args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--data-dir",
        ])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let claimed = introduce(&authority, operator, root, endpoints).await;
    child.kill()?;
    let status = child.wait()?;
    match claimed {
        Ok(()) => Ok(()),
        Err(error) => bail!(
            "{error:#} ({status}; its log is {})",
            data.join("log").display()
        ),
    }
}

/// Claims a server that starts, over loopback, and tells it whom to trust and where others are.
async fn introduce(
    authority: &str,
    operator: &Operator,
    root: &Operator,
    endpoints: Vec<String>,
) -> Result<()> {
    let listening = async {
        while TcpStream::connect(authority).await.is_err() {
            sleep(LOOK).await;
        }
    };
    timeout(WITHIN, listening)
        .await
        .context("it does not start")?;
    let offer = send(
        authority,
        &request("GET", authority, "/api/claim-station", "", ""),
    )
    .await?;
    let body = operator.claim(&offer)?.to_string();
    let post = request("POST", authority, "/api/claim-station", "", &body);
    send(authority, &post).await?;
    let pem = root.certificate().to_pem();
    let fingerprint = root.certificate().fingerprint().to_string();
    let anchor = json!({ "bundle": pem, "accept": [fingerprint] });
    let mut bodies = vec![("/api/anchors", anchor)];
    let named = endpoints.into_iter();
    bodies.extend(named.map(|endpoint| ("/api/peers", json!({ "endpoint": endpoint }))));
    for (path, body) in bodies {
        let offer = send(authority, &request("GET", authority, "/api/nonce", "", "")).await?;
        let post = operator.signed_post(authority, path, &offer, &body)?;
        send(authority, &post).await?;
    }
    Ok(())
}

async fn send(authority: &str, request: &[u8]) -> Result<Value> {
    exchange(TcpStream::connect(authority).await?, request).await
}

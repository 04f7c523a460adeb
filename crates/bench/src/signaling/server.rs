//! The servers that are measured: each a process of its own, on a core of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use benchmark::process;

use crate::dialect::Dialect;

/// The core that servers run on. The generator is put on another by whoever starts it.
const CORE: &str = "0";

/// Time a server has to start.
const START_WITHIN: Duration = Duration::from_secs(30);

/// What has to be raised for one machine to play a crowd: everybody comes from one address, and sends more
/// than anybody would be let. Every budget is still kept and charged.
const RAISED: [&str; 11] = [
    "connections=15000",
    "address-connections=20000",
    "address-arrivals-per-second=100000",
    "requests=1000",
    "address-requests=1000",
    "address-requests-per-second=100000",
    "messages-per-minute=4000000000",
    "bytes-per-second=4000000000",
    "offers-per-minute=4000000000",
    "address-messages-per-minute=4000000000",
    "net-signals-per-second=1000000000",
];

/// What is raised where the usual budgets of a client are to be seen at work.
const RAISED_FOR_ADDRESSES: [&str; 6] = [
    "address-connections=20000",
    "address-arrivals-per-second=100000",
    "requests=1000",
    "address-requests=1000",
    "address-requests-per-second=100000",
    "address-messages-per-minute=4000000000",
];

/// How much of our own limits is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// Everything that would stop a benchmark.
    Raised,
    /// Only what is counted by address: every client is held to what clients are held to.
    OfClientsKept,
}

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    /// `ham-server`.
    pub(crate) ham_server: PathBuf,
    /// `bare-relay`.
    pub(crate) bare_relay: PathBuf,
    /// `matchbox_server`, if it could be installed.
    pub(crate) matchbox: Option<PathBuf>,
    /// PeerServer's script, if it could be installed.
    pub(crate) peer_server: Option<PathBuf>,
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) dialect: Dialect,
    pub(crate) address: SocketAddr,
    child: Child,
    folder: Option<PathBuf>,
}

impl Programs {
    /// The servers that can be measured here.
    pub(crate) fn dialects(&self) -> Vec<Dialect> {
        let there = |dialect: &Dialect| match dialect {
            Dialect::Bare | Dialect::Batching | Dialect::HamServer => true,
            Dialect::Matchbox => self.matchbox.is_some(),
            Dialect::PeerServer => self.peer_server.is_some(),
        };
        Dialect::ALL.into_iter().filter(there).collect()
    }

    /// Starts a server and waits until it takes connections.
    pub(crate) fn start(&self, dialect: Dialect, limits: Limits) -> Result<Server> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let missing = || format!("{dialect} is not installed");
        let mut command = Command::new("taskset");
        command.args(["-c", CORE]);
        let port = port.to_string();
        let mut folder = None;
        match dialect {
            Dialect::Bare => command.arg(&self.bare_relay).arg(&port),
            Dialect::Batching => command.arg(&self.bare_relay).args([&port, "--batch"]),
            Dialect::HamServer => {
                let data = env::temp_dir().join(format!("signaling-bench-{port}"));
                fs::create_dir_all(&data)?;
                let raised: &[&str] = match limits {
                    Limits::Raised => &RAISED,
                    Limits::OfClientsKept => &RAISED_FOR_ADDRESSES,
                };
                let limits = raised.iter().flat_map(|limit| ["--limit", limit]);
                command
                    .arg(&self.ham_server)
                    .args(["--bind", "127.0.0.1", "--port", &port, "--data-dir"])
                    .arg(&data)
                    .args(limits);
                folder = Some(data);
                &mut command
            }
            Dialect::Matchbox => command
                .arg(self.matchbox.as_ref().with_context(missing)?)
                .arg(address.to_string())
                // Its log of every event would be most of its work.
                .env("RUST_LOG", "off"),
            Dialect::PeerServer => command
                .arg("node")
                .arg(self.peer_server.as_ref().with_context(missing)?)
                .args(["--host", "127.0.0.1", "--port", &port])
                .args(["--concurrent_limit", "20000", "--alive_timeout", "600000"]),
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().context("taskset cannot be started")?;
        let mut server = Server {
            dialect,
            address,
            child,
            folder,
        };
        server.wait()?;
        if dialect == Dialect::HamServer {
            server.open_to_guests(&self.ham_server)?;
        }
        Ok(server)
    }
}

impl Server {
    fn wait(&mut self) -> Result<()> {
        let begin = Instant::now();
        while std::net::TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at once ({status})", self.dialect);
            }
            if begin.elapsed() > START_WITHIN {
                bail!("{} did not start in time", self.dialect);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Claims the server and lets guests call each other: the generator's clients are guests.
    fn open_to_guests(&self, program: &Path) -> Result<()> {
        let folder = self
            .folder
            .as_ref()
            .context("the server has no data folder")?;
        let key = folder.join("operator.p12");
        let run = |words: &[&str]| {
            let done = Command::new(program)
                .arg("--data-dir")
                .arg(folder)
                .args(words)
                .env("HAM_SERVER_P12_PASSWORD", "only for this benchmark")
                .output()?;
            if !done.status.success() {
                bail!("{words:?}: {}", String::from_utf8_lossy(&done.stderr));
            }
            Ok(())
        };
        let key = key.to_string_lossy();
        run(&["claim", "--callsign", "W1AW", "--new", "--out", &key])?;
        run(&["guest-calls", "on"])
    }

    /// Processor time that the server has used so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.child.id())
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        process::resident(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, and a folder left among temporary files harms nobody.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(self.folder.as_ref().map(fs::remove_dir_all));
    }
}

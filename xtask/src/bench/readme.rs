//! The figures that the README names, each beside its budget.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::run;

type Measure = fn(&Path) -> Result<Vec<Figure>>;

const WHAT: &[(&str, Measure)] = &[
    ("size", size),
    ("start", start),
    ("memory", memory),
    ("discovery", discovery),
];

const STARTS: usize = 20;
const DEADLINE: Duration = Duration::from_secs(20);
const MARKS: (&str, &str) = ("<!-- bench:start -->", "<!-- bench:end -->");

struct Figure {
    what: Cow<'static, str>,
    measured: String,
    budget: Cow<'static, str>,
}

pub(super) fn main(words: &[&str]) -> Result<()> {
    let (flags, names): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| word.starts_with("--"));
    let update = match flags[..] {
        [] => false,
        ["--update-readme"] if names.is_empty() => true,
        _ => bail!(
            "usage: cargo xtask bench [size] [start] [memory] [discovery], or --update-readme for all; \
             or bench signaling, or bench coordination"
        ),
    };
    if let Some(unknown) = names
        .iter()
        .find(|name| WHAT.iter().all(|(what, _)| what != *name))
    {
        bail!("nothing named {unknown} is measured");
    }

    run::must(&mut run::cargo(&[
        "build",
        "--release",
        "--package",
        "ham-server",
    ]))?;
    let binary = run::server_binary("release")?;
    let mut figures = Vec::new();
    for (_, measure) in WHAT
        .iter()
        .filter(|(what, _)| names.is_empty() || names.contains(what))
    {
        figures.extend(measure(&binary)?);
    }
    let table = table(&figures);
    println!("\n{table}");
    if update {
        update_readme(&table)
    } else {
        Ok(())
    }
}

fn size(binary: &Path) -> Result<Vec<Figure>> {
    let bytes = binary.metadata()?.len();
    let measured = format!(
        "{}.{:02} MB ({bytes} bytes)",
        bytes / 1_000_000,
        bytes / 10_000 % 100
    );
    Ok(vec![Figure {
        what: "Binary, web app inside".into(),
        measured,
        budget: "at most 10 MB".into(),
    }])
}

fn start(binary: &Path) -> Result<Vec<Figure>> {
    let fresh = (0..STARTS)
        .map(|_| Ok(Server::start(binary, &Folder::new()?)?.started_in))
        .collect::<Result<Vec<_>>>()?;
    let folder = Folder::new()?;
    Server::start(binary, &folder)?;
    let again = (0..STARTS)
        .map(|_| Ok(Server::start(binary, &folder)?.started_in))
        .collect::<Result<Vec<_>>>()?;
    Ok(vec![
        Figure {
            what: "First start to the first answer".into(),
            measured: spread(fresh),
            budget: "under 100 ms".into(),
        },
        Figure {
            what: "Every later start".into(),
            measured: spread(again),
            budget: "under 100 ms".into(),
        },
    ])
}

fn memory(binary: &Path) -> Result<Vec<Figure>> {
    let server = Server::start(binary, &Folder::new()?)?;
    // Memory is read once the work of starting has settled, not while it goes on.
    let idle = || sleep(Duration::from_secs(1));
    idle();
    let listening = server.resident()?;
    server.load_page()?;
    idle();
    let visited = server.resident()?;
    Ok(vec![
        Figure {
            what: "Memory, idle".into(),
            measured: listening,
            budget: "under 15 MB".into(),
        },
        Figure {
            what: "Memory after one visitor".into(),
            measured: visited,
            budget: "under 15 MB".into(),
        },
    ])
}

/// How soon servers know of each other, on machines made of network namespaces. Waits three minutes for a
/// killed server to be forgotten.
fn discovery(binary: &Path) -> Result<Vec<Figure>> {
    let mut node = run::program("node");
    node.args(["web/bench/discovery.mjs"])
        .env("HAM_SERVER_BIN", binary);
    let mut figures = Vec::new();
    let status = run::watch(&mut node, |line| {
        if let [what, measured, budget] = line.split('\t').collect::<Vec<_>>()[..] {
            figures.push(Figure {
                what: what.to_owned().into(),
                measured: measured.to_owned(),
                budget: budget.to_owned().into(),
            });
        }
    })?;
    if !status.success() {
        bail!("the measurement of discovery failed ({status})");
    }
    Ok(figures)
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let milliseconds = |time: Option<&Duration>| time.map_or(f64::NAN, |t| t.as_secs_f64() * 1e3);
    let (median, max) = (
        milliseconds(times.get(times.len() / 2)),
        milliseconds(times.last()),
    );
    format!(
        "{median:.0} ms median, {max:.0} ms at most, of {}",
        times.len()
    )
}

/// A data folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("ham-server-bench-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind in the temporary folder it harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A running server that is ended when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    started_in: Duration,
}

impl Server {
    fn start(binary: &Path, folder: &Folder) -> Result<Self> {
        let address = free_address()?;
        let begin = Instant::now();
        let child = run::program(&binary.to_string_lossy())
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &address.port().to_string(),
                "--data-dir",
            ])
            .arg(&folder.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Self {
            child,
            address,
            started_in: Duration::ZERO,
        };
        while !server
            .get("/healthz")
            .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
        {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended at once ({status})");
            }
            if begin.elapsed() > DEADLINE {
                bail!("the server did not answer within {DEADLINE:?}");
            }
            // Often enough to measure milliseconds, seldom enough to leave it the processor.
            sleep(Duration::from_micros(300));
        }
        server.started_in = begin.elapsed();
        Ok(server)
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Fetches the start page and everything that it names.
    fn load_page(&self) -> Result<()> {
        let page = self.get("/")?;
        let assets = page.split('"').filter(|word| word.starts_with("/assets/"));
        for path in assets.chain(["/api/status", "/api/info"]) {
            self.get(path).with_context(|| path.to_owned())?;
        }
        Ok(())
    }

    fn resident(&self) -> Result<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .context("memory is measured on Linux only")?;
        let kibibytes: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
            .context("no VmRSS")?
            .parse()?;
        let tenths = kibibytes * 1024 / 100_000;
        Ok(format!("{}.{} MB resident", tenths / 10, tenths % 10))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is just as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn table(figures: &[Figure]) -> String {
    let mut table = "| | measured | budget |\n|---|---|---|\n".to_owned();
    for Figure {
        what,
        measured,
        budget,
    } in figures
    {
        let _ = writeln!(table, "| {what} | {measured} | {budget} |");
    }
    let _ = writeln!(table, "\nBy `cargo xtask bench` on {}.", machine());
    table
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = described
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    format!("{} with {cores} cores, {model}", std::env::consts::OS)
}

fn update_readme(table: &str) -> Result<()> {
    let file = run::root().join("README.md");
    let text = std::fs::read_to_string(&file)?;
    let marked = text
        .split_once(MARKS.0)
        .and_then(|(head, rest)| rest.split_once(MARKS.1).map(|(_, tail)| (head, tail)));
    let Some((head, tail)) = marked else {
        bail!("README.md has no marks for the figures")
    };
    std::fs::write(
        &file,
        format!("{head}{}\n{table}{}{tail}", MARKS.0, MARKS.1),
    )?;
    println!("README.md has the new figures");
    Ok(())
}

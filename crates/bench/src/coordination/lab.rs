//! Machines made of network namespaces: each with a cable to a bridge, or to several.
//!
//! All of it lives in the namespace that this program was started in, which has to be one of its own (`cargo xtask bench
//! coordination` sees to that). Nothing in it has a name anybody else can see, and nothing has to be removed: a namespace ends
//! with the last process in it, and every process here ends with this one, whatever ends that.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::sync::oneshot;

/// Time to connect within one machine.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// The bridge that a part of the machines is moved to when the network parts.
const ASIDE: &str = "aside";

/// Machines and what joins them.
#[derive(Debug)]
pub(crate) struct Lab {
    hosts: Vec<Host>,
    doors: mpsc::Sender<Visit>,
}

/// One machine.
#[derive(Debug)]
struct Host {
    /// It holds the namespace until its input ends, and that ends with us.
    holder: Child,
    bridges: Vec<usize>,
}

/// A connection to be made inside of a machine.
#[derive(Debug)]
struct Visit {
    network: PathBuf,
    port: u16,
    answer: oneshot::Sender<Result<TcpStream>>,
}

impl Lab {
    /// Machines, each on the bridges of these numbers.
    pub(crate) fn new(plan: &[Vec<usize>]) -> Result<Self> {
        let (doors, visits) = mpsc::channel();
        std::thread::spawn(move || visit(&visits));
        let mut lab = Self {
            hosts: Vec::new(),
            doors,
        };
        let bridges = plan.iter().flatten().max().map_or(0, |last| last + 1);
        let names = (0..bridges)
            .map(|number| format!("br{number}"))
            .chain([ASIDE.to_owned()]);
        // Of an earlier lab in this namespace, whose machines are gone.
        let mut lines = vec!["link set lo up".to_owned()];
        for name in names {
            remove_link(&name);
            lines.push(format!("link add {name} type bridge mcast_snooping 0"));
            lines.push(format!("link set {name} up"));
        }
        for (number, bridges) in plan.iter().enumerate() {
            let holder = hold()?;
            for bridge in bridges {
                let port = port(number, *bridge);
                let process = holder.id();
                lines.push(format!(
                    "link add {port} type veth peer name e{bridge} netns {process}"
                ));
                lines.push(format!("link set {port} master br{bridge} up"));
            }
            let bridges = bridges.clone();
            lab.hosts.push(Host { holder, bridges });
        }
        ip(Command::new("ip"), &lines)?;
        for (number, host) in lab.hosts.iter().enumerate() {
            let mut lines = vec!["link set lo up".to_owned()];
            for &bridge in &host.bridges {
                let address = address(number, bridge);
                lines.push(format!("address add {address}/16 brd + dev e{bridge}"));
                lines.push(format!("link set e{bridge} up"));
                lines.push(format!(
                    "route add 224.0.0.0/4 dev e{bridge} metric {}",
                    bridge + 1
                ));
            }
            let mut inside = Command::new("nsenter");
            inside.arg(lab.network_argument(number)).arg("ip");
            ip(inside, &lines)?;
        }
        Ok(lab)
    }

    /// A command that runs a program at a machine, and does not outlive this one.
    pub(crate) fn command(&self, host: usize, program: &std::path::Path) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "nsenter"])
            .arg(self.network_argument(host))
            .arg(program);
        command
    }

    /// A connection to a port of a machine's, from within it, over loopback: it stands whatever becomes of the cables.
    pub(crate) async fn visit(&self, host: usize, port: u16) -> Result<tokio::net::TcpStream> {
        let (answer, answered) = oneshot::channel();
        let visit = Visit {
            network: self.network(host),
            port,
            answer,
        };
        self.doors.send(visit).ok().context("no doors are left")?;
        let stream = answered.await.context("nobody went there")??;
        stream.set_nonblocking(true)?;
        Ok(tokio::net::TcpStream::from_std(stream)?)
    }

    /// Pulls a machine's cables: nobody is told.
    pub(crate) fn cut(&self, host: usize) -> Result<()> {
        self.each_port(&[host], |port| format!("link set {port} down"))
    }

    /// Puts them back.
    pub(crate) fn mend(&self, host: usize) -> Result<()> {
        self.each_port(&[host], |port| format!("link set {port} up"))
    }

    /// Parts the network: these machines reach each other and nobody else. Nobody is told.
    pub(crate) fn part(&self, hosts: &[usize]) -> Result<()> {
        self.each_port(hosts, |port| format!("link set {port} master {ASIDE}"))
    }

    /// Brings those back who were on the first bridge.
    pub(crate) fn join(&self, hosts: &[usize]) -> Result<()> {
        self.each_port(hosts, |port| format!("link set {port} master br0"))
    }

    /// Slows a machine's first cable down, in both directions.
    pub(crate) fn slow(&self, host: usize, bits_per_second: u32) -> Result<()> {
        let shape = |device: &str| {
            [
                "qdisc",
                "replace",
                "dev",
                device,
                "root",
                "tbf",
                "rate",
                &format!("{bits_per_second}bit"),
                "burst",
                "1600",
                "latency",
                "20s",
            ]
            .map(str::to_owned)
        };
        let mut outside = Command::new("tc");
        outside.args(shape(&port(host, 0)));
        succeed(&mut outside)?;
        let mut inside = Command::new("nsenter");
        inside.arg(self.network_argument(host)).arg("tc");
        succeed(inside.args(shape("e0")))
    }

    /// Bytes a machine has sent over its cables, with everything down to Ethernet.
    pub(crate) fn sent(&self, host: usize) -> Result<u64> {
        let process = self.hosts[host].holder.id();
        let devices = std::fs::read_to_string(format!("/proc/{process}/net/dev"))?;
        let cables = devices
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.trim().starts_with('e'));
        // The ninth number is that of bytes sent (proc_pid_net(5)).
        let sent = cables.map(|(_, numbers)| {
            numbers
                .split_whitespace()
                .nth(8)
                .unwrap_or("0")
                .parse::<u64>()
        });
        Ok(sent.sum::<Result<u64, _>>()?)
    }

    /// Connections that stand between a machine and others.
    pub(crate) fn connections(&self, host: usize) -> Result<usize> {
        let process = self.hosts[host].holder.id();
        let mut count = 0;
        for (table, loopback) in [
            ("tcp", "0100007F"),
            ("tcp6", "0000000000000000FFFF00000100007F"),
        ] {
            let text = std::fs::read_to_string(format!("/proc/{process}/net/{table}"))?;
            let stands = |line: &&str| {
                let mut words = line.split_whitespace().skip(2);
                let other = words.next().unwrap_or_default();
                words.next() == Some("01") && !other.starts_with(loopback)
            };
            count += text.lines().skip(1).filter(stands).count();
        }
        Ok(count)
    }

    fn each_port(&self, hosts: &[usize], line: impl Fn(&str) -> String) -> Result<()> {
        let ports = self.each_port_of(hosts);
        let lines: Vec<String> = ports.iter().map(|port| line(port)).collect();
        ip(Command::new("ip"), &lines)
    }

    fn each_port_of(&self, hosts: &[usize]) -> Vec<String> {
        let ports = hosts.iter().flat_map(|&host| {
            let bridges = self.hosts[host].bridges.iter();
            bridges.map(move |&bridge| port(host, bridge))
        });
        ports.collect()
    }

    fn network(&self, host: usize) -> PathBuf {
        format!("/proc/{}/ns/net", self.hosts[host].holder.id()).into()
    }

    fn network_argument(&self, host: usize) -> String {
        format!("--net={}", self.network(host).display())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The kernel takes a namespace down when it likes; the next lab has cables of the same names.
        let ports = self.each_port_of(&(0..self.hosts.len()).collect::<Vec<_>>());
        let lines: Vec<String> = ports
            .iter()
            .map(|port| format!("link del {port}"))
            .collect();
        drop(ip(Command::new("ip"), &lines));
        for host in &mut self.hosts {
            // It may have ended by itself.
            drop(host.holder.kill());
            drop(host.holder.wait());
        }
    }
}

/// A machine's address on one of its bridges.
pub(crate) fn address(host: usize, bridge: usize) -> Ipv4Addr {
    let part = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    Ipv4Addr::new(
        10,
        77 + part(bridge),
        part(host / 200),
        part(host % 200 + 1),
    )
}

fn port(host: usize, bridge: usize) -> String {
    format!("h{host}b{bridge}")
}

/// What the holder of a machine's network runs. TCP is `reno`, whatever this machine's own is, so that figures of several compare.
const HOLDER: &str =
    "echo reno >/proc/sys/net/ipv4/tcp_congestion_control && echo ready && exec cat";

/// Starts a process that does nothing but have a network of its own.
fn hold() -> Result<Child> {
    let mut holder = Command::new("unshare")
        .args(["--net", "sh", "-c", HOLDER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("unshare cannot be started")?;
    let output = holder.stdout.take().context("it has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    if line.trim() != "ready" {
        bail!("no network namespace can be made here: root may, or a user whom the kernel lets");
    }
    Ok(holder)
}

fn remove_link(name: &str) {
    // Mostly there is none.
    let mut command = Command::new("ip");
    command.args(["link", "del", name]).stderr(Stdio::null());
    drop(command.status());
}

fn ip(mut command: Command, lines: &[String]) -> Result<()> {
    let mut child = command
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("ip cannot be started")?;
    let mut input = child.stdin.take().context("it has no input")?;
    input.write_all((lines.join("\n") + "\n").as_bytes())?;
    drop(input);
    let status = child.wait()?;
    if !status.success() {
        bail!(
            "ip could not do this as a whole: {}; ...",
            lines[..lines.len().min(3)].join("; ")
        );
    }
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}

/// Goes from machine to machine, for ever. A socket stays in the network that its thread was in when it was made.
fn visit(visits: &mpsc::Receiver<Visit>) {
    while let Ok(visit) = visits.recv() {
        let connect = || {
            let network = std::fs::File::open(&visit.network)?;
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&network), kind)?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, visit.port));
            Ok(TcpStream::connect_timeout(&address, CONNECT_WITHIN)?)
        };
        // Whoever asked may have gone.
        drop(visit.answer.send(connect()));
    }
}

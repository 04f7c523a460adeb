//! Two servers that hold ten thousand certificates each and differ in some, across 9,600 bit/s: how long until they agree,
//! and how long people wait for each other meanwhile.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use benchmark::socket::{Socket, frames};
use pki::Certificate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::ham::HamServers;
use crate::net::Net as _;
use crate::operator::Operator;
use crate::person::{PORT, ask};
use crate::trial::{Spread, spread};

/// Certificates that both have.
const BOTH: usize = 10_000;

/// What the cable carries, each way.
const BITS: u32 = 9_600;

/// Links by which one server is given certificates before anything is measured: one alone could not bring so many within its
/// budget.
const GIVERS: usize = 3;

/// Certificates in one frame: of at most 64 KiB.
const TOGETHER: usize = 40;

/// Time after which it counts as not having come about.
const LONGEST: Duration = Duration::from_secs(600);

/// How often it is asked how far they are, and people come and go.
const LOOK: Duration = Duration::from_secs(1);

/// What was seen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Slow {
    /// Certificates that each has and the other lacks.
    pub(crate) differ: usize,
    /// Seconds from when the cable is there, and the one starts that dials, until both have all.
    pub(crate) seconds: Option<f64>,
    /// Bytes over the cable, both ways, with everything down to Ethernet.
    pub(crate) bytes: u64,
    /// Somebody comes at one end, until the other shows them, milliseconds: meanwhile.
    pub(crate) meanwhile: Spread,
    /// The same when nothing else goes on.
    pub(crate) afterwards: Spread,
    /// Whether the link stood all the time.
    pub(crate) stood: bool,
}

/// The servers are across amateur frequencies from each other and run already, with the cable between them cut.
pub(crate) async fn run(net: &mut HamServers, root: &Operator, differ: usize) -> Result<Slow> {
    net.lab().slow(1, BITS)?;
    let mut lacking = give(net, root, differ).await?;
    // It has dialled in vain for so long that it would let a minute go by before it does again.
    net.stop(0)?;
    net.lab().mend(1)?;
    let since = Instant::now();
    net.start(0)?;
    net.board()
        .agree(Duration::from_secs(120), &[&[0, 1]])
        .await
        .context("the servers do not find each other across the slow cable")?;
    println!("  everybody is seen after {:?}", since.elapsed());
    let sent = sent(net)?;
    let mut meanwhile = Vec::new();
    let mut tries = 0;
    let seconds = loop {
        for (server, lacks) in lacking.iter_mut().enumerate() {
            retain_lacking(net, server, lacks).await;
        }
        if lacking.iter().all(Vec::is_empty) {
            break Some(since.elapsed().as_secs_f64());
        }
        if since.elapsed() > LONGEST {
            break None;
        }
        tries += 1;
        meanwhile.extend(comes(net).await?);
    };
    let bytes = self::sent(net)? - sent;
    let mut afterwards = Vec::new();
    for _ in 0..3 {
        afterwards.extend(comes(net).await?);
    }
    let peers = ask(net.lab(), 0, "/api/peers").await?;
    let stood_for = peers[0]["since"].as_u64().unwrap_or(0);
    // The handshake itself takes some seconds here.
    let stood = Duration::from_secs(stood_for + 30) > since.elapsed();
    Ok(Slow {
        differ,
        seconds,
        bytes,
        meanwhile: spread(&meanwhile, tries),
        afterwards: spread(&afterwards, 3),
        stood,
    })
}

/// The person at the second server goes and comes; milliseconds until the first shows them again.
async fn comes(net: &mut HamServers) -> Result<Option<f64>> {
    net.person(1, false).await?;
    let gone = |board: &crate::board::Board| board.wrong(&[0]).is_empty();
    net.board().until(LONGEST, gone).await;
    sleep(LOOK).await;
    let since = net.person(1, true).await?;
    let shown = net.board().agree(Duration::from_secs(60), &[&[0, 1]]).await;
    sleep(LOOK).await;
    Ok(shown.map(|at| (at - since).as_secs_f64() * 1_000.0))
}

fn sent(net: &HamServers) -> Result<u64> {
    Ok(net.lab().sent(0)? + net.lab().sent(1)?)
}

/// How many certificates a server holds below the one who vouches for all.
async fn below(net: &HamServers, root: &Operator, server: usize) -> Result<u64> {
    let path = format!("/api/certificates/{}", root.certificate().fingerprint());
    let answer = ask(net.lab(), server, &path).await?;
    answer["below"]
        .as_u64()
        .context("a server does not say how many certificates it holds")
}

/// Forgets those of these certificates that a server has by now.
async fn retain_lacking(net: &HamServers, server: usize, lacks: &mut Vec<String>) {
    while let Some(fingerprint) = lacks.last() {
        let path = format!("/api/certificates/{fingerprint}");
        if ask(net.lab(), server, &path).await.is_err() {
            return;
        }
        lacks.pop();
    }
}

/// Gives both servers what both have and each what only it has, by plain messages (`CERT_SYNC`). Says what each lacks, by
/// fingerprint.
async fn give(net: &HamServers, root: &Operator, differ: usize) -> Result<[Vec<String>; 2]> {
    let all = root.issue_many(1_000..1_000 + BOTH + 2 * differ)?;
    let entries: Vec<_> = all
        .iter()
        .map(|certificate| {
            json!({
                "fingerprint": certificate.fingerprint(),
                "certificate": certificate.to_pem(),
                "chain": [],
            })
        })
        .collect();
    let (both, different) = entries.split_at(BOTH);
    let (first, second) = different.split_at(differ);
    for (server, own) in [(0, first), (1, second)] {
        let before = below(net, root, server).await?;
        let mine: Vec<_> = both.iter().chain(own).collect();
        let mut givers = Vec::new();
        for part in mine.chunks(mine.len().div_ceil(GIVERS)) {
            let stream = net.lab().visit(server, PORT).await?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
            let mut socket = Socket::over(stream, address, "/coordinate").await?;
            for some in part.chunks(TOGETHER) {
                let message = json!({ "type": "CERT_SYNC", "certificates": some }).to_string();
                socket.write(&frames(&message, 1)).await?;
            }
            // It stays until all is read.
            givers.push(socket);
        }
        let wanted = before + u64::try_from(mine.len())?;
        let since = Instant::now();
        while below(net, root, server).await? < wanted {
            if since.elapsed() > Duration::from_secs(120) {
                bail!("server {server} did not take all certificates");
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
    let names = |certificates: &[Certificate]| {
        let names = certificates.iter();
        names.map(|one| one.fingerprint().to_string()).collect()
    };
    Ok([
        names(&all[BOTH + differ..]),
        names(&all[BOTH..BOTH + differ]),
    ])
}

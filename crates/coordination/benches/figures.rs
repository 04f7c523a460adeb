//! What coordination costs, in simulated time: bytes, and how long this machine computes.
//!
//! `cargo xtask bench coordination` prints the tables of `docs/benchmarks/coordination.md`. Signatures are hashes here
//! (`tests/simulation/sim/keys.rs`), so a real server has those to pay besides.
#![expect(clippy::unwrap_used, reason = "it measures")]

use std::time::Duration;

use coordination::message::plain::{PlainCertificate, PlainMessage};
use coordination::message::{Set, Topic};
use coordination::{Blob, Node};
use station::Zone;

use sim::World;
use sim::invariants;
use sim::nets::{line, mesh};

#[expect(dead_code, reason = "tests use the rest")]
#[path = "../tests/simulation/sim/mod.rs"]
mod sim;

const CERTIFICATES: usize = 10_000;
/// Bytes of one.
const LENGTH: usize = 700;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn main() {
    sets();
    idle();
    nets();
}

fn certificate(number: usize) -> Blob {
    let mut data = format!("item {number} ").into_bytes();
    data.resize(LENGTH, u8::try_from(number % 251).unwrap());
    data.into()
}

/// Two servers with as many certificates each, of which so many are only at one of them.
fn two_with(differ: usize) -> World {
    let mut world = line(21, 2);
    for number in 0..CERTIFICATES + differ {
        if number >= differ {
            world.put_item(0, Set::Certificates, certificate(number));
        }
        if number < CERTIFICATES {
            world.put_item(1, Set::Certificates, certificate(number));
        }
    }
    world
}

fn sets() {
    println!(
        "| {CERTIFICATES} certificates of {LENGTH} bytes at each of two servers | bytes, both ways | of these the certificates | computing, both ends |"
    );
    println!("|---|---|---|---|");
    for differ in [10, 100] {
        let mut world = two_with(differ);
        world.start_all();
        let begun = computed();
        world.must_agree_within(secs(10));
        let took = computed().saturating_sub(begun);
        println!(
            "| {differ} only at the one, {differ} only at the other | {} | {} | {} ms |",
            world.counts.bytes,
            2 * differ * LENGTH,
            took.as_millis()
        );
    }
    let begun = computed();
    // PEM: base64 in lines of 64, with a line before and after.
    let pem = "A".repeat((LENGTH * 4).div_ceil(3) + LENGTH / 48 + 56);
    let plain = PlainCertificate {
        fingerprint: "f".repeat(64),
        certificate: pem,
        chain: Vec::new(),
    };
    let frames = PlainMessage::certificates(vec![plain; CERTIFICATES]);
    let took = computed().saturating_sub(begun);
    let bytes: usize = frames.iter().map(String::len).sum();
    println!(
        "| a full `CERT_SYNC`, one way, without chains | {bytes} | | {} ms to write |",
        took.as_millis()
    );
    for differ in [10, 100] {
        let mut world = two_with(differ);
        world.radio.push((0, 1));
        world.start_all();
        let mut slowest = Duration::ZERO;
        world.run_until_holds(secs(300), |world| {
            invariants::agree_on_servers(world).is_none()
        });
        while invariants::agree_on_sets(&world).is_some() && world.now < secs(7_200) {
            let tag = world.post(0, 1, Zone::Part97, 200);
            let posted = world.now;
            world.run_until_holds(secs(30), |world| {
                world.hosts[0].saw.fates.contains_key(&tag)
            });
            slowest = slowest.max(world.now - posted);
            world.run_for(secs(5));
        }
        println!(
            "| {differ} and {differ}, over 1,200 bytes/s: {} s; the slowest of the messages in between {:.1} s there and back | {} | {} | |",
            world.now.as_secs(),
            slowest.as_secs_f64(),
            world.counts.bytes,
            2 * differ * LENGTH,
        );
    }
}

fn idle() {
    println!("\n| idle, nobody comes or goes | bytes a second on each link, both ways |");
    println!("|---|---|");
    let mut open = mesh(8, 50, 3);
    open.come_together(secs(10));
    open.run_for(secs(30));
    println!("| 50 servers | {} |", per_link(&mut open, secs(600)));
    let mut radio = line(8, 2);
    radio.radio.push((0, 1));
    radio.come_together(secs(300));
    radio.run_for(secs(300));
    println!(
        "| 2 servers across amateur frequencies | {} |",
        per_link(&mut radio, secs(3_600))
    );
}

fn per_link(world: &mut World, time: Duration) -> String {
    let before = world.counts.bytes;
    world.run_for(time);
    let bytes = world.counts.bytes - before;
    let links = links(world);
    format!("{:.1}", as_f64(bytes) / as_f64(links) / time.as_secs_f64())
}

fn links(world: &World) -> usize {
    let ends: usize = world
        .hosts
        .iter()
        .map(|host| host.node.iter().flat_map(Node::links).count())
        .sum();
    ends / 2
}

fn nets() {
    println!(
        "\n| servers | links | all know all after | frames | bytes | computing, each | 20 people at each, memory each | an idle minute, computing each |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for servers in [50, 200] {
        let before = resident();
        let mut world = mesh(9, servers, 3);
        let begun = computed();
        let virtually = world.now;
        world.come_together(secs(10));
        let together = world.now - virtually;
        let computing = computed().saturating_sub(begun);
        let counts = world.counts.clone();
        for host in 0..servers {
            for _ in 0..19 {
                world.join(host, Topic::Operators);
            }
        }
        world.must_agree_within(secs(10));
        let memory = resident().saturating_sub(before) / servers;
        world.run_for(secs(10));
        let begun = computed();
        world.run_for(secs(60));
        let idle = computed().saturating_sub(begun);
        let each = |time: Duration| time.as_secs_f64() * 1_000.0 / as_f64(servers);
        println!(
            "| {servers} | {} | {:.1} s | {} | {} | {:.1} ms | {memory} kB | {:.2} ms |",
            links(&world),
            together.as_secs_f64(),
            counts.frames,
            counts.bytes,
            each(computing),
            each(idle),
        );
    }
}

/// How long this process has computed, whoever else does; nothing where that is not told.
fn computed() -> Duration {
    let told = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = told.split_whitespace().next();
    Duration::from_nanos(nanos.and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// Kilobytes of memory of this process; 0 where that is not told.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn as_f64(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

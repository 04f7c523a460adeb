//! What an offer costs the hub on its way: read, judged, charged, written anew and kept.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput};
use serde_json::{Value, json};
use signaling::limit::Rate;
use signaling::{
    ClientId, Command, ConnectionId, Hub, Limits, Origin, Policy, SessionToken, Ticket, Zone,
};

/// Pairs that call each other, as many as in the load benchmark.
const PAIRS: u64 = 50;

/// An SDP as long as a browser's for one data channel.
const SDP_LINES: usize = 14;

fn main() {
    let mut bench = Criterion::default().configure_from_args();
    offers(&mut bench);
    bench.final_summary();
}

fn offers(bench: &mut Criterion) {
    let (mut hub, now) = hub();
    let texts: Vec<_> = (0..2 * PAIRS).map(|from| offer(from ^ 1)).collect();
    let mut from = 0;
    let mut group = bench.benchmark_group("hub");
    group.throughput(Throughput::Elements(1));
    group.bench_function("an offer of 600 bytes", |bench| {
        bench.iter(|| {
            let text = &texts[from];
            let connection = ConnectionId::new(from as u64);
            hub.receive(connection, black_box(text), now);
            while let Some(command) = hub.poll() {
                match command {
                    Command::Send { frame, .. } => {
                        assert!(black_box(frame.to_bytes()).len() > 600);
                    }
                    Command::Ping { connection } => hub.answered_ping(connection, now),
                    other => panic!("{other:?}"),
                }
            }
            from = (from + 1) % texts.len();
        });
    });
    group.finish();
}

/// A hub with everybody in, each pair in a net of its own.
fn hub() -> (Hub, Instant) {
    #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
    let now = Instant::now();
    let endless = Rate::per_minute(u32::MAX, u32::MAX);
    let mut hub = Hub::new(Limits {
        messages: endless,
        bytes: endless,
        address_messages: endless,
        address_connections: usize::MAX,
        offers: endless,
        net_signals: endless,
        ..Limits::default()
    });
    hub.set_policy(Policy { guest_calls: true }, "");
    for client in 0..2 * PAIRS {
        let token = SessionToken::new(&format!("{client:043}"));
        let ticket = Ticket {
            client: ClientId::new(client),
            token,
        };
        let origin = Origin::direct([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Zone::Open);
        let connection = ConnectionId::new(client);
        hub.connect(connection, ticket, origin, now);
        let net = format!("pair-{}", client / 2);
        let register = json!({ "type": "REGISTER", "callsign": "GUEST", "net": net });
        hub.receive(connection, &register.to_string(), now);
    }
    while hub.poll().is_some() {}
    (hub, now)
}

fn offer(to: u64) -> String {
    let sdp = "a=candidate:1 1 UDP 2122252543 10.0.0.1 1\r\n".repeat(SDP_LINES);
    let (to, sdp) = (ClientId::new(to), Value::from(sdp));
    format!(r#"{{"type":"OFFER","target":"{to}","offer":{{"type":"offer","sdp":{sdp}}}}}"#)
}

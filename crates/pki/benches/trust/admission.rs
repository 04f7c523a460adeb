//! What it costs to believe somebody: a certificate, a verdict, a decision.
//!
//! Admission stands beside one bare verification by ring, because their ratio is what the budget
//! names: measured in turns, so that a machine that grows slower meanwhile slows both. Verdicts are
//! asked of a graph of 100,000 certificates.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use pki::Certificate;
use pki::graph::{Position, Target, Verdict};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use station::Fingerprint;

use crate::people::{Person, admit, anchor, callsign, graph};

pub(crate) fn admission(bench: &mut Criterion) {
    let (owner, friend) = (Person::new(0), Person::new(1));
    let certificate = owner.vouch(&friend);
    let (tbs, signature) = parts(certificate.der());
    let spki = owner.own.public_key().spki();
    let point = &spki[spki.len() - 65..];
    let mut group = bench.benchmark_group("admission");
    group.bench_function("bare ring P-256 verification", |bench| {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        bench.iter(|| key.verify(black_box(tbs), black_box(signature)).unwrap());
    });
    let anchored = || {
        let mut graph = graph();
        anchor(&mut graph, &owner);
        graph
    };
    group.bench_function("admit a certificate that was read", |bench| {
        bench.iter_batched_ref(
            anchored,
            |graph| admit(graph, &certificate),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("read and admit a certificate", |bench| {
        bench.iter_batched_ref(
            anchored,
            |graph| {
                let read = Certificate::from_der(certificate.der()).unwrap();
                admit(graph, &read)
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
    let ratio = ratio(
        || key.verify(black_box(tbs), black_box(signature)).unwrap(),
        anchored,
        |graph| {
            black_box(admit(graph, &certificate));
        },
    );
    println!("admission/in turns: {ratio:.3} of a bare verification");
}

/// The median of what the second takes, on something fresh each time, as a part of what the first
/// takes just before.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn ratio<T>(first: impl Fn(), fresh: impl Fn() -> T, second: impl Fn(&mut T)) -> f64 {
    const ROUNDS: usize = 500;
    let timed = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let round = || {
        let mut things: Vec<T> = (0..20).map(|_| fresh()).collect();
        let bare: Duration = timed(&mut || (0..20).for_each(|_| first()));
        let whole = timed(&mut || things.iter_mut().for_each(&second));
        whole.as_secs_f64() / bare.as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ROUNDS / 2]
}

pub(crate) fn verdicts(bench: &mut Criterion) {
    let (mut graph, owner, holder) = (graph(), Person::new(0), Person::new(1));
    anchor(&mut graph, &owner);
    graph.raise_cap(owner.key.key_id(), 200_000);
    let mut fingerprints: Vec<Fingerprint> = Vec::new();
    for at in 0..100_000 {
        let certificate = owner.vouch_as(&holder, &callsign(at));
        admit(&mut graph, &certificate);
        fingerprints.push(certificate.fingerprint());
    }
    let mut next = fingerprints.iter().cycle().step_by(7919);
    bench.bench_function("verdict at 100,000 certificates", |bench| {
        bench.iter(|| {
            let verdict = graph.verdict(black_box(next.next().unwrap()));
            assert_eq!(verdict, Verdict::Trusted);
        });
    });
    let mut next = fingerprints.iter().cycle().step_by(7919);
    bench.bench_function("explanation at 100,000 certificates", |bench| {
        bench.iter(|| graph.explain(black_box(next.next().unwrap())).unwrap());
    });
    let found = graph.listed(None, Some(&callsign(50_000)), 1, |_| true);
    let found = found.held[0].certificate;
    let middle = format!("{}.{}", found.callsign().base(), found.identity());
    let middle: Position = middle.parse().unwrap();
    bench.bench_function("a page of 100 out of 100,000 certificates", |bench| {
        bench.iter(|| {
            let page = graph.listed(black_box(Some(&middle)), None, 100, |_| true);
            assert_eq!(page.held.len(), 100);
        });
    });
}

pub(crate) fn blacklisting(bench: &mut Criterion) {
    let (mut graph, owner, hostile) = (graph(), Person::new(0), Person::new(1));
    anchor(&mut graph, &owner);
    admit(&mut graph, &owner.vouch(&hostile));
    for at in 2..2002 {
        admit(&mut graph, &hostile.vouch(&Person::new(at)));
    }
    let checks = graph.checks();
    let target = Target::Key(hostile.key.key_id());
    let mut group = bench.benchmark_group("a key with 2,000 dependants");
    group.bench_function("preview", |bench| bench.iter(|| graph.preview(target)));
    group.bench_function("preview, blacklist and undo", |bench| {
        bench.iter(|| {
            let preview = graph.preview(target);
            let (_, effect) = graph.blacklist(target, "");
            assert_eq!((preview.lose.len(), effect.lose.len()), (2001, 2001));
            graph.unblacklist(target)
        });
    });
    group.finish();
    assert_eq!(graph.checks(), checks, "no signature was checked");
}

pub(crate) fn issuance(bench: &mut Criterion) {
    let (owner, friend) = (Person::new(0), Person::new(1));
    let mut group = bench.benchmark_group("issuance");
    group.throughput(Throughput::Elements(1));
    group.bench_function("issue a certificate", |bench| {
        bench.iter(|| owner.vouch(&friend));
    });
    group.finish();
}

/// The TBSCertificate and the signature of a certificate with two-byte lengths.
fn parts(der: &[u8]) -> (&[u8], &[u8]) {
    let length = usize::from(u16::from_be_bytes([der[6], der[7]]));
    let (tbs, rest) = der[4..].split_at(4 + length);
    let algorithm = 2 + usize::from(rest[1]);
    (tbs, &rest[algorithm + 3..])
}

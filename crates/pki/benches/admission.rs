//! What it costs to believe somebody: `cargo bench -p pki`.
//!
//! Admission stands beside one bare verification by ring in the same run, because their ratio is
//! what the budget names. Verdicts are asked of a graph of 100,000 certificates.
#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pki::graph::{Budget, Limits, Source, State, Target, Verdict};
use pki::issue::{self, Issuer, Vouched};
use pki::{Certificate, Identity, SigningKey, TrustGraph};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use station::licence::VouchMethod;
use station::{Callsign, Fingerprint};

criterion_group!(benches, admission, chains, verdicts, blacklisting, issuance);
criterion_main!(benches);

fn admission(bench: &mut Criterion) {
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
}

fn chains(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("chain");
    group.sample_size(20);
    let people: Vec<Person> = (0..1000).map(Person::new).collect();
    let made: Vec<Certificate> = people
        .windows(2)
        .map(|pair| pair[0].vouch(&pair[1]))
        .collect();
    for length in [3, 8, 50, 1000] {
        group.throughput(Throughput::Elements(u64::try_from(length).unwrap()));
        group.bench_function(length.to_string(), |bench| {
            bench.iter_batched_ref(
                graph,
                |graph| {
                    anchor(graph, &people[0]);
                    for certificate in &made[..length - 1] {
                        admit(graph, certificate);
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn verdicts(bench: &mut Criterion) {
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
}

fn blacklisting(bench: &mut Criterion) {
    let (mut graph, owner, hostile, holder) =
        (graph(), Person::new(0), Person::new(1), Person::new(2));
    anchor(&mut graph, &owner);
    admit(&mut graph, &owner.vouch(&hostile));
    for at in 0..2000 {
        admit(&mut graph, &hostile.vouch_as(&holder, &callsign(at)));
    }
    let target = Target::Key(hostile.key.key_id());
    let mut group = bench.benchmark_group("a key with 2,000 dependants");
    group.bench_function("preview", |bench| bench.iter(|| graph.preview(target)));
    group.bench_function("blacklist and undo", |bench| {
        bench.iter(|| {
            graph.blacklist(target, "");
            graph.unblacklist(target)
        });
    });
    group.finish();
}

fn issuance(bench: &mut Criterion) {
    let (owner, friend) = (Person::new(0), Person::new(1));
    bench.bench_function("issue a certificate", |bench| {
        bench.iter(|| owner.vouch(&friend));
    });
}

struct Person {
    key: SigningKey,
    own: Certificate,
}

impl Person {
    fn new(at: usize) -> Self {
        let random = SystemRandom::new();
        let key = SigningKey::generate(&random).unwrap();
        let own = issue::self_signed_operator(&key, &callsign(at), None, time(), &random).unwrap();
        Self { key, own }
    }

    fn vouch(&self, other: &Self) -> Certificate {
        self.vouch_as(other, other.own.callsign())
    }

    fn vouch_as(&self, other: &Self, callsign: &Callsign) -> Certificate {
        let issuer = Issuer {
            certificate: &self.own,
            key: &self.key,
        };
        let vouched = Vouched {
            callsign,
            class: None,
            method: VouchMethod::InPerson,
        };
        let holder = other.key.public_key();
        issue::operator_certificate(issuer, &holder, &vouched, time(), &SystemRandom::new())
            .unwrap()
    }
}

fn graph() -> TrustGraph {
    TrustGraph::new(Limits::default())
}

fn admit(graph: &mut TrustGraph, certificate: &Certificate) -> Identity {
    let mut budget = Budget::new(32);
    match graph
        .admit(certificate, Source::Owner, &mut budget)
        .unwrap()
        .state
    {
        State::Admitted(identity) | State::Held(identity) => identity,
        State::Waiting => panic!("the issuer is not known"),
    }
}

fn anchor(graph: &mut TrustGraph, person: &Person) {
    let identity = admit(graph, &person.own);
    graph.add_anchor(&identity).unwrap();
}

/// K0AAAA, K0AAAB and so on.
fn callsign(at: usize) -> Callsign {
    let letter = |by: usize| char::from(b'A' + u8::try_from(at / by % 26).unwrap());
    let text = format!(
        "K{}{}{}{}{}",
        at / 456_976 % 10,
        letter(17_576),
        letter(676),
        letter(26),
        letter(1)
    );
    Callsign::parse(&text).unwrap()
}

/// The TBSCertificate and the signature of a certificate with two-byte lengths.
fn parts(der: &[u8]) -> (&[u8], &[u8]) {
    let length = usize::from(u16::from_be_bytes([der[6], der[7]]));
    let (tbs, rest) = der[4..].split_at(4 + length);
    let algorithm = 2 + usize::from(rest[1]);
    (tbs, &rest[algorithm + 3..])
}

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

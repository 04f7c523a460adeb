//! The small worlds that every implementation shares (`docs/protocol/vectors/trust.json`).

use serde_json::Value;
use station::statement::Rekey;

use super::world::{graph, plenty};
use crate::certificate::Certificate;
use crate::graph::{Cause, SignedRekey, Source, State, Target, Tombstone, TrustGraph, Verdict};

fn vectors() -> Value {
    let text = include_str!("../../../../../docs/protocol/vectors/trust.json");
    serde_json::from_str(text).unwrap()
}

fn list<'a>(world: &'a Value, name: &str) -> &'a [Value] {
    world[name].as_array().map_or(&[], Vec::as_slice)
}

fn read<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value, name: &str) -> T {
    value[name].as_str().unwrap().parse().unwrap()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Trusted => "trusted",
        Verdict::Untrusted => "untrusted",
        Verdict::Waiting => "waiting",
        Verdict::Unknown => "unknown",
        Verdict::Dead(Cause::Blacklisted) => "blacklisted",
        Verdict::Dead(Cause::BlacklistedKey) => "blacklisted-key",
        Verdict::Dead(Cause::BlacklistedSubtree) => "blacklisted-subtree",
        Verdict::Dead(Cause::Withdrawn) => "withdrawn",
        Verdict::Dead(Cause::Revoked) => "revoked",
        Verdict::Dead(Cause::Successors) => "successors",
        Verdict::Dead(Cause::AwaitsOwner) => "awaits-owner",
    }
}

/// What the world decided and what was said in it, in the order that the file gives.
fn decide(graph: &mut TrustGraph, world: &Value) {
    for anchor in list(world, "anchors") {
        let fingerprint = anchor.as_str().unwrap().parse().unwrap();
        let identity = graph.certificate(&fingerprint).unwrap().identity();
        graph.add_anchor(&identity).unwrap();
    }
    for one in list(world, "tombstones") {
        let tombstone = Tombstone {
            target: read(one, "target"),
            signer: read(one, "signer"),
            signature: text(one, "signature"),
        };
        // Refused where it is not signed as it should be: then it does not count.
        drop(graph.bury(&tombstone, &mut plenty()));
    }
    for one in list(world, "rekeys") {
        let generation = one["generation"].as_u64().unwrap();
        let signed = SignedRekey {
            rekey: Rekey {
                old: read(one, "old"),
                new: read(one, "new"),
                callsign: read(one, "callsign"),
                generation: u32::try_from(generation).unwrap(),
            },
            by_old: text(one, "byOld"),
            by_new: text(one, "byNew"),
        };
        drop(graph.rekey(&signed, &mut plenty()));
    }
    for one in list(world, "chosen") {
        graph
            .choose_successor(read(one, "old"), read(one, "new"))
            .unwrap();
    }
    for one in list(world, "blacklist") {
        let target = match one["scope"].as_str().unwrap() {
            "certificate" => Target::Certificate(read(one, "identity")),
            "key" => Target::Key(read(one, "keyId")),
            "subtree" => Target::Subtree(read(one, "keyId")),
            other => panic!("no such scope: {other}"),
        };
        graph.blacklist(target, "a test");
    }
    for one in list(world, "accepted") {
        graph.accept_key(&read(one, "callsign"), read(one, "keyId"));
    }
}

#[test]
fn every_world_comes_out_as_the_shared_vectors_say() {
    let vectors = vectors();
    let worlds = vectors["worlds"].as_array().unwrap();
    for world in worlds {
        let verdicts = world["verdicts"].as_object().unwrap();
        let mut certificates: Vec<(&str, Certificate)> = verdicts
            .keys()
            .map(|name| {
                let pem = vectors["certificates"][name].as_str().unwrap();
                (name.as_str(), Certificate::from_pem(pem).unwrap())
            })
            .collect();
        for _ in 0..certificates.len() {
            certificates.rotate_left(1);
            judge(world, &certificates);
        }
        certificates.reverse();
        judge(world, &certificates);
    }
    assert_eq!(worlds.len(), 45);
}

#[test]
fn the_second_keys_of_the_vectors_are_second_keys() {
    let vectors = vectors();
    let read = |name: &str| {
        let pem = vectors["certificates"][name].as_str().unwrap();
        Certificate::from_pem(pem).unwrap()
    };
    let root = read("N5ABC itself");
    for (signed, named) in [
        ("N5ABC for N6ABC", "N7ABC for N5ABC's second key"),
        (
            "N5ABC for N6ABC, by the SHA-1 of its key",
            "N7ABC for N5ABC's second key (2)",
        ),
    ] {
        let (signed, second) = (read(signed), read(named));
        assert_eq!(second.subject(), root.subject());
        assert_ne!(second.public_key(), root.public_key());
        assert!(signed.is_signed_by(root.public_key()));
        assert!(signed.is_signed_by(second.public_key()));
    }
}

fn judge(world: &Value, certificates: &[(&str, Certificate)]) {
    let mut graph = graph();
    for (_, certificate) in certificates {
        graph
            .admit(certificate, Source::Owner, &mut plenty())
            .unwrap();
    }
    decide(&mut graph, world);
    for (name, certificate) in certificates {
        let again = graph.admit(certificate, Source::Owner, &mut plenty());
        let verdict = match again.unwrap().state {
            State::Held(identity) => graph.verdict_by_identity(&identity),
            State::Waiting => Verdict::Waiting,
            State::Admitted(_) => panic!("it was admitted before"),
        };
        let expected = world["verdicts"][name].as_str().unwrap();
        assert_eq!(word(verdict), expected, "{}: {name}", world["name"]);
    }
}

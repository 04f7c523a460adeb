//! x509-limbo: what a foreign suite expects of path validation.
//!
//! The suite's subjects are hosts, so its certificates are read by every rule but that of the
//! callsign. What our rules decide otherwise than RFC 5280, and what they do not judge at all, is
//! named below with the reason; every other case must come out as the suite says.

use serde_json::Value;

use super::world::{graph, plenty, trusted};
use crate::certificate::tests::of_anybody;
use crate::graph::{Source, TrustGraph};

/// What a case should come to here.
enum Expected {
    /// As the suite says.
    Theirs,
    /// Trusted or not by a rule of ours, whatever the suite says.
    Ours(bool),
    /// Not judged here, for this reason.
    Nothing(&'static str),
}

const NO_LISTS: &str = "revocation lists: here are tombstones";
const NO_DEPTH: &str = "a limit of depth: here is none";
const HOSTS: &str = "host names and key usage of TLS leaves: here are callsigns";
const ALGORITHMS: &str = "chains of RSA and P-384: not read";
const HINTS: &str = "absent key identifiers: hints that nobody needs";
const POLICIES: &str = "policies: not judged";
const LEAVES: &str = "who may not issue: what its certificate says of issuing is not judged";
const CRITICAL: &str = "basic constraints not marked critical: a rule for issuers";

fn expected(case: &Value) -> Expected {
    let features = case["features"].as_array().unwrap();
    let has = |name: &str| features.iter().any(|feature| feature == name);
    if has("has-crl") {
        return Expected::Nothing(NO_LISTS);
    }
    if has("max-chain-depth") {
        return Expected::Nothing(NO_DEPTH);
    }
    let id = case["id"].as_str().unwrap();
    let is_of = |groups: &[&str]| groups.iter().any(|group| id.starts_with(group));
    match id {
        "rfc5280::aki::leaf-missing-aki"
        | "rfc5280::ski::root-missing-ski"
        | "rfc5280::ski::intermediate-missing-ski" => Expected::Nothing(HINTS),
        "rfc5280::pc::ica-noncritical-pc" => Expected::Nothing(POLICIES),
        "rfc5280::nc::not-allowed-in-ee-noncritical"
        | "rfc5280::nc::not-allowed-in-ee-critical"
        | "rfc5280::leaf-ku-keycertsign" => Expected::Nothing(LEAVES),
        "rfc5280::root-non-critical-basic-constraints" => Expected::Nothing(CRITICAL),
        "rfc5280::ca-as-leaf-wrong-san" | "cve::cve-2024-0567" => Expected::Nothing(HOSTS),
        // The one where a way round the constrained issuer exists.
        "rfc5280::nc::nc-forbids-same-chain-ica" => Expected::Theirs,
        // The good intermediate has a path length.
        "rfc5280::unknown-critical-extension-unrelated-intermediate" => Expected::Ours(false),
        _ if is_of(&["webpki::", "rfc5280::eku::", "rfc5280::san::"]) => Expected::Nothing(HOSTS),
        _ if is_of(&["online::"]) => Expected::Nothing(ALGORITHMS),
        // Who is constrained cannot issue here.
        _ if is_of(&["pathlen::", "rfc5280::nc::"]) => Expected::Ours(false),
        // No date is judged.
        _ if is_of(&["rfc5280::validity::"]) => Expected::Ours(true),
        _ if BETTERTLS_EXPIRED.contains(&id) => Expected::Ours(true),
        _ if BETTERTLS_USAGE.contains(&id) => Expected::Nothing(HOSTS),
        _ => Expected::Theirs,
    }
}

const BETTERTLS_EXPIRED: [&str; 6] = [
    "bettertls::pathbuilding::tc3",
    "bettertls::pathbuilding::tc10",
    "bettertls::pathbuilding::tc36",
    "bettertls::pathbuilding::tc42",
    "bettertls::pathbuilding::tc69",
    "bettertls::pathbuilding::tc75",
];

/// The extended key usage of an intermediate is not that of a TLS server.
const BETTERTLS_USAGE: [&str; 6] = [
    "bettertls::pathbuilding::tc5",
    "bettertls::pathbuilding::tc12",
    "bettertls::pathbuilding::tc38",
    "bettertls::pathbuilding::tc44",
    "bettertls::pathbuilding::tc71",
    "bettertls::pathbuilding::tc77",
];

/// Whether the case's certificate is trusted. What cannot be read is not there.
fn judged(case: &Value) -> bool {
    let list = |name: &str| case[name].as_array().unwrap().iter();
    let read = |pem: &Value| of_anybody(pem.as_str().unwrap()).ok();
    let mut graph = graph();
    let take = |graph: &mut TrustGraph, certificate| {
        graph
            .admit(certificate, Source::Owner, &mut plenty())
            .unwrap();
    };
    let anchors: Vec<_> = list("trusted_certs").filter_map(read).collect();
    let between: Vec<_> = list("untrusted_intermediates").filter_map(read).collect();
    for certificate in anchors.iter().chain(&between) {
        take(&mut graph, certificate);
    }
    for anchor in &anchors {
        if let Some(admitted) = graph.certificate(&anchor.fingerprint()) {
            let identity = admitted.identity();
            graph.add_anchor(&identity).unwrap();
        }
    }
    let Some(peer) = read(&case["peer_certificate"]) else {
        return false;
    };
    take(&mut graph, &peer);
    trusted(&graph, &peer)
}

#[test]
fn every_case_of_x509_limbo_comes_out_right_or_is_named() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/conformance/x509-limbo.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("optional suite not run: x509-limbo missing");
        return;
    };
    let suite: Value = serde_json::from_str(&text).unwrap();
    let (mut theirs, mut ours, mut wrong) = (0, 0, Vec::new());
    for case in suite["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let expected = match expected(case) {
            Expected::Theirs => {
                theirs += 1;
                case["expected_result"] == "SUCCESS"
            }
            Expected::Ours(trusted) => {
                ours += 1;
                trusted
            }
            Expected::Nothing(reason) => {
                println!("{id}: out: {reason}");
                continue;
            }
        };
        if judged(case) != expected {
            wrong.push(id);
        }
    }
    println!("{theirs} as the suite says, {ours} by our own rules");
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(theirs >= 100, "{theirs}");
}

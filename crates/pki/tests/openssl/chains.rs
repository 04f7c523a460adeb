//! Chains of vouchers up to 50 certificates long, and what foreign programs say to them.

use std::process::Command;
use std::time::SystemTime;

use pki::issue::{self, Issuer, Vouched};
use pki::{Certificate, SigningKey};
use ring::rand::SystemRandom;
use station::Callsign;
use station::licence::VouchMethod;

use crate::bench::Bench;

/// So many certificates, the root's first, each signed by the one before.
fn chain(length: usize) -> Vec<Certificate> {
    let (random, now) = (SystemRandom::new(), SystemTime::UNIX_EPOCH);
    let callsign = |at: usize| Callsign::parse(&format!("K{}ABC/{at}", at % 10)).unwrap();
    let mut key = SigningKey::generate(&random).unwrap();
    let root = issue::self_signed_operator(&key, &callsign(0), None, now, &random);
    let mut chain = vec![root.unwrap()];
    for at in 1..length {
        let next = SigningKey::generate(&random).unwrap();
        let by = Issuer {
            certificate: chain.last().unwrap(),
            key: &key,
        };
        let vouched = Vouched {
            callsign: &callsign(at),
            class: None,
            method: VouchMethod::Endorsements,
        };
        let made =
            issue::operator_certificate(by, &next.public_key(), &vouched, now, &random).unwrap();
        chain.push(made);
        key = next;
    }
    chain
}

/// The certificates in PEM, the last one first.
fn from_last(certificates: &[Certificate]) -> String {
    certificates.iter().rev().map(Certificate::to_pem).collect()
}

#[test]
fn openssl_follows_our_chains() {
    let Some(bench) = Bench::new() else { return };
    let chain = chain(50);
    bench.write("root.pem", chain[0].to_pem());
    let verify =
        "verify -x509_strict -check_ss_sig -no_check_time -verify_depth 50 -CAfile root.pem";
    for length in [3, 8, 20, 50] {
        bench.write("middle.pem", from_last(&chain[1..length - 1]));
        bench.write("last.pem", chain[length - 1].to_pem());
        let said = bench.run(&format!("{verify} -untrusted middle.pem last.pem"));
        assert!(said.contains("OK"), "{length}: {said}");
    }
    // A link is missing: it is a judge, not a yes-man.
    bench.write("middle.pem", from_last(&chain[1..48]));
    let line = format!("{verify} -untrusted middle.pem last.pem");
    assert!(!bench.try_run(&line).status.success());
}

#[test]
fn gnutls_follows_our_chains() {
    let Some(bench) = Bench::new() else { return };
    if Command::new("certtool").arg("--version").output().is_err() {
        println!("optional suite not run: certtool (package gnutls-bin) missing");
        return;
    }
    let verifies = |chain: &str| {
        bench.write("chain.pem", chain);
        let mut certtool = Command::new("certtool");
        certtool.args(["--verify", "--load-ca-certificate", "root.pem"]);
        certtool.args(["--infile", "chain.pem"]);
        let output = certtool.current_dir(bench.path("")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (
            output.status.success() && said.contains("The certificate is trusted"),
            said,
        )
    };
    let chain = chain(50);
    bench.write("root.pem", chain[0].to_pem());
    for length in [1, 2, 3, 8, 20, 50] {
        let (trusted, said) = verifies(&from_last(&chain[..length]));
        assert!(trusted, "{length}: {said}");
    }
    let (trusted, _) = verifies(&from_last(&chain[2..]));
    assert!(!trusted, "a link is missing");
}

//! What a chain of certificates costs to believe, beside other verifiers.
//!
//! One chain of each length, made by rcgen, with a leaf that is no CA's, because rustls-webpki takes
//! no other. We admit it issuer first into an empty graph. rustls-webpki follows at most six
//! intermediates, so it has no figure for longer chains. OpenSSL is its command, asked for many
//! verifications at once, less what its start takes; missing where there is none.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use pki::Certificate;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring::ECDSA_P256_SHA256};

use crate::people::{admit, callsign, graph};

pub(crate) fn chains(bench: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let mut group = bench.benchmark_group("chain");
    group.sample_size(20);
    for length in [3, 8, 50, 1000] {
        group.throughput(Throughput::Elements(u64::try_from(length).unwrap()));
        let chain = chain(length);
        let ours: Vec<Certificate> = chain
            .iter()
            .map(|der| Certificate::from_der(der).unwrap())
            .collect();
        group.bench_function(format!("{length}, ours, read before"), |bench| {
            bench.iter_batched_ref(graph, |graph| believe(graph, &ours), BatchSize::SmallInput);
        });
        group.bench_function(format!("{length}, ours, with reading"), |bench| {
            let read = || chain.iter().map(|der| Certificate::from_der(der).unwrap());
            bench.iter_batched_ref(
                graph,
                |graph| believe(graph, &read().collect::<Vec<_>>()),
                BatchSize::SmallInput,
            );
        });
        match webpki(&chain) {
            Ok(()) => {
                group.bench_function(format!("{length}, rustls-webpki"), |bench| {
                    bench.iter(|| webpki(&chain).unwrap());
                });
            }
            Err(error) => println!("chain/{length}, rustls-webpki: refused, {error:?}"),
        }
        write(folder.path(), &ours);
        if openssl(folder.path(), 1).is_none() {
            println!("chain/{length}, openssl: missing, or it refuses");
            continue;
        }
        group.bench_function(format!("{length}, openssl"), |bench| {
            bench.iter_custom(|times| {
                let start = openssl(folder.path(), 1).unwrap();
                let all = openssl(folder.path(), times + 1).unwrap();
                all.saturating_sub(start)
            });
        });
    }
    group.finish();
}

/// Admits the chain below its first certificate, which is made an anchor.
fn believe(graph: &mut pki::TrustGraph, chain: &[Certificate]) {
    let root = admit(graph, &chain[0]);
    graph.add_anchor(&root).unwrap();
    for certificate in &chain[1..] {
        admit(graph, certificate);
    }
    let last = chain[chain.len() - 1].fingerprint();
    assert_eq!(graph.verdict(&last), pki::graph::Verdict::Trusted);
}

/// Reads and verifies the chain as a client's certificate.
fn webpki(chain: &[Vec<u8>]) -> Result<(), webpki::Error> {
    let certificates: Vec<CertificateDer<'_>> =
        chain.iter().map(|der| der.as_slice().into()).collect();
    let (root, leaf) = (&certificates[0], &certificates[chain.len() - 1]);
    let anchors = [anchor_from_trusted_cert(root)?];
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_790_000_000));
    EndEntityCert::try_from(leaf)?
        .verify_for_usage(
            &[ECDSA_P256_SHA256],
            &anchors,
            &certificates[1..chain.len() - 1],
            now,
            KeyUsage::client_auth(),
            None,
            None,
        )
        .map(drop)
}

fn write(folder: &Path, chain: &[Certificate]) {
    let pem = |certificates: &[Certificate]| -> String {
        certificates.iter().map(Certificate::to_pem).collect()
    };
    let (middle, last) = (&chain[1..chain.len() - 1], &chain[chain.len() - 1..]);
    std::fs::write(folder.join("root.pem"), pem(&chain[..1])).unwrap();
    std::fs::write(folder.join("middle.pem"), pem(middle)).unwrap();
    std::fs::write(folder.join("last.pem"), pem(last)).unwrap();
}

/// How long OpenSSL takes for so many verifications. None when it is missing or refuses.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn openssl(folder: &Path, times: u64) -> Option<Duration> {
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(["verify", "-no_check_time", "-verify_depth", "2000"])
        .args(["-CAfile", "root.pem", "-untrusted", "middle.pem"])
        .args((0..times).map(|_| "last.pem"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().ok()?;
    status.success().then(|| start.elapsed())
}

/// The DER of so many certificates, the root's first, each signed by the one before; the last is no
/// CA's.
fn chain(length: usize) -> Vec<Vec<u8>> {
    let params = |at: usize| {
        let mut params = CertificateParams::default();
        params.distinguished_name.remove(DnType::CommonName);
        params
            .distinguished_name
            .push(DnType::CommonName, callsign(at).as_str());
        params.not_after = rcgen::date_time_ymd(4096, 1, 1);
        if at + 1 < length {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        }
        params
    };
    let key = KeyPair::generate().unwrap();
    let mut chain = vec![params(0).self_signed(&key).unwrap().der().to_vec()];
    let mut issuer = Issuer::new(params(0), key);
    for at in 1..length {
        let key = KeyPair::generate().unwrap();
        let made = params(at).signed_by(&key, &issuer).unwrap();
        chain.push(made.der().to_vec());
        issuer = Issuer::new(params(at), key);
    }
    chain
}

//! Licence proofs whose certificates, key file and signature OpenSSL made, in the shapes that
//! Logbook of the World gives them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pki::foreign::key::Kind;
use pki::foreign::{LotwProof, ProofError, prove};
use pki::{Budget, ForeignCertificate, import};
use station::statement::issuing::Applicant;
use station::{Callsign, Fingerprint, KeyId, Statement};

use crate::bench::Bench;

/// The callsign is an attribute of the subject; dates and entity are raw octets, no DER inside.
const CONFIG: &str = "
oid_section = oids
[oids]
lotwCallsign = 1.3.6.1.4.1.12348.1.1
[req]
distinguished_name = none
utf8 = yes
[none]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[user]
basicConstraints = critical,CA:FALSE
keyUsage = digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid,issuer
1.3.6.1.4.1.12348.1.2 = DER:313934352D31312D3135
1.3.6.1.4.1.12348.1.3 = DER:323033302D30312D3031
1.3.6.1.4.1.12348.1.4 = DER:323931
";

/// A root with 4096 bits and SHA-512, an intermediate with 2048, a user with 1024.
fn authorities(bench: &Bench) {
    bench.write("lotw.cnf", CONFIG);
    for (name, bits) in [("root", 4096), ("intermediate", 2048), ("user", 1024)] {
        bench.run(&format!(
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} -out {name}.key"
        ));
    }
    bench.run(
        "req -x509 -new -config lotw.cnf -extensions root -key root.key -sha512 -days 1 \
         -subj /C=US/O=Test/CN=Root -out root.pem",
    );
    issue(
        bench,
        "intermediate",
        "/C=US/O=Test/CN=Production",
        "root",
        "-sha512",
    );
    let user = "/lotwCallsign=K1ABC/CN=Joe/emailAddress=joe@example.org";
    issue(bench, "user", user, "intermediate", "-sha256");
}

fn issue(bench: &Bench, name: &str, subject: &str, by: &str, digest: &str) {
    bench.run(&format!(
        "req -new -config lotw.cnf -key {name}.key -sha256 -subj {subject} -out {name}.csr"
    ));
    bench.run(&format!(
        "x509 -req -in {name}.csr -CA {by}.pem -CAkey {by}.key -CAcreateserial -days 1 {digest} \
         -extfile lotw.cnf -extensions {name} -out {name}.pem"
    ));
}

#[test]
fn a_licence_is_proven_by_what_openssl_makes() {
    let Some(bench) = Bench::new() else { return };
    authorities(&bench);
    let callsign = Callsign::parse("K1ABC").unwrap();
    let (server, nonce) = (Fingerprint::new([7; 32]), "8".repeat(43));
    let applicant = Applicant {
        key: KeyId::new([9; 32]),
        callsign: &callsign,
        class: None,
    };
    let statement = Statement::lotw(server, &nonce, applicant).unwrap();
    bench.write("statement", statement.as_str());
    bench.run("dgst -sha256 -sign user.key -out signature statement");
    let signature = URL_SAFE_NO_PAD.encode(bench.read("signature"));

    let chain = p12_chain(&bench);
    assert_eq!(chain[0].key().kind(), Kind::Rsa(1024));
    let roots = import::read(&bench.read("root.pem"), None).unwrap().foreign;
    let proof = LotwProof {
        chain: &chain,
        signature: &signature,
        server,
        nonce: &nonce,
        applicant,
    };
    let licence = prove(&proof, &roots, &mut Budget::new(9)).unwrap();
    assert_eq!(licence.callsign, callsign);
    assert_eq!(licence.root, roots[0].fingerprint());

    let replayed = LotwProof {
        nonce: &"9".repeat(43),
        ..proof
    };
    let refused = prove(&replayed, &roots, &mut Budget::new(9));
    assert_eq!(refused, Err(ProofError::Signature));
    let elsewhere = LotwProof {
        server: Fingerprint::new([8; 32]),
        ..proof
    };
    let refused = prove(&elsewhere, &roots, &mut Budget::new(9));
    assert_eq!(refused, Err(ProofError::Signature));
    let refused = prove(&proof, &chain[1..], &mut Budget::new(9)).map(|licence| licence.root);
    assert_eq!(
        refused,
        Ok(chain[1].fingerprint()),
        "the owner may pin an intermediate"
    );
    let refused = prove(&proof, &[], &mut Budget::new(9));
    assert_eq!(refused, Err(ProofError::NoRoot));
}

/// The person's certificate and its issuer's, out of .p12 files of every age.
fn p12_chain(bench: &Bench) -> Vec<ForeignCertificate> {
    let read = |name: &str| ForeignCertificate::from_pem(&bench.read_text(name)).unwrap();
    let expected = vec![read("user.pem"), read("intermediate.pem")];
    for options in [
        "",
        "-legacy",
        "-legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-40",
    ] {
        let line = format!(
            "pkcs12 -export -inkey user.key -in user.pem -certfile intermediate.pem -out made.p12 \
             -passout pass:73 {options}"
        );
        if options.contains("-legacy") && !bench.try_run(&line).status.success() {
            println!("optional suite not run: openssl has no legacy provider");
            continue;
        }
        bench.run(&line);
        let bundle = import::read(&bench.read("made.p12"), Some("73")).unwrap();
        assert_eq!(bundle.foreign, expected, "{options}");
        assert!(bundle.stations.is_empty() && bundle.unread.is_empty());
    }
    expected
}

#[test]
fn foreign_certificates_of_every_kind_are_read() {
    let Some(bench) = Bench::new() else { return };
    let mut bundle = String::new();
    for (name, options) in [
        ("rsa", "-newkey rsa:3072 -sha384"),
        (
            "p256",
            "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha256",
        ),
        (
            "p384",
            "-newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384",
        ),
        ("ed25519", "-newkey ed25519"),
        (
            "p521",
            "-newkey ec -pkeyopt ec_paramgen_curve:P-521 -sha512",
        ),
        ("sha1", "-newkey rsa:2048 -sha1"),
    ] {
        bench.run(&format!(
            "req -x509 -new {options} -nodes -keyout {name}.key -subj /O=Club/CN={name} -days 1 -out {name}.pem"
        ));
        bundle.push_str(&bench.read_text(&format!("{name}.pem")));
    }
    let read = import::read(bundle.as_bytes(), None).unwrap();
    let kinds: Vec<Kind> = read.foreign.iter().map(|one| one.key().kind()).collect();
    assert_eq!(
        kinds,
        [Kind::Rsa(3072), Kind::P256, Kind::P384, Kind::Ed25519]
    );
    for certificate in &read.foreign {
        assert!(certificate.may_issue() && certificate.is_signed_by(certificate.key()));
    }
    let places: Vec<usize> = read.unread.iter().map(|unread| unread.place).collect();
    assert_eq!(places, [5, 6]);
}

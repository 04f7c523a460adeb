//! Certificates by what others say of the applicant: operators, Logbook of the World, the blacklist.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pki::ForeignCertificate;
use serde_json::{Value, json};
use station::licence::VouchMethod;
use station::{Fingerprint, Statement};
use support::applying::{Applying, certificate, claimed, code, nonce, waiting};
use support::{Operator, TestServer};

/// Shows the server an operator's certificate.
async fn introduce(server: &TestServer, operator: &Operator) {
    let body = json!({ "certificate": operator.certificate.to_pem() });
    let brought = server
        .signed(operator, "POST", "/api/certificates", Some(&body))
        .await;
    assert_eq!(brought.status, 201, "{brought:?}");
}

fn endorsement(by: &Operator, applicant: &Applying) -> Value {
    let method = VouchMethod::InPerson;
    let statement = Statement::endorse(applicant.stated(None), method).unwrap();
    let signature = by.key.sign(&statement, &by.random).unwrap();
    json!({ "keyId": by.key.key_id(), "signature": signature })
}

fn endorsed(applicant: &Applying, by: &[&Operator]) -> Value {
    let endorsements: Vec<Value> = by.iter().map(|one| endorsement(one, applicant)).collect();
    json!({ "method": "endorsements", "vouchedMethod": "in-person", "endorsements": endorsements })
}

#[tokio::test(flavor = "multi_thread")]
async fn three_operators_who_are_independent_are_enough() {
    let (server, owner) = claimed().await;
    let [one, two, three] = ["K1ABC", "K2ABC", "K3ABC"].map(|call| owner.vouch_for(call));
    // Known by the first of them alone: four keys, one voice.
    let [four, five] = ["K4ABC", "K5ABC"].map(|call| one.vouch_for(call));
    for operator in [&one, &two, &three, &four, &five] {
        introduce(&server, operator).await;
    }
    let somebody = Applying::new("N1XYZ");
    let refused = async |proof: &Value, status: u16, code: &str| {
        let answer = somebody.apply(&server, proof).await;
        assert_eq!(answer.problem(), (status, code.into()), "{answer:?}");
    };
    let stranger = Operator::new("K6ABC");
    let unproven = "license-not-proven";
    refused(
        &endorsed(&somebody, &[&one, &two, &stranger]),
        403,
        unproven,
    )
    .await;
    refused(&endorsed(&somebody, &[&one, &four, &five]), 403, unproven).await;
    refused(&endorsed(&somebody, &[&one, &one, &two]), 403, unproven).await;
    refused(&endorsed(&somebody, &[&one, &two]), 400, "bad-proof").await;
    let mut for_another = endorsed(&somebody, &[&one, &two, &three]);
    for_another["endorsements"][2] = endorsement(&three, &Applying::new("N1XYZ"));
    refused(&for_another, 400, "bad-proof").await;
    let mut other_method = endorsed(&somebody, &[&one, &two, &three]);
    other_method["vouchedMethod"] = json!("document");
    refused(&other_method, 400, "bad-proof").await;
    other_method["vouchedMethod"] = json!("self-asserted");
    refused(&other_method, 400, "bad-proof").await;

    let proof = endorsed(&somebody, &[&one, &two, &three]);
    let issued = certificate(&somebody.apply(&server, &proof).await);
    assert_eq!(issued.licence().unwrap().method, VouchMethod::Endorsements);
    let log = server.get("/api/log").await.json();
    assert!(log["entries"][0]["evidence"].is_string(), "{log}");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blacklisted_key_gets_nothing_and_its_callsign_is_the_owners_to_give() {
    let (server, owner) = claimed().await;
    let (before, after) = (Applying::new("K1ABC"), Applying::new("K1ABC"));
    let of = json!({ "callsign": "K1ABC" });
    let (first, _) = code(&server, &owner, &of).await;
    let proof = before.by_code(&server, &first).await;
    let issued = certificate(&before.apply(&server, &proof).await);
    let path = format!("/api/certificates/{}/blacklist", issued.fingerprint());
    let body = json!({ "scope": "key", "reason": "the laptop was stolen" });
    let listed = server.signed(&owner, "POST", &path, Some(&body)).await;
    assert_eq!(listed.status, 200, "{listed:?}");

    let (second, _) = code(&server, &owner, &of).await;
    let proof = before.by_code(&server, &second).await;
    let refused = before.apply(&server, &proof).await;
    assert_eq!(refused.problem(), (403, "not-issued".into()));
    let proof = after.by_code(&server, &second).await;
    let waits = after.apply(&server, &proof).await;
    assert_eq!(waits.status, 202, "the code was not used up: {waits:?}");
    let listed = waiting(&server, &owner).await;
    assert!(listed[0]["why"].as_str().unwrap().contains("blacklisted"));

    let id = listed[0]["id"].as_str().unwrap();
    let path = format!("/api/requests/{id}/approve");
    let approved = server.signed(&owner, "POST", &path, None).await;
    let issued = certificate(&approved);
    let server = server.restart().await;
    let path = format!("/api/certificates/{}", issued.fingerprint());
    let shown = server.get(&path).await.json();
    assert_eq!(shown["status"], "trusted", "approving is accepting the key");
    server.server.shutdown().await;
}

const CONFIG: &str = "
oid_section = oids
[oids]
lotwCallsign = 1.3.6.1.4.1.12348.1.1
[req]
distinguished_name = none
[none]
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = anything
preserve = yes
[anything]
lotwCallsign = optional
commonName = optional
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[user]
basicConstraints = critical,CA:FALSE
[authority_of_its_own]
basicConstraints = critical,CA:TRUE
";

/// A root of a Logbook of the World, and what it made for K1ABC.
struct Logbook {
    folder: tempfile::TempDir,
}

impl Logbook {
    /// None where this machine has no openssl.
    fn new() -> Option<Self> {
        let there = Command::new("openssl").arg("version").output().is_ok();
        if !there {
            println!("optional suite not run: no openssl");
            return None;
        }
        let made = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(made.path().join("lotw.cnf"), CONFIG).unwrap();
        std::fs::write(made.path().join("index.txt"), "").unwrap();
        for (name, bits) in [("root", 2048), ("user", 1024)] {
            made.run(&format!(
                "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} -out {name}.key"
            ));
        }
        made.run(
            "req -x509 -new -config lotw.cnf -extensions root -key root.key -sha256 -days 1 \
             -subj /CN=Root -out root.pem",
        );
        made.run(
            "req -new -config lotw.cnf -key user.key -subj /lotwCallsign=K1ABC/CN=Joe -out user.csr",
        );
        Some(made)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, line: &str) {
        let ran = Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(self.path())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{line}: {ran:?}");
    }

    /// The user's certificate with these extensions and this end.
    fn certificate(&self, extensions: &str, end: &str) -> String {
        self.run(&format!(
            "ca -batch -notext -config lotw.cnf -cert root.pem -keyfile root.key -in user.csr \
             -extensions {extensions} -startdate 20200101000000Z -enddate {end} -out made.pem"
        ));
        // So that the next may have the same subject.
        std::fs::write(self.path().join("index.txt"), "").unwrap();
        std::fs::read_to_string(self.path().join("made.pem")).unwrap()
    }

    fn signature(&self, server: Fingerprint, nonce: &str, applicant: &Applying) -> String {
        let statement = Statement::lotw(server, nonce, applicant.stated(None)).unwrap();
        std::fs::write(self.path().join("statement"), statement.as_bytes()).unwrap();
        self.run("dgst -sha256 -sign user.key -out signature statement");
        URL_SAFE_NO_PAD.encode(std::fs::read(self.path().join("signature")).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logbook_certificate_proves_a_licence_below_the_owners_roots() {
    let Some(logbook) = Logbook::new() else {
        return;
    };
    let (server, owner) = claimed().await;
    let info = server.get("/api/info").await.json();
    let own: Fingerprint = info["certFingerprint"].as_str().unwrap().parse().unwrap();
    let user = logbook.certificate("user", "99991231235959Z");
    let somebody = Applying::new("K1ABC");
    let proof = async |chain: &str, applicant: &Applying| {
        let nonce = nonce(&server).await;
        let signature = logbook.signature(own, &nonce, applicant);
        json!({ "method": "lotw", "nonce": nonce, "chain": [chain], "signature": signature })
    };
    let refused = async |proof: &Value, applicant: &Applying, status: u16, code: &str| {
        let answer = applicant.apply(&server, proof).await;
        assert_eq!(answer.problem(), (status, code.into()), "{answer:?}");
    };
    let unproven = "license-not-proven";
    let early = proof(&user, &somebody).await;
    refused(&early, &somebody, 403, unproven).await;

    let root = std::fs::read_to_string(logbook.path().join("root.pem")).unwrap();
    let fingerprint = ForeignCertificate::from_pem(&root).unwrap().fingerprint();
    let body = json!({ "bundle": root, "note": "test", "accept": [fingerprint] });
    let added = server
        .signed(&owner, "POST", "/api/anchors", Some(&body))
        .await;
    assert_eq!(added.status, 201, "{added:?}");

    refused(&early, &somebody, 403, "bad-nonce").await;
    let mut replayed = early.clone();
    replayed["nonce"] = json!(nonce(&server).await);
    refused(&replayed, &somebody, 403, unproven).await;
    let thief = Applying::new("K1ABC");
    refused(&proof(&user, &somebody).await, &thief, 403, unproven).await;
    let another = Applying::new("K2ABC");
    refused(&proof(&user, &another).await, &another, 403, unproven).await;
    let authority = logbook.certificate("authority_of_its_own", "99991231235959Z");
    refused(
        &proof(&authority, &somebody).await,
        &somebody,
        400,
        "bad-proof",
    )
    .await;
    refused(&proof("AAAA", &somebody).await, &somebody, 400, "bad-proof").await;

    let good = proof(&user, &somebody).await;
    let issued = certificate(&somebody.apply(&server, &good).await);
    assert_eq!(issued.licence().unwrap().method, VouchMethod::Lotw);
    let log = server.get("/api/log").await.json();
    let user = ForeignCertificate::from_pem(&user).unwrap();
    assert_eq!(
        log["entries"][0]["evidence"],
        user.fingerprint().to_string()
    );

    // The same licence with another key, and a certificate that has ended: the owner decides.
    let other_key = proof(&user.to_pem(), &thief).await;
    assert_eq!(thief.apply(&server, &other_key).await.status, 202);
    let ended = logbook.certificate("user", "20230101000000Z");
    let late = proof(&ended, &somebody).await;
    assert_eq!(somebody.apply(&server, &late).await.status, 202);
    let whys: Vec<Value> = waiting(&server, &owner).await;
    assert!(whys[0]["why"].as_str().unwrap().contains("another key"));
    assert!(whys[1]["why"].as_str().unwrap().contains("ended"));
    server.server.shutdown().await;
}

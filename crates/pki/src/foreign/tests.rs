//! Proofs by the shared vectors (`docs/protocol/vectors/lotw.json`), and what is not read at all.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use station::LicenceClass;
use station::statement::issuing::Applicant;

use super::*;
use crate::budget::Budget;
use crate::issue::tests::{Odd, Person};
use x509_cert::certificate::Version;

fn vectors() -> Value {
    let text = include_str!("../../../../docs/protocol/vectors/lotw.json");
    serde_json::from_str(text).unwrap()
}

/// 2026-01-01.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

/// One case of the vectors.
struct Case {
    chain: Vec<ForeignCertificate>,
    roots: Vec<ForeignCertificate>,
    server: Fingerprint,
    nonce: String,
    key: station::KeyId,
    callsign: Callsign,
    class: Option<LicenceClass>,
    signature: String,
}

impl Case {
    fn read(vectors: &Value, case: &Value) -> Result<Self, ForeignError> {
        let text = |name: &str| case[name].as_str().unwrap();
        let read = |name: &Value| {
            let pem = &vectors["certificates"][name.as_str().unwrap()];
            ForeignCertificate::from_pem(pem.as_str().unwrap())
        };
        let all = |name: &str| -> Result<Vec<ForeignCertificate>, ForeignError> {
            case[name].as_array().unwrap().iter().map(read).collect()
        };
        let class = case["class"].as_str();
        Ok(Self {
            chain: all("chain")?,
            roots: all("roots")?,
            server: text("server").parse().unwrap(),
            nonce: text("nonce").to_owned(),
            key: text("key").parse().unwrap(),
            callsign: text("callsign").parse().unwrap(),
            class: class.map(|class| class.parse().unwrap()),
            signature: text("signature").to_owned(),
        })
    }

    fn prove(&self, budget: &mut Budget) -> Result<Licence, ProofError> {
        let proof = LotwProof {
            chain: &self.chain,
            signature: &self.signature,
            server: self.server,
            nonce: &self.nonce,
            applicant: Applicant {
                key: self.key,
                callsign: &self.callsign,
                class: self.class.as_ref(),
            },
        };
        prove(&proof, &self.roots, budget)
    }
}

fn word(outcome: &Result<Licence, ProofError>) -> &'static str {
    match outcome {
        Ok(licence) if licence.expired(now()) => "expired",
        Ok(_) => "proven",
        Err(ProofError::Empty) => "empty",
        Err(ProofError::TooLong) => "too-long",
        Err(ProofError::Authority) => "authority",
        Err(ProofError::NoCallsign) => "no-callsign",
        Err(ProofError::OtherCallsign(_)) => "other-callsign",
        Err(ProofError::NotRsa) => "not-rsa",
        Err(ProofError::MayNotIssue(_)) => "may-not-issue",
        Err(ProofError::PathLength(_)) => "path-length",
        Err(ProofError::Broken(_)) => "broken",
        Err(ProofError::NoRoot) => "no-root",
        Err(ProofError::Field(_)) => "field",
        Err(ProofError::Signature) => "signature",
        Err(ProofError::Budget) => "budget",
    }
}

#[test]
fn every_proof_comes_out_as_the_shared_vectors_say() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        let (what, expected) = (&case["what"], case["expect"].as_str().unwrap());
        let Ok(read) = Case::read(&vectors, case) else {
            assert_eq!(expected, "unread", "{what}");
            continue;
        };
        let mut budget = Budget::new(100);
        let outcome = read.prove(&mut budget);
        assert_eq!(word(&outcome), expected, "{what}: {outcome:?}");
        assert!(100 - budget.left() <= MAX_CHECKS, "{what}");
        if let Ok(licence) = outcome {
            assert_eq!(licence.callsign, read.callsign);
            assert_eq!(licence.certificate, read.chain[0].fingerprint());
        }
    }
    assert_eq!(cases.len(), 37);
}

#[test]
fn a_proof_costs_what_the_budget_allows() {
    let vectors = vectors();
    let case = Case::read(&vectors, &vectors["cases"][0]).unwrap();
    // The statement's signature, the person's certificate, the intermediate's.
    let mut exact = Budget::new(3);
    assert!(case.prove(&mut exact).is_ok());
    assert_eq!(exact.left(), 0);
    for less in 0..3 {
        let outcome = case.prove(&mut Budget::new(less));
        assert_eq!(outcome, Err(ProofError::Budget));
    }
}

#[test]
fn what_a_certificate_says_is_read() {
    let vectors = vectors();
    let case = Case::read(&vectors, &vectors["cases"][0]).unwrap();
    let [user, intermediate] = &case.chain[..] else {
        panic!("two certificates")
    };
    assert_eq!(user.callsign().map(Callsign::as_str), Some("K1ABC"));
    assert_eq!(user.key().kind(), key::Kind::Rsa(1024));
    assert!(!user.is_ca() && !user.may_issue() && !user.is_self_issued());
    assert!(user.not_before() < user.not_after());
    assert!(intermediate.may_issue() && intermediate.callsign().is_none());
    assert_eq!(intermediate.path_length(), Some(0));
    assert!(
        intermediate
            .subject_text()
            .contains("Test Logbook Production CA")
    );
    assert!(user.is_signed_by(intermediate.key()));
    assert!(case.roots[0].is_self_issued() && case.roots[0].is_signed_by(case.roots[0].key()));
    assert_eq!(
        ForeignCertificate::from_pem(&user.to_pem()).as_ref(),
        Ok(user)
    );
    assert_eq!(
        ForeignKey::from_spki(user.spki()).as_ref(),
        Some(user.key())
    );
}

#[test]
fn a_stations_certificate_can_be_read_as_a_foreign_one() {
    let own = Person::new("W1AW").certificate;
    let foreign = ForeignCertificate::from_der(own.der()).unwrap();
    assert_eq!(foreign.fingerprint(), own.fingerprint());
    assert_eq!(foreign.key().kind(), key::Kind::P256);
    assert!(foreign.is_signed_by(foreign.key()) && foreign.callsign().is_none());
    assert_eq!(foreign.subject_text(), "CN=W1AW");
}

#[test]
fn each_deviation_is_refused_by_its_name() {
    let person = Person::new("W1AW");
    let odd = |change: &dyn Fn(&mut Odd)| {
        let made = person.forge("W1AW", &person.key.public_key(), change);
        ForeignCertificate::from_der(&made)
    };
    for version in [Version::V1, Version::V2] {
        let made = odd(&|odd| odd.version(version));
        assert_eq!(made, Err(ForeignError::Version));
    }
    for serial in [&[0][..], &[0x80], &[0x01; 21], &[0x01; 40], &[]] {
        let made = odd(&|odd| odd.serial(serial));
        assert_eq!(made, Err(ForeignError::Serial), "{serial:?}");
    }
    let sha384_inside = odd(&|odd| odd.algorithm("1.2.840.10045.4.3.3"));
    assert_eq!(sha384_inside, Err(ForeignError::SignatureAlgorithm));
    let mut compressed = *person.key.public_key().spki();
    compressed[26] = 2;
    let made = odd(&|odd| odd.public_key(&compressed));
    assert_eq!(made, Err(ForeignError::Key));

    let oid = "1.3.6.1.4.1.32473.1";
    assert!(odd(&|odd| odd.extension(oid, false, b"not DER")).is_ok());
    let critical = |oid: &str| Err(ForeignError::CriticalExtension(oid.to_owned()));
    assert_eq!(odd(&|odd| odd.extension(oid, true, &[5, 0])), critical(oid));
    let constraints = odd(&|odd| odd.extension("2.5.29.30", false, &[0x30, 0]));
    assert_eq!(constraints, critical("2.5.29.30"));
    let twice = odd(&|odd| odd.add_extension("2.5.29.14", false, &[4, 1, 7]));
    let expected = ForeignError::DuplicateExtension("2.5.29.14".to_owned());
    assert_eq!(twice, Err(expected));
    for known in ["2.5.29.15", "2.5.29.19"] {
        let made = odd(&|odd| odd.extension(known, false, &[0x30, 1, 2, 3]));
        let malformed = matches!(made, Err(ForeignError::Extension(_)));
        assert!(malformed, "{known}: {made:?}");
    }
    // A path length beyond what a byte holds is no path that anybody builds.
    let long = odd(&|odd| odd.extension("2.5.29.19", true, &[0x30, 7, 1, 1, 255, 2, 2, 1, 0]));
    assert_eq!(long, Err(ForeignError::Extension("basic constraints")));
}

#[test]
fn a_subject_is_shown_without_what_disturbs() {
    let person = Person::new("W1AW");
    let subject = |text: &str| {
        let odd = |odd: &mut Odd| odd.subject(&[("2.5.4.3", text)]);
        let made = person.forge("W1AW", &person.key.public_key(), odd);
        let made = ForeignCertificate::from_der(&made).unwrap();
        made.subject_text().to_owned()
    };
    assert_eq!(subject("Club, inc"), "CN=Club\\, inc");
    assert_eq!(subject("a\u{202e}gro\u{200b}.\u{85}b"), "CN=agro.b");
    assert_eq!(subject(&"é".repeat(400)).chars().count(), MAX_SUBJECT);
}

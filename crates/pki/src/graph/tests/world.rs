//! People, keys and certificates, made cheaply.

use std::time::{Duration, SystemTime};

use der::Encode as _;
use der::asn1::BitString;
use ring::rand::SystemRandom;
use station::licence::VouchMethod;
use station::{Callsign, Identity};

use crate::certificate::Certificate;
use crate::graph::{Budget, Limits, Source, State, TrustGraph, Verdict};
use crate::issue::{self, Issuer, Vouched};
use crate::key::SigningKey;

/// Somebody: a key and the certificate it gave itself.
pub(super) struct Person {
    pub(super) key: SigningKey,
    pub(super) own: Certificate,
}

pub(super) fn person(callsign: &str) -> Person {
    with_key(
        SigningKey::generate(&SystemRandom::new()).unwrap(),
        callsign,
    )
}

pub(super) fn with_key(key: SigningKey, callsign: &str) -> Person {
    let callsign = Callsign::parse(callsign).unwrap();
    let random = SystemRandom::new();
    let own = issue::self_signed_operator(&key, &callsign, None, time(), &random).unwrap();
    Person { key, own }
}

/// The same key again, for another name.
pub(super) fn same_key(person: &Person) -> SigningKey {
    SigningKey::from_pkcs8(&person.key.to_pkcs8(), &SystemRandom::new()).unwrap()
}

impl Person {
    /// A certificate by which this person vouches for the other.
    pub(super) fn vouch(&self, other: &Person) -> Certificate {
        let issuer = Issuer {
            certificate: &self.own,
            key: &self.key,
        };
        let vouched = Vouched {
            callsign: other.own.callsign(),
            class: None,
            method: VouchMethod::InPerson,
        };
        let holder = other.key.public_key();
        issue::operator_certificate(issuer, &holder, &vouched, time(), &SystemRandom::new())
            .unwrap()
    }

    /// The same, but the other may not issue: the key usage lacks keyCertSign.
    pub(super) fn vouch_as_leaf(&self, other: &Person) -> Certificate {
        let made = self.vouch(other);
        let tbs = patched(
            made.tbs(),
            &[0x03, 0x02, 0x01, 0x86],
            &[0x03, 0x02, 0x01, 0x82],
        );
        let leaf = self.sign(&tbs);
        assert!(!leaf.may_issue());
        leaf
    }

    /// Signs a TBSCertificate anew.
    pub(super) fn sign(&self, tbs: &[u8]) -> Certificate {
        let signature = self.key.sign_tbs(tbs, &SystemRandom::new()).unwrap();
        assembled(tbs, &signature)
    }
}

/// A certificate of these parts, whether or not they fit.
pub(super) fn assembled(tbs: &[u8], signature: &[u8]) -> Certificate {
    let algorithm = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let signature = BitString::from_bytes(signature).unwrap().to_der().unwrap();
    let body = [tbs, algorithm, &signature].concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    Certificate::from_der(&[&[0x30, 0x82], &length[..], &body].concat()).unwrap()
}

pub(super) fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut places = bytes.windows(from.len()).enumerate();
    let (at, _) = places.find(|(_, window)| *window == from).unwrap();
    let mut patched = bytes.to_vec();
    patched[at..at + to.len()].copy_from_slice(to);
    patched
}

pub(super) fn graph() -> TrustGraph {
    TrustGraph::new(Limits::default())
}

pub(super) fn plenty() -> Budget {
    Budget::new(1_000_000)
}

pub(super) const LINK: Source = Source::Stranger {
    link: 1,
    origin: 1,
    trusted: false,
};

/// The owner brings a certificate.
pub(super) fn bring(graph: &mut TrustGraph, certificate: &Certificate) -> Identity {
    match graph
        .admit(certificate, Source::Owner, &mut plenty())
        .unwrap()
        .state
    {
        State::Admitted(identity) | State::Held(identity) => identity,
        State::Waiting => panic!("the issuer is not known"),
    }
}

/// The owner brings a certificate and trusts its holder.
pub(super) fn anchor(graph: &mut TrustGraph, person: &Person) -> Identity {
    let identity = bring(graph, &person.own);
    graph.add_anchor(&identity).unwrap();
    identity
}

pub(super) fn trusted(graph: &TrustGraph, certificate: &Certificate) -> bool {
    graph.verdict(&certificate.fingerprint()) == Verdict::Trusted
}

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

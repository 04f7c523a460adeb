//! People, keys and certificates for the benchmarks.

use std::time::{Duration, SystemTime};

use pki::graph::{Budget, Limits, Source, State};
use pki::issue::{self, Issuer, Vouched};
use pki::{Certificate, Identity, SigningKey, TrustGraph};
use ring::rand::SystemRandom;
use station::Callsign;
use station::licence::VouchMethod;

pub(crate) struct Person {
    pub(crate) key: SigningKey,
    pub(crate) own: Certificate,
}

impl Person {
    pub(crate) fn new(at: usize) -> Self {
        let random = SystemRandom::new();
        let key = SigningKey::generate(&random).unwrap();
        let own = issue::self_signed_operator(&key, &callsign(at), None, time(), &random).unwrap();
        Self { key, own }
    }

    pub(crate) fn vouch(&self, other: &Self) -> Certificate {
        self.vouch_as(other, other.own.callsign())
    }

    pub(crate) fn vouch_as(&self, other: &Self, callsign: &Callsign) -> Certificate {
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

pub(crate) fn graph() -> TrustGraph {
    TrustGraph::new(Limits::default())
}

pub(crate) fn admit(graph: &mut TrustGraph, certificate: &Certificate) -> Identity {
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

pub(crate) fn anchor(graph: &mut TrustGraph, person: &Person) {
    let identity = admit(graph, &person.own);
    graph.add_anchor(&identity).unwrap();
}

/// K0AAAA, K0AAAB and so on.
pub(crate) fn callsign(at: usize) -> Callsign {
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

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

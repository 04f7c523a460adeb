use std::slice::from_ref;

use super::*;
use crate::issue::tests::{Person, callsign, new_key};

struct Sent {
    certificate: Certificate,
    chain: Vec<Certificate>,
    server: Certificate,
    callsign: Callsign,
    key: PublicKey,
}

impl Sent {
    /// W1AW's claim with a self-signed certificate.
    fn by(owner: &Person) -> Self {
        let key = new_key().public_key();
        Self {
            certificate: owner.certificate.clone(),
            chain: Vec::new(),
            server: owner.server(&key),
            callsign: callsign("W1AW"),
            key,
        }
    }

    fn verify(&self) -> Result<VerifiedClaim, ClaimError> {
        let chain: Vec<_> = self.chain.iter().map(Certificate::to_pem).collect();
        Claim {
            certificate: &self.certificate.to_pem(),
            chain: &chain,
            server_certificate: &self.server.to_pem(),
            callsign: &self.callsign,
            server_key: &self.key,
        }
        .verify()
    }
}

#[test]
fn a_self_signed_operator_takes_the_server() {
    let sent = Sent::by(&Person::new("W1AW"));
    let claim = sent.verify().unwrap();
    assert_eq!(**claim.owner(), sent.certificate);
    assert_eq!(**claim.server(), sent.server);
    assert!(claim.chain().is_empty());
    // Some programs send the certificate itself as the chain.
    let with_itself = Sent {
        chain: vec![sent.certificate.clone()],
        ..sent
    };
    assert_eq!(with_itself.verify(), Ok(claim));
}

#[test]
fn an_issued_operator_brings_the_chain() {
    let root = Person::new("K1ABC");
    let middle = root.vouch("K2DEF");
    let owner = middle.vouch("W1AW");
    let chain = [&middle, &root].map(|person| person.certificate.clone());
    let sent = Sent {
        chain: chain.to_vec(),
        ..Sent::by(&owner)
    };
    let claim = sent.verify().unwrap();
    let found: Vec<_> = claim
        .chain()
        .iter()
        .map(|admitted| (**admitted).clone())
        .collect();
    assert_eq!(found, chain);

    let chained = |chain: &[&Person]| {
        let chain = chain
            .iter()
            .map(|person| person.certificate.clone())
            .collect();
        Sent {
            chain,
            ..Sent::by(&owner)
        }
        .verify()
    };
    let next = |part| Err(ClaimError::NotSignedByNext(part));
    assert_eq!(chained(&[]), Err(ClaimError::ChainEnds));
    assert_eq!(chained(&[&middle]), Err(ClaimError::ChainEnds));
    assert_eq!(chained(&[&root, &middle]), next(Part::Operator));
    assert_eq!(
        chained(&[&middle, &root, &middle]),
        Err(ClaimError::ChainGoesOn)
    );
    assert_eq!(
        chained(&[&middle, &Person::new("K1ABC")]),
        next(Part::Chain(0))
    );
    assert_eq!(
        chained(&[&owner, &middle, &Person::new("K1ABC")]),
        next(Part::Chain(1))
    );
    assert_eq!(
        chained(&[&root; MAX_CHAIN + 1]),
        Err(ClaimError::ChainTooLong)
    );
}

#[test]
fn the_callsigns_are_one() {
    let owner = Person::new("W1AW");
    let sent = Sent {
        callsign: callsign("K1ABC"),
        ..Sent::by(&owner)
    };
    let (w1aw, k1abc) = (callsign("W1AW"), callsign("K1ABC"));
    let wrong = |part| Err(ClaimError::Callsign(part, w1aw.clone(), k1abc.clone()));
    assert_eq!(sent.verify(), wrong(Part::Operator));
    let other = Person::new("K1ABC");
    let sent = Sent {
        certificate: other.certificate.clone(),
        callsign: k1abc.clone(),
        ..sent
    };
    assert_eq!(sent.verify(), wrong(Part::Server));
}

#[test]
fn the_server_certificate_is_this_servers_and_the_operators() {
    let owner = Person::new("W1AW");
    let sent = Sent {
        key: new_key().public_key(),
        ..Sent::by(&owner)
    };
    assert_eq!(sent.verify(), Err(ClaimError::AnotherServer));

    let namesake = Person::new("W1AW");
    let sent = Sent {
        certificate: namesake.certificate.clone(),
        ..Sent::by(&owner)
    };
    assert_eq!(sent.verify(), Err(ClaimError::ServerSignature));

    let mut sent = Sent::by(&owner);
    sent.server = owner.issue("W1AW", &sent.key);
    assert_eq!(sent.verify(), Err(ClaimError::ServerUnit));

    let unit = [("2.5.4.3", "W1AW"), ("2.5.4.11", "Server")];
    let forged = owner.forge("W1AW", &sent.key, |odd| {
        odd.subject(&unit);
        odd.extension("2.5.29.19", true, &[0x30, 0]);
    });
    sent.server = Certificate::from_der(&forged).unwrap();
    assert_eq!(sent.verify(), Err(ClaimError::MayNotIssue(Part::Server)));

    let licence = owner.certificate.licence().unwrap().to_der().unwrap();
    let forged = owner.forge("W1AW", &sent.key, |odd| {
        odd.subject(&unit);
        odd.extension(&crate::licence::OID.to_string(), false, &licence);
    });
    sent.server = Certificate::from_der(&forged).unwrap();
    assert_eq!(sent.verify(), Err(ClaimError::ServerLicence));
}

#[test]
fn the_operators_certificate_is_a_persons_and_may_issue() {
    let owner = Person::new("W1AW");
    let mut sent = Sent::by(&owner);
    sent.certificate = sent.server.clone();
    assert_eq!(sent.verify(), Err(ClaimError::OperatorIsServer));

    let forged = owner.forge("W1AW", owner.certificate.public_key(), |odd| {
        odd.extension("2.5.29.19", true, &[0x30, 0]);
    });
    sent.certificate = Certificate::from_der(&forged).unwrap();
    assert_eq!(sent.verify(), Err(ClaimError::MayNotIssue(Part::Operator)));

    // Issuer and subject are one name, but the key inside did not sign.
    let other = Person::new("W1AW");
    sent.certificate = other.issue("W1AW", owner.certificate.public_key());
    assert_eq!(
        sent.verify(),
        Err(ClaimError::SelfSignature(Part::Operator))
    );
    // With the key above it, that is a re-key, and holds.
    sent.chain = vec![other.certificate.clone()];
    assert!(sent.verify().is_ok());
}

#[test]
fn what_cannot_be_read_is_named() {
    let sent = Sent::by(&Person::new("W1AW"));
    let (good, server) = (sent.certificate.to_pem(), sent.server.to_pem());
    let junk = "junk".to_owned();
    let claim = Claim {
        certificate: &good,
        chain: &[],
        server_certificate: &server,
        callsign: &sent.callsign,
        server_key: &sent.key,
    };
    let part = |claim: Claim<'_>| match claim.verify() {
        Err(ClaimError::Certificate(part, _)) => part,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        part(Claim {
            certificate: &junk,
            ..claim
        }),
        Part::Operator
    );
    assert_eq!(
        part(Claim {
            chain: from_ref(&junk),
            ..claim
        }),
        Part::Chain(0)
    );
    assert_eq!(
        part(Claim {
            server_certificate: &junk,
            ..claim
        }),
        Part::Server
    );
}

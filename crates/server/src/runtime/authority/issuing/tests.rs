use std::net::{IpAddr, Ipv4Addr};

use pki::issue::{Issuer, self_signed_operator, server_certificate};
use pki::log::Tip;
use pki::{Certificate, SigningKey};
use store::Issuance;

use super::*;
use crate::runtime::{ClaimRequest, lock};

/// A server of W1AW's.
fn claimed(folder: &std::path::Path) -> Issuing {
    let (random, now) = (SystemRandom::new(), SystemTime::now());
    let ownership = Ownership::open(folder, folder, &random).unwrap();
    let key = SigningKey::generate(&random).unwrap();
    let callsign = "W1AW".parse().unwrap();
    let owner = self_signed_operator(&key, &callsign, None, now, &random).unwrap();
    let issuer = Issuer {
        certificate: &owner,
        key: &key,
    };
    let public = ownership.key().public_key();
    let server = server_certificate(issuer, &public, now, &random).unwrap();
    ownership
        .accept(&ClaimRequest {
            callsign: &callsign,
            certificate: &owner.to_pem(),
            chain: &[],
            server_certificate: &server.to_pem(),
            station: store::Station::default(),
            open_to_network: false,
            proof: None,
        })
        .unwrap();
    let authority = Authority::open(ownership.store()).unwrap();
    Issuing::open(Arc::new(ownership), Arc::new(authority), 10).unwrap()
}

/// The same server after a restart.
fn restarted(folder: &std::path::Path) -> Issuing {
    let ownership = Ownership::open(folder, folder, &SystemRandom::new()).unwrap();
    let authority = Authority::open(ownership.store()).unwrap();
    Issuing::open(Arc::new(ownership), Arc::new(authority), 10).unwrap()
}

/// Somebody who shows a document, from the network with this number.
fn shows_a_document(issuing: &Issuing, network: u8) -> Result<Outcome, IssueFailure> {
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    let applicant = Applicant {
        key: key.public_key(),
        callsign: "K1ABC".parse().unwrap(),
        class: None,
    };
    let proof = Proof::Document {
        note: "a photograph".to_owned(),
    };
    let from = AddressGroup::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, network)));
    issuing.apply(&applicant, &proof, from, Instant::now())
}

fn held(issuing: &Issuing) -> usize {
    issuing.authority.look(TrustGraph::len)
}

#[test]
fn nothing_is_promised_that_could_not_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let issuing = claimed(folder.path());
    let random = SystemRandom::new();
    let code = issuing.make_code("K1ABC".parse().unwrap(), None).unwrap();
    let applicant = Applicant {
        key: SigningKey::generate(&random).unwrap().public_key(),
        callsign: "K1ABC".parse().unwrap(),
        class: None,
    };
    let nonce = "A".repeat(43);
    let statement = station::Statement::issue(&nonce, applicant.stated()).unwrap();
    let proof = Proof::Code {
        nonce,
        hmac: code.code.hmac(&statement),
    };
    let from = AddressGroup::of(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let apply = || issuing.apply(&applicant, &proof, from, Instant::now());

    // The place of the next entry is taken on the disk, so the log's entry is the one write that fails.
    let store = issuing.ownership.store();
    let taken = Issuance {
        place: 0,
        entry: "somebody else's".to_owned(),
        head: [7; 32],
    };
    let put = |change: &store::Change<'_>| change.append_issuance(&taken);
    lock(&store).change(put).unwrap();
    let before = held(&issuing);
    let failed = apply();
    assert!(matches!(failed, Err(IssueFailure::Store(_))), "{failed:?}");
    assert_eq!(held(&issuing), before, "no certificate in the graph");
    assert_eq!(lock(&store).certificates().unwrap().len(), before);
    assert_eq!(issuing.codes().len(), 1, "the code is not used up");
    assert_eq!(lock(&store).codes().unwrap().len(), 1);

    // What was read back is the disk's, and from there it goes on.
    let Ok(Outcome::Issued(Grant { certificate, .. })) = apply() else {
        panic!("it is issued now");
    };
    let stored = lock(&store).certificates().unwrap();
    let stored = stored.iter().map(|stored| &*stored.certificate);
    let stored: Vec<&Certificate> = stored.collect();
    assert!(stored.contains(&&certificate));
    assert!(issuing.codes().is_empty());
    let Tip { size, .. } = issuing.checkpoint().unwrap().tip;
    assert_eq!(size, 2);
}

#[test]
fn sixty_four_requests_wait_and_a_decision_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let issuing = claimed(folder.path());
    let mut waiting = Vec::new();
    for network in 0..16 {
        for _ in 0..MOST_WAITING_EACH {
            match shows_a_document(&issuing, network) {
                Ok(Outcome::Waits { request, .. }) => waiting.push(request),
                other => panic!("{other:?}"),
            }
        }
        let more = shows_a_document(&issuing, network);
        let full = matches!(more, Err(IssueFailure::GroupFull | IssueFailure::QueueFull));
        assert!(full, "{more:?}");
    }
    assert_eq!(waiting.len(), MOST_WAITING);
    let full = |issuing: &Issuing| {
        let more = shows_a_document(issuing, 200);
        matches!(more, Err(IssueFailure::QueueFull))
    };
    assert!(full(&issuing));
    // Nor is there more room after a restart.
    drop(issuing);
    let issuing = restarted(folder.path());
    assert!(full(&issuing));

    issuing.refuse(waiting[5], "unreadable".to_owned()).unwrap();
    assert!(shows_a_document(&issuing, 200).is_ok());
    assert!(full(&issuing));
    issuing
        .approve(waiting[9], None, None, Instant::now())
        .unwrap();
    assert!(shows_a_document(&issuing, 201).is_ok());
    assert!(full(&issuing));
}

#[test]
fn two_hundred_and_fifty_six_codes_are_open_and_one_taken_back_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let issuing = claimed(folder.path());
    let make = |issuing: &Issuing| issuing.make_code("K1ABC".parse().unwrap(), None);
    for _ in 0..MOST_CODES {
        make(&issuing).unwrap();
    }
    assert!(matches!(make(&issuing), Err(IssueFailure::CodesFull)));
    drop(issuing);
    let issuing = restarted(folder.path());
    let open = issuing.codes();
    assert_eq!(open.len(), MOST_CODES);
    assert!(matches!(make(&issuing), Err(IssueFailure::CodesFull)));
    issuing.remove_code(open[100].id).unwrap();
    make(&issuing).unwrap();
    assert!(matches!(make(&issuing), Err(IssueFailure::CodesFull)));
}

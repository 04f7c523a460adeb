//! Codes, requests and the log.

use pki::{Code, PublicKey};
use ring::rand::SystemRandom;
use station::Identity;

use super::*;
use crate::requests::DECIDED_KEPT;

pub(super) fn code(id: u8) -> IssueCode {
    IssueCode {
        id: RandomId::new([id; 16]),
        code: Code::generate(&SystemRandom::new()).unwrap(),
        callsign: Callsign::parse("K1ABC").unwrap(),
        licence_class: Some(LicenceClass::parse("Full").unwrap()),
        created_at: 1_790_000_000,
    }
}

fn key() -> PublicKey {
    SigningKey::generate(&SystemRandom::new())
        .unwrap()
        .public_key()
}

fn request(id: u128, public_key: PublicKey) -> Request {
    Request {
        id: RandomId::new(id.to_be_bytes()),
        public_key,
        callsign: Callsign::parse("K1ABC").unwrap(),
        licence_class: None,
        method: VouchMethod::Document,
        note: Some("my licence is at qrz\n73".into()),
        evidence: Some([9; 32]),
        why: "a document needs the owner's eyes".into(),
        link: u64::MAX - 1,
        created_at: 3,
        state: RequestState::Waiting,
    }
}

fn issuance(place: u64) -> Issuance {
    Issuance {
        place,
        entry: format!("entry {place}\nwith two lines"),
        head: [u8::try_from(place).unwrap(); 32],
    }
}

/// A row in every table of this file.
pub(super) fn fill(store: &mut Store) {
    store
        .change(|change| {
            change.add_code(&code(1))?;
            change.add_request(&request(1, key()))?;
            change.append_issuance(&issuance(0))
        })
        .unwrap();
}

#[test]
fn a_code_is_kept_until_it_is_used() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let (one, mut two) = (code(2), code(1));
    two.licence_class = None;
    store
        .change(|change| change.add_code(&one).and_then(|()| change.add_code(&two)))
        .unwrap();
    drop(store);
    let mut store = Store::open(&path).unwrap();
    let kept = store.codes().unwrap();
    assert_eq!(kept.len(), 2);
    for (kept, made) in kept.iter().zip([&one, &two]) {
        assert_eq!(
            (kept.id, kept.code.to_string(), kept.created_at),
            (made.id, made.code.to_string(), made.created_at)
        );
        assert_eq!(
            (&kept.callsign, &kept.licence_class),
            (&made.callsign, &made.licence_class)
        );
    }
    assert!(store.change(|change| change.remove_code(&one.id)).unwrap());
    assert!(!store.change(|change| change.remove_code(&one.id)).unwrap());
    assert_eq!(store.codes().unwrap().len(), 1);
}

#[test]
fn a_request_waits_and_is_decided_once() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let (first, second) = (request(1, key()), request(2, key()));
    store
        .change(|change| {
            change.add_request(&first)?;
            change.add_request(&second)
        })
        .unwrap();
    let twice = request(3, first.public_key);
    assert!(store.change(|change| change.add_request(&twice)).is_err());
    drop(store);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(
        store.waiting_requests().unwrap(),
        [first.clone(), second.clone()]
    );
    let decide = |store: &mut Store, request: &Request, state: &RequestState| {
        store.change(|change| change.decide_request(&request.id, state))
    };
    let issued = RequestState::Issued(Identity::new([5; 32]));
    let refused = RequestState::Refused("who are you?".into());
    decide(&mut store, &first, &issued).unwrap();
    decide(&mut store, &second, &refused).unwrap();
    assert!(matches!(
        decide(&mut store, &first, &refused),
        Err(StoreError::Missing(_))
    ));
    assert!(store.waiting_requests().unwrap().is_empty());
    let state = |request: &Request| store.request(&request.id).unwrap().unwrap().state;
    assert_eq!((state(&first), state(&second)), (issued, refused));
    assert_eq!(store.request(&twice.id).unwrap(), None);
    store.change(|change| change.add_request(&twice)).unwrap();
}

#[test]
fn old_decided_requests_are_forgotten_and_waiting_ones_are_not() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let waiting = request(0, key());
    let (last, public_key) = (u128::from(DECIDED_KEPT) + 1, key());
    store
        .change(|change| {
            change.add_request(&waiting)?;
            for id in 1..=last {
                let request = request(id, public_key);
                change.add_request(&request)?;
                change.decide_request(&request.id, &RequestState::Refused("no".into()))?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let known = |id: u128| {
        let found = store.request(&RandomId::new(id.to_be_bytes()));
        found.unwrap().is_some()
    };
    assert!(known(0) && !known(1) && known(2) && known(last));
}

#[test]
fn the_log_is_only_added_to() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.last_issuance().unwrap(), None);
    let append =
        |store: &mut Store, place| store.change(|change| change.append_issuance(&issuance(place)));
    assert!(matches!(append(&mut store, 1), Err(StoreError::Missing(_))));
    for place in 0..5 {
        append(&mut store, place).unwrap();
    }
    for wrong in [0, 4, 6] {
        assert!(append(&mut store, wrong).is_err(), "{wrong}");
    }
    assert_eq!(store.last_issuance().unwrap(), Some(issuance(4)));
    assert_eq!(store.issuances(2, 2).unwrap(), [issuance(2), issuance(3)]);
    assert_eq!(store.issuances(5, 2).unwrap(), []);
    let rewritten = "UPDATE issuance SET entry = 'another' WHERE place = 1";
    assert!(store.connection.execute(rewritten, []).is_err());
}

#[test]
fn names_that_cannot_be_guessed_are_read_as_they_are_written() {
    let id = RandomId::new(std::array::from_fn(|place| u8::try_from(place).unwrap()));
    assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0e0f");
    assert_eq!(RandomId::parse(&id.to_string()), Some(id));
    let upper = id.to_string().to_uppercase();
    for wrong in ["", "00", &upper, &"+".repeat(32), &format!("{id}0")] {
        assert_eq!(RandomId::parse(wrong), None, "{wrong}");
    }
}

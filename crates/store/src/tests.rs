//! Real files in temporary folders. `kill` is the one that pulls the plug.

mod authority;
mod issuing;
mod kill;

use std::time::{Duration, SystemTime};

use pki::claim::Claim as Sent;
use pki::graph::Source;
use pki::issue::{self, Issuer, Vouched};
use pki::{Certificate, SigningKey, VerifiedClaim};
use ring::rand::SystemRandom;
use rusqlite::Connection;
use station::licence::VouchMethod;
use station::{Callsign, Grid, Identity, LicenceClass, Zone};
use tempfile::TempDir;

use super::*;
use crate::schema::{MIGRATIONS, version};

fn folder() -> (TempDir, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ham.db");
    (folder, path)
}

/// W1AW's claim; with an elmer, whose certificate stands above the owner's.
fn claim(elmer: bool) -> VerifiedClaim {
    let (random, time) = (
        SystemRandom::new(),
        SystemTime::UNIX_EPOCH + Duration::from_secs(1),
    );
    let [root_key, owner_key, server] = [(); 3].map(|()| SigningKey::generate(&random).unwrap());
    let [w1aw, k1abc] = ["W1AW", "K1ABC"].map(|call| Callsign::parse(call).unwrap());
    let self_signed =
        |key, call| issue::self_signed_operator(key, call, None, time, &random).unwrap();
    let (owner, chain) = if elmer {
        let root = self_signed(&root_key, &k1abc);
        let by = Issuer {
            certificate: &root,
            key: &root_key,
        };
        let licence = Vouched {
            callsign: &w1aw,
            class: None,
            method: VouchMethod::InPerson,
        };
        let holder = owner_key.public_key();
        let owner = issue::operator_certificate(by, &holder, &licence, time, &random).unwrap();
        (owner, vec![root.to_pem()])
    } else {
        (self_signed(&owner_key, &w1aw), Vec::new())
    };
    let by = Issuer {
        certificate: &owner,
        key: &owner_key,
    };
    let server_key = server.public_key();
    let server = issue::server_certificate(by, &server_key, time, &random).unwrap();
    let sent = Sent {
        certificate: &owner.to_pem(),
        chain: &chain,
        server_certificate: &server.to_pem(),
        callsign: &w1aw,
        server_key: &server_key,
    };
    sent.verify().unwrap()
}

fn station() -> Station {
    Station {
        name: Some("Hiram Percy Maxim".to_owned()),
        grid: Some(Grid::parse("FN31pr").unwrap()),
        licence_class: Some(LicenceClass::parse("Extra").unwrap()),
    }
}

fn certificates(store: &Store) -> usize {
    store.certificates().unwrap().len()
}

fn anchors(store: &Store) -> Vec<Identity> {
    let anchors = store.anchors().unwrap();
    anchors.iter().map(|anchor| anchor.identity).collect()
}

#[test]
fn a_claim_is_there_after_reopening() {
    for (claim, station, open) in [
        (claim(false), station(), true),
        (claim(true), Station::default(), false),
    ] {
        let (_folder, path) = folder();
        let mut store = Store::open(&path).unwrap();
        assert_eq!(store.claim().unwrap(), None);
        store.save_claim(&claim, &station, open).unwrap();
        drop(store);
        let store = Store::open(&path).unwrap();
        let chain: Vec<Certificate> = claim.chain().iter().map(|part| (**part).clone()).collect();
        let expected = Claim {
            owner: (**claim.owner()).clone(),
            chain,
            server: (**claim.server()).clone(),
            station,
            open_to_network: open,
            guest_calls: false,
        };
        assert_eq!(store.claim().unwrap(), Some(expected));
        assert_eq!(anchors(&store), [claim.owner().identity()]);
    }
}

#[test]
fn a_claimed_server_is_not_claimed_again_until_it_is_reset() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let (first, second) = (claim(true), claim(false));
    store.save_claim(&first, &station(), true).unwrap();
    let before = store.claim().unwrap();
    for again in [&first, &second] {
        let refused = store.save_claim(again, &Station::default(), false);
        assert!(matches!(refused, Err(StoreError::AlreadyClaimed)));
        assert_eq!(
            (store.claim().unwrap(), certificates(&store)),
            (before.clone(), 3)
        );
    }
    assert!(store.reset().unwrap());
    assert!(!store.reset().unwrap());
    assert_eq!(store.claim().unwrap(), None);
    assert_eq!((anchors(&store), certificates(&store)), (Vec::new(), 0));
    store.save_claim(&second, &station(), true).unwrap();
    assert_eq!(store.claim().unwrap().unwrap().owner, **second.owner());
}

#[test]
fn the_owner_decides_who_may_join_and_what_guests_may_do() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let decide = |open_to_network, guest_calls| Admission {
        open_to_network,
        guest_calls,
    };
    assert!(matches!(
        store.set_admission(decide(Some(true), None)),
        Err(StoreError::NotClaimed)
    ));
    store.save_claim(&claim(false), &station(), false).unwrap();
    for (decision, open, guests) in [
        (decide(None, None), false, false),
        (decide(Some(true), None), true, false),
        (decide(None, Some(true)), true, true),
        (decide(Some(false), None), false, true),
    ] {
        store.set_admission(decision).unwrap();
        drop(store);
        store = Store::open(&path).unwrap();
        let claim = store.claim().unwrap().unwrap();
        assert_eq!((claim.open_to_network, claim.guest_calls), (open, guests));
    }
    store.reset().unwrap();
    store.save_claim(&claim(false), &station(), true).unwrap();
    assert!(!store.claim().unwrap().unwrap().guest_calls, "a new owner");
}

#[test]
fn the_file_is_safe_and_for_its_user_only() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    store.save_claim(&claim(false), &station(), true).unwrap();
    let pragma = |name: &str| -> String {
        let value = store
            .connection
            .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        format!("{:?}", value.unwrap())
    };
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    assert_eq!(pragma("synchronous"), "Integer(2)");
    assert_eq!(pragma("foreign_keys"), "Integer(1)");
    #[cfg(unix)]
    for name in ["ham.db", "ham.db-wal"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = path
            .with_file_name(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_second_server_is_told_of_the_first() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::InUse)));
    drop(store);
    assert!(Store::open(&path).is_ok());
}

#[test]
fn every_earlier_version_is_brought_up_to_date() {
    for ran in 0..=MIGRATIONS.len() {
        let (_folder, path) = folder();
        let connection = Connection::open(&path).unwrap();
        for migration in &MIGRATIONS[..ran] {
            connection.execute_batch(migration).unwrap();
        }
        connection
            .pragma_update(None, "user_version", i64::try_from(ran).unwrap())
            .unwrap();
        drop(connection);
        let mut store = Store::open(&path).unwrap();
        assert_eq!(
            version(&store.connection).unwrap(),
            i64::try_from(MIGRATIONS.len()).unwrap()
        );
        store.save_claim(&claim(true), &station(), true).unwrap();
    }
}

/// A claim from before there was an authority: what it stored counts as the owner's.
#[test]
fn a_claim_of_the_first_version_is_kept() {
    let (_folder, path) = folder();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(MIGRATIONS[0]).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let claim = claim(false);
    for (id, certificate) in [(1, claim.owner()), (2, claim.server())] {
        connection
            .execute(
                "INSERT INTO certificate VALUES (?1, ?2, ?3, ?4, 'W1AW', ?5)",
                rusqlite::params![
                    id,
                    certificate.identity().as_bytes(),
                    certificate.fingerprint().as_bytes(),
                    certificate.key_id().as_bytes(),
                    certificate.der(),
                ],
            )
            .unwrap();
    }
    connection
        .execute_batch(
            "INSERT INTO anchor VALUES (1);
             INSERT INTO claim VALUES (1, 1, 2, NULL, 'FN31pr', NULL, 1);",
        )
        .unwrap();
    drop(connection);
    let store = Store::open(&path).unwrap();
    let kept = store.claim().unwrap().unwrap();
    assert_eq!(kept.owner, **claim.owner());
    assert!(kept.open_to_network && !kept.guest_calls);
    assert_eq!(anchors(&store), [claim.owner().identity()]);
    let stored = store.certificates().unwrap();
    assert!(stored.iter().all(|stored| stored.source == Source::Owner));
    assert_eq!(stored[1].certificate, *claim.server());
}

#[test]
fn a_later_version_and_another_file_are_refused() {
    for wrong in [99, -1] {
        let (_folder, path) = folder();
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "user_version", wrong)
            .unwrap();
        drop(connection);
        let refused = Store::open(&path);
        assert!(matches!(refused, Err(StoreError::Newer { found, .. }) if found == wrong));
    }
    let (_folder, path) = folder();
    std::fs::write(&path, "CQ CQ CQ de W1AW ".repeat(100)).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Sqlite(_))));
    let missing = path.with_file_name("no").join("such.db");
    assert!(matches!(Store::open(&missing), Err(StoreError::Create(_))));
}

fn zone_rule(subject: &str) -> ZoneRule {
    ZoneRule {
        subject: subject.into(),
        zone: Zone::Part97,
    }
}

#[test]
fn zones_are_replaced_as_a_whole() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let [wlan, prefix] = ["wlan1", "10.0.0.0/8"].map(zone_rule);
    let open = ZoneRule {
        zone: Zone::Open,
        ..wlan.clone()
    };
    store
        .set_zone_rules(&[wlan, prefix.clone(), open.clone()])
        .unwrap();
    drop(store);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.zone_rules().unwrap(), [prefix, open]);
    store.set_zone_rules(&[]).unwrap();
    assert_eq!(store.zone_rules().unwrap(), []);
}

#[test]
fn what_others_said_is_kept_in_bounds_and_starts_are_counted() {
    let (_folder, path) = folder();
    let record = |number: u32, boot| ServerRecord {
        server: u128::from(number).to_be_bytes(),
        boot,
        sequence: u64::MAX,
        body: vec![1, 2, 3],
        signature: [7; 64],
    };
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.next_boot().unwrap(), 1);
    store
        .keep_server_records(&[record(1, 1), record(2, 1)])
        .unwrap();
    store.keep_server_records(&[record(1, 2)]).unwrap();
    drop(store);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(
        store.server_records().unwrap(),
        [record(1, 2), record(2, 1)]
    );
    assert_eq!(store.next_boot().unwrap(), 2);
    store.set_boot(u64::MAX - 1).unwrap();
    assert_eq!(store.next_boot().unwrap(), u64::MAX);
    assert_eq!(store.next_boot().unwrap(), u64::MAX, "and no further");
    let flood: Vec<_> = (10..2_057).map(|number| record(number, 1)).collect();
    store.keep_server_records(&flood).unwrap();
    let kept = store.server_records().unwrap();
    assert_eq!(kept.len(), 2_048);
    assert_eq!(
        kept[0],
        record(1, 2),
        "the one that changed last but the flood"
    );
    assert_eq!(kept[1], record(10, 1));
}

#[test]
fn servers_the_owner_named_stay_until_taken_off() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    for endpoint in ["http://b:8080", "http://a:8080", "http://b:8080"] {
        store.add_peer(endpoint).unwrap();
    }
    drop(store);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.peers().unwrap(), ["http://a:8080", "http://b:8080"]);
    assert!(store.remove_peer("http://a:8080").unwrap());
    assert!(!store.remove_peer("http://a:8080").unwrap());
    assert_eq!(store.peers().unwrap(), ["http://b:8080"]);
}

#[test]
fn what_is_told_of_the_blacklist_and_what_was_dismissed_outlives_a_restart() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.publishes_blacklist().unwrap(), None);
    store.publish_blacklist(true).unwrap();
    store.publish_blacklist(false).unwrap();
    for number in [1, 2, 1] {
        store.dismiss_advice(&[number; 32]).unwrap();
    }
    drop(store);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.publishes_blacklist().unwrap(), Some(false));
    assert_eq!(store.dismissed_advice().unwrap(), [[2; 32], [1; 32]]);
    store.reset().unwrap();
    assert_eq!(store.publishes_blacklist().unwrap(), None);
    assert!(store.dismissed_advice().unwrap().is_empty());
}

#[test]
fn landed_migrations_are_not_edited() {
    let hashes: Vec<String> = MIGRATIONS
        .iter()
        .map(|migration| {
            let hash = ring::digest::digest(&ring::digest::SHA256, migration.as_bytes());
            hash.as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
        })
        .collect();
    assert_eq!(
        hashes,
        [
            "375ba253dc5394a3d1172da4237e3b0cdcfafa76544559c86418220d3b88cf2f",
            "17f8aa37a92bd3e591efb15614100ca93fb3eced28e9aed6240e5c2283142854",
            "2fd5df0ed01335ef040958900bab74c2ca81534638015222269285cf8188375f",
            "a91c3e2017a6d8aaf2e95bfc41d31c40a5eae50e5f6e740c001e56c795a87cba",
            "be85ebedfd37b33d7e3dbae348bce00887d3d5d0270f54f8fa9bd9e1656a5b7c",
            "6db6e5d3fc094550178e936f0f425cfd89b338e7b5289bd99991fe1383f28b18"
        ]
    );
}

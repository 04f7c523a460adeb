//! What the trust graph needs back after a start.

use std::collections::{BTreeMap, BTreeSet};

use pki::Admitted;
use pki::graph::{Budget, Entry, SignedRekey, Source, Stored, Target, Tombstone, TrustGraph};
use ring::rand::SystemRandom;
use station::statement::Rekey;
use station::{Callsign, Fingerprint, KeyId};

use super::*;

const STRANGER: Source = Source::Stranger {
    link: u64::MAX,
    origin: 7,
    trusted: true,
};

/// A self-signed certificate of somebody new, admitted.
pub(super) fn somebody() -> Admitted {
    let random = SystemRandom::new();
    let key = SigningKey::generate(&random).unwrap();
    let call = Callsign::parse("N1XYZ").unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let made = issue::self_signed_operator(&key, &call, None, time, &random).unwrap();
    let mut graph = TrustGraph::new(pki::graph::Limits::default());
    let admission = graph.admit(&made, Source::Owner, &mut Budget::new(1));
    admission.unwrap().admitted.remove(0).certificate
}

/// Certificates that one brought.
pub(super) fn from(source: Source, certificates: &[&Admitted]) -> Vec<Stored> {
    let stored = certificates.iter().map(|certificate| Stored {
        certificate: (*certificate).clone(),
        source,
    });
    stored.collect()
}

/// Statements are kept as they are: who made them was checked before.
fn tombstone(target: &Admitted) -> Tombstone {
    Tombstone {
        target: target.identity(),
        signer: target.key_id(),
        signature: "signed".into(),
    }
}

fn rekey(old: KeyId, new: KeyId) -> SignedRekey {
    SignedRekey {
        rekey: Rekey {
            old,
            new,
            callsign: Callsign::parse("N1XYZ").unwrap(),
            generation: 1,
        },
        by_old: "old".into(),
        by_new: "new".into(),
    }
}

#[test]
fn certificates_come_back_with_who_brought_them() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let [one, two, three] = [(); 3].map(|()| somebody());
    store
        .change(|change| {
            change.admit(&from(STRANGER, &[&two, &one]))?;
            change.admit(&from(Source::Owner, &[&three]))?;
            change.admit(&from(Source::Owner, &[&two]))
        })
        .unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    let expected = [
        from(STRANGER, &[&two, &one]),
        from(Source::Owner, &[&three]),
    ]
    .concat();
    assert_eq!(
        store.certificates().unwrap(),
        expected,
        "as they came first, in that order"
    );
}

#[test]
fn decisions_and_statements_come_back() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let [one, two] = [(); 2].map(|()| somebody());
    let keys = [one.key_id(), two.key_id()];
    let base = Callsign::parse("F/N1XYZ/P").unwrap();
    let entry = |target, callsigns: &[(&str, &[KeyId])]| Entry {
        target,
        reason: "lost \u{1f4fb}; don't ask".into(),
        callsigns: callsigns
            .iter()
            .map(|(base, known)| ((*base).into(), known.iter().copied().collect()))
            .collect::<BTreeMap<_, BTreeSet<_>>>(),
    };
    let entries = [
        entry(
            Target::Subtree(keys[0]),
            &[("N1XYZ", &keys), ("K1ABC", &[])],
        ),
        entry(Target::Key(keys[0]), &[]),
        entry(Target::Certificate(one.identity()), &[]),
    ];
    let undone = entry(Target::Key(keys[1]), &[("N1XYZ", &keys)]);
    store
        .change(|change| {
            change.admit(&from(Source::Owner, &[&one, &two]))?;
            change.add_anchor(&two.identity(), "the club's")?;
            for entry in entries.iter().chain([&undone, &entries[2]]) {
                change.blacklist(entry)?;
            }
            change.unblacklist(undone.target)?;
            change.accept_key(&base, keys[1])?;
            change.choose_successor(keys[1], keys[0])?;
            change.choose_successor(keys[0], keys[1])?;
            change.set_cap(keys[0], 7)?;
            change.bury(&tombstone(&one))?;
            change.rekey(&rekey(keys[0], keys[1]))
        })
        .unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.blacklist().unwrap(), entries);
    let accepted = store.accepted_keys().unwrap();
    assert_eq!(accepted, [(Callsign::parse("N1XYZ").unwrap(), keys[1])]);
    let mut chosen = store.chosen_successors().unwrap();
    chosen.sort_unstable_by_key(|(old, _)| *old != keys[0]);
    assert_eq!(chosen, [(keys[0], keys[1]), (keys[1], keys[0])]);
    assert_eq!(store.caps().unwrap(), [(keys[0], 7)]);
    assert_eq!(store.tombstones().unwrap(), [tombstone(&one)]);
    assert_eq!(store.rekeys().unwrap(), [rekey(keys[0], keys[1])]);
    let anchor = Anchor {
        identity: two.identity(),
        note: "the club's".into(),
    };
    assert_eq!(store.anchors().unwrap(), [anchor]);
}

#[test]
fn who_is_evicted_takes_statements_along() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let [one, two, three] = [(); 3].map(|()| somebody());
    let stays = rekey(two.key_id(), three.key_id());
    store
        .change(|change| {
            change.admit(&from(STRANGER, &[&one, &two, &three]))?;
            change.bury(&tombstone(&one))?;
            change.bury(&tombstone(&two))?;
            change.rekey(&rekey(one.key_id(), two.key_id()))?;
            change.rekey(&rekey(two.key_id(), one.key_id()))?;
            change.rekey(&stays)?;
            change.evict(&[one.identity()])
        })
        .unwrap();
    assert_eq!(certificates(&store), 2);
    assert_eq!(store.tombstones().unwrap(), [tombstone(&two)]);
    assert_eq!(store.rekeys().unwrap(), [stays]);
}

#[test]
fn an_anchor_is_there_or_refused_and_is_not_evicted() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let one = somebody();
    let unknown = store.change(|change| change.add_anchor(&one.identity(), ""));
    assert!(matches!(unknown, Err(StoreError::Missing(_))));
    store
        .change(|change| {
            change.admit(&from(STRANGER, &[&one]))?;
            change.add_anchor(&one.identity(), "first")?;
            change.add_anchor(&one.identity(), "second")
        })
        .unwrap();
    assert_eq!(store.anchors().unwrap()[0].note, "second");
    let refused = store.change(|change| change.evict(&[one.identity()]));
    assert!(matches!(refused, Err(StoreError::Sqlite(_))));
    assert_eq!(certificates(&store), 1, "nothing of it was done");
    store
        .change(|change| change.remove_anchor(&one.identity()))
        .unwrap();
    assert_eq!((anchors(&store), certificates(&store)), (Vec::new(), 1));
}

#[test]
fn licence_roots_are_kept_as_they_are() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let root = |place: u8, note: &str| LicenceRoot {
        fingerprint: Fingerprint::new([place; 32]),
        note: note.into(),
        der: vec![place, 0, 1],
    };
    store
        .change(|change| {
            change.add_licence_root(&root(2, "old"))?;
            change.add_licence_root(&root(1, "LoTW"))?;
            change.add_licence_root(&root(2, "new"))
        })
        .unwrap();
    assert_eq!(
        store.licence_roots().unwrap(),
        [root(2, "new"), root(1, "LoTW")]
    );
    store
        .change(|change| change.remove_licence_root(&Fingerprint::new([2; 32])))
        .unwrap();
    assert_eq!(store.licence_roots().unwrap(), [root(1, "LoTW")]);
}

#[test]
fn a_change_that_fails_leaves_nothing() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let failed: Result<(), StoreError> = store.change(|change| {
        change.admit(&from(Source::Owner, &[&somebody()]))?;
        change.accept_key(&Callsign::parse("N1XYZ").unwrap(), KeyId::new([1; 32]))?;
        Err(StoreError::NotClaimed)
    });
    assert!(matches!(failed, Err(StoreError::NotClaimed)));
    assert_eq!(certificates(&store), 0);
    assert!(store.accepted_keys().unwrap().is_empty());
}

#[test]
fn a_reset_leaves_no_row() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    store.save_claim(&claim(true), &station(), true).unwrap();
    issuing::fill(&mut store);
    store.set_zone_rules(&[zone_rule("wlan1")]).unwrap();
    let one = somebody();
    store
        .change(|change| {
            change.admit(&from(STRANGER, &[&one]))?;
            let callsigns = BTreeMap::from([("N1XYZ".into(), BTreeSet::from([one.key_id()]))]);
            change.blacklist(&Entry {
                target: Target::Key(one.key_id()),
                reason: String::new(),
                callsigns,
            })?;
            change.accept_key(one.callsign(), one.key_id())?;
            change.choose_successor(one.key_id(), one.key_id())?;
            change.set_cap(one.key_id(), 1)?;
            change.bury(&tombstone(&one))?;
            change.rekey(&rekey(one.key_id(), one.key_id()))?;
            change.add_licence_root(&LicenceRoot {
                fingerprint: Fingerprint::new([1; 32]),
                note: String::new(),
                der: vec![0],
            })
        })
        .unwrap();
    let rows = |store: &Store| -> Vec<(String, i64)> {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut query = store.connection.prepare(tables).unwrap();
        let tables = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
        tables
            .map(|table| {
                let table = table.unwrap();
                let count = format!("SELECT count(*) FROM {table}");
                let count = store.connection.query_row(&count, [], |row| row.get(0));
                (table, count.unwrap())
            })
            .collect()
    };
    store.next_boot().unwrap();
    store.add_peer("http://192.168.1.7:8080").unwrap();
    let record = ServerRecord {
        server: [1; 16],
        boot: 1,
        sequence: 1,
        body: Vec::new(),
        signature: [1; 64],
    };
    store.keep_server_records(&[record]).unwrap();
    store.publish_blacklist(true).unwrap();
    store.dismiss_advice(&[1; 32]).unwrap();
    let before = rows(&store);
    assert!(
        before.iter().all(|(_, count)| *count > 0),
        "every table is in this test: {before:?}"
    );
    assert!(store.reset().unwrap());
    assert!(rows(&store).iter().all(|(_, count)| *count == 0));
}

//! The reference: every verdict from scratch, by rules written down once more and naively.

use std::collections::{BTreeMap, BTreeSet};

use station::{Fingerprint, Identity, KeyId};

use super::world::Person;
use crate::certificate::Certificate;
use crate::graph::{Entry, Target};

/// A certificate and who really signed it.
pub(super) struct Made {
    pub(super) certificate: Certificate,
    pub(super) issuer: KeyId,
    pub(super) identity: Identity,
}

impl Made {
    pub(super) fn new(certificate: Certificate, issuer: &Person) -> Self {
        Self {
            identity: certificate.identity_under(&issuer.key.public_key()),
            issuer: issuer.key.key_id(),
            certificate,
        }
    }
}

/// Everything that was decided.
#[derive(Default)]
pub(super) struct Decisions {
    pub(super) anchors: BTreeSet<Identity>,
    pub(super) blacklist: BTreeMap<Target, Entry>,
    pub(super) withdrawn: BTreeSet<KeyId>,
    pub(super) revoked: BTreeSet<Identity>,
}

/// Somebody, as the graph knows them: a name and a key.
type Node<'a> = (&'a [u8], KeyId);

fn subject(made: &Made) -> Node<'_> {
    (made.certificate.subject(), made.certificate.key_id())
}

fn issuer(made: &Made) -> Node<'_> {
    (made.certificate.issuer(), made.issuer)
}

/// Those whose issuer's key is known, from self-signed ones down.
pub(super) fn admitted<'a>(made: &[&'a Made]) -> Vec<&'a Made> {
    let mut known: BTreeSet<Node<'_>> = BTreeSet::new();
    loop {
        let before = known.len();
        for made in made {
            if issuer(made) == subject(made) || known.contains(&issuer(made)) {
                known.insert(subject(made));
            }
        }
        if known.len() == before {
            break;
        }
    }
    let held = |made: &&&Made| issuer(made) == subject(made) || known.contains(&issuer(made));
    made.iter().filter(held).copied().collect()
}

/// Those that are trusted.
pub(super) fn trusted(made: &[&Made], decisions: &Decisions) -> BTreeSet<Fingerprint> {
    let admitted = admitted(made);
    let anchored = |made: &Made| decisions.anchors.contains(&made.identity);
    let condemned = condemned(&admitted, decisions);
    let alive: Vec<&Made> = admitted
        .iter()
        .copied()
        .filter(|made| !condemned.contains(&made.certificate.key_id()))
        .filter(|made| !dead(made, decisions))
        .collect();
    let mut issuing: BTreeSet<Node<'_>> = BTreeSet::new();
    loop {
        let before = issuing.len();
        for made in &alive {
            let vouched = anchored(made) || issuing.contains(&issuer(made));
            if vouched && made.certificate.may_issue() {
                issuing.insert(subject(made));
            }
        }
        if issuing.len() == before {
            break;
        }
    }
    alive
        .iter()
        .filter(|made| anchored(made) || issuing.contains(&issuer(made)))
        .map(|made| made.certificate.fingerprint())
        .collect()
}

fn condemned(admitted: &[&Made], decisions: &Decisions) -> BTreeSet<KeyId> {
    let anchors: BTreeSet<KeyId> = admitted
        .iter()
        .filter(|made| decisions.anchors.contains(&made.identity))
        .map(|made| made.certificate.key_id())
        .collect();
    let mut condemned = BTreeSet::new();
    for target in decisions.blacklist.keys() {
        if let Target::Subtree(key) = target {
            condemned.insert(*key);
        }
    }
    loop {
        let before = condemned.len();
        for made in admitted {
            let holder = made.certificate.key_id();
            if condemned.contains(&made.issuer) && !anchors.contains(&holder) {
                condemned.insert(holder);
            }
        }
        if condemned.len() == before {
            return condemned;
        }
    }
}

fn dead(made: &Made, decisions: &Decisions) -> bool {
    let key = made.certificate.key_id();
    let base = made.certificate.callsign().base();
    let blacklist = &decisions.blacklist;
    let barring: Vec<&Entry> = blacklist
        .values()
        .filter(|entry| entry.callsigns.contains_key(base))
        .collect();
    let waits = !barring.is_empty()
        && !decisions.anchors.contains(&made.identity)
        && !barring
            .iter()
            .any(|entry| entry.callsigns[base].contains(&key));
    waits
        || blacklist.contains_key(&Target::Certificate(made.identity))
        || blacklist.contains_key(&Target::Key(key))
        || decisions.withdrawn.contains(&key)
        || decisions.revoked.contains(&made.identity)
}

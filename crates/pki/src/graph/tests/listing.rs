//! Pages of what is held, and the whole state through a store and back.

use station::{Callsign, Identity, KeyId};

use super::world::{LINK, Person, anchor, bring, graph, person, plenty, trusted};
use crate::certificate::Certificate;
use crate::graph::{Held, MAX_SEEN, Position, Share, Source, Stored, Target, TrustGraph, Verdict};

fn call(text: &str) -> Callsign {
    Callsign::parse(text).unwrap()
}

/// Every page of one list, with the number of pages.
fn all(
    graph: &TrustGraph,
    callsign: Option<&Callsign>,
    limit: usize,
    wanted: fn(&Held<'_>) -> bool,
) -> (Vec<(String, Identity)>, usize) {
    let (mut found, mut pages, mut after) = (Vec::new(), 0, None::<Position>);
    loop {
        let page = graph.listed(after.as_ref(), callsign, limit, wanted);
        assert!(page.held.len() <= limit);
        found.extend(page.held.iter().map(|held| {
            let certificate = held.certificate;
            (certificate.callsign().to_string(), certificate.identity())
        }));
        pages += 1;
        match page.next {
            Some(next) => after = Some(next.to_string().parse().unwrap()),
            None => return (found, pages),
        }
    }
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let owner = person("W1AW");
    let mut graph = graph();
    anchor(&mut graph, &owner);
    let calls = ["K1ABC", "K1ABC/P", "K2ABC", "AA1A", "W1AW/M"];
    for text in calls {
        let one = person(text);
        bring(&mut graph, &owner.vouch(&one));
        bring(&mut graph, &one.own);
    }
    bring(&mut graph, &person("K2ABC").own);
    let (whole, _) = all(&graph, None, 100, |_| true);
    assert_eq!(whole.len(), 12);
    let mut sorted = whole.clone();
    sorted.sort_by_key(|(text, identity)| (call(text).base().to_owned(), *identity));
    assert_eq!(whole, sorted);
    for limit in 1..6 {
        assert_eq!(all(&graph, None, limit, |_| true).0, whole);
    }
    let (k1abc, _) = all(&graph, Some(&call("k1abc/m")), 1, |_| true);
    assert_eq!(k1abc, whole[2..6]);
    let (untrusted, pages) = all(&graph, None, 2, |held| held.verdict == Verdict::Untrusted);
    assert_eq!((untrusted.len(), pages), (1, 1));
    let beyond = format!("W1AW.{}", whole[11].1).parse().unwrap();
    assert!(
        graph
            .listed(Some(&beyond), Some(&call("AA1A")), 9, |_| true)
            .held
            .is_empty()
    );
    for wrong in [
        "",
        "W1AW",
        "W1AW.00",
        &format!("{}.{}", "W".repeat(21), whole[0].1),
    ] {
        assert!(wrong.parse::<Position>().is_err(), "{wrong}");
    }
}

#[test]
fn a_page_looks_at_a_bounded_number() {
    let limits = crate::graph::Limits {
        untrusted_keys_per_name: 10_000,
        untrusted: Share {
            total: 10_000,
            reserved: 0,
            each: 10_000,
        },
        ..Default::default()
    };
    let mut graph = TrustGraph::new(limits);
    let owner = person("W1AW");
    anchor(&mut graph, &owner);
    let one = person("K1ABC");
    for _ in 0..MAX_SEEN + 10 {
        bring(&mut graph, &owner.vouch(&one));
    }
    let page = graph.listed(None, None, 10, |held| held.anchor);
    assert!(page.held.is_empty());
    let page = graph.listed(page.next.as_ref(), None, 10, |held| held.anchor);
    assert_eq!((page.held.len(), page.next), (1, None));
}

#[test]
fn what_is_held_says_who_signed_it() {
    let [owner, friend] = ["W1AW", "K1ABC"].map(person);
    let mut graph = graph();
    let root = anchor(&mut graph, &owner);
    let identity = bring(&mut graph, &owner.vouch(&friend));
    let held = graph.held(&identity).unwrap();
    assert_eq!(held.issuer, owner.key.key_id());
    assert_eq!(held.issuer_callsign.as_str(), "W1AW");
    assert!(!held.anchor && !held.vouches);
    let held = graph.held(&root).unwrap();
    assert!(held.anchor && held.vouches && held.verdict == Verdict::Trusted);
    assert_eq!(held.issuer_callsign.as_str(), "W1AW");
    let orphan = friend.vouch(&person("K2ABC"));
    let mut other = super::world::graph();
    other.admit(&orphan, LINK, &mut plenty()).unwrap();
    assert_eq!(other.waiting_certificates().collect::<Vec<_>>(), [&orphan]);
}

/// Everything that a store keeps, put back in the order that the graph names.
fn restored(graph: &TrustGraph, source: Source) -> TrustGraph {
    let mut again = super::world::graph();
    for (key, cap) in graph.caps() {
        again.raise_cap(key, cap);
    }
    let stored = graph.listed(None, None, usize::MAX, |_| true).held;
    let stored = stored.iter().map(|held| Stored {
        certificate: held.certificate.clone(),
        source,
    });
    assert!(again.restore(stored.collect()).is_empty());
    for anchor in graph.anchors() {
        again.add_anchor(&anchor.identity()).unwrap();
    }
    for entry in graph.blacklisted() {
        again.restore_blacklist(entry.clone());
    }
    again.restore_tombstones(graph.tombstones().collect());
    again.restore_rekeys(graph.rekeys().collect());
    again.restore_successors(graph.chosen_successors().collect());
    let accepted = graph.accepted_keys();
    again.restore_accepted(accepted.map(|(base, key)| (base.into(), key)).collect());
    again
}

fn state(graph: &TrustGraph) -> Vec<(Identity, Verdict, bool, u32)> {
    let held = graph.listed(None, None, usize::MAX, |_| true).held;
    let state = held.iter().map(|held| {
        let generation = graph.generation(&held.certificate.key_id());
        (
            held.certificate.identity(),
            held.verdict,
            held.anchor,
            generation,
        )
    });
    state.collect()
}

#[test]
fn every_decision_survives_the_store() {
    let [owner, other, impostor, real, old, new, newer] =
        ["W1AW", "K1ABC", "K2ABC", "K2ABC", "K3ABC", "K3ABC", "K3ABC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    anchor(&mut graph, &other);
    let by_owner = |person: &Person| owner.vouch(person);
    for one in [&impostor, &old, &new, &newer].map(by_owner) {
        bring(&mut graph, &one);
    }
    graph.blacklist(Target::Key(impostor.key.key_id()), "not K2ABC");
    let late: Vec<Certificate> = [&real].map(by_owner).into();
    bring(&mut graph, &late[0]);
    bring(&mut graph, &person("K2ABC").own);
    let awaiting: Vec<KeyId> = graph.awaiting_owner().map(|one| one.key_id()).collect();
    assert_eq!(awaiting, [real.key.key_id()], "not what nobody vouches for");
    graph.accept_key(&call("K2ABC/P"), real.key.key_id());
    assert!(trusted(&graph, &late[0]) && graph.awaiting_owner().next().is_none());
    for next in [&new, &newer] {
        let rekey = super::statements::change(&old, next, 1);
        graph.rekey(&rekey, &mut plenty()).unwrap();
    }
    graph.choose_successor(old.key.key_id(), newer.key.key_id());
    assert!(graph.disputes().next().is_none());
    graph.raise_cap(other.key.key_id(), 7);
    let owners = |held: &Held<'_>| held.certificate.key_id() == new.key.key_id();
    let target = graph.listed(None, None, 9, owners).held[0]
        .certificate
        .identity();
    let grave = super::statements::tombstone(&owner, target);
    graph.bury(&grave, &mut plenty()).unwrap();

    for source in [Source::Owner, LINK] {
        let again = restored(&graph, source);
        assert_eq!(state(&again), state(&graph));
        assert_eq!(again.caps().collect::<Vec<_>>(), [(other.key.key_id(), 7)]);
        assert_eq!(again.checks(), 0);
    }
    // A change of keys whose certificates are gone is gone with them.
    let mut bare = super::world::graph();
    bare.restore_rekeys(graph.rekeys().collect());
    assert_eq!(bare.rekeys().count(), 0);
}

#[test]
fn what_the_owner_brought_stays_after_a_restart_too() {
    let limits = crate::graph::Limits {
        untrusted: Share {
            total: 2,
            reserved: 0,
            each: 2,
        },
        ..Default::default()
    };
    let [root, holder] = ["K1ABC", "K2ABC"].map(person);
    let mut graph = TrustGraph::new(limits);
    graph.admit(&root.own, LINK, &mut plenty()).unwrap();
    bring(&mut graph, &root.vouch(&holder));
    assert_eq!(graph.untrusted(), 0);
    let source = |certificate: &Certificate| {
        if *certificate == root.own {
            LINK
        } else {
            Source::Owner
        }
    };
    let held = graph.listed(None, None, 9, |_| true).held;
    let stored = held.iter().map(|held| Stored {
        certificate: held.certificate.clone(),
        source: source(held.certificate),
    });
    let stored = stored.collect();
    let mut again = TrustGraph::new(limits);
    assert!(again.restore(stored).is_empty());
    assert_eq!(
        again.untrusted(),
        0,
        "the root of what the owner brought is kept"
    );
}

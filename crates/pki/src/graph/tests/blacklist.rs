//! The owner's decisions.

use super::world::{anchor, bring, graph, person, same_key, trusted, with_key};
use crate::graph::{Cause, Target, Verdict};

#[test]
fn two_thousand_dependants_fall_and_return_without_a_check() {
    let (owner, hostile, friend) = (person("W1AW"), person("K1ABC"), person("K2ABC"));
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&hostile));
    bring(&mut graph, &owner.vouch(&friend));
    let dependant = person("K3ABC");
    let mut made = Vec::new();
    for at in 0..2000 {
        let callsign = format!("N{}{}A", at % 10, letters(at / 10));
        let other = with_key(same_key(&dependant), &callsign);
        made.push(hostile.vouch(&other));
        bring(&mut graph, made.last().unwrap());
    }
    // One is vouched for by a friend as well.
    let kept = friend.vouch(&with_key(same_key(&dependant), "N0AAA"));
    bring(&mut graph, &kept);
    let checks = graph.checks();
    let target = Target::Key(hostile.key.key_id());
    let preview = graph.preview(target);
    assert_eq!((preview.lose.len(), preview.keys_lost), (2001, 1));
    assert!(trusted(&graph, &made[5]));
    let (entry, effect) = graph.blacklist(target, "vouches for anybody");
    assert_eq!(effect, preview);
    assert_eq!(entry.reason, "vouches for anybody");
    assert!(!trusted(&graph, &made[5]) && trusted(&graph, &kept));
    let effect = graph.unblacklist(target).unwrap();
    assert_eq!(effect.gain, preview.lose);
    assert!(trusted(&graph, &made[5]));
    assert_eq!(graph.unblacklist(target), None);
    assert_eq!(graph.checks(), checks);
}

fn letters(at: usize) -> String {
    let letter = |at: usize| char::from(b'A' + u8::try_from(at % 26).unwrap());
    [letter(at / 26), letter(at)].iter().collect()
}

#[test]
fn a_subtree_falls_even_where_others_vouch_but_never_an_anchor() {
    let [owner, hostile, victim, below, late] =
        ["W1AW", "K1ABC", "K2ABC", "K3ABC", "K4ABC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    let vouched = owner.vouch(&victim);
    for certificate in [
        owner.vouch(&hostile),
        vouched.clone(),
        hostile.vouch(&victim),
        victim.vouch(&below),
    ] {
        bring(&mut graph, &certificate);
    }
    // The hostile key certifies the owner's own, to take everybody down with it.
    bring(&mut graph, &hostile.vouch(&owner));
    let target = Target::Subtree(hostile.key.key_id());
    let (_, effect) = graph.blacklist(target, "");
    assert_eq!(effect.keys_lost, 3);
    let verdict = graph.verdict(&vouched.fingerprint());
    assert_eq!(verdict, Verdict::Dead(Cause::BlacklistedSubtree));
    assert!(trusted(&graph, &owner.own));
    // Who comes later below it is below it, also when the owner vouched first.
    let by_owner = owner.vouch(&late);
    bring(&mut graph, &by_owner);
    assert!(trusted(&graph, &by_owner));
    bring(&mut graph, &below.vouch(&late));
    assert!(!trusted(&graph, &by_owner));
    graph.unblacklist(target).unwrap();
    assert!(trusted(&graph, &by_owner) && trusted(&graph, &vouched));
}

#[test]
fn another_key_for_a_blacklisted_callsign_waits_for_the_owner() {
    let (owner, friend) = (person("W1AW"), person("K1ABC"));
    let [old, known, new] = ["K2ABC", "K2ABC/P", "K2ABC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&friend));
    for other in [&old, &known] {
        bring(&mut graph, &friend.vouch(other));
    }
    assert_eq!(graph.contested().len(), 1);
    assert_eq!(graph.trusted_keys(old.own.callsign()).len(), 2);
    graph.blacklist(Target::Key(old.key.key_id()), "lost");
    let vouched = friend.vouch(&new);
    bring(&mut graph, &vouched);
    let waits = Verdict::Dead(Cause::AwaitsOwner);
    assert_eq!(graph.verdict(&vouched.fingerprint()), waits);
    assert_eq!(graph.trusted_keys(old.own.callsign()), [known.key.key_id()]);
    let effect = graph.accept_key(new.own.callsign(), new.key.key_id());
    assert_eq!(effect.gain.len(), 1);
    assert!(trusted(&graph, &vouched));
}

#[test]
fn what_stands_in_the_way_of_a_certificate_is_told_before_it_is_made() {
    let [owner, before, after, other] = ["W1AW", "K1ABC", "K1ABC", "K2ABC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&before));
    let callsign = owner.vouch(&after).callsign().clone();
    let [old, new] = [&before, &after].map(|person| person.key.key_id());
    assert_eq!(graph.obstacle(&old, &callsign), None);
    graph.blacklist(Target::Key(old), "stolen");
    let blacklisted = Some(Cause::BlacklistedKey);
    assert_eq!(graph.obstacle(&old, &callsign), blacklisted);
    assert_eq!(graph.obstacle(&new, &callsign), Some(Cause::AwaitsOwner));
    assert_eq!(
        graph.obstacle(&other.key.key_id(), &callsign),
        Some(Cause::AwaitsOwner)
    );
    let elsewhere = owner.vouch(&other).callsign().clone();
    assert_eq!(graph.obstacle(&new, &elsewhere), None, "another callsign");
    graph.accept_key(&callsign, new);
    assert_eq!(graph.obstacle(&new, &callsign), None);
}

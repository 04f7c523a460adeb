//! Tombstones and changes of keys.

use ring::rand::SystemRandom;
use station::statement::Rekey;
use station::{Identity, Statement};

use super::world::{Person, anchor, bring, graph, person, plenty, trusted};
use crate::graph::{
    Budget, Cause, Force, RekeyError, SignedRekey, Tombstone, TombstoneError, Verdict,
};

pub(super) fn tombstone(signer: &Person, target: Identity) -> Tombstone {
    let key = signer.key.key_id();
    let statement = Statement::tombstone(key, target).unwrap();
    Tombstone {
        target,
        signer: key,
        signature: signer.key.sign(&statement, &SystemRandom::new()).unwrap(),
    }
}

#[test]
fn a_tombstone_has_the_force_of_its_signer() {
    let [owner, friend, holder, below] = ["W1AW", "K1ABC", "K2ABC", "K3ABC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&friend));
    let (by_friend, by_owner) = (friend.vouch(&holder), owner.vouch(&holder));
    let target = bring(&mut graph, &by_friend);
    bring(&mut graph, &by_owner);
    let next = holder.vouch(&below);
    bring(&mut graph, &next);

    let advice = tombstone(&owner, target);
    let (force, effect) = graph.bury(&advice, &mut plenty()).unwrap();
    assert_eq!((force, effect.lose.len()), (Force::Advice, 0));
    assert_eq!(
        graph.advice(&target).collect::<Vec<_>>(),
        [owner.key.key_id()]
    );

    let (force, effect) = graph
        .bury(&tombstone(&friend, target), &mut plenty())
        .unwrap();
    assert_eq!(
        (force, effect.lose.len(), effect.keys_lost),
        (Force::Issuer, 1, 0)
    );
    let verdict = graph.verdict(&by_friend.fingerprint());
    assert_eq!(verdict, Verdict::Dead(Cause::Revoked));
    assert!(
        trusted(&graph, &next),
        "the owner vouches for its issuer too"
    );

    let own = tombstone(&holder, target);
    let (force, effect) = graph.bury(&own, &mut plenty()).unwrap();
    assert_eq!((force, effect.keys_lost), (Force::Holder, 2));
    let verdict = graph.verdict(&by_owner.fingerprint());
    assert_eq!(verdict, Verdict::Dead(Cause::Withdrawn));
    assert!(!trusted(&graph, &next));

    let checks = graph.checks();
    graph.bury(&own, &mut Budget::new(0)).unwrap();
    assert_eq!(graph.tombstones().count(), 3);
    let mut again = super::world::graph();
    anchor(&mut again, &owner);
    for certificate in [&owner.vouch(&friend), &by_friend, &by_owner, &next] {
        bring(&mut again, certificate);
    }
    again.restore_tombstones(graph.tombstones().collect());
    assert!(!trusted(&again, &by_owner));
    assert_eq!(graph.checks(), checks);
}

#[test]
fn a_tombstone_of_nobody_or_for_nothing_is_not_kept() {
    let [owner, friend, stranger] = ["W1AW", "K1ABC", "K2ABC"].map(person);
    let mut graph = graph();
    let root = anchor(&mut graph, &owner);
    let target = bring(&mut graph, &owner.vouch(&friend));
    let refused = |graph: &mut crate::TrustGraph, tombstone: &Tombstone| {
        graph.bury(tombstone, &mut plenty()).unwrap_err()
    };
    let of_stranger = tombstone(&stranger, target);
    assert_eq!(refused(&mut graph, &of_stranger), TombstoneError::Stranger);
    bring(&mut graph, &stranger.own);
    assert_eq!(refused(&mut graph, &of_stranger), TombstoneError::Stranger);
    let nothing = tombstone(&owner, Identity::new([7; 32]));
    assert_eq!(refused(&mut graph, &nothing), TombstoneError::NoTarget);
    let moved = Tombstone {
        target: root,
        ..tombstone(&owner, target)
    };
    assert_eq!(refused(&mut graph, &moved), TombstoneError::Signature);
    let in_time = graph.bury(&tombstone(&owner, target), &mut Budget::new(0));
    assert_eq!(in_time, Err(TombstoneError::Budget));
    assert_eq!(graph.tombstones().count(), 0);
}

pub(super) fn change(old: &Person, new: &Person, generation: u32) -> SignedRekey {
    let rekey = Rekey {
        old: old.key.key_id(),
        new: new.key.key_id(),
        callsign: old.own.callsign().clone(),
        generation,
    };
    let statement = Statement::rekey(&rekey).unwrap();
    let sign = |person: &Person| person.key.sign(&statement, &SystemRandom::new()).unwrap();
    SignedRekey {
        by_old: sign(old),
        by_new: sign(new),
        rekey,
    }
}

#[test]
fn keys_follow_each_other_in_a_line_in_any_order_of_arrival() {
    let owner = person("W1AW");
    let line: Vec<Person> = (0..4).map(|_| person("K1ABC")).collect();
    let ids: Vec<_> = line.iter().map(|person| person.key.key_id()).collect();
    let mut graph = graph();
    anchor(&mut graph, &owner);
    for person in &line {
        bring(&mut graph, &owner.vouch(person));
    }
    assert_eq!(graph.contested()[0].keys.len(), 4);
    for at in [2, 0, 1] {
        let generation = u32::try_from(at + 1).unwrap();
        graph
            .rekey(&change(&line[at], &line[at + 1], generation), &mut plenty())
            .unwrap();
    }
    assert_eq!(graph.successor(&ids[1]), Some(ids[2]));
    assert_eq!(
        [0, 1, 2, 3].map(|at| graph.generation(&ids[at])),
        [0, 1, 2, 3]
    );
    assert!(graph.contested().is_empty());
    assert_eq!(graph.trusted_keys(line[0].own.callsign()), [ids[3]]);
    // A generation that skips, and a line that bends back, count for nothing.
    graph
        .rekey(&change(&line[3], &line[0], 4), &mut plenty())
        .unwrap();
    assert_eq!(graph.successor(&ids[3]), None);
    let skips = person("K1ABC");
    bring(&mut graph, &owner.vouch(&skips));
    graph
        .rekey(&change(&line[3], &skips, 5), &mut plenty())
        .unwrap();
    assert_eq!(graph.successor(&ids[3]), None);
}

#[test]
fn two_successors_suspend_both_until_the_owner_decides() {
    let owner = person("W1AW");
    let [old, one, two] = [(); 3].map(|()| person("K1ABC"));
    let mut graph = graph();
    anchor(&mut graph, &owner);
    let [of_old, of_one, of_two] = [&old, &one, &two].map(|person| owner.vouch(person));
    for certificate in [&of_old, &of_one, &of_two] {
        bring(&mut graph, certificate);
    }
    graph.rekey(&change(&old, &one, 1), &mut plenty()).unwrap();
    assert!(trusted(&graph, &of_one));
    let effect = graph.rekey(&change(&old, &two, 1), &mut plenty()).unwrap();
    assert_eq!(effect.lose.len(), 2);
    let verdict = graph.verdict(&of_one.fingerprint());
    assert_eq!(verdict, Verdict::Dead(Cause::Successors));
    assert!(trusted(&graph, &of_old) && !trusted(&graph, &of_two));
    assert_eq!(graph.disputes().count(), 1);
    let (old, chosen) = (old.key.key_id(), two.key.key_id());
    let effect = graph.choose_successor(old, chosen).unwrap();
    assert_eq!(effect.gain.len(), 1);
    assert!(trusted(&graph, &of_two) && !trusted(&graph, &of_one));
    assert_eq!(
        (graph.disputes().count(), graph.successor(&old)),
        (0, Some(chosen))
    );
    assert_eq!(graph.choose_successor(chosen, old), None);
}

#[test]
fn nobody_is_made_a_successor_unasked() {
    let [owner, victim, hostile] = ["W1AW", "K1ABC", "K1ABC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&victim));
    let honest = change(&hostile, &victim, 1);
    let refused = graph.rekey(&honest, &mut plenty());
    assert_eq!(refused, Err(RekeyError::NotHeld));
    bring(&mut graph, &hostile.own);
    let forged = SignedRekey {
        by_new: honest.by_old.clone(),
        ..honest.clone()
    };
    let refused = graph.rekey(&forged, &mut plenty());
    assert_eq!(refused, Err(RekeyError::Signature));
    let refused = graph.rekey(&honest, &mut Budget::new(1));
    assert_eq!(refused, Err(RekeyError::Budget));
    let zero = change(&hostile, &victim, 0);
    assert_eq!(
        graph.rekey(&zero, &mut plenty()),
        Err(RekeyError::Generation)
    );
    assert_eq!(graph.rekeys().count(), 0);
}

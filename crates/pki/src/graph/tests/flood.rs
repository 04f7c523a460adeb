//! What strangers send by the thousand.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::world::{
    LINK, Person, anchor, assembled, bring, graph, patched, person, plenty, trusted,
};
use crate::certificate::Certificate;
use crate::graph::{
    Budget, Cause, Explanation, Full, Limits, MAX_CHANGES_BELOW, MAX_OF_STRANGERS, Refused,
    RekeyError, Share, Source, State, Target, TrustGraph, Verdict,
};

/// The certificate with another key in it: name, issuer, serial and hints stay, the signature is
/// whatever it was.
fn forged(real: &Certificate, at: u32) -> Certificate {
    let point = real.public_key().point();
    let mut other = point.to_vec();
    other[20..24].copy_from_slice(&at.to_be_bytes());
    let tbs = patched(real.tbs(), point, &other);
    let signature = [
        &[0x30, 0x46, 0x02, 0x21, 0][..],
        &[0xa5; 32],
        &[0x02, 0x21, 0],
        &[0xa5; 32],
    ];
    assembled(&tbs, &signature.concat())
}

#[test]
fn ten_thousand_forged_certificates_change_nothing_and_cost_at_most_the_budget() {
    let (owner, friend, below) = (person("W1AW"), person("K1ABC"), person("K2ABC"));
    let (real, next) = (owner.vouch(&friend), friend.vouch(&below));
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &real);
    let before = graph.checks();
    let mut budget = Budget::new(256);
    for at in 0..10_000 {
        let fake = forged(&real, at);
        let result = graph.admit(&fake, LINK, &mut budget);
        assert!(at < 256 || result == Err(Refused::Budget));
        let verdict = graph.verdict(&fake.fingerprint());
        assert!(matches!(verdict, Verdict::Unknown | Verdict::Waiting));
    }
    assert_eq!(graph.checks() - before, 256);
    assert_eq!(graph.waiting(), 64, "the link's share");
    // Without any budget it would have been one check each.
    let mut plenty = plenty();
    for at in 10_000..10_100 {
        drop(graph.admit(&forged(&real, at), LINK, &mut plenty));
    }
    assert_eq!(graph.checks() - before, 356);
    assert!(trusted(&graph, &real));
    let checks = graph.checks();
    bring(&mut graph, &next);
    assert!(trusted(&graph, &next));
    assert_eq!(
        graph.checks() - checks,
        1,
        "the real one costs what it always costs"
    );
}

#[test]
fn forgeries_that_wait_cost_a_check_each_when_the_issuer_comes() {
    let (owner, friend) = (person("W1AW"), person("K1ABC"));
    let real = owner.vouch(&friend);
    let mut graph = graph();
    for at in 0..10_000 {
        drop(graph.admit(&forged(&real, at), LINK, &mut plenty()));
    }
    assert_eq!((graph.checks(), graph.waiting()), (0, 64));
    let honest = Source::Stranger {
        link: 2,
        origin: 2,
        trusted: false,
    };
    graph.admit(&real, honest, &mut plenty()).unwrap();
    anchor(&mut graph, &owner);
    assert_eq!(graph.checks(), 1 + 65);
    assert!(trusted(&graph, &real));
}

#[test]
fn who_waits_gives_way_to_links_that_hold_less_and_may_come_again() {
    let limits = Limits {
        waiting: Share {
            total: 12,
            reserved: 2,
            each: 6,
        },
        ..Limits::default()
    };
    let mut graph = TrustGraph::new(limits);
    let from = |link, trusted| Source::Stranger {
        link,
        origin: link,
        trusted,
    };
    let flooder = person("N1XYZ");
    let flood: Vec<Certificate> = (0..10)
        .map(|at| flooder.vouch(&person(&format!("N{at}ABC"))))
        .collect();
    for (at, certificate) in flood.iter().enumerate() {
        let link = 1 + u64::from(at >= 6);
        graph
            .admit(certificate, from(link, false), &mut plenty())
            .unwrap();
    }
    let seventh = flooder.vouch(&person("N9XYZ"));
    let refused = graph.admit(&seventh, from(1, false), &mut plenty());
    assert_eq!(refused, Err(Refused::Full(Full::Link)));
    // All open places are taken. Somebody else's newcomer takes the newest of the link with the most.
    let (owner, friend) = (person("W1AW"), person("K1ABC"));
    let real = owner.vouch(&friend);
    graph.admit(&real, from(3, false), &mut plenty()).unwrap();
    assert_eq!(graph.waiting(), 10);
    let verdict = |graph: &TrustGraph, one: &Certificate| graph.verdict(&one.fingerprint());
    assert_eq!(verdict(&graph, &real), Verdict::Waiting);
    assert_eq!(verdict(&graph, &flood[5]), Verdict::Unknown);
    assert_eq!(verdict(&graph, &flood[9]), Verdict::Waiting);
    // A trusted origin has two more places.
    for other in [&flood[5], &seventh] {
        graph.admit(other, from(4, true), &mut plenty()).unwrap();
    }
    assert_eq!(graph.waiting(), 12);
    // The issuer comes: who waited is trusted, and its place is free.
    anchor(&mut graph, &owner);
    assert!(trusted(&graph, &real));
    assert_eq!(graph.waiting(), 11);
}

#[test]
fn keys_that_crowd_a_name_are_refused_and_the_hint_finds_the_right_one() {
    let mut graph = graph();
    let crowd: Vec<Person> = (0..20).map(|_| person("W1AW")).collect();
    let mut refused = 0;
    for other in &crowd {
        refused += usize::from(graph.admit(&other.own, LINK, &mut plenty()).is_err());
    }
    assert_eq!(refused, 4);
    let owner = person("W1AW");
    let checks = graph.checks();
    anchor(&mut graph, &owner);
    let real = owner.vouch(&person("K1ABC"));
    bring(&mut graph, &real);
    assert_eq!(graph.checks() - checks, 2);
    assert!(trusted(&graph, &real));
}

#[test]
fn a_rewritten_signature_is_the_same_certificate() {
    let (owner, friend) = (person("W1AW"), person("K1ABC"));
    let mut graph = graph();
    anchor(&mut graph, &owner);
    let real = owner.vouch(&friend);
    let identity = bring(&mut graph, &real);
    let rewritten = Certificate::from_der(&crate::certificate::tests::rewrite(&real)).unwrap();
    assert_ne!(rewritten.fingerprint(), real.fingerprint());
    assert_eq!(bring(&mut graph, &rewritten), identity);
    assert_eq!(graph.len(), 2);
    graph.blacklist(Target::Certificate(identity), "test");
    assert_eq!(bring(&mut graph, &rewritten), identity);
    assert!(!trusted(&graph, &real) && !trusted(&graph, &rewritten));
}

#[test]
fn a_dense_layered_graph_without_an_anchor_is_refused_at_once() {
    let layers: Vec<Vec<Person>> = (0..8)
        .map(|layer| {
            (0..6)
                .map(|at| person(&format!("K{layer}AB{}", char::from(b'A' + at))))
                .collect()
        })
        .collect();
    let mut graph = graph();
    anchor(&mut graph, &person("W1AW"));
    let mut made: Vec<Certificate> = layers[0].iter().map(|root| root.own.clone()).collect();
    for pair in layers.windows(2) {
        for issuer in &pair[0] {
            made.extend(pair[1].iter().map(|holder| issuer.vouch(holder)));
        }
    }
    let last = layers[7][0].vouch(&person("N1ABC"));
    made.push(last.clone());
    let before = graph.checks();
    for certificate in &made {
        graph.admit(certificate, LINK, &mut plenty()).unwrap();
    }
    assert_eq!(graph.checks() - before, u64::try_from(made.len()).unwrap());
    let checks = graph.checks();
    assert_eq!(graph.verdict(&last.fingerprint()), Verdict::Untrusted);
    let Some(Explanation::NoPath { roots, .. }) = graph.explain(&last.fingerprint()) else {
        panic!("there is no path")
    };
    assert_eq!((roots.len(), graph.checks()), (6, checks));
    // Without its roots it waits in the link's share, unchecked.
    let mut without = super::world::graph();
    let results: Vec<bool> = made[6..]
        .iter()
        .map(|certificate| without.admit(certificate, LINK, &mut plenty()).is_ok())
        .collect();
    assert_eq!(results.iter().filter(|taken| **taken).count(), 64);
    assert_eq!(without.checks(), 0);
    // With an anchor on top, all of it is trusted at once and without a check.
    let root = graph
        .certificate(&made[0].fingerprint())
        .unwrap()
        .identity();
    let effect = graph.add_anchor(&root).unwrap();
    assert!(trusted(&graph, &last));
    assert_eq!(effect.gain.len(), 1 + 6 + 6 * 36 + 1);
    assert_eq!(graph.checks(), checks);
}

#[test]
fn what_a_condemned_key_vouches_for_leaves_nothing_behind() {
    let limits = Limits {
        untrusted: Share {
            total: 8,
            reserved: 0,
            each: 8,
        },
        ..Limits::default()
    };
    let mut graph = TrustGraph::new(limits);
    let [owner, hostile] = ["W1AW", "K1ABC"].map(person);
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&hostile));
    graph.blacklist(Target::Subtree(hostile.key.key_id()), "floods");
    let from = |link| Source::Stranger {
        link,
        origin: link,
        trusted: false,
    };
    let mut last = None;
    for at in 0..40 {
        let victim = person(&format!("N{}ABC", at % 10));
        let made = hostile.vouch(&victim);
        // Each link fills its share, and the next one's newcomers take its places.
        if graph.admit(&made, from(at / 8), &mut plenty()).is_ok() {
            let verdict = graph.verdict(&made.fingerprint());
            assert_eq!(verdict, Verdict::Dead(Cause::BlacklistedSubtree));
            last = Some(victim);
        }
    }
    assert_eq!(graph.untrusted(), 8);
    assert_eq!(graph.marks.condemned.len(), 1 + 8, "no more than is held");
    // Somebody who is held and is not evicted stays condemned.
    let last = last.unwrap();
    bring(&mut graph, &owner.vouch(&last));
    let key = last.key.key_id();
    assert!(graph.trusted_certificates(&key).is_empty());
    graph
        .unblacklist(Target::Subtree(hostile.key.key_id()))
        .unwrap();
    assert_eq!(graph.marks.condemned.len(), 0);
    assert_eq!(graph.trusted_certificates(&key).len(), 2);
}

#[test]
fn strangers_changes_of_keys_are_few() {
    let [owner, one, two] = ["W1AW", "K1ABC", "K1ABC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    for own in [&one.own, &two.own] {
        bring(&mut graph, own);
    }
    // Stored ones are believed: as many as there may be, between two keys.
    let change = super::statements::change(&one, &two, 1);
    let many = (1..).take(MAX_OF_STRANGERS).map(|generation| {
        let mut change = change.clone();
        change.rekey.generation = generation + 1;
        change
    });
    graph.restore_rekeys(many.collect());
    let back = super::statements::change(&two, &one, 1);
    assert_eq!(graph.rekey(&back, &mut plenty()), Err(RekeyError::Full));
    bring(&mut graph, &owner.vouch(&two));
    assert!(graph.rekey(&back, &mut plenty()).is_ok());
}

#[test]
fn an_issuers_people_change_so_many_keys_and_others_are_not_concerned() {
    let [owner, hostile, honest] = ["W1AW", "N1XYZ", "K1ABC"].map(person);
    let [one, two, three] = [(); 3].map(|()| person("N2XYZ"));
    let [old, new] = [(); 2].map(|()| person("K2ABC"));
    let mut graph = graph();
    anchor(&mut graph, &owner);
    for (by, who) in [
        (&owner, &hostile),
        (&owner, &honest),
        (&hostile, &one),
        (&hostile, &two),
        (&hostile, &three),
        (&honest, &old),
        (&honest, &new),
    ] {
        bring(&mut graph, &by.vouch(who));
    }
    let made_up = super::statements::change(&one, &two, 1);
    let many = (1..).take(MAX_CHANGES_BELOW).map(|generation| {
        let mut change = made_up.clone();
        change.rekey.generation = generation + 1;
        change
    });
    graph.restore_rekeys(many.collect());
    let checks = graph.checks();
    let another = super::statements::change(&two, &three, 1);
    let refused = graph.rekey(&another, &mut plenty());
    let issuer = hostile.key.key_id();
    assert_eq!(refused, Err(RekeyError::IssuerFull(issuer)));
    assert_eq!(graph.checks(), checks);
    let change = super::statements::change(&old, &new, 1);
    assert!(graph.rekey(&change, &mut plenty()).is_ok());
    assert_eq!(graph.successor(&old.key.key_id()), Some(new.key.key_id()));
}

#[test]
fn in_a_crowd_of_one_name_only_the_beginning_of_a_key_id_finds_the_issuer() {
    let [owner, hostile] = ["W1AW", "N1XYZ"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&hostile));
    let mut crowd: Vec<Person> = (0..300).map(|_| person("N2XYZ")).collect();
    crowd.sort_by_key(|one| one.key.key_id());
    // The SHA-1 of the key, as other programs write it.
    let by_sha1 = |issuer: &Person| {
        let made = issuer.vouch(&person("N3XYZ"));
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, issuer.own.public_key().point());
        let hint = made.key_identifier_of_issuer().unwrap().to_vec();
        issuer.sign(&patched(made.tbs(), &hint, sha1.as_ref()))
    };
    let last = crowd.pop().unwrap();
    bring(&mut graph, &hostile.vouch(&last));
    bring(&mut graph, &by_sha1(&last));
    for one in &crowd {
        bring(&mut graph, &hostile.vouch(one));
    }
    bring(&mut graph, &last.vouch(&person("N3XYZ")));
    let unfound = graph.admit(&by_sha1(&last), LINK, &mut plenty());
    assert_eq!(unfound.unwrap().state, State::Waiting);
}

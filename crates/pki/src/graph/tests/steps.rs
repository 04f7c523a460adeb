//! Single steps of admission and explanation.

use super::world::{LINK, anchor, bring, graph, person, plenty, same_key, trusted, with_key};
use crate::certificate::Certificate;
use crate::graph::{
    Budget, Explanation, Full, Limits, Refused, Share, Source, State, TrustGraph, Verdict,
};

#[test]
fn each_admission_costs_one_check_and_none_the_second_time() {
    let (owner, friend) = (person("W1AW"), person("K1ABC"));
    let mut graph = graph();
    anchor(&mut graph, &owner);
    assert_eq!(graph.checks(), 1);
    let vouched = owner.vouch(&friend);
    let admission = graph.admit(&vouched, LINK, &mut plenty()).unwrap();
    assert_eq!(admission.admitted.len(), 1);
    assert!(trusted(&graph, &vouched));
    assert_eq!((graph.checks(), graph.untrusted()), (2, 0));
    let again = graph.admit(&vouched, LINK, &mut Budget::new(0)).unwrap();
    assert!(matches!(again.state, State::Held(_)) && again.admitted.is_empty());
    assert_eq!(graph.checks(), 2);
}

#[test]
fn a_chain_is_admitted_issuer_first_and_in_any_other_order_too() {
    let people: Vec<_> = ["W1AW", "K1ABC", "K2ABC", "K3ABC"].map(person).into();
    let vouched: Vec<Certificate> = people
        .windows(2)
        .map(|pair| pair[0].vouch(&pair[1]))
        .collect();
    let chain = [
        vouched[1].clone(),
        vouched[0].clone(),
        people[0].own.clone(),
    ];
    let mut first = graph();
    let results = first.admit_chain(&vouched[2], &chain, LINK, &mut plenty());
    assert_eq!(results.len(), 4);
    assert_eq!((first.checks(), first.len()), (4, 4));

    let mut backwards = graph();
    for certificate in [&vouched[2], &vouched[1], &vouched[0]] {
        let admission = backwards.admit(certificate, LINK, &mut plenty()).unwrap();
        assert_eq!(admission.state, State::Waiting);
        assert_eq!(
            backwards.explain(&certificate.fingerprint()),
            Some(Explanation::Waiting)
        );
    }
    assert_eq!(backwards.checks(), 0);
    let admission = backwards
        .admit(&people[0].own, Source::Owner, &mut plenty())
        .unwrap();
    let sources: Vec<Source> = admission.admitted.iter().map(|one| one.source).collect();
    assert_eq!(sources, [Source::Owner, LINK, LINK, LINK], "each its own");
    assert_eq!((backwards.checks(), backwards.waiting()), (4, 0));
}

#[test]
fn what_the_budget_does_not_cover_stays_owed() {
    let (owner, friend) = (person("W1AW"), person("K1ABC"));
    let vouched = owner.vouch(&friend);
    let mut graph = graph();
    graph.admit(&vouched, LINK, &mut plenty()).unwrap();
    let none = graph.admit(&owner.own, LINK, &mut Budget::new(0));
    assert_eq!(none, Err(Refused::Budget));
    graph.admit(&owner.own, LINK, &mut Budget::new(1)).unwrap();
    assert_eq!(graph.verdict(&vouched.fingerprint()), Verdict::Waiting);
    let settled = graph.settle(&mut Budget::new(5));
    assert_eq!(settled.admitted.len(), 1);
    assert_eq!(graph.verdict(&vouched.fingerprint()), Verdict::Untrusted);
}

#[test]
fn who_may_not_issue_is_trusted_but_not_believed() {
    let (owner, leaf, below) = (person("W1AW"), person("K1ABC"), person("K2ABC"));
    let mut graph = graph();
    anchor(&mut graph, &owner);
    let (leaf_of, made) = (owner.vouch_as_leaf(&leaf), leaf.vouch(&below));
    bring(&mut graph, &leaf_of);
    bring(&mut graph, &made);
    assert!(trusted(&graph, &leaf_of) && !trusted(&graph, &made));
    let Some(Explanation::NoPath {
        roots,
        blocked,
        trusted_by,
    }) = graph.explain(&made.fingerprint())
    else {
        panic!("it has no path")
    };
    assert!(roots.is_empty() && trusted_by.is_empty());
    assert_eq!((blocked.len(), blocked[0].cause), (1, None));
    assert_eq!(blocked[0].step.fingerprint, leaf_of.fingerprint());
    // Once somebody lets the leaf issue, what it signed before counts.
    bring(&mut graph, &owner.vouch(&leaf));
    assert!(trusted(&graph, &made));
}

#[test]
fn a_trusted_holder_does_not_make_an_own_word_trusted() {
    let (owner, friend) = (person("W1AW"), person("K1ABC"));
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &friend.own);
    let vouched = owner.vouch(&friend);
    bring(&mut graph, &vouched);
    // The node may issue, so its self-signed certificate is signed by somebody who may issue.
    assert!(trusted(&graph, &vouched) && trusted(&graph, &friend.own));
    let Some(Explanation::Trusted(paths)) = graph.explain(&friend.own.fingerprint()) else {
        panic!("it is trusted")
    };
    let steps: Vec<_> = paths[0].steps.iter().map(|step| step.fingerprint).collect();
    let expected = [&friend.own, &vouched, &owner.own].map(Certificate::fingerprint);
    assert_eq!(steps, expected);
}

#[test]
fn explanations_name_every_voucher_shortest_first() {
    let [owner, one, two, friend] = ["W1AW", "K1ABC", "K2ABC", "K3ABC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    let target = one.vouch(&friend);
    for certificate in [
        owner.vouch(&one),
        owner.vouch(&two),
        two.vouch(&one),
        one.vouch(&owner),
        target.clone(),
    ] {
        bring(&mut graph, &certificate);
    }
    let Some(Explanation::Trusted(paths)) = graph.explain(&target.fingerprint()) else {
        panic!("it is trusted")
    };
    let calls = |path: usize| -> Vec<String> {
        paths[path]
            .steps
            .iter()
            .map(|step| step.callsign.to_string())
            .collect()
    };
    assert_eq!(paths.len(), 2);
    assert_eq!(calls(0), ["K3ABC", "K1ABC", "W1AW"]);
    assert_eq!(calls(1), ["K3ABC", "K1ABC", "K2ABC", "W1AW"]);
    let (by, method) = paths[0].steps[0].vouched.clone().unwrap();
    assert_eq!((by.as_str(), method.as_str()), ("K1ABC", "in-person"));
}

#[test]
fn a_chain_leads_to_the_anchor_or_as_far_as_is_known() {
    let [owner, one, two, three] = ["W1AW", "K1ABC", "K2ABC", "K3ABC"].map(person);
    let mut graph = graph();
    bring(&mut graph, &one.own);
    let (upper, lower) = (owner.vouch(&one), one.vouch(&two));
    let last = two.vouch(&three);
    let identities = [&lower, &last].map(|made| bring(&mut graph, made));
    let chain = |graph: &TrustGraph, most| -> Vec<Certificate> {
        let chain = graph.chain(&identities[1], most).into_iter();
        chain.map(|above| Certificate::clone(above)).collect()
    };
    // Nobody is trusted yet: the chain ends at the root that is known, and in a circle.
    assert_eq!(chain(&graph, 9), [lower.clone(), one.own.clone()]);
    assert_eq!(chain(&graph, 1), std::slice::from_ref(&lower));
    bring(&mut graph, &three.vouch(&one));
    assert_eq!(chain(&graph, 99).len(), 2);
    let root = anchor(&mut graph, &owner);
    bring(&mut graph, &upper);
    assert_eq!(chain(&graph, 9), [lower, upper, owner.own.clone()]);
    assert!(graph.chain(&root, 9).is_empty());
}

#[test]
fn one_key_under_two_names_is_two_issuers() {
    let (owner, other) = (person("W1AW"), person("K9ABC"));
    let twin = with_key(same_key(&owner), "K1ABC");
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &twin.own);
    let by_twin = twin.vouch(&other);
    bring(&mut graph, &by_twin);
    assert!(
        !trusted(&graph, &by_twin),
        "the owner trusts the name W1AW only"
    );
    bring(&mut graph, &owner.vouch(&twin));
    assert!(trusted(&graph, &by_twin));
}

#[test]
fn a_cap_bounds_what_stands_below_one_key() {
    let limits = Limits {
        below_one_key: 2,
        ..Limits::default()
    };
    let mut graph = TrustGraph::new(limits);
    let (owner, friend) = (person("W1AW"), person("K1ABC"));
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&friend));
    let [one, two, three] = ["K2ABC", "K3ABC", "K4ABC"].map(person);
    bring(&mut graph, &friend.vouch(&one));
    bring(&mut graph, &one.vouch(&two));
    let third = two.vouch(&three);
    let key = friend.key.key_id();
    let refused = graph.admit(&third, Source::Owner, &mut plenty());
    assert_eq!(refused, Err(Refused::IssuerFull(key)));
    graph.raise_cap(key, 3);
    bring(&mut graph, &third);
    assert!(trusted(&graph, &third));
}

#[test]
fn a_flood_over_many_links_gives_way_to_a_quiet_one() {
    let limits = Limits {
        untrusted: Share {
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
    let call = |at: usize| {
        format!(
            "K{}AB{}",
            at % 10,
            char::from(b'A' + u8::try_from(at / 10).unwrap())
        )
    };
    let roots: Vec<_> = (0..20).map(|at| person(&call(at))).collect();
    for (at, root) in roots.iter().take(6).enumerate() {
        graph
            .admit(&root.own, from(1, false), &mut plenty())
            .unwrap();
        assert_eq!(graph.untrusted(), at + 1);
    }
    let refused = graph.admit(&roots[6].own, from(1, false), &mut plenty());
    assert_eq!(refused, Err(Refused::Full(Full::Link)));
    for root in &roots[6..10] {
        graph
            .admit(&root.own, from(2, false), &mut plenty())
            .unwrap();
    }
    // Ten of ten open places are taken: the link with the most gives up its newest.
    let admission = graph
        .admit(&roots[10].own, from(3, false), &mut plenty())
        .unwrap();
    assert_eq!(admission.evicted.len(), 1);
    assert_eq!(graph.verdict(&roots[5].own.fingerprint()), Verdict::Unknown);
    // A trusted origin has two more.
    for root in &roots[11..13] {
        let admission = graph
            .admit(&root.own, from(4, true), &mut plenty())
            .unwrap();
        assert!(admission.evicted.is_empty());
    }
    assert_eq!(graph.untrusted(), 12);
    // What becomes trusted gives its place back.
    let first = graph
        .certificate(&roots[0].own.fingerprint())
        .unwrap()
        .identity();
    graph.add_anchor(&first).unwrap();
    assert_eq!(graph.untrusted(), 11);
}

#[test]
fn eviction_takes_what_stands_below_along() {
    let limits = Limits {
        untrusted: Share {
            total: 4,
            reserved: 0,
            each: 4,
        },
        ..Limits::default()
    };
    let mut graph = TrustGraph::new(limits);
    let from = |link| Source::Stranger {
        link,
        origin: link,
        trusted: false,
    };
    let [lonely, root, mid, end] = ["K1ABC", "K2ABC", "K3ABC", "K4ABC"].map(person);
    let (upper, lower) = (root.vouch(&mid), mid.vouch(&end));
    for certificate in [&root.own, &lower, &upper] {
        graph.admit(certificate, from(1), &mut plenty()).unwrap();
    }
    // The newest is the lower one, which waited; with it full, two more make it go.
    graph.admit(&lonely.own, from(2), &mut plenty()).unwrap();
    let more = person("K5ABC");
    let admission = graph.admit(&more.own, from(3), &mut plenty()).unwrap();
    assert_eq!(admission.evicted.len(), 1);
    assert_eq!(graph.len(), 4);
    assert_eq!(graph.untrusted(), 4);
}

//! Random graphs, orders and decisions against the model.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::Index;
use ring::rand::SystemRandom;
use station::{Fingerprint, Identity, Statement};

use super::model::{self, Decisions, Made};
use super::world::{Person, graph, person, plenty, same_key, with_key};
use crate::graph::{Affected, Explanation, Source, Stored, Target, Tombstone, TrustGraph, Verdict};

/// Nine people, some with one name and some with one key, who vouch for each other densely.
struct Universe {
    people: Vec<Person>,
    made: Vec<Made>,
}

fn universe() -> &'static Universe {
    static MADE: OnceLock<Universe> = OnceLock::new();
    MADE.get_or_init(|| {
        let names = ["W1AW", "W1AW", "W1AW", "K1ABC", "K1ABC", "DL1XYZ", "G4ABC"];
        let mut people: Vec<Person> = names.into_iter().map(person).collect();
        people.push(with_key(same_key(&people[0]), "F1ABC"));
        people.push(with_key(same_key(&people[3]), "W1AW/P"));
        let mut made = Vec::new();
        for (place, issuer) in people.iter().enumerate() {
            made.push(Made::new(issuer.own.clone(), issuer));
            for (other, holder) in people
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != place)
            {
                let certificate = if (place + other) % 4 == 0 {
                    issuer.vouch_as_leaf(holder)
                } else {
                    issuer.vouch(holder)
                };
                made.push(Made::new(certificate, issuer));
            }
        }
        Universe { people, made }
    })
}

#[derive(Debug, Clone)]
enum Step {
    Admit(Index),
    Anchor(Index),
    NoAnchor(Index),
    Certificate(Index),
    Key(Index),
    Subtree(Index),
    Undo(Index),
    Bury(Index, Index),
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        30 => index().prop_map(Step::Admit),
        4 => index().prop_map(Step::Anchor),
        2 => index().prop_map(Step::NoAnchor),
        2 => index().prop_map(Step::Certificate),
        1 => index().prop_map(Step::Key),
        1 => index().prop_map(Step::Subtree),
        2 => index().prop_map(Step::Undo),
        1 => (index(), index()).prop_map(|(a, b)| Step::Bury(a, b)),
    ]
}

fn take(graph: &mut TrustGraph, made: &Made) {
    let before = trusted(graph);
    let admission = graph
        .admit(&made.certificate, Source::Owner, &mut plenty())
        .unwrap();
    let after = trusted(graph);
    let fingerprints = |told: &[Affected]| {
        let mut told: Vec<Fingerprint> = told.iter().map(|one| one.fingerprint).collect();
        told.sort_unstable();
        told
    };
    let only_in = |these: &[Fingerprint], those: &[Fingerprint]| {
        let mut these = these.to_vec();
        these.retain(|one| !those.contains(one));
        these
    };
    assert_eq!(fingerprints(&admission.gained), only_in(&after, &before));
    assert_eq!(fingerprints(&admission.lost), only_in(&before, &after));
}

fn bury(graph: &mut TrustGraph, decisions: &mut Decisions, target: &Made, signer: &Person) {
    let key = signer.key.key_id();
    let statement = Statement::tombstone(key, target.identity).unwrap();
    let tombstone = Tombstone {
        target: target.identity,
        signer: key,
        signature: signer.key.sign(&statement, &SystemRandom::new()).unwrap(),
    };
    if graph.bury(&tombstone, &mut plenty()).is_ok() {
        if target.certificate.key_id() == key {
            decisions.withdrawn.insert(key);
        } else if target.issuer == key {
            decisions.revoked.insert(target.identity);
        }
    }
}

fn decide(graph: &mut TrustGraph, decisions: &mut Decisions, target: Target) {
    let checks = graph.checks();
    let before = trusted(graph);
    let preview = graph.preview(target);
    assert_eq!(trusted(graph), before, "a preview changes nothing");
    let (entry, effect) = graph.blacklist(target, "test");
    assert_eq!(preview, effect, "the preview says what happens");
    let after = trusted(graph);
    let lost: Vec<Fingerprint> = before
        .iter()
        .filter(|one| !after.contains(one))
        .copied()
        .collect();
    let mut told: Vec<Fingerprint> = effect.lose.iter().map(|one| one.fingerprint).collect();
    told.sort_unstable();
    assert_eq!(told, lost);
    assert_eq!(graph.checks(), checks);
    decisions.blacklist.insert(target, entry);
}

fn undo(graph: &mut TrustGraph, decisions: &mut Decisions, which: &Index) {
    if decisions.blacklist.is_empty() {
        return;
    }
    let targets: Vec<Target> = decisions.blacklist.keys().copied().collect();
    let target = *which.get(&targets);
    let before = trusted(graph);
    let effect = graph.unblacklist(target).unwrap();
    let after = trusted(graph);
    let gained: Vec<Fingerprint> = after
        .iter()
        .filter(|one| !before.contains(one))
        .copied()
        .collect();
    let mut told: Vec<Fingerprint> = effect.gain.iter().map(|one| one.fingerprint).collect();
    told.sort_unstable();
    assert_eq!(told, gained);
    decisions.blacklist.remove(&target);
}

fn trusted(graph: &TrustGraph) -> Vec<Fingerprint> {
    let made = universe().made.iter();
    let mut trusted: Vec<Fingerprint> = made
        .map(|made| made.certificate.fingerprint())
        .filter(|fingerprint| graph.verdict(fingerprint) == Verdict::Trusted)
        .collect();
    trusted.sort_unstable();
    trusted
}

fn check(graph: &TrustGraph, present: &[&Made], decisions: &Decisions) {
    let expected: Vec<Fingerprint> = model::trusted(present, decisions).into_iter().collect();
    assert_eq!(trusted(graph), expected);
    let admitted = model::admitted(present).len();
    assert_eq!(graph.len(), admitted);
    assert_eq!(graph.waiting(), present.len() - admitted);
}

/// Every explanation fits the verdict, and every path is a path.
fn check_explanations(graph: &TrustGraph, present: &[&Made]) {
    for made in present {
        let fingerprint = made.certificate.fingerprint();
        let explanation = graph.explain(&fingerprint).unwrap();
        let fits = match graph.verdict(&fingerprint) {
            Verdict::Trusted => {
                matches!(&explanation, Explanation::Trusted(paths) if !paths.is_empty())
            }
            Verdict::Dead(cause) => explanation == Explanation::Dead(cause),
            Verdict::Untrusted => matches!(explanation, Explanation::NoPath { .. }),
            Verdict::Waiting => explanation == Explanation::Waiting,
            Verdict::Unknown => false,
        };
        assert!(fits, "{explanation:?}");
        let Explanation::Trusted(paths) = explanation else {
            continue;
        };
        for path in &paths {
            assert_eq!(path.steps[0].fingerprint, fingerprint);
            assert!(path.steps.last().unwrap().anchor);
            for pair in path.steps.windows(2) {
                let [below, above] =
                    [0, 1].map(|at| graph.certificate(&pair[at].fingerprint).unwrap());
                assert!(below.is_signed_by(above.public_key()));
                assert!(above.may_issue());
            }
        }
        assert!(paths.is_sorted_by_key(|path| path.steps.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_are_the_models_after_every_step(steps in prop::collection::vec(step(), 1..70)) {
        let universe = universe();
        let (mut graph, mut decisions) = (graph(), Decisions::default());
        let mut present: Vec<&Made> = Vec::new();
        for step in steps {
            match step {
                Step::Admit(which) => {
                    let made = which.get(&universe.made);
                    take(&mut graph, made);
                    if !present.iter().any(|other| other.identity == made.identity) {
                        present.push(made);
                    }
                }
                Step::Anchor(which) => {
                    let made = which.get(&universe.made);
                    if graph.add_anchor(&made.identity).is_some() {
                        decisions.anchors.insert(made.identity);
                    }
                }
                Step::NoAnchor(which) => {
                    let anchors: Vec<Identity> = decisions.anchors.iter().copied().collect();
                    if !anchors.is_empty() {
                        let anchor = which.get(&anchors);
                        decisions.anchors.remove(anchor);
                        prop_assert!(graph.remove_anchor(anchor).is_some());
                        prop_assert!(graph.remove_anchor(anchor).is_none());
                    }
                }
                Step::Certificate(which) => {
                    let target = Target::Certificate(which.get(&universe.made).identity);
                    decide(&mut graph, &mut decisions, target);
                }
                Step::Key(which) => {
                    let target = Target::Key(which.get(&universe.people).key.key_id());
                    decide(&mut graph, &mut decisions, target);
                }
                Step::Subtree(which) => {
                    let target = Target::Subtree(which.get(&universe.people).key.key_id());
                    decide(&mut graph, &mut decisions, target);
                }
                Step::Undo(which) => undo(&mut graph, &mut decisions, &which),
                Step::Bury(target, signer) => {
                    let target = target.get(&universe.made);
                    bury(&mut graph, &mut decisions, target, signer.get(&universe.people));
                }
            }
            check(&graph, &present, &decisions);
        }
        check_explanations(&graph, &present);
    }

    #[test]
    fn the_order_of_arrival_does_not_matter_nor_does_a_restart(
        chosen in prop::sample::subsequence((0..81).collect::<Vec<usize>>(), 1..50),
        shuffles in prop::collection::vec(any::<u64>(), 50),
        anchors in prop::collection::vec(any::<Index>(), 1..4),
    ) {
        let universe = universe();
        let present: Vec<&Made> = chosen.iter().map(|at| &universe.made[*at]).collect();
        let mut decisions = Decisions::default();
        let mut shuffled: Vec<(u64, &Made)> = shuffles.into_iter().zip(present.iter().copied()).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let mut first = graph();
        shuffled.iter().for_each(|(_, made)| take(&mut first, made));
        for which in anchors {
            let made = which.get(&present);
            if first.add_anchor(&made.identity).is_some() {
                decisions.anchors.insert(made.identity);
            }
        }
        check(&first, &present, &decisions);

        let mut stored: Vec<Stored> = first.web.edges.iter().map(|(_, edge)| Stored {
            certificate: edge.certificate.clone(),
            source: Source::Owner,
        }).collect();
        stored.sort_by_key(|stored| stored.certificate.identity());
        let mut again = graph();
        prop_assert_eq!(again.restore(stored), Vec::new());
        for identity in &decisions.anchors {
            again.add_anchor(identity).unwrap();
        }
        prop_assert_eq!(trusted(&again), trusted(&first));
        prop_assert_eq!(again.checks(), 0);
        for made in &present {
            let fingerprint = made.certificate.fingerprint();
            if first.verdict(&fingerprint) != Verdict::Waiting {
                prop_assert_eq!(again.explain(&fingerprint), first.explain(&fingerprint));
            }
        }
    }
}

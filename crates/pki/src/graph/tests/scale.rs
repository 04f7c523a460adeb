//! Webs and chains as large as they get.

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::world::{Person, anchor, bring, graph, person, plenty, trusted};
use crate::certificate::Certificate;
use crate::graph::{Explanation, MAX_STEPS, Source, Stored, Verdict};

/// The nth callsign: K1AAA, K1AAB and so on.
fn callsign(at: usize) -> String {
    let letter = |by: usize| char::from(b'A' + u8::try_from(at / by % 26).unwrap());
    format!(
        "K{}{}{}{}",
        at / 17_576 % 10,
        letter(676),
        letter(26),
        letter(1)
    )
}

fn people(count: usize) -> Vec<Person> {
    (0..count).map(|at| person(&callsign(at))).collect()
}

fn below(random: &mut TestRng, bound: usize) -> usize {
    usize::try_from(random.next_u64() % u64::try_from(bound).unwrap()).unwrap()
}

fn shuffled<T: Clone>(items: &[T], seed: u8) -> Vec<T> {
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut keyed: Vec<(u64, T)> = items
        .iter()
        .map(|item| (random.next_u64(), item.clone()))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, item)| item).collect()
}

#[test]
fn a_web_of_a_thousand_operators_is_right_in_any_order() {
    let people = people(1000);
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut made: Vec<Certificate> = Vec::new();
    // Operators 0 to 899 hang together below the first; the last hundred vouch among themselves.
    for at in 1..1000 {
        let above = if at < 900 {
            below(&mut random, at)
        } else {
            900 + (at - 899) % 100
        };
        made.push(people[above].vouch(&people[at]));
    }
    for _ in 0..2000 {
        let (from, to) = (below(&mut random, 900), below(&mut random, 900));
        if from != to {
            made.push(people[from].vouch(&people[to]));
        }
    }
    made.push(people[950].vouch(&people[3]));
    let root = people[0].own.clone();
    let mut explained = Vec::new();
    for seed in 0..3 {
        let mut graph = graph();
        let mut arriving = shuffled(&made, seed);
        let anchored = arriving.len() / (usize::from(seed) + 1) - 1;
        for (at, certificate) in arriving.drain(..).enumerate() {
            if at == anchored {
                let identity = bring(&mut graph, &root);
                graph.add_anchor(&identity).unwrap();
            }
            graph
                .admit(&certificate, Source::Owner, &mut plenty())
                .unwrap();
        }
        for certificate in &made {
            let outside = people[900..]
                .iter()
                .any(|person| person.own.subject() == certificate.issuer());
            let expected = if outside {
                Verdict::Waiting
            } else {
                Verdict::Trusted
            };
            assert_eq!(graph.verdict(&certificate.fingerprint()), expected);
        }
        let explain = |certificate: &Certificate| graph.explain(&certificate.fingerprint());
        explained.push(made.iter().step_by(100).map(explain).collect::<Vec<_>>());
        assert_eq!(
            graph.checks(),
            u64::try_from(graph.len()).unwrap(),
            "one check each"
        );
    }
    assert!(explained.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_chain_of_ten_thousand_is_verified_explained_and_restored() {
    let people = people(10_001);
    let made: Vec<Certificate> = people
        .windows(2)
        .map(|pair| pair[0].vouch(&pair[1]))
        .collect();
    let mut graph = graph();
    let root = anchor(&mut graph, &people[0]);
    // The end comes first: everything waits for the certificate below the root.
    for certificate in made.iter().rev() {
        graph
            .admit(certificate, Source::Owner, &mut plenty())
            .unwrap();
    }
    let last = made.last().unwrap();
    assert!(trusted(&graph, last));
    assert_eq!(graph.checks(), 10_001);
    let Some(Explanation::Trusted(paths)) = graph.explain(&last.fingerprint()) else {
        panic!("it is trusted")
    };
    let path = &paths[0];
    assert_eq!((paths.len(), path.steps.len()), (1, MAX_STEPS));
    assert_eq!(path.left_out, 10_001 - MAX_STEPS);
    assert_eq!(path.steps[0].fingerprint, last.fingerprint());
    assert!(path.steps[MAX_STEPS - 1].anchor && !path.steps[MAX_STEPS - 2].anchor);
    let identity = path.steps[0].identity;
    assert_eq!(graph.chain(&identity, usize::MAX).len(), 10_000);
    graph.remove_anchor(&root).unwrap();
    assert_eq!(graph.verdict(&last.fingerprint()), Verdict::Untrusted);
    let effect = graph.add_anchor(&root).unwrap();
    assert_eq!(effect.keys_gained, 10_001);

    let stored = shuffled(&[&[people[0].own.clone()][..], &made].concat(), 1);
    let stored = stored.iter().map(|certificate| Stored {
        certificate: graph
            .certificate(&certificate.fingerprint())
            .unwrap()
            .clone(),
        source: Source::Owner,
    });
    let mut again = super::world::graph();
    assert_eq!(again.restore(stored.collect()), Vec::new());
    again.add_anchor(&root).unwrap();
    assert!(trusted(&again, last));
    assert_eq!(again.checks(), 0);
}

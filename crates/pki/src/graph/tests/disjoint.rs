//! Independent vouchers, against every choice of paths.

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use ring::rand::SystemRandom;
use station::KeyId;

use super::world::{Person, anchor, bring, graph, person};
use crate::graph::{Target, TrustGraph};
use crate::issue::{self, Issuer};
use crate::key::SigningKey;

fn id(person: &Person) -> KeyId {
    person.key.key_id()
}

fn independent(graph: &TrustGraph, people: &[&Person]) -> bool {
    let keys: Vec<KeyId> = people.iter().map(|person| id(person)).collect();
    graph.disjoint_vouchers(&keys)
}

#[test]
fn made_up_endorsers_hang_on_their_maker() {
    let [owner, friend, other] = ["W1AW", "K1ABC", "K2ABC"].map(person);
    let made_up = ["K4AAA", "K4BBB", "K4CCC"].map(person);
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&friend));
    bring(&mut graph, &owner.vouch(&other));
    for one in &made_up {
        bring(&mut graph, &friend.vouch(one));
    }
    let [a, b, c] = &made_up;
    assert!(independent(&graph, &[a]));
    assert!(!independent(&graph, &[a, b, c]) && !independent(&graph, &[a, &friend]));
    assert!(independent(&graph, &[a, &other, &owner]));
    // Somebody else vouches for one of them as well: that one has a way of its own.
    bring(&mut graph, &other.vouch(b));
    assert!(independent(&graph, &[a, b]) && independent(&graph, &[b, a]));
    assert!(!independent(&graph, &[a, b, c]));
    // The first path found for `b` may stand in the way of `friend` and has to be led differently.
    assert!(independent(&graph, &[b, &friend]) && independent(&graph, &[&friend, b]));
    graph.blacklist(Target::Key(id(&other)), "lost");
    assert!(!independent(&graph, &[a, b]) && !independent(&graph, &[&other]));
}

#[test]
fn one_person_counts_once() {
    let [owner, friend, other] = ["W1AW", "K1ABC", "K2ABC"].map(person);
    let portable = person("K1ABC/P");
    let stranger = person("K3ABC");
    let mut graph = graph();
    anchor(&mut graph, &owner);
    for one in [&friend, &other, &portable] {
        bring(&mut graph, &owner.vouch(one));
    }
    let leaf = person("K4ABC");
    bring(&mut graph, &owner.vouch_as_leaf(&leaf));
    assert!(independent(&graph, &[&friend, &other]));
    assert!(!independent(&graph, &[]));
    assert!(!independent(&graph, &[&friend, &friend]), "one key twice");
    assert!(!independent(&graph, &[&friend, &portable]), "one callsign");
    assert!(!independent(&graph, &[&stranger]), "nobody vouches");
    assert!(!independent(&graph, &[&leaf]), "it may not vouch");
    let many: Vec<Person> = (0..9).map(|at| person(&format!("K{at}AAA"))).collect();
    for one in &many {
        bring(&mut graph, &owner.vouch(one));
    }
    let many: Vec<&Person> = many.iter().collect();
    assert!(independent(&graph, &many[..8]) && !independent(&graph, &many));
}

#[test]
fn an_owners_server_issues_for_its_owner() {
    let [owner, friend, one, two] = ["W1AW", "K1ABC", "K2ABC", "K3ABC"].map(person);
    let random = SystemRandom::new();
    let mut graph = graph();
    anchor(&mut graph, &owner);
    bring(&mut graph, &owner.vouch(&friend));
    let server_of = |person: &Person| {
        let owner = Issuer {
            certificate: &person.own,
            key: &person.key,
        };
        let key = SigningKey::generate(&random).unwrap();
        let made = issue::server_certificate(
            owner,
            &key.public_key(),
            std::time::SystemTime::UNIX_EPOCH,
            &random,
        );
        Person {
            key,
            own: made.unwrap(),
        }
    };
    let (owners, friends) = (server_of(&owner), server_of(&friend));
    for made in [
        &owners.own,
        &friends.own,
        &owners.vouch(&one),
        &owners.vouch(&two),
    ] {
        bring(&mut graph, made);
    }
    assert!(independent(&graph, &[&one, &two, &friend]));
    assert!(!independent(&graph, &[&owner, &owners]), "one callsign");
    let [three, four] = ["K4ABC", "K5ABC"].map(person);
    bring(&mut graph, &friends.vouch(&three));
    bring(&mut graph, &friends.vouch(&four));
    assert!(
        !independent(&graph, &[&three, &four]),
        "a friend's server is no anchor"
    );
}

#[test]
fn random_webs_are_judged_as_by_trying_every_path() {
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let mut below = |bound: usize| usize::try_from(random.next_u64() % bound as u64).unwrap();
    let people: Vec<Person> = (0..9).map(|at| person(&format!("K{at}ABC"))).collect();
    let (mut yes, mut no) = (0, 0);
    for _ in 0..60 {
        let mut graph = graph();
        anchor(&mut graph, &people[0]);
        anchor(&mut graph, &people[1]);
        let mut edges: Vec<(usize, usize)> = Vec::new();
        for _ in 0..14 {
            let (from, to) = (below(9), 2 + below(7));
            if from != to && !edges.contains(&(from, to)) {
                edges.push((from, to));
                // An issuer that is not yet known makes the certificate wait.
                let made = people[from].vouch(&people[to]);
                let source = crate::graph::Source::Owner;
                graph
                    .admit(&made, source, &mut super::world::plenty())
                    .unwrap();
            }
        }
        for _ in 0..12 {
            let mut asked: Vec<usize> = (0..3).map(|_| below(9)).collect();
            asked.sort_unstable();
            asked.dedup();
            let expected = apart(&edges, &asked, &mut Vec::new());
            let people: Vec<&Person> = asked.iter().map(|at| &people[*at]).collect();
            assert_eq!(
                independent(&graph, &people),
                expected,
                "{asked:?} {edges:?}"
            );
            *(if expected { &mut yes } else { &mut no }) += 1;
        }
    }
    assert!(yes > 100 && no > 100, "{yes} {no}");
}

/// Whether each of `asked` finds a path to 0 or 1 that avoids the keys in use.
fn apart(edges: &[(usize, usize)], asked: &[usize], used: &mut Vec<usize>) -> bool {
    let Some((first, rest)) = asked.split_first() else {
        return true;
    };
    climb(edges, *first, rest, used)
}

fn climb(edges: &[(usize, usize)], at: usize, rest: &[usize], used: &mut Vec<usize>) -> bool {
    if at < 2 {
        return apart(edges, rest, used);
    }
    if used.contains(&at) {
        return false;
    }
    used.push(at);
    let above = edges.iter().filter(|(_, to)| *to == at);
    let found = above
        .map(|(from, _)| *from)
        .any(|from| climb(edges, from, rest, used));
    used.pop();
    found
}

//! Random afternoons at the hub, checked against a model small enough to be right by reading.
//!
//! The model knows who is in which net, what its members were told, and for each pair what may be said
//! next. Nets are small or large by chance, and time passes. After every step the hub must have told
//! exactly the clients the model names, what it names, and must wake exactly when the model says; once it
//! is quiet, every client's own view of its net, kept from what it was told, must be the truth.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod doings;
mod nets;
mod rules;
mod steps;
mod view;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use signaling::Limits;
use signaling::limit::Rate;

use steps::{Step, crew, step};
use world::World;

const CANDIDATES: u32 = 2;
const NETS: [&str; 2] = ["main", "field-day"];
const PAGE: usize = 3;
/// How long the hub waits for who dropped out.
const KEEP: Duration = Duration::from_millis(700);
const GATHER: Duration = Duration::from_millis(250);
const GATHER_AT_MOST: Duration = Duration::from_millis(900);
const NAMINGS: u32 = 20;
/// Nobody falls silent for so long.
const AGES: Duration = Duration::from_secs(100_000);

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_hub_does_what_the_model_says(
        at_once in 0..6_usize,
        named in 1..5_usize,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new(at_once, named);
        for step in crew().iter().chain(&steps) {
            world.take(step);
        }
        world.check_views();
    }
}

/// Found once by chance: the last to be told of somebody leaves, and their net with them.
#[test]
fn news_of_a_net_that_empties() {
    use Step::{Connect, Disconnect, Guest, Join, Pass};
    let mut world = World::new(0, 50);
    let steps = [
        Connect,
        Connect,
        Connect,
        Disconnect { who: 0 },
        Connect,
        Connect,
        Guest { who: 12 },
        Guest { who: 47 },
        Connect,
        Pass { millis: 62 },
        Connect,
        Pass { millis: 188 },
        Join { who: 30, net: 1 },
        Connect,
        Disconnect { who: 1 },
        Guest { who: 34 },
        Disconnect { who: 19 },
        Join { who: 5, net: 0 },
    ];
    for step in &steps {
        world.take(step);
    }
    world.check_views();
}

/// Budgets and silence are out of the way: they have tests of their own.
fn unhurried() -> Limits {
    let mut limits = Limits {
        register_within: AGES,
        ping_after: AGES,
        idle_after: AGES,
        ..Limits::default()
    };
    let ample = Rate::per_second(1_000_000, 1_000_000_000);
    for rate in [
        &mut limits.messages,
        &mut limits.bytes,
        &mut limits.identity_messages,
        &mut limits.offers,
        &mut limits.moves,
    ] {
        *rate = ample;
    }
    limits
}

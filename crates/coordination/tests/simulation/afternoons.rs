//! Many afternoons by chance.
//!
//! `cargo xtask simulate` runs more of them, and `cargo xtask simulate --seed 42 --log` shows one with everything
//! that happens in it; it tells by `HAM_SIM_SEEDS`, `HAM_SIM_FIRST`, `HAM_SIM_SEED`, `HAM_SIM_CROWD` and `HAM_SIM_LOG`.

use sha2::{Digest, Sha256};

use crate::sim::plan;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64) -> Result<(), String> {
    let again = format!("again: cargo xtask simulate --seed {seed}");
    let afternoon = plan::afternoon(seed);
    afternoon.map_err(|problem| format!("seed {seed}: {problem}\n  {again}"))
}

#[test]
fn one_seed() {
    run(from_environment("HAM_SIM_SEED").unwrap_or(1)).unwrap();
}

/// Two tests, so that they run on two cores.
fn afternoons(of_two: u64) {
    let first = from_environment("HAM_SIM_FIRST").unwrap_or(0);
    let seeds = first..first + from_environment("HAM_SIM_SEEDS").unwrap_or(2_000);
    let seeds = seeds.filter(|seed| seed % 2 == of_two);
    let failures: Vec<String> = seeds.filter_map(|seed| run(seed).err()).take(10).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn even_afternoons() {
    afternoons(0);
}

#[test]
fn odd_afternoons() {
    afternoons(1);
}

/// Fifty servers, and one for every ten of them who means harm. `cargo xtask simulate` makes them a hundred, and
/// `cargo xtask simulate --crowd 500` so many.
#[test]
fn a_crowd_has_an_afternoon() {
    let servers = from_environment("HAM_SIM_CROWD").unwrap_or(50);
    let first = from_environment("HAM_SIM_FIRST").unwrap_or(0);
    for seed in first..first + from_environment("HAM_SIM_CROWDS").unwrap_or(2) {
        let mut crowd = plan::crowd(seed, usize::try_from(servers).unwrap());
        let again = format!("again: cargo xtask simulate --crowd {servers} --first {seed}");
        assert_eq!(plan::run(&mut crowd), Ok(()), "seed {seed}, {again}");
    }
}

#[test]
fn the_same_seed_is_the_same_afternoon() {
    let traced = |seed| {
        let mut world = plan::world(seed);
        world.trace = Some(Sha256::new());
        plan::run(&mut world).unwrap();
        world.traced()
    };
    assert_eq!(traced(4), traced(4));
    assert_ne!(traced(4), traced(5));
}

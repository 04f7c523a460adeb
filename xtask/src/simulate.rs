//! `cargo xtask simulate`: more afternoons of coordination than the test suite has time for.
//!
//! With them go a crowd and a net that are larger than there.
//!
//! Each seed is one afternoon of some servers (`crates/coordination/tests/simulation`): the same seed is the
//! same afternoon, on every machine. A failing one is named with the command that shows it again.

use anyhow::{Context, Result, bail};

use crate::run::{self, cargo};

const USAGE: &str = "\
usage: cargo xtask simulate [--seeds COUNT] [--first SEED]
       cargo xtask simulate --crowd SERVERS [--first SEED]
       cargo xtask simulate --seed SEED [--log]";

#[derive(Debug, PartialEq, Eq)]
enum What {
    /// So many seeds, from the first on.
    Many { seeds: u64, first: u64 },
    /// A crowd of so many servers, by one seed.
    Crowd { servers: u64, seed: u64 },
    /// One seed; and whether everything that happens is printed.
    One { seed: u64, log: bool },
}

pub(crate) fn main(words: &[&str]) -> Result<()> {
    let what = read(words)?;
    let mut command = cargo(&["test", "-p", "coordination", "--test", "simulation"]);
    if matches!(what, What::Crowd { .. }) {
        // Hundreds of servers take minutes of it.
        command.args(["--release", "--config", "profile.release.opt-level=3"]);
    }
    command.arg("--");
    match what {
        What::Many { seeds, first } => command
            .args(["even_afternoons", "odd_afternoons", "a_crowd", "hundreds"])
            .env("HAM_SIM_SERVERS", "500")
            .env("HAM_SIM_CROWD", "100")
            .env("HAM_SIM_CROWDS", "1")
            .env("HAM_SIM_SEEDS", seeds.to_string())
            .env("HAM_SIM_FIRST", first.to_string()),
        What::Crowd { servers, seed } => command
            .args(["a_crowd", "--nocapture"])
            .env("HAM_SIM_CROWD", servers.to_string())
            .env("HAM_SIM_CROWDS", "1")
            .env("HAM_SIM_FIRST", seed.to_string()),
        What::One { seed, log } => {
            if log {
                command.env("HAM_SIM_LOG", "1");
            }
            command
                .args(["afternoons::one_seed", "--nocapture"])
                .env("HAM_SIM_SEED", seed.to_string())
        }
    };
    run::must(&mut command)
}

fn read(words: &[&str]) -> Result<What> {
    let names = ["--seeds", "--first", "--seed", "--crowd"];
    let mut numbers = names.map(|name| (name, None));
    let mut log = false;
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        if word == "--log" {
            log = true;
            continue;
        }
        let number = numbers.iter_mut().find(|(name, _)| *name == word);
        let (_, number) = number.context(USAGE)?;
        *number = Some(words.next().context(USAGE)?.parse().context(USAGE)?);
    }
    match (numbers.map(|(_, number)| number), log) {
        ([None, None, Some(seed), None], log) => Ok(What::One { seed, log }),
        ([None, first, None, Some(servers)], false) => Ok(What::Crowd {
            servers,
            seed: first.unwrap_or(0),
        }),
        ([seeds, first, None, None], false) => Ok(What::Many {
            seeds: seeds.unwrap_or(10_000),
            first: first.unwrap_or(0),
        }),
        _ => bail!(USAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_seeds_or_a_crowd_or_one() {
        let many = |seeds, first| What::Many { seeds, first };
        assert_eq!(read(&[]).unwrap(), many(10_000, 0));
        assert_eq!(read(&["--first", "7", "--seeds", "3"]).unwrap(), many(3, 7));
        let one = What::One { seed: 9, log: true };
        assert_eq!(read(&["--seed", "9", "--log"]).unwrap(), one);
        let crowd = |servers, seed| What::Crowd { servers, seed };
        assert_eq!(read(&["--crowd", "500"]).unwrap(), crowd(500, 0));
        let second = ["--first", "1", "--crowd", "50"];
        assert_eq!(read(&second).unwrap(), crowd(50, 1));
        for wrong in [
            &["--seed"][..],
            &["--crowd", "5", "--seeds", "2"],
            &["--crowd", "5", "--seed", "2"],
            &["--seed", "1", "--seeds", "2"],
            &["9"],
            &["--log"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}

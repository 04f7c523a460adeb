//! A process that is killed in the middle of claiming leaves the server unclaimed or claimed.
//!
//! The test runs itself again as a child, which claims and resets in a loop until it is killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{claim, folder};
use crate::{Station, Store};

/// Where the child finds its database; set for the child only.
const CHILD: &str = "HAM_STORE_KILL_TEST";
/// The test's name, as the child is told to run it.
const NAME: &str = "tests::kill::killed_while_claiming_leaves_all_or_nothing";
const ROUNDS: usize = 24;

#[test]
fn killed_while_claiming_leaves_all_or_nothing() {
    if let Some(path) = std::env::var_os(CHILD) {
        claim_until_killed(Path::new(&path));
    }
    let (_folder, path) = folder();
    let (mut claimed, mut unclaimed) = (0, 0);
    for round in 0..ROUNDS {
        kill_child_after(round % 4 + 1, &path);
        let mut store = Store::open(&path).unwrap();
        match store.claim().unwrap() {
            Some(claim) => {
                claimed += 1;
                assert!(claim.server.is_signed_by(claim.owner.public_key()));
                assert_eq!(claim.chain.len(), 1);
                assert!(claim.owner.is_signed_by(claim.chain[0].public_key()));
                assert_eq!(store.anchors().unwrap(), [claim.owner]);
                assert!(store.reset().unwrap());
            }
            None => {
                unclaimed += 1;
                assert!(store.anchors().unwrap().is_empty());
            }
        }
        // Nothing was left behind that stands in the way of the next claim.
        store
            .save_claim(&claim(true), &Station::default(), true)
            .unwrap();
        assert!(store.reset().unwrap());
    }
    println!("killed {ROUNDS} times: {claimed} claimed, {unclaimed} unclaimed");
}

/// Starts the child, waits until it has claimed or reset `times` times, and kills it at once.
fn kill_child_after(times: usize, path: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut steps = output
        .lines()
        .map_while(Result::ok)
        .filter(|line| line.contains("step"));
    assert!(steps.nth(times - 1).is_some(), "the child ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
}

fn claim_until_killed(path: &Path) -> ! {
    let mut store = Store::open(path).unwrap();
    let claim = claim(true);
    loop {
        store.save_claim(&claim, &Station::default(), true).unwrap();
        println!("step");
        store.reset().unwrap();
        println!("step");
    }
}

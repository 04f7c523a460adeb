//! A process that is killed in the middle of a change leaves it done or not done, and loses nothing
//! that it acknowledged.
//!
//! A test runs itself again as a child, which changes things in a loop until it is killed, and prints
//! each change once it is done.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use pki::graph::Source;

use super::authority::{from, somebody};
use super::{claim, folder};
use crate::{Issuance, RandomId, Station, Store, StoreError};

/// Where the child finds its database; set for the child only.
const CHILD: &str = "HAM_STORE_KILL_TEST";
const ROUNDS: usize = 24;

#[test]
fn killed_while_claiming_leaves_all_or_nothing() {
    if let Some(path) = std::env::var_os(CHILD) {
        claim_until_killed(Path::new(&path));
    }
    let test = "tests::kill::killed_while_claiming_leaves_all_or_nothing";
    let (_folder, path) = folder();
    let (mut claimed, mut unclaimed) = (0, 0);
    for round in 0..ROUNDS {
        kill_child_after(test, round % 4 + 1, &path);
        let mut store = Store::open(&path).unwrap();
        match store.claim().unwrap() {
            Some(claim) => {
                claimed += 1;
                assert!(claim.server.is_signed_by(claim.owner.public_key()));
                assert_eq!(claim.chain.len(), 1);
                assert!(claim.owner.is_signed_by(claim.chain[0].public_key()));
                assert_eq!(store.anchors().unwrap().len(), 1);
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

/// An issuance is a certificate, an entry of the log and a code that is gone: all three or none.
#[test]
fn killed_while_issuing_loses_nothing_acknowledged() {
    if let Some(path) = std::env::var_os(CHILD) {
        issue_until_killed(Path::new(&path));
    }
    let test = "tests::kill::killed_while_issuing_loses_nothing_acknowledged";
    let (_folder, path) = folder();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        acknowledged += kill_child_after(test, round % 7 + 1, &path);
        let mut store = Store::open(&path).unwrap();
        let issued = store.issuances(0, u32::MAX).unwrap();
        assert!(
            issued.len() >= acknowledged,
            "{} of {acknowledged} acknowledged issuances are there",
            issued.len()
        );
        let heads: Vec<[u8; 32]> = issued.iter().map(|issued| issued.head).collect();
        let certificates = store.certificates().unwrap();
        let fingerprints: Vec<[u8; 32]> = certificates
            .iter()
            .map(|stored| *stored.certificate.fingerprint().as_bytes())
            .collect();
        assert_eq!(fingerprints, heads, "a certificate for each entry");
        let codes = store.codes().unwrap();
        assert!(codes.len() <= 1, "the code of the last issuance at most");
        for code in codes {
            store.change(|change| change.remove_code(&code.id)).unwrap();
        }
        acknowledged = issued.len();
    }
    println!("killed {ROUNDS} times with {acknowledged} issuances");
}

/// Starts the child, waits until it has printed `times` steps, and kills it at once. Gives the
/// number of steps that it printed in all.
fn kill_child_after(test: &str, times: usize, path: &Path) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
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
    // What it printed between the one waited for and its end.
    times + steps.count()
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

fn issue_until_killed(path: &Path) -> ! {
    let mut store = Store::open(path).unwrap();
    loop {
        let certificate = somebody();
        let place = store.last_issuance().unwrap();
        let place = place.map_or(0, |last| last.place + 1);
        let code = super::issuing::code(u8::try_from(place % 256).unwrap());
        store.change(|change| change.add_code(&code)).unwrap();
        let issuance = Issuance {
            place,
            entry: certificate.fingerprint().to_string(),
            head: *certificate.fingerprint().as_bytes(),
        };
        let id: RandomId = code.id;
        store
            .change(|change| {
                change.admit(&from(Source::Owner, &[&certificate]))?;
                change.append_issuance(&issuance)?;
                change.remove_code(&id)?;
                Ok::<_, StoreError>(())
            })
            .unwrap();
        println!("step");
    }
}

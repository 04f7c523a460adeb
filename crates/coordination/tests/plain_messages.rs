//! What is said of others and of files over plain messages: what is kept of it, and that it stays small.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use coordination::message::MAX_FRAME;
use coordination::message::advice::{Distrust, DistrustScope, MAX_REASON, readable};
use coordination::message::plain::PlainMessage;
use proptest::prelude::*;
use serde_json::{Value, json};
use station::{Fingerprint, KeyId};

fn vectors() -> Value {
    let text = include_str!("../../../docs/protocol/vectors/coordination.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all["plain"].clone()
}

fn written(frames: &[String]) -> &str {
    let [frame] = frames else {
        panic!("{} frames", frames.len());
    };
    frame
}

#[test]
fn a_blacklist_is_read_as_the_shared_vectors_say() {
    let vectors = vectors();
    for vector in vectors["read"].as_array().unwrap() {
        let read = PlainMessage::decode(vector["text"].as_str().unwrap()).unwrap();
        let PlainMessage::BlacklistUpdate { blacklist, more } = read else {
            panic!("{read:?}");
        };
        let read = json!({ "entries": blacklist, "more": more });
        let expected = json!({ "entries": vector["entries"], "more": vector["more"] });
        assert_eq!(read, expected, "{}", vector["why"]);
    }
    for refused in vectors["refused"].as_array().unwrap() {
        let refused = refused.as_str().unwrap();
        assert!(PlainMessage::decode(refused).is_err(), "{refused}");
    }
}

#[test]
fn a_blacklist_is_written_as_the_shared_vectors_say() {
    let vectors = vectors();
    let text = vectors["sent"].as_str().unwrap();
    let PlainMessage::BlacklistUpdate { blacklist, more } = PlainMessage::decode(text).unwrap()
    else {
        panic!("{text}");
    };
    assert!(!more);
    assert_eq!(written(&PlainMessage::blacklist(blacklist)), text);
    let withdrawn = PlainMessage::blacklist(Vec::new());
    assert_eq!(written(&withdrawn), vectors["withdrawn"]);
}

#[test]
fn a_catalog_names_files_and_nothing_else() {
    let vector = &vectors()["catalog"];
    let read = PlainMessage::decode(vector["text"].as_str().unwrap()).unwrap();
    let PlainMessage::ContentSync { catalog, .. } = read else {
        panic!("{read:?}");
    };
    assert_eq!(json!(catalog.entries), vector["entries"]);
}

#[test]
fn a_long_blacklist_is_paged_and_only_the_last_page_ends_it() {
    let entry = |number: u8| Distrust {
        scope: DistrustScope::Subtree,
        fingerprint: Some(Fingerprint::new([number; 32])),
        identity: None,
        key_id: Some(KeyId::new([number; 32])),
        callsign: Some("W9XYZ".parse().unwrap()),
        reason: "x".repeat(MAX_REASON),
    };
    let entries: Vec<Distrust> = (0..250).map(entry).collect();
    let frames = PlainMessage::blacklist(entries.clone());
    assert!(frames.iter().all(|frame| frame.len() <= MAX_FRAME));
    let mut read = Vec::new();
    let mut going_on = Vec::new();
    for frame in &frames {
        match PlainMessage::decode(frame).unwrap() {
            PlainMessage::BlacklistUpdate { blacklist, more } => {
                read.extend(blacklist);
                going_on.push(more);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read, entries);
    assert_eq!(going_on, [true, false]);
}

#[test]
fn a_reason_is_cut_and_says_so() {
    let long = "long ".repeat(1_000);
    let kept = readable(&long, 20);
    assert_eq!(kept, "long long long lon…");
    assert_eq!(readable("exactly", 7), "exactly");
    assert_eq!(readable("\u{2067}\u{e0041}\u{feff}", 20), "");
}

proptest! {
    #[test]
    fn whatever_somebody_writes_stays_within_its_line(text in "\\PC{0,60}|.{0,60}", most in 1_usize..40) {
        let kept = readable(&text, most);
        prop_assert!(kept.chars().count() <= most);
        prop_assert!(!kept.chars().any(char::is_control));
        let hidden = kept.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{2028}']);
        prop_assert!(!hidden);
        prop_assert_eq!(readable(&kept, most), kept);
    }
}

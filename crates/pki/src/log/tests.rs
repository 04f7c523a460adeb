use proptest::prelude::*;
use ring::rand::SystemRandom;

use super::export::Export;
use super::*;
use crate::certificate::Certificate;

fn issued(at: u8) -> Issued {
    Issued {
        time: 1_790_000_000 + u64::from(at),
        certificate: Fingerprint::new([at; 32]),
        identity: Identity::new([at.wrapping_add(1); 32]),
        holder: KeyId::new([at.wrapping_add(2); 32]),
        callsign: Callsign::parse("K1ABC").unwrap(),
        class: at
            .is_multiple_of(2)
            .then(|| LicenceClass::parse("Klasse A").unwrap()),
        method: VouchMethod::ALL[usize::from(at) % 5],
        evidence: at.is_multiple_of(3).then(|| Digest::new([at; 32])),
    }
}

fn key() -> SigningKey {
    SigningKey::generate(&SystemRandom::new()).unwrap()
}

/// A log of so many entries, with the tip after each, the empty one first.
fn log(entries: u8) -> (Vec<Entry>, Vec<Tip>) {
    let mut tips = vec![Tip::EMPTY];
    let entries = (0..entries).map(|at| {
        let (entry, tip) = tips.last().unwrap().append(issued(at));
        tips.push(tip);
        entry
    });
    (entries.collect(), tips)
}

#[test]
fn the_text_is_the_one_of_the_description() {
    let (entry, tip) = Tip::EMPTY.append(issued(0));
    let text = "ham-server-log/1\n0\n1790000000\n".to_owned()
        + &["00".repeat(32), "01".repeat(32), "02".repeat(32)].join("\n")
        + "\nK1ABC\nKlasse A\nself-asserted\n"
        + &["00".repeat(32), "00".repeat(32)].join("\n");
    assert_eq!(entry.to_text(), text);
    assert_eq!(tip.head, Digest::new(sha256(&[text.as_bytes()])));
    assert_eq!(tip.size, 1);
}

#[test]
fn an_entry_is_read_only_as_it_is_written() {
    let (entries, _) = log(6);
    for entry in &entries {
        let text = entry.to_text();
        assert_eq!(Entry::from_text(&text).as_ref(), Ok(entry));
        for length in 0..text.len() {
            assert!(Entry::from_text(&text[..length]).is_err(), "{length}");
        }
        let lines: Vec<&str> = text.split('\n').collect();
        for at in 0..lines.len() {
            for wrong in ["", "x", "K1ABC ", "+1", "007"] {
                let mut changed = lines.clone();
                changed[at] = wrong;
                // A class may be any short word.
                let fine = at == 7 && ["x", "+1", "007"].contains(&wrong);
                let read = Entry::from_text(&changed.join("\n"));
                assert_eq!(read.is_ok(), fine, "line {at}: {wrong:?}");
            }
        }
        assert!(Entry::from_text(&format!("{text}\n")).is_err());
    }
    let long = "x".repeat(MAX_ENTRY_LEN + 1);
    assert_eq!(Entry::from_text(&long), Err(LogError::Malformed));
}

#[test]
fn entries_lead_from_one_checkpoint_to_the_next() {
    let (random, server) = (SystemRandom::new(), key());
    let (entries, tips) = log(10);
    let sign = |size: usize| Checkpoint::sign(tips[size], &server, &random).unwrap();
    let (early, late) = (sign(3), sign(10));
    assert_eq!(late.verify(&server.public_key()), Ok(()));
    assert_eq!(late.continues(&early, &entries[3..]), Ok(()));
    assert_eq!(late.continues(&late, &[]), Ok(()));
    assert_eq!(sign(0).tip, Tip::EMPTY);
    assert_eq!(late.continues(&sign(0), &entries), Ok(()));

    let gap = |expected| Err(LogError::Gap { expected });
    assert_eq!(late.continues(&early, &entries[4..]), gap(3));
    assert_eq!(late.continues(&early, &entries[3..9]), gap(9));
    assert_eq!(late.continues(&early, &entries), gap(3));
    assert_eq!(early.continues(&late, &[]), Err(LogError::Shorter));
    let stranger = Checkpoint::sign(tips[10], &key(), &random).unwrap();
    assert_eq!(stranger.continues(&early, &[]), Err(LogError::OtherServer));
}

#[test]
fn a_log_that_was_rewritten_is_found_out() {
    let (random, server) = (SystemRandom::new(), key());
    let (mut entries, tips) = log(10);
    let sign = |tip: Tip| Checkpoint::sign(tip, &server, &random).unwrap();
    let (early, late) = (sign(tips[3]), sign(tips[10]));
    entries[6].issued.callsign = Callsign::parse("K9BAD").unwrap();
    let broken = Err(LogError::Broken { index: 7 });
    assert_eq!(late.continues(&early, &entries[3..]), broken);
    // Everything after it made anew: then the heads differ, and the server signed both.
    let mut tip = tips[6];
    let rewritten: Vec<Entry> = entries[6..]
        .iter()
        .map(|entry| {
            let (entry, next) = tip.append(entry.issued.clone());
            tip = next;
            entry
        })
        .collect();
    let between: Vec<&Entry> = entries[3..6].iter().chain(&rewritten).collect();
    let not_the_head = Err(LogError::NotTheHead);
    assert_eq!(
        late.continues(&early, between.iter().copied()),
        not_the_head
    );
    let other = sign(tip);
    assert_eq!(other.continues(&early, between), Ok(()));
    assert!(other.contradicts(&late) && late.contradicts(&other));
    assert!(!late.contradicts(&late) && !late.contradicts(&early));
    assert!(!late.contradicts(&Checkpoint::sign(tip, &key(), &random).unwrap()));
}

#[test]
fn a_checkpoint_is_its_servers_word() {
    let (random, server) = (SystemRandom::new(), key());
    let tip = log(2).1[2];
    let good = Checkpoint::sign(tip, &server, &random).unwrap();
    let public = server.public_key();
    for change in [
        |point: &mut Checkpoint| point.tip.size += 1,
        |point: &mut Checkpoint| point.tip.head = Digest::new([1; 32]),
        |point: &mut Checkpoint| point.server = KeyId::new([1; 32]),
        |point: &mut Checkpoint| point.signature.truncate(85),
    ] {
        let mut bad = good.clone();
        change(&mut bad);
        assert_eq!(bad.verify(&public), Err(LogError::Signature));
    }
    assert_eq!(good.verify(&key().public_key()), Err(LogError::Signature));
}

#[test]
fn what_is_logged_is_what_the_certificate_says() {
    use crate::issue::tests::Person;
    let owner = Person::new("W1AW");
    let made = owner.issue("K1ABC", &key().public_key());
    let admitted = made.admit(&owner.key.public_key()).unwrap();
    let issued = Issued::of(&admitted, 7, None).unwrap();
    assert_eq!(issued.certificate, made.fingerprint());
    assert_eq!(issued.identity, admitted.identity());
    assert_eq!((issued.callsign.as_str(), issued.time), ("K1ABC", 7));
    assert_eq!(issued.method, made.licence().unwrap().method);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,300}", lines in prop::collection::vec("[ -~]{0,70}", 0..14)) {
        let _ = Entry::from_text(&text);
        let lines = format!("{FIRST_LINE}\n{}", lines.join("\n"));
        if let Ok(entry) = Entry::from_text(&lines) {
            prop_assert_eq!(entry.to_text(), lines);
        }
    }
}

#[test]
fn an_export_is_checked_as_a_whole() {
    let server = key();
    let (entries, tips) = log(3);
    let random = SystemRandom::new();
    for (size, tip) in tips.iter().enumerate() {
        let checkpoint = Checkpoint::sign(*tip, &server, &random).unwrap();
        let mut texts: Vec<String> = entries[..size].iter().map(Entry::to_text).collect();
        texts.push(checkpoint.to_text());
        let text = texts.join(export::BETWEEN) + "\n";
        let read = Export::from_text(&text).unwrap();
        assert_eq!(read.checkpoint, checkpoint);
        assert_eq!(read.entries, entries[..size]);
        assert_eq!(read.verify(&server.public_key()), Ok(()));
        assert_eq!(read.verify(&key().public_key()), Err(LogError::Signature));
        for length in 0..text.len() {
            let cut = Export::from_text(&text[..length]);
            assert_eq!(cut, Err(LogError::Malformed), "{length}");
        }
    }
    let checkpoint = Checkpoint::sign(tips[3], &server, &random).unwrap();
    let tampered = |entries: Vec<Entry>| {
        let checkpoint = checkpoint.clone();
        let export = Export {
            entries,
            checkpoint,
        };
        export.verify(&server.public_key())
    };
    let mut other = entries.clone();
    other[1].issued.callsign = Callsign::parse("K9XYZ").unwrap();
    assert_eq!(tampered(other), Err(LogError::Broken { index: 2 }));
    let mut other = entries.clone();
    other[2].issued.callsign = Callsign::parse("K9XYZ").unwrap();
    assert_eq!(tampered(other), Err(LogError::NotTheHead));
    assert_eq!(
        tampered(entries[..2].to_vec()),
        Err(LogError::Gap { expected: 2 })
    );
}

#[test]
fn two_logs_of_a_server_agree_or_prove_that_it_lied() {
    let (server, random) = (key(), SystemRandom::new());
    let (entries, tips) = log(5);
    let export = |entries: &[Entry], tip: Tip| Export {
        entries: entries.to_vec(),
        checkpoint: Checkpoint::sign(tip, &server, &random).unwrap(),
    };
    let all: Vec<Export> = (0..=5)
        .map(|size| export(&entries[..size], tips[size]))
        .collect();
    for one in &all {
        for other in &all {
            assert_eq!(one.agrees_with(other), Ok(()));
        }
    }
    // From the third on another log, which by itself is whole.
    let (third, tip) = tips[2].append(issued(77));
    let (fourth, tip) = tip.append(issued(78));
    let lie = export(&[&entries[..2], &[third, fourth]].concat(), tip);
    assert_eq!(lie.verify(&server.public_key()), Ok(()));
    for (size, one) in all.iter().enumerate() {
        assert_eq!(one.agrees_with(&lie).is_ok(), size <= 2, "{size}");
        assert_eq!(lie.agrees_with(one).is_ok(), size <= 2, "{size}");
    }
}

#[test]
fn a_certificate_that_the_log_lacks_is_found_however_its_signature_is_written() {
    use crate::issue::tests::Person;
    let owner = Person::new("W1AW");
    let server = owner.key.public_key();
    let [logged, hidden] = ["K1ABC", "K2ABC"].map(|call| owner.issue(call, &key().public_key()));
    let entry = Issued::of(&logged.admit(&server).unwrap(), 7, None).unwrap();
    let (entry, tip) = Tip::EMPTY.append(entry);
    let export = Export {
        entries: vec![entry],
        checkpoint: Checkpoint::sign(tip, &owner.key, &SystemRandom::new()).unwrap(),
    };
    let rewritten = |certificate: &Certificate| {
        Certificate::from_der(&crate::certificate::tests::rewrite(certificate)).unwrap()
    };
    assert!(!export.hides(&logged, &server));
    assert!(!export.hides(&rewritten(&logged), &server));
    assert!(export.hides(&hidden, &server));
    assert!(export.hides(&rewritten(&hidden), &server));
    let others = Person::new("K3ABC").issue("K2ABC", &key().public_key());
    assert!(!export.hides(&others, &server), "another's word");
}

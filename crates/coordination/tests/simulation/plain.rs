//! Servers that know only the contract's own messages.

use coordination::message::Set;
use coordination::message::advice::{Distrust, DistrustScope};
use coordination::message::plain::{PlainCertificate, PlainMessage};
use coordination::{Event, Input, Limits, LinkId, Protocol};
use station::{KeyId, Zone};

use crate::sim::bench::{Bench, Remote};
use crate::sim::host::{ROOT, held};
use crate::sim::keys;

fn with_certificates(numbers: &[u8]) -> Bench {
    let mut bench = Bench::new(Limits::default());
    for &number in numbers {
        hold(&mut bench, number);
    }
    bench
}

fn hold(bench: &mut Bench, number: u8) {
    let id = keys::item_id(&[number]);
    let data = vec![number].into();
    let set = Set::Certificates;
    bench.host.disk.items.insert((set, id), (1, data));
    bench.input(Input::Held {
        set,
        item: held(id, 1),
    });
}

/// The fingerprints of certificates sent as text.
fn synced(bench: &Bench, link: u64) -> Vec<String> {
    let texts = bench.texts(link);
    let messages = texts.iter().map(|text| PlainMessage::decode(text).unwrap());
    messages
        .filter_map(|message| match message {
            PlainMessage::CertSync { certificates } => Some(certificates),
            _ => None,
        })
        .flatten()
        .map(|certificate| certificate.fingerprint)
        .collect()
}

#[test]
fn it_is_told_who_we_are_and_every_certificate() {
    let mut bench = with_certificates(&[1, 2]);
    bench.link_up(1, Zone::Open, Protocol::Plain);
    let first = PlainMessage::decode(&bench.texts(1)[0]).unwrap();
    let PlainMessage::PeerAnnounce { server } = first else {
        panic!("{first:?}");
    };
    assert_eq!(server.endpoint, bench.host.endpoint);
    assert_eq!(synced(&bench, 1).len(), 2);
    hold(&mut bench, 3);
    assert_eq!(synced(&bench, 1).len(), 3, "and of new ones");
}

#[test]
fn what_it_sends_is_judged_or_told_and_no_more() {
    let mut bench = Bench::new(Limits::default());
    bench.link_up(1, Zone::Open, Protocol::Plain);
    let certificate = PlainCertificate {
        fingerprint: "f".to_owned(),
        certificate: "-----BEGIN".to_owned(),
        chain: Vec::new(),
    };
    for frame in PlainMessage::certificates(vec![certificate.clone()]) {
        bench.say_text(1, &frame);
    }
    assert_eq!(bench.host.saw.plain, [certificate]);
    for frame in PlainMessage::blacklist(vec![distrust()]) {
        bench.say_text(1, &frame);
    }
    let advised = bench.told(|event| {
        let advice = PlainMessage::BlacklistUpdate {
            blacklist: vec![distrust()],
            more: false,
        };
        *event
            == Event::Advice {
                link: LinkId(1),
                from: None,
                message: advice,
            }
    });
    assert!(advised);
}

fn distrust() -> Distrust {
    Distrust {
        scope: DistrustScope::Key,
        fingerprint: None,
        identity: None,
        key_id: Some(KeyId::new([7; 32])),
        callsign: None,
        reason: "sold the radio".to_owned(),
    }
}

#[test]
fn it_does_not_exist_across_amateur_frequencies_and_there_are_few() {
    let limits = Limits {
        plain: 2,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    bench.link_up(1, Zone::Part97, Protocol::Plain);
    assert_eq!(bench.closed, [LinkId(1)]);
    assert!(bench.texts(1).is_empty());
    for link in 2..=4 {
        bench.link_up(link, Zone::Open, Protocol::Plain);
    }
    assert_eq!(bench.closed, [LinkId(1), LinkId(4)]);
}

#[test]
fn garbage_ends_it() {
    let mut bench = Bench::new(Limits::default());
    bench.link_up(1, Zone::Open, Protocol::Plain);
    bench.say_text(1, "{\"type\":\"NONSENSE\"}");
    assert_eq!(bench.closed, [LinkId(1)]);
    bench.link_up(2, Zone::Open, Protocol::Plain);
    bench.say(
        2,
        &coordination::message::Message::Want(coordination::message::Want::default()),
    );
    assert_eq!(bench.closed, [LinkId(1), LinkId(2)]);
}

/// Who speaks the subprotocol brings its sets together by it: what nobody asked for and nothing bounds is not for them.
#[test]
fn certificates_as_text_are_out_of_place_beside_the_subprotocol() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &Remote::new("remote", ROOT));
    let certificate = PlainCertificate {
        fingerprint: "f".repeat(64),
        certificate: "certificate".to_owned(),
        chain: Vec::new(),
    };
    for frame in PlainMessage::certificates(vec![certificate]) {
        bench.say_text(1, &frame);
    }
    assert!(bench.host.saw.plain.is_empty());
    assert!(bench.told(|event| matches!(event, Event::Misconduct { .. })));
}

/// What the owner publishes reaches both kinds of links, and those that come later.
#[test]
fn what_the_owner_publishes_reaches_everybody() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &Remote::new("remote", ROOT));
    bench.link_up(2, Zone::Open, Protocol::Plain);
    let frames = PlainMessage::blacklist(vec![distrust()]);
    bench.input(Input::Publish {
        frames: frames.clone(),
    });
    bench.link_up(3, Zone::Open, Protocol::Plain);
    bench.connect(4, &Remote::new("another", ROOT));
    for link in 1..=4 {
        assert!(bench.texts(link).contains(&frames[0]), "link {link}");
    }
}

/// Across amateur frequencies nobody hears what is said of others, and who says it there is in the wrong.
#[test]
fn nothing_is_published_across_amateur_frequencies_nor_heard_from_there() {
    let mut bench = Bench::new(Limits::default());
    let slow = Remote::new("slow", ROOT);
    bench.connect_over(1, Zone::Part97, &slow);
    let frames = PlainMessage::blacklist(vec![distrust()]);
    bench.input(Input::Publish {
        frames: frames.clone(),
    });
    assert!(bench.texts(1).is_empty());
    bench.say_text(1, &frames[0]);
    assert!(!bench.told(|event| matches!(event, Event::Advice { .. })));
    assert!(bench.told(|event| matches!(event, Event::Misconduct { .. })));
}

/// To read lists is work: whoever sends ever more of them is cut off, whatever is in them.
#[test]
fn who_floods_with_lists_is_cut_off() {
    let mut bench = Bench::new(Limits::default());
    bench.link_up(1, Zone::Open, Protocol::Plain);
    let nobody = "{},".repeat(20_000);
    let page = format!(r#"{{"type":"BLACKLIST_UPDATE","blacklist":[{nobody}7],"more":true}}"#);
    let mut read = 0;
    while bench.closed.is_empty() && read < 1_000 {
        bench.say_text(1, &page);
        read += 1;
    }
    assert!((50..100).contains(&read), "{read}");
}

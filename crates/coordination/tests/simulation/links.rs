//! How links begin, and how they do not.

use std::time::Duration;

use coordination::message::{Message, Set};
use coordination::{
    Blob, Event, HeldItem, Input, Limits, LinkId, Nonce, Offence, Protocol, Source,
};
use station::Zone;

use crate::sim::bench::{Bench, Remote, update};
use crate::sim::host::ROOT;

fn refused(bench: &Bench, link: u64) -> String {
    let (code, closed) = bench.refusal(link).unwrap();
    assert!(closed);
    code
}

fn is_up(bench: &Bench, link: u64) -> bool {
    let mut links = bench.host.node.as_ref().unwrap().links();
    links.any(|one| one.id == LinkId(link) && one.server.is_some())
}

#[test]
fn who_proves_who_it_is_gets_a_link() {
    let mut bench = Bench::new(Limits::default());
    let remote = Remote::new("remote", ROOT);
    bench.connect(1, &remote);
    assert!(is_up(&bench, 1));
    assert!(bench.told(|event| matches!(event, Event::Linked { .. })));
}

#[test]
fn a_proof_is_worth_nothing_on_another_link() {
    let mut bench = Bench::new(Limits::default());
    let remote = Remote::new("remote", ROOT);
    bench.connect(1, &remote);
    let overheard = bench.proof(1, &remote);
    bench.input(Input::LinkDown { link: LinkId(1) });
    bench.link_up(2, Zone::Open, Protocol::Coordinate);
    bench.say(2, &Message::Hello(remote.hello()));
    bench.say(2, &overheard);
    assert_eq!(refused(&bench, 2), "bad-proof");
}

#[test]
fn our_own_proof_sent_back_proves_nothing() {
    let mut bench = Bench::new(Limits::default());
    let remote = Remote::new("remote", ROOT);
    bench.link_up(1, Zone::Open, Protocol::Coordinate);
    bench.say(1, &Message::Hello(remote.hello()));
    let messages = bench.messages(1);
    let ours = messages
        .into_iter()
        .find(|one| matches!(one, Message::Proof(_)));
    bench.say(1, &ours.unwrap());
    assert_eq!(refused(&bench, 1), "bad-proof");
}

#[test]
fn another_version_or_zone_is_named() {
    let mut bench = Bench::new(Limits::default());
    let remote = Remote::new("remote", ROOT);
    bench.link_up(1, Zone::Open, Protocol::Coordinate);
    let mut hello = remote.hello();
    hello.version = 2;
    bench.say(1, &Message::Hello(hello));
    assert_eq!(refused(&bench, 1), "wrong-version");
    bench.link_up(2, Zone::Part97, Protocol::Coordinate);
    bench.say(2, &Message::Hello(remote.hello()));
    assert_eq!(refused(&bench, 2), "zone-mismatch");
}

#[test]
fn who_shows_no_server_or_a_blacklisted_one_is_refused() {
    let mut bench = Bench::new(Limits::default());
    let mut nobody = Remote::new("remote", ROOT);
    nobody.chain = vec![b"not a certificate".to_vec().into()];
    bench.link_up(1, Zone::Open, Protocol::Coordinate);
    bench.say(1, &Message::Hello(nobody.hello()));
    assert_eq!(refused(&bench, 1), "bad-certificate");
    bench.host.blacklisted.push("remote".to_owned());
    bench.connect(2, &Remote::new("remote", ROOT));
    assert_eq!(refused(&bench, 2), "blacklisted");
}

#[test]
fn a_copy_of_ourselves_is_told_of_and_our_own_echo_is_not() {
    let mut bench = Bench::new(Limits::default());
    let copy = Remote::new("bench", ROOT);
    bench.link_up(1, Zone::Open, Protocol::Coordinate);
    bench.link_up(2, Zone::Open, Protocol::Coordinate);
    let ours = bench.messages(2).remove(0);
    bench.say(1, &ours);
    assert_eq!(refused(&bench, 1), "same-server");
    assert!(!bench.told(|event| *event == Event::Clone));
    bench.say(2, &Message::Hello(copy.hello()));
    assert_eq!(refused(&bench, 2), "same-server");
    assert!(bench.told(|event| *event == Event::Clone));
}

#[test]
fn what_comes_out_of_place_ends_a_handshake() {
    let mut bench = Bench::new(Limits::default());
    let remote = Remote::new("remote", ROOT);
    for (link, message) in [
        (
            1,
            Message::Beat(coordination::message::Beat {
                records: 0,
                sets: 0,
            }),
        ),
        (2, bench_proof()),
    ] {
        bench.link_up(link, Zone::Open, Protocol::Coordinate);
        bench.say(link, &message);
        assert_eq!(refused(&bench, link), "bad-message");
    }
    bench.link_up(3, Zone::Open, Protocol::Coordinate);
    bench.say(3, &Message::Hello(remote.hello()));
    bench.say(3, &Message::Hello(remote.hello()));
    assert_eq!(refused(&bench, 3), "bad-message");
    bench.link_up(4, Zone::Open, Protocol::Coordinate);
    bench.input(Input::Frame {
        link: LinkId(4),
        frame: coordination::Frame::Binary(vec![0xff; 10].into()),
    });
    assert_eq!(refused(&bench, 4), "bad-message");
}

/// For who has sent a proof and checked ours the link stands, however long we take to check theirs.
#[test]
fn what_comes_before_a_proof_is_checked_waits_for_that() {
    let (mut bench, remote) = unchecked();
    bench.say(1, &remote.update(1, 1, &[]));
    bench.say_text(1, &announcement());
    assert!(!is_up(&bench, 1));
    assert_eq!(bench.refusal(1), None);
    bench.answer();
    assert!(is_up(&bench, 1));
    let known = bench.host.node.as_ref().unwrap().server(remote.id());
    assert_eq!(known.unwrap().version.unwrap().sequence, 1);
    assert_eq!(advised(&bench), 1);
}

/// Who has not proved anything may make us keep that much and no more.
#[test]
fn what_waits_for_a_proof_to_be_checked_is_bounded() {
    let (mut bench, _) = unchecked();
    let text = announcement();
    for _ in 0..2_000 {
        bench.say_text(1, &text);
    }
    bench.answer();
    assert!(is_up(&bench, 1), "nobody is blamed for it");
    let bytes = advised(&bench) * text.len();
    assert!((100_000..150_000).contains(&bytes), "{bytes}");
}

/// Nor may they make us read for as long as they like.
#[test]
fn who_goes_on_and_on_before_a_proof_is_checked_is_refused() {
    let (mut short, _) = unchecked();
    for _ in 0..4_096 {
        short.say_text(1, "{}");
    }
    assert_eq!(refused(&short, 1), "bad-message");
    let (mut long, _) = unchecked();
    for _ in 0..16 {
        long.say_text(1, &"x".repeat(64 * 1024));
    }
    assert_eq!(refused(&long, 1), "bad-message");
}

/// Somebody who has sent a proof that is not checked yet.
fn unchecked() -> (Bench, Remote) {
    let mut bench = Bench::new(Limits::default());
    let remote = Remote::new("remote", ROOT);
    bench.link_up(1, Zone::Open, Protocol::Coordinate);
    bench.say(1, &Message::Hello(remote.hello()));
    bench.hold_answers_back();
    let proof = bench.proof(1, &remote);
    bench.say(1, &proof);
    (bench, remote)
}

/// How much was heard in plain messages.
fn advised(bench: &Bench) -> usize {
    let events = bench.host.saw.events.iter();
    events
        .filter(|event| matches!(event, Event::Advice { .. }))
        .count()
}

/// What a server says of itself to those who know only the plain messages.
fn announcement() -> String {
    let mut another = Bench::new(Limits::default());
    another.link_up(1, Zone::Open, Protocol::Plain);
    another.texts(1).swap_remove(0)
}

fn bench_proof() -> Message {
    Message::Proof(coordination::message::Proof {
        signature: coordination::Signature::new([1; 64]),
    })
}

#[test]
fn who_says_nothing_is_left_alone_after_a_while() {
    let limits = Limits::default();
    let mut bench = Bench::new(limits);
    bench.link_up(1, Zone::Open, Protocol::Coordinate);
    bench.pass(limits.open.handshake - Duration::from_millis(1));
    assert!(bench.closed.is_empty());
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.closed, [LinkId(1)]);
    bench.connect(2, &Remote::new("remote", ROOT));
    bench.pass(limits.open.dead);
    assert_eq!(
        bench.closed,
        [LinkId(1), LinkId(2)],
        "a link that fell silent"
    );
}

#[test]
fn strangers_have_a_number_of_places_and_others_have_theirs() {
    let limits = Limits {
        strangers: 2,
        links: 4,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    for link in 1..=3 {
        bench.connect(link, &Remote::new(&format!("stranger-{link}"), "elsewhere"));
    }
    assert!(is_up(&bench, 1) && is_up(&bench, 2));
    assert_eq!(refused(&bench, 3), "too-many-strangers");
    for link in 4..=6 {
        bench.connect(link, &Remote::new(&format!("friend-{link}"), ROOT));
    }
    assert!(is_up(&bench, 5));
    assert_eq!(refused(&bench, 6), "full");
    // One who has gone gives their place up.
    bench.input(Input::LinkDown { link: LinkId(1) });
    bench.connect(7, &Remote::new("stranger-7", "elsewhere"));
    assert!(is_up(&bench, 7));
}

#[test]
fn strangers_do_not_take_the_places_of_others() {
    let limits = Limits {
        stranger_links: 2,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    for link in 1..=3 {
        bench.connect(link, &Remote::new(&format!("stranger-{link}"), "elsewhere"));
    }
    assert!(is_up(&bench, 2));
    assert_eq!(refused(&bench, 3), "too-many-strangers");
}

#[test]
fn handshakes_under_way_are_few() {
    let limits = Limits {
        handshakes: 3,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    for link in 1..=4 {
        bench.link_up(link, Zone::Open, Protocol::Coordinate);
    }
    assert_eq!(refused(&bench, 4), "full");
    assert!(bench.refusal(3).is_none());
}

#[test]
fn of_two_links_to_one_server_one_is_kept() {
    let mut bench = Bench::new(Limits::default());
    let remote = Remote::new("remote", ROOT);
    bench.connect(1, &remote);
    let again = Remote {
        nonce: Nonce::new([43; 32]),
        ..Remote::new("remote", ROOT)
    };
    bench.connect(2, &again);
    assert_eq!(refused(&bench, 1), "duplicate", "the older one hangs");
    assert!(is_up(&bench, 2));
    let node = bench.host.node.as_ref().unwrap();
    assert_eq!(node.links().count(), 1);
}

#[test]
fn misbehaviour_ends_in_a_growing_pause() {
    let limits = Limits::default();
    let mut bench = Bench::new(limits);
    let remote = Remote::new("remote", ROOT);
    let server = remote.id();
    let mut pauses = Vec::new();
    for link in 1..=3 {
        bench.connect(link, &remote);
        for _ in 0..=limits.offences {
            assert!(is_up(&bench, link));
            bench.say(link, &bench_proof());
        }
        assert_eq!(refused(&bench, link), "paused");
        let node = bench.host.node.as_ref().unwrap();
        let pause = node.pause_of(server, bench.now).unwrap();
        pauses.push(pause.as_secs());
        bench.connect(link + 10, &remote);
        assert_eq!(refused(&bench, link + 10), "paused", "still");
        bench.pass(pause);
    }
    assert_eq!(pauses, [30, 60, 120]);
    let counted = bench.told(|event| {
        matches!(
            event,
            Event::Misconduct {
                offence: Offence::OutOfPlace,
                ended: true,
                ..
            }
        )
    });
    assert!(counted);
}

/// Who comes under ever new names is not remembered without bound, and who misbehaved last is remembered.
#[test]
fn misbehaviour_of_many_fills_no_memory() {
    let limits = Limits {
        servers: 70,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    let remotes: Vec<Remote> = (0..=70)
        .map(|number| Remote::new(&format!("nuisance{number}"), "elsewhere"))
        .collect();
    for (link, remote) in (1..).zip(&remotes) {
        bench.connect(link, remote);
        for _ in 0..=limits.offences {
            bench.say(link, &bench_proof());
        }
        assert_eq!(refused(&bench, link), "paused");
        bench.pass(Duration::from_millis(10));
    }
    let node = bench.host.node.as_ref().unwrap();
    let pause = |remote: &Remote| node.pause_of(remote.id(), bench.now);
    assert_eq!(pause(&remotes[0]), None);
    assert!(remotes[1..].iter().all(|remote| pause(remote).is_some()));
}

#[test]
fn a_full_server_says_where_else_to_go() {
    let limits = Limits {
        links: 1,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    let friend = Remote::new("friend", ROOT);
    bench.connect(1, &friend);
    bench.say(1, &friend.update(1, 1, &[]));
    bench.connect(2, &Remote::new("late", ROOT));
    let messages = bench.messages(2);
    let Some(Message::Refuse(refuse)) = messages.last() else {
        panic!("{messages:?}");
    };
    assert_eq!(
        (refuse.code.as_str(), refuse.endpoints.as_slice()),
        ("full", ["http://friend:8080".to_owned()].as_slice())
    );
}

#[test]
fn a_record_that_its_server_did_not_sign_is_blamed_on_who_sent_it() {
    let mut bench = Bench::new(Limits::default());
    let remote = Remote::new("remote", ROOT);
    bench.connect(1, &remote);
    let mut record = remote.record(1, 1, &[]);
    record.sequence += 1;
    bench.say(1, &update(record));
    let blamed = bench.told(|event| {
        matches!(
            event,
            Event::Misconduct {
                offence: Offence::ForgedRecord,
                ..
            }
        )
    });
    assert!(blamed);
    let node = bench.host.node.as_ref().unwrap();
    assert_eq!(node.servers().next().unwrap().version, None);
}

/// Strangers come and go under ever new names: their records are neither stored nor remembered, and whose records are
/// stored loses none.
#[test]
fn strangers_do_not_crowd_stored_records_out() {
    let limits = Limits {
        strangers: 1,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    let friend = Remote::new("friend", ROOT);
    bench.connect(1, &friend);
    bench.say(1, &friend.update(1, 1, &[]));
    for number in 2..100 {
        let stranger = Remote::new(&format!("stranger-{number}"), "elsewhere");
        bench.connect(number, &stranger);
        bench.say(number, &stranger.update(5, 1, &[]));
        bench.input(Input::LinkDown {
            link: LinkId(number),
        });
    }
    bench.pass(limits.remember);
    let stored: Vec<_> = bench.host.disk.records.keys().collect();
    assert_eq!(stored, [&friend.id()]);
    // Of whom nothing is remembered an earlier record counts as well.
    let again = Remote::new("stranger-2", "elsewhere");
    bench.connect(200, &again);
    bench.say(200, &again.update(1, 1, &[]));
    let mut servers = bench.host.node.as_ref().unwrap().servers();
    let known = servers.find(|server| server.id == again.id()).unwrap();
    assert_eq!(known.version.map(|version| version.boot), Some(1));
}

/// Where the friend's server is.
fn owner_names_a_friend(bench: &mut Bench) -> String {
    let endpoint = "http://friend:8080".to_owned();
    bench.input(Input::PeerFound {
        endpoint: endpoint.clone(),
        source: Source::Owner,
        hint: None,
    });
    endpoint
}

#[test]
fn the_owner_s_servers_are_dialled_for_ever_and_refusals_are_told() {
    let mut bench = Bench::new(Limits::default());
    let endpoint = owner_names_a_friend(&mut bench);
    for _ in 0..50 {
        bench.pass(Duration::from_secs(80));
        assert_eq!(bench.dialed.pop(), Some(endpoint.clone()));
        bench.input(Input::DialFailed {
            endpoint: endpoint.clone(),
        });
    }
    bench.input(Input::LinkUp {
        link: LinkId(1),
        dialed: Some(endpoint.clone()),
        zone: Zone::Part97,
        protocol: Protocol::Coordinate,
    });
    bench.say(1, &Message::Hello(Remote::new("friend", ROOT).hello()));
    let told = bench.told(|event| {
        matches!(event, Event::Refused { endpoint: Some(at), by_them: false, .. } if *at == endpoint)
    });
    assert!(told);
}

/// Somebody takes the cable out, and puts it back an hour later.
#[test]
fn who_was_not_reached_is_dialled_at_once_when_our_own_network_changes() {
    let mut bench = Bench::new(Limits::default());
    owner_names_a_friend(&mut bench);
    let mut dials = |endpoints: &[&str], time| {
        bench.input(Input::Myself {
            endpoints: endpoints.iter().copied().map(str::to_owned).collect(),
            capabilities: Vec::new(),
        });
        let end = bench.now + time;
        let mut dials = 0;
        while bench.now < end {
            bench.pass(Duration::from_millis(100));
            while let Some(endpoint) = bench.dialed.pop() {
                dials += 1;
                bench.input(Input::DialFailed { endpoint });
            }
        }
        dials
    };
    assert!(dials(&[], Duration::from_secs(3_600)) < 80);
    let second = Duration::from_secs(1);
    assert_eq!(dials(&[], second), 0);
    assert!(dials(&["http://[fe80::1]:8080"], second) > 0);
}

#[test]
fn items_of_no_known_kind_do_no_harm() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &Remote::new("remote", ROOT));
    let session = |session, step: Vec<u8>| {
        Message::Reconcile(coordination::message::Reconcile {
            set: Set::Certificates,
            session,
            step: step.into(),
        })
    };
    bench.say(1, &session(1, vec![0x61]));
    bench.say(1, &session(2, vec![0x00]));
    assert!(is_up(&bench, 1), "one offence");
    let malformed = bench.told(|event| matches!(event, Event::Misconduct { .. }));
    assert!(malformed);
}

/// Whoever announces many places where nobody is keeps us from none where somebody is.
#[test]
fn who_was_not_tried_yet_is_dialled_before_those_that_failed() {
    let mut bench = Bench::new(Limits::default());
    let found = |endpoint: &str| Input::PeerFound {
        endpoint: endpoint.to_owned(),
        source: Source::Mdns,
        hint: None,
    };
    for number in 0..60 {
        bench.input(found(&format!("http://a{number:02}:8080")));
    }
    let fail_one = |bench: &mut Bench| {
        let endpoint = bench.dialed.remove(0);
        bench.input(Input::DialFailed { endpoint });
        bench.pass(Duration::from_secs(1));
    };
    bench.pass(Duration::from_secs(1));
    for _ in 0..100 {
        fail_one(&mut bench);
    }
    let under_way = bench.dialed.len();
    bench.input(found("http://z:8080"));
    fail_one(&mut bench);
    assert_eq!(bench.dialed[under_way - 1], "http://z:8080");
}

/// Each step of a session may make us add up everything we know: whoever asks for it has a budget.
#[test]
fn steps_of_sessions_are_paid_for() {
    let mut bench = Bench::new(Limits::default());
    for number in 0..10_000_u32 {
        let item = HeldItem {
            id: crate::sim::keys::item_id(&number.to_be_bytes()),
            time: u64::from(number),
            checkpoint: None,
        };
        let set = Set::Certificates;
        bench.input(Input::Held { set, item });
    }
    bench.connect(1, &Remote::new("remote", ROOT));
    let answers = |bench: &Bench| {
        let messages = bench.messages(1).into_iter();
        let answers = messages.filter(|message| matches!(message, Message::Reconcile(_)));
        answers.count()
    };
    for number in 0..15_000 {
        bench.say(
            1,
            &Message::Reconcile(coordination::message::Reconcile {
                set: Set::Certificates,
                session: number / 200,
                step: vec![0x61].into(),
            }),
        );
    }
    assert!(is_up(&bench, 1));
    let burst = usize::try_from(Limits::default().open.effort.burst).unwrap();
    let answered = answers(&bench);
    assert!(answered <= burst / 2, "{answered} answers");
    assert!(
        answered >= burst / 4,
        "{answered} answers are fewer than any honest server needs"
    );
}

#[test]
fn what_is_judged_for_one_link_at_once_is_bounded() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &Remote::new("remote", ROOT));
    bench.host.stuck = true;
    for number in 0..4_000_u32 {
        let data = Blob::from(number.to_be_bytes().to_vec());
        let id = crate::sim::keys::item_id(data.as_bytes());
        let set = Set::Certificates;
        bench.say(
            1,
            &Message::Item(coordination::message::Item { set, id, data }),
        );
    }
    assert_eq!(bench.host.saw.unjudged, 256);
    assert!(is_up(&bench, 1), "what was asked for may come late");
}

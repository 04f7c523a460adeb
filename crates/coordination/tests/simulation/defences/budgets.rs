//! What one link may cost.

use std::time::Duration;

use coordination::message::routed::Alive;
use coordination::message::{
    Digest, Head, Item, Message, Parcel, Payload, PeopleWanted, Receipt, Reconcile, Set, Topic,
    Versions, Want,
};
use coordination::{
    Blob, HeldItem, Input, Limits, LinkId, LinkLimits, Nonce, Offence, Protocol, Rate,
};
use station::Zone;

use crate::sim::bench::{Bench, Remote, update};
use crate::sim::host::ROOT;
use crate::sim::keys;

use super::{
    FORGED, alive, blamed, friend, nonce_for, on_ways, parcel, parcel_to, posted, records, routed,
    told_of,
};

/// Limits under which little may be done for one link, all else as it is.
fn frugal(change: impl FnOnce(&mut LinkLimits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits.open);
    limits
}

const FEW: Rate = Rate {
    per_second: 1,
    burst: 40,
};

fn few() -> usize {
    usize::try_from(FEW.burst).unwrap()
}

#[test]
fn more_messages_or_bytes_than_any_use_needs_are_a_flood() {
    let beat = || {
        Message::Beat(coordination::message::Beat {
            records: 0,
            sets: 0,
        })
    };
    let messages = frugal(|link| link.messages = FEW);
    let bytes = frugal(|link| {
        link.bytes = Rate {
            per_second: 100,
            burst: 1_000,
        };
    });
    for limits in [messages, bytes] {
        let mut bench = Bench::new(limits);
        bench.connect(1, &friend("remote"));
        bench.pass(Duration::from_secs(3));
        for _ in 0..10 {
            bench.say(1, &beat());
        }
        assert!(!blamed(&bench, Offence::Flood), "what is allowed");
        for _ in 0..100 {
            bench.say(1, &beat());
        }
        assert!(blamed(&bench, Offence::Flood));
        assert!(bench.closed.contains(&LinkId(1)), "and in the end the link");
    }
}

#[test]
fn a_message_in_parts_is_no_longer_than_a_whole_one() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &friend("remote"));
    let part = |last| {
        Message::Part(coordination::message::Part {
            lane: 0,
            last,
            data: vec![0; 40_000].into(),
        })
    };
    bench.say(1, &part(false));
    assert!(!blamed(&bench, Offence::Flood));
    bench.say(1, &part(false));
    assert!(blamed(&bench, Offence::Flood));
}

#[test]
fn what_one_link_makes_us_pass_on_is_bounded_and_so_is_what_we_pass_to_one() {
    let from = frugal(|link| link.relay_from = FEW);
    let to = frugal(|link| link.relay_to = FEW);
    for (limits, senders) in [(from, 1), (to, 4)] {
        let mut bench = Bench::new(limits);
        let target = friend("target");
        bench.connect(1, &target);
        let here = bench.host.id;
        for sender in 0..senders {
            let remote = friend(&format!("sender-{sender}"));
            bench.connect(2 + sender, &remote);
            for _ in 0..few() * 2 {
                let ask = Payload::Ask(Nonce::new([5; 32]));
                let way = [remote.id(), here, target.id()];
                bench.say(2 + sender, &routed(&way, 1, ask));
            }
        }
        assert_eq!(on_ways(&bench, 1).len(), few());
        assert!(!blamed(&bench, Offence::Flood), "nobody knows whose it was");
    }
}

#[test]
fn what_messages_on_ways_make_us_sign_and_check_is_bounded() {
    let limits = frugal(|link| link.effort_on_ways = FEW);
    let (remote, far) = (friend("remote"), friend("far"));
    let fresh = || {
        let mut bench = Bench::new(limits);
        told_of(&mut bench, &remote, &far);
        bench.pass(Duration::from_secs(1));
        bench
    };
    let questions = |bench: &mut Bench| {
        let way = [remote.id(), bench.host.id];
        let before = bench.host.saw.signed;
        for number in 0..100 {
            let ask = Payload::Ask(Nonce::new([number; 32]));
            bench.say(1, &routed(&way, 1, ask));
        }
        bench.host.saw.signed - before
    };
    let parcels = |bench: &mut Bench| {
        let boot = records(bench, 1, bench.host.id).pop().unwrap().2.boot_nonce;
        let way = [remote.id(), bench.host.id];
        let before = bench.host.saw.verified;
        for number in 0..100 {
            let forged = Parcel {
                to_boot: boot,
                number,
                signature: FORGED,
                ..parcel(&remote, &far, Zone::Open)
            };
            bench.say(1, &routed(&way, 1, Payload::Parcel(forged)));
        }
        bench.host.saw.verified - before
    };
    let answers = |bench: &mut Bench| {
        let nonce = nonce_for(bench, far.id());
        let way = [far.id(), remote.id(), bench.host.id];
        let before = bench.host.saw.verified;
        for _ in 0..100 {
            let forged = Alive {
                signature: FORGED,
                ..alive(&far, nonce, Remote::BOOT)
            };
            bench.say(1, &routed(&way, 2, Payload::Alive(forged)));
        }
        bench.host.saw.verified - before
    };
    let repeats = |bench: &mut Bench| {
        let boot = records(bench, 1, bench.host.id).pop().unwrap().2.boot_nonce;
        let way = [remote.id(), bench.host.id];
        let here = keys::fingerprint(&bench.host.chain[0]);
        let genuine = parcel_to(&remote, here, boot, Zone::Open);
        let before = bench.host.saw.signed;
        for _ in 0..100 {
            bench.say(1, &routed(&way, 1, Payload::Parcel(genuine.clone())));
        }
        assert_eq!(bench.host.saw.delivered.len(), 1);
        bench.host.saw.signed - before
    };
    let receipts = |bench: &mut Bench| {
        let parcel = posted(bench, &remote, &far);
        let back = [far.id(), remote.id(), bench.host.id];
        let before = bench.host.saw.verified;
        for _ in 0..100 {
            let forged = Receipt {
                from_boot: parcel.from_boot,
                number: parcel.number,
                signature: FORGED,
            };
            bench.say(1, &routed(&back, 2, Payload::Receipt(forged)));
        }
        bench.host.saw.verified - before
    };
    let passed_on = |bench: &mut Bench| {
        let there = friend("there");
        bench.connect_over(2, Zone::Part97, &there);
        let way = [remote.id(), bench.host.id, there.id()];
        let before = bench.host.saw.verified;
        for _ in 0..100 {
            let forged = Parcel {
                signature: FORGED,
                ..parcel(&remote, &there, Zone::Part97)
            };
            bench.say(1, &routed(&way, 1, Payload::Parcel(forged)));
        }
        bench.host.saw.verified - before
    };
    let caused = [
        questions(&mut fresh()),
        answers(&mut fresh()),
        passed_on(&mut fresh()),
    ];
    assert_eq!(caused, [few(); 3]);
    // A parcel's check is paid for together with the receipt that may follow.
    assert_eq!(parcels(&mut fresh()), few() / 2);
    // What came before, genuine, was paid for as well.
    assert_eq!(repeats(&mut fresh()), few() - 2);
    assert_eq!(receipts(&mut fresh()), few() - 1);
}

/// Whatever a message makes us do, it is paid for out of its link's budget.
#[test]
fn what_messages_make_us_look_up_and_check_is_bounded() {
    let limits = Limits {
        updates: Rate {
            per_second: 1_000,
            burst: 1_000,
        },
        ..frugal(|link| link.effort = FEW)
    };
    let remote = friend("remote");
    let own = Remote::new("bench", ROOT);
    let many = 100;
    let caused = |bench: &Bench| {
        let saw = &bench.host.saw;
        saw.verified + saw.admitted + saw.examined + bench.messages(1).len()
    };
    let after = |say: &dyn Fn(&mut Bench, u64)| {
        let mut bench = Bench::new(limits);
        bench.connect(1, &remote);
        bench.pass(Duration::from_secs(3));
        let before = caused(&bench);
        for number in 0..many {
            say(&mut bench, number);
        }
        assert!(bench.closed.is_empty(), "the budget is no offence");
        caused(&bench) - before
    };
    let here = own.id();
    let bucket = here.as_bytes()[0] % u8::try_from(coordination::message::BUCKETS).unwrap();
    let versions = Message::Versions(Versions {
        bucket,
        versions: Vec::new(),
    });
    let want = Message::Want(Want {
        known: vec![here],
        unknown: Vec::new(),
    });
    let who = Message::Who(PeopleWanted {
        server: here,
        topic: Topic::Operators,
        from: Head::new([0; 16]),
    });
    let digest = Message::Digest(Digest {
        buckets: vec![1; coordination::message::BUCKETS],
    });
    // A beat or a record of our own may be among them.
    let [most, at_least] = [few() + 2, few() / 10];
    for (what, times) in [
        ("versions", after(&|bench, _| bench.say(1, &versions))),
        ("wanted", after(&|bench, _| bench.say(1, &want))),
        ("who", after(&|bench, _| bench.say(1, &who))),
        (
            "digest",
            after(&|bench, _| bench.say(1, &digest)) / coordination::message::BUCKETS,
        ),
        (
            "record",
            after(&|bench, number| bench.say(1, &remote.update(1, number + 1, &[]))),
        ),
        (
            "own record",
            after(&|bench, number| {
                let genuine = own.update(u64::from(u32::MAX) + number, 1, &[]);
                bench.say(1, &genuine);
            }),
        ),
        (
            "item",
            after(&|bench, number| {
                let data = Blob::from(number.to_be_bytes().to_vec());
                let id = keys::item_id(data.as_bytes());
                let set = Set::Certificates;
                bench.say(1, &Message::Item(Item { set, id, data }));
            }),
        ),
    ] {
        assert!(times <= most, "{what}: {times} times");
        assert!(times >= at_least, "{what}: only {times} times");
    }
}

#[test]
fn who_sends_older_records_again_and_again_is_answered_a_few_times() {
    let limits = frugal(|link| link.effort = FEW);
    let remote = friend("remote");
    let mut bench = Bench::new(limits);
    bench.connect(1, &remote);
    let here = bench.host.id;
    let mut both = [remote.record(1, 1, &[]), remote.record(1, 1, &[here])];
    both.sort_by_key(coordination::message::SignedRecord::summary);
    let [other, kept] = both;
    bench.say(1, &update(kept));
    bench.pass(Duration::from_secs(3));
    for _ in 0..100 {
        bench.say(1, &update(other.clone()));
    }
    let shown = records(&bench, 1, remote.id()).len();
    assert!((few() / 2..=few()).contains(&shown), "another: {shown}");

    let mut bench = Bench::new(limits);
    bench.connect(1, &remote);
    bench.say(1, &remote.update(5, 1, &[]));
    bench.pass(limits.remember);
    bench.restart();
    bench.connect(2, &remote);
    for _ in 0..100 {
        bench.say(2, &remote.update(1, 1, &[]));
    }
    let shown = records(&bench, 2, remote.id()).len();
    assert!((few() / 2..=few()).contains(&shown), "older: {shown}");
}

#[test]
fn what_introductions_make_us_read_is_bounded() {
    let mut bench = Bench::new(frugal(|link| link.effort = FEW));
    let remote = friend("remote");
    bench.connect(1, &remote);
    bench.pass(Duration::from_secs(3));
    let before = bench.host.saw.examined;
    for number in 0..100 {
        let other = friend(&format!("other-{number}"));
        bench.say(1, &other.update(1, 1, &[]));
        bench.say(1, &other.introduction());
    }
    assert_eq!(bench.host.saw.examined - before, few());
}

#[test]
fn one_server_s_records_cost_what_one_server_may() {
    let limits = Limits {
        updates: FEW,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    let remote = friend("remote");
    bench.connect(1, &remote);
    let before = bench.host.saw.verified;
    for sequence in 1..=100 {
        bench.say(1, &remote.update(1, sequence, &[]));
    }
    assert_eq!(bench.host.saw.verified - before, few());
}

#[test]
fn who_names_many_unknown_servers_is_asked_who_some_are() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &friend("remote"));
    for number in 0..300 {
        let other = friend(&format!("other-{number}"));
        bench.say(1, &other.update(1, 1, &[]));
    }
    let asked = bench.messages(1).into_iter();
    let asked = asked.filter(|message| matches!(message, Message::Want(_)));
    assert_eq!(asked.count(), 256);
}

fn step(session: u32) -> Message {
    Message::Reconcile(Reconcile {
        set: Set::Certificates,
        session,
        step: vec![0x61].into(),
    })
}

fn steps_answered(bench: &Bench) -> usize {
    let messages = bench.messages(1).into_iter();
    let answers = messages.filter(|message| matches!(message, Message::Reconcile(_)));
    answers.count()
}

/// Where there is much to sort, beginning is what costs.
#[test]
fn sessions_that_are_begun_and_left_are_paid_for() {
    let mut bench = Bench::new(frugal(|link| link.effort = FEW));
    for number in 0..5_000_u32 {
        let item = HeldItem {
            id: keys::item_id(&number.to_be_bytes()),
            time: u64::from(number),
            checkpoint: None,
        };
        let set = Set::Certificates;
        bench.input(Input::Held { set, item });
    }
    bench.connect(1, &friend("remote"));
    for session in 0..100 {
        bench.say(1, &step(session));
    }
    let answered = steps_answered(&bench);
    // Each sorts 5,000 and adds them up: 20 units and one.
    assert!((1..=few() / 20).contains(&answered), "{answered} answers");
}

#[test]
fn a_session_without_end_is_blamed() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &friend("remote"));
    for _ in 0..256 {
        bench.say(1, &step(1));
    }
    assert!(!blamed(&bench, Offence::OutOfPlace));
    bench.say(1, &step(1));
    assert!(blamed(&bench, Offence::OutOfPlace));
}

/// Before somebody proved who they are they have little to say.
#[test]
fn what_comes_before_the_proof_is_little() {
    let part = |bytes| {
        Message::Part(coordination::message::Part {
            lane: 0,
            last: false,
            data: vec![0; bytes].into(),
        })
    };
    for (bytes, most) in [(1, 128), (6 * 1024, 3)] {
        let mut bench = Bench::new(Limits::default());
        bench.link_up(1, Zone::Open, Protocol::Coordinate);
        for _ in 0..most {
            bench.say(1, &part(bytes));
        }
        assert_eq!(bench.refusal(1), None, "{bytes} bytes");
        bench.say(1, &part(bytes));
        let refused = Some(("bad-message".to_owned(), true));
        assert_eq!(bench.refusal(1), refused, "{bytes} bytes");
    }
}

#[test]
fn pings_are_paid_for() {
    let mut bench = Bench::new(frugal(|link| link.messages = FEW));
    bench.connect(1, &friend("remote"));
    bench.pass(Duration::from_secs(3));
    for _ in 0..100 {
        let link = LinkId(1);
        bench.input(Input::Control { link, bytes: 2 });
    }
    assert!(blamed(&bench, Offence::Flood));
}

#[test]
fn an_item_that_is_not_what_it_was_called_is_blamed() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &friend("remote"));
    let data = Blob::from(&b"something else"[..]);
    let id = keys::item_id(b"something");
    let set = Set::Certificates;
    bench.say(1, &Message::Item(Item { set, id, data }));
    assert!(blamed(&bench, Offence::BadItem));
}

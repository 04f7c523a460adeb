//! Each defence of a node by itself: somebody at the other end of a link tries the one thing it is there for.
//!
//! The afternoons show that a net survives those who mean harm; they do not show which defence it owes that to,
//! for one mostly stands behind another. Here each test fails when its defence is taken away.

use std::time::Duration;

use coordination::message::routed::Alive;
use coordination::message::{
    Body, Change, Digest, Head, Introduction, Item, Message, Parcel, Payload, People, PeopleWanted,
    Person, Receipt, Reconcile, Routed, Set, Topic, Update, Versions, Want,
};
use coordination::{
    Blob, BootNonce, Event, Fate, HeldItem, Input, Limits, LinkId, LinkLimits, Nonce, Offence,
    PersonId, Protocol, Rate, ServerId, Signature,
};
use sha2::{Digest as _, Sha256};
use station::statement::coordination::Parcel as ParcelStatement;
use station::{Fingerprint, Statement, Zone};

use crate::sim::bench::{Bench, Remote, update};
use crate::sim::host::ROOT;
use crate::sim::keys;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Long enough that the ways are computed and what follows from them is said.
const A_MOMENT: Duration = millis(100);

const FORGED: Signature = Signature::new([1; 64]);

fn friend(name: &str) -> Remote {
    Remote::new(name, ROOT)
}

fn stranger(name: &str) -> Remote {
    Remote::new(name, "elsewhere")
}

fn routed(way: &[ServerId], at: u8, payload: Payload) -> Message {
    Message::Routed(Routed {
        way: way.to_vec(),
        at,
        payload,
    })
}

/// What went over a link on its way.
fn on_ways(bench: &Bench, link: u64) -> Vec<Routed> {
    let messages = bench.messages(link).into_iter();
    let on_ways = messages.filter_map(|message| match message {
        Message::Routed(routed) => Some(routed),
        _ => None,
    });
    on_ways.collect()
}

/// The records of a server that went over a link.
fn records(bench: &Bench, link: u64, of: ServerId) -> Vec<(u64, u64, Body)> {
    let messages = bench.messages(link).into_iter();
    let records = messages.filter_map(|message| match message {
        Message::Update(update) if update.record.server == of => {
            let record = update.record;
            let body = Body::decode(&record.body).unwrap();
            Some((record.boot, record.sequence, body))
        }
        _ => None,
    });
    records.collect()
}

fn blamed(bench: &Bench, of: Offence) -> bool {
    bench.told(|event| matches!(event, Event::Misconduct { offence, .. } if *offence == of))
}

fn is_there(bench: &Bench, server: ServerId) -> bool {
    bench.host.sees().contains(&server)
}

/// Somebody linked to the bench who tells it of a server behind them.
fn told_of(bench: &mut Bench, relay: &Remote, far: &Remote) {
    let here = bench.host.id;
    bench.connect(1, relay);
    bench.say(1, &relay.update(1, 1, &[here, far.id()]));
    bench.say(1, &far.update(1, 1, &[relay.id()]));
    bench.say(1, &far.introduction());
    bench.say(1, &far.update(1, 1, &[relay.id()]));
    bench.pass(A_MOMENT);
}

/// The nonce that the bench asked a server with last.
fn nonce_for(bench: &Bench, server: ServerId) -> Nonce {
    let asked = on_ways(bench, 1).into_iter();
    let nonces = asked.filter_map(|one| match one.payload {
        Payload::Ask(nonce) if one.way.last() == Some(&server) => Some(nonce),
        _ => None,
    });
    nonces.last().unwrap()
}

fn alive(by: &Remote, nonce: Nonce, boot_nonce: BootNonce) -> Alive {
    let statement = Statement::alive(by.fingerprint(), nonce.as_bytes(), *boot_nonce.as_bytes());
    Alive {
        nonce,
        boot_nonce,
        signature: by.key.sign(&statement),
    }
}

#[test]
fn who_others_tell_of_is_there_when_it_answered_and_not_before() {
    let mut bench = Bench::new(Limits::default());
    let (relay, far) = (friend("relay"), friend("far"));
    told_of(&mut bench, &relay, &far);
    let back = [far.id(), relay.id(), bench.host.id];
    let answer = |bench: &mut Bench, alive| bench.say(1, &routed(&back, 2, Payload::Alive(alive)));
    assert!(!is_there(&bench, far.id()), "its record alone");
    let nonce = nonce_for(&bench, far.id());
    let other = Nonce::new([7; 32]);
    answer(
        &mut bench,
        Alive {
            signature: FORGED,
            ..alive(&far, nonce, Remote::BOOT)
        },
    );
    assert!(!is_there(&bench, far.id()), "an answer nobody signed");
    answer(&mut bench, alive(&relay, nonce, Remote::BOOT));
    assert!(!is_there(&bench, far.id()), "an answer another signed");
    answer(&mut bench, alive(&far, other, Remote::BOOT));
    assert!(!is_there(&bench, far.id()), "an answer to another question");
    let mut other_nonce = alive(&far, other, Remote::BOOT);
    other_nonce.nonce = nonce;
    answer(&mut bench, other_nonce);
    assert!(!is_there(&bench, far.id()), "another's answer relabelled");
    answer(&mut bench, alive(&far, nonce, BootNonce::new([2; 8])));
    assert!(!is_there(&bench, far.id()), "an answer of another boot");
    answer(&mut bench, alive(&far, nonce, Remote::BOOT));
    assert!(is_there(&bench, far.id()), "its own answer");
}

fn parcel(from: &Remote, to: &Remote, within: Zone) -> Parcel {
    parcel_to(from, to.fingerprint(), Remote::BOOT, within)
}

fn parcel_to(from: &Remote, to: Fingerprint, to_boot: BootNonce, within: Zone) -> Parcel {
    let body = Blob::from(&b"73"[..]);
    let statement = Statement::parcel(&ParcelStatement {
        from: from.fingerprint(),
        to,
        from_boot: *Remote::BOOT.as_bytes(),
        to_boot: *to_boot.as_bytes(),
        number: 1,
        within,
        body: station::Digest::new(*keys::item_id(body.as_bytes()).as_bytes()),
    });
    Parcel {
        from_boot: Remote::BOOT,
        to_boot,
        number: 1,
        within,
        body,
        signature: from.key.sign(&statement),
    }
}

#[test]
fn onto_amateur_frequencies_goes_what_may_and_what_its_sender_signed() {
    let mut bench = Bench::new(Limits::default());
    let (here, there) = (friend("here"), friend("there"));
    bench.connect(1, &here);
    bench.connect_over(2, Zone::Part97, &there);
    let way = [here.id(), bench.host.id, there.id()];
    let pass = |bench: &mut Bench, parcel| {
        bench.say(1, &routed(&way, 1, Payload::Parcel(parcel)));
        bench.pass(A_MOMENT);
        on_ways(bench, 2).len()
    };
    let kept_off = parcel(&here, &there, Zone::Open);
    assert_eq!(pass(&mut bench, kept_off), 0, "a call may not cross");
    let forged = Parcel {
        signature: FORGED,
        ..parcel(&here, &there, Zone::Part97)
    };
    assert_eq!(pass(&mut bench, forged), 0, "nobody signed it");
    let changed = Parcel {
        body: Blob::from(&b"88"[..]),
        ..parcel(&here, &there, Zone::Part97)
    };
    assert_eq!(pass(&mut bench, changed), 0, "it was changed on its way");
    let genuine = parcel(&here, &there, Zone::Part97);
    assert_eq!(pass(&mut bench, genuine), 1);
    // What came across amateur frequencies was not encrypted there; it may still not go where it must not cross.
    let back = [there.id(), bench.host.id, here.id()];
    let kept = Payload::Parcel(parcel(&there, &here, Zone::Open));
    bench.say(2, &routed(&back, 1, kept));
    assert!(on_ways(&bench, 1).is_empty());
}

/// Posts a parcel to a server behind another, with the tag 9. Gives it as it was sent.
fn posted(bench: &mut Bench, relay: &Remote, far: &Remote) -> Parcel {
    let back = [far.id(), relay.id(), bench.host.id];
    let living = alive(far, nonce_for(bench, far.id()), Remote::BOOT);
    bench.say(1, &routed(&back, 2, Payload::Alive(living)));
    bench.input(Input::Post {
        to: far.id(),
        tag: 9,
        within: Zone::Open,
        body: Blob::from(&b"73"[..]),
    });
    let sent = on_ways(bench, 1).into_iter();
    let parcels = sent.filter_map(|one| match one.payload {
        Payload::Parcel(parcel) => Some(parcel),
        _ => None,
    });
    parcels.last().unwrap()
}

#[test]
fn a_receipt_that_its_receiver_did_not_sign_is_worth_nothing() {
    let mut bench = Bench::new(Limits::default());
    let (relay, far) = (friend("relay"), friend("far"));
    told_of(&mut bench, &relay, &far);
    let back = [far.id(), relay.id(), bench.host.id];
    let parcel = posted(&mut bench, &relay, &far);
    let receipt = |by: &Remote, of: &Remote, number, way: &[ServerId]| {
        let from = keys::fingerprint(&bench.host.chain[0]);
        let boot = *parcel.from_boot.as_bytes();
        let statement = Statement::receipt(from, of.fingerprint(), boot, number);
        let signature = by.key.sign(&statement);
        let receipt = Receipt {
            from_boot: parcel.from_boot,
            number: parcel.number,
            signature,
        };
        let at = u8::try_from(way.len() - 1).unwrap();
        routed(way, at, Payload::Receipt(receipt))
    };
    let worthless = [
        receipt(&relay, &far, parcel.number, &back),
        receipt(&far, &far, parcel.number + 1, &back),
        // Somebody else says that they got it.
        receipt(&relay, &relay, parcel.number, &back[1..]),
    ];
    let genuine = receipt(&far, &far, parcel.number, &back);
    for receipt in worthless {
        bench.say(1, &receipt);
        assert_eq!(bench.host.saw.fates.get(&9), None);
    }
    bench.say(1, &genuine);
    assert_eq!(bench.host.saw.fates.get(&9), Some(&Fate::Delivered));
}

#[test]
fn what_strangers_say_of_themselves_goes_no_further() {
    let mut bench = Bench::new(Limits::default());
    let (unknown, known, listener) = (stranger("unknown"), friend("known"), friend("listener"));
    bench.connect(1, &unknown);
    bench.connect(2, &listener);
    bench.connect(3, &known);
    bench.say(1, &unknown.update(1, 1, &[]));
    bench.say(3, &known.update(1, 1, &[]));
    bench.say(
        2,
        &Message::Want(Want {
            known: vec![unknown.id(), known.id()],
            unknown: vec![unknown.id(), known.id()],
        }),
    );
    assert!(!records(&bench, 2, known.id()).is_empty());
    assert!(records(&bench, 2, unknown.id()).is_empty());
    let introduced = bench.messages(2).into_iter();
    let introduced = introduced.filter_map(|message| match message {
        Message::Intro(Introduction { chain }) => Some(keys::server_id(&chain[0])),
        _ => None,
    });
    assert_eq!(introduced.collect::<Vec<_>>(), [known.id()]);
}

#[test]
fn ways_begin_and_end_at_strangers_and_lead_through_none() {
    let mut bench = Bench::new(Limits::default());
    let (unknown, known, listener) = (stranger("unknown"), friend("known"), friend("listener"));
    for (link, remote) in [(1, &unknown), (2, &known), (3, &listener)] {
        bench.connect(link, remote);
    }
    let here = bench.host.id;
    let elsewhere = friend("elsewhere").id();
    let ask = || Payload::Ask(Nonce::new([5; 32]));
    let from_behind = [elsewhere, unknown.id(), here, listener.id()];
    bench.say(1, &routed(&from_behind, 2, ask()));
    assert!(on_ways(&bench, 3).is_empty(), "out of a stranger");
    let through = [known.id(), here, unknown.id(), elsewhere];
    bench.say(2, &routed(&through, 1, ask()));
    assert!(on_ways(&bench, 1).is_empty(), "through a stranger");
    bench.say(1, &routed(&[unknown.id(), here, listener.id()], 1, ask()));
    assert_eq!(on_ways(&bench, 3).len(), 1, "from a stranger");
    bench.say(2, &routed(&[known.id(), here, unknown.id()], 1, ask()));
    assert_eq!(on_ways(&bench, 1).len(), 1, "to a stranger");
}

#[test]
fn our_own_record_of_later_is_believed_if_we_signed_it() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &friend("remote"));
    let ours = Remote {
        key: bench.host.key.clone(),
        ..Remote::new("bench", ROOT)
    };
    let before = bench.host.disk.boot;
    let mut forged = ours.record(before + 5, 1, &[]);
    forged.signature = FORGED;
    bench.say(1, &update(forged));
    assert_eq!(bench.host.disk.boot, before);
    assert!(blamed(&bench, Offence::ForgedRecord));
    bench.say(1, &ours.update(before + 5, 1, &[]));
    assert_eq!(bench.host.disk.boot, before + 6);
}

#[test]
fn who_signed_two_records_of_one_version_is_shown_the_one_that_everybody_keeps() {
    let mut bench = Bench::new(Limits::default());
    let remote = friend("remote");
    bench.connect(1, &remote);
    let here = bench.host.id;
    let mut both = [remote.record(1, 1, &[]), remote.record(1, 1, &[here])];
    both.sort_by_key(coordination::message::SignedRecord::summary);
    let [other, kept] = both;
    bench.say(1, &update(kept.clone()));
    bench.say(1, &update(other));
    let shown = bench.messages(1).into_iter();
    let shown = shown.filter_map(|message| match message {
        Message::Update(update) if update.record.server == remote.id() => Some(update.record),
        _ => None,
    });
    assert_eq!(shown.collect::<Vec<_>>(), [kept]);
}

/// A server lost its memory after ours saw a later record of it, and forgot its server's certificates since.
#[test]
fn who_lost_its_memory_is_shown_the_newest_we_ever_saw() {
    let mut bench = Bench::new(Limits::default());
    let remote = friend("remote");
    bench.connect(1, &remote);
    bench.say(1, &remote.update(5, 1, &[]));
    bench.pass(Limits::default().remember);
    bench.restart();
    bench.connect(2, &remote);
    bench.say(2, &remote.update(1, 1, &[]));
    let shown = records(&bench, 2, remote.id());
    assert_eq!(shown.first().map(|one| (one.0, one.1)), Some((5, 1)));
    let node = bench.host.node.as_ref().unwrap();
    let held = node.servers().find(|one| one.id == remote.id()).unwrap();
    assert_eq!(held.version, None, "the earlier one does not count");
}

#[test]
fn the_blacklisted_are_not_heard() {
    let mut bench = Bench::new(Limits::default());
    let (relay, far) = (friend("relay"), friend("far"));
    told_of(&mut bench, &relay, &far);
    let standing = coordination::Standing::Blacklisted;
    let server = far.id();
    bench.input(Input::Standing { server, standing });
    bench.say(1, &far.update(1, 2, &[relay.id()]));
    let node = bench.host.node.as_ref().unwrap();
    let known = node.servers().find(|one| one.id == server);
    let sequence = known.and_then(|one| one.version).map(|one| one.sequence);
    assert_ne!(sequence, Some(2));
}

#[test]
fn who_introduces_somebody_unasked_is_blamed() {
    let mut bench = Bench::new(Limits::default());
    bench.connect(1, &friend("remote"));
    let other = friend("other");
    bench.say(1, &other.introduction());
    assert!(blamed(&bench, Offence::OutOfPlace));
    let node = bench.host.node.as_ref().unwrap();
    assert!(node.servers().all(|one| one.id != other.id()));
}

#[test]
fn a_way_that_does_not_come_through_who_sent_it_is_blamed() {
    let (remote, other) = (friend("remote"), friend("other"));
    let (elsewhere, here) = (
        friend("elsewhere").id(),
        Bench::new(Limits::default()).host.id,
    );
    let from_another = [elsewhere, here, other.id()];
    let for_another = [remote.id(), elsewhere, other.id()];
    for way in [from_another, for_another] {
        let mut bench = Bench::new(Limits::default());
        bench.connect(1, &remote);
        bench.connect(2, &other);
        let ask = Payload::Ask(Nonce::new([5; 32]));
        bench.say(1, &routed(&way, 1, ask));
        assert!(on_ways(&bench, 2).is_empty());
        assert!(blamed(&bench, Offence::BadWay));
    }
}

/// A neighbour that comes and goes: the first few times it is told of at once, then only when it has stayed.
#[test]
fn a_neighbour_that_comes_and_goes_is_told_of_once_it_stays() {
    let limits = Limits::default();
    let mut bench = Bench::new(limits);
    let (restless, listener) = (friend("restless"), friend("listener"));
    bench.connect(1, &listener);
    let here = bench.host.id;
    let tells = |bench: &Bench| {
        let newest = records(bench, 1, here).pop();
        newest.is_some_and(|(_, _, body)| body.open.contains(&restless.id()))
    };
    for link in 2..2 + u64::from(limits.flaps) {
        bench.connect(link, &restless);
        bench.pass(A_MOMENT);
        assert!(tells(&bench), "at once");
        let link = LinkId(link);
        bench.input(Input::LinkDown { link });
        bench.pass(A_MOMENT);
        assert!(!tells(&bench), "gone is told at once, always");
    }
    bench.connect(20, &restless);
    bench.input(Input::LinkDown { link: LinkId(20) });
    bench.connect(21, &restless);
    bench.pass(A_MOMENT);
    let records_before = records(&bench, 1, here).len();
    bench.pass(limits.flap_hold - A_MOMENT - millis(1));
    assert!(!tells(&bench));
    assert_eq!(records(&bench, 1, here).len(), records_before);
    bench.pass(A_MOMENT);
    assert!(tells(&bench), "it stayed");
}

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

/// Somebody whose signed record says that certain people are there, with a list of others.
fn told_of_people(
    bench: &mut Bench,
    remote: &Remote,
    joined: &[(PersonId, Blob)],
    head: Option<Head>,
) {
    bench.connect(1, remote);
    let body = |operators| Body {
        operators,
        ..remote.body(&[bench.host.id])
    };
    let unknown = Head::new([9; 16]);
    let body = body(head.unwrap_or(unknown));
    let record = keys::record(&remote.key, &remote.chain[0], (1, 1), &body);
    bench.say(1, &update(record));
    bench.pass(A_MOMENT);
    let asked = bench.messages(1).into_iter();
    let from = asked.filter_map(|message| match message {
        Message::Who(wanted) if wanted.topic == Topic::Operators => Some(wanted.from),
        _ => None,
    });
    let from = from.last().unwrap();
    let mut pages = joined.chunks(15).peekable();
    while let Some(page) = pages.next() {
        let change = Change {
            topic: Topic::Operators,
            from,
            joined: page.to_vec(),
            left: Vec::new(),
        };
        let people = People {
            server: remote.id(),
            topic: Topic::Operators,
            change: Some(change),
            more: pages.peek().is_some(),
        };
        bench.say(1, &Message::People(people));
    }
}

/// The head of a list of people, as `message::people` says.
fn head(joined: &[(PersonId, Blob)]) -> Head {
    let mut hash = Sha256::new();
    for (id, details) in joined {
        hash.update(id.as_bytes());
        hash.update(Sha256::digest(details.as_bytes()));
    }
    let mut head = [0; 16];
    head.copy_from_slice(&hash.finalize()[..16]);
    Head::new(head)
}

fn somebody(number: u8, bytes: usize) -> (PersonId, Blob) {
    let person = Person {
        callsign: "W1AW".to_owned(),
        net: "n".repeat(bytes),
        login: None,
    };
    (PersonId::new([number; 8]), person.encode())
}

#[test]
fn a_list_of_people_is_believed_if_it_is_the_one_in_the_signed_record() {
    let remote = friend("remote");
    let joined = vec![somebody(1, 4)];
    let shown = |named| {
        let mut bench = Bench::new(Limits::default());
        told_of_people(&mut bench, &remote, &joined, named);
        bench.host.sees_people(remote.id()).len()
    };
    assert_eq!(shown(None), 0);
    assert_eq!(shown(Some(head(&joined))), 1);
}

/// A stranger has some people; a server that somebody vouches for may have many.
#[test]
fn a_stranger_s_list_of_people_is_kept_while_it_is_short() {
    let many: Vec<_> = (1..=30).map(|number| somebody(number, 3_000)).collect();
    for (remote, kept) in [(friend("remote"), 30), (stranger("remote"), 0)] {
        let mut bench = Bench::new(Limits::default());
        let few = &many[..15];
        told_of_people(&mut bench, &remote, few, Some(head(few)));
        assert_eq!(bench.host.sees_people(remote.id()).len(), 15);
        let mut bench = Bench::new(Limits::default());
        told_of_people(&mut bench, &remote, &many, Some(head(&many)));
        assert_eq!(bench.host.sees_people(remote.id()).len(), kept);
    }
}

#[test]
fn not_everybody_is_asked_at_once_whether_they_live() {
    let limits = Limits {
        asks: 2,
        ..Limits::default()
    };
    let mut bench = Bench::new(limits);
    let relay = friend("relay");
    let far: Vec<_> = (0..5)
        .map(|number| friend(&format!("far-{number}")))
        .collect();
    bench.connect(1, &relay);
    let mut links: Vec<_> = far.iter().map(Remote::id).collect();
    links.push(bench.host.id);
    bench.say(1, &relay.update(1, 1, &links));
    for one in &far {
        bench.say(1, &one.update(1, 1, &[relay.id()]));
        bench.say(1, &one.introduction());
        bench.say(1, &one.update(1, 1, &[relay.id()]));
    }
    bench.pass(A_MOMENT);
    assert_eq!(on_ways(&bench, 1).len(), 2);
}

#[test]
fn a_record_that_is_over_counts_no_more() {
    let limits = Limits::default();
    let mut bench = Bench::new(limits);
    let remote = friend("remote");
    bench.connect(1, &remote);
    let aged = |age| {
        Message::Update(Update {
            record: remote.record(1, 1, &[]),
            age,
            changes: Vec::new(),
        })
    };
    let held = |bench: &Bench| {
        let node = bench.host.node.as_ref().unwrap();
        node.servers().next().unwrap().version
    };
    let lifetime = limits.lifetime.as_secs();
    bench.say(1, &aged(lifetime));
    assert_eq!(held(&bench), None);
    bench.say(1, &aged(lifetime - 1));
    assert!(held(&bench).is_some());
}

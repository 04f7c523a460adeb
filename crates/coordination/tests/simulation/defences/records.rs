//! What servers say of themselves and of each other.

use coordination::message::{Introduction, Message, Update, Want};
use coordination::{Input, Limits, LinkId, Offence};

use crate::sim::bench::{Bench, Remote, update};
use crate::sim::host::ROOT;
use crate::sim::keys;

use super::{A_MOMENT, FORGED, blamed, friend, millis, on_ways, records, stranger, told_of};

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

/// What came of it over other links meanwhile was dropped, because it was being verified.
#[test]
fn a_record_outlives_the_link_that_brought_it() {
    let [relay, another, far] = ["relay", "another", "far"].map(friend);
    let mut bench = Bench::new(Limits::default());
    told_of(&mut bench, &relay, &far);
    bench.connect(2, &another);
    let newer = far.update(1, 2, &[relay.id(), another.id()]);
    bench.hold_answers_back();
    bench.say(1, &newer);
    bench.say(2, &newer);
    bench.input(Input::LinkDown { link: LinkId(1) });
    bench.answer();
    let known = bench.host.node.as_ref().unwrap().server(far.id()).unwrap();
    assert_eq!(known.version.unwrap().sequence, 2);
}

//! Messages on their way from one server to another.

use coordination::message::routed::Alive;
use coordination::message::{Parcel, Payload, Receipt};
use coordination::{Blob, BootNonce, Fate, Limits, Nonce, Offence, ServerId};
use station::{Statement, Zone};

use crate::sim::bench::{Bench, Remote};
use crate::sim::keys;

use super::{
    A_MOMENT, FORGED, alive, blamed, friend, nonce_for, on_ways, parcel, posted, routed, stranger,
    told_of,
};

fn is_there(bench: &Bench, server: ServerId) -> bool {
    bench.host.sees().contains(&server)
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

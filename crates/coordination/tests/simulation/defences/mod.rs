//! Each defence of a node by itself: somebody at the other end of a link tries the one thing it is there for.
//!
//! The afternoons show that a net survives those who mean harm; they do not show which defence it owes that to,
//! for one mostly stands behind another. Here each test fails when its defence is taken away.

mod budgets;
mod people;
mod records;
mod ways;

use std::time::Duration;

use coordination::message::routed::Alive;
use coordination::message::{Body, Message, Parcel, Payload, Routed};
use coordination::{Blob, BootNonce, Event, Input, Nonce, Offence, ServerId, Signature};
use station::statement::coordination::Parcel as ParcelStatement;
use station::{Fingerprint, Statement, Zone};

use crate::sim::bench::{Bench, Remote};
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

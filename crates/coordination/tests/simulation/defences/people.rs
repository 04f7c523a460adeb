//! Who is said to be at a server.

use coordination::message::{Body, Change, Head, Message, People, Person, Topic};
use coordination::{Blob, Frame, Input, Limits, LinkId, PersonId};
use sha2::{Digest as _, Sha256};

use crate::sim::bench::{Bench, Remote, update};
use crate::sim::keys;

use super::{A_MOMENT, friend, stranger};

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

/// Over which links it was asked who is at a server, in order.
fn asked(bench: &Bench) -> Vec<u64> {
    let sent = bench.sent.iter();
    let asked = sent.filter_map(|(link, frame)| match frame {
        Frame::Binary(bytes) => match Message::decode(bytes.as_bytes()) {
            Ok(Message::Who(wanted)) if wanted.topic == Topic::Operators => Some(link.0),
            _ => None,
        },
        Frame::Text(_) => None,
    });
    asked.collect()
}

/// A server with somebody at it whom none of these neighbours knows: all but the last asked say so.
fn sought_among(neighbours: usize) -> Bench {
    let far = friend("far");
    let mut bench = Bench::new(Limits::default());
    let names = (1..=neighbours).map(|number| format!("neighbour-{number}"));
    let relays: Vec<_> = names.map(|name| friend(&name)).collect();
    for (link, relay) in (1..).zip(&relays) {
        bench.connect(link, relay);
    }
    let body = Body {
        operators: head(&[somebody(1, 4)]),
        guests: head(&[]),
        ..far.body(&[relays[0].id()])
    };
    let record = update(keys::record(&far.key, &far.chain[0], (1, 1), &body));
    for message in [&record, &far.introduction(), &record] {
        bench.say(1, message);
    }
    for _ in 1..neighbours {
        let nobody_known = People {
            server: far.id(),
            topic: Topic::Operators,
            change: None,
            more: false,
        };
        let last = *asked(&bench).last().unwrap();
        bench.say(last, &Message::People(nobody_known));
    }
    assert_eq!(asked(&bench).len(), neighbours);
    bench
}

#[test]
fn who_is_gone_is_not_waited_for() {
    let mut bench = sought_among(2);
    let last = *asked(&bench).last().unwrap();
    bench.input(Input::LinkDown { link: LinkId(last) });
    bench.pass(A_MOMENT);
    assert_eq!(asked(&bench).len(), 3);
}

#[test]
fn who_does_not_answer_is_waited_for_no_longer_because_others_answered() {
    let mut bench = sought_among(8);
    bench.pass(Limits::default().open.answer + A_MOMENT);
    assert_eq!(asked(&bench).len(), 9);
}

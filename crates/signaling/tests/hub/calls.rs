//! Offers, answers and candidates, and who may send them to whom.

use std::time::Duration;

use serde_json::{Value, json};
use signaling::{ClientId, Limits, Owner};
use station::{Callsign, KeyId};

use crate::support::{Room, answer, candidate, offer};
use crate::{operator_and_guest, room};

#[test]
fn a_call_goes_there_and_back() {
    let (mut room, operator, guest) = operator_and_guest();
    let mut call = offer(guest);
    call["statement"] =
        json!({ "callId": "c", "counter": 1, "to": "t", "signature": "s", "keyid": "k" });
    room.say(operator, &call);
    let offered = room.one(guest);
    assert_eq!(offered["from"], operator.to_string());
    assert_eq!(offered["fromCallsign"], "W1AW");
    assert_eq!(offered["verified"], true);
    assert_eq!(offered["offer"], call["offer"]);
    assert_eq!(offered["statement"], call["statement"]);
    assert_eq!(offered["chain"], json!(["trusted 1 W1AW"]));
    assert_eq!(offered["polite"], guest < operator);

    let mut reply = answer(operator);
    reply["statement"] = call["statement"].clone();
    room.say(guest, &reply);
    let answered = room.one(operator);
    assert_eq!(answered["statement"], call["statement"]);
    assert_eq!(answered["chain"], json!(null), "a guest has none");
    assert_eq!(answered["type"], "ANSWER_RECEIVED");
    assert_eq!(answered["fromCallsign"], "GUEST");
    assert_eq!(answered["verified"], false);
    for (from, to) in [(operator, guest), (guest, operator)] {
        room.say(from, &candidate(to));
        let received = room.one(to);
        assert_eq!(received["type"], "ICE_CANDIDATE_RECEIVED");
        assert_eq!(received["candidate"], candidate(to)["candidate"]);
    }
}

#[test]
fn a_guest_starts_no_call_but_renegotiates_one_it_answered() {
    let (mut room, operator, guest) = operator_and_guest();
    room.say(guest, &offer(operator));
    let refused = room.one(guest);
    assert_eq!(refused["code"], "license-required");
    assert_eq!(refused["details"]["learn"], "/#/licence");
    room.say(guest, &candidate(operator));
    assert_eq!(room.error(guest), "no-call");
    room.say(guest, &answer(operator));
    assert_eq!(room.error(guest), "no-call");

    room.say(operator, &offer(guest));
    room.received(guest);
    room.say(guest, &offer(operator));
    assert_eq!(
        room.error(guest),
        "license-required",
        "being called is not yet a call"
    );
    room.say(guest, &answer(operator));
    room.received(operator);
    room.say(guest, &offer(operator));
    assert_eq!(room.one(operator)["type"], "OFFER_RECEIVED");
    room.say(guest, &answer(operator));
    assert_eq!(room.error(guest), "no-call", "one offer, one answer");
}

#[test]
fn a_call_ends_with_either_session() {
    let (mut room, operator, guest) = operator_and_guest();
    room.say(operator, &offer(guest));
    room.say(guest, &answer(operator));
    room.leave(operator);
    let again = room.operator("W1AW", 1);
    room.forget_everything();
    room.say(guest, &offer(again));
    assert_eq!(room.error(guest), "license-required");
    room.say(guest, &offer(operator));
    assert_eq!(room.error(guest), "unknown-target");
}

#[test]
fn candidates_are_counted_for_each_offer() {
    let mut room = Room::new(Limits {
        candidates: 2,
        ..Limits::default()
    });
    let operator = room.operator("W1AW", 1);
    let guest = room.guest();
    room.say(operator, &offer(guest));
    room.forget_everything();
    for _ in 0..2 {
        room.say(operator, &candidate(guest));
    }
    assert!(room.received(operator).is_empty());
    room.say(operator, &candidate(guest));
    assert_eq!(room.error(operator), "too-many-candidates");
    assert_eq!(room.received(guest).len(), 2);
    room.say(operator, &offer(guest));
    room.say(operator, &candidate(guest));
    assert_eq!(room.received(guest).len(), 2);
}

#[test]
fn the_oldest_of_too_many_calls_gives_way() {
    let mut room = Room::new(Limits {
        calls: 2,
        ..Limits::default()
    });
    let operator = room.operator("W1AW", 1);
    let guests: Vec<_> = (0..3).map(|_| room.guest()).collect();
    for &guest in &guests {
        room.pass(Duration::from_millis(1));
        room.say(operator, &offer(guest));
    }
    room.forget_everything();
    room.say(guests[0], &answer(operator));
    assert_eq!(room.error(guests[0]), "no-call");
    room.say(guests[2], &answer(operator));
    assert_eq!(room.one(operator)["type"], "ANSWER_RECEIVED");
}

#[test]
fn a_callsign_means_the_latest_session_of_one_key() {
    let mut room = room();
    let caller = room.operator("K1ABC", 2);
    let first = room.operator("W1AW", 1);
    let second = room.operator("W1AW", 1);
    room.forget_everything();
    room.say(caller, &offer("w1aw"));
    assert_eq!(room.one(second)["type"], "OFFER_RECEIVED");
    room.leave(second);
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.one(first)["type"], "OFFER_RECEIVED");

    room.operator("W1AW", 7);
    room.received(caller);
    room.say(caller, &offer("W1AW"));
    let refused = room.one(caller);
    assert_eq!(refused["code"], "callsign-ambiguous");
    assert_eq!(
        refused["details"]["keys"],
        json!(["01".repeat(32), "07".repeat(32)])
    );

    let owner = Owner {
        callsign: Callsign::parse("W1AW").unwrap(),
        key: KeyId::new([1; 32]),
    };
    room.hub.set_owner(Some(owner));
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.one(first)["type"], "OFFER_RECEIVED");
    room.leave(first);
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(
        room.error(caller),
        "unknown-target",
        "another key is not the owner"
    );
}

/// A candidate that hides its address.
fn hidden(target: ClientId) -> Value {
    let mut message = candidate(target);
    message["candidate"]["candidate"] =
        json!("candidate:1 1 udp 2113937151 5f0c.local 51234 typ host");
    message
}

#[test]
fn a_hidden_address_is_followed_by_the_one_the_server_sees() {
    let (mut room, operator, guest) = operator_and_guest();
    room.say(operator, &offer(guest));
    room.forget_everything();
    // The first client of a room is 10.0.0.1, the second 10.0.0.2.
    for (from, to, address) in [(operator, guest, "10.0.0.1"), (guest, operator, "10.0.0.2")] {
        room.say(from, &hidden(to));
        let received = room.received(to);
        assert_eq!(received.len(), 2);
        let mut seen = hidden(to)["candidate"].clone();
        assert_eq!(received[0]["candidate"], seen);
        seen["candidate"] = json!(format!(
            "candidate:1 1 udp 2113937151 {address} 51234 typ host"
        ));
        assert_eq!(received[1]["candidate"], seen);
        assert_eq!(received[1]["from"], from.to_string());
    }
    assert_eq!(room.hub.counters().candidates, 2);

    room.hub.set_observed_candidates(false);
    room.say(operator, &hidden(guest));
    assert_eq!(room.received(guest).len(), 1);
}

#[test]
fn what_the_server_adds_counts_for_nobody() {
    let mut room = Room::new(Limits {
        candidates: 2,
        ..Limits::default()
    });
    let (operator, guest) = (room.operator("W1AW", 1), room.guest());
    room.say(operator, &offer(guest));
    room.forget_everything();
    for _ in 0..3 {
        room.say(operator, &hidden(guest));
    }
    assert_eq!(room.error(operator), "too-many-candidates");
    assert_eq!(room.received(guest).len(), 4);
}

#[test]
fn no_address_is_told_across_amateur_frequencies() {
    let (mut room, operator, guest) = operator_and_guest();
    room.say(operator, &offer(guest));
    let seen = room.last_seq(guest);
    room.disconnect(guest);
    let far = signaling::Origin {
        zone: signaling::Zone::Part97,
        ..crate::support::lan(44)
    };
    let back = room.connect_from(far);
    room.say(back, &crate::support::resume(guest, seen));
    room.forget_everything();
    room.say(back, &hidden(operator));
    assert_eq!(room.error(back), "part97");
    room.say(operator, &hidden(guest));
    assert_eq!(room.error(operator), "part97");
    assert!(room.received(back).is_empty() && room.received(operator).is_empty());
}

#[test]
fn a_callsign_follows_who_changed_their_key() {
    let mut room = room();
    let key = |byte| KeyId::new([byte; 32]);
    let caller = room.operator("K1ABC", 2);
    let old = room.operator("W1AW", 1);
    let new = room.operator("W1AW", 7);
    room.received(caller);
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.error(caller), "callsign-ambiguous");

    room.hub
        .set_successors([(key(1), key(5)), (key(5), key(7))].into());
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.one(new)["type"], "OFFER_RECEIVED", "the most recent");
    let owner = Owner {
        callsign: Callsign::parse("W1AW").unwrap(),
        key: key(1),
    };
    room.hub.set_owner(Some(owner));
    room.leave(old);
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.one(new)["type"], "OFFER_RECEIVED", "still the owner");

    room.hub.set_successors([(key(1), key(5))].into());
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.error(caller), "unknown-target", "another key again");
    room.hub
        .set_successors([(key(1), key(7)), (key(7), key(1))].into());
    room.say(caller, &offer("W1AW"));
    room.one(caller);
}

//! Operators that cease to be ones while they are here, and those who become ones.

use std::time::Duration;

use crate::support::{Room, answer, candidate, line, offer, register};
use serde_json::{Value, json};
use signaling::{
    ClientId, Command, Hub, Judgement, Limits, Origin, Owner, Policy, SessionToken, Ticket, Zone,
};
use station::{Callsign, KeyId};

/// Two operators and a guest, with nothing unread.
fn two_operators_and_a_guest() -> (Room, ClientId, ClientId, ClientId) {
    let mut room = Room::new(Limits::default());
    let operator = room.operator("W1AW", 1);
    let other = room.operator("K1ABC", 2);
    let guest = room.guest();
    room.forget_everything();
    (room, operator, other, guest)
}

#[test]
fn a_blacklisted_operator_is_a_guest_at_once_and_everybody_sees_it() {
    let (mut room, operator, other, guest) = two_operators_and_a_guest();
    room.judge(1, false);
    let told = room.one(operator);
    assert_eq!(
        told,
        json!({ "type": "ROLE", "role": "unlicensed", "guestCalls": false, "reason": "the owner says so", "seq": told["seq"] })
    );
    for witness in [other, guest] {
        let corrected = room.one(witness);
        assert_eq!(corrected["type"], "PEER_JOINED");
        assert_eq!(corrected["peer"]["id"], operator.to_string());
        assert_eq!(corrected["peer"]["hasLicense"], false);
        assert_eq!(corrected["peer"]["verified"], false);
    }
    assert_eq!(room.hub.population(), (1, 2));
    room.say(operator, &offer(guest));
    assert_eq!(room.error(operator), "license-required");
    room.say(other, &offer("W1AW"));
    assert_eq!(room.error(other), "unknown-target");

    room.judge(1, false);
    assert!(room.take_all().is_empty(), "nothing changed");
    room.judge(1, true);
    assert_eq!(room.one(operator)["role"], "licensed");
    room.forget_everything();
    room.say(other, &offer("W1AW"));
    assert_eq!(room.one(operator)["type"], "OFFER_RECEIVED");
    assert_eq!(room.hub.population(), (2, 1));
}

#[test]
fn what_nobody_answered_is_withdrawn_and_what_was_answered_goes_on() {
    let (mut room, operator, other, guest) = two_operators_and_a_guest();
    room.say(operator, &offer(guest));
    room.say(guest, &answer(operator));
    room.say(operator, &offer(other));
    room.judge(1, false);
    room.forget_everything();

    room.say(other, &answer(operator));
    assert_eq!(room.error(other), "no-call");
    room.say(operator, &candidate(other));
    assert_eq!(room.error(operator), "no-call");

    for (from, to) in [(operator, guest), (guest, operator)] {
        room.say(from, &candidate(to));
        assert_eq!(room.one(to)["type"], "ICE_CANDIDATE_RECEIVED");
    }
    room.say(operator, &offer(guest));
    assert_eq!(room.error(operator), "license-required");
    room.say(guest, &offer(operator));
    assert_eq!(
        room.one(operator)["verified"],
        false,
        "who answered may renegotiate"
    );
    room.say(operator, &answer(guest));
    assert_eq!(room.one(guest)["verified"], false);
    room.say(operator, &offer(guest));
    assert_eq!(
        room.one(guest)["type"],
        "OFFER_RECEIVED",
        "now both answered"
    );
}

#[test]
fn a_call_the_other_way_survives_the_withdrawal() {
    let (mut room, operator, other, _) = two_operators_and_a_guest();
    room.say(operator, &offer(other));
    room.say(other, &offer(operator));
    room.judge(1, false);
    room.forget_everything();
    room.say(other, &answer(operator));
    assert_eq!(room.error(other), "no-call");
    room.say(operator, &answer(other));
    assert_eq!(room.one(other)["type"], "ANSWER_RECEIVED");
}

#[test]
fn a_callsign_means_the_same_session_again_when_trust_returns() {
    let mut room = Room::new(Limits::default());
    let (first, latest) = (room.operator("W1AW", 1), room.operator("W1AW", 1));
    let impostor = room.operator("W1AW", 7);
    let caller = room.operator("K1ABC", 2);
    room.judge(1, false);
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.one(impostor)["type"], "OFFER_RECEIVED");
    let owner = Owner {
        callsign: Callsign::parse("W1AW").unwrap(),
        key: KeyId::new([1; 32]),
    };
    room.hub.set_owner(Some(owner));
    room.judge(1, true);
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.one(latest)["type"], "OFFER_RECEIVED");
    room.leave(latest);
    room.forget_everything();
    room.say(caller, &offer("W1AW"));
    assert_eq!(room.one(first)["type"], "OFFER_RECEIVED");
}

#[test]
fn in_a_crowd_the_correction_is_gathered_and_comes_before_a_signal() {
    let mut room = Room::new(Limits {
        at_once: 2,
        ..Limits::default()
    });
    let operator = room.operator("W1AW", 1);
    let residents: Vec<_> = (0..3).map(|_| room.guest()).collect();
    room.pass(Duration::from_millis(250));
    room.say(operator, &offer(residents[0]));
    room.say(residents[0], &answer(operator));
    room.forget_everything();

    room.judge(1, false);
    assert_eq!(room.one(operator)["type"], "ROLE");
    room.say(operator, &candidate(residents[0]));
    room.say(residents[0], &offer(operator));
    room.say(operator, &answer(residents[0]));
    let told = room.received(residents[0]);
    let kinds: Vec<_> = told.iter().map(|m| m["type"].clone()).collect();
    assert_eq!(
        kinds,
        ["ICE_CANDIDATE_RECEIVED", "PEER_JOINED", "ANSWER_RECEIVED"]
    );
    assert!(room.received(residents[1]).is_empty());
    room.pass(Duration::from_millis(250));
    for resident in residents {
        let told = room.one(resident);
        assert_eq!(told["joined"][0]["id"], operator.to_string());
        assert_eq!(told["joined"][0]["hasLicense"], false);
    }
}

#[test]
fn who_heard_of_a_newcomer_ahead_of_the_others_hears_of_its_role_too() {
    let mut room = Room::new(Limits {
        at_once: 2,
        ..Limits::default()
    });
    let residents: Vec<_> = (0..3).map(|_| room.guest()).collect();
    room.pass(Duration::from_millis(250));
    let newcomer = room.operator("W1AW", 1);
    room.say(newcomer, &offer(residents[0]));
    room.forget_everything();
    room.judge(1, false);
    assert_eq!(room.one(newcomer)["type"], "ROLE");
    assert_eq!(room.one(residents[0])["peer"]["hasLicense"], false);
    assert!(room.received(residents[1]).is_empty());
    room.pass(Duration::from_millis(250));
    assert_eq!(room.one(residents[1])["joined"][0]["hasLicense"], false);
}

#[test]
fn who_is_away_finds_out_on_coming_back() {
    let (mut room, operator, ..) = two_operators_and_a_guest();
    let seen = room.last_seq(operator);
    room.disconnect(operator);
    room.judge(1, false);
    let back = room.resume(operator, seen);
    let proof = json!({ "type": "AUTHENTICATE", "signature": "genuine" });
    room.say(back, &proof);
    let told = room.received(back);
    let kinds: Vec<_> = told.iter().map(|m| m["type"].clone()).collect();
    assert_eq!(kinds, ["CHALLENGE", "RESUMED", "ROLE"]);
}

/// A key that is trusted as somebody else's does not make its holder W1AW.
#[test]
fn a_key_is_judged_for_one_callsign() {
    let mut room = Room::new(Limits::default());
    let impostor = room.connect();
    room.say(impostor, &register("W1AW", "untrusted 3 W1AW"));
    let proof = json!({ "type": "AUTHENTICATE", "signature": "genuine" });
    room.say(impostor, &proof);
    room.forget_everything();
    room.judge_for("K1ABC", 3, true);
    assert!(room.take_all().is_empty());
    assert_eq!(room.hub.population(), (0, 1));
    room.judge_for("W1AW/P", 3, true);
    assert_eq!(room.one(impostor)["role"], "licensed");
}

#[test]
fn the_owner_may_let_guests_call_each_other_and_take_it_back() {
    let (mut room, operator, _, guest) = two_operators_and_a_guest();
    let visitor = room.guest();
    room.forget_everything();
    room.say(guest, &offer(visitor));
    assert_eq!(room.error(guest), "license-required");

    room.hub
        .set_policy(Policy { guest_calls: true }, "the owner allows it");
    room.run();
    let told = room.one(guest);
    assert_eq!(
        (&told["type"], &told["role"]),
        (&json!("ROLE"), &json!("unlicensed"))
    );
    assert_eq!(told["guestCalls"], true);
    assert_eq!(room.one(operator)["role"], "licensed");
    let late = room.guest();
    assert_eq!(room.one(late)["guestCalls"], true);
    room.forget_everything();
    room.say(guest, &offer(visitor));
    assert_eq!(room.one(visitor)["type"], "OFFER_RECEIVED");
    room.say(guest, &offer(operator));
    assert_eq!(
        room.error(guest),
        "license-required",
        "operators are not disturbed"
    );

    room.hub
        .set_policy(Policy::default(), "the owner forbids it");
    room.run();
    room.forget_everything();
    room.say(visitor, &answer(guest));
    assert_eq!(room.error(visitor), "no-call", "nobody had answered yet");
}

#[test]
fn nobody_is_called_over_amateur_frequencies() {
    let mut room = Room::new(Limits::default());
    room.hub
        .set_policy(Policy { guest_calls: true }, "the owner allows it");
    let operator = room.operator("W1AW", 1);
    let far = Origin {
        zone: Zone::Part97,
        ..crate::support::lan(44)
    };
    let afar = room.connect_from(far);
    room.forget_everything();
    room.say(afar, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    assert_eq!(room.one(afar)["guestCalls"], false);
    let guest = room.guest();
    room.forget_everything();
    for (from, to) in [(operator, afar), (afar, guest), (guest, afar)] {
        room.say(from, &offer(to));
        assert_eq!(room.error(from), "part97");
    }

    // Who moves to such a network during a call cannot go on with it from there.
    room.say(operator, &offer(guest));
    let seen = room.last_seq(guest);
    room.disconnect(guest);
    let back = room.connect_from(far);
    room.say(back, &crate::support::resume(guest, seen));
    room.forget_everything();
    room.say(back, &answer(operator));
    assert_eq!(room.error(back), "part97");
}

/// A judgement may come at any moment of a login.
#[test]
fn a_login_under_way_follows_the_judgement() {
    let mut room = Room::new(Limits::default());
    let client = room.connect();
    room.say(client, &register("W1AW", "trusted 1 W1AW"));
    room.judge(1, false);
    room.received(client);
    room.say(
        client,
        &json!({ "type": "AUTHENTICATE", "signature": "genuine" }),
    );
    assert_eq!(room.one(client)["role"], "unlicensed");
    room.judge(1, true);
    assert_eq!(room.one(client)["role"], "licensed");
}

/// The identity was looked up, the key judged, and only then the hub learned of the look-up.
#[test]
fn an_older_look_up_does_not_win_over_a_judgement() {
    let now = Room::new(Limits::default()).now;
    for judged_while_proving in [false, true] {
        let mut hub = Hub::new(Limits::default());
        let client = ClientId::new(1);
        let token = SessionToken::new("token");
        hub.connect(
            line(client),
            Ticket { client, token },
            crate::support::lan(9),
            now,
        );
        hub.receive(
            line(client),
            &register("W1AW", "trusted 1 W1AW").to_string(),
            now,
        );
        let Some(Command::Challenge { claimant, .. }) = hub.poll() else {
            panic!("a challenge is made first");
        };
        let looked_up = crate::support::pretended_challenge(*claimant);
        let distrusted = Judgement {
            key: KeyId::new([1; 32]),
            callsign: Callsign::parse("W1AW").unwrap(),
            trusted: false,
            reason: "the owner says so".into(),
        };
        if !judged_while_proving {
            hub.judge(std::slice::from_ref(&distrusted), now);
        }
        hub.challenge(line(client), looked_up, now);
        hub.receive(
            line(client),
            r#"{"type":"AUTHENTICATE","signature":"genuine"}"#,
            now,
        );
        if judged_while_proving {
            hub.judge(&[distrusted], now);
        }
        hub.verified(line(client), true, now);
        let frames = std::iter::from_fn(|| hub.poll()).filter_map(|command| match command {
            Command::Send { frame, .. } => serde_json::from_slice::<Value>(&frame.to_bytes()).ok(),
            _ => None,
        });
        let registered = frames.last().unwrap();
        assert_eq!(registered["role"], "unlicensed", "{registered}");
    }
}

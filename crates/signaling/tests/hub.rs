//! The hub's rules, one by one, as the protocol description states them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use serde_json::json;
use signaling::limit::Rate;
use signaling::{ClientId, CloseCode, Hub, Limits, Owner};
use station::{Callsign, KeyId};
use support::{Room, answer, candidate, line, offer, register};

fn room() -> Room {
    Room::new(Limits::default())
}

/// An operator and a guest, with nothing unread.
fn operator_and_guest() -> (Room, ClientId, ClientId) {
    let mut room = room();
    let operator = room.operator("W1AW", 1);
    let guest = room.guest();
    room.forget_everything();
    (room, operator, guest)
}

#[test]
fn a_guest_is_let_in_at_once_and_sees_who_is_here() {
    let mut room = room();
    let owner = Owner {
        callsign: Callsign::parse("W1AW").unwrap(),
        key: KeyId::new([1; 32]),
    };
    room.hub.set_owner(Some(owner));
    let operator = room.operator("W1AW", 1);
    room.forget_everything();

    let guest = room.connect();
    room.say(
        guest,
        &json!({ "type": "REGISTER", "id": "q1", "callsign": "GUEST" }),
    );
    let registered = room.one(guest);
    assert_eq!(registered["type"], "REGISTERED");
    assert_eq!(registered["replyTo"], "q1");
    assert_eq!(registered["clientId"], guest.to_string());
    assert_eq!(registered["role"], "unlicensed");
    assert_eq!(registered["serverOwner"], "W1AW");
    assert_eq!(registered["net"], "main");
    let peer = &registered["peers"][0];
    assert_eq!(peer["id"], operator.to_string());
    assert_eq!(peer["callsign"], "W1AW");
    assert_eq!(peer["verified"], true);
    assert_eq!(peer["keyId"], "01".repeat(32));

    let joined = room.one(operator);
    assert_eq!(joined["type"], "PEER_JOINED");
    assert_eq!(joined["peer"]["callsign"], "GUEST");
    assert_eq!(joined["peer"]["hasLicense"], false);
    assert_eq!(room.hub.population(), (1, 1));

    room.leave(guest);
    let left = room.one(operator);
    assert_eq!(
        (&left["type"], &left["peerId"]),
        (&json!("PEER_LEFT"), &json!(guest.to_string()))
    );
    assert_eq!(room.hub.population(), (1, 0));
}

#[test]
fn an_operator_is_challenged_first() {
    let mut room = room();
    let client = room.connect();
    let mut login = register("w1aw/p", "trusted 1 W1AW");
    login["id"] = "first".into();
    room.say(client, &login);
    let challenge = room.one(client);
    assert_eq!(challenge["type"], "CHALLENGE");
    assert_eq!(challenge["replyTo"], "first");
    assert_eq!(challenge["serverProof"]["chain"], json!(["server"]));
    assert_eq!(room.hub.population(), (0, 0));

    let proof = json!({ "type": "AUTHENTICATE", "id": "second", "signature": "genuine" });
    room.say(client, &proof);
    let registered = room.one(client);
    assert_eq!(registered["role"], "licensed");
    assert_eq!(registered["replyTo"], "second");
    assert_eq!(room.hub.population(), (1, 0));
}

#[test]
fn a_proven_key_without_trust_is_a_guest_and_its_callsign_reaches_nobody() {
    let (mut room, operator, _) = operator_and_guest();
    let stranger = room.connect();
    room.say(stranger, &register("K1ABC", "untrusted 9 K1ABC"));
    room.say(
        stranger,
        &json!({ "type": "AUTHENTICATE", "signature": "genuine" }),
    );
    let registered = room.received(stranger).pop().unwrap();
    assert_eq!(registered["role"], "unlicensed");
    room.received(operator);
    room.say(operator, &offer("K1ABC"));
    assert_eq!(room.error(operator), "unknown-target");
    let typed = room.connect();
    room.say(typed, &json!({ "type": "REGISTER", "callsign": "K1ABC" }));
    room.received(operator);
    room.say(operator, &offer("K1ABC"));
    assert_eq!(room.error(operator), "unknown-target");
}

#[test]
fn failed_logins_are_told_apart_and_counted() {
    let mut room = room();
    let client = room.connect();
    room.say(client, &register("W1AW", "nonsense"));
    assert_eq!(room.error(client), "bad-certificate");
    room.say(client, &register("K1ABC", "trusted 1 W1AW"));
    assert_eq!(room.error(client), "bad-callsign");
    room.say(client, &register("W1AW", "trusted 1 W1AW"));
    assert_eq!(room.one(client)["type"], "CHALLENGE");
    room.say(
        client,
        &json!({ "type": "AUTHENTICATE", "signature": "forged" }),
    );
    assert_eq!(room.error(client), "bad-proof");
    assert_eq!(room.closed[&client], CloseCode::Policy);

    let client = room.connect();
    let mut elsewhere = register("W1AW", "trusted 1 W1AW");
    elsewhere["url"] = "ws://elsewhere/signal".into();
    room.say(client, &elsewhere);
    assert_eq!(room.error(client), "wrong-url");
    elsewhere.as_object_mut().unwrap().remove("nonce");
    room.say(client, &elsewhere);
    assert_eq!(room.error(client), "bad-message");
    room.say(
        client,
        &json!({ "type": "AUTHENTICATE", "signature": "genuine" }),
    );
    assert_eq!(room.error(client), "not-challenged");
    room.say(client, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    assert_eq!(room.one(client)["type"], "REGISTERED");
}

#[test]
fn a_proof_cannot_be_tried_twice_against_one_challenge() {
    let mut room = room();
    let client = room.connect();
    room.say(client, &register("W1AW", "trusted 1 W1AW"));
    room.received(client);
    room.say(
        client,
        &json!({ "type": "AUTHENTICATE", "signature": "forged" }),
    );
    assert_eq!(room.error(client), "bad-proof");
    room.say(
        client,
        &json!({ "type": "AUTHENTICATE", "signature": "genuine" }),
    );
    assert_eq!(room.error(client), "not-challenged");
}

#[test]
fn everything_else_waits_for_register_and_register_happens_once() {
    let mut room = room();
    let client = room.connect();
    for message in [offer("W1AW"), answer("W1AW"), candidate("W1AW")] {
        room.say(client, &message);
        assert_eq!(room.error(client), "not-registered");
    }
    for message in [
        json!({ "type": "LIST_PEERS" }),
        json!({ "type": "JOIN", "net": "two" }),
    ] {
        room.say(client, &message);
        assert_eq!(room.error(client), "not-registered");
    }
    room.say(client, &json!({ "type": "PING", "id": "p" }));
    assert_eq!(room.one(client)["replyTo"], "p");
    room.say(client, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    assert_eq!(room.one(client)["type"], "REGISTERED");
    room.say(client, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    assert_eq!(room.error(client), "already-registered");
    room.say(client, &register("W1AW", "trusted 1 W1AW"));
    assert_eq!(room.error(client), "already-registered");
}

#[test]
fn bad_frames_get_typed_errors_and_disturb_nobody() {
    let (mut room, operator, guest) = operator_and_guest();
    for (text, code) in [
        ("hello", "bad-message"),
        ("{}", "bad-message"),
        (r#"{"type":"OFFER"}"#, "bad-message"),
        (r#"{"type":"DANCE"}"#, "unknown-type"),
        (r#"{"type":"JOIN","net":"Main Hall"}"#, "bad-net"),
        (r#"{"type":"LIST_PEERS","cursor":"x"}"#, "bad-message"),
    ] {
        room.say_text(guest, text);
        assert_eq!(room.error(guest), code, "{text}");
    }
    room.say_text(
        guest,
        &format!(r#"{{"type":"PING","x":"{}"}}"#, "x".repeat(64 * 1024)),
    );
    assert_eq!(room.error(guest), "too-large");
    room.hub.receive_binary(line(guest), 10, room.now);
    room.run();
    assert_eq!(room.error(guest), "binary-frame");
    let client = room.connect();
    room.say(client, &json!({ "type": "REGISTER", "callsign": "W1AW-7" }));
    assert_eq!(room.error(client), "bad-callsign");
    room.hub.receive_oversized(line(client), room.now);
    room.run();
    assert_eq!(room.error(client), "too-large");
    assert_eq!(room.closed[&client], CloseCode::TooLarge);

    assert!(room.received(operator).is_empty());
    room.say(operator, &offer(guest));
    let unsigned = room.one(guest);
    assert_eq!(unsigned["type"], "OFFER_RECEIVED");
    assert_eq!(unsigned["chain"], json!(null), "nothing to check by it");
}

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

#[test]
fn nets_are_rooms() {
    let (mut room, operator, guest) = operator_and_guest();
    room.say(operator, &offer(guest));
    room.say(guest, &answer(operator));
    room.forget_everything();
    room.say(
        guest,
        &json!({ "type": "JOIN", "id": "j", "net": "field-day" }),
    );
    let registered = room.one(guest);
    assert_eq!(
        (&registered["net"], &registered["peers"]),
        (&json!("field-day"), &json!([]))
    );
    assert_eq!(registered["replyTo"], "j");
    assert_eq!(room.one(operator)["type"], "PEER_LEFT");

    let other = room.connect();
    room.say(
        other,
        &json!({ "type": "REGISTER", "callsign": "GUEST", "net": "field-day" }),
    );
    assert_eq!(room.one(guest)["type"], "PEER_JOINED");
    assert!(room.received(operator).is_empty());
    room.say(operator, &offer(other));
    assert_eq!(room.error(operator), "unknown-target");
    room.say(operator, &offer(guest));
    assert_eq!(
        room.one(guest)["type"],
        "OFFER_RECEIVED",
        "a call outlives the change of nets"
    );
}

#[test]
fn long_lists_come_in_pages() {
    let mut room = Room::new(Limits {
        page: 2,
        ..Limits::default()
    });
    let guests: Vec<_> = (0..5).map(|_| room.guest()).collect();
    room.forget_everything();
    let reader = room.connect();
    room.say(reader, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    let mut page = room.one(reader);
    let mut seen = Vec::new();
    loop {
        let peers = page["peers"].as_array().unwrap();
        assert!(peers.len() <= 2);
        seen.extend(
            peers
                .iter()
                .map(|peer| peer["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str().map(str::to_owned) else {
            break;
        };
        room.say(reader, &json!({ "type": "LIST_PEERS", "cursor": next }));
        page = room.one(reader);
        assert_eq!(page["type"], "PEER_LIST");
    }
    assert_eq!(
        seen,
        guests.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
}

/// A net in which two sessions are few and three are many.
fn crowded_room() -> Room {
    Room::new(Limits {
        at_once: 2,
        ..Limits::default()
    })
}

const GATHER: Duration = Duration::from_millis(250);

#[test]
fn in_a_crowd_changes_are_gathered_and_told_together() {
    let mut room = crowded_room();
    let (first, second) = (room.guest(), room.guest());
    assert_eq!(
        room.received(first).len(),
        2,
        "REGISTERED, then PEER_JOINED at once"
    );
    room.received(second);
    let third = room.guest();
    let fourth = room.guest();
    assert_eq!(room.hub.deadline(), Some(room.now + GATHER));
    let registered = room.one(fourth);
    let known: Vec<_> = registered["peers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["id"])
        .collect();
    assert_eq!(
        known,
        [&json!(first.to_string()), &json!(second.to_string())]
    );
    room.received(third);
    room.pass(Duration::from_millis(100));
    room.leave(second);
    room.pass(Duration::from_millis(149));
    assert!(room.take_all().is_empty(), "too early to tell");

    room.pass(Duration::from_millis(1));
    for (client, others) in [
        (first, vec![third, fourth]),
        (third, vec![fourth]),
        (fourth, vec![third]),
    ] {
        let told = room.one(client);
        assert_eq!(told["type"], "PEERS_CHANGED");
        let joined: Vec<_> = told["joined"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["id"].clone())
            .collect();
        let others: Vec<_> = others.iter().map(|id| json!(id.to_string())).collect();
        assert_eq!(
            (joined, &told["left"]),
            (others, &json!([second.to_string()]))
        );
    }
    room.leave(fourth);
    room.pass(GATHER);
    room.forget_everything();
    room.leave(third);
    assert_eq!(room.one(first)["type"], "PEER_LEFT", "two are few again");
}

#[test]
fn who_only_passed_through_is_mentioned_to_nobody() {
    let mut room = crowded_room();
    let residents: Vec<_> = (0..4).map(|_| room.guest()).collect();
    room.pass(GATHER);
    room.forget_everything();
    let visitor = room.guest();
    let second = room.guest();
    room.leave(visitor);
    room.leave(second);
    room.received(visitor);
    room.received(second);
    assert!(
        room.hub.deadline().unwrap() > room.now + GATHER,
        "nothing is left to tell"
    );
    room.pass(GATHER);
    for resident in residents {
        assert!(room.received(resident).is_empty());
    }
}

#[test]
fn who_is_called_by_a_newcomer_hears_of_them_first() {
    let mut room = crowded_room();
    let residents: Vec<_> = (0..3).map(|_| room.guest()).collect();
    room.pass(GATHER);
    let caller = room.operator("W1AW", 1);
    room.forget_everything();
    room.say(caller, &offer(residents[0]));
    room.say(caller, &offer(residents[0]));
    let kinds: Vec<_> = room
        .received(residents[0])
        .iter()
        .map(|m| m["type"].clone())
        .collect();
    assert_eq!(kinds, ["PEER_JOINED", "OFFER_RECEIVED", "OFFER_RECEIVED"]);
    room.leave(caller);
    assert_eq!(room.one(residents[0])["type"], "PEER_LEFT");
    room.pass(GATHER);
    assert!(room.take_all().is_empty(), "the others never heard of them");
}

/// What joins cost the hub: every member one frame a window, whatever the number of those who come.
#[test]
fn a_crowd_costs_each_member_a_frame_and_not_one_for_each() {
    let mut room = Room::new(Limits::default());
    let early: Vec<_> = (0..200).map(|_| room.guest()).collect();
    room.pass(GATHER);
    room.forget_everything();
    let late: Vec<_> = (0..200).map(|_| room.guest()).collect();
    room.pass(GATHER);
    for &client in early.iter().chain(&late) {
        let told = room.received(client);
        let news = told.iter().filter(|m| m["type"] == "PEERS_CHANGED");
        let joined: usize = news.map(|m| m["joined"].as_array().unwrap().len()).sum();
        assert_eq!(joined, if early.contains(&client) { 200 } else { 199 });
        assert!(told.len() <= 2, "{}", told.len());
    }
}

#[test]
fn the_deadline_is_when_something_is_due() {
    let mut room = room();
    assert_eq!(room.hub.deadline(), None);
    let arrived = room.connect();
    assert_eq!(
        room.hub.deadline(),
        Some(room.now + Duration::from_secs(10))
    );
    room.pass(Duration::from_secs(4));
    let guest = room.guest();
    room.hub.heard(line(arrived), room.now);
    assert_eq!(
        room.hub.deadline(),
        Some(room.now + Duration::from_secs(6)),
        "to register"
    );
    room.leave(arrived);
    assert_eq!(
        room.hub.deadline(),
        Some(room.now + Duration::from_secs(10)),
        "to be pinged"
    );
    room.pass(Duration::from_nanos(9_999_999_999));
    assert!(room.pings.is_empty());
    room.pass(Duration::from_nanos(1));
    assert_eq!(room.pings, [guest]);
    room.leave(guest);
    assert_eq!(room.hub.deadline(), None, "an empty hub sleeps");
}

#[test]
fn silence_is_asked_about_and_then_ends_the_session() {
    let (mut room, operator, guest) = operator_and_guest();
    let arrived = room.connect();
    for _ in 0..10 {
        room.pass(Duration::from_secs(1));
        room.hub.heard(line(operator), room.now);
    }
    assert_eq!(room.error(arrived), "idle", "ten seconds to register");
    assert_eq!(room.closed[&arrived], CloseCode::Policy);
    assert_eq!(room.pings, [guest]);
    for _ in 0..20 {
        room.pass(Duration::from_secs(1));
        room.hub.heard(line(operator), room.now);
    }
    assert_eq!(room.pings, [guest, guest]);
    assert_eq!(room.error(guest), "idle");
    assert_eq!(room.closed[&guest], CloseCode::Policy);
    assert!(room.received(operator).is_empty(), "they may come back");
    for _ in 0..60 {
        room.pass(Duration::from_secs(1));
        room.hub.heard(line(operator), room.now);
    }
    assert_eq!(room.one(operator)["type"], "PEER_LEFT");
}

#[test]
fn too_many_messages_are_refused_then_end_the_session() {
    let per = Duration::from_secs(60);
    let messages = Rate {
        units: 60,
        per,
        burst: 5,
    };
    let mut room = Room::new(Limits {
        messages,
        strikes: 3,
        ..Limits::default()
    });
    let bystander = room.guest();
    let flooder = room.guest();
    room.forget_everything();
    for _ in 0..4 {
        room.say(flooder, &json!({ "type": "PING" }));
    }
    assert_eq!(room.received(flooder).len(), 4);
    room.say(flooder, &json!({ "type": "PING" }));
    let refused = room.one(flooder);
    assert_eq!(refused["code"], "rate-limited");
    assert_eq!(refused["details"]["retryAfter"], 1.0);
    room.pass(Duration::from_secs(1));
    room.say(flooder, &json!({ "type": "PING" }));
    assert_eq!(room.one(flooder)["type"], "PONG", "who waits goes on");
    for _ in 0..4 {
        room.say(flooder, &json!({ "type": "PING" }));
    }
    assert_eq!(room.closed[&flooder], CloseCode::Policy);
    assert_eq!(room.one(bystander)["type"], "PEER_LEFT");
}

#[test]
fn too_many_bytes_end_the_session() {
    let bytes = Rate {
        units: 1_000,
        per: Duration::from_secs(1),
        burst: 1_000,
    };
    let mut room = Room::new(Limits {
        bytes,
        ..Limits::default()
    });
    let guest = room.guest();
    room.received(guest);
    room.say_text(
        guest,
        &format!(r#"{{"type":"PING","x":"{}"}}"#, "x".repeat(1_000)),
    );
    assert_eq!(room.error(guest), "rate-limited");
    assert_eq!(room.closed[&guest], CloseCode::Policy);
}

#[test]
fn a_full_server_turns_away_and_says_so() {
    let mut room = Room::new(Limits {
        sessions: 1,
        ..Limits::default()
    });
    let guest = room.guest();
    room.received(guest);
    let late = room.connect();
    assert_eq!(room.error(late), "full");
    assert_eq!(room.closed[&late], CloseCode::TryAgainLater);
    room.say(guest, &json!({ "type": "PING" }));
    assert_eq!(room.one(guest)["type"], "PONG");
}

#[test]
fn a_stop_says_goodbye_to_everybody() {
    let (mut room, operator, guest) = operator_and_guest();
    room.hub.stop("the server restarts", Duration::from_secs(2));
    room.run();
    for client in [operator, guest] {
        let goodbye = room.one(client);
        assert_eq!(goodbye["type"], "GOODBYE");
        assert_eq!(goodbye["retryAfter"], 2);
        assert_eq!(room.closed[&client], CloseCode::GoingAway);
    }
}

#[test]
fn who_is_sent_away_is_told_and_the_others_learn_of_it() {
    let (mut room, operator, guest) = operator_and_guest();
    room.hub
        .send_away(&[line(guest)], "the owner closed the net", room.now);
    room.run();
    assert_eq!(room.one(guest)["type"], "GOODBYE");
    assert_eq!(room.closed[&guest], CloseCode::Policy);
    assert_eq!(room.one(operator)["type"], "PEER_LEFT");
    room.say(operator, &json!({ "type": "PING" }));
    assert_eq!(room.one(operator)["type"], "PONG");
}

#[test]
fn late_verdicts_about_the_gone_are_ignored() {
    let mut hub = Hub::new(Limits::default());
    let now = room().now;
    let gone = line(ClientId::new(9));
    hub.verified(gone, true, now);
    hub.disconnected(gone, now);
    hub.slow(gone, now);
    assert_eq!(hub.poll(), None);
}

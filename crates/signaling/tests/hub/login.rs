//! Coming in: guests, operators, and who is refused.

use serde_json::json;
use signaling::{ClientId, CloseCode, Hub, Limits, Owner};
use station::{Callsign, KeyId};

use crate::support::{answer, candidate, line, offer, register};
use crate::{operator_and_guest, room};

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
fn late_verdicts_about_the_gone_are_ignored() {
    let mut hub = Hub::new(Limits::default());
    let now = room().now;
    let gone = line(ClientId::new(9));
    hub.verified(gone, true, now);
    hub.disconnected(gone, now);
    hub.slow(gone, now);
    assert_eq!(hub.poll(), None);
}

//! What a client may cost, and what becomes of who costs more.

use std::time::Duration;

use serde_json::json;
use signaling::limit::Rate;
use signaling::{CloseCode, Limits};

use crate::operator_and_guest;
use crate::support::{Room, line, offer};

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

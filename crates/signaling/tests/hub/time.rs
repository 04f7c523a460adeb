//! What happens when nothing does, and how it ends.

use std::time::Duration;

use serde_json::json;
use signaling::CloseCode;

use crate::support::line;
use crate::{operator_and_guest, room};

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

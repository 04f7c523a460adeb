//! Coming back to a session, rule by rule, as the protocol description states them.

use std::time::Duration;

use crate::support::{Room, answer, line, offer, register, resume, token};
use serde_json::json;
use signaling::limit::Rate;
use signaling::{ClientId, CloseCode, Limits};

const KEEP: Duration = Duration::from_secs(60);

/// A guest in a call with an operator, and nothing unread.
fn in_a_call(limits: Limits) -> (Room, ClientId, ClientId) {
    let mut room = Room::new(limits);
    let (operator, guest) = (room.operator("W1AW", 1), room.guest());
    room.say(operator, &offer(guest));
    room.say(guest, &answer(operator));
    room.forget_everything();
    (room, operator, guest)
}

/// Lets time pass in which only this client is heard.
fn pass_with(room: &mut Room, client: ClientId, time: Duration) {
    for _ in 0..time.as_secs() {
        room.pass(Duration::from_secs(1));
        room.hub.heard(line(client), room.now);
    }
}

#[test]
fn a_guest_comes_back_to_the_same_session_and_gets_what_was_missed() {
    let (mut room, operator, guest) = in_a_call(Limits::default());
    let last_seq = room.last_seq(guest);
    room.disconnect(guest);
    pass_with(&mut room, operator, Duration::from_secs(59));
    room.say(operator, &offer(guest));
    assert!(
        room.received(operator).is_empty(),
        "nobody is told, and offers are taken"
    );
    assert_eq!(room.hub.population(), (1, 1));

    let back = room.resume(guest, last_seq);
    let told = room.received(back);
    assert_eq!(told[0]["type"], "RESUMED");
    assert_eq!(told[0]["clientId"], guest.to_string());
    assert_eq!(told[1]["type"], "OFFER_RECEIVED");
    assert_eq!(told[1]["seq"], last_seq + 1);
    room.say(back, &answer(operator));
    let answered = room.one(operator);
    assert_eq!(
        answered["from"],
        guest.to_string(),
        "the call goes on, by the same name"
    );
    pass_with(&mut room, operator, Duration::from_secs(2));
    assert_eq!(room.hub.population(), (1, 1), "the wait is over");
}

#[test]
fn what_was_sent_and_did_not_arrive_is_sent_again() {
    let (mut room, operator, guest) = in_a_call(Limits::default());
    let last_seq = room.last_seq(guest);
    for _ in 0..3 {
        room.say(operator, &offer(guest));
    }
    room.received(guest);
    room.disconnect(guest);
    let back = room.resume(guest, last_seq + 1);
    let numbers: Vec<_> = room.received(back)[1..]
        .iter()
        .map(|m| m["seq"].as_u64())
        .collect();
    assert_eq!(numbers, [Some(last_seq + 2), Some(last_seq + 3)]);
    room.disconnect(back);
    let again = room.resume(guest, last_seq + 3);
    assert_eq!(room.one(again)["type"], "RESUMED");
}

#[test]
fn who_does_not_come_back_is_gone_after_a_minute() {
    let (mut room, operator, guest) = in_a_call(Limits::default());
    let last_seq = room.last_seq(guest);
    room.disconnect(guest);
    assert_eq!(room.hub.population(), (1, 1));
    pass_with(&mut room, operator, KEEP);
    assert_eq!(room.one(operator)["type"], "PEER_LEFT");
    let back = room.resume(guest, last_seq);
    assert_eq!(room.error(back), "session-expired");
    room.say(back, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    assert_eq!(
        room.one(back)["type"],
        "REGISTERED",
        "on the same connection"
    );
}

#[test]
fn who_leaves_or_is_sent_away_does_not_come_back() {
    let (mut room, operator, guest) = in_a_call(Limits::default());
    let last_seq = room.last_seq(guest);
    room.leave(guest);
    assert_eq!(room.one(operator)["type"], "PEER_LEFT");
    let late = room.resume(guest, last_seq);
    assert_eq!(room.error(late), "session-expired");

    let (mut room, operator, guest) = in_a_call(Limits::default());
    let dropped = room.guest();
    room.disconnect(dropped);
    let seqs = [guest, dropped].map(|client| (client, room.last_seq(client)));
    room.hub
        .send_away(&[line(guest)], "the owner closed the net", room.now);
    room.run();
    assert_eq!(room.hub.population(), (1, 0));
    for (client, last_seq) in seqs {
        let late = room.resume(client, last_seq);
        assert_eq!(room.error(late), "session-expired");
    }
    let last_seq = room.last_seq(operator);
    room.hub.stop("the server stops", Duration::from_secs(2));
    room.run();
    let late = room.resume(operator, last_seq);
    assert_eq!(room.error(late), "session-expired");
}

#[test]
fn an_operator_proves_the_key_again() {
    let (mut room, operator, guest) = in_a_call(Limits::default());
    let last_seq = room.last_seq(operator);
    room.disconnect(operator);

    let thief = room.connect();
    let mut bare = resume(operator, last_seq);
    bare.as_object_mut().unwrap().remove("nonce");
    room.say(thief, &bare);
    assert_eq!(room.error(thief), "bad-message");
    room.say(thief, &resume(operator, last_seq));
    assert_eq!(
        room.one(thief)["type"],
        "CHALLENGE",
        "the token alone is not enough"
    );
    let forged = json!({ "type": "AUTHENTICATE", "signature": "forged" });
    room.say(thief, &forged);
    assert_eq!(room.error(thief), "bad-proof");

    let back = room.resume(operator, last_seq);
    assert_eq!(room.one(back)["type"], "CHALLENGE");
    let proof = json!({ "type": "AUTHENTICATE", "id": "p", "signature": "genuine" });
    room.say(back, &proof);
    let resumed = room.one(back);
    assert_eq!(
        (&resumed["type"], &resumed["replyTo"]),
        (&json!("RESUMED"), &json!("p"))
    );
    room.say(back, &offer(guest));
    let offered = room.received(guest).pop().unwrap();
    assert_eq!(
        (&offered["verified"], &offered["fromCallsign"]),
        (&json!(true), &json!("W1AW"))
    );
}

#[test]
fn a_session_that_ends_during_the_proof_is_not_resumed() {
    let (mut room, operator, _) = in_a_call(Limits::default());
    let last_seq = room.last_seq(operator);
    let back = room.resume(operator, last_seq);
    assert_eq!(room.one(back)["type"], "CHALLENGE");
    room.leave(operator);
    room.say(
        back,
        &json!({ "type": "AUTHENTICATE", "signature": "genuine" }),
    );
    assert_eq!(room.error(back), "session-expired");
}

#[test]
fn a_second_connection_takes_over_from_one_that_hangs() {
    let (mut room, operator, guest) = in_a_call(Limits::default());
    let back = room.resume(guest, room.last_seq(guest));
    assert_eq!(room.one(back)["type"], "RESUMED");
    assert_eq!(room.closed[&guest], CloseCode::Resumed);
    room.disconnect(guest);
    room.say(operator, &offer(guest));
    assert_eq!(room.one(back)["type"], "OFFER_RECEIVED");
    assert!(room.received(operator).is_empty());
    room.say(back, &resume(guest, 1));
    assert_eq!(room.error(back), "already-registered");
    room.say(back, &register("W1AW", "trusted 1 W1AW"));
    assert_eq!(room.error(back), "already-registered");
}

#[test]
fn another_token_is_refused_and_counts_as_a_message() {
    let messages = Rate::per_minute(1, 3);
    let (mut room, _, guest) = in_a_call(Limits {
        messages,
        ..Limits::default()
    });
    let guess = room.connect();
    let mut guessed = resume(guest, room.last_seq(guest));
    guessed["session"] = format!("{}y", &token(guest)[..42]).into();
    for _ in 0..3 {
        room.say(guess, &guessed);
        assert_eq!(room.error(guess), "session-expired");
    }
    room.say(guess, &resume(guest, room.last_seq(guest)));
    assert_eq!(room.error(guess), "rate-limited");
    assert!(
        !room.closed.contains_key(&guest),
        "whose session it is notices nothing"
    );
}

#[test]
fn what_is_too_old_was_never_sent_or_overflowed_cannot_be_resumed() {
    let few = Limits {
        kept_frames: 2,
        ..Limits::default()
    };
    let little = Limits {
        kept_bytes: 250,
        ..Limits::default()
    };
    for limits in [few, little] {
        let (mut room, operator, guest) = in_a_call(limits);
        let last_seq = room.last_seq(guest);
        room.disconnect(guest);
        for _ in 0..3 {
            room.say(operator, &offer(guest));
        }
        let back = room.resume(guest, last_seq);
        assert_eq!(room.error(back), "session-expired");
        assert_eq!(
            room.one(operator)["type"],
            "PEER_LEFT",
            "nobody will come for it"
        );
    }
    for wrong in [0, 1_000, u64::MAX] {
        let (mut room, _, guest) = in_a_call(Limits::default());
        room.disconnect(guest);
        let back = room.resume(guest, wrong);
        assert_eq!(room.error(back), "session-expired");
    }
}

/// An answered ping tells that what went before it has arrived, and only that.
#[test]
fn a_pong_ends_the_keeping() {
    let (mut room, operator, guest) = in_a_call(Limits::default());
    let before = room.last_seq(guest);
    pass_with(&mut room, operator, Duration::from_secs(10));
    assert_eq!(room.pings, [guest]);
    room.say(operator, &offer(guest));
    room.hub.answered_ping(line(guest), room.now);
    room.disconnect(guest);
    let back = room.resume(guest, before);
    let told = room.received(back);
    assert_eq!(
        told.len(),
        2,
        "RESUMED, and what came after the ping: {told:?}"
    );
    room.disconnect(back);
    let back = room.resume(guest, before - 1);
    assert_eq!(room.error(back), "session-expired");
}

/// Who is sent much is asked, once at a time, whether it arrived; the pong ends the keeping, and answering costs nothing.
#[test]
fn who_is_sent_much_is_asked_whether_it_arrived() {
    let (mut room, operator, guest) = in_a_call(Limits {
        unconfirmed: 4_000,
        offers: Rate::per_minute(1_000, 1_000),
        messages: Rate::per_minute(1_000, 1_000),
        controls: Rate::per_minute(1, 1),
        ..Limits::default()
    });
    let kept = |room: &Room| room.hub.kept();
    for round in 1..=3 {
        while room.pings.len() < round {
            assert!(kept(&room) < 5_000, "nobody was asked");
            room.say(operator, &offer(guest));
        }
        room.say(operator, &offer(guest));
        assert_eq!(room.pings, vec![guest; round], "once at a time");
        room.hub.answered_ping(line(guest), room.now);
        assert!(kept(&room) < 4_000, "{} bytes are kept", kept(&room));
    }
    assert!(!room.closed.contains_key(&guest));
}

#[test]
fn in_a_full_server_who_dropped_out_gives_way() {
    let (mut room, operator, guest) = in_a_call(Limits {
        sessions: 2,
        ..Limits::default()
    });
    room.disconnect(guest);
    let arrived = room.guest();
    let told = room.received(operator);
    let kinds: Vec<_> = told.iter().map(|message| message["type"].clone()).collect();
    assert_eq!(kinds, ["PEER_LEFT", "PEER_JOINED"]);
    assert_eq!(room.one(arrived)["type"], "REGISTERED");
    let late = room.connect();
    assert_eq!(room.error(late), "full");
}

#[test]
fn a_dropped_session_has_a_deadline() {
    let (mut room, operator, guest) = in_a_call(Limits::default());
    room.disconnect(guest);
    room.leave(operator);
    assert_eq!(room.hub.deadline(), Some(room.now + KEEP));
    room.pass(KEEP);
    assert_eq!((room.hub.deadline(), room.hub.population()), (None, (0, 0)));
}

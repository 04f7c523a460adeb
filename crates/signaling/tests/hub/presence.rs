//! Nets, lists, and what their members are told of each other.

use std::time::Duration;

use serde_json::json;
use signaling::Limits;

use crate::operator_and_guest;
use crate::support::{Room, answer, offer};

const GATHER: Duration = Duration::from_millis(250);

/// A net in which two sessions are few and three are many.
fn crowded_room() -> Room {
    crowded_room_of(Limits::default())
}

fn crowded_room_of(limits: Limits) -> Room {
    Room::new(Limits {
        at_once: 2,
        ..limits
    })
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

/// What joins cost: every member one frame of bounded size, whatever the number of those who come.
#[test]
fn a_crowd_costs_each_member_one_small_frame() {
    for crowd in [100, 200, 400] {
        let mut room = Room::new(Limits::default());
        let early: Vec<_> = (0..100).map(|_| room.guest()).collect();
        room.pass(GATHER);
        room.pass(Duration::from_secs(2));
        room.forget_everything();
        let late: Vec<_> = (0..crowd).map(|_| room.guest()).collect();
        for &client in &late {
            room.received(client);
        }
        room.pass(GATHER);
        for &client in early.iter().chain(&late) {
            let told = room.one(client);
            let named = told["joined"].as_array().unwrap().len();
            let own = usize::from(late[..50].contains(&client));
            assert_eq!(named, 50 - own);
            assert_eq!(told["more"], true);
            assert!(told.to_string().len() < 6_000);
        }
    }
}

#[test]
fn telling_much_is_followed_by_quiet() {
    let mut room = crowded_room_of(Limits {
        named: 1,
        namings: 8,
        gather_at_most: Duration::from_secs(2),
        ..Limits::default()
    });
    let residents: Vec<_> = (0..3).map(|_| room.guest()).collect();
    room.pass(GATHER);
    let told_at = room.now;
    room.forget_everything();
    // Three members were told of one newcomer: six names with the frames, at eight a second.
    let late = room.guest();
    room.received(late);
    assert_eq!(
        room.hub.deadline(),
        Some(told_at + Duration::from_millis(750))
    );
    room.pass(Duration::from_millis(749));
    assert!(room.take_all().is_empty());
    room.pass(Duration::from_millis(1));
    assert_eq!(room.one(residents[0])["type"], "PEERS_CHANGED");
    room.leave(late);
    assert_eq!(
        room.hub.deadline(),
        Some(room.now + Duration::from_secs(1)),
        "four members were told"
    );
    let crowd: Vec<_> = (0..30).map(|_| room.guest()).collect();
    room.pass(Duration::from_secs(2));
    room.leave(crowd[0]);
    assert_eq!(
        room.hub.deadline(),
        Some(room.now + Duration::from_secs(2)),
        "but never for longer than that"
    );
}

/// Members who were not named to each other still hear who calls.
#[test]
fn who_calls_in_a_crowd_is_introduced_once_a_call() {
    let mut room = crowded_room_of(Limits {
        named: 1,
        ..Limits::default()
    });
    let (operator, other) = (room.operator("W1AW", 1), room.operator("K1ABC", 2));
    let residents: Vec<_> = (0..3).map(|_| room.guest()).collect();
    room.pass(GATHER);
    room.forget_everything();
    room.say(operator, &offer(residents[2]));
    room.say(operator, &offer(residents[2]));
    let kinds = |told: Vec<serde_json::Value>| -> Vec<_> {
        told.iter().map(|message| message["type"].clone()).collect()
    };
    let told = kinds(room.received(residents[2]));
    assert_eq!(told, ["PEER_JOINED", "OFFER_RECEIVED", "OFFER_RECEIVED"]);
    room.say(residents[2], &answer(operator));
    assert_eq!(
        kinds(room.received(operator)),
        ["PEER_JOINED", "ANSWER_RECEIVED"]
    );
    room.say(other, &offer(residents[2]));
    assert_eq!(
        kinds(room.received(residents[2])),
        ["PEER_JOINED", "OFFER_RECEIVED"]
    );
}

//! What a client may cost, and what becomes of who costs more.

use std::time::Duration;

use serde_json::{Value, json};
use signaling::limit::Rate;
use signaling::{ClientId, CloseCode, Limits, Origin, Scope, Zone};

use crate::operator_and_guest;
use crate::support::{Room, answer, lan, line, offer, register, resume};

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
    let messages = Rate::new(60, per, 5);
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
    let bytes = Rate::per_second(1_000, 1_000);
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

/// Sends until it is refused, and gives how many were taken and the refusal.
fn until_refused(room: &mut Room, client: ClientId, message: &Value) -> (usize, Value) {
    for taken in 0..1_000 {
        room.received(client);
        room.say(client, message);
        let answers = room.received(client);
        if let Some(refused) = answers.into_iter().find(|a| a["code"] == "rate-limited") {
            return (taken, refused);
        }
    }
    panic!("nothing was refused");
}

const SLOWLY: Rate = Rate::per_minute(60, 5);

#[test]
fn calls_and_moves_have_budgets_of_their_own() {
    let mut room = Room::new(Limits {
        offers: SLOWLY,
        moves: SLOWLY,
        ..Limits::default()
    });
    let operator = room.operator("W1AW", 1);
    let guest = room.guest();
    for (message, scope) in [
        (offer(guest), "offers"),
        (json!({ "type": "JOIN", "net": "main" }), "moves"),
    ] {
        let (taken, refused) = until_refused(&mut room, operator, &message);
        assert_eq!(taken, 5);
        assert_eq!(
            refused["details"],
            json!({ "retryAfter": 1.0, "scope": scope })
        );
        room.say(operator, &json!({ "type": "PING" }));
        assert_eq!(
            room.one(operator)["type"],
            "PONG",
            "nothing else is refused"
        );
        room.pass(Duration::from_secs(1));
        room.received(operator);
        room.say(operator, &message);
        assert_ne!(
            room.one_or_none(operator)["code"],
            "rate-limited",
            "who waits goes on"
        );
    }
    assert_eq!(room.hub.counters().limited[&Scope::Offers], 1);
    assert_eq!(room.hub.counters().limited[&Scope::Moves], 1);
}

#[test]
fn connections_from_one_address_share_a_budget() {
    let mut room = Room::new(Limits {
        address_messages: SLOWLY,
        ..Limits::default()
    });
    let elsewhere = room.guest();
    let clients: Vec<_> = (0..3).map(|_| room.connect_from(lan(7))).collect();
    room.forget_everything();
    let ping = json!({ "type": "PING" });
    for &client in clients.iter().cycle().take(5) {
        room.say(client, &ping);
    }
    room.forget_everything();
    room.say(clients[0], &ping);
    let refused = room.one(clients[0]);
    assert_eq!(refused["details"]["scope"], "address");
    assert!(
        room.closed.is_empty(),
        "nobody is closed for what another does"
    );
    room.say(elsewhere, &ping);
    assert_eq!(room.one(elsewhere)["type"], "PONG");
    room.disconnect(clients[1]);
    let again = room.connect_from(lan(7));
    room.say(again, &ping);
    assert_eq!(
        room.error(again),
        "rate-limited",
        "coming anew changes nothing"
    );
    room.pass(Duration::from_secs(1));
    room.say(again, &ping);
    assert_eq!(room.one(again)["type"], "PONG");
}

#[test]
fn sessions_of_one_key_share_a_budget_wherever_they_are() {
    let mut room = Room::new(Limits {
        identity_messages: SLOWLY,
        ..Limits::default()
    });
    let (first, second) = (room.operator("W1AW", 1), room.operator("W1AW", 1));
    let other = room.operator("K1ABC", 2);
    room.forget_everything();
    let ping = json!({ "type": "PING" });
    for client in [first, second, first, second, first] {
        room.say(client, &ping);
        assert_eq!(room.one(client)["type"], "PONG");
    }
    room.say(second, &ping);
    assert_eq!(room.one(second)["details"]["scope"], "identity");
    room.say(other, &ping);
    assert_eq!(room.one(other)["type"], "PONG");
    room.pass(Duration::from_secs(1));
    room.say(second, &ping);
    assert_eq!(room.one(second)["type"], "PONG");
}

#[test]
fn a_net_bears_so_much_and_another_is_not_touched() {
    let mut room = Room::new(Limits {
        net_signals: SLOWLY,
        net_arrivals: Rate::per_minute(60, 2),
        ..Limits::default()
    });
    let operators = [room.operator("W1AW", 1), room.operator("K1ABC", 2)];
    // The first came into an empty net, which is free.
    let third = room.guest();
    room.forget_everything();
    let late = room.guest();
    let refused = room.one(late);
    assert_eq!(refused["details"]["scope"], "net");
    room.pass(Duration::from_secs(1));
    room.say(late, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    assert_eq!(room.one(late)["type"], "REGISTERED");

    room.forget_everything();
    for sender in operators.iter().cycle().take(5) {
        room.say(*sender, &offer(third));
    }
    room.say(operators[0], &offer(third));
    assert_eq!(room.one(operators[0])["details"]["scope"], "net");
    for operator in operators {
        room.say(operator, &json!({ "type": "JOIN", "net": "two" }));
    }
    room.forget_everything();
    room.say(operators[0], &offer(operators[1]));
    assert_eq!(room.one(operators[1])["type"], "OFFER_RECEIVED");
}

/// Somebody whose address has this network and this host (IPv6), at a server in network 1.
fn v6(network: u16, host: u16) -> Origin {
    let address = |network, host| std::net::Ipv6Addr::new(0xfd00, 0, 0, network, 0, 0, 0, host);
    Origin::direct(
        address(1, 0xffff).into(),
        address(network, host).into(),
        Zone::Open,
    )
}

#[test]
fn an_address_has_so_many_connections_and_another_is_not_touched() {
    let mut room = Room::new(Limits {
        address_connections: 2,
        ..Limits::default()
    });
    let (first, _second) = (room.connect_from(v6(2, 1)), room.connect_from(v6(2, 2)));
    let third = room.connect_from(v6(2, 3));
    assert_eq!(room.error(third), "full", "one network of 64 bits");
    assert_eq!(room.closed[&third], CloseCode::TryAgainLater);
    let elsewhere = room.connect_from(lan(9));
    assert!(room.received(elsewhere).is_empty());
    room.disconnect(first);
    let fourth = room.connect_from(v6(2, 4));
    assert!(!room.closed.contains_key(&fourth));
}

#[test]
fn neighbours_count_one_by_one_and_their_network_for_sixteen() {
    let mut room = Room::new(Limits {
        address_connections: 2,
        address_messages: Rate::per_minute(60, 3),
        offences: Rate::per_minute(1, 1),
        ..Limits::default()
    });
    let (flooder, bystander) = (room.connect_from(v6(1, 1)), room.connect_from(v6(1, 2)));
    for client in [flooder, bystander] {
        room.say(client, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    }
    room.take_all();
    for _ in 0..3 {
        room.say(flooder, &json!({ "type": "PING" }));
    }
    assert_eq!(room.received(flooder).len(), 3);
    room.say(flooder, &json!({ "type": "PING" }));
    assert_eq!(room.error(flooder), "rate-limited");
    room.say(bystander, &json!({ "type": "PING" }));
    assert_eq!(room.one(bystander)["type"], "PONG", "the same network");
    for _ in 0..2 {
        let liar = room.connect_from(v6(1, 1));
        room.hub.receive_oversized(line(liar), room.now);
        room.run();
    }
    let (again, newcomer) = (room.connect_from(v6(1, 1)), room.connect_from(v6(1, 3)));
    assert!(room.closed.contains_key(&again), "in a pause");
    assert!(!room.closed.contains_key(&newcomer));
    // One machine may have any number of addresses.
    let crowd: Vec<_> = (10..60)
        .map(|host| room.connect_from(v6(1, host)))
        .collect();
    let in_all = crowd
        .iter()
        .filter(|client| !room.closed.contains_key(client));
    assert_eq!(in_all.count(), 2 * 16 - 3);
}

#[test]
fn of_one_address_so_many_sessions_wait_and_the_longest_gives_way() {
    let mut room = Room::new(Limits {
        address_connections: 2,
        ..Limits::default()
    });
    let watcher = room.connect_from(lan(1));
    room.say(watcher, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    let ghosts: Vec<_> = (0..5)
        .map(|_| {
            let ghost = room.connect_from(lan(2));
            room.say(ghost, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
            room.disconnect(ghost);
            room.pass(Duration::from_secs(1));
            ghost
        })
        .collect();
    assert_eq!(
        room.hub.population(),
        (0, 3),
        "the watcher, and two who may come back"
    );
    let told = room.received(watcher);
    let left = told.iter().filter(|message| message["type"] == "PEER_LEFT");
    assert_eq!(left.count(), 3);
    let back = room.resume(ghosts[0], 1);
    assert_eq!(room.error(back), "session-expired");
    let back = room.resume(ghosts[4], 1);
    let kinds: Vec<_> = room
        .received(back)
        .iter()
        .map(|message| message["type"].clone())
        .collect();
    assert_eq!(kinds[0], "RESUMED", "{kinds:?}");
}

/// A login that fails.
fn fail(room: &mut Room, client: ClientId) {
    room.say(client, &register("W1AW", "nonsense"));
}

#[test]
fn who_fails_again_and_again_is_paused_for_longer_each_time() {
    let mut room = Room::new(Limits {
        offences: Rate::per_minute(10, 4),
        ..Limits::default()
    });
    // Fails until it is turned away, and gives for how long.
    let until_paused = |room: &mut Room| {
        for _ in 0..10 {
            let client = room.connect_from(lan(7));
            if let Some(refused) = room.received(client).pop() {
                assert_eq!(refused["code"], "rate-limited");
                assert_eq!(refused["details"]["scope"], "address");
                assert_eq!(room.closed[&client], CloseCode::TryAgainLater);
                return refused["details"]["retryAfter"].as_f64().unwrap();
            }
            for _ in 0..3 {
                fail(room, client);
            }
        }
        panic!("nobody was turned away");
    };
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let pause = until_paused(&mut room);
        pauses.push(pause);
        room.pass(Duration::from_secs_f64(pause));
    }
    assert!(pauses.windows(2).all(|two| two[0] < two[1]), "{pauses:?}");
    let elsewhere = room.connect_from(lan(8));
    assert!(!room.closed.contains_key(&elsewhere));
    let pauses = room.hub.counters().pauses;
    assert!(pauses >= 4, "{pauses}");

    // Everything is forgiven some day.
    room.pass(Duration::from_secs(2 * 15 * 60));
    let client = room.connect_from(lan(7));
    fail(&mut room, client);
    assert_eq!(room.error(client), "bad-certificate");
}

#[test]
fn in_a_pause_nobody_logs_in_and_who_is_here_goes_on() {
    let mut room = Room::new(Limits {
        offences: Rate::per_minute(10, 1),
        ..Limits::default()
    });
    let guest = room.connect_from(lan(7));
    room.say(guest, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
    let (one, other) = (room.connect_from(lan(7)), room.connect_from(lan(7)));
    fail(&mut room, one);
    fail(&mut room, one);
    room.forget_everything();
    fail(&mut room, other);
    assert_eq!(room.error(other), "rate-limited");
    room.say(guest, &json!({ "type": "PING" }));
    assert_eq!(room.one(guest)["type"], "PONG");
    room.pass(Duration::from_secs(5));
    room.received(other);
    fail(&mut room, other);
    assert_eq!(room.error(other), "bad-certificate");
}

#[test]
fn a_restart_makes_every_token_unknown_and_is_nobodys_offence() {
    let mut room = Room::new(Limits::default());
    for _ in 0..50 {
        let client = room.connect_from(lan(7));
        room.say(client, &resume(ClientId::new(0xabc), 3));
        assert_eq!(room.error(client), "session-expired");
    }
    assert_eq!(room.hub.counters().pauses, 0);
}

#[test]
fn pings_have_a_budget_too() {
    let mut room = Room::new(Limits {
        controls: SLOWLY,
        ..Limits::default()
    });
    let guest = room.guest();
    room.received(guest);
    for _ in 0..5 {
        room.hub.heard(line(guest), room.now);
        room.hub
            .answered_ping(line(guest), room.now + Duration::from_secs(1));
        room.pass(Duration::from_secs(2));
    }
    assert!(room.closed.is_empty());
    for _ in 0..6 {
        room.hub.heard(line(guest), room.now);
    }
    room.run();
    assert_eq!(room.error(guest), "rate-limited");
    assert_eq!(room.closed[&guest], CloseCode::Policy);
}

/// What is kept for all sessions together has a bound, and each then has its share of it.
#[test]
fn what_all_sessions_keep_is_bounded() {
    let mut room = Room::new(Limits {
        kept_in_all: 100_000,
        offers: Rate::per_second(1_000, 100_000),
        messages: Rate::per_second(1_000, 100_000),
        identity_messages: Rate::per_second(1_000, 100_000),
        address_messages: Rate::per_second(1_000, 100_000),
        bytes: Rate::per_second(1_000_000, 1_000_000_000),
        ..Limits::default()
    });
    let operator = room.operator("W1AW", 1);
    let guests: Vec<_> = (0..9).map(|_| room.guest()).collect();
    let mut long = offer(guests[0]);
    long["offer"]["sdp"] = "x".repeat(2_000).into();
    for _ in 0..20 {
        for &guest in &guests {
            long["target"] = guest.to_string().into();
            room.say(operator, &long);
        }
    }
    assert!(room.hub.kept() <= 110_000, "{}", room.hub.kept());
    let seen = room.last_seq(guests[8]);
    room.disconnect(guests[8]);
    let back = room.resume(guests[8], seen - 2);
    let told = room.received(back);
    assert_eq!(told.len(), 3, "the last few are there");
    for guest in guests {
        room.leave(guest);
    }
    room.leave(back);
    room.leave(operator);
    assert_eq!(room.hub.kept(), 0);
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

/// What is under way to a sleeper is bounded by who sends it, so that everybody else gets through.
#[test]
fn who_sleeps_has_room_for_others_than_who_sends_most() {
    let mut room = Room::new(Limits {
        under_way_from_one: 1_000,
        unconfirmed: 1_000,
        ..Limits::default()
    });
    let sleeper = room.guest();
    let eager = room.operator("W1AW", 1);
    let other = room.operator("K1ABC", 2);
    room.forget_everything();
    let until_busy = |room: &mut Room| {
        let mut arrived = 0;
        loop {
            room.say(eager, &offer(sleeper));
            match room.one_or_none(eager) {
                Value::Null => arrived += 1,
                refused => {
                    assert_eq!(refused["code"], "target-busy");
                    return arrived;
                }
            }
            assert!(arrived < 20, "nothing holds them back");
        }
    };
    assert_eq!(until_busy(&mut room), 4);
    let candidate = json!({
        "type": "ICE_CANDIDATE",
        "target": sleeper,
        "candidate": { "candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0 },
    });
    room.say(eager, &candidate);
    assert_eq!(room.error(eager), "target-busy");
    room.say(sleeper, &answer(eager));
    assert_eq!(
        room.one(eager)["type"],
        "ANSWER_RECEIVED",
        "the other way is free"
    );

    room.say(other, &offer(sleeper));
    assert!(room.received(other).is_empty());
    let told = room.received(sleeper);
    assert_eq!(told.last().unwrap()["from"], other.to_string());
    assert_eq!(room.pings, [sleeper]);
    room.hub.answered_ping(line(sleeper), room.now);
    assert_eq!(until_busy(&mut room), 4, "what arrived counts no longer");

    // Nor does it push out what waits for somebody who is away.
    let last_seq = room.last_seq(sleeper);
    room.hub.answered_ping(line(sleeper), room.now);
    room.disconnect(sleeper);
    let kept = until_busy(&mut room);
    room.received(sleeper);
    let back = room.resume(sleeper, last_seq);
    assert_eq!(room.received(back).len(), 1 + kept);
    assert!(room.closed.is_empty());
}

/// Many together fill up no more than what signals may.
#[test]
fn all_signals_to_a_sleeper_together_have_a_bound() {
    let mut room = Room::new(Limits {
        under_way: 1_000,
        ..Limits::default()
    });
    let sleeper = room.guest();
    let callers: Vec<_> = (1..=6).map(|key| room.operator("W1AW", key)).collect();
    room.forget_everything();
    for caller in &callers {
        room.say(*caller, &offer(sleeper));
    }
    let refused = callers
        .iter()
        .filter(|caller| !room.received(**caller).is_empty());
    assert_eq!(refused.count(), 2);
    assert_eq!(room.received(sleeper).len(), 4);
    let late = room.guest();
    assert_eq!(
        room.one(sleeper)["peer"]["id"],
        late.to_string(),
        "the net still gets through"
    );
}

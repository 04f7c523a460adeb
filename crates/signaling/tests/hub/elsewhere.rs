//! People at other servers: they are listed, called and judged like those here.

use serde_json::{Value, json};
use signaling::message::PeerServer;
use signaling::{ClientId, ErrorCode, Identity, Net, Remote};
use station::{Callsign, Fingerprint, KeyId};

use crate::room;
use crate::support::Room;

const THERE: Fingerprint = Fingerprint::new([7; 32]);
const STRANGER: Fingerprint = Fingerprint::new([8; 32]);

fn remote(id: u64, callsign: &str, trusted: bool) -> Remote {
    let callsign = Callsign::parse(callsign).unwrap();
    Remote {
        client: ClientId::new(id),
        server: PeerServer {
            id: THERE,
            callsign: Callsign::parse("N0XYZ").unwrap(),
        },
        callsign: callsign.to_string(),
        net: Net::default(),
        identity: Some(Identity {
            callsign,
            key: KeyId::new([9; 32]),
            fingerprint: Fingerprint::new([9; 32]),
            licence_class: None,
            trusted,
            chain: [].into(),
        }),
    }
}

fn offer(from: u64, to: ClientId) -> String {
    json!({"type": "OFFER", "from": ClientId::new(from), "target": to,
        "offer": {"type": "offer", "sdp": "v=0"}})
    .to_string()
}

impl Room {
    fn appear(&mut self, remote: Remote) {
        self.hub.appear(remote, self.now);
        self.run();
    }

    fn brings(&mut self, server: Fingerprint, signal: &str) {
        self.hub.receive_from(server, signal, self.now);
        self.run();
    }

    fn last_forwarded(&mut self) -> Value {
        let (_, server, signal, _) = self.forwarded.pop().unwrap();
        assert_eq!(server, THERE);
        serde_json::from_str(&signal).unwrap()
    }
}

#[test]
fn who_is_elsewhere_is_listed_called_and_answers() {
    let mut room = room();
    let w1aw = room.operator("W1AW", 1);
    room.forget_everything();
    room.appear(remote(77, "K1ABC", true));
    let joined = room.received(w1aw);
    assert_eq!(joined[0]["peer"]["callsign"], "K1ABC");
    assert_eq!(joined[0]["peer"]["server"]["callsign"], "N0XYZ");
    assert_eq!(joined[0]["peer"]["verified"], true);
    assert_eq!(room.hub.population(), (1, 0), "those here only");

    let call = json!({"type": "OFFER", "id": "q", "target": "K1ABC",
        "offer": {"type": "offer", "sdp": "v=0"}});
    room.say(w1aw, &call);
    let onward = room.last_forwarded();
    assert_eq!(onward["from"], json!(w1aw));
    assert_eq!(onward["target"], json!(ClientId::new(77)));
    assert_eq!(onward["offer"]["sdp"], "v=0");
    let answer = json!({"type": "ANSWER", "from": ClientId::new(77), "target": w1aw,
        "answer": {"type": "answer", "sdp": "v=0"}, "chain": ["theirs"]});
    room.brings(THERE, &answer.to_string());
    let answered = room.received(w1aw);
    assert_eq!(answered[0]["type"], "ANSWER_RECEIVED", "{answered:?}");
    assert_eq!(answered[0]["verified"], true);

    room.hub.vanish(STRANGER, ClientId::new(77), room.now);
    room.hub.vanish(THERE, ClientId::new(77), room.now);
    room.run();
    assert_eq!(room.received(w1aw)[0]["type"], "PEER_LEFT");
}

#[test]
fn rules_of_calls_hold_for_who_is_elsewhere() {
    let mut room = room();
    let w1aw = room.operator("W1AW", 1);
    room.appear(remote(77, "K1ABC", false));
    room.forget_everything();
    room.brings(THERE, &offer(77, w1aw));
    assert_eq!(room.last_forwarded()["code"], "license-required");
    assert!(room.received(w1aw).is_empty());

    room.hub.judge(
        &[signaling::Judgement {
            key: KeyId::new([9; 32]),
            callsign: Callsign::parse("K1ABC").unwrap(),
            trusted: true,
            reason: String::new(),
        }],
        room.now,
    );
    room.run();
    assert_eq!(room.received(w1aw)[0]["peer"]["verified"], true);
    room.brings(STRANGER, &offer(77, w1aw));
    assert!(
        room.received(w1aw).is_empty(),
        "it is not that server's person"
    );
    room.brings(THERE, &offer(77, w1aw));
    assert_eq!(room.received(w1aw)[0]["type"], "OFFER_RECEIVED");
    room.brings(THERE, &offer(77, ClientId::new(1_234)));
    assert_eq!(room.last_forwarded()["code"], "unknown-target");
    room.hub
        .undelivered(w1aw, ErrorCode::Part97, "why", Some("q"));
    room.run();
    let refused = room.received(w1aw);
    assert_eq!(
        (&refused[0]["code"], &refused[0]["replyTo"]),
        (&json!("part97"), &json!("q"))
    );
}

#[test]
fn an_id_stays_whose_it_was() {
    let mut room = room();
    let w1aw = room.operator("W1AW", 1);
    room.appear(remote(77, "K1ABC", true));
    room.forget_everything();
    let mut thief = remote(77, "N0BAD", true);
    thief.server.id = STRANGER;
    room.appear(thief.clone());
    thief.client = w1aw;
    room.appear(thief);
    assert!(room.received(w1aw).is_empty());
}

#[test]
fn other_servers_are_told_who_is_here_while_they_are_to_be() {
    let mut room = room();
    let w1aw = room.operator("W1AW", 1);
    assert!(room.shown.is_empty());
    room.hub.coordinate(true, room.now);
    room.run();
    assert!(room.shown[&w1aw].licensed && room.shown[&w1aw].proof.is_some());
    let guest = room.guest();
    assert_eq!(room.shown.len(), 2);
    room.leave(guest);
    assert_eq!(room.shown.len(), 1);
    room.appear(remote(77, "K1ABC", true));
    room.hub.coordinate(false, room.now);
    room.run();
    assert_eq!(room.received(w1aw).last().unwrap()["type"], "PEER_LEFT");
}

//! The steps one by one: what is said to the hub, and what the model expects of it.

use serde_json::{Value, json};
use signaling::{ClientId, Limits, Policy};

use crate::nets::{Expected, push};
use crate::rules::{Member, Model};
use crate::support::{offer, register};
use crate::view::{View, name};
use crate::world::World;
use crate::{KEEP, NETS};

impl World {
    pub(crate) fn drop_out(&mut self, client: ClientId, expected: &mut Expected) {
        self.room.disconnect(self.line(client));
        if self.model.member(client).is_some() {
            self.model.away.insert(client, self.room.now + KEEP);
        } else {
            self.end(client, expected);
        }
    }

    /// Exactly what was not seen comes again, in order; for who has proven a key, after a new proof.
    pub(crate) fn resume(&mut self, client: ClientId, unseen: usize, genuine: bool) {
        let Some(member) = self.model.member(client).cloned() else {
            return;
        };
        let (old, log) = (self.line(client), self.model.logs[&client].clone());
        let was_away = self.model.away.contains_key(&client);
        let arrived = self.room.last_seq(old);
        let View {
            seen,
            arrived: known,
            ..
        } = self.views[&client];
        let unseen = unseen.min(seen - known);
        let last_seq = arrived - u64::try_from(unseen).unwrap();
        let back = self.room.resume(client, last_seq);
        let mut expected = Vec::new();
        let proven = member.key.is_some();
        if proven {
            let signature = if genuine { "genuine" } else { "forged" };
            let proof = json!({ "type": "AUTHENTICATE", "signature": signature });
            self.room.say(back, &proof);
            expected.push("CHALLENGE".to_owned());
        }
        let told = self.room.received(back);
        let names: Vec<_> = told.iter().map(name).collect();
        if proven && !genuine {
            expected.push("bad-proof".to_owned());
            assert_eq!(names, expected);
            return self.room.leave(back);
        }
        expected.push("RESUMED".to_owned());
        expected.extend_from_slice(&log[seen - unseen..]);
        assert_eq!(names, expected);
        assert_eq!(self.room.closed.contains_key(&old), !was_away, "taken over");
        for message in &told {
            self.see(client, message);
        }
        self.model.away.remove(&client);
        self.lines.insert(client, back);
        let view = self.views.get_mut(&client).unwrap();
        view.seen = log.len();
        view.arrived = seen - unseen;
    }

    /// The next page of the list; the first, if somebody was not named since it was read.
    pub(crate) fn read_page(&mut self, client: ClientId, expected: &mut Expected) {
        let Some(view) = self.views.get_mut(&client) else {
            return;
        };
        let mut ask = json!({ "type": "LIST_PEERS" });
        if std::mem::take(&mut view.outdated) {
            view.people.clear();
        } else if let Some(cursor) = &view.next {
            ask["cursor"] = cursor.as_str().into();
        } else {
            return;
        }
        self.say(client, &ask);
        push(expected, client, "PEER_LIST");
    }

    pub(crate) fn register_guest(&mut self, client: ClientId, expected: &mut Expected) {
        self.say(client, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
        if self.model.member(client).is_some() {
            push(expected, client, "already-registered");
            return;
        }
        self.enter(
            client,
            Member {
                net: NETS[0],
                key: None,
                licensed: false,
                entered: 0,
            },
            expected,
        );
    }

    pub(crate) fn register_operator(
        &mut self,
        client: ClientId,
        (key, trusted): (u8, bool),
        genuine: bool,
        expected: &mut Expected,
    ) {
        let trust = if trusted { "trusted" } else { "untrusted" };
        self.say(client, &register("W1AW", &format!("{trust} {key} W1AW")));
        if self.model.member(client).is_some() {
            push(expected, client, "already-registered");
            return;
        }
        let signature = if genuine { "genuine" } else { "forged" };
        self.say(
            client,
            &json!({ "type": "AUTHENTICATE", "signature": signature }),
        );
        push(expected, client, "CHALLENGE");
        if genuine {
            return self.enter(
                client,
                Member {
                    net: NETS[0],
                    key: Some(key),
                    licensed: trusted,
                    entered: 0,
                },
                expected,
            );
        }
        push(expected, client, "bad-proof");
        let failed = self.model.failed.entry(client).or_default();
        *failed += 1;
        if *failed == Limits::default().failed_logins {
            assert!(self.room.closed.contains_key(&client));
            self.model.forget(client);
        }
    }

    /// Every session of the key turns; then everybody is told, of one after the other.
    pub(crate) fn judge(&mut self, key: u8, trusted: bool, expected: &mut Expected) {
        self.room.judge(key, trusted);
        let mut turned = Vec::new();
        for (&client, member) in &mut self.model.clients {
            if let Some(member) = member.as_mut()
                && member.key == Some(key)
                && member.licensed != trusted
            {
                member.licensed = trusted;
                turned.push((client, member.net));
            }
        }
        for (client, net) in turned {
            push(expected, client, "ROLE");
            self.model.withdraw_offers(client);
            let net = self.model.nets.entry(net).or_default();
            net.turn(client, self.model.regime, self.room.now, expected);
        }
    }

    pub(crate) fn set_policy(&mut self, guest_calls: bool, expected: &mut Expected) {
        let policy = Policy { guest_calls };
        self.room.hub.set_policy(policy, "the owner says so");
        self.room.run();
        if self.model.guest_calls == guest_calls {
            return;
        }
        self.model.guest_calls = guest_calls;
        let clients: Vec<_> = self.model.clients.keys().copied().collect();
        for client in clients {
            if self.model.member(client).is_some() {
                push(expected, client, "ROLE");
                self.model.withdraw_offers(client);
            }
        }
    }

    pub(crate) fn offer_by_callsign(&mut self, from: ClientId, expected: &mut Expected) {
        match self.model.called_by_callsign(from) {
            Ok(to) => {
                let message = offer("W1AW");
                self.signal(from, to, &message, "OFFER_RECEIVED", Model::offer, expected);
            }
            Err(code) => {
                self.say(from, &offer("W1AW"));
                push(expected, from, code);
            }
        }
    }

    pub(crate) fn enter(&mut self, client: ClientId, mut member: Member, expected: &mut Expected) {
        self.model.entries += 1;
        member.entered = self.model.entries;
        let net = self.model.nets.entry(member.net).or_default();
        self.model.clients.insert(client, Some(member));
        push(expected, client, "REGISTERED");
        net.enter(client, self.model.regime, self.room.now, expected);
    }

    pub(crate) fn join(&mut self, client: ClientId, net: &'static str, expected: &mut Expected) {
        self.say(client, &json!({ "type": "JOIN", "net": net }));
        let Some(member) = self.model.member(client).cloned() else {
            push(expected, client, "not-registered");
            return;
        };
        self.model.leave(client, self.room.now, expected);
        self.enter(client, Member { net, ..member }, expected);
    }

    pub(crate) fn signal(
        &mut self,
        from: ClientId,
        to: ClientId,
        message: &Value,
        received: &str,
        rule: fn(&mut Model, ClientId, ClientId) -> Result<(), &'static str>,
        expected: &mut Expected,
    ) {
        self.say(from, message);
        let outcome = match self.model.unreachable(from, to) {
            Some(error) => Err(error),
            None => rule(&mut self.model, from, to),
        };
        match outcome {
            Ok(()) => {
                if received != "ICE_CANDIDATE_RECEIVED" {
                    self.model.introduce(from, to, expected);
                }
                push(expected, to, received);
            }
            Err(code) => push(expected, from, code),
        }
    }

    pub(crate) fn end(&mut self, client: ClientId, expected: &mut Expected) {
        self.model.leave(client, self.room.now, expected);
        self.model.forget(client);
        self.views.remove(&client);
        self.lines.remove(&client);
    }
}

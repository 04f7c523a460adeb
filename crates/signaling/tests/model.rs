//! Random afternoons at the hub, checked against a model small enough to be right by reading.
//!
//! The model knows who is in which net, and for each pair what may be said next. After every step
//! the hub must have told exactly the clients the model names, what it names; at the end every
//! client's own view of its net must be the truth.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use signaling::{ClientId, Limits};
use support::{Room, answer, candidate, offer, register};

const CANDIDATES: u32 = 2;
const NETS: [&str; 2] = ["main", "field-day"];

/// One thing that happens; `who` and `whom` are picked among the connected, modulo their number.
#[derive(Debug, Clone)]
enum Step {
    Connect,
    Guest {
        who: usize,
    },
    Operator {
        who: usize,
        genuine: bool,
        trusted: bool,
    },
    Offer {
        who: usize,
        whom: usize,
    },
    Answer {
        who: usize,
        whom: usize,
    },
    Candidate {
        who: usize,
        whom: usize,
    },
    Join {
        who: usize,
        net: usize,
    },
    Garbage {
        who: usize,
        text: String,
    },
    Disconnect {
        who: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let one = 0..64_usize;
    let two = (0..64_usize, 0..64_usize);
    prop_oneof![
        3 => Just(Step::Connect),
        3 => one.clone().prop_map(|who| Step::Guest { who }),
        3 => (one.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(who, genuine, trusted)| Step::Operator { who, genuine, trusted }),
        6 => two.clone().prop_map(|(who, whom)| Step::Offer { who, whom }),
        6 => two.clone().prop_map(|(who, whom)| Step::Answer { who, whom }),
        6 => two.prop_map(|(who, whom)| Step::Candidate { who, whom }),
        2 => (one.clone(), 0..NETS.len()).prop_map(|(who, net)| Step::Join { who, net }),
        1 => (one.clone(), ".{0,40}").prop_map(|(who, text)| Step::Garbage { who, text }),
        2 => one.prop_map(|who| Step::Disconnect { who }),
    ]
}

#[derive(Debug, Default)]
struct Model {
    /// Everybody connected; registered ones have a member.
    clients: BTreeMap<ClientId, Option<Member>>,
    failed: BTreeMap<ClientId, u32>,
    /// From whom to whom an offer waits for its answer.
    ringing: BTreeSet<(ClientId, ClientId)>,
    /// Who has answered whom.
    answered: BTreeSet<(ClientId, ClientId)>,
    /// Candidates sent since the last offer between the two; present means there is a call.
    candidates: BTreeMap<(ClientId, ClientId), u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    net: &'static str,
    licensed: bool,
}

/// What clients must have received: type, or error code, in order.
type Expected = BTreeMap<ClientId, Vec<String>>;

impl Model {
    fn member(&self, client: ClientId) -> Option<&Member> {
        self.clients.get(&client)?.as_ref()
    }

    fn others_in_net(&self, client: ClientId) -> Vec<ClientId> {
        let Some(me) = self.member(client) else {
            return Vec::new();
        };
        let same = |other: &Option<Member>| other.as_ref().is_some_and(|o| o.net == me.net);
        let others = self
            .clients
            .iter()
            .filter(|&(&id, other)| id != client && same(other));
        others.map(|(&id, _)| id).collect()
    }

    fn tell(&self, expected: &mut Expected, about: ClientId, what: &str) {
        for other in self.others_in_net(about) {
            expected.entry(other).or_default().push(what.into());
        }
    }

    fn forget(&mut self, client: ClientId) {
        self.clients.remove(&client);
        let apart = |a: ClientId, b: ClientId| a != client && b != client;
        self.ringing.retain(|&(a, b)| apart(a, b));
        self.answered.retain(|&(a, b)| apart(a, b));
        self.candidates.retain(|&(a, b), _| apart(a, b));
    }

    /// The error for a signal that cannot be sent at all.
    fn unreachable(&self, from: ClientId, to: ClientId) -> Option<&'static str> {
        let Some(sender) = self.member(from) else {
            return Some("not-registered");
        };
        let same_net = self.member(to).is_some_and(|there| there.net == sender.net);
        let reachable = same_net || self.candidates.contains_key(&(from, to));
        (from == to || !reachable).then_some("unknown-target")
    }

    fn offer(&mut self, from: ClientId, to: ClientId) -> Result<(), &'static str> {
        let licensed = self.member(from).is_some_and(|sender| sender.licensed);
        if !licensed && !self.answered.contains(&(from, to)) {
            return Err("license-required");
        }
        self.ringing.insert((from, to));
        self.candidates.insert((from, to), 0);
        self.candidates.insert((to, from), 0);
        Ok(())
    }

    fn answer(&mut self, from: ClientId, to: ClientId) -> Result<(), &'static str> {
        if !self.ringing.remove(&(to, from)) {
            return Err("no-call");
        }
        self.answered.insert((from, to));
        Ok(())
    }

    fn candidate(&mut self, from: ClientId, to: ClientId) -> Result<(), &'static str> {
        let Some(sent) = self.candidates.get_mut(&(from, to)) else {
            return Err("no-call");
        };
        if *sent == CANDIDATES {
            return Err("too-many-candidates");
        }
        *sent += 1;
        Ok(())
    }
}

/// The hub, the model beside it, and each client's own view of its net.
struct World {
    room: Room,
    model: Model,
    views: BTreeMap<ClientId, BTreeSet<ClientId>>,
}

impl World {
    fn take(&mut self, step: &Step) {
        let mut expected = Expected::new();
        if let Step::Connect = step {
            let client = self.room.connect();
            self.model.clients.insert(client, None);
            return;
        }
        let clients: Vec<_> = self.model.clients.keys().copied().collect();
        if clients.is_empty() {
            return;
        }
        let pick = |index: usize| clients[index % clients.len()];
        match step {
            Step::Connect => {}
            Step::Guest { who } => self.register_guest(pick(*who), &mut expected),
            Step::Operator {
                who,
                genuine,
                trusted,
            } => {
                self.register_operator(pick(*who), *genuine, *trusted, &mut expected);
            }
            Step::Offer { who, whom } => {
                let (from, to) = (pick(*who), pick(*whom));
                self.signal(
                    from,
                    to,
                    &offer(to),
                    "OFFER_RECEIVED",
                    Model::offer,
                    &mut expected,
                );
            }
            Step::Answer { who, whom } => {
                let (from, to) = (pick(*who), pick(*whom));
                self.signal(
                    from,
                    to,
                    &answer(to),
                    "ANSWER_RECEIVED",
                    Model::answer,
                    &mut expected,
                );
            }
            Step::Candidate { who, whom } => {
                let (from, to) = (pick(*who), pick(*whom));
                let received = "ICE_CANDIDATE_RECEIVED";
                self.signal(
                    from,
                    to,
                    &candidate(to),
                    received,
                    Model::candidate,
                    &mut expected,
                );
            }
            Step::Join { who, net } => self.join(pick(*who), NETS[*net], &mut expected),
            Step::Garbage { who, text } => {
                let client = pick(*who);
                self.room.say_text(client, text);
                expected
                    .entry(client)
                    .or_default()
                    .push("bad-message".into());
            }
            Step::Disconnect { who } => {
                let client = pick(*who);
                self.model.tell(&mut expected, client, "PEER_LEFT");
                self.model.forget(client);
                self.views.remove(&client);
                self.room.hub.disconnected(client);
                self.room.run();
            }
        }
        self.check(&expected);
    }

    fn register_guest(&mut self, client: ClientId, expected: &mut Expected) {
        self.room
            .say(client, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
        if self.model.member(client).is_some() {
            expected
                .entry(client)
                .or_default()
                .push("already-registered".into());
            return;
        }
        self.enter(
            client,
            Member {
                net: NETS[0],
                licensed: false,
            },
            expected,
        );
    }

    fn register_operator(
        &mut self,
        client: ClientId,
        genuine: bool,
        trusted: bool,
        expected: &mut Expected,
    ) {
        let trust = if trusted { "trusted" } else { "untrusted" };
        self.room
            .say(client, &register("W1AW", &format!("{trust} 1 W1AW")));
        if self.model.member(client).is_some() {
            expected
                .entry(client)
                .or_default()
                .push("already-registered".into());
            return;
        }
        let signature = if genuine { "genuine" } else { "forged" };
        self.room.say(
            client,
            &json!({ "type": "AUTHENTICATE", "signature": signature }),
        );
        expected.entry(client).or_default().push("CHALLENGE".into());
        if genuine {
            return self.enter(
                client,
                Member {
                    net: NETS[0],
                    licensed: trusted,
                },
                expected,
            );
        }
        expected.entry(client).or_default().push("bad-proof".into());
        let failed = self.model.failed.entry(client).or_default();
        *failed += 1;
        if *failed == Limits::default().failed_logins {
            assert!(self.room.closed.contains_key(&client));
            self.model.forget(client);
        }
    }

    fn enter(&mut self, client: ClientId, member: Member, expected: &mut Expected) {
        self.model.clients.insert(client, Some(member));
        expected
            .entry(client)
            .or_default()
            .push("REGISTERED".into());
        self.model.tell(expected, client, "PEER_JOINED");
    }

    fn join(&mut self, client: ClientId, net: &'static str, expected: &mut Expected) {
        self.room
            .say(client, &json!({ "type": "JOIN", "net": net }));
        let Some(member) = self.model.member(client).cloned() else {
            expected
                .entry(client)
                .or_default()
                .push("not-registered".into());
            return;
        };
        self.model.tell(expected, client, "PEER_LEFT");
        self.enter(client, Member { net, ..member }, expected);
    }

    fn signal(
        &mut self,
        from: ClientId,
        to: ClientId,
        message: &Value,
        received: &str,
        rule: fn(&mut Model, ClientId, ClientId) -> Result<(), &'static str>,
        expected: &mut Expected,
    ) {
        self.room.say(from, message);
        let outcome = match self.model.unreachable(from, to) {
            Some(error) => Err(error),
            None => rule(&mut self.model, from, to),
        };
        match outcome {
            Ok(()) => expected.entry(to).or_default().push(received.into()),
            Err(code) => expected.entry(from).or_default().push(code.into()),
        }
    }

    fn check(&mut self, expected: &Expected) {
        let mut told = Expected::new();
        for (client, messages) in self.room.take_all() {
            for message in &messages {
                self.see(client, message);
            }
            let name = |message: &Value| {
                let name = if message["type"] == "ERROR" {
                    "code"
                } else {
                    "type"
                };
                message[name].as_str().unwrap().to_owned()
            };
            told.insert(client, messages.iter().map(name).collect());
        }
        assert_eq!(&told, expected);
    }

    /// A client keeps its own list of people from what it is told.
    fn see(&mut self, client: ClientId, message: &Value) {
        let id = |value: &Value| value.as_str().unwrap().parse::<ClientId>().unwrap();
        let view = self.views.entry(client).or_default();
        match message["type"].as_str().unwrap() {
            "REGISTERED" => {
                *view = message["peers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|p| id(&p["id"]))
                    .collect();
            }
            "PEER_JOINED" => assert!(view.insert(id(&message["peer"]["id"]))),
            "PEER_LEFT" => assert!(view.remove(&id(&message["peerId"]))),
            _ => {}
        }
    }

    fn check_views(&self) {
        for (&client, member) in &self.model.clients {
            if member.is_some() {
                let truth: BTreeSet<_> = self.model.others_in_net(client).into_iter().collect();
                assert_eq!(self.views[&client], truth, "{client}'s view of its net");
            }
        }
        let registered = self.model.clients.values().flatten();
        let licensed = registered.clone().filter(|member| member.licensed).count();
        assert_eq!(
            self.room.hub.population(),
            (licensed, registered.count() - licensed)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_hub_does_what_the_model_says(steps in prop::collection::vec(step(), 1..120)) {
        let limits = Limits { candidates: CANDIDATES, page: 1_000, calls: 1_000, ..unhurried() };
        let mut world = World {
            room: Room::new(limits),
            model: Model::default(),
            views: BTreeMap::new(),
        };
        for step in &steps {
            world.take(step);
        }
        world.check_views();
    }
}

/// No time passes here, so budgets that refill with time are out of the way.
fn unhurried() -> Limits {
    let mut limits = Limits::default();
    limits.messages.burst = u32::MAX / 1_000_000;
    limits.bytes.burst = 1_000_000_000;
    limits
}

//! Random afternoons at the hub, checked against a model small enough to be right by reading.
//!
//! The model knows who is in which net, what its members were told, and for each pair what may be said
//! next. Nets are small or large by chance, and time passes. After every step the hub must have told
//! exactly the clients the model names, what it names, and must wake exactly when the model says; once it
//! is quiet, every client's own view of its net, kept from what it was told, must be the truth.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};
use signaling::{ClientId, Limits, Policy};
use support::nets::{Expected, NetModel, Regime, peers_changed, push};
use support::{Room, answer, candidate, offer, register};

const CANDIDATES: u32 = 2;
const NETS: [&str; 2] = ["main", "field-day"];
const PAGE: usize = 3;
/// How long the hub waits for who dropped out.
const KEEP: Duration = Duration::from_millis(700);
const GATHER: Duration = Duration::from_millis(250);
/// Nobody falls silent for so long.
const AGES: Duration = Duration::from_secs(100_000);

/// One thing that happens; `who` and `whom` are picked among the connected, modulo their number.
#[derive(Debug, Clone)]
enum Step {
    Connect,
    Guest {
        who: usize,
    },
    Operator {
        who: usize,
        key: u8,
        genuine: bool,
        trusted: bool,
    },
    /// The server's opinion of a key changes, or does not.
    Judge {
        key: u8,
        trusted: bool,
    },
    /// The owner decides about guests, or decides the same again.
    Policy {
        guest_calls: bool,
    },
    Offer {
        who: usize,
        whom: usize,
    },
    /// An offer to W1AW, whoever that is.
    OfferByCallsign {
        who: usize,
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
    /// Reads the next page of the list, if there is one to read.
    Page {
        who: usize,
    },
    Garbage {
        who: usize,
        text: String,
    },
    Pass {
        millis: u64,
    },
    Disconnect {
        who: usize,
    },
    Drop {
        who: usize,
    },
    /// Comes back on a new connection, whether or not the old one broke, without having seen the last
    /// few frames.
    Resume {
        who: usize,
        unseen: usize,
        genuine: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let one = 0..64_usize;
    let two = (0..64_usize, 0..64_usize);
    prop_oneof![
        3 => Just(Step::Connect),
        3 => one.clone().prop_map(|who| Step::Guest { who }),
        3 => (one.clone(), key(), any::<bool>(), any::<bool>())
            .prop_map(|(who, key, genuine, trusted)| Step::Operator { who, key, genuine, trusted }),
        3 => (key(), any::<bool>()).prop_map(|(key, trusted)| Step::Judge { key, trusted }),
        1 => any::<bool>().prop_map(|guest_calls| Step::Policy { guest_calls }),
        2 => one.clone().prop_map(|who| Step::OfferByCallsign { who }),
        6 => two.clone().prop_map(|(who, whom)| Step::Offer { who, whom }),
        6 => two.clone().prop_map(|(who, whom)| Step::Answer { who, whom }),
        6 => two.prop_map(|(who, whom)| Step::Candidate { who, whom }),
        2 => (one.clone(), 0..NETS.len()).prop_map(|(who, net)| Step::Join { who, net }),
        3 => one.clone().prop_map(|who| Step::Page { who }),
        4 => (1..300_u64).prop_map(|millis| Step::Pass { millis }),
        1 => (one.clone(), ".{0,40}").prop_map(|(who, text)| Step::Garbage { who, text }),
        2 => one.clone().prop_map(|who| Step::Disconnect { who }),
        2 => one.clone().prop_map(|who| Step::Drop { who }),
        4 => (one, 0..4_usize, prop::bool::weighted(0.8))
            .prop_map(|(who, unseen, genuine)| Step::Resume { who, unseen, genuine }),
    ]
}

/// Who is here from the start, so that there is somebody to talk to.
fn crew() -> Vec<Step> {
    let operator = |who| Step::Operator {
        who,
        key: 1,
        genuine: true,
        trusted: true,
    };
    vec![
        Step::Connect,
        Step::Connect,
        Step::Connect,
        operator(0),
        operator(1),
        Step::Guest { who: 2 },
    ]
}

/// Keys of the operators, who are all called W1AW.
fn key() -> impl Strategy<Value = u8> {
    1..3_u8
}

impl Step {
    /// Who must be connected for this to happen.
    fn who(&self) -> Option<usize> {
        match *self {
            Self::Connect
            | Self::Pass { .. }
            | Self::Resume { .. }
            | Self::Judge { .. }
            | Self::Policy { .. } => None,
            Self::Guest { who }
            | Self::Operator { who, .. }
            | Self::Offer { who, .. }
            | Self::OfferByCallsign { who }
            | Self::Answer { who, .. }
            | Self::Candidate { who, .. }
            | Self::Join { who, .. }
            | Self::Page { who }
            | Self::Garbage { who, .. }
            | Self::Disconnect { who }
            | Self::Drop { who } => Some(who),
        }
    }
}

#[derive(Debug)]
struct Model {
    regime: Regime,
    guest_calls: bool,
    nets: BTreeMap<&'static str, NetModel>,
    /// Everybody connected; registered ones have a member.
    clients: BTreeMap<ClientId, Option<Member>>,
    failed: BTreeMap<ClientId, u32>,
    entries: usize,
    /// Until when the hub waits for who dropped out.
    away: BTreeMap<ClientId, Instant>,
    /// What everybody was or would have been told since they registered.
    logs: BTreeMap<ClientId, Vec<String>>,
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
    /// The key they have proven.
    key: Option<u8>,
    licensed: bool,
    /// As the how-manieth they came into their net.
    entered: usize,
}

impl Model {
    fn member(&self, client: ClientId) -> Option<&Member> {
        self.clients.get(&client)?.as_ref()
    }

    /// The client leaves its net, if it is in one.
    fn leave(&mut self, client: ClientId, now: Instant, expected: &mut Expected) {
        if let Some(member) = self.member(client) {
            let net = self.nets.entry(member.net).or_default();
            net.leave(client, self.regime, now, expected);
        }
    }

    fn due(&self) -> Option<Instant> {
        let news = self.nets.values().filter_map(NetModel::due);
        news.chain(self.away.values().copied()).min()
    }

    fn forget(&mut self, client: ClientId) {
        self.clients.remove(&client);
        self.away.remove(&client);
        self.logs.remove(&client);
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

    /// Whom the callsign of all operators means to somebody.
    fn called_by_callsign(&self, from: ClientId) -> Result<ClientId, &'static str> {
        let net = self.member(from).ok_or("not-registered")?.net;
        let members = self.clients.iter();
        let operators = members.filter_map(|(&client, member)| {
            let member = member.as_ref()?;
            let meant = client != from && member.net == net && member.licensed;
            meant.then_some((member.entered, member.key, client))
        });
        let operators: BTreeSet<_> = operators.collect();
        let keys: BTreeSet<_> = operators.iter().map(|&(_, key, _)| key).collect();
        match operators.last() {
            None => Err("unknown-target"),
            Some(_) if keys.len() > 1 => Err("callsign-ambiguous"),
            Some(&(_, _, client)) => Ok(client),
        }
    }

    fn may_start_call(&self, from: ClientId, to: ClientId) -> bool {
        let licensed = |client| self.member(client).is_some_and(|member| member.licensed);
        licensed(from) || (self.guest_calls && !licensed(to))
    }

    /// These calls could not be started now, and nobody answered.
    fn withdraw_offers(&mut self, from: ClientId) {
        let unanswered = |&(caller, to): &(ClientId, ClientId)| {
            let pairs = [(caller, to), (to, caller)];
            caller == from && !pairs.iter().any(|pair| self.answered.contains(pair))
        };
        let forbidden = |&(caller, to): &(ClientId, ClientId)| !self.may_start_call(caller, to);
        let offers = self.ringing.iter().copied();
        let withdrawn: Vec<_> = offers.filter(unanswered).filter(forbidden).collect();
        for (from, to) in withdrawn {
            self.ringing.remove(&(from, to));
            if !self.ringing.contains(&(to, from)) {
                self.candidates.remove(&(from, to));
                self.candidates.remove(&(to, from));
            }
        }
    }

    fn offer(&mut self, from: ClientId, to: ClientId) -> Result<(), &'static str> {
        if !self.may_start_call(from, to) && !self.answered.contains(&(from, to)) {
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
    views: BTreeMap<ClientId, View>,
    /// The connection of each session that is not on its first.
    lines: BTreeMap<ClientId, ClientId>,
}

/// The people a client believes in its net, each with whether they are licensed, and where its list
/// goes on.
#[derive(Debug, Default)]
struct View {
    people: BTreeMap<ClientId, bool>,
    next: Option<String>,
    /// Frames seen since `REGISTERED`.
    seen: usize,
    /// Of these, those the hub knows to have arrived, by the last resume.
    arrived: usize,
}

impl World {
    fn take(&mut self, step: &Step) {
        let mut expected = Expected::new();
        if let Step::Pass { millis } = step {
            return self.pass(Duration::from_millis(*millis));
        }
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
        if step
            .who()
            .is_some_and(|who| self.model.away.contains_key(&pick(who)))
        {
            return;
        }
        match step {
            Step::Connect | Step::Pass { .. } => {}
            Step::Policy { guest_calls } => self.set_policy(*guest_calls, &mut expected),
            Step::Judge { key, trusted } => self.judge(*key, *trusted, &mut expected),
            Step::Drop { who } => self.drop_out(pick(*who), &mut expected),
            Step::Resume {
                who,
                unseen,
                genuine,
            } => self.resume(pick(*who), *unseen, *genuine),
            Step::Page { who } => self.read_page(pick(*who), &mut expected),
            Step::Guest { who } => self.register_guest(pick(*who), &mut expected),
            Step::Operator {
                who,
                key,
                genuine,
                trusted,
            } => {
                let certificate = (*key, *trusted);
                self.register_operator(pick(*who), certificate, *genuine, &mut expected);
            }
            Step::OfferByCallsign { who } => self.offer_by_callsign(pick(*who), &mut expected),
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
                self.room.say_text(self.line(client), text);
                push(&mut expected, client, "bad-message");
            }
            Step::Disconnect { who } => {
                let client = pick(*who);
                self.room.leave(self.line(client));
                self.end(client, &mut expected);
            }
        }
        self.check(&expected);
    }

    /// The connection that carries a session.
    fn line(&self, client: ClientId) -> ClientId {
        self.lines.get(&client).copied().unwrap_or(client)
    }

    fn say(&mut self, client: ClientId, message: &Value) {
        self.room.say(self.line(client), message);
    }

    fn end(&mut self, client: ClientId, expected: &mut Expected) {
        self.model.leave(client, self.room.now, expected);
        self.model.forget(client);
        self.views.remove(&client);
        self.lines.remove(&client);
    }

    fn drop_out(&mut self, client: ClientId, expected: &mut Expected) {
        self.room.disconnect(self.line(client));
        if self.model.member(client).is_some() {
            self.model.away.insert(client, self.room.now + KEEP);
        } else {
            self.end(client, expected);
        }
    }

    /// Exactly what was not seen comes again, in order; for who has proven a key, after a new proof.
    fn resume(&mut self, client: ClientId, unseen: usize, genuine: bool) {
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

    /// Time passes, and the hub is woken exactly when it asked to be.
    fn pass(&mut self, time: Duration) {
        let until = self.room.now + time;
        while let Some(due) = self.model.due().filter(|&due| due <= until) {
            assert_eq!(self.room.hub.deadline(), Some(due));
            self.room
                .pass((due - self.room.now).saturating_sub(Duration::from_nanos(1)));
            self.check(&Expected::new());
            self.room.pass(due - self.room.now);
            let mut expected = Expected::new();
            let away = self.model.away.iter();
            let over: Vec<_> = away
                .filter(|&(_, &until)| until <= due)
                .map(|(&client, _)| client)
                .collect();
            for &client in &over {
                self.end(client, &mut expected);
            }
            // Those who ended together were away, and had nowhere to be told.
            expected.retain(|client, _| !over.contains(client));
            for net in self.model.nets.values_mut() {
                net.tick(due, &mut expected);
            }
            self.check(&expected);
        }
        self.room.pass(until - self.room.now);
        self.check(&Expected::new());
    }

    fn read_page(&mut self, client: ClientId, expected: &mut Expected) {
        let Some(cursor) = self.views.get(&client).and_then(|view| view.next.clone()) else {
            return;
        };
        let ask = json!({ "type": "LIST_PEERS", "cursor": cursor });
        self.say(client, &ask);
        push(expected, client, "PEER_LIST");
    }

    fn register_guest(&mut self, client: ClientId, expected: &mut Expected) {
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

    fn register_operator(
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
    fn judge(&mut self, key: u8, trusted: bool, expected: &mut Expected) {
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

    fn set_policy(&mut self, guest_calls: bool, expected: &mut Expected) {
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

    fn offer_by_callsign(&mut self, from: ClientId, expected: &mut Expected) {
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

    fn enter(&mut self, client: ClientId, mut member: Member, expected: &mut Expected) {
        self.model.entries += 1;
        member.entered = self.model.entries;
        let net = self.model.nets.entry(member.net).or_default();
        self.model.clients.insert(client, Some(member));
        push(expected, client, "REGISTERED");
        net.enter(client, self.model.regime, self.room.now, expected);
    }

    fn join(&mut self, client: ClientId, net: &'static str, expected: &mut Expected) {
        self.say(client, &json!({ "type": "JOIN", "net": net }));
        let Some(member) = self.model.member(client).cloned() else {
            push(expected, client, "not-registered");
            return;
        };
        self.model.leave(client, self.room.now, expected);
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
        self.say(from, message);
        let outcome = match self.model.unreachable(from, to) {
            Some(error) => Err(error),
            None => rule(&mut self.model, from, to),
        };
        match outcome {
            Ok(()) => {
                if let Some(sender) = self.model.member(from)
                    && received != "ICE_CANDIDATE_RECEIVED"
                {
                    let net = self.model.nets.entry(sender.net).or_default();
                    net.signal(from, to, expected);
                }
                push(expected, to, received);
            }
            Err(code) => push(expected, from, code),
        }
    }

    fn check(&mut self, expected: &Expected) {
        let mut told = Expected::new();
        let sessions: BTreeMap<_, _> = self
            .lines
            .iter()
            .map(|(&client, &line)| (line, client))
            .collect();
        for (line, messages) in self.room.take_all() {
            let client = sessions.get(&line).copied().unwrap_or(line);
            for message in &messages {
                self.see(client, message);
            }
            told.insert(client, messages.iter().map(name).collect::<Vec<_>>());
        }
        let mut here = expected.clone();
        here.retain(|client, _| !self.model.away.contains_key(client));
        assert_eq!(told, here);
        for (&client, names) in expected {
            self.write_down(client, names);
        }
    }

    /// What was sent since `REGISTERED` can be sent again.
    fn write_down(&mut self, client: ClientId, names: &[String]) {
        if let Some(log) = self.model.logs.get_mut(&client) {
            log.extend_from_slice(names);
        } else if let Some(at) = names.iter().position(|name| name == "REGISTERED") {
            self.model.logs.insert(client, names[at + 1..].to_vec());
        }
        if let Some(log) = self.model.logs.get(&client)
            && !self.model.away.contains_key(&client)
        {
            self.views.entry(client).or_default().seen = log.len();
        }
    }

    /// A client keeps its own list of people from what it is told.
    fn see(&mut self, client: ClientId, message: &Value) {
        let view = self.views.entry(client).or_default();
        match message["type"].as_str().unwrap() {
            kind @ ("REGISTERED" | "PEER_LIST") => {
                if kind == "REGISTERED" {
                    view.people.clear();
                }
                view.people.extend(licences(&message["peers"]));
                view.next = message["next"].as_str().map(str::to_owned);
            }
            "PEER_JOINED" => {
                view.people.extend(licence(&message["peer"]));
            }
            "PEER_LEFT" => {
                view.people.remove(&id(&message["peerId"]));
            }
            "PEERS_CHANGED" => {
                let left = ids(&message["left"]);
                view.people.retain(|person, _| !left.contains(person));
                view.people.extend(licences(&message["joined"]));
            }
            _ => {}
        }
        assert!(
            !view.people.contains_key(&client),
            "nobody is told of themselves"
        );
    }

    /// Lets everything be told and read, and compares what clients believe with the truth.
    fn check_views(&mut self) {
        for client in self.model.away.keys().copied().collect::<Vec<_>>() {
            self.resume(client, 0, true);
        }
        self.pass(GATHER);
        assert_eq!(self.model.due(), None);
        let clients: Vec<_> = self.model.clients.keys().copied().collect();
        for client in clients {
            while self
                .views
                .get(&client)
                .is_some_and(|view| view.next.is_some())
            {
                let mut expected = Expected::new();
                self.read_page(client, &mut expected);
                self.check(&expected);
            }
            if let Some(member) = self.model.member(client) {
                let members = self.model.nets[member.net].members().iter();
                let others = members.filter(|&&other| other != client);
                let truth = others
                    .map(|&other| (other, self.model.member(other).unwrap().licensed))
                    .collect::<BTreeMap<_, _>>();
                assert_eq!(self.views[&client].people, truth, "{client}'s view");
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

/// What a message is called among the expected ones.
fn name(message: &Value) -> String {
    match message["type"].as_str().unwrap() {
        "ERROR" => message["code"].as_str().unwrap().to_owned(),
        "PEERS_CHANGED" => peers_changed(&peer_ids(&message["joined"]), &ids(&message["left"])),
        kind => kind.to_owned(),
    }
}

fn id(value: &Value) -> ClientId {
    value.as_str().unwrap().parse().unwrap()
}

fn ids(list: &Value) -> BTreeSet<ClientId> {
    list.as_array().unwrap().iter().map(id).collect()
}

/// Who somebody is, and whether they are licensed.
fn licence(peer: &Value) -> Option<(ClientId, bool)> {
    Some((id(&peer["id"]), peer["hasLicense"].as_bool()?))
}

fn licences(list: &Value) -> Vec<(ClientId, bool)> {
    let peers = list.as_array().unwrap().iter();
    peers.filter_map(licence).collect()
}

fn peer_ids(list: &Value) -> BTreeSet<ClientId> {
    let peers = list.as_array().unwrap().iter();
    peers.map(|peer| id(&peer["id"])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_hub_does_what_the_model_says(
        at_once in 0..6_usize,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let limits = Limits {
            candidates: CANDIDATES,
            page: PAGE,
            calls: 1_000,
            at_once,
            gather: GATHER,
            keep_dropped: KEEP,
            kept_frames: 10_000,
            kept_bytes: 10_000_000,
            ..unhurried()
        };
        let mut world = World {
            room: Room::new(limits),
            model: Model {
                regime: Regime { at_once, gather: GATHER },
                guest_calls: false,
                nets: BTreeMap::new(),
                clients: BTreeMap::new(),
                failed: BTreeMap::new(),
                entries: 0,
                away: BTreeMap::new(),
                logs: BTreeMap::new(),
                ringing: BTreeSet::new(),
                answered: BTreeSet::new(),
                candidates: BTreeMap::new(),
            },
            views: BTreeMap::new(),
            lines: BTreeMap::new(),
        };
        for step in crew().iter().chain(&steps) {
            world.take(step);
        }
        world.check_views();
    }
}

/// Budgets and silence are out of the way: they have tests of their own.
fn unhurried() -> Limits {
    let mut limits = Limits {
        register_within: AGES,
        ping_after: AGES,
        idle_after: AGES,
        ..Limits::default()
    };
    limits.messages.burst = u32::MAX / 1_000_000;
    limits.bytes.burst = 1_000_000_000;
    limits
}

//! The hub with the model beside it: every step is taken by both and compared.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use signaling::{ClientId, Limits};

use crate::nets::{Expected, Regime, push};
use crate::rules::Model;
use crate::steps::Step;
use crate::support::{Room, answer, candidate, offer};
use crate::view::{View, id, ids, licence, licences, name};
use crate::{CANDIDATES, GATHER, GATHER_AT_MOST, KEEP, NAMINGS, NETS, PAGE, unhurried};

/// The hub, the model beside it, and each client's own view of its net.
pub(crate) struct World {
    pub(crate) room: Room,
    pub(crate) model: Model,
    pub(crate) views: BTreeMap<ClientId, View>,
    /// The connection of each session that is not on its first.
    pub(crate) lines: BTreeMap<ClientId, ClientId>,
}

impl World {
    pub(crate) fn new(at_once: usize, named: usize) -> Self {
        let limits = Limits {
            candidates: CANDIDATES,
            page: PAGE,
            calls: 1_000,
            at_once,
            gather: GATHER,
            gather_at_most: GATHER_AT_MOST,
            named,
            namings: NAMINGS,
            keep_dropped: KEEP,
            kept_frames: 10_000,
            kept_bytes: 10_000_000,
            ..unhurried()
        };
        let regime = Regime {
            at_once,
            gather: GATHER,
            gather_at_most: GATHER_AT_MOST,
            named,
            naming: Duration::from_secs(1) / NAMINGS,
        };
        Self {
            room: Room::new(limits),
            model: Model::new(regime),
            views: BTreeMap::new(),
            lines: BTreeMap::new(),
        }
    }

    pub(crate) fn take(&mut self, step: &Step) {
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
    pub(crate) fn line(&self, client: ClientId) -> ClientId {
        self.lines.get(&client).copied().unwrap_or(client)
    }

    pub(crate) fn say(&mut self, client: ClientId, message: &Value) {
        self.room.say(self.line(client), message);
    }

    /// Time passes, and the hub is woken exactly when it asked to be.
    pub(crate) fn pass(&mut self, time: Duration) {
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
                net.tick(self.model.regime, due, &mut expected);
            }
            self.check(&expected);
        }
        self.room.pass(until - self.room.now);
        self.check(&Expected::new());
    }

    pub(crate) fn check(&mut self, expected: &Expected) {
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
    pub(crate) fn write_down(&mut self, client: ClientId, names: &[String]) {
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
    pub(crate) fn see(&mut self, client: ClientId, message: &Value) {
        let view = self.views.entry(client).or_default();
        match message["type"].as_str().unwrap() {
            kind @ ("REGISTERED" | "PEER_LIST") => {
                if kind == "REGISTERED" {
                    view.people.clear();
                    view.outdated = false;
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
                view.outdated |= message["more"] == true;
            }
            _ => {}
        }
        assert!(
            !view.people.contains_key(&client),
            "nobody is told of themselves"
        );
    }

    /// Lets everything be told and read, and compares what clients believe with the truth.
    pub(crate) fn check_views(&mut self) {
        for client in self.model.away.keys().copied().collect::<Vec<_>>() {
            self.resume(client, 0, true);
        }
        self.pass(GATHER_AT_MOST);
        assert_eq!(self.model.due(), None);
        let clients: Vec<_> = self.model.clients.keys().copied().collect();
        for client in clients {
            while self
                .views
                .get(&client)
                .is_some_and(|view| view.outdated || view.next.is_some())
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

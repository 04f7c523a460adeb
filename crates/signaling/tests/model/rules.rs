//! What may be said to whom, and what everybody is: the part of the model that is not about nets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use signaling::ClientId;

use crate::CANDIDATES;
use crate::nets::{Expected, NetModel, Regime, push};

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) regime: Regime,
    pub(crate) guest_calls: bool,
    pub(crate) nets: BTreeMap<&'static str, NetModel>,
    /// Everybody connected; registered ones have a member.
    pub(crate) clients: BTreeMap<ClientId, Option<Member>>,
    pub(crate) failed: BTreeMap<ClientId, u32>,
    pub(crate) entries: usize,
    /// Until when the hub waits for who dropped out.
    pub(crate) away: BTreeMap<ClientId, Instant>,
    /// What everybody was or would have been told since they registered.
    pub(crate) logs: BTreeMap<ClientId, Vec<String>>,
    /// From whom to whom an offer waits for its answer.
    pub(crate) ringing: BTreeSet<(ClientId, ClientId)>,
    /// Who has answered whom.
    pub(crate) answered: BTreeSet<(ClientId, ClientId)>,
    /// Who was told whom in a call, where members may not know each other.
    pub(crate) introduced: BTreeSet<(ClientId, ClientId)>,
    /// Candidates sent since the last offer between the two; present means there is a call.
    pub(crate) candidates: BTreeMap<(ClientId, ClientId), u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) net: &'static str,
    /// The key they have proven.
    pub(crate) key: Option<u8>,
    pub(crate) licensed: bool,
    /// As the how-manieth they came into their net.
    pub(crate) entered: usize,
}

impl Model {
    pub(crate) fn new(regime: Regime) -> Self {
        Self {
            regime,
            guest_calls: false,
            nets: BTreeMap::new(),
            clients: BTreeMap::new(),
            failed: BTreeMap::new(),
            entries: 0,
            away: BTreeMap::new(),
            logs: BTreeMap::new(),
            ringing: BTreeSet::new(),
            answered: BTreeSet::new(),
            introduced: BTreeSet::new(),
            candidates: BTreeMap::new(),
        }
    }

    pub(crate) fn member(&self, client: ClientId) -> Option<&Member> {
        self.clients.get(&client)?.as_ref()
    }

    /// The client leaves its net, if it is in one.
    pub(crate) fn leave(&mut self, client: ClientId, now: Instant, expected: &mut Expected) {
        if let Some(member) = self.member(client) {
            let net = self.nets.entry(member.net).or_default();
            net.leave(client, self.regime, now, expected);
        }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        let news = self.nets.values().filter_map(NetModel::due);
        news.chain(self.away.values().copied()).min()
    }

    pub(crate) fn forget(&mut self, client: ClientId) {
        self.clients.remove(&client);
        self.away.remove(&client);
        self.logs.remove(&client);
        let apart = |a: ClientId, b: ClientId| a != client && b != client;
        self.ringing.retain(|&(a, b)| apart(a, b));
        self.answered.retain(|&(a, b)| apart(a, b));
        self.candidates.retain(|&(a, b), _| apart(a, b));
        self.introduced.retain(|&(a, b)| apart(a, b));
    }

    /// Whoever gets an offer or an answer has heard of its sender.
    pub(crate) fn introduce(&mut self, from: ClientId, to: ClientId, expected: &mut Expected) {
        let Some(net) = self.member(from).map(|member| member.net) else {
            return;
        };
        let net = self.nets.entry(net).or_default();
        let newcomer = net.introduce(from, to);
        let first = if net.may_be_strangers(from, to) {
            self.introduced.insert((from, to))
        } else {
            self.introduced.remove(&(from, to));
            false
        };
        if newcomer || first {
            push(expected, to, "PEER_JOINED");
        }
    }

    /// The error for a signal that cannot be sent at all.
    pub(crate) fn unreachable(&self, from: ClientId, to: ClientId) -> Option<&'static str> {
        let Some(sender) = self.member(from) else {
            return Some("not-registered");
        };
        let same_net = self.member(to).is_some_and(|there| there.net == sender.net);
        let reachable = same_net || self.candidates.contains_key(&(from, to));
        (from == to || !reachable).then_some("unknown-target")
    }

    /// Whom the callsign of all operators means to somebody.
    pub(crate) fn called_by_callsign(&self, from: ClientId) -> Result<ClientId, &'static str> {
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

    pub(crate) fn may_start_call(&self, from: ClientId, to: ClientId) -> bool {
        let licensed = |client| self.member(client).is_some_and(|member| member.licensed);
        licensed(from) || (self.guest_calls && !licensed(to))
    }

    /// These calls could not be started now, and nobody answered.
    pub(crate) fn withdraw_offers(&mut self, from: ClientId) {
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
                for pair in [(from, to), (to, from)] {
                    self.candidates.remove(&pair);
                    self.introduced.remove(&pair);
                }
            }
        }
    }

    pub(crate) fn offer(&mut self, from: ClientId, to: ClientId) -> Result<(), &'static str> {
        if !self.may_start_call(from, to) && !self.answered.contains(&(from, to)) {
            return Err("license-required");
        }
        self.ringing.insert((from, to));
        self.candidates.insert((from, to), 0);
        self.candidates.insert((to, from), 0);
        Ok(())
    }

    pub(crate) fn answer(&mut self, from: ClientId, to: ClientId) -> Result<(), &'static str> {
        if !self.ringing.remove(&(to, from)) {
            return Err("no-call");
        }
        self.answered.insert((from, to));
        Ok(())
    }

    pub(crate) fn candidate(&mut self, from: ClientId, to: ClientId) -> Result<(), &'static str> {
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

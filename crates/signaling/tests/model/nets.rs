//! What the members of a net are told, by set differences: small enough to be right by reading.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use signaling::ClientId;

/// What clients must have received: type, or error code, in order.
pub(crate) type Expected = BTreeMap<ClientId, Vec<String>>;

/// One net.
#[derive(Debug, Default)]
pub(crate) struct NetModel {
    members: BTreeSet<ClientId>,
    /// The net as everybody in it was told.
    published: BTreeSet<ClientId>,
    /// Members to be told of again: they left and came back since then, and who came in between does not
    /// know of them; or they are not what everybody was told.
    again: BTreeSet<ClientId>,
    /// When the difference between the two is told.
    due: Option<Instant>,
    /// Who was made known to whom ahead of that.
    introduced: BTreeSet<(ClientId, ClientId)>,
    /// News is not told again before.
    quiet_until: Option<Instant>,
    /// Not everybody was named to everybody.
    partly_known: bool,
}

/// The limits that matter here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Regime {
    pub(crate) at_once: usize,
    pub(crate) gather: Duration,
    pub(crate) gather_at_most: Duration,
    pub(crate) named: usize,
    /// How long a name told to one member keeps the net quiet.
    pub(crate) naming: Duration,
}

impl NetModel {
    pub(crate) fn enter(
        &mut self,
        client: ClientId,
        regime: Regime,
        now: Instant,
        expected: &mut Expected,
    ) {
        self.members.insert(client);
        if self.due.is_none() && self.members.len() <= regime.at_once {
            self.tell_others(client, "PEER_JOINED", expected);
        } else {
            if self.published.contains(&client) {
                self.again.insert(client);
            }
            self.changed(regime, now);
        }
    }

    pub(crate) fn leave(
        &mut self,
        client: ClientId,
        regime: Regime,
        now: Instant,
        expected: &mut Expected,
    ) {
        let size = self.members.len();
        self.members.remove(&client);
        self.introduced.retain(|&(_, to)| to != client);
        if self.due.is_none() && size <= regime.at_once {
            return self.tell_others(client, "PEER_LEFT", expected);
        }
        self.again.remove(&client);
        // Everybody believes the published here until the news is told, introduced or not.
        if !self.published.contains(&client) {
            for &(_, to) in self.introduced.iter().filter(|(about, _)| *about == client) {
                push(expected, to, "PEER_LEFT");
            }
            self.introduced.retain(|&(about, _)| about != client);
        }
        self.changed(regime, now);
    }

    /// A member becomes an operator, or is none any more.
    pub(crate) fn turn(
        &mut self,
        client: ClientId,
        regime: Regime,
        now: Instant,
        expected: &mut Expected,
    ) {
        if self.due.is_none() && self.members.len() <= regime.at_once {
            return self.tell_others(client, "PEER_JOINED", expected);
        }
        for &(about, to) in &self.introduced {
            if about == client {
                push(expected, to, "PEER_JOINED");
            }
        }
        if self.published.contains(&client) {
            self.again.insert(client);
        }
        self.changed(regime, now);
    }

    /// Whether the receiver of a signal is yet to be told of its sender, and hears of it now.
    pub(crate) fn introduce(&mut self, from: ClientId, to: ClientId) -> bool {
        let both_here = self.members.contains(&from) && self.members.contains(&to);
        let known = self.published.contains(&from) && !self.again.contains(&from);
        both_here && !known && self.introduced.insert((from, to))
    }

    pub(crate) fn tick(&mut self, regime: Regime, now: Instant, expected: &mut Expected) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let joined = &(&self.members - &self.published) | &self.again;
        let left = &self.published - &self.members;
        let first = |all: &BTreeSet<ClientId>| -> BTreeSet<ClientId> {
            all.iter().copied().take(regime.named).collect()
        };
        let (named, named_left) = (first(&joined), first(&left));
        let more = named != joined || named_left != left;
        for &member in &self.members {
            let mut others = named.clone();
            others.remove(&member);
            if !others.is_empty() || !named_left.is_empty() || more {
                let told = peers_changed(&others, &named_left, more);
                push(expected, member, &told);
            }
        }
        let names = (1 + named.len() + named_left.len()) * self.members.len();
        let quiet = regime.naming * u32::try_from(names).unwrap();
        self.quiet_until = Some(now + quiet.min(regime.gather_at_most));
        self.partly_known |= more;
        self.settle();
    }

    /// Whether both are here, and may not know each other.
    pub(crate) fn may_be_strangers(&self, from: ClientId, to: ClientId) -> bool {
        self.partly_known && self.members.contains(&from) && self.members.contains(&to)
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(crate) fn members(&self) -> &BTreeSet<ClientId> {
        &self.members
    }

    fn changed(&mut self, regime: Regime, now: Instant) {
        let same = self.members == self.published && self.again.is_empty();
        if same || self.members.is_empty() {
            self.settle();
        } else {
            let gathered = now + regime.gather;
            let due = self
                .quiet_until
                .map_or(gathered, |quiet| quiet.max(gathered));
            self.due.get_or_insert(due);
        }
    }

    fn tell_others(&mut self, about: ClientId, what: &str, expected: &mut Expected) {
        for &member in self.members.iter().filter(|&&member| member != about) {
            push(expected, member, what);
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.published.clone_from(&self.members);
        self.again.clear();
        self.introduced.clear();
        self.due = None;
        if self.members.is_empty() {
            *self = Self::default();
        }
    }
}

/// How a `PEERS_CHANGED` is written down for comparison.
pub(crate) fn peers_changed(
    joined: &BTreeSet<ClientId>,
    left: &BTreeSet<ClientId>,
    more: bool,
) -> String {
    format!("PEERS_CHANGED {joined:?} {left:?} {more}")
}

pub(crate) fn push(expected: &mut Expected, to: ClientId, what: &str) {
    expected.entry(to).or_default().push(what.to_owned());
}

//! Who is where: nets, their members, and what their members have yet to be told.
//!
//! In a small net everybody is told of a change at once. In a large one changes are gathered for a
//! while ([`News`]) and told together, so that a crowd that comes or leaves costs every member one
//! frame and not one for each. That frame names a few; when there is more to tell it says so, and who
//! wants to know reads the list. The more telling costs, the longer it is until the next time.
//!
//! Invariant: what a member knows of its net (from `REGISTERED`, the pages
//! of `LIST_PEERS` and what it was told) is the members but for those in `joined`, and those in `left`,
//! give or take those in `left` and `again` for who came meanwhile. Therefore `joined` is on no page,
//! and who came and left again within a window was never mentioned.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::{Duration, Instant};

use station::{Callsign, KeyId};

use super::Limits;
use super::budgets::Strain;
use super::session::Presence;
use crate::limit::Meter;
use crate::message::{ClientId, Net};

/// Every net that has members.
#[derive(Debug, Default)]
pub(super) struct Nets {
    rooms: BTreeMap<Net, Room>,
    /// The nets with news, by when it is due.
    due: BTreeSet<(Instant, Net)>,
    licensed: usize,
    /// Nets whose members may not know each other for good.
    partly_known: usize,
    /// How many came so far, into any net.
    entries: u64,
}

#[derive(Debug, Default)]
struct Room {
    /// Who is here, and as the how-manieth they came.
    members: BTreeMap<ClientId, u64>,
    /// Sessions of verified operators by callsign, in the order they came.
    operators: BTreeMap<Callsign, BTreeMap<u64, (KeyId, ClientId)>>,
    news: Option<News>,
    signals: Option<Meter>,
    arrivals: Option<Meter>,
    /// News is not told again before then.
    quiet_until: Option<Instant>,
    /// Somebody was not named to everybody, so that members may not know each other.
    partly_known: bool,
}

/// Changes that the members have not been told of.
#[derive(Debug)]
pub(super) struct News {
    due: Instant,
    /// Members nobody was told of yet.
    joined: BTreeSet<ClientId>,
    /// Those who left and whom the members still believe here.
    left: BTreeSet<ClientId>,
    /// Members to be told of again: they left and came back, and who came in between was not told of
    /// them; or they became operators or ceased to be.
    again: BTreeSet<ClientId>,
    /// Who of the newcomers was made known to whom ahead of the others, because they signaled.
    introduced: BTreeMap<ClientId, BTreeSet<ClientId>>,
}

/// Who is to be told of a change now.
pub(super) enum Audience {
    /// Everybody in the net.
    Net,
    /// These; the others hear of it when the net's news is told, or never.
    Only(BTreeSet<ClientId>),
}

impl Nets {
    /// The sessions of the verified operators with a callsign, the most recent last.
    pub(super) fn operators(&self, net: &Net, callsign: &Callsign) -> Vec<(KeyId, ClientId)> {
        let room = self.rooms.get(net);
        room.and_then(|room| room.operators.get(callsign))
            .map(|sessions| sessions.values().copied().collect())
            .unwrap_or_default()
    }

    pub(super) fn population(&self) -> (usize, usize) {
        let all: usize = self.rooms.values().map(|room| room.members.len()).sum();
        (self.licensed, all - self.licensed)
    }

    pub(super) fn members(&self, net: &Net) -> impl Iterator<Item = ClientId> + '_ {
        self.rooms
            .get(net)
            .into_iter()
            .flat_map(|room| room.members.keys().copied())
    }

    /// The members that everybody was told of, from an id upward.
    pub(super) fn known_after(
        &self,
        net: &Net,
        after: Option<ClientId>,
    ) -> impl Iterator<Item = ClientId> + '_ {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.rooms.get(net).into_iter().flat_map(move |room| {
            let members = room.members.range((from, Bound::Unbounded));
            let members = members.map(|(&member, _)| member);
            members.filter(|member| !room.is_news(*member))
        })
    }

    pub(super) fn enter(
        &mut self,
        client: ClientId,
        presence: &Presence,
        limits: &Limits,
        now: Instant,
    ) -> Audience {
        let net = &presence.net;
        let room = self.rooms.entry(net.clone()).or_default();
        self.entries += 1;
        room.members.insert(client, self.entries);
        self.licensed += room.list(client, presence);
        let size = room.members.len();
        let Some(news) = room.news(size, limits, now) else {
            return Audience::Net;
        };
        if news.left.remove(&client) {
            news.again.insert(client);
        } else {
            news.joined.insert(client);
        }
        self.reschedule(net);
        Audience::Only(BTreeSet::new())
    }

    pub(super) fn leave(
        &mut self,
        client: ClientId,
        presence: &Presence,
        limits: &Limits,
        now: Instant,
    ) -> Audience {
        let net = &presence.net;
        let Some(room) = self.rooms.get_mut(net) else {
            return Audience::Only(BTreeSet::new());
        };
        let size = room.members.len();
        self.licensed -= room.unlist(client, presence);
        room.members.remove(&client);
        let Some(news) = room.news(size, limits, now) else {
            if room.members.is_empty() {
                self.remove(net);
            }
            return Audience::Net;
        };
        for receivers in news.introduced.values_mut() {
            receivers.remove(&client);
        }
        let mut told = BTreeSet::new();
        if news.joined.remove(&client) {
            told = news.introduced.remove(&client).unwrap_or_default();
        } else {
            news.again.remove(&client);
            news.left.insert(client);
        }
        self.reschedule(net);
        Audience::Only(told)
    }

    /// A member becomes an operator, or is none any more: `presence` is how they are now.
    pub(super) fn turn(
        &mut self,
        client: ClientId,
        presence: &Presence,
        limits: &Limits,
        now: Instant,
    ) -> Audience {
        let net = &presence.net;
        let Some(room) = self.rooms.get_mut(net) else {
            return Audience::Only(BTreeSet::new());
        };
        self.licensed -= room.unlist(client, presence);
        self.licensed += room.list(client, presence);
        let size = room.members.len();
        let Some(news) = room.news(size, limits, now) else {
            return Audience::Net;
        };
        if !news.joined.contains(&client) {
            news.again.insert(client);
        }
        let told = news.introduced.get(&client).cloned().unwrap_or_default();
        self.reschedule(net);
        Audience::Only(told)
    }

    /// Charges something to a net.
    ///
    /// # Errors
    /// The time until it could be charged.
    pub(super) fn charge(
        &mut self,
        net: &Net,
        strain: Strain,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Duration> {
        // A net that nobody is in yet has a whole budget.
        let Some(room) = self.rooms.get_mut(net) else {
            return Ok(());
        };
        let (meter, rate) = match strain {
            Strain::Signal => (&mut room.signals, limits.net_signals),
            Strain::Arrival => (&mut room.arrivals, limits.net_arrivals),
        };
        let meter = meter.get_or_insert_with(|| Meter::new(now));
        meter.spend(1, rate, now)
    }

    /// Whether in every net everybody was told of everybody.
    pub(super) fn all_is_told(&self) -> bool {
        self.due.is_empty() && self.partly_known == 0
    }

    /// Whether both are here, where members may not know each other for good.
    pub(super) fn may_be_strangers(&self, from: ClientId, to: ClientId, net: &Net) -> bool {
        let here = |room: &Room| room.members.contains_key(&from) && room.members.contains_key(&to);
        let room = self.rooms.get(net).filter(|room| room.partly_known);
        room.is_some_and(here)
    }

    /// Whether `to` is yet to be told of `from`, and hears of it now, because `from` signals.
    pub(super) fn introduce(&mut self, from: ClientId, to: ClientId, net: &Net) -> bool {
        let Some(room) = self.rooms.get_mut(net) else {
            return false;
        };
        let Some(news) = room.news.as_mut() else {
            return false;
        };
        room.members.contains_key(&to)
            && (news.joined.contains(&from) || news.again.contains(&from))
            && news.introduced.entry(from).or_default().insert(to)
    }

    /// When the next news is to be told.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.first().map(|&(due, _)| due)
    }

    /// A net whose news is due, and the news, to be told now.
    pub(super) fn take_news(&mut self, limits: &Limits, now: Instant) -> Option<(Net, News)> {
        let (_, net) = self.due.first().filter(|&&(due, _)| due <= now).cloned()?;
        let room = self.rooms.get_mut(&net)?;
        let news = room.news.take()?;
        self.due.remove(&(news.due, net.clone()));
        let (joined, left) = (news.newcomers().count(), news.left.len());
        if joined.max(left) > limits.named && !room.partly_known {
            room.partly_known = true;
            self.partly_known += 1;
        }
        // A frame costs about as much as one name.
        let names = 1 + joined.min(limits.named) + left.min(limits.named);
        let told = u32::try_from(names * room.members.len()).unwrap_or(u32::MAX);
        let cost = Duration::from_secs(1) / limits.namings.max(1) * told;
        room.quiet_until = Some(now + cost.min(limits.gather_at_most));
        Some((net, news))
    }

    /// Brings the schedule in line with a net's news after a change. No news is none to tell.
    fn reschedule(&mut self, net: &Net) {
        let Some(room) = self.rooms.get_mut(net) else {
            return;
        };
        let Some(news) = &room.news else { return };
        let entry = (news.due, net.clone());
        if news.is_empty() || room.members.is_empty() {
            self.due.remove(&entry);
            room.news = None;
        } else {
            self.due.insert(entry);
        }
        if room.members.is_empty() {
            self.remove(net);
        }
    }

    fn remove(&mut self, net: &Net) {
        let room = self.rooms.remove(net);
        self.partly_known -= usize::from(room.is_some_and(|room| room.partly_known));
    }
}

impl Room {
    /// Lists a member by callsign if it is a verified operator; gives how many were listed.
    fn list(&mut self, client: ClientId, presence: &Presence) -> usize {
        let operator = presence.identity.as_ref().filter(|them| them.trusted);
        let (Some(identity), Some(&place)) = (operator, self.members.get(&client)) else {
            return 0;
        };
        let sessions = self.operators.entry(identity.callsign.clone());
        sessions.or_default().insert(place, (identity.key, client));
        1
    }

    /// Takes a member off the list of operators; gives how many were on it.
    fn unlist(&mut self, client: ClientId, presence: &Presence) -> usize {
        let (Some(identity), Some(place)) = (&presence.identity, self.members.get(&client)) else {
            return 0;
        };
        let Some(sessions) = self.operators.get_mut(&identity.callsign) else {
            return 0;
        };
        let listed = sessions.remove(place).is_some();
        if sessions.is_empty() {
            self.operators.remove(&identity.callsign);
        }
        usize::from(listed)
    }

    /// Where a change goes in a net of that size; none where everybody is told at once. While news
    /// waits, what follows waits with it, so that nobody is told of the end before the beginning.
    fn news(&mut self, size: usize, limits: &Limits, now: Instant) -> Option<&mut News> {
        if self.news.is_none() && size > limits.at_once {
            let gathered = now + limits.gather;
            self.news = Some(News {
                due: self
                    .quiet_until
                    .map_or(gathered, |quiet| quiet.max(gathered)),
                joined: BTreeSet::new(),
                left: BTreeSet::new(),
                again: BTreeSet::new(),
                introduced: BTreeMap::new(),
            });
        }
        self.news.as_mut()
    }

    fn is_news(&self, member: ClientId) -> bool {
        self.news
            .as_ref()
            .is_some_and(|news| news.joined.contains(&member))
    }
}

impl News {
    /// Whom to tell of as joined.
    pub(super) fn newcomers(&self) -> impl Iterator<Item = &ClientId> {
        self.joined.union(&self.again)
    }

    /// Whom to tell of as left.
    pub(super) fn leavers(&self) -> impl Iterator<Item = ClientId> + '_ {
        self.left.iter().copied()
    }

    fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.left.is_empty() && self.again.is_empty()
    }
}

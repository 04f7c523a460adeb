//! Who is at the other servers.
//!
//! A record has the heads of its server's rosters; the roster that has that head is sought until it is
//! found. Mostly the change that leads to it came with the record; if not, the neighbours are asked in
//! turn. A roster that is out of date is shown for a while, then nobody.

use std::time::{Duration, Instant};

use station::Zone;

use super::conduct::doubled;
use super::input::{LinkId, Standing};
use super::outbox::Lane;
use super::roster::Roster;
use super::{Event, Node, Timer};
use crate::bytes::{Blob, Head, PersonId, ServerId};
use crate::message::{Change, Message, People, PeopleWanted, Person, Topic};

/// How long a roster that is out of date is shown.
const STALE: Duration = Duration::from_secs(30);
/// Bytes in the roster of a server that nobody here vouches for.
const STRANGERS_BYTES: usize = 64 * 1024;
/// Units of work that answering for a roster is.
const ROSTER_EFFORT: usize = 8;

/// The search for a roster.
#[derive(Debug)]
pub(super) struct Gathering {
    since: Instant,
    tries: u32,
    /// Who brought the record, and probably has the roster.
    first: LinkId,
    /// Who is asked now.
    asked: Option<LinkId>,
    /// The head in the record when the search began this time.
    target: Head,
    /// The pages that came.
    pages: Option<Roster>,
}

impl Node {
    /// Applies the changes that came with a record. Gives those that led to the heads in it.
    pub(super) fn take_changes(
        &mut self,
        server: ServerId,
        changes: &[Change],
        from: LinkId,
        now: Instant,
    ) -> Vec<Change> {
        let mut taken = Vec::new();
        for topic in Topic::ALL {
            let most = self.roster_bytes(server);
            let Some(known) = self.servers.get(server) else {
                return taken;
            };
            if known.knows_people(topic) {
                self.stop_gathering(server, topic);
                continue;
            }
            let Some(head) = known.record.as_ref().map(|record| record.body.head(topic)) else {
                continue;
            };
            let of_topic: Vec<&Change> = changes.iter().filter(|one| one.topic == topic).collect();
            match known.people(topic).roster.after(&of_topic, head, most) {
                Some(roster) => {
                    taken.extend(of_topic.into_iter().cloned());
                    self.replace_roster(server, topic, roster);
                }
                None => self.seek_roster(server, topic, from, now),
            }
        }
        taken
    }

    fn seek_roster(&mut self, server: ServerId, topic: Topic, from: LinkId, now: Instant) {
        let Some(known) = self.servers.get_mut(server) else {
            return;
        };
        let people = known.people_mut(topic);
        if people.gathering.is_none() {
            people.gathering = Some(Gathering {
                since: now,
                tries: 0,
                first: from,
                asked: None,
                target: people.roster.head(),
                pages: None,
            });
            self.timers.set(Timer::Gather(server, topic), now);
        }
    }

    fn stop_gathering(&mut self, server: ServerId, topic: Topic) {
        if let Some(known) = self.servers.get_mut(server) {
            known.people_mut(topic).gathering = None;
        }
        self.timers.clear(Timer::Gather(server, topic));
    }

    /// Asks the next neighbour for a roster.
    pub(super) fn gather(&mut self, server: ServerId, topic: Topic, now: Instant) {
        let links = self.links_for(topic);
        let limits = self.limits;
        let Some(known) = self.servers.get_mut(server) else {
            return;
        };
        let Some(target) = known.record.as_ref().map(|record| record.body.head(topic)) else {
            return self.stop_gathering(server, topic);
        };
        let people = known.people_mut(topic);
        let from = people.roster.head();
        let Some(gathering) = people.gathering.as_mut() else {
            return;
        };
        let stale = now.saturating_duration_since(gathering.since) >= STALE;
        let turn = usize::try_from(gathering.tries).unwrap_or(0);
        let first = links.iter().position(|&(link, _)| link == gathering.first);
        let next = (first.unwrap_or(0) + turn) % links.len().max(1);
        let asked = links.get(next).copied();
        let rounds = rounds(gathering.tries, links.len());
        let wait = asked.map_or(limits.open.repair_most, |(_, zone)| {
            let limits = limits.of(zone);
            doubled(limits.answer, rounds, limits.repair_most)
        });
        gathering.tries = gathering.tries.saturating_add(1);
        gathering.asked = asked.map(|(link, _)| link);
        gathering.target = target;
        gathering.pages = None;
        self.timers.set(Timer::Gather(server, topic), now + wait);
        if stale && from != Roster::empty().head() {
            self.show_nobody(server, topic);
        }
        if let Some((link, _)) = asked {
            let question = Message::Who(PeopleWanted {
                server,
                topic,
                from,
            });
            self.send(link, Lane::Records, &question, now);
        }
    }

    /// A new link stands: its other end may have the rosters that are sought.
    pub(super) fn gather_over(&mut self, id: LinkId, now: Instant) {
        let servers: Vec<ServerId> = self.servers.iter().map(|(server, _)| server).collect();
        for server in servers {
            for topic in Topic::ALL {
                let known = self.servers.get_mut(server);
                let people = known.map(|known| known.people_mut(topic));
                if let Some(gathering) = people.and_then(|people| people.gathering.as_mut()) {
                    gathering.first = id;
                    gathering.tries = 0;
                    self.timers.set_by(Timer::Gather(server, topic), now);
                }
            }
        }
    }

    /// A link is gone, and with it the answers that were awaited over it: others are asked.
    pub(super) fn gather_elsewhere(&mut self, gone: LinkId, now: Instant) {
        let servers: Vec<ServerId> = self.servers.iter().map(|(server, _)| server).collect();
        for server in servers {
            for topic in Topic::ALL {
                let known = self.servers.get(server);
                let gathering = known.and_then(|known| known.people(topic).gathering.as_ref());
                if gathering.is_some_and(|gathering| gathering.asked == Some(gone)) {
                    self.timers.set_by(Timer::Gather(server, topic), now);
                }
            }
        }
    }

    /// Links over which people of a topic may be asked for.
    fn links_for(&self, topic: Topic) -> Vec<(LinkId, Zone)> {
        let links = self.links_up().into_iter();
        let links = links.filter_map(|id| Some((id, self.links.get(&id)?.zone)));
        links.filter(|(_, zone)| may_cross(topic, *zone)).collect()
    }

    /// A neighbour asks for a roster.
    pub(super) fn who(&mut self, id: LinkId, wanted: &PeopleWanted, now: Instant) {
        let page_bytes = self.limits.page_bytes;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (zone, limits) = (link.zone, self.limits.of(link.zone));
        if link
            .effort
            .spend(ROSTER_EFFORT, limits.effort, now)
            .is_err()
        {
            return;
        }
        let &PeopleWanted {
            server,
            topic,
            from,
        } = wanted;
        let pages = match self.roster_passed_on(server, topic) {
            Some(roster) if may_cross(topic, zone) => roster.pages_from(from, topic, page_bytes),
            _ => Vec::new(),
        };
        let mut left = pages.len();
        let pages: Vec<Option<Change>> = if pages.is_empty() {
            vec![None]
        } else {
            pages.into_iter().map(Some).collect()
        };
        for change in pages {
            left = left.saturating_sub(1);
            let page = Message::People(People {
                server,
                topic,
                change,
                more: left > 0,
            });
            if !self.send(id, Lane::Records, &page, now) {
                return;
            }
        }
    }

    /// The newest roster of ourselves or a server that is trusted, if we have it.
    pub(super) fn roster_passed_on(&self, server: ServerId, topic: Topic) -> Option<&Roster> {
        if server == self.own.id {
            return Some(self.own.roster(topic));
        }
        let known = self.servers.get(server);
        let passed_on = known.filter(|known| known.standing == Standing::Trusted);
        let complete = passed_on.filter(|known| known.knows_people(topic));
        complete.map(|known| &known.people(topic).roster)
    }

    /// A page of a roster we asked for.
    pub(super) fn receive_people(&mut self, id: LinkId, people: People, now: Instant) {
        let People {
            server,
            topic,
            change,
            more,
        } = people;
        let most = self.roster_bytes(server);
        let Some(known) = self.servers.get_mut(server) else {
            return;
        };
        let here = known.people_mut(topic);
        let Some(gathering) = here.gathering.as_mut().filter(|one| one.asked == Some(id)) else {
            return;
        };
        let Some(change) = change.filter(|change| change.topic == topic) else {
            return self.ask_next_for_roster(server, topic, now);
        };
        let start = || {
            let nobody = Roster::empty();
            if change.from == nobody.head() {
                Some(nobody)
            } else {
                Some(here.roster.clone()).filter(|roster| roster.head() == change.from)
            }
        };
        let Some(mut pages) = gathering.pages.take().or_else(start) else {
            return self.ask_next_for_roster(server, topic, now);
        };
        if !pages.apply(&change, most) {
            return self.ask_next_for_roster(server, topic, now);
        }
        if more {
            gathering.pages = Some(pages);
            return;
        }
        pages.seal_pages();
        let wanted = gathering.target;
        let newest = known.record.as_ref().map(|record| record.body.head(topic));
        if pages.head() == wanted || Some(pages.head()) == newest {
            self.replace_roster(server, topic, pages);
        }
        self.ask_next_for_roster(server, topic, now);
    }

    /// Goes on with the search soon, unless it is over.
    fn ask_next_for_roster(&mut self, server: ServerId, topic: Topic, now: Instant) {
        let known = self.servers.get_mut(server);
        let Some(known) = known.filter(|known| !known.knows_people(topic)) else {
            return self.stop_gathering(server, topic);
        };
        if let Some(gathering) = known.people_mut(topic).gathering.as_mut() {
            gathering.asked = None;
            // Once around at once, then ever more slowly.
            let neighbours = self.neighbours.len();
            let around = usize::try_from(gathering.tries)
                .is_ok_and(|tries| tries.is_multiple_of(neighbours.max(1)));
            let limits = &self.limits.open;
            let wait = if around {
                let rounds = rounds(gathering.tries, neighbours);
                doubled(limits.answer / 16, rounds, limits.repair_most)
            } else {
                Duration::ZERO
            };
            self.timers.set(Timer::Gather(server, topic), now + wait);
        }
    }

    /// Puts a roster in the place of the one before, and tells who came and went.
    fn replace_roster(&mut self, server: ServerId, topic: Topic, roster: Roster) {
        let Some(known) = self.servers.get_mut(server) else {
            return;
        };
        let shown = known.shown;
        let people = known.people_mut(topic);
        let before = std::mem::replace(&mut people.roster, roster);
        if shown {
            let difference = before.difference(&people.roster);
            self.tell_people(server, topic, difference.joined, difference.left);
        }
        if self
            .servers
            .get(server)
            .is_some_and(|known| known.knows_people(topic))
        {
            self.stop_gathering(server, topic);
        }
    }

    fn show_nobody(&mut self, server: ServerId, topic: Topic) {
        self.replace_roster(server, topic, Roster::empty());
    }

    /// Tells of everybody at a server that is there now.
    pub(super) fn tell_everybody(&mut self, server: ServerId) {
        for topic in Topic::ALL {
            let Some(known) = self.servers.get(server) else {
                return;
            };
            let people = known.people(topic).roster.people();
            let everybody = people.map(|(id, details)| (id, details.clone())).collect();
            self.tell_people(server, topic, everybody, Vec::new());
        }
    }

    fn tell_people(
        &mut self,
        server: ServerId,
        topic: Topic,
        joined: Vec<(PersonId, Blob)>,
        left: Vec<PersonId>,
    ) {
        for id in left {
            self.tell(Event::Left { server, topic, id });
        }
        for (id, details) in joined {
            // Details that cannot be read are of a version to come, or their server's fault: not shown.
            if let Ok(person) = Person::decode(&details) {
                self.tell(Event::Joined {
                    server,
                    topic,
                    id,
                    person,
                });
            }
        }
    }

    fn roster_bytes(&self, server: ServerId) -> usize {
        if self.is_trusted(server) {
            self.limits.roster_bytes
        } else {
            STRANGERS_BYTES
        }
    }
}

/// How often each of so many neighbours was asked.
fn rounds(tries: u32, neighbours: usize) -> u32 {
    tries / u32::try_from(neighbours.max(1)).unwrap_or(u32::MAX)
}

/// Names and text of unverified people never cross amateur frequencies.
fn may_cross(topic: Topic, zone: Zone) -> bool {
    topic == Topic::Operators || zone == Zone::Open
}

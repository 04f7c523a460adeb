//! The ways to the others: shortest paths over links that both ends announce.
//!
//! A link counts if the newest records of both its ends name it, and crosses amateur frequencies if
//! either says so. Our own links count as they are, for nobody has to tell us of them. Strangers are ends of ways, never in the middle. Where several ways are as short, each
//! server begins to look at another place, so that not all go through the same; the same records give
//! the same ways.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Instant;

use station::Zone;

use crate::bytes::ServerId;
use crate::message::routed::MAX_WAY;

/// The links everybody can see, and the ways over them from one server.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    index: BTreeMap<ServerId, usize>,
    servers: Vec<ServerId>,
    /// Whether something may pass through a server.
    transit: Vec<bool>,
    links: Vec<Vec<(usize, Zone)>>,
    /// Where to begin among servers that are as good.
    begin: usize,
    shortest: Ways,
    open: Ways,
    computed: Option<Instant>,
}

/// Through whom, and over which links, something was tried in vain, and how often.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    servers: BTreeMap<ServerId, usize>,
    links: BTreeMap<(ServerId, ServerId), usize>,
}

/// For each server the one before it on the way there.
type Ways = Vec<Option<usize>>;

/// A server as its record shows it.
pub(crate) struct Seen<'a> {
    pub(crate) server: ServerId,
    pub(crate) transit: bool,
    pub(crate) open: &'a [ServerId],
    pub(crate) part97: &'a [ServerId],
}

impl Routes {
    /// Computes everything anew. The first of the servers, which are in the order of their ids otherwise,
    /// is the one that looks, with the links it has.
    pub(crate) fn new(seen: &[Seen<'_>], now: Instant) -> Self {
        let servers: Vec<ServerId> = seen.iter().map(|one| one.server).collect();
        let index: BTreeMap<ServerId, usize> = servers.iter().copied().zip(0..).collect();
        let mut routes = Self {
            transit: seen.iter().map(|one| one.transit).collect(),
            links: seen.iter().map(|one| links(one, seen, &index)).collect(),
            begin: begin(&servers),
            servers,
            index,
            shortest: Ways::new(),
            open: Ways::new(),
            computed: Some(now),
        };
        routes.shortest = routes.search(Zone::Part97);
        routes.open = routes.search(Zone::Open);
        routes
    }

    /// When that was.
    pub(crate) fn computed(&self) -> Option<Instant> {
        self.computed
    }

    /// Whether there is a way to a server.
    pub(crate) fn reaches(&self, server: ServerId) -> bool {
        let way = self.index.get(&server).map(|&to| (to, self.shortest[to]));
        way.is_some_and(|(to, before)| to != 0 && before.is_some())
    }

    /// The shortest way to a server within a zone, both ends included.
    pub(crate) fn way(&self, to: ServerId, within: Zone) -> Option<Vec<ServerId>> {
        let &to = self.index.get(&to)?;
        match within {
            Zone::Open => self.trace(to, &self.open),
            Zone::Part97 => self.trace(to, &self.shortest),
        }
    }

    /// The way through those who were tried least, of such ways the one over links that were tried least, and of those
    /// the shortest: through nobody who was tried where that can be, then in a company that is new, and in the end through
    /// everybody in turn, whoever of them it is that passes nothing on.
    pub(crate) fn another_way(
        &self,
        to: ServerId,
        within: Zone,
        tried: &mut Tried,
    ) -> Option<Vec<ServerId>> {
        let &place = self.index.get(&to)?;
        let least = if tried.links.is_empty() {
            None
        } else {
            self.trace(place, &self.search_least_tried(within, tried))
        };
        let way = least.or_else(|| self.way(to, within))?;
        for &through in &way[1..way.len() - 1] {
            *tried.servers.entry(through).or_default() += 1;
        }
        for link in way.windows(2) {
            *tried.links.entry((link[0], link[1])).or_default() += 1;
        }
        Some(way)
    }

    /// The zone of a link, as the stricter of its ends announces it.
    pub(crate) fn zone(&self, one: ServerId, other: ServerId) -> Option<Zone> {
        let (from, to) = (*self.index.get(&one)?, *self.index.get(&other)?);
        let link = self.links[from].iter().find(|(at, _)| *at == to)?;
        Some(link.1)
    }

    /// Every link, once: our own, and those that both ends announce.
    pub(crate) fn links(&self) -> impl Iterator<Item = (ServerId, ServerId, Zone)> {
        let pairs = self.links.iter().enumerate();
        pairs.flat_map(move |(from, links)| {
            let forward = links.iter().filter(move |(to, _)| from < *to);
            forward.map(move |&(to, zone)| (self.servers[from], self.servers[to], zone))
        })
    }

    /// The shortest ways to everybody.
    fn search(&self, within: Zone) -> Ways {
        let mut before: Ways = vec![None; self.servers.len()];
        let mut open = VecDeque::new();
        if let Some(start) = before.first_mut() {
            *start = Some(0);
            open.push_back(0);
        }
        while let Some(at) = open.pop_front() {
            for to in self.next(at, within) {
                if before[to].is_none() {
                    before[to] = Some(at);
                    open.push_back(to);
                }
            }
        }
        before
    }

    /// The ways to everybody through those who were tried least, of such over links that were, and of those the shortest.
    fn search_least_tried(&self, within: Zone, tried: &Tried) -> Ways {
        let mut before: Ways = vec![None; self.servers.len()];
        // Tries of those in between and of the links, hops, when it was found, where, and where from.
        let mut open = BinaryHeap::from([Reverse((0, 0, 0, 0, 0, 0))]);
        let mut found = 0;
        while let Some(Reverse((tries, over, hops, _, at, from))) = open.pop() {
            if before.get(at) != Some(&None) {
                continue;
            }
            before[at] = Some(from);
            let here = tried.servers.get(&self.servers[at]).copied();
            let tries = tries + here.unwrap_or(0);
            for to in self.next(at, within).filter(|&to| before[to].is_none()) {
                found += 1;
                let link = (self.servers[at], self.servers[to]);
                let over = over + tried.links.get(&link).copied().unwrap_or(0);
                open.push(Reverse((tries, over, hops + 1, found, to, at)));
            }
        }
        before
    }

    /// Where something may go on to from a server.
    fn next(&self, at: usize, within: Zone) -> impl Iterator<Item = usize> {
        let links: &[(usize, Zone)] = if at == 0 || self.transit[at] {
            &self.links[at]
        } else {
            &[]
        };
        let begin = links.partition_point(|(to, _)| *to < self.begin);
        let (last, first) = links.split_at(begin);
        let links = first.iter().chain(last);
        links
            .filter(move |(_, zone)| *zone <= within)
            .map(|&(to, _)| to)
    }

    fn trace(&self, to: usize, ways: &Ways) -> Option<Vec<ServerId>> {
        let mut way = vec![self.servers[to]];
        let mut at = to;
        while at != 0 {
            at = ways[at]?;
            way.push(self.servers[at]);
        }
        way.reverse();
        (2..=MAX_WAY).contains(&way.len()).then_some(way)
    }
}

fn begin(servers: &[ServerId]) -> usize {
    let own = servers.first().map_or(&[0; 16], ServerId::as_bytes);
    let chance = usize::from(u16::from_be_bytes([own[14], own[15]]));
    chance % servers.len().max(1)
}

fn links(
    one: &Seen<'_>,
    seen: &[Seen<'_>],
    index: &BTreeMap<ServerId, usize>,
) -> Vec<(usize, Zone)> {
    let looks = seen.first().is_some_and(|first| first.server == one.server);
    let zone_at = |other: &Seen<'_>, of: ServerId| {
        let part97 = other.part97.binary_search(&of).ok().map(|_| Zone::Part97);
        part97.or_else(|| other.open.binary_search(&of).ok().map(|_| Zone::Open))
    };
    let mut links = BTreeMap::new();
    let named =
        |list: &[ServerId], zone| list.iter().map(move |&to| (to, zone)).collect::<Vec<_>>();
    for (to, ours) in [named(one.open, Zone::Open), named(one.part97, Zone::Part97)].concat() {
        if let Some(&other) = index.get(&to)
            && to != one.server
            && let Some(theirs) = zone_at(&seen[other], one.server).or(looks.then_some(ours))
        {
            let zone: &mut Zone = links.entry(other).or_insert(ours);
            *zone = (*zone).max(ours).max(theirs);
        }
    }
    links.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ServerId {
        ServerId::new([number; 16])
    }

    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    /// A map from what each server announces: itself, whether it is transit, open links, others.
    fn routes(map: &[(u8, bool, &[u8], &[u8])]) -> Routes {
        let ids = |list: &[u8]| list.iter().copied().map(id).collect::<Vec<_>>();
        let lists: Vec<_> = map.iter().map(|one| (ids(one.2), ids(one.3))).collect();
        let seen: Vec<_> = map
            .iter()
            .zip(&lists)
            .map(|(&(server, transit, ..), (open, part97))| Seen {
                server: id(server),
                transit,
                open,
                part97,
            })
            .collect();
        Routes::new(&seen, Instant::now())
    }

    fn way(routes: &Routes, to: u8, within: Zone) -> Option<Vec<u8>> {
        let way = routes.way(id(to), within)?;
        Some(way.iter().map(|server| server.as_bytes()[0]).collect())
    }

    #[test]
    fn a_link_counts_when_both_ends_say_so() {
        let routes = routes(&[
            (1, true, &[2], &[]),
            (2, true, &[4], &[]),
            (3, true, &[4, 5], &[]),
            (4, true, &[2, 3, 5], &[]),
            (5, true, &[3], &[]),
        ]);
        assert_eq!(
            way(&routes, 2, Zone::Open),
            Some(vec![1, 2]),
            "our own counts"
        );
        assert_eq!(way(&routes, 5, Zone::Open), Some(vec![1, 2, 4, 3, 5]));
        assert!(!routes.reaches(id(9)));
        assert!(!routes.reaches(id(1)), "there is no way to oneself");
        assert_eq!(routes.links().count(), 4);
    }

    #[test]
    fn the_stricter_declaration_holds_and_open_ways_go_around() {
        let routes = routes(&[
            (1, true, &[2, 3], &[]),
            (2, true, &[4], &[1]),
            (3, true, &[1, 5], &[]),
            (4, true, &[2, 5], &[]),
            (5, true, &[3, 4], &[]),
        ]);
        assert_eq!(way(&routes, 4, Zone::Part97), Some(vec![1, 2, 4]));
        assert_eq!(way(&routes, 4, Zone::Open), Some(vec![1, 3, 5, 4]));
        assert_eq!(way(&routes, 2, Zone::Open), Some(vec![1, 3, 5, 4, 2]));
    }

    #[test]
    fn nothing_goes_through_strangers() {
        let routes = routes(&[
            (1, true, &[2], &[]),
            (2, false, &[1, 3], &[]),
            (3, true, &[2], &[]),
        ]);
        assert!(routes.reaches(id(2)));
        assert!(!routes.reaches(id(3)));
    }

    #[test]
    fn other_ways_are_tried_in_turn() {
        let routes = routes(&[
            (1, true, &[2, 3], &[]),
            (2, true, &[1, 4], &[]),
            (3, true, &[1, 4], &[]),
            (4, true, &[2, 3], &[]),
        ]);
        let mut tried = Tried::default();
        let mut through = || {
            let way = routes.another_way(id(4), Zone::Open, &mut tried).unwrap();
            way[1].as_bytes()[0]
        };
        let first = through();
        let turns = [through(), through(), through()];
        assert_eq!(turns, [5 - first, first, 5 - first]);
    }

    /// The first way has somebody in it whom every other way needs as well.
    #[test]
    fn a_detour_around_one_of_two_is_found() {
        let routes = routes(&[
            (1, true, &[2], &[]),
            (2, true, &[1, 3, 4], &[]),
            (3, true, &[2, 6], &[]),
            (4, true, &[2, 5], &[]),
            (5, true, &[4, 6], &[]),
            (6, true, &[3, 5], &[]),
        ]);
        let mut tried = Tried::default();
        let mut through = || {
            let way = routes.another_way(id(6), Zone::Open, &mut tried).unwrap();
            way[2].as_bytes()[0]
        };
        assert_eq!([through(), through(), through()], [3, 4, 3]);
    }

    /// One of two is in the way on either side: they are tried in every company before any way is tried twice.
    #[test]
    fn who_was_tried_is_tried_in_other_company_before_the_same_again() {
        let routes = routes(&[
            (1, true, &[2, 3], &[]),
            (2, true, &[1, 4, 5], &[]),
            (3, true, &[1, 4, 5], &[]),
            (4, true, &[2, 3, 6], &[]),
            (5, true, &[2, 3, 6], &[]),
            (6, true, &[4, 5], &[]),
        ]);
        let mut tried = Tried::default();
        let mut through = || {
            let way = routes.another_way(id(6), Zone::Open, &mut tried).unwrap();
            [way[1], way[2]]
        };
        let ways: std::collections::BTreeSet<_> =
            [through(), through(), through(), through()].into();
        assert_eq!(ways.len(), 4);
    }

    #[test]
    fn the_only_way_is_tried_again() {
        let routes = routes(&[
            (1, true, &[2], &[]),
            (2, true, &[1, 3], &[]),
            (3, true, &[2], &[]),
        ]);
        let mut tried = Tried::default();
        for _ in 0..3 {
            let way = routes.another_way(id(3), Zone::Open, &mut tried);
            assert_eq!(way, Some(vec![id(1), id(2), id(3)]));
        }
    }

    #[test]
    fn a_way_has_an_end() {
        let neighbours: Vec<_> = (1..=20_u8).map(|n| [n.saturating_sub(1), n + 1]).collect();
        let line: Vec<_> = (1..=20_u8)
            .zip(&neighbours)
            .map(|(n, list)| (n, true, &list[..], &[][..]))
            .collect();
        let routes = routes(&line);
        assert_eq!(way(&routes, 17, Zone::Open).unwrap().len(), 17);
        assert_eq!(way(&routes, 18, Zone::Open), None, "too far");
    }
}

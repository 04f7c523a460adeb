//! Who is listed when more servers announce themselves than are listed.
//!
//! They are asked who they are, at their addresses: those of this machine's own networks first, then those asked least,
//! then in the order they came. So an address takes no more than its turn, however many servers are announced at it, and
//! whoever is really there answers for themselves. It is asked again later who did not.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use station::Callsign;

use super::{Heard, MOST, Neighbourhood};

/// Most that are asked at once.
const MOST_ASKED: usize = 32;

/// How long after a question in vain it is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What came of asking a server who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Unasked,
    /// The answer is waited for.
    Awaited,
    /// It is who was announced there.
    Given,
    /// Nobody answered by that time, or somebody else.
    Missing(Instant),
}

/// A server to be asked who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    instance: String,
    turn: u64,
    /// Where.
    pub place: SocketAddr,
}

/// What a server says when it is asked who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// Whose it is.
    pub callsign: Callsign,
    /// The first 16 hexadecimal digits of its certificate's fingerprint, if it tells them.
    pub fp: Option<String>,
}

impl Neighbourhood {
    /// Whether more servers announce themselves than are listed.
    #[must_use]
    pub fn is_crowded(&self, now: Instant) -> bool {
        self.current(now).count() > MOST
    }

    /// Whom to ask now who they are, first those at addresses that are `near`: nobody while all are listed, and at
    /// most 32 at once. Every question is to be answered by [`Neighbourhood::introduce`].
    pub fn ask(&mut self, near: impl Fn(IpAddr) -> bool, now: Instant) -> Vec<Inquiry> {
        let awaited = self.known.values();
        let awaited = awaited.filter(|heard| heard.answer == Answer::Awaited);
        let free = MOST_ASKED.saturating_sub(awaited.count());
        if free == 0 || !self.is_crowded(now) {
            return Vec::new();
        }
        let mut asked = BTreeMap::<IpAddr, usize>::new();
        for heard in self.current(now) {
            if let (Some(address), true) = (heard.address(), heard.answer != Answer::Unasked) {
                *asked.entry(address).or_default() += 1;
            }
        }
        let worth = |heard: &Heard| {
            let again = match heard.answer {
                Answer::Unasked => false,
                Answer::Missing(then) if now.duration_since(then) >= ASK_AGAIN_AFTER => true,
                _ => return None,
            };
            let address = heard.address()?;
            let asked = asked.get(&address).copied().unwrap_or_default();
            Some((again, !near(address), asked, heard.turn))
        };
        let known = self.known.iter();
        let mut due: Vec<_> = known
            .filter_map(|(instance, heard)| {
                let inquiry = Inquiry {
                    instance: instance.clone(),
                    turn: heard.turn,
                    place: heard.place?,
                };
                Some((worth(heard)?, inquiry))
            })
            .collect();
        due.sort_unstable_by_key(|(worth, _)| *worth);
        // Those that are asked together count as asked among each other, too.
        let mut due: Vec<_> = numbered(due, |(_, inquiry)| inquiry.place.ip())
            .map(|(number, (worth, inquiry))| {
                ((worth.0, worth.1, worth.2 + number, worth.3), inquiry)
            })
            .collect();
        due.sort_unstable_by_key(|(worth, _)| *worth);
        let due: Vec<_> = due
            .into_iter()
            .map(|(_, inquiry)| inquiry)
            .take(free)
            .collect();
        for inquiry in &due {
            if let Some(heard) = self.known.get_mut(&inquiry.instance) {
                heard.answer = Answer::Awaited;
            }
        }
        due
    }

    /// What came of a question: who is there, if anybody answered.
    pub fn introduce(&mut self, inquiry: &Inquiry, who: Option<&Introduction>, now: Instant) {
        let Some(heard) = self.known.get_mut(&inquiry.instance) else {
            return;
        };
        // It may have announced something else meanwhile.
        if heard.turn != inquiry.turn {
            return;
        }
        let said = &heard.neighbour.sighting;
        let as_announced = who.is_some_and(|who| {
            who.callsign == said.callsign && (said.fp.is_none() || who.fp == said.fp)
        });
        heard.answer = if as_announced {
            Answer::Given
        } else {
            Answer::Missing(now)
        };
        self.changed.send_replace(());
    }

    /// Forgets who was asked in vain, of those the first. False if there is none.
    pub(super) fn make_room(&mut self) -> bool {
        let missing = self.known.iter().filter_map(|(instance, heard)| {
            matches!(heard.answer, Answer::Missing(_)).then_some((heard.turn, instance))
        });
        let first = missing.min().map(|(_, instance)| instance.clone());
        first.is_some_and(|instance| self.known.remove(&instance).is_some())
    }
}

/// The servers that are listed: all, or of a crowd those who answered, then those who were not asked yet; in both the
/// first of every address before the second of any.
pub(super) fn choose(mut heard: Vec<&Heard>) -> Vec<&Heard> {
    if heard.len() <= MOST {
        return heard;
    }
    heard.retain(|heard| !matches!(heard.answer, Answer::Missing(_)));
    heard.sort_by_key(|heard| (heard.answer != Answer::Given, heard.turn));
    let mut ranked: Vec<_> = numbered(heard, |heard| heard.address()).collect();
    ranked.sort_by_key(|(number, heard)| (heard.answer != Answer::Given, *number));
    ranked
        .into_iter()
        .map(|(_, heard)| heard)
        .take(MOST)
        .collect()
}

/// Everything with how many before it have the same key.
fn numbered<T, K: Ord>(all: Vec<T>, key: impl Fn(&T) -> K) -> impl Iterator<Item = (usize, T)> {
    let mut counts = BTreeMap::<K, usize>::new();
    all.into_iter().map(move |one| {
        let count = counts.entry(key(&one)).or_default();
        let number = *count;
        *count += 1;
        (number, one)
    })
}

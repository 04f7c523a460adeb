//! The other servers on this network, as their announcements tell: nothing here is proven.
//!
//! Pure: it is told what was heard and when. One that was not heard for 140 seconds is forgotten, however long it
//! asked to be remembered. This server itself is left out, known by its fingerprint.
//!
//! At most 64 servers are listed. Who announces more than that chooses every name, text and address of it; what they
//! cannot choose is who answers at an address that is not theirs. So a [`crowd`] is asked, one address after the other,
//! and those who answer as they were announced are listed first, each address before any has a second place.

mod crowd;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use station::Callsign;
use tokio::sync::watch;

use crowd::Answer;
pub use crowd::{Inquiry, Introduction};

/// Most servers that are listed of those that announce themselves.
const MOST: usize = 64;

/// Most that are kept to choose from. Each is three records at least, and where others have more than 8192 of them
/// `discovery` leaves the network: so there is a place for whoever is heard within a minute.
const MOST_HEARD: usize = 3_072;

/// Most servers that are imported, beside those.
const MOST_IMPORTED: usize = 16;

/// How long a server is kept without being heard. The search asks everybody anew every minute, so this
/// is two questions without an answer.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(140);

/// Most bytes of the name by which a server is told from others.
const MAX_INSTANCE: usize = 255;

/// What a server says of itself, well formed but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whose server it says it is.
    pub callsign: Callsign,
    /// Its URL, by an address of this network.
    pub endpoint: String,
    /// Its WebSocket URL.
    pub signaling_url: String,
    /// What it says it can do.
    pub capabilities: Vec<String>,
    /// The first 16 hexadecimal digits of its certificate's fingerprint, if it tells them.
    pub fp: Option<String>,
}

/// A server on this network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// What it says of itself.
    pub sighting: Sighting,
    /// When it was last heard, or imported.
    pub heard: Instant,
    /// How it was found.
    pub source: Source,
}

/// How a server was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It announced itself.
    Mdns,
    /// The owner had it read from somebody's list.
    Manual,
}

/// Why a server is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// There are too many, and none of them was asked in vain.
    #[error("{MOST_HEARD} other servers announce themselves already")]
    Full,
    /// Its instance name is longer than DNS allows.
    #[error("the instance name is too long")]
    Name,
}

/// One that announced itself.
#[derive(Debug)]
struct Heard {
    neighbour: Neighbour,
    /// Where its endpoint is; none where that is no address.
    place: Option<SocketAddr>,
    /// When it came, in the order of all.
    turn: u64,
    answer: Answer,
}

/// The other servers on this network.
#[derive(Debug, Default)]
pub struct Neighbourhood {
    own: Option<String>,
    /// By instance name.
    known: BTreeMap<String, Heard>,
    turns: u64,
    /// Those the owner had imported; they stay until the next import.
    imported: Vec<Neighbour>,
    changed: watch::Sender<()>,
}

impl Neighbourhood {
    /// Begins anew, for a server whose fingerprint begins with `own`.
    pub fn begin(&mut self, own: &str) {
        self.own = Some(own.to_owned());
        self.known.clear();
    }

    /// Forgets everybody.
    pub fn clear(&mut self) {
        self.known.clear();
        self.changed.send_replace(());
    }

    /// Tells when somebody was heard, or is not listed any more.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// A server was heard under the name `instance`. What it says replaces what it said before.
    ///
    /// # Errors
    /// [`NotKept`]; then nothing changed. This server itself is no error, and not kept either.
    pub fn hear(
        &mut self,
        instance: &str,
        sighting: Sighting,
        now: Instant,
    ) -> Result<(), NotKept> {
        if self.own.is_some() && self.own == sighting.fp {
            return Ok(());
        }
        if instance.len() > MAX_INSTANCE {
            return Err(NotKept::Name);
        }
        self.expire(now);
        if let Some(known) = self.known.get_mut(instance)
            && known.neighbour.sighting == sighting
        {
            known.neighbour.heard = now;
            self.changed.send_replace(());
            return Ok(());
        }
        let full = self.known.len() >= MOST_HEARD && !self.known.contains_key(instance);
        if full && !self.make_room() {
            return Err(NotKept::Full);
        }
        self.turns += 1;
        let heard = Heard {
            place: place_of(&sighting.endpoint),
            turn: self.turns,
            answer: Answer::Unasked,
            neighbour: Neighbour {
                sighting,
                heard: now,
                source: Source::Mdns,
            },
        };
        self.known.insert(instance.to_owned(), heard);
        self.changed.send_replace(());
        Ok(())
    }

    /// Replaces the servers that the owner had imported.
    pub fn import(&mut self, sightings: Vec<Sighting>, now: Instant) {
        let neighbour = |sighting| Neighbour {
            sighting,
            heard: now,
            source: Source::Manual,
        };
        let first = sightings.into_iter().take(MOST_IMPORTED);
        self.imported = first.map(neighbour).collect();
        self.changed.send_replace(());
    }

    /// Takes imported servers off the list.
    pub fn take_off(&mut self, which: impl Fn(&Neighbour) -> bool) {
        self.imported.retain(|imported| !which(imported));
        self.changed.send_replace(());
    }

    /// A server said goodbye, or says something now that is not understood.
    pub fn lose(&mut self, instance: &str) {
        if self.known.remove(instance).is_some() {
            self.changed.send_replace(());
        }
    }

    /// Forgets who was not heard for too long.
    pub fn expire(&mut self, now: Instant) {
        let before = self.known.len();
        self.known.retain(|_, heard| heard.is_current(now));
        if self.known.len() < before {
            self.changed.send_replace(());
        }
    }

    /// Who is known at `now`, by callsign and then by address: at most 64 of those that announce themselves, and the
    /// imported ones. Who is imported and heard is heard.
    #[must_use]
    pub fn list(&self, now: Instant) -> Vec<Neighbour> {
        let current: Vec<_> = self.current(now).collect();
        let heard = crowd::choose(current).into_iter();
        let mut list: Vec<_> = heard.map(|heard| heard.neighbour.clone()).collect();
        for imported in &self.imported {
            let fp = &imported.sighting.fp;
            if fp.is_none() || !list.iter().any(|heard| heard.sighting.fp == *fp) {
                list.push(imported.clone());
            }
        }
        list.sort_by(|a, b| {
            let key = |known: &Neighbour| {
                let callsign = known.sighting.callsign.as_str().to_owned();
                (callsign, known.sighting.endpoint.clone())
            };
            key(a).cmp(&key(b))
        });
        list
    }

    fn current(&self, now: Instant) -> impl Iterator<Item = &Heard> {
        self.known
            .values()
            .filter(move |heard| heard.is_current(now))
    }
}

impl Heard {
    fn is_current(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.neighbour.heard) < FORGOTTEN_AFTER
    }

    fn address(&self) -> Option<IpAddr> {
        self.place.map(|place| place.ip())
    }
}

fn place_of(endpoint: &str) -> Option<SocketAddr> {
    endpoint.strip_prefix("http://")?.parse().ok()
}

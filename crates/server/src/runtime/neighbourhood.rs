//! The other servers on this network, as their announcements tell: nothing here is proven.
//!
//! Pure: it is told what was heard and when. At most 64 servers are kept; one that was not heard for
//! 140 seconds is forgotten, however long it asked to be remembered. This server itself is
//! left out, known by its fingerprint.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use station::Callsign;
use tokio::sync::watch;

/// Most servers that are kept. Beyond it those already known stay: a flood pushes nobody out.
const MOST: usize = 64;

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
    /// There are too many.
    #[error("{MOST} other servers are known already")]
    Full,
    /// Its instance name is longer than DNS allows.
    #[error("the instance name is too long")]
    Name,
}

/// The other servers on this network.
#[derive(Debug, Default)]
pub struct Neighbourhood {
    own: Option<String>,
    known: BTreeMap<String, Neighbour>,
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
        if self.known.len() >= MOST && !self.known.contains_key(instance) {
            return Err(NotKept::Full);
        }
        let neighbour = Neighbour {
            sighting,
            heard: now,
            source: Source::Mdns,
        };
        self.known.insert(instance.to_owned(), neighbour);
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

    /// A server said goodbye, or says something now that is not understood.
    pub fn lose(&mut self, instance: &str) {
        if self.known.remove(instance).is_some() {
            self.changed.send_replace(());
        }
    }

    /// Forgets who was not heard for too long.
    pub fn expire(&mut self, now: Instant) {
        let before = self.known.len();
        self.known.retain(|_, neighbour| {
            now.saturating_duration_since(neighbour.heard) < FORGOTTEN_AFTER
        });
        if self.known.len() < before {
            self.changed.send_replace(());
        }
    }

    /// Everybody who is known at `now`, by callsign and then by address. Who is imported and heard is heard.
    #[must_use]
    pub fn list(&self, now: Instant) -> Vec<Neighbour> {
        let mut list: Vec<_> = self
            .known
            .values()
            .filter(|known| now.saturating_duration_since(known.heard) < FORGOTTEN_AFTER)
            .cloned()
            .collect();
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sighting(callsign: &str, number: usize) -> Sighting {
        let authority = format!("192.168.1.{number}:8080");
        Sighting {
            callsign: Callsign::parse(callsign).unwrap(),
            endpoint: format!("http://{authority}"),
            signaling_url: format!("ws://{authority}/signal"),
            capabilities: vec!["signaling".into()],
            fp: Some(format!("{number:016x}")),
        }
    }

    fn callsigns(neighbourhood: &Neighbourhood, now: Instant) -> Vec<String> {
        let list = neighbourhood.list(now);
        list.iter()
            .map(|known| known.sighting.callsign.to_string())
            .collect()
    }

    #[test]
    fn servers_come_and_go() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut neighbourhood = Neighbourhood::default();
        neighbourhood.begin(&format!("{:016x}", 9));
        neighbourhood
            .hear("own", sighting("W1AW", 9), start)
            .unwrap();
        assert!(callsigns(&neighbourhood, start).is_empty(), "not itself");

        neighbourhood
            .hear("b", sighting("N0XYZ", 2), start)
            .unwrap();
        neighbourhood
            .hear("a", sighting("K1ABC", 1), start)
            .unwrap();
        assert_eq!(callsigns(&neighbourhood, start), ["K1ABC", "N0XYZ"]);
        neighbourhood.lose("b");
        assert_eq!(callsigns(&neighbourhood, start), ["K1ABC"]);

        neighbourhood
            .hear("a", sighting("K1ABC", 1), after(100))
            .unwrap();
        assert_eq!(neighbourhood.list(after(101))[0].heard, after(100));
        assert_eq!(callsigns(&neighbourhood, after(239)), ["K1ABC"]);
        assert!(callsigns(&neighbourhood, after(240)).is_empty());
        // A kill is noticed within the promised 150 seconds.
        assert!(FORGOTTEN_AFTER < Duration::from_secs(150));
    }

    #[test]
    fn imported_servers_stay_until_the_next_import_and_are_shown_once() {
        let start = Instant::now();
        let later = start + Duration::from_secs(3_600);
        let mut neighbourhood = Neighbourhood::default();
        neighbourhood.import(vec![sighting("K1ABC", 1), sighting("N0XYZ", 2)], start);
        neighbourhood.begin("");
        neighbourhood.clear();
        assert_eq!(callsigns(&neighbourhood, later), ["K1ABC", "N0XYZ"]);
        assert_eq!(neighbourhood.list(later)[0].source, Source::Manual);
        neighbourhood
            .hear("a", sighting("K1ABC", 1), later)
            .unwrap();
        assert_eq!(callsigns(&neighbourhood, later), ["K1ABC", "N0XYZ"]);
        assert_eq!(neighbourhood.list(later)[0].source, Source::Mdns);
        let many = (0..100).map(|number| sighting("W2XYZ", number));
        neighbourhood.import(many.collect(), later);
        assert_eq!(neighbourhood.list(later).len(), MOST_IMPORTED);
    }

    #[test]
    fn one_certificate_under_two_names_is_two_servers() {
        let now = Instant::now();
        let mut neighbourhood = Neighbourhood::default();
        neighbourhood.hear("a", sighting("K1ABC", 1), now).unwrap();
        let mut forged = sighting("K1ABC", 1);
        forged.endpoint = "http://192.168.1.66:8080".into();
        neighbourhood.hear("b", forged, now).unwrap();
        assert_eq!(
            neighbourhood.list(now).len(),
            2,
            "a forger replaces nobody under another name"
        );
    }

    #[derive(Debug, Clone)]
    enum Step {
        Hear(usize, usize),
        Lose(usize),
        Wait(u64),
        Expire,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0..100_usize, 0..4_usize).prop_map(|(name, number)| Step::Hear(name, number)),
            1 => (0..100_usize).prop_map(Step::Lose),
            1 => (0..90_u64).prop_map(Step::Wait),
            1 => Just(Step::Expire),
        ];
        prop::collection::vec(step, 0..400)
    }

    proptest! {
        /// Whatever is announced: the list is bounded, holds only who was heard lately and not this
        /// server, and who was known when it filled up is still known.
        #[test]
        fn it_is_bounded_and_current(steps in steps()) {
            let mut now = Instant::now();
            let mut neighbourhood = Neighbourhood::default();
            neighbourhood.begin(&format!("{:016x}", 0));
            let mut model: BTreeMap<String, Instant> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Hear(name, number) => {
                        let name = format!("server {name}");
                        let heard = neighbourhood.hear(&name, sighting("K1ABC", number), now);
                        model.retain(|_, heard| now.duration_since(*heard) < FORGOTTEN_AFTER);
                        let room = model.len() < MOST || model.contains_key(&name);
                        prop_assert_eq!(heard.is_ok(), room || number == 0);
                        if number != 0 && room {
                            model.insert(name, now);
                        }
                    }
                    Step::Lose(name) => {
                        let name = format!("server {name}");
                        neighbourhood.lose(&name);
                        model.remove(&name);
                    }
                    Step::Wait(seconds) => now += Duration::from_secs(seconds),
                    Step::Expire => neighbourhood.expire(now),
                }
                let list = neighbourhood.list(now);
                prop_assert!(neighbourhood.known.len() <= MOST);
                let current = model.values().filter(|heard| now.duration_since(**heard) < FORGOTTEN_AFTER);
                prop_assert_eq!(list.len(), current.count());
                prop_assert!(list.iter().all(|known| known.sighting.fp != neighbourhood.own));
            }
        }
    }
}

//! Where other servers may be, and when to try.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::conduct::doubled;
use super::input::Source;
use super::limits::Limits;
use crate::bytes::ServerId;
use crate::entropy::Entropy;

/// Every endpoint known.
#[derive(Debug, Default)]
pub(super) struct Book {
    places: BTreeMap<String, Place>,
}

#[derive(Debug)]
struct Place {
    sources: BTreeSet<Source>,
    /// Who was there last.
    server: Option<ServerId>,
    /// How the fingerprint of who is there begins, as somebody said.
    hint: Option<[u8; 8]>,
    failures: u32,
    /// Not before then.
    next: Instant,
    /// Nor before then, whatever happens: who is there said so.
    asked_until: Instant,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Dialing,
    Linked,
}

/// An endpoint that may be tried.
pub(super) struct Idle<'a> {
    pub(super) endpoint: &'a str,
    /// Who was there last.
    pub(super) server: Option<ServerId>,
    /// How the fingerprint of who is there begins, as somebody said.
    pub(super) hint: Option<[u8; 8]>,
    /// Whether the owner named it.
    pub(super) by_owner: bool,
    /// How many dials failed since one did not.
    pub(super) failures: u32,
    /// Not before then.
    pub(super) next: Instant,
}

/// An endpoint as others may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceView<'a> {
    /// Where.
    pub endpoint: &'a str,
    /// Who told of it.
    pub sources: &'a BTreeSet<Source>,
    /// Who was there last.
    pub server: Option<ServerId>,
    /// How many dials failed since one did not.
    pub failures: u32,
    /// Whether a link that was dialled there stands.
    pub linked: bool,
}

impl Book {
    /// Somebody told of an endpoint. News of one that failed makes it worth another try soon.
    pub(super) fn add(
        &mut self,
        endpoint: &str,
        source: Source,
        hint: Option<[u8; 8]>,
        limits: &Limits,
        now: Instant,
    ) {
        if let Some(place) = self.places.get_mut(endpoint) {
            place.hint = hint.or(place.hint);
            let new = place.sources.insert(source);
            let told_anew = new || matches!(source, Source::Listed | Source::Mdns);
            if told_anew && place.failures > limits.redial_tries {
                place.failures = limits.redial_tries;
                place.next = place.next.min(now + limits.redial_most);
            }
            return;
        }
        if self.places.len() >= limits.endpoints && !self.make_room(source) {
            return;
        }
        let place = Place {
            sources: BTreeSet::from([source]),
            server: None,
            hint,
            failures: 0,
            next: now,
            asked_until: now,
            state: State::Idle,
        };
        self.places.insert(endpoint.to_owned(), place);
    }

    /// Our own network is another one than before: whoever was not reached over that may be reached over this.
    pub(super) fn begin_anew(&mut self, limits: &Limits, entropy: &mut Entropy, now: Instant) {
        for place in self.places.values_mut() {
            place.failures = 0;
            let soon = now + entropy.around(limits.redial_first);
            place.next = place.next.min(soon).max(place.asked_until);
        }
    }

    pub(super) fn remove(&mut self, endpoint: &str, source: Source) {
        if let Some(place) = self.places.get_mut(endpoint) {
            place.sources.remove(&source);
            if place.sources.is_empty() && place.state == State::Idle {
                self.places.remove(endpoint);
            }
        }
    }

    /// Who is at an endpoint.
    pub(super) fn belongs_to(&mut self, endpoint: &str, server: ServerId) {
        if let Some(place) = self.places.get_mut(endpoint) {
            place.server = Some(server);
        }
    }

    pub(super) fn dialing(&mut self, endpoint: &str) {
        self.set(endpoint, State::Dialing);
    }

    pub(super) fn linked(&mut self, endpoint: &str) {
        self.set(endpoint, State::Linked);
        if let Some(place) = self.places.get_mut(endpoint) {
            place.failures = 0;
        }
    }

    /// A dial failed or its link ended; the next is after the usual pause, and after `wait`.
    pub(super) fn ended(
        &mut self,
        endpoint: &str,
        wait: Duration,
        limits: &Limits,
        entropy: &mut Entropy,
        now: Instant,
    ) {
        let Some(place) = self.places.get_mut(endpoint) else {
            return;
        };
        place.state = State::Idle;
        let pause = if place.failures < limits.redial_tries {
            doubled(limits.redial_first, place.failures, limits.redial_most)
        } else {
            limits.redial_slow
        };
        place.failures = place.failures.saturating_add(1);
        place.asked_until = now + wait;
        place.next = place.asked_until.max(now + entropy.around(pause));
        if place.sources.is_empty() {
            self.places.remove(endpoint);
        }
    }

    /// How many dials are under way.
    pub(super) fn dialing_now(&self) -> usize {
        let places = self.places.values();
        places.filter(|place| place.state == State::Dialing).count()
    }

    /// The endpoints that may be tried.
    pub(super) fn idle(&self) -> impl Iterator<Item = Idle<'_>> {
        let places = self.places.iter();
        let idle = places.filter(|(_, place)| place.state == State::Idle);
        idle.map(|(endpoint, place)| Idle {
            endpoint,
            server: place.server,
            hint: place.hint,
            by_owner: place.sources.contains(&Source::Owner),
            failures: place.failures,
            next: place.next,
        })
    }

    pub(super) fn view(&self) -> impl Iterator<Item = PlaceView<'_>> {
        self.places.iter().map(|(endpoint, place)| PlaceView {
            endpoint,
            sources: &place.sources,
            server: place.server,
            failures: place.failures,
            linked: place.state == State::Linked,
        })
    }

    fn set(&mut self, endpoint: &str, state: State) {
        if let Some(place) = self.places.get_mut(endpoint) {
            place.state = state;
        }
    }

    /// Forgets an endpoint that failed, the least well known first. What the owner named stays, and gives
    /// way to nothing but a place of its own.
    fn make_room(&mut self, for_source: Source) -> bool {
        let known = |place: &Place| place.sources.first().copied();
        let places = self.places.iter();
        let worst = places
            .filter(|(_, place)| place.state == State::Idle)
            .filter(|(_, place)| known(place) > Some(Source::Owner))
            .filter(|(_, place)| place.failures > 0 || known(place) > Some(for_source))
            .max_by_key(|(_, place)| (known(place), place.failures))
            .map(|(endpoint, _)| endpoint.clone());
        worst.is_some_and(|endpoint| self.places.remove(&endpoint).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        book: Book,
        limits: Limits,
        entropy: Entropy,
        now: Instant,
    }

    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    fn world(limits: Limits) -> World {
        World {
            book: Book::default(),
            limits,
            entropy: Entropy::new([7; 32]),
            now: Instant::now(),
        }
    }

    impl World {
        fn add(&mut self, endpoint: &str, source: Source) {
            self.book
                .add(endpoint, source, None, &self.limits, self.now);
        }

        /// Dials in vain as soon as it may, and says how long that took.
        fn fail(&mut self, endpoint: &str) -> Duration {
            let next = self.book.idle().find(|one| one.endpoint == endpoint);
            let next = next.unwrap().next;
            let waited = next.saturating_duration_since(self.now);
            self.now += waited;
            self.book.dialing(endpoint);
            let wait = Duration::ZERO;
            self.book
                .ended(endpoint, wait, &self.limits, &mut self.entropy, self.now);
            waited
        }

        fn endpoints(&self) -> Vec<&str> {
            self.book.view().map(|place| place.endpoint).collect()
        }
    }

    #[test]
    fn who_cannot_be_reached_is_tried_ever_less() {
        let mut world = world(Limits::default());
        world.add("a", Source::Owner);
        assert_eq!(world.fail("a"), Duration::ZERO);
        let around = |waited: Duration, pause: Duration| {
            assert!(
                waited >= pause * 3 / 4 && waited <= pause * 5 / 4,
                "{waited:?}"
            );
        };
        for pause in [500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000] {
            around(world.fail("a"), Duration::from_millis(pause));
        }
        around(world.fail("a"), Duration::from_secs(60));
        world.add("a", Source::Mdns);
        assert!(
            world.fail("a") <= Duration::from_secs(5),
            "it was heard again"
        );
    }

    #[test]
    fn another_network_is_a_new_beginning_but_for_who_asked_to_be_left_alone() {
        let mut world = world(Limits::default());
        for endpoint in ["far", "full"] {
            world.add(endpoint, Source::Owner);
            for _ in 0..20 {
                world.fail(endpoint);
            }
        }
        let wait = Duration::from_secs(30);
        let (limits, now) = (world.limits, world.now);
        world
            .book
            .ended("full", wait, &limits, &mut world.entropy, now);
        world.book.begin_anew(&limits, &mut world.entropy, now);
        let soon = limits.redial_first * 5 / 4;
        let next = |endpoint| {
            let mut idle = world.book.idle();
            idle.find(|one| one.endpoint == endpoint).unwrap().next - now
        };
        assert!(next("far") <= soon);
        assert_eq!(next("full"), wait);
        world.fail("far");
        assert!(world.fail("far") <= soon, "and not only once");
    }

    #[test]
    fn a_link_makes_up_for_failures() {
        let mut world = world(Limits::default());
        world.add("a", Source::Mdns);
        for _ in 0..20 {
            world.fail("a");
        }
        world.book.dialing("a");
        world.book.linked("a");
        let wait = Duration::ZERO;
        world
            .book
            .ended("a", wait, &world.limits, &mut world.entropy, world.now);
        assert!(world.fail("a") <= Duration::from_millis(625));
    }

    #[test]
    fn a_full_book_keeps_what_the_owner_said() {
        let mut world = world(Limits {
            endpoints: 2,
            ..Limits::default()
        });
        world.add("owner", Source::Owner);
        world.add("peer", Source::Peer);
        world.add("another", Source::Peer);
        assert_eq!(world.endpoints(), ["owner", "peer"], "nothing failed yet");
        world.fail("peer");
        world.fail("owner");
        world.add("another", Source::Peer);
        assert_eq!(world.endpoints(), ["another", "owner"]);
        world.add("second", Source::Owner);
        assert_eq!(world.endpoints(), ["owner", "second"]);
    }

    #[test]
    fn what_nobody_speaks_of_any_more_is_forgotten() {
        let mut world = world(Limits::default());
        world.add("a", Source::Mdns);
        world.add("a", Source::Peer);
        world.book.remove("a", Source::Mdns);
        assert_eq!(world.endpoints(), ["a"]);
        world.book.dialing("a");
        world.book.remove("a", Source::Peer);
        assert_eq!(world.endpoints(), ["a"], "a dial is under way");
        world.fail_under_way();
        assert!(world.endpoints().is_empty());
    }

    impl World {
        fn fail_under_way(&mut self) {
            let wait = Duration::ZERO;
            self.book
                .ended("a", wait, &self.limits, &mut self.entropy, self.now);
        }
    }
}

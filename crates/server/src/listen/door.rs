//! Who may come in: connections that are not yet, or not any more, somebody's WebSocket.
//!
//! A stranger can open connections and say nothing, or half a TLS handshake, or one header a minute. Each takes a
//! place until its WebSocket begins or it ends. Places are few in all and fewer for one address. When they are
//! taken, the address that has the most gives up its oldest: who only just came is served, and a flood
//! displaces itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use signaling::limit::Rate;
use signaling::{AddressGroup, Sharing};
use tokio::sync::Notify;

use super::meters::Meters;
use crate::config::{Limits, Network};

/// The places for connections, and who has them.
#[derive(Debug)]
pub struct Door {
    places: usize,
    places_of_one: usize,
    arrivals: Rate,
    requests: Rate,
    trusted_proxies: Vec<Network>,
    crowd: Mutex<Crowd>,
    requested: Mutex<Requested>,
}

/// Requests, and those that were refused.
#[derive(Debug, Default)]
struct Requested {
    meters: Meters,
    refused: u64,
}

#[derive(Debug, Default)]
struct Crowd {
    groups: BTreeMap<AddressGroup, Group>,
    /// The groups by how many places they have.
    sizes: BTreeSet<(usize, AddressGroup)>,
    arrivals: Meters,
    taken: usize,
    count: DoorCounters,
}

/// Places by the order in which they were taken, with the way to tell who has one to leave.
type Group = BTreeMap<u64, Arc<Notify>>;

/// What happened at the door since the start, and how many places are taken now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DoorCounters {
    /// Connections let in.
    pub admitted: u64,
    /// Connections closed at once, because too many came from their address in a short time.
    pub turned_away: u64,
    /// Connections closed so that others have a place.
    pub displaced: u64,
    /// Places taken now.
    pub taken: usize,
    /// Requests refused, because too many came from their address in a short time.
    pub refused: u64,
}

/// A place at the door. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    door: Arc<Door>,
    group: AddressGroup,
    number: u64,
    leave: Arc<Notify>,
}

impl Door {
    /// A door with these limits. Trusted proxies bring many people, and share only the limit over all.
    #[must_use]
    pub fn new(limits: &Limits, trusted_proxies: Vec<Network>) -> Self {
        let count = |n: std::num::NonZeroU32| usize::try_from(n.get()).unwrap_or(usize::MAX);
        let a_second = limits.address_arrivals_per_second.get();
        let requests = limits.address_requests_per_second.get();
        Self {
            places: count(limits.requests),
            places_of_one: count(limits.address_requests),
            arrivals: Rate::per_second(a_second, a_second.saturating_mul(10)),
            requests: Rate::per_second(requests, requests.saturating_mul(20)),
            trusted_proxies,
            crowd: Mutex::default(),
            requested: Mutex::default(),
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> DoorCounters {
        let refused = lock(&self.requested).refused;
        let crowd = self.lock();
        DoorCounters {
            taken: crowd.taken,
            refused,
            ..crowd.count
        }
    }

    /// Charges a request to whoever makes it.
    ///
    /// # Errors
    /// The time until it could be charged.
    pub fn request(&self, from: Sharing, now: Instant) -> Result<(), Duration> {
        let mut requested = lock(&self.requested);
        let charged = requested.meters.charge(from, self.requests, now);
        requested.refused += u64::from(charged.is_err());
        charged
    }

    /// Whether an address is a proxy that is believed.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|one| one.contains(address))
    }

    /// Gives somebody who came from `remote` to `local` a place, or none when they come too fast.
    pub(super) fn enter(
        self: &Arc<Self>,
        local: IpAddr,
        remote: IpAddr,
        now: Instant,
    ) -> Option<Place> {
        let from = Sharing::between(local, remote);
        let group = from.group;
        let trusted = self.trusts(remote);
        let mut crowd = self.lock();
        if !trusted && crowd.arrivals.charge(from, self.arrivals, now).is_err() {
            crowd.count.turned_away += 1;
            return None;
        }
        if !trusted && crowd.size(group) >= self.places_of_one {
            crowd.displace_oldest(group);
        } else if crowd.taken >= self.places
            && let Some(&(_, largest)) = crowd.sizes.last()
        {
            crowd.displace_oldest(largest);
        }
        crowd.count.admitted += 1;
        let number = crowd.count.admitted;
        let leave = Arc::new(Notify::new());
        crowd.put(group, number, Arc::clone(&leave));
        drop(crowd);
        Some(Place {
            door: Arc::clone(self),
            group,
            number,
            leave,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Crowd> {
        lock(&self.crowd)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// Resolves when somebody else needs the place.
    pub(super) async fn wanted(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.lock().remove(self.group, self.number);
    }
}

impl Crowd {
    fn size(&self, group: AddressGroup) -> usize {
        self.groups.get(&group).map_or(0, BTreeMap::len)
    }

    fn put(&mut self, group: AddressGroup, number: u64, leave: Arc<Notify>) {
        let size = self.size(group);
        self.groups.entry(group).or_default().insert(number, leave);
        self.sizes.remove(&(size, group));
        self.sizes.insert((size + 1, group));
        self.taken += 1;
    }

    /// Frees a place, unless it was given to somebody else already.
    fn remove(&mut self, group: AddressGroup, number: u64) -> Option<Arc<Notify>> {
        let places = self.groups.get_mut(&group)?;
        let size = places.len();
        let leave = places.remove(&number)?;
        self.sizes.remove(&(size, group));
        if size > 1 {
            self.sizes.insert((size - 1, group));
        } else {
            self.groups.remove(&group);
        }
        self.taken -= 1;
        Some(leave)
    }

    fn displace_oldest(&mut self, group: AddressGroup) {
        let places = self.groups.get(&group);
        let oldest = places.and_then(|places| places.keys().next().copied());
        if let Some(leave) = oldest.and_then(|oldest| self.remove(group, oldest)) {
            self.count.displaced += 1;
            leave.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::num::NonZeroU32;

    use futures_util::FutureExt as _;

    use super::*;

    fn door(places: u32, places_of_one: u32) -> Arc<Door> {
        let n = |n| NonZeroU32::new(n).unwrap();
        let limits = Limits {
            requests: n(places),
            address_requests: n(places_of_one),
            address_arrivals_per_second: n(1),
            ..Limits::default()
        };
        let proxy = "10.0.0.9".parse().unwrap();
        Arc::new(Door::new(&limits, vec![proxy]))
    }

    fn host(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 168, 1, last).into()
    }

    /// Somebody comes from an address; the server has the IPv6 network of 64 bits that is all zeros.
    fn enter(door: &Arc<Door>, remote: IpAddr, now: Instant) -> Option<Place> {
        door.enter(std::net::Ipv6Addr::UNSPECIFIED.into(), remote, now)
    }

    fn is_wanted(place: &Place) -> bool {
        place.wanted().now_or_never().is_some()
    }

    #[test]
    fn one_address_gives_up_its_own_oldest() {
        let (door, now) = (door(100, 2), Instant::now());
        let places: Vec<_> = (0..3).filter_map(|_| enter(&door, host(1), now)).collect();
        let bystander = enter(&door, host(2), now).unwrap();
        assert_eq!(
            places.iter().map(is_wanted).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert!(!is_wanted(&bystander));
        assert_eq!(door.counters().taken, 3);
        drop(places);
        drop(bystander);
        assert_eq!(door.counters().taken, 0);
        assert!(door.lock().groups.is_empty() && door.lock().sizes.is_empty());
    }

    #[test]
    fn when_all_places_are_taken_the_largest_crowd_gives_way() {
        let (door, now) = (door(4, 3), Instant::now());
        let flood: Vec<_> = (0..3).filter_map(|_| enter(&door, host(1), now)).collect();
        let one = enter(&door, host(2), now).unwrap();
        let other = enter(&door, host(3), now).unwrap();
        assert!(is_wanted(&flood[0]));
        assert!(!is_wanted(&flood[1]) && !is_wanted(&one) && !is_wanted(&other));
        assert_eq!(door.counters().displaced, 1);
        drop(flood);
        let _late = enter(&door, host(4), now).unwrap();
        assert!(
            !is_wanted(&one) && !is_wanted(&other),
            "there is room again"
        );
    }

    #[test]
    fn who_comes_too_fast_is_turned_away_and_may_come_later() {
        let (door, now) = (door(100, 100), Instant::now());
        let came = (0..20)
            .filter(|_| enter(&door, host(1), now).is_some())
            .count();
        assert_eq!((came, door.counters().turned_away), (10, 10));
        assert!(enter(&door, host(2), now).is_some());
        assert!(enter(&door, host(1), now + Duration::from_secs(1)).is_some());
        let proxy: IpAddr = "10.0.0.9".parse().unwrap();
        assert!(
            (0..20).all(|_| enter(&door, proxy, now).is_some()),
            "it brings many people"
        );
    }

    #[test]
    fn who_asks_too_much_waits_and_others_do_not() {
        let limits = Limits {
            address_requests_per_second: NonZeroU32::new(2).unwrap(),
            ..Limits::default()
        };
        let (door, now) = (Door::new(&limits, Vec::new()), Instant::now());
        let (one, other) = (Sharing::of(host(1)), Sharing::of(host(2)));
        assert!((0..40).all(|_| door.request(one, now).is_ok()));
        assert_eq!(door.request(one, now), Err(Duration::from_millis(500)));
        assert_eq!(door.request(other, now), Ok(()));
        let later = now + Duration::from_millis(500);
        assert_eq!(door.request(one, later), Ok(()));
        assert_eq!(door.counters().refused, 1);
    }

    #[test]
    fn a_neighbour_who_floods_keeps_nobody_of_the_same_network_out() {
        let (door, now) = (door(1_000, 100), Instant::now());
        let neighbour = |host| std::net::Ipv6Addr::from(host).into();
        let came = (0..50).filter_map(|_| enter(&door, neighbour(7_u128), now));
        assert_eq!(came.collect::<Vec<_>>().len(), 10);
        assert!(enter(&door, neighbour(8), now).is_some());
        // One machine may have any number of addresses.
        let came = (100..400).filter_map(|host| enter(&door, neighbour(host), now));
        assert_eq!(came.collect::<Vec<_>>().len(), 16 * 10 - 11);
    }
}

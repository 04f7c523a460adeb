//! Signature checks, by who causes them: a burst is free, then so many a second.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use signaling::limit::{Meter, Rate};
use signaling::{AddressGroup, Sharing};

use super::lock;

/// What one group of addresses may cause: a club that logs in together at once, and after that a
/// few hundredths of a small computer's time.
const RATE: Rate = Rate::per_second(100, 1_000);

/// Groups of addresses that are remembered; who has the most left gives up the place.
const MOST: usize = 4_096;

/// What everybody caused lately.
#[derive(Debug, Default)]
pub struct Checks(Mutex<HashMap<AddressGroup, Meter>>);

impl Checks {
    /// Takes so many checks from what somebody there may cause.
    ///
    /// # Errors
    /// How long to wait until they could be taken.
    pub fn take(&self, from: Sharing, checks: usize, now: Instant) -> Result<(), Duration> {
        let mut groups = lock(&self.0);
        from.groups().try_for_each(|(group, times)| {
            Self::take_from(&mut groups, group, RATE.times(times), checks, now)
        })
    }

    fn take_from(
        groups: &mut HashMap<AddressGroup, Meter>,
        group: AddressGroup,
        rate: Rate,
        checks: usize,
        now: Instant,
    ) -> Result<(), Duration> {
        let checks = u32::try_from(checks).unwrap_or(u32::MAX).min(RATE.burst());
        if groups.len() >= MOST && !groups.contains_key(&group) {
            groups.retain(|_, meter| meter.whole_at() > now);
            let least = groups.iter().min_by_key(|(_, meter)| meter.whole_at());
            if let Some(group) = least.map(|(group, _)| *group)
                && groups.len() >= MOST
            {
                groups.remove(&group);
            }
        }
        let meter = groups.entry(group).or_insert_with(|| Meter::new(now));
        meter.spend(checks, rate, now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn group(number: u32) -> Sharing {
        Sharing::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn a_burst_is_free_and_others_are_not_concerned() {
        let (checks, now) = (Checks::default(), Instant::now());
        assert_eq!(checks.take(group(1), 999, now), Ok(()));
        assert_eq!(checks.take(group(1), 1, now), Ok(()));
        let wait = checks.take(group(1), 10, now).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert_eq!(checks.take(group(2), 10, now), Ok(()));
        assert_eq!(checks.take(group(1), 10, now + wait), Ok(()));
        assert!(
            checks.take(group(3), usize::MAX, now).is_ok(),
            "at most the burst"
        );
    }

    #[test]
    fn a_flood_of_addresses_costs_bounded_memory_and_frees_nobody() {
        let (checks, now) = (Checks::default(), Instant::now());
        checks.take(group(0), 1_000, now).unwrap();
        for number in 1..u32::try_from(MOST).unwrap() + 10 {
            checks.take(group(number), 1, now).unwrap();
        }
        assert!(lock(&checks.0).len() <= MOST);
        assert!(checks.take(group(0), 1, now).is_err());
    }
}

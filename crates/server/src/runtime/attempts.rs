//! What failed, by where it came from: some failures are free, then pauses follow that grow.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use signaling::AddressGroup;
use signaling::limit::{Meter, Rate};

use super::lock;

/// Failures that cost no pause.
const FREE: Rate = Rate::per_minute(10, 10);

/// The first pause; every further one is twice as long.
const SHORTEST: Duration = Duration::from_secs(60);

/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Who has not failed for so long starts anew.
const FORGOTTEN: Duration = Duration::from_secs(2 * 60 * 60);

/// Groups of addresses that are remembered; who failed longest ago gives up the place.
const MOST: usize = 4_096;

/// The failures of everybody.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<AddressGroup, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    meter: Meter,
    last: Instant,
    pause: Duration,
    /// The end of the last pause.
    until: Option<Instant>,
}

impl Attempts {
    /// Whether somebody may try.
    ///
    /// # Errors
    /// How long they must wait.
    pub fn may_try(&self, group: AddressGroup, now: Instant) -> Result<(), Duration> {
        let groups = lock(&self.0);
        let paused = groups.get(&group).and_then(|failures| failures.until);
        match paused.map(|until| until.saturating_duration_since(now)) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    /// Counts a failure.
    pub fn failed(&self, group: AddressGroup, now: Instant) {
        let mut groups = lock(&self.0);
        if groups.len() >= MOST && !groups.contains_key(&group) {
            let longest_ago = groups.iter().min_by_key(|(_, failures)| failures.last);
            if let Some(group) = longest_ago.map(|(group, _)| *group) {
                groups.remove(&group);
            }
        }
        let failures = groups.entry(group).or_insert_with(|| Failures::none(now));
        if now.saturating_duration_since(failures.last) > FORGOTTEN {
            *failures = Failures::none(now);
        }
        failures.last = now;
        if failures.meter.spend(1, FREE, now).is_err() {
            failures.pause = (failures.pause * 2).clamp(SHORTEST, LONGEST);
            failures.until = Some(now + failures.pause);
        }
    }
}

impl Failures {
    fn none(now: Instant) -> Self {
        Self {
            meter: Meter::new(now),
            last: now,
            pause: Duration::ZERO,
            until: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn group(number: u32) -> AddressGroup {
        AddressGroup::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn ten_failures_are_free_and_then_the_pauses_grow() {
        let (attempts, mut now) = (Attempts::default(), Instant::now());
        attempts.failed(group(3), now + SHORTEST);
        assert_eq!(
            attempts.may_try(group(3), now),
            Ok(()),
            "asked a bit earlier"
        );
        let fail = |now: Instant| {
            attempts.failed(group(1), now);
            attempts.may_try(group(1), now)
        };
        for _ in 0..10 {
            assert_eq!(fail(now), Ok(()));
        }
        for pause in [SHORTEST, SHORTEST * 2, SHORTEST * 4] {
            assert_eq!(fail(now), Err(pause));
            assert_eq!(attempts.may_try(group(2), now), Ok(()), "somebody else");
            now += pause;
            assert_eq!(attempts.may_try(group(1), now), Ok(()));
            for _ in 0..10 {
                assert_eq!(fail(now), Ok(()));
            }
        }
        assert_eq!(fail(now), Err(SHORTEST * 8));
        now += FORGOTTEN + SHORTEST;
        for _ in 0..10 {
            assert_eq!(fail(now), Ok(()));
        }
        assert_eq!(fail(now), Err(SHORTEST));
    }

    #[test]
    fn a_flood_costs_bounded_memory() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..u32::try_from(MOST).unwrap() + 10 {
            attempts.failed(group(number), now + Duration::from_millis(number.into()));
        }
        assert_eq!(lock(&attempts.0).len(), MOST);
        assert!(!lock(&attempts.0).contains_key(&group(0)));
    }
}

//! Budgets on what one client may cost: the generic cell rate algorithm, told the time.

use std::time::{Duration, Instant};

/// A rate with a burst: one number of state, no refilling timer.
///
/// `due` is when the budget would be whole again; each unit spent moves it by the time one unit
/// takes to come back, and it may lie at most the whole burst ahead of now.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    due: Instant,
}

/// How much a [`Meter`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Units in `per`, sustained.
    pub units: u32,
    /// The time `units` take to come back.
    pub per: Duration,
    /// Units that may be spent at once.
    pub burst: u32,
}

impl Rate {
    /// So many a minute, and so many at once.
    #[must_use]
    pub const fn per_minute(units: u32, burst: u32) -> Self {
        let per = Duration::from_secs(60);
        Self { units, per, burst }
    }

    /// So many a second, and so many at once.
    #[must_use]
    pub const fn per_second(units: u32, burst: u32) -> Self {
        let per = Duration::from_secs(1);
        Self { units, per, burst }
    }

    /// So many times as much.
    #[must_use]
    pub const fn times(self, times: u32) -> Self {
        Self {
            units: self.units.saturating_mul(times),
            per: self.per,
            burst: self.burst.saturating_mul(times),
        }
    }
}

impl Meter {
    /// A whole budget.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { due: now }
    }

    /// When the whole budget is there again.
    #[must_use]
    pub fn whole_at(&self) -> Instant {
        self.due
    }

    /// Spends `units`, or says how long to wait until they could be.
    ///
    /// # Errors
    /// The time until the same spending would succeed. Nothing is spent then.
    pub fn spend(&mut self, units: u32, rate: Rate, now: Instant) -> Result<(), Duration> {
        let unit = rate.per / rate.units.max(1);
        let due = self.due.max(now) + unit * units;
        let ahead = due.saturating_duration_since(now);
        let most = unit * rate.burst;
        if ahead > most {
            return Err(ahead - most);
        }
        self.due = due;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        units: 100,
        per: Duration::from_secs(60),
        burst: 10,
    };

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a starting point for virtual time"
    )]
    fn gives_the_burst_then_the_rate() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        for _ in 0..10 {
            assert_eq!(meter.spend(1, RATE, start), Ok(()));
        }
        let wait = meter.spend(1, RATE, start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(600));
        assert_eq!(meter.spend(1, RATE, start + wait), Ok(()));
        assert!(meter.spend(1, RATE, start + wait).is_err());
        let whole = start + Duration::from_secs(60);
        assert_eq!(meter.spend(10, RATE, whole), Ok(()));
        assert!(meter.spend(1, RATE, whole).is_err());
    }
}

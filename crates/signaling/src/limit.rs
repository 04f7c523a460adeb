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
    units: u32,
    burst: u32,
    /// The time one unit takes to come back. Worked out once: a meter asks for every message.
    unit: Duration,
    /// The time the whole burst takes.
    most: Duration,
}

impl Rate {
    /// So many units in that time, sustained, and so many at once.
    #[must_use]
    pub const fn new(units: u32, per: Duration, burst: u32) -> Self {
        // Zero units come back as one does.
        let unit = match per.checked_div(units) {
            Some(unit) => unit,
            None => per,
        };
        let most = unit.saturating_mul(burst);
        Self {
            units,
            burst,
            unit,
            most,
        }
    }

    /// So many a minute, and so many at once.
    #[must_use]
    pub const fn per_minute(units: u32, burst: u32) -> Self {
        Self::new(units, Duration::from_secs(60), burst)
    }

    /// So many a second, and so many at once.
    #[must_use]
    pub const fn per_second(units: u32, burst: u32) -> Self {
        Self::new(units, Duration::from_secs(1), burst)
    }

    /// Units that come back in the rate's time.
    #[must_use]
    pub const fn units(&self) -> u32 {
        self.units
    }

    /// Units that may be spent at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// The time one unit takes to come back.
    #[must_use]
    pub const fn unit(&self) -> Duration {
        self.unit
    }

    /// So many times as much.
    #[must_use]
    pub const fn times(self, times: u32) -> Self {
        match self.unit.checked_div(times) {
            Some(unit) if times > 1 => Self {
                units: self.units.saturating_mul(times),
                burst: self.burst.saturating_mul(times),
                unit,
                most: self.most,
            },
            _ => self,
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
        let cost = match units {
            1 => rate.unit,
            _ => rate.unit * units,
        };
        let due = self.due.max(now) + cost;
        let latest = now + rate.most;
        if due > latest {
            return Err(due - latest);
        }
        self.due = due;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::per_minute(100, 10);

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

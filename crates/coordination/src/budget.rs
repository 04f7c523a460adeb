//! Budgets on what others may cost: the generic cell rate algorithm, told the time.

use std::time::{Duration, Instant};

/// How much a [`Meter`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Units a second, sustained.
    pub per_second: u32,
    /// Units that may be spent at once.
    pub burst: u32,
}

/// A rate with a burst: one number of state, no refilling timer.
///
/// `due` is when the budget would be whole again. Each unit spent moves it by the time one unit takes to
/// come back, and it may lie at most the whole burst ahead of now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    due: Instant,
}

impl Meter {
    /// A whole budget.
    pub(crate) fn new(now: Instant) -> Self {
        Self { due: now }
    }

    /// Spends `units`, or says when they could be. More than the burst can be spent when the budget is
    /// whole, and is then paid off.
    pub(crate) fn spend(&mut self, units: usize, rate: Rate, now: Instant) -> Result<(), Instant> {
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let time = |units: u32| {
            let nanos = u64::from(units) * 1_000_000_000 / u64::from(rate.per_second.max(1));
            Duration::from_nanos(nanos)
        };
        let from = self.due.max(now);
        let over = from + time(units.min(rate.burst));
        let allowed = now + time(rate.burst);
        if over > allowed {
            return Err(now + (over - allowed));
        }
        self.due = from + time(units);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    fn gives_the_burst_then_the_rate() {
        let rate = Rate {
            per_second: 10,
            burst: 5,
        };
        let start = Instant::now();
        let mut meter = Meter::new(start);
        assert_eq!(meter.spend(5, rate, start), Ok(()));
        let next = start + Duration::from_millis(100);
        assert_eq!(meter.spend(1, rate, start), Err(next));
        assert_eq!(meter.spend(1, rate, next), Ok(()));
        assert!(meter.spend(1, rate, next).is_err());
        let whole = start + Duration::from_secs(60);
        assert_eq!(
            meter.spend(20, rate, whole),
            Ok(()),
            "more than the burst, once"
        );
        let paid = whole + Duration::from_millis(1_600);
        assert_eq!(meter.spend(1, rate, whole), Err(paid));
    }
}

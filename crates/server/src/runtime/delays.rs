//! How long things took, counted by classes: a histogram as Prometheus draws it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the classes, in microseconds. Longer ones are in a class of their own.
const UP_TO: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000,
];

/// Durations seen so far. They are counted without a lock.
#[derive(Debug, Default)]
pub struct Delays {
    classes: [AtomicU64; UP_TO.len() + 1],
    microseconds: AtomicU64,
}

/// [`Delays`] at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// The upper end of each class but the last, and how many took at most so long.
    pub up_to: Vec<(Duration, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long they took together.
    pub sum: Duration,
}

impl Delays {
    /// Counts one more.
    pub(super) fn count(&self, delay: Duration) {
        let microseconds = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        let class = UP_TO.partition_point(|&most| most < microseconds);
        if let Some(class) = self.classes.get(class) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn histogram(&self) -> Histogram {
        let mut count = 0;
        let mut totals = self.classes.iter().map(|class| {
            count += class.load(Ordering::Relaxed);
            count
        });
        let up_to = UP_TO.into_iter().map(Duration::from_micros);
        let up_to = up_to.zip(totals.by_ref()).collect();
        totals.for_each(drop);
        Histogram {
            up_to,
            count,
            sum: Duration::from_micros(self.microseconds.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_every_class_that_it_fits() {
        let delays = Delays::default();
        for microseconds in [50, 51, 3_000_000] {
            delays.count(Duration::from_micros(microseconds));
        }
        let seen = delays.histogram();
        assert_eq!(seen.up_to[0], (Duration::from_micros(50), 1));
        assert_eq!(seen.up_to[1], (Duration::from_micros(100), 2));
        assert_eq!(seen.up_to.last().unwrap().1, 2);
        assert_eq!(
            (seen.count, seen.sum),
            (3, Duration::from_micros(3_000_101))
        );
    }
}

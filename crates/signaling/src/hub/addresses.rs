//! What is charged to an address: to whoever has it, and among neighbours to their network as well.

use std::time::{Duration, Instant};

use super::Limits;
use super::accounts::Accounts;
use crate::limit::Rate;
use crate::origin::{AddressGroup, Sharing};

/// The accounts of all addresses.
#[derive(Debug, Default)]
pub(super) struct Addresses(Accounts<AddressGroup>);

impl Addresses {
    /// A connection comes from there.
    pub(super) fn enter(&mut self, from: Sharing, now: Instant) {
        for (group, _) in from.groups() {
            self.0.enter(group, now);
        }
    }

    /// It ends.
    pub(super) fn leave(&mut self, from: Sharing, now: Instant) {
        for (group, _) in from.groups() {
            self.0.leave(group, now);
        }
    }

    /// Whether one address's connections are `most` already, or those of its network are too many.
    pub(super) fn crowded(&self, from: Sharing, most: usize) -> bool {
        from.groups().any(|(group, times)| {
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            self.0.users(group) >= most.saturating_mul(times)
        })
    }

    /// Charges a message.
    ///
    /// # Errors
    /// The time until it could be charged.
    pub(super) fn charge(
        &mut self,
        from: Sharing,
        rate: Rate,
        now: Instant,
    ) -> Result<(), Duration> {
        from.groups()
            .try_for_each(|(group, times)| self.0.charge(group, rate.times(times), now))
    }

    /// Somebody there did what nobody does by mistake so often. Whether a pause begins.
    pub(super) fn offend(&mut self, from: Sharing, limits: &Limits, now: Instant) -> bool {
        let mut pauses = false;
        for (group, times) in from.groups() {
            let limits = Limits {
                offences: limits.offences.times(times),
                ..*limits
            };
            pauses |= self.0.offend(group, &limits, now).is_some();
        }
        pauses
    }

    /// How long somebody there must still pause, if they must.
    pub(super) fn paused(&self, from: Sharing, now: Instant) -> Option<Duration> {
        from.groups()
            .filter_map(|(group, _)| self.0.paused(group, now))
            .max()
    }
}

//! One meter for each address, while it is needed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use signaling::limit::{Meter, Rate};
use signaling::{AddressGroup, Sharing};

/// Meters that are kept without a look whether they are still needed.
const FEW: usize = 256;

/// Meters that are kept at most.
const MOST: usize = 10_000;

/// What each address has spent lately.
#[derive(Debug, Default)]
pub(super) struct Meters {
    groups: BTreeMap<AddressGroup, Meter>,
    /// At how many the whole ones are thrown away.
    sweep_at: usize,
}

impl Meters {
    /// Charges something to an address, and among neighbours to their network.
    ///
    /// # Errors
    /// The time until it could be charged.
    pub(super) fn charge(
        &mut self,
        from: Sharing,
        rate: Rate,
        now: Instant,
    ) -> Result<(), Duration> {
        if self.groups.len() >= self.sweep_at.max(FEW) {
            self.groups.retain(|_, meter| meter.whole_at() > now);
            if self.groups.len() >= MOST {
                // Better to forget who came than to remember without bound.
                self.groups.clear();
            }
            self.sweep_at = (2 * self.groups.len()).min(MOST);
        }
        from.groups().try_for_each(|(group, times)| {
            let meter = self.groups.entry(group);
            let meter = meter.or_insert_with(|| Meter::new(now));
            meter.spend(1, rate.times(times), now)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn a_flood_of_addresses_costs_bounded_memory() {
        let (mut meters, now) = (Meters::default(), Instant::now());
        for network in 0..25_000_u128 {
            let address = Ipv6Addr::from((0xfd00 << 112) | (network << 64) | 1);
            let from = Sharing::of(address.into());
            assert!(meters.charge(from, Rate::per_second(1, 1), now).is_ok());
        }
        assert!(meters.groups.len() <= MOST);
    }
}

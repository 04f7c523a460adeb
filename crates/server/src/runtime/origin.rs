//! Where connections come from, in the hub's words.

use signaling::Origin;
use station::Zone;

use crate::network::Ends;

/// Where a connection without a proxy comes from.
pub(super) fn of(ends: Ends, zone: Zone) -> Origin {
    Origin::direct(ends.local.ip(), ends.remote.ip(), zone)
}

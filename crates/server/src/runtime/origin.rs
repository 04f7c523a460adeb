//! Where connections come from, in the hub's words.

use signaling::{Origin, SocketEnds};
use station::Zone;

use crate::network::Ends;

/// Where a connection comes from. With a proxy at its other end, what the socket's addresses tell is about
/// the proxy, and is not used.
pub(super) fn of(ends: Ends, zone: Zone) -> Origin {
    let socket = SocketEnds {
        local: ends.local.ip(),
        remote: ends.remote.ip(),
    };
    Origin {
        sharing: ends.sharing(),
        zone,
        ends: ends.client.is_none().then_some(socket),
    }
}

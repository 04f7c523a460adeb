//! How many connections the system lets this program have.

use std::num::NonZeroU32;

use crate::config::Limits;

/// Files that are open beside the connections: the database, the sockets listened on, what is read now.
const OTHER_FILES: u64 = 128;

/// Raises the number of files the system lets this process open as far as it may be, and lowers the limit on
/// connections to what that allows.
#[must_use]
pub fn within_open_files(limits: Limits) -> Limits {
    let beside = u64::from(limits.requests.get()) + OTHER_FILES;
    let wanted = u64::from(limits.connections.get()) + beside;
    let allowed = rlimit::increase_nofile_limit(wanted).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit on open files cannot be raised");
        wanted
    });
    if allowed >= wanted {
        return limits;
    }
    let room = u32::try_from(allowed.saturating_sub(beside)).unwrap_or(u32::MAX);
    let connections = NonZeroU32::new(room).unwrap_or(NonZeroU32::MIN);
    tracing::warn!(
        "the system allows {allowed} open files: at most {connections} people can be connected"
    );
    Limits {
        connections,
        ..limits
    }
}

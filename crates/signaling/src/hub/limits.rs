//! What clients may cost.

use std::time::Duration;

use crate::limit::Rate;

/// Bounds on what clients may cost, with the defaults of the protocol description.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections, and sessions without one, at once; more are turned away.
    pub sessions: usize,
    /// Messages of one client.
    pub messages: Rate,
    /// Bytes of one client.
    pub bytes: Rate,
    /// Messages over the rate, in a row, until the connection is closed.
    pub strikes: u32,
    /// Failed logins until the connection is closed.
    pub failed_logins: u32,
    /// Time to register in.
    pub register_within: Duration,
    /// Silence after which the server pings.
    pub ping_after: Duration,
    /// Silence after which the connection is closed.
    pub idle_after: Duration,
    /// People on one page of a list.
    pub page: usize,
    /// Calls one session is in at once; the oldest gives way.
    pub calls: usize,
    /// Sessions in a net up to which everybody is told of every change at once.
    pub at_once: usize,
    /// In larger nets: the time over which changes are gathered and then told together.
    pub gather: Duration,
    /// The same when telling costs much: at most so long.
    pub gather_at_most: Duration,
    /// Of those who came, and of those who left, so many are named to every member of a large net; who
    /// wants to know the others reads the list.
    pub named: usize,
    /// Names a second that a large net's members are told, all together.
    pub namings: u32,
    /// Time that a session waits for its client after the connection broke.
    pub keep_dropped: Duration,
    /// Frames of one session that are kept because they may not have arrived.
    pub kept_frames: usize,
    /// Bytes of these frames.
    pub kept_bytes: usize,
    /// Candidates from one end to the other for one offer.
    pub candidates: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 10_000,
            messages: Rate {
                units: 100,
                per: Duration::from_secs(60),
                burst: 100,
            },
            bytes: Rate {
                units: 1_000_000,
                per: Duration::from_secs(1),
                burst: 1_000_000,
            },
            strikes: 20,
            failed_logins: 3,
            register_within: Duration::from_secs(10),
            ping_after: Duration::from_secs(10),
            idle_after: Duration::from_secs(30),
            page: 50,
            calls: 64,
            at_once: 50,
            gather: Duration::from_millis(250),
            gather_at_most: Duration::from_secs(10),
            named: 50,
            namings: 20_000,
            keep_dropped: Duration::from_secs(60),
            kept_frames: 256,
            kept_bytes: 128 * 1024,
            candidates: 50,
        }
    }
}

//! What clients may cost.

use std::time::Duration;

use crate::limit::Rate;

/// Bounds on what clients may cost, with the defaults of the protocol description.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections, and sessions without one, at once; more are turned away.
    pub sessions: usize,
    /// Connections from one address, or one IPv6 network of 64 bits, at once.
    pub address_connections: usize,
    /// Messages of one connection.
    pub messages: Rate,
    /// Bytes of one connection.
    pub bytes: Rate,
    /// WebSocket pings and pongs on one connection; more close it.
    pub controls: Rate,
    /// Messages of all connections from one address.
    pub address_messages: Rate,
    /// Messages of all sessions of one key.
    pub identity_messages: Rate,
    /// Offers on one connection.
    pub offers: Rate,
    /// Changes of nets on one connection.
    pub moves: Rate,
    /// Offers, answers and candidates in one net.
    pub net_signals: Rate,
    /// Sessions that come into one net.
    pub net_arrivals: Rate,
    /// Messages over the rate, in a row, until the connection is closed.
    pub strikes: u32,
    /// Failed logins until the connection is closed.
    pub failed_logins: u32,
    /// Failed logins, and connections closed for what they did, from one address until it is paused.
    pub offences: Rate,
    /// The first pause, in which nobody new from that address comes in; each one after is twice as long.
    pub pause: Duration,
    /// The longest pause; who keeps still for so long after one begins with the first again.
    pub pause_at_most: Duration,
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
    /// Bytes kept for one session from which on its client is asked whether they arrived, by a ping.
    pub unconfirmed: usize,
    /// Bytes of signals from one address, or from one other server, that may be under way to one session: sent, and not known to
    /// have arrived. Each counts for 256 at least; the one that goes beyond it is the last.
    pub under_way_from_one: usize,
    /// Bytes of signals from anybody that may be under way to one session, in the same way.
    pub under_way: usize,
    /// Frames of one session that are kept because they may not have arrived.
    pub kept_frames: usize,
    /// Bytes of these frames.
    pub kept_bytes: usize,
    /// Bytes of these frames over all sessions. Beyond it every session keeps its even share at most.
    pub kept_in_all: usize,
    /// Candidates from one end to the other for one offer.
    pub candidates: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 10_000,
            address_connections: 256,
            messages: Rate::per_minute(100, 100),
            bytes: Rate::per_second(1_000_000, 1_000_000),
            controls: Rate::per_minute(120, 60),
            address_messages: Rate::per_minute(3_000, 3_000),
            identity_messages: Rate::per_minute(300, 300),
            offers: Rate::per_minute(30, 30),
            moves: Rate::per_minute(20, 10),
            net_signals: Rate::per_second(5_000, 10_000),
            net_arrivals: Rate::per_second(1_000, 10_000),
            strikes: 20,
            failed_logins: 3,
            offences: Rate::per_minute(10, 10),
            pause: Duration::from_secs(5),
            pause_at_most: Duration::from_secs(15 * 60),
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
            unconfirmed: 8 * 1024,
            under_way_from_one: 64 * 1024,
            under_way: 256 * 1024,
            // All signals that may be under way, and as much again.
            kept_frames: 2_048,
            kept_bytes: 512 * 1024,
            kept_in_all: 64 * 1024 * 1024,
            candidates: 50,
        }
    }
}

//! Signals on their way to one session: sent, and not known to have arrived. Who sleeps, or has a bad network, takes
//! nothing for a while, and what others send must then neither fill up the queue until it is closed nor push out of it what
//! others have to say. So each source has a share, and all of them together have one.

use std::collections::VecDeque;

use station::Fingerprint;

use super::{Hub, Limits};
use crate::message::{Body, ClientId, ErrorCode};
use crate::origin::AddressGroup;

/// Whose signals count together: one machine can open any number of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Sessions here, by where they come from.
    Address(AddressGroup),
    /// Sessions at another server.
    Server(Fingerprint),
}

/// The signals under way to one session, the oldest first.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    signals: VecDeque<Signal>,
    /// What they count for.
    bytes: usize,
}

#[derive(Debug)]
struct Signal {
    /// Its number among the session's frames.
    seq: u64,
    source: Source,
    counts: usize,
}

impl UnderWay {
    /// One more is sent.
    fn add(&mut self, seq: u64, source: Source, bytes: usize) {
        let counts = bytes.max(LEAST);
        self.bytes += counts;
        self.signals.push_back(Signal {
            seq,
            source,
            counts,
        });
    }

    /// What was sent up to a number has arrived.
    pub(super) fn arrived(&mut self, seq: u64) {
        while let Some(signal) = self.signals.front().filter(|signal| signal.seq <= seq) {
            self.bytes -= signal.counts;
            self.signals.pop_front();
        }
        if self.signals.is_empty() {
            // Most sessions are idle most of the time, and need no memory for this.
            self.signals = VecDeque::new();
        }
    }

    /// What they count for.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn has_room(&self, source: Source, limits: &Limits) -> bool {
        if self.bytes < limits.under_way_from_one.min(limits.under_way) {
            return true;
        }
        let same = self.signals.iter().filter(|signal| signal.source == source);
        let same: usize = same.map(|signal| signal.counts).sum();
        same < limits.under_way_from_one && self.bytes < limits.under_way
    }
}

impl Hub {
    /// Whether a signal may be sent to somebody; if not, its sender is told. Who is at another server is that one's to
    /// look after.
    pub(super) fn may_send_signal(
        &mut self,
        from: ClientId,
        to: ClientId,
        reply_to: Option<&str>,
    ) -> bool {
        let source = self.source(from);
        let has_room = |under_way: &UnderWay| {
            source.is_none_or(|source| under_way.has_room(source, &self.limits))
        };
        let session = self.sessions.get(to);
        if session.is_none_or(|session| has_room(&session.under_way)) {
            return true;
        }
        let error = "what was sent to them before has not arrived yet; try again in some seconds";
        self.refuse(from, ErrorCode::TargetBusy, error, reply_to);
        false
    }

    /// Sends a signal to somebody here.
    pub(super) fn send_signal(&mut self, from: ClientId, to: ClientId, body: Body) {
        let source = self.source(from);
        let bytes = body.size();
        if let (Some(source), Some(session)) = (source, self.sessions.get_mut(to)) {
            let seq = session.kept.sent() + 1;
            session.under_way.add(seq, source, bytes);
        }
        self.send_body(to, body, None);
    }

    fn source(&self, from: ClientId) -> Option<Source> {
        let here = self.sessions.get(from);
        let here = here.map(|session| Source::Address(session.origin.sharing.group));
        let there = || Some(Source::Server(self.elsewhere.server_of(from)?.id));
        here.or_else(there)
    }
}

/// What a signal counts for at least: it takes room beside its bytes.
const LEAST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_a_share_and_all_have_one() {
        let limits = Limits {
            under_way_from_one: 2 * LEAST,
            under_way: 3 * LEAST,
            ..Limits::default()
        };
        let [one, two, three] = [1, 2, 3].map(|host| {
            let address = std::net::Ipv4Addr::new(192, 168, 1, host);
            Source::Address(AddressGroup::of(address.into()))
        });
        let mut under_way = UnderWay::default();
        under_way.add(4, one, 1);
        assert!(under_way.has_room(one, &limits));
        under_way.add(7, one, 1);
        assert!(!under_way.has_room(one, &limits));
        under_way.add(8, two, 10_000);
        assert!(!under_way.has_room(three, &limits));
        under_way.arrived(7);
        assert_eq!(under_way.bytes(), 10_000);
        under_way.arrived(9);
        assert_eq!(under_way.bytes(), 0);
        assert!(under_way.has_room(one, &limits));
    }
}

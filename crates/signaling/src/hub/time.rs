//! What happens when nothing does: silence is asked about and then ended, gathered news is told, and
//! who dropped out and did not come back is gone.
//!
//! Invariant: nothing is due before [`Hub::deadline`]. Every connection has one timer, which may go off before
//! anything is due, because the client was heard since; so has every session without a connection, and every net
//! with news, which go off exactly then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::connection::{Phase, Silence};
use super::{CloseCode, Command, ConnectionId, Hub};
use crate::message::{ClientId, ErrorCode};
use crate::origin::{AddressGroup, Sharing};

/// When something is due, for whom.
#[derive(Debug, Default)]
pub(super) struct Timers {
    connections: BTreeSet<(Instant, ConnectionId)>,
    dropped: BTreeSet<(Instant, ClientId)>,
    /// The same by where they came from.
    dropped_from: BTreeMap<AddressGroup, BTreeSet<(Instant, ClientId)>>,
}

impl Timers {
    fn set(&mut self, connection: ConnectionId, before: Option<Instant>, due: Instant) {
        self.clear(connection, before);
        self.connections.insert((due, connection));
    }

    pub(super) fn clear(&mut self, connection: ConnectionId, due: Option<Instant>) {
        if let Some(due) = due {
            self.connections.remove(&(due, connection));
        }
    }

    pub(super) fn keep_until(&mut self, client: ClientId, from: Sharing, until: Instant) {
        self.dropped.insert((until, client));
        for (group, _) in from.groups() {
            let others = self.dropped_from.entry(group).or_default();
            others.insert((until, client));
        }
    }

    pub(super) fn keep_no_longer(
        &mut self,
        client: ClientId,
        from: Sharing,
        until: Option<Instant>,
    ) {
        let Some(until) = until else { return };
        self.dropped.remove(&(until, client));
        for (group, _) in from.groups() {
            if let Some(others) = self.dropped_from.get_mut(&group) {
                others.remove(&(until, client));
                if others.is_empty() {
                    self.dropped_from.remove(&group);
                }
            }
        }
    }

    /// Who waits longest where more than `most` wait for one address, or too many for its network.
    pub(super) fn too_many_dropped(&self, from: Sharing, most: usize) -> Option<ClientId> {
        from.groups().find_map(|(group, times)| {
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            let waiting = self.dropped_from.get(&group)?;
            let (_, longest) = waiting.first()?;
            (waiting.len() > most.saturating_mul(times)).then_some(*longest)
        })
    }

    /// How many sessions have no connection.
    pub(super) fn dropped(&self) -> usize {
        self.dropped.len()
    }

    pub(super) fn longest_dropped(&self) -> Option<ClientId> {
        self.dropped.first().map(|&(_, client)| client)
    }
}

impl Hub {
    /// Time has passed: pings, closes the silent, ends the dropped, tells gathered news. Call at
    /// [`Hub::deadline`].
    pub fn tick(&mut self, now: Instant) {
        while let Some(&(due, connection)) = self.timers.connections.first()
            && due <= now
        {
            self.look_after(connection, now);
        }
        while let Some(&(until, client)) = self.timers.dropped.first()
            && until <= now
        {
            self.end_session(client, now);
        }
        while let Some((net, news)) = self.nets.take_news(&self.limits, now) {
            self.tell_news(&net, &news);
        }
    }

    /// When [`Hub::tick`] next has something to do; never while nobody is here.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let silence = self.timers.connections.first().map(|&(due, _)| due);
        let dropped = self.timers.dropped.first().map(|&(until, _)| until);
        [silence, dropped, self.nets.due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Sets a connection's timer, unless it goes off before: then it is set anew when it does. So who is heard
    /// often costs no timer for each frame.
    pub(super) fn set_timer(&mut self, connection: ConnectionId) {
        if let Some(there) = self.connections.get_mut(connection) {
            if there.wakes_in_time(&self.limits) {
                return;
            }
            let due = there.due(&self.limits);
            let before = there.timer.replace(due);
            self.timers.set(connection, before, due);
        }
    }

    fn look_after(&mut self, connection: ConnectionId, now: Instant) {
        let Some(there) = self.connections.get_mut(connection) else {
            return;
        };
        let went_off = there.timer.take();
        self.timers.clear(connection, went_off);
        match there.silence(&self.limits, now) {
            Silence::Fine => {}
            Silence::Ping => {
                if let Phase::In(client) = there.phase
                    && let Some(session) = self.sessions.get(client)
                {
                    there.sent_before_ping.get_or_insert(session.kept.sent());
                }
                self.commands.push_back(Command::Ping { connection });
            }
            Silence::Over(error) => {
                self.refuse(connection, ErrorCode::Idle, error, None);
                self.hang_up_connection(connection, CloseCode::Policy);
                return self.disconnected(connection, now);
            }
        }
        self.set_timer(connection);
    }
}

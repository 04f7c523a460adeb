//! What happens when nothing does: silence is asked about and then ended, gathered news is told.
//!
//! Invariant: [`Hub::deadline`] is exactly when something is due. Every session has one timer, moved
//! whenever the client is heard; every net with news to tell has one.

use std::collections::BTreeSet;
use std::time::Instant;

use super::session::Silence;
use super::{CloseCode, Command, Hub};
use crate::message::{ClientId, ErrorCode};

/// The sessions by when something is due for them.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Instant, ClientId)>);

impl Timers {
    fn set(&mut self, client: ClientId, before: Option<Instant>, due: Instant) {
        if let Some(before) = before {
            self.0.remove(&(before, client));
        }
        self.0.insert((due, client));
    }

    pub(super) fn clear(&mut self, client: ClientId, due: Option<Instant>) {
        if let Some(due) = due {
            self.0.remove(&(due, client));
        }
    }
}

impl Hub {
    /// Time has passed: pings, closes the silent, tells gathered news. Call at [`Hub::deadline`].
    pub fn tick(&mut self, now: Instant) {
        while let Some(&(due, client)) = self.timers.0.first()
            && due <= now
        {
            self.timers.0.remove(&(due, client));
            self.look_after(client, now);
        }
        while let Some((net, news)) = self.nets.take_news(now) {
            self.tell_news(&net, &news);
        }
    }

    /// When [`Hub::tick`] next has something to do; never while nobody is here.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let timer = self.timers.0.first().map(|&(due, _)| due);
        [timer, self.nets.due()].into_iter().flatten().min()
    }

    pub(super) fn set_timer(&mut self, client: ClientId) {
        if let Some(session) = self.sessions.get_mut(&client) {
            let due = session.due(&self.limits);
            let before = session.timer.replace(due);
            self.timers.set(client, before, due);
        }
    }

    fn look_after(&mut self, client: ClientId, now: Instant) {
        let Some(session) = self.sessions.get_mut(&client) else {
            return;
        };
        match session.silence(&self.limits, now) {
            Silence::Fine => {}
            Silence::Ping => self.commands.push_back(Command::Ping { client }),
            Silence::Over(error) => {
                self.refuse(client, ErrorCode::Idle, error, None);
                return self.close(client, CloseCode::Policy, now);
            }
        }
        self.set_timer(client);
    }
}

//! Coming back: a session whose connection broke goes on on another one, with what was missed.
//!
//! A guest resumes by the token alone. Who has proven a key proves it again, so that a token overheard is
//! worth nothing. Invariant: a session has at most one connection, the one that resumed it last.

use std::time::Instant;

use super::connection::{Application, Phase, Purpose};
use super::{Claimant, CloseCode, Command, ConnectionId, Credentials, Hub};
use crate::message::{ClientId, ErrorCode, Resume, ServerMessage};

impl Hub {
    pub(super) fn resume(
        &mut self,
        connection: ConnectionId,
        resume: Resume<'_>,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        if !matches!(self.phase(connection), Some(Phase::Arrived)) {
            let error = "this connection has a session already";
            return self.refuse(connection, ErrorCode::AlreadyRegistered, error, reply_to);
        }
        if !self.may_try(connection, reply_to, now) {
            return;
        }
        let found = self.tokens.get(&resume.session.selector()).copied();
        let session = found.and_then(|client| Some((client, self.sessions.get(client)?)));
        let Some((client, session)) =
            session.filter(|(_, session)| session.token.is(&resume.session))
        else {
            if found.is_some() {
                // Half a token is not remembered by mistake, while a restart makes all of them unknown.
                self.offend(connection, now);
            }
            return self.expired(connection, reply_to);
        };
        let Some(identity) = session.presence.identity.clone() else {
            return self.go_on(connection, client, resume.last_seq, reply_to, now);
        };
        let (Some(nonce), Some(url)) = (resume.nonce, resume.url) else {
            let error = "an operator resumes with a nonce and the URL you dialled";
            return self.refuse(connection, ErrorCode::BadMessage, error, reply_to);
        };
        let spki = session.spki.clone();
        let purpose = Purpose::Resume {
            client,
            last_seq: resume.last_seq,
        };
        let application = Application::new(purpose, reply_to);
        self.set_phase(connection, Phase::Identifying(application));
        let claimant = Box::new(Claimant {
            credentials: Credentials::Known { identity, spki },
            nonce,
            url,
        });
        self.commands.push_back(Command::Challenge {
            connection,
            claimant,
        });
    }

    /// The connection is the session's from now on, and carries first what was missed. A connection
    /// that still hangs is closed.
    pub(super) fn go_on(
        &mut self,
        connection: ConnectionId,
        client: ClientId,
        last_seq: u64,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        let Some(session) = self.sessions.get_mut(client) else {
            return self.expired(connection, reply_to);
        };
        let missed = session.kept.missed(last_seq);
        let hanging = session.connection.take();
        self.release(client, last_seq);
        if let Some(hanging) = hanging {
            self.forget(hanging, now);
            self.hang_up_connection(hanging, CloseCode::Resumed);
        }
        let Some(missed) = missed else {
            // The client knows now that it must begin anew: nobody comes back for this session.
            self.end_session(client, now);
            return self.expired(connection, reply_to);
        };
        self.counters.resumed += 1;
        let resumed = ServerMessage::Resumed { client_id: client };
        self.send(connection, &resumed, reply_to);
        let origin = self.connections.get(connection).map(|there| there.origin);
        if let (Some(session), Some(origin)) = (self.sessions.get_mut(client), origin) {
            let dropped_from = session.origin.sharing;
            session.origin = origin;
            session.connection = Some(connection);
            let until = session.dropped_until.take();
            self.timers.keep_no_longer(client, dropped_from, until);
        }
        self.set_phase(connection, Phase::In(client));
        self.set_timer(connection);
        for frame in missed {
            self.commands.push_back(Command::Send { connection, frame });
        }
    }

    /// The client may come back for this session for a while. Of one address at most so many sessions wait as it may
    /// have connections: then those that waited longest end.
    pub(super) fn drop_session(&mut self, client: ClientId, now: Instant) {
        let Some(session) = self.sessions.get_mut(client) else {
            return;
        };
        let until = now + self.limits.keep_dropped;
        session.connection = None;
        session.dropped_until = Some(until);
        let from = session.origin.sharing;
        self.timers.keep_until(client, from, until);
        let most = self.limits.address_connections;
        if let Some(longest) = self.timers.too_many_dropped(from, most) {
            self.end_session(longest, now);
        }
    }

    /// Ends the session that has waited longest for its client. False when none waits.
    pub(super) fn end_longest_dropped(&mut self, now: Instant) -> bool {
        let longest = self.timers.longest_dropped();
        if let Some(client) = longest {
            self.end_session(client, now);
        }
        longest.is_some()
    }

    fn expired(&mut self, connection: ConnectionId, reply_to: Option<&str>) {
        let error = "this session is over; send REGISTER";
        self.refuse(connection, ErrorCode::SessionExpired, error, reply_to);
    }
}

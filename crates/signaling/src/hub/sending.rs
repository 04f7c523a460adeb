//! Sending: numbering what is sent, keeping what may not have arrived, saying no.

use std::time::Duration;

use super::connection::Phase;
use super::{Command, ConnectionId, Hub};
use crate::message::{Body, ClientId, ErrorCode, ServerMessage};

impl Hub {
    pub(super) fn send(
        &mut self,
        to: impl Into<Recipient>,
        message: &ServerMessage<'_>,
        reply_to: Option<&str>,
    ) {
        self.send_body(to, message.body(), reply_to);
    }

    /// Numbers a message and sends it; for a session, keeps it until it has surely arrived.
    pub(super) fn send_body(
        &mut self,
        to: impl Into<Recipient>,
        body: Body,
        reply_to: Option<&str>,
    ) {
        let client = match to.into() {
            Recipient::Session(client) => client,
            Recipient::Connection(connection) => {
                let Some(there) = self.connections.get_mut(connection) else {
                    return;
                };
                if let Phase::In(client) = there.phase {
                    client
                } else {
                    there.seq += 1;
                    let frame = body.number(there.seq, reply_to);
                    self.commands.push_back(Command::Send { connection, frame });
                    return;
                }
            }
        };
        // Where all keep too much, everybody has the same share.
        let share = if self.kept > self.limits.kept_in_all {
            self.limits.kept_in_all / self.sessions.len().max(1)
        } else {
            usize::MAX
        };
        if let Some(session) = self.sessions.get_mut(client) {
            self.kept -= session.kept.bytes();
            let frame = session.kept.number(body, reply_to, &self.limits, share);
            self.kept += session.kept.bytes();
            if let Some(connection) = session.connection {
                self.commands.push_back(Command::Send { connection, frame });
                if session.unconfirmed() >= self.limits.unconfirmed {
                    self.ask_whether_much_arrived(client);
                }
            }
        }
    }

    /// Pings a client that much was sent to, unless that was done and not answered yet: the pong says that what was sent
    /// before has arrived.
    pub(super) fn ask_whether_much_arrived(&mut self, client: ClientId) {
        let Some(session) = self.sessions.get(client) else {
            return;
        };
        if session.unconfirmed() >= self.limits.unconfirmed
            && let Some(connection) = session.connection
            && let Some(there) = self.connections.get_mut(connection)
            && there.sent_before_ping.is_none()
        {
            there.sent_before_ping = Some(session.kept.sent());
            self.commands.push_back(Command::Ping { connection });
        }
    }

    pub(super) fn refuse(
        &mut self,
        to: impl Into<Recipient>,
        code: ErrorCode,
        error: &str,
        reply_to: Option<&str>,
    ) {
        self.refuse_with(to, code, error, None, reply_to);
    }

    pub(super) fn refuse_with(
        &mut self,
        to: impl Into<Recipient>,
        code: ErrorCode,
        error: &str,
        details: Option<serde_json::Value>,
        reply_to: Option<&str>,
    ) {
        *self.counters.refused.entry(code).or_default() += 1;
        let to = to.into();
        if let Recipient::Session(client) = to
            && self.elsewhere.holds(client)
        {
            return self.bounce(client, code, error);
        }
        let message = ServerMessage::Error {
            error: error.into(),
            code,
            details,
        };
        self.send(to, &message, reply_to);
    }

    pub(super) fn goodbye(
        &mut self,
        connections: &[ConnectionId],
        reason: &str,
        retry_after: Duration,
    ) {
        let retry_after = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX);
        let reason = reason.into();
        let body = ServerMessage::Goodbye {
            reason,
            retry_after,
        }
        .body()
        .shared();
        for &connection in connections {
            self.send_body(connection, body.clone(), None);
        }
    }

    /// A session's frames up to a number have arrived and need not be kept.
    pub(super) fn release(&mut self, client: ClientId, seq: u64) {
        if let Some(session) = self.sessions.get_mut(client) {
            self.kept -= session.kept.bytes();
            session.kept.release(seq);
            session.under_way.arrived(seq);
            self.kept += session.kept.bytes();
        }
    }
}

/// To whom a message goes: a session, or a connection, whosever it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recipient {
    Connection(ConnectionId),
    Session(ClientId),
}

impl From<ConnectionId> for Recipient {
    fn from(connection: ConnectionId) -> Self {
        Self::Connection(connection)
    }
}

impl From<ClientId> for Recipient {
    fn from(client: ClientId) -> Self {
        Self::Session(client)
    }
}

//! What a frame is charged to before anything is done about it, and what becomes of who goes too far.
//!
//! A frame costs its connection, then its address, then the key it speaks for; an offer and a change of
//! nets cost more, and so does what a whole net has to bear. Only going on over one's own connection's
//! budget ends a session: the others are shared, and nobody is closed for what somebody else does.

use std::time::{Duration, Instant};

use super::connection::OverBudget;
use super::counters::Scope;
use super::sending::Recipient;
use super::{CloseCode, ConnectionId, Hub, Signal};
use crate::message::{ClientId, ErrorCode, Net};

/// What costs a net.
#[derive(Debug, Clone, Copy)]
pub(super) enum Strain {
    /// A signal to one member.
    Signal,
    /// Somebody who comes, of whom every member is told.
    Arrival,
}

impl Hub {
    /// Charges a frame to its sender. False when a budget is empty or the sender is unknown.
    pub(super) fn admit_frame(
        &mut self,
        connection: ConnectionId,
        len: usize,
        now: Instant,
    ) -> bool {
        let limits = &self.limits;
        let Some(there) = self.connections.get_mut(connection) else {
            return false;
        };
        self.counters.received += 1;
        there.heard(now);
        let charged = there.charge(len, limits, now);
        let (from, client) = (there.origin.sharing, there.client());
        if !there.wakes_in_time(limits) {
            self.set_timer(connection);
        }
        if let Err(OverBudget { retry_after, out }) = charged {
            self.refuse_over(connection, Scope::Connection, retry_after, None);
            if out {
                self.close_for_offence(connection, CloseCode::Policy, now);
            }
            return false;
        }
        let address = self
            .addresses
            .charge(from, self.limits.address_messages, now);
        if let Err(retry_after) = address {
            self.refuse_over(connection, Scope::Address, retry_after, None);
            return false;
        }
        let identity = client.and_then(|client| self.presence(client)?.identity.as_ref());
        if let Some(key) = identity.map(|identity| identity.key)
            && let Err(retry_after) = self.keys.charge(key, self.limits.identity_messages, now)
        {
            self.refuse_over(connection, Scope::Identity, retry_after, None);
            return false;
        }
        true
    }

    /// Charges a signal for what it costs beside a frame.
    pub(super) fn admit_signal(
        &mut self,
        connection: ConnectionId,
        client: ClientId,
        signal: &Signal<'_>,
        reply_to: Option<&str>,
        now: Instant,
    ) -> bool {
        let admitted = match signal {
            Signal::Offer(_) => self.admit_offer(connection, reply_to, now),
            Signal::Join(_) => return self.admit_move(connection, reply_to, now),
            Signal::ListPeers(_) => return true,
            Signal::Answer(_) | Signal::IceCandidate(_) => true,
        };
        let Some(session) = self.sessions.get(client).filter(|_| admitted) else {
            return false;
        };
        let net = &session.presence.net;
        let charged = self.nets.charge(net, Strain::Signal, &self.limits, now);
        self.admit_or_refuse(connection, Scope::Net, charged, reply_to)
    }

    /// Charges an offer to its connection.
    fn admit_offer(
        &mut self,
        connection: ConnectionId,
        reply_to: Option<&str>,
        now: Instant,
    ) -> bool {
        let rate = self.limits.offers;
        let there = self.connections.get_mut(connection);
        let charged = there.map_or(Ok(()), |there| there.offers.spend(1, rate, now));
        self.admit_or_refuse(connection, Scope::Offers, charged, reply_to)
    }

    /// Charges a change of nets to its connection.
    fn admit_move(
        &mut self,
        connection: ConnectionId,
        reply_to: Option<&str>,
        now: Instant,
    ) -> bool {
        let rate = self.limits.moves;
        let there = self.connections.get_mut(connection);
        let charged = there.map_or(Ok(()), |there| there.moves.spend(1, rate, now));
        self.admit_or_refuse(connection, Scope::Moves, charged, reply_to)
    }

    /// Charges something to a net.
    pub(super) fn admit_to_net(
        &mut self,
        sender: impl Into<Recipient>,
        net: &Net,
        strain: Strain,
        reply_to: Option<&str>,
        now: Instant,
    ) -> bool {
        let charged = self.nets.charge(net, strain, &self.limits, now);
        self.admit_or_refuse(sender, Scope::Net, charged, reply_to)
    }

    /// Whether somebody at this address may try to come in; if not, they are told.
    pub(super) fn may_try(
        &mut self,
        connection: ConnectionId,
        reply_to: Option<&str>,
        now: Instant,
    ) -> bool {
        let Some(there) = self.connections.get(connection) else {
            return false;
        };
        let paused = self.addresses.paused(there.origin.sharing, now);
        self.admit_or_refuse(
            connection,
            Scope::Address,
            paused.map_or(Ok(()), Err),
            reply_to,
        )
    }

    /// Somebody did what nobody does by mistake so often; they may have to pause.
    pub(super) fn offend(&mut self, connection: ConnectionId, now: Instant) {
        let Some(there) = self.connections.get(connection) else {
            return;
        };
        let from = there.origin.sharing;
        if self.addresses.offend(from, &self.limits, now) {
            self.counters.pauses += 1;
        }
    }

    pub(super) fn close_for_offence(
        &mut self,
        connection: ConnectionId,
        code: CloseCode,
        now: Instant,
    ) {
        self.offend(connection, now);
        self.close(connection, code, now);
    }

    fn admit_or_refuse(
        &mut self,
        sender: impl Into<Recipient>,
        scope: Scope,
        charged: Result<(), Duration>,
        reply_to: Option<&str>,
    ) -> bool {
        match charged {
            Ok(()) => true,
            Err(retry_after) => {
                self.refuse_over(sender, scope, retry_after, reply_to);
                false
            }
        }
    }

    pub(super) fn refuse_over(
        &mut self,
        sender: impl Into<Recipient>,
        scope: Scope,
        retry_after: Duration,
        reply_to: Option<&str>,
    ) {
        *self.counters.limited.entry(scope).or_default() += 1;
        let seconds = retry_after.as_secs_f64().ceil();
        let what = match scope {
            Scope::Connection => "too many messages",
            Scope::Address => "too much comes from your address",
            Scope::Identity => "too many messages from your sessions together",
            Scope::Offers => "too many calls",
            Scope::Moves => "too many changes of nets",
            Scope::Net => "too much is going on in this net",
        };
        let error = format!("{what}; wait {seconds} seconds");
        let details = serde_json::json!({ "retryAfter": seconds, "scope": scope.as_str() });
        let code = ErrorCode::RateLimited;
        self.refuse_with(sender, code, &error, Some(details), reply_to);
    }
}

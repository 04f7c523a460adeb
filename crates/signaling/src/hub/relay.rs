//! Signals: offers, answers and candidates on their way to one other session.
//!
//! Who may start a call says the [`Policy`](crate::Policy); inside a call that it answered everybody may
//! renegotiate.

use std::time::Instant;

use station::KeyId;

use super::session::{Leg, Presence};
use super::{Hub, Refusal, observed};
use crate::message::between;
use crate::message::{
    Answer, Candidate, ClientId, ErrorCode, IceCandidate, Offer, Role, ServerMessage,
};
use crate::origin::Zone;

/// Where the app tells how one becomes an operator.
const LEARN: &str = "/#/licence";

impl Hub {
    pub(super) fn offer(
        &mut self,
        from: ClientId,
        offer: &Offer<'_>,
        brought: Option<&[String]>,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        let Some(to) = self.resolve_or_refuse(from, &offer.target, reply_to) else {
            return;
        };
        let Some(sender) = self.presence(from) else {
            return;
        };
        let in_call = sender.calls.get(&to).is_some_and(|leg| leg.answered);
        let (caller, callee) = (sender.role(), self.role(to));
        if !in_call && !self.policy.may_start_call(caller, callee) {
            let error = "calls are started by licensed operators; you can answer who calls you";
            let details = serde_json::json!({ "learn": LEARN });
            let code = ErrorCode::LicenseRequired;
            return self.refuse_with(from, code, error, Some(details), reply_to);
        }
        if !self.may_send_signal(from, to, reply_to) {
            return;
        }
        let Some(sender) = self.presence(from) else {
            return;
        };
        let chain = brought.or_else(|| sender.chain(offer.statement.as_ref()));
        let onward = self
            .elsewhere
            .holds(to)
            .then(|| between::offer(from, to, offer, chain));
        let message = ServerMessage::OfferReceived {
            from,
            from_callsign: sender.callsign.as_str().into(),
            verified: sender.licensed(),
            // The receiver is polite if its id is the smaller one; both ends can tell.
            polite: to < from,
            offer: &offer.offer,
            statement: offer.statement.as_ref(),
            chain,
        };
        let body = message.body();
        self.counters.offers += 1;
        self.ring(from, to, now);
        match onward {
            Some(signal) => self.forward(from, to, signal, reply_to),
            None => {
                self.introduce(from, to);
                self.send_signal(from, to, body);
            }
        }
    }

    pub(super) fn answer(
        &mut self,
        from: ClientId,
        answer: &Answer<'_>,
        brought: Option<&[String]>,
        reply_to: Option<&str>,
    ) {
        let Some(to) = self.resolve_or_refuse(from, &answer.target, reply_to) else {
            return;
        };
        if !self.leg_mut(from, to).is_some_and(|leg| leg.ringing) {
            let error = "there is no offer of theirs to answer";
            return self.refuse(from, ErrorCode::NoCall, error, reply_to);
        }
        if !self.may_send_signal(from, to, reply_to) {
            return;
        }
        if let Some(leg) = self.leg_mut(from, to) {
            leg.ringing = false;
            leg.answered = true;
        }
        let Some(sender) = self.presence(from) else {
            return;
        };
        let chain = brought.or_else(|| sender.chain(answer.statement.as_ref()));
        let onward = self
            .elsewhere
            .holds(to)
            .then(|| between::answer(from, to, answer, chain));
        let message = ServerMessage::AnswerReceived {
            from,
            from_callsign: sender.callsign.as_str().into(),
            verified: sender.licensed(),
            answer: &answer.answer,
            statement: answer.statement.as_ref(),
            chain,
        };
        let body = message.body();
        self.counters.answers += 1;
        match onward {
            Some(signal) => self.forward(from, to, signal, reply_to),
            None => {
                self.introduce(from, to);
                self.send_signal(from, to, body);
            }
        }
    }

    pub(super) fn candidate(
        &mut self,
        from: ClientId,
        ice: &IceCandidate<'_>,
        reply_to: Option<&str>,
    ) {
        let Some(to) = self.resolve_or_refuse(from, &ice.target, reply_to) else {
            return;
        };
        let most = self.limits.candidates;
        let Some(leg) = self.leg_mut(from, to) else {
            let error = "you are in no call with them";
            return self.refuse(from, ErrorCode::NoCall, error, reply_to);
        };
        if leg.candidates >= most {
            let error = format!("at most {most} candidates follow an offer");
            return self.refuse(from, ErrorCode::TooManyCandidates, &error, reply_to);
        }
        if !self.may_send_signal(from, to, reply_to) {
            return;
        }
        if let Some(leg) = self.leg_mut(from, to) {
            leg.candidates += 1;
        }
        self.counters.candidates += 1;
        if self.elsewhere.holds(to) {
            return self.forward(from, to, between::candidate(from, to, ice), reply_to);
        }
        let message = ServerMessage::IceCandidateReceived {
            from,
            candidate: &ice.candidate,
        };
        self.send_signal(from, to, message.body());
        if let Some(seen) = self.observed(from, to, &ice.candidate) {
            let message = ServerMessage::IceCandidateReceived {
                from,
                candidate: &seen,
            };
            self.send_signal(from, to, message.body());
        }
    }

    /// What follows a candidate that hides its sender's address. That both ends are on an open network
    /// was seen before either may signal the other.
    fn observed<'a>(
        &self,
        from: ClientId,
        to: ClientId,
        hidden: &Candidate<'a>,
    ) -> Option<Candidate<'a>> {
        if !self.observed_candidates {
            return None;
        }
        let [sender, receiver] = [from, to].map(|end| self.sessions.get(end));
        let seen = observed::copy(&hidden.candidate, &sender?.origin, &receiver?.origin)?;
        Some(Candidate {
            candidate: seen.into(),
            ..hidden.clone()
        })
    }

    pub(super) fn end_calls(&mut self, client: ClientId) {
        let Some(presence) = self.presence_mut(client) else {
            return;
        };
        for other in std::mem::take(&mut presence.calls).into_keys() {
            self.hang_up(other, client);
        }
    }

    /// Offers that started a call which the sender may start no more, and that nobody answered yet, can
    /// be answered no more.
    pub(super) fn withdraw_offers(&mut self, from: ClientId) {
        let Some(sender) = self.presence(from) else {
            return;
        };
        let calls = sender.calls.iter();
        let unanswered = calls.filter(|(_, leg)| !leg.answered);
        let called: Vec<_> = unanswered.map(|(&to, leg)| (to, leg.ringing)).collect();
        for (to, called_back) in called {
            if self.policy.may_start_call(self.role(from), self.role(to)) {
                continue;
            }
            let Some(leg) = self.leg_mut(to, from) else {
                continue;
            };
            if leg.answered || !leg.ringing {
                continue;
            }
            leg.ringing = false;
            if !called_back {
                self.hang_up(to, from);
                self.hang_up(from, to);
            }
        }
    }

    pub(super) fn hang_up(&mut self, client: ClientId, other: ClientId) {
        if let Some(presence) = self.presence_mut(client) {
            presence.calls.remove(&other);
        }
    }

    /// An offer is under way: both ends now have a leg, and both may send candidates anew.
    fn ring(&mut self, from: ClientId, to: ClientId, now: Instant) {
        for (end, other) in [(from, to), (to, from)] {
            if let Some(leg) = self.leg_mut(end, other) {
                leg.candidates = 0;
                leg.ringing |= end == to;
                continue;
            }
            self.make_room(end);
            let Some(presence) = self.presence_mut(end) else {
                return;
            };
            let leg = Leg {
                began: now,
                answered: false,
                ringing: end == to,
                candidates: 0,
                introduced: false,
            };
            presence.calls.insert(other, leg);
        }
    }

    /// Ends the oldest call of somebody who is in too many.
    fn make_room(&mut self, end: ClientId) {
        let most = self.limits.calls;
        let Some(presence) = self.presence(end) else {
            return;
        };
        if presence.calls.len() < most {
            return;
        }
        let oldest = presence
            .calls
            .iter()
            .min_by_key(|(_, leg)| leg.began)
            .map(|(&id, _)| id);
        if let Some(oldest) = oldest {
            self.hang_up(end, oldest);
            self.hang_up(oldest, end);
        }
    }

    fn resolve_or_refuse(
        &mut self,
        from: ClientId,
        target: &str,
        reply_to: Option<&str>,
    ) -> Option<ClientId> {
        match self.resolve(from, target) {
            Ok(client) if self.policy.may_meet(self.zone(from), self.zone(client)) => Some(client),
            Ok(client) => {
                let whose = if self.zone(from) == Zone::Open {
                    self.presence(client).map_or("they", |them| &them.callsign)
                } else {
                    "you"
                };
                let error = format!(
                    "calls are encrypted, and amateur frequencies, over which {whose} came, may carry \
                     nothing encrypted"
                );
                self.refuse(from, ErrorCode::Part97, &error, reply_to);
                None
            }
            Err((refusal, details)) => {
                self.refuse_with(from, refusal.code, &refusal.error, details, reply_to);
                None
            }
        }
    }

    /// Whom a target means: a session in the sender's net or in a call with it, or the most recent
    /// session of a verified operator in that net, of one key and those that followed it.
    fn resolve(
        &self,
        from: ClientId,
        target: &str,
    ) -> Result<ClientId, (Refusal, Option<serde_json::Value>)> {
        let unknown = || {
            let error = "nobody by that name is here now".to_owned();
            (
                Refusal {
                    code: ErrorCode::UnknownTarget,
                    error,
                },
                None,
            )
        };
        let sender = self.presence(from).ok_or_else(unknown)?;
        if let Ok(client) = target.parse::<ClientId>() {
            let reachable =
                |there: &Presence| there.net == sender.net || sender.calls.contains_key(&client);
            let there = client != from && self.presence(client).is_some_and(reachable);
            return if there { Ok(client) } else { Err(unknown()) };
        }
        let callsign = station::Callsign::parse(target).map_err(|_| unknown())?;
        let mut sessions = self.nets.operators(&sender.net, &callsign);
        sessions.retain(|&(_, client)| client != from);
        if let Some(owner) = self
            .owner
            .as_ref()
            .filter(|owner| owner.callsign == callsign)
        {
            let owners = self.line(owner.key);
            sessions.retain(|&(key, _)| self.line(key) == owners);
        }
        let &(key, latest) = sessions.last().ok_or_else(unknown)?;
        let line = self.line(key);
        if sessions.iter().all(|&(other, _)| self.line(other) == line) {
            return Ok(latest);
        }
        let mut keys: Vec<_> = sessions.iter().map(|(key, _)| key.to_string()).collect();
        keys.sort_unstable();
        keys.dedup();
        let error = format!(
            "{callsign} is here with {} keys; choose a session",
            keys.len()
        );
        let details = serde_json::json!({ "keys": keys });
        Err((
            Refusal {
                code: ErrorCode::CallsignAmbiguous,
                error,
            },
            Some(details),
        ))
    }

    /// The last of the keys that followed this one: the same for all keys of one person who changed them.
    fn line(&self, key: KeyId) -> KeyId {
        let later = std::iter::successors(Some(key), |key| self.successors.get(key).copied());
        // More steps than changes would be a circle.
        later.take(self.successors.len() + 1).last().unwrap_or(key)
    }

    fn role(&self, client: ClientId) -> Role {
        self.presence(client)
            .map_or(Role::Unlicensed, Presence::role)
    }

    fn zone(&self, client: ClientId) -> Zone {
        // What is on the way to another server its node looks at, and what is there the other hub.
        if self.elsewhere.holds(client) {
            return Zone::Open;
        }
        self.sessions
            .get(client)
            .map_or(Zone::Part97, |session| session.origin.zone)
    }

    pub(super) fn presence(&self, client: ClientId) -> Option<&Presence> {
        let session = self.sessions.get(client).map(|session| &session.presence);
        session.or_else(|| self.elsewhere.presence(client))
    }

    fn presence_mut(&mut self, client: ClientId) -> Option<&mut Presence> {
        let session = self.sessions.get_mut(client);
        let session = session.map(|session| &mut session.presence);
        session.or_else(|| self.elsewhere.presence_mut(client))
    }

    pub(super) fn leg_mut(&mut self, end: ClientId, other: ClientId) -> Option<&mut Leg> {
        self.presence_mut(end)?.calls.get_mut(&other)
    }
}

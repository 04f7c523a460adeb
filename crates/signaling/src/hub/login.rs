//! Coming in: `REGISTER`, `CHALLENGE`, `AUTHENTICATE`, `REGISTERED`.
//!
//! The server proves itself before it asks for a proof, so that a client never signs for a server it
//! does not know. A failed login leaves the connection where it was before `REGISTER`.

use std::time::Instant;

use station::Callsign;
use station::callsign::GUEST;

use super::budgets::Strain;
use super::connection::{Application, Phase, Proven, Purpose};
use super::session::Presence;
use super::{
    Challenge, Claimant, CloseCode, Command, ConnectionId, Credentials, Hub, Identity, Proof,
    Refusal,
};
use crate::message::{Authenticate, ErrorCode, Net, Register, ServerMessage, ServerProof};

impl Hub {
    pub(super) fn register(
        &mut self,
        connection: ConnectionId,
        register: Register<'_>,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        if !matches!(self.phase(connection), Some(Phase::Arrived)) {
            let error = "you have registered already; reconnect to change who you are";
            return self.refuse(connection, ErrorCode::AlreadyRegistered, error, reply_to);
        }
        let net = match register
            .net
            .as_deref()
            .map_or_else(|| Ok(Net::default()), Net::parse)
        {
            Ok(net) => net,
            Err(error) => {
                return self.refuse(connection, ErrorCode::BadNet, &error.to_string(), reply_to);
            }
        };
        let callsign = match shown_callsign(&register.callsign) {
            Ok(callsign) => callsign,
            Err(error) => return self.refuse(connection, ErrorCode::BadCallsign, &error, reply_to),
        };
        if register.certificate.is_some() && !self.may_try(connection, reply_to, now) {
            return;
        }
        if !self.admit_to_net(connection, &net, Strain::Arrival, reply_to, now) {
            return;
        }
        let Some(certificate) = register.certificate else {
            let presence = Presence::new(callsign, None, net);
            return self.begin(connection, presence, Vec::new(), reply_to, now);
        };
        let (Some(nonce), Some(url)) = (register.nonce, register.url) else {
            let error = "a certificate comes with a nonce and the URL you dialled";
            return self.refuse(connection, ErrorCode::BadMessage, error, reply_to);
        };
        let purpose = Purpose::Register { callsign, net };
        let application = Application::new(purpose, reply_to);
        self.set_phase(connection, Phase::Identifying(application));
        let claimant = Box::new(Claimant {
            credentials: Credentials::Presented {
                certificate,
                chain: register.chain,
            },
            nonce,
            url,
        });
        self.commands.push_back(Command::Challenge {
            connection,
            claimant,
        });
    }

    /// The answer to [`Command::Challenge`].
    pub fn challenge(
        &mut self,
        connection: ConnectionId,
        made: Result<Challenge, Refusal>,
        now: Instant,
    ) {
        let identifying = |phase: &Phase| matches!(phase, Phase::Identifying(_));
        let Some(Phase::Identifying(mut application)) = self.take_phase(connection, identifying)
        else {
            return;
        };
        let reply_to = application.reply_to.take();
        let made = made.and_then(|mut challenge| {
            if let Some(&trusted) = application.judged.get(&challenge.identity.whom()) {
                challenge.identity.trusted = trusted;
            }
            application.judged.clear();
            if let Purpose::Register { callsign, .. } = &application.purpose {
                same_station(callsign, &challenge.identity)?;
            }
            Ok(challenge)
        });
        match made {
            Ok(challenge) => {
                let message = ServerMessage::Challenge {
                    nonce: challenge.nonce.as_str().into(),
                    server_proof: ServerProof {
                        chain: &challenge.server_chain,
                        signature: challenge.server_signature.as_str().into(),
                    },
                };
                self.send(connection, &message, reply_to.as_deref());
                self.set_phase(
                    connection,
                    Phase::Challenged(application, Box::new(challenge)),
                );
            }
            Err(refusal) => self.fail_login(connection, &refusal, reply_to.as_deref(), now),
        }
    }

    pub(super) fn authenticate(
        &mut self,
        connection: ConnectionId,
        proof: &Authenticate<'_>,
        reply_to: Option<&str>,
    ) {
        let challenged = |phase: &Phase| matches!(phase, Phase::Challenged(..));
        let Some(Phase::Challenged(mut application, challenge)) =
            self.take_phase(connection, challenged)
        else {
            let error = "there is no challenge to answer; send REGISTER with a certificate";
            return self.refuse(connection, ErrorCode::NotChallenged, error, reply_to);
        };
        application.reply_to = reply_to.map(str::to_owned);
        let Challenge {
            statement,
            spki,
            identity,
            ..
        } = *challenge;
        let signature = proof.signature.clone().into_owned();
        let proof = identity.chain.first().map(|certificate| Proof {
            certificate: certificate.clone(),
            statement: statement.clone(),
            signature: signature.clone(),
        });
        let proven = Proven {
            identity,
            spki: spki.clone(),
            proof,
        };
        self.set_phase(connection, Phase::Proving(application, Box::new(proven)));
        self.commands.push_back(Command::Verify {
            connection,
            statement,
            spki,
            signature,
        });
    }

    /// The answer to [`Command::Verify`].
    pub fn verified(&mut self, connection: ConnectionId, genuine: bool, now: Instant) {
        let proving = |phase: &Phase| matches!(phase, Phase::Proving(..));
        let Some(Phase::Proving(application, proven)) = self.take_phase(connection, proving) else {
            return;
        };
        let Application {
            purpose, reply_to, ..
        } = *application;
        let reply_to = reply_to.as_deref();
        if !genuine {
            let refusal = Refusal {
                code: ErrorCode::BadProof,
                error: "the signature does not fit the certificate, the nonces and the URL".into(),
            };
            return self.fail_login(connection, &refusal, reply_to, now);
        }
        match purpose {
            Purpose::Register { net, .. } => {
                let Proven {
                    identity,
                    spki,
                    proof,
                } = *proven;
                let callsign = identity.callsign.to_string();
                let presence = Presence {
                    proof,
                    ..Presence::new(callsign, Some(identity), net)
                };
                self.begin(connection, presence, spki, reply_to, now);
            }
            Purpose::Resume { client, last_seq } => {
                self.go_on(connection, client, last_seq, reply_to, now);
            }
        }
    }

    fn fail_login(
        &mut self,
        connection: ConnectionId,
        refusal: &Refusal,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        self.refuse(connection, refusal.code, &refusal.error, reply_to);
        self.counters.failed_logins += 1;
        self.offend(connection, now);
        let allowed = self.limits.failed_logins;
        let Some(there) = self.connections.get_mut(connection) else {
            return;
        };
        there.failed_logins += 1;
        if there.failed_logins >= allowed {
            self.close(connection, CloseCode::Policy, now);
        }
    }

    pub(super) fn set_phase(&mut self, connection: ConnectionId, phase: Phase) {
        if let Some(there) = self.connections.get_mut(connection) {
            there.phase = phase;
        }
    }

    /// Takes the phase that a step of the login goes on from, if the connection is in it; it is as it
    /// arrived until the step sets the next one.
    fn take_phase(&mut self, connection: ConnectionId, fits: fn(&Phase) -> bool) -> Option<Phase> {
        let there = self.connections.get_mut(connection)?;
        fits(&there.phase).then(|| std::mem::replace(&mut there.phase, Phase::Arrived))
    }
}

/// The callsign to show for what somebody registered as: in its usual form, or `GUEST`.
fn shown_callsign(registered: &str) -> Result<String, String> {
    if registered.eq_ignore_ascii_case(GUEST) {
        return Ok(GUEST.to_owned());
    }
    Callsign::parse(registered)
        .map(String::from)
        .map_err(|error| error.to_string())
}

/// A certificate speaks for its own base call only.
fn same_station(registered: &str, identity: &Identity) -> Result<(), Refusal> {
    let same =
        Callsign::parse(registered).is_ok_and(|call| call.base() == identity.callsign.base());
    if same {
        return Ok(());
    }
    let error = format!(
        "the certificate is {}'s, not {registered}'s",
        identity.callsign
    );
    Err(Refusal {
        code: ErrorCode::BadCallsign,
        error,
    })
}

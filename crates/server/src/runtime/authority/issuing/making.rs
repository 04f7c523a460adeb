//! One issuance: the certificate, and everything that goes with it.

use std::time::{Instant, SystemTime};

use pki::graph::{Admission, Cause, Source, State, Verdict};
use pki::issue::{self, Issuer, Vouched};
use pki::log::Issued as Logged;
use pki::{Budget, Certificate, PublicKey};
use station::licence::VouchMethod;
use station::{Callsign, Digest, KeyId, LicenceClass};
use store::{Change, Claim, Issuance, RandomId, Request, RequestState, StoreError};

use super::proof::Proven;
use super::{Applicant, IssueFailure, Issuing, seconds_since_1970};
use crate::runtime::authority::Decided;
use crate::runtime::authority::known::Known;
use crate::runtime::lock;

/// Signature checks that a new certificate may cost, and those that waited for its key.
const CHECKS: usize = 64;

/// What shall be made, and on what grounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) key: &'a PublicKey,
    pub(super) callsign: &'a Callsign,
    pub(super) class: Option<&'a LicenceClass>,
    pub(super) method: VouchMethod,
    pub(super) evidence: Option<Digest>,
    /// The code that is used up.
    pub(super) code: Option<RandomId>,
    /// Whether the owner themselves wants this key to have the callsign.
    pub(super) by_owner: bool,
}

/// What an application changes.
#[derive(Debug)]
pub(super) enum Written {
    Issued(Box<Issued>),
    Queued {
        request: Box<Request>,
        code: Option<RandomId>,
    },
}

/// What an issuance changes.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) certificate: Certificate,
    admission: Admission,
    entry: Issuance,
    code: Option<RandomId>,
    /// The key's request that waited, with what became of it.
    request: Option<(RandomId, RequestState)>,
    /// The key that the owner lets have a callsign whose earlier key is blacklisted.
    accepted: Option<(Callsign, KeyId)>,
}

impl<'a> Order<'a> {
    pub(super) fn of(applicant: &'a Applicant, proven: &'a Proven) -> Self {
        Self {
            key: &applicant.key,
            callsign: &applicant.callsign,
            class: proven.class(applicant),
            method: proven.method,
            evidence: proven.evidence,
            code: proven.code.as_ref().map(|code| code.id),
            by_owner: proven.by_owner,
        }
    }
}

impl Issuing {
    /// Makes the certificate and takes it into the graph, the log and the books. A request of the key
    /// that waits is decided by it. Changes nothing when it fails.
    pub(super) fn make(
        &self,
        known: &mut Known,
        claim: &Claim,
        order: Order<'_>,
        now: Instant,
    ) -> Result<Decided<Issued>, IssueFailure> {
        let (holder, callsign) = (order.key.key_id(), order.callsign);
        if known.graph.verdict(&claim.server.fingerprint()) != Verdict::Trusted {
            return Err(IssueFailure::NotTrusted);
        }
        let accepted = match known.graph.obstacle(&holder, callsign) {
            None => None,
            Some(Cause::AwaitsOwner) if order.by_owner => Some((callsign.clone(), holder)),
            Some(cause) => return Err(IssueFailure::Obstacle(cause)),
        };
        let mut meter = lock(&self.meter);
        let mut spent = *meter;
        spent
            .spend(1, self.rate, now)
            .map_err(IssueFailure::TooFast)?;
        let certificate = self.sign(claim, order)?;
        let mut budget = Budget::new(CHECKS);
        let admission = known
            .graph
            .admit(&certificate, Source::Owner, &mut budget)?;
        // Anything else would mean that the server's own certificate is not held.
        let State::Admitted(identity) = admission.state else {
            return Err(IssueFailure::NotTrusted);
        };
        *meter = spent;
        let accepting = accepted.as_ref().map(|(callsign, key)| {
            let effect = known.graph.accept_key(callsign, *key);
            effect.gain
        });
        let accepting = accepting.unwrap_or_default();
        let (entry, tip) = known.books.tip.append(Logged {
            time: seconds_since_1970(),
            certificate: certificate.fingerprint(),
            identity,
            holder,
            callsign: callsign.clone(),
            class: order.class.cloned(),
            method: order.method,
            evidence: order.evidence,
        });
        known.books.tip = tip;
        let waiting = &mut known.books.waiting;
        let request = waiting.iter().position(|one| one.public_key == *order.key);
        let request = request.map(|place| waiting.remove(place).id);
        if let Some(code) = &order.code {
            known.books.codes.retain(|open| open.id != *code);
        }
        let (gained, lost) = (admission.gained.clone(), admission.lost.clone());
        let issued = Issued {
            certificate,
            admission,
            entry: Issuance {
                place: entry.index,
                entry: entry.to_text(),
                head: *tip.head.as_bytes(),
            },
            code: order.code,
            request: request.map(|id| (id, RequestState::Issued(identity))),
            accepted,
        };
        Ok(Decided::about(issued, &[&gained, &lost, &accepting]))
    }

    fn sign(&self, claim: &Claim, order: Order<'_>) -> Result<Certificate, IssueFailure> {
        let issuer = Issuer {
            certificate: &claim.server,
            key: self.ownership.key(),
        };
        let vouched = Vouched {
            callsign: order.callsign,
            class: order.class,
            method: order.method,
        };
        let now = SystemTime::now();
        let made = issue::operator_certificate(issuer, order.key, &vouched, now, &self.random);
        Ok(made?)
    }
}

impl Written {
    pub(super) fn write(&self, change: &Change<'_>) -> Result<(), StoreError> {
        match self {
            Self::Issued(issued) => issued.write(change),
            Self::Queued { request, code } => {
                if let Some(code) = code {
                    change.remove_code(code)?;
                }
                change.add_request(request)
            }
        }
    }
}

impl Issued {
    pub(super) fn write(&self, change: &Change<'_>) -> Result<(), StoreError> {
        change.admit(&self.admission.admitted)?;
        change.evict(&self.admission.evicted)?;
        change.append_issuance(&self.entry)?;
        if let Some(code) = &self.code {
            change.remove_code(code)?;
        }
        if let Some((id, state)) = &self.request {
            change.decide_request(id, state)?;
        }
        if let Some((callsign, key)) = &self.accepted {
            change.accept_key(callsign, *key)?;
        }
        Ok(())
    }
}

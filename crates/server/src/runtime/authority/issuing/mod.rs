//! Certificates for people: made by the server's own key, on its owner's behalf.
//!
//! Who wants one says which key and callsign it is for, and brings a proof of the licence
//! ([`Proof`]). Where that suffices the certificate is made at once; else a request waits for the owner.
//! What one issuance changes is one transaction: the code that is used up, the request that is decided,
//! the certificate, and its entry in the log. Nobody is told before it is on the disk.
//!
//! A callsign for which another key counts already, and one whose earlier key is blacklisted, are the
//! owner's to decide, whatever the proof. The owner's own word settles both.
//!
//! Reading order: this file, [`proof`], `making`; then `codes`, `requests` and [`log`]; `books` is what of
//! it is in memory.

pub(super) mod books;
mod codes;
pub mod log;
mod making;
pub mod proof;
mod requests;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use pki::graph::{Cause, Refused};
use pki::issue::IssueError;
use pki::log::Checkpoint;
use pki::{Certificate, KeyError, PublicKey, TrustGraph};
use ring::rand::{SecureRandom as _, SystemRandom};
use signaling::AddressGroup;
use signaling::limit::{Meter, Rate};
use station::licence::VouchMethod;
use station::statement::FieldError;
use station::statement::issuing;
use station::{Callsign, LicenceClass};
use store::{Claim, RandomId, StoreError};

use super::Authority;
use crate::runtime::{Ownership, lock};
use making::{Order, Written};
use proof::Proof;

/// Codes that may be open at once.
pub const MOST_CODES: usize = 256;

/// Requests that may wait at once.
pub const MOST_WAITING: usize = 64;

/// Requests that may wait at once from one group of addresses.
pub const MOST_WAITING_EACH: usize = 4;

/// Who makes certificates: the server's key with the graph, the store and the rate it obeys.
#[derive(Debug)]
pub struct Issuing {
    ownership: Arc<Ownership>,
    authority: Arc<Authority>,
    rate: Rate,
    meter: Mutex<Meter>,
    /// The last one that was signed.
    checkpoint: Mutex<Option<Checkpoint>>,
    random: SystemRandom,
}

/// Who wants a certificate.
#[derive(Debug, Clone)]
pub struct Applicant {
    /// The key in their request, which they have shown to hold.
    pub key: PublicKey,
    /// Their callsign.
    pub callsign: Callsign,
    /// The class on their licence, where they say it.
    pub class: Option<LicenceClass>,
}

/// A certificate that was made, and is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The certificate.
    pub certificate: Certificate,
    /// Those above it, its issuer's first.
    pub chain: Vec<Certificate>,
    /// HMAC over `issued`, where a code was used: this certificate is the one that was asked for.
    pub proof: Option<String>,
}

/// What became of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The certificate was made.
    Issued(Grant),
    /// A request waits for the owner.
    Waits {
        /// By which the applicant may ask what became of it.
        request: RandomId,
        /// Why it waits.
        why: String,
    },
}

/// Why nothing was issued, noted or decided. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum IssueFailure {
    /// Nobody owns this server.
    #[error("this server has no owner yet, and issues nothing")]
    NoOwner,
    /// The server's own certificate counts for nothing here.
    #[error("this server's own certificate does not count here any more, so it issues nothing")]
    NotTrusted,
    /// No open code made this proof for this key, callsign and class.
    #[error("the code is not one that this server's owner made for this callsign, or it was used")]
    WrongCode,
    /// What was signed by others does not prove the licence.
    #[error(transparent)]
    Proof(#[from] proof::ProofError),
    /// A licence that nobody checked is nothing to vouch for.
    #[error("vouch for a licence that you saw: in-person or document")]
    NoCheck,
    /// Whatever this key had would count for nothing.
    #[error("no certificate is issued for this key: {0}")]
    Obstacle(Cause),
    /// Too many certificates in the last hour.
    #[error("this server has issued as many certificates as it may for now")]
    TooFast(Duration),
    /// [`MOST_WAITING`].
    #[error("as many requests wait for the owner as this server keeps; try again later")]
    QueueFull,
    /// [`MOST_WAITING_EACH`].
    #[error("as many requests from your part of the network wait for the owner as may")]
    GroupFull,
    /// One request of each key may wait.
    #[error("a request for this key waits for the owner already")]
    WaitsAlready,
    /// No such request waits.
    #[error("no such request waits for a decision")]
    NoSuchRequest,
    /// No such code is open.
    #[error("there is no such code; perhaps it was used")]
    NoSuchCode,
    /// [`MOST_CODES`].
    #[error("as many codes are open as this server keeps; take some back first")]
    CodesFull,
    /// There is no place for the certificate.
    #[error("there is no place for another certificate")]
    Admit(#[from] Refused),
    /// The certificate could not be made.
    #[error("the certificate could not be made")]
    Issue(#[from] IssueError),
    /// A statement cannot hold what was sent.
    #[error("the nonce cannot be used")]
    Field(#[from] FieldError),
    /// The system gives no randomness, or a key failed.
    #[error("the server's key or the system's random number generator failed")]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Issuing {
    /// An issuer that makes so many certificates an hour, at once or one after the other. What the log
    /// says of the last hour counts. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when the log cannot be read.
    pub fn open(
        ownership: Arc<Ownership>,
        authority: Arc<Authority>,
        per_hour: u32,
    ) -> Result<Self, StoreError> {
        let rate = Rate::new(per_hour, Duration::from_secs(60 * 60), per_hour);
        let times = log::last_times(&lock(&ownership.store()), per_hour)?;
        let spent = log::spent(&times, rate, seconds_since_1970());
        Ok(Self {
            ownership,
            authority,
            rate,
            meter: Mutex::new(Meter::new(Instant::now() + spent)),
            checkpoint: Mutex::default(),
            random: SystemRandom::new(),
        })
    }

    /// Judges an application: makes the certificate, or lets a request wait for the owner. Blocks on
    /// the disk. Nonces in the proof are the caller's to take back before.
    ///
    /// # Errors
    /// [`IssueFailure`]; nothing is changed then.
    pub fn apply(
        &self,
        applicant: &Applicant,
        proof: &Proof,
        from: AddressGroup,
        now: Instant,
    ) -> Result<Outcome, IssueFailure> {
        let claim = self.ownership.claim().ok_or(IssueFailure::NoOwner)?;
        let proven = self.prove(applicant, proof, &claim)?;
        let id = self.random_id()?;
        let written = self.authority.change(
            |known| {
                known.books.still_open(proven.code.as_ref())?;
                let why = match &proven.waits {
                    Some(why) => Some(why.clone()),
                    None if proven.by_owner => None,
                    None => contested(&known.graph, applicant),
                };
                if let Some(why) = why {
                    return known.books.queue(id, applicant, &proven, why, from);
                }
                let order = Order::of(applicant, &proven);
                let issued = self.make(known, &claim, order, now)?;
                Ok(issued.map(|issued| Written::Issued(Box::new(issued))))
            },
            |change, written| written.write(change),
        )?;
        Ok(match written {
            Written::Issued(issued) => {
                let mut grant = Grant::of(issued.certificate, &claim);
                grant.proof = proven.answer(proof, grant.certificate.fingerprint())?;
                Outcome::Issued(grant)
            }
            Written::Queued { request, .. } => Outcome::Waits {
                request: request.id,
                why: request.why,
            },
        })
    }

    fn random_id(&self) -> Result<RandomId, KeyError> {
        let mut bits = [0; 16];
        let drawn = self.random.fill(&mut bits);
        drawn.map_err(|_| KeyError::Random)?;
        Ok(RandomId::new(bits))
    }
}

impl Applicant {
    /// As statements name them.
    fn stated(&self) -> issuing::Applicant<'_> {
        issuing::Applicant {
            key: self.key.key_id(),
            callsign: &self.callsign,
            class: self.class.as_ref(),
        }
    }
}

impl Grant {
    fn of(certificate: Certificate, claim: &Claim) -> Self {
        let above = [&claim.server, &claim.owner]
            .into_iter()
            .chain(&claim.chain);
        Self {
            certificate,
            chain: above.cloned().collect(),
            proof: None,
        }
    }
}

/// Why only the owner can decide about this key for this callsign, if it is so.
fn contested(graph: &TrustGraph, applicant: &Applicant) -> Option<String> {
    let key = applicant.key.key_id();
    let callsign = &applicant.callsign;
    if graph.obstacle(&key, callsign) == Some(Cause::AwaitsOwner) {
        return Some(format!(
            "another key of {callsign} was blacklisted here, so the owner decides about a new one"
        ));
    }
    let others = graph.trusted_keys(callsign);
    others.iter().any(|other| *other != key).then(|| {
        format!("this server trusts another key as {callsign}'s, so the owner decides which it is")
    })
}

/// Seconds since 1970 by this machine's clock, for people to read.
fn seconds_since_1970() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

/// Whether an issuer may say that it checked a licence this way.
fn is_check(method: VouchMethod) -> Result<VouchMethod, IssueFailure> {
    if method == VouchMethod::SelfAsserted {
        return Err(IssueFailure::NoCheck);
    }
    Ok(method)
}

#[cfg(test)]
mod tests;

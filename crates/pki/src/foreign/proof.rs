//! Whether a Logbook of the World certificate proves a licence.
//!
//! The applicant shows their certificate with the ones above it and signs, with its key, a statement
//! made for this server, this nonce and the key that is to get a certificate. The chain must lead to
//! one of the licence roots the owner added. Dates are told, not judged: clocks are wrong in the
//! field, and intermediates expire before the certificates below them. Such a certificate proves
//! something and never issues anything here.

use std::time::SystemTime;

use station::statement::FieldError;
use station::statement::issuing::Applicant;
use station::{Callsign, Fingerprint, Statement};

use super::ForeignCertificate;
use super::key::Kind;
use crate::budget::Budget;

/// Most certificates of a chain.
pub const MAX_CHAIN: usize = 8;

/// Most signature checks that one proof costs.
pub const MAX_CHECKS: usize = 16;

/// What an applicant shows.
#[derive(Debug, Clone, Copy)]
pub struct LotwProof<'a> {
    /// Their certificate, then its issuer's, and so on. The root may be left out.
    pub chain: &'a [ForeignCertificate],
    /// Their key's signature of the `lotw` statement: RSASSA-PKCS1-v1_5, SHA-256, base64url.
    pub signature: &'a str,
    /// The server they sign for.
    pub server: Fingerprint,
    /// The nonce that the server gave them.
    pub nonce: &'a str,
    /// Who they say they are, and the key that is to get a certificate.
    pub applicant: Applicant<'a>,
}

/// A licence that was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// Whose licence.
    pub callsign: Callsign,
    /// The certificate that proved it.
    pub certificate: Fingerprint,
    /// The licence root it leads to.
    pub root: Fingerprint,
    /// When that certificate ends.
    pub not_after: SystemTime,
}

/// Why a licence is not proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is no certificate.
    #[error("there is no certificate in the proof")]
    Empty,
    /// More than [`MAX_CHAIN`] certificates.
    #[error("the proof has more than {MAX_CHAIN} certificates")]
    TooLong,
    /// The first certificate is a CA's: it proves nobody's licence.
    #[error("the first certificate of the proof is an authority's, not a person's")]
    Authority,
    /// The first certificate has no callsign where Logbook of the World puts it.
    #[error("the first certificate of the proof names no callsign")]
    NoCallsign,
    /// It names another callsign than the applicant.
    #[error("the certificate proves a licence for {0}, not for the callsign that was asked for")]
    OtherCallsign(Callsign),
    /// The first certificate's key is no RSA key.
    #[error("the key of the first certificate is no RSA key")]
    NotRsa,
    /// A certificate above the first may not issue certificates.
    #[error("{0} may not issue certificates")]
    MayNotIssue(String),
    /// A certificate above the first allows no chain as long as this one (RFC 5280, 4.2.1.9).
    #[error("{0} does not allow so many certificates below it")]
    PathLength(String),
    /// A certificate is not signed by the next one's key, nor by a licence root's.
    #[error("{0} is not signed by the certificate that follows it, nor by a licence root")]
    Broken(String),
    /// The chain ends without having reached a licence root.
    #[error("the certificates do not lead to a licence root that the owner added")]
    NoRoot,
    /// A text in it cannot be a field of a statement.
    #[error("the proof cannot be written as a statement")]
    Field(#[from] FieldError),
    /// Not the first certificate's key's signature of the statement for this server, nonce and key.
    #[error("the proof is not signed by the key of the first certificate for this request")]
    Signature,
    /// The budget does not cover the signature checks, or the proof needs more than [`MAX_CHECKS`].
    #[error("there is no budget left for signature checks")]
    Budget,
}

impl Licence {
    /// Whether the certificate has ended by now, as far as a clock can be believed.
    #[must_use]
    pub fn expired(&self, now: SystemTime) -> bool {
        self.not_after < now
    }
}

/// Checks a proof against the licence roots, of which only those that may issue count.
///
/// # Errors
/// [`ProofError`] with the first thing that is wrong. What was paid from the budget stays paid.
pub fn prove(
    proof: &LotwProof<'_>,
    roots: &[ForeignCertificate],
    budget: &mut Budget,
) -> Result<Licence, ProofError> {
    if proof.chain.len() > MAX_CHAIN {
        return Err(ProofError::TooLong);
    }
    let (user, above) = proof.chain.split_first().ok_or(ProofError::Empty)?;
    let callsign = callsign_of(user, proof.applicant.callsign)?;
    check_authorities(above)?;
    let mut checks = Checks {
        left: MAX_CHECKS,
        budget,
    };
    let statement = Statement::lotw(proof.server, proof.nonce, proof.applicant)?;
    checks.take()?;
    if !user.key().signed_statement(&statement, proof.signature) {
        return Err(ProofError::Signature);
    }
    let root = reach_root(proof.chain, roots, &mut checks)?;
    Ok(Licence {
        callsign,
        certificate: user.fingerprint(),
        root: root.fingerprint(),
        not_after: user.not_after(),
    })
}

/// The callsign that a person's certificate proves, when it is the one that was asked for.
fn callsign_of(user: &ForeignCertificate, asked: &Callsign) -> Result<Callsign, ProofError> {
    if user.is_ca() {
        return Err(ProofError::Authority);
    }
    let callsign = user.callsign().ok_or(ProofError::NoCallsign)?;
    if callsign != asked {
        return Err(ProofError::OtherCallsign(callsign.clone()));
    }
    match user.key().kind() {
        Kind::Rsa(_) => Ok(callsign.clone()),
        Kind::P256 | Kind::P384 | Kind::Ed25519 => Err(ProofError::NotRsa),
    }
}

/// Every certificate above the person's may issue, and allows what is below it.
fn check_authorities(above: &[ForeignCertificate]) -> Result<(), ProofError> {
    for (at, authority) in above.iter().enumerate() {
        may_stand_above(authority, &above[..at])?;
    }
    Ok(())
}

fn may_stand_above(
    authority: &ForeignCertificate,
    below: &[ForeignCertificate],
) -> Result<(), ProofError> {
    let named = || authority.subject_text().to_owned();
    if !authority.may_issue() {
        return Err(ProofError::MayNotIssue(named()));
    }
    // Certificates in which a name changes its key do not count (RFC 5280, 4.2.1.9).
    let counted = below.iter().filter(|one| !one.is_self_issued()).count();
    match authority.path_length() {
        Some(most) if counted > usize::from(most) => Err(ProofError::PathLength(named())),
        _ => Ok(()),
    }
}

/// Follows the chain as it was sent until a licence root signed the certificate, or is it.
fn reach_root<'a>(
    chain: &[ForeignCertificate],
    roots: &'a [ForeignCertificate],
    checks: &mut Checks<'_>,
) -> Result<&'a ForeignCertificate, ProofError> {
    for (at, current) in chain.iter().enumerate() {
        let roots = roots.iter().filter(|root| root.may_issue());
        for root in roots {
            if root == current {
                return Ok(root);
            }
            let named = root.subject() == current.issuer();
            if named && may_stand_above(root, &chain[1..=at]).is_ok() {
                checks.take()?;
                if current.is_signed_by(root.key()) {
                    return Ok(root);
                }
            }
        }
        let Some(next) = chain.get(at + 1) else {
            break;
        };
        let broken = || ProofError::Broken(current.subject_text().to_owned());
        if next.subject() != current.issuer() {
            return Err(broken());
        }
        checks.take()?;
        if !current.is_signed_by(next.key()) {
            return Err(broken());
        }
    }
    Err(ProofError::NoRoot)
}

/// Signature checks, out of the caller's budget and within [`MAX_CHECKS`].
struct Checks<'a> {
    left: usize,
    budget: &'a mut Budget,
}

impl Checks<'_> {
    fn take(&mut self) -> Result<(), ProofError> {
        self.left = self.left.checked_sub(1).ok_or(ProofError::Budget)?;
        self.budget.take().then_some(()).ok_or(ProofError::Budget)
    }
}

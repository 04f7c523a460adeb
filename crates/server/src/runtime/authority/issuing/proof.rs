//! Proofs that somebody is licensed, and what they are worth.

use std::time::SystemTime;

use pki::code::WrongCode;
use pki::foreign::{self, ForeignCertificate, LotwProof};
use pki::{Budget, PublicKey};
use ring::digest;
use station::licence::VouchMethod;
use station::{Digest, Fingerprint, KeyId, LicenceClass, Statement};
use store::{Claim, IssueCode};

use super::{Applicant, IssueFailure, Issuing, is_check};

/// Operators who must endorse somebody, independently of each other.
pub const ENDORSEMENTS: usize = 3;

/// Most characters of what somebody writes about a document.
pub const MAX_NOTE: usize = 500;

/// What an applicant brings, or the owner says.
#[derive(Debug, Clone)]
pub enum Proof {
    /// HMAC over `issue` with a code that the owner gave them in person.
    Code {
        /// A nonce of this server's.
        nonce: String,
        /// The HMAC.
        hmac: String,
    },
    /// A Logbook of the World certificate and its key's signature over `lotw`.
    Lotw {
        /// A nonce of this server's.
        nonce: String,
        /// The certificate, its issuer's, and so on; the root may be left out.
        chain: Vec<ForeignCertificate>,
        /// RSASSA-PKCS1-v1_5 with SHA-256, base64url.
        signature: String,
    },
    /// Signatures over `endorse` by operators whose keys are trusted here.
    Endorsements {
        /// How all of them checked the licence.
        method: VouchMethod,
        /// Each by its key.
        endorsements: Vec<Endorsement>,
    },
    /// A document, of which the applicant writes; the owner looks at it.
    Document {
        /// At most [`MAX_NOTE`] characters.
        note: String,
    },
    /// The owner says that they checked the licence this way.
    Owner(VouchMethod),
}

/// An operator's word for an applicant.
#[derive(Debug, Clone)]
pub struct Endorsement {
    /// The operator's key.
    pub key: KeyId,
    /// Over `endorse`.
    pub signature: String,
}

/// Why something does not prove a licence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The code was made for another class than the applicant says.
    #[error("the code was made for another licence class than the one given; leave it out")]
    OtherClass,
    /// The certificates or the signature over `lotw` prove nothing.
    #[error(transparent)]
    Lotw(#[from] foreign::ProofError),
    /// Not [`ENDORSEMENTS`].
    #[error("three operators endorse an applicant, no more and no fewer")]
    NotThree,
    /// Nobody here trusts this key.
    #[error("the endorsing key {0} is not trusted by this server")]
    UnknownEndorser(KeyId),
    /// The key did not sign this applicant's endorsement.
    #[error("the endorsement does not fit the key {0}, or the applicant")]
    BadEndorsement(KeyId),
    /// One key could have made up several of them.
    #[error("the endorsing operators are not known to this server independently of each other")]
    NotIndependent,
    /// More than [`MAX_NOTE`] characters, none, or control characters.
    #[error("a note about a document has 1 to {MAX_NOTE} characters")]
    Note,
}

/// A proof that was checked.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) method: VouchMethod,
    /// SHA-256 of what was shown.
    pub(super) evidence: Option<Digest>,
    /// What the applicant wrote to the owner.
    pub(super) note: Option<String>,
    /// The code that is used up.
    pub(super) code: Option<IssueCode>,
    /// Whether the owner themselves decides.
    pub(super) by_owner: bool,
    /// Why it does not suffice without the owner.
    pub(super) waits: Option<String>,
}

impl Proven {
    fn by(method: VouchMethod) -> Self {
        Self {
            method,
            evidence: None,
            note: None,
            code: None,
            by_owner: false,
            waits: None,
        }
    }

    /// The class that the certificate shall have: what the owner bound a code to, or what everybody who
    /// vouches has signed.
    pub(super) fn class<'a>(&'a self, applicant: &'a Applicant) -> Option<&'a LicenceClass> {
        match &self.code {
            Some(code) => code.licence_class.as_ref(),
            None => applicant.class.as_ref(),
        }
    }

    /// The proof that goes with the certificate, where a code was used with this nonce.
    pub(super) fn answer(
        &self,
        proof: &Proof,
        certificate: Fingerprint,
    ) -> Result<Option<String>, IssueFailure> {
        let (Some(IssueCode { code, .. }), Proof::Code { nonce, .. }) = (&self.code, proof) else {
            return Ok(None);
        };
        Ok(Some(code.hmac(&Statement::issued(nonce, certificate)?)))
    }
}

impl Issuing {
    /// Checks a proof. Nothing is used up by it.
    pub(super) fn prove(
        &self,
        applicant: &Applicant,
        proof: &Proof,
        claim: &Claim,
    ) -> Result<Proven, IssueFailure> {
        match proof {
            Proof::Code { nonce, hmac } => self.by_code(applicant, nonce, hmac),
            Proof::Lotw {
                nonce,
                chain,
                signature,
            } => self.by_lotw(&LotwProof {
                chain,
                signature,
                server: claim.server.fingerprint(),
                nonce,
                applicant: applicant.stated(),
            }),
            Proof::Endorsements {
                method,
                endorsements,
            } => self.by_endorsements(applicant, *method, endorsements),
            Proof::Document { note } => by_document(note),
            Proof::Owner(method) => Ok(Proven {
                by_owner: true,
                ..Proven::by(is_check(*method)?)
            }),
        }
    }

    fn by_code(
        &self,
        applicant: &Applicant,
        nonce: &str,
        hmac: &str,
    ) -> Result<Proven, IssueFailure> {
        let statement = Statement::issue(nonce, applicant.stated())?;
        let made_with = |open: &&IssueCode| open.code.verify(&statement, hmac) != Err(WrongCode);
        let known = self.authority.known();
        let code = known.books.codes.iter().find(made_with).cloned();
        drop(known);
        let code = code.filter(|code| code.callsign == applicant.callsign);
        let code = code.ok_or(IssueFailure::WrongCode)?;
        if applicant.class.is_some() && applicant.class != code.licence_class {
            return Err(ProofError::OtherClass.into());
        }
        Ok(Proven {
            code: Some(code),
            ..Proven::by(VouchMethod::InPerson)
        })
    }

    fn by_lotw(&self, proof: &LotwProof<'_>) -> Result<Proven, IssueFailure> {
        let roots = self.authority.licence_roots().into_iter();
        let roots: Vec<ForeignCertificate> = roots.map(|root| root.certificate).collect();
        let mut budget = Budget::new(foreign::MAX_CHECKS);
        let licence = foreign::prove(proof, &roots, &mut budget).map_err(ProofError::Lotw)?;
        let expired = licence.expired(SystemTime::now());
        Ok(Proven {
            evidence: Some(Digest::new(*licence.certificate.as_bytes())),
            waits: expired.then(|| {
                "the Logbook of the World certificate has ended, so the owner decides".to_owned()
            }),
            ..Proven::by(VouchMethod::Lotw)
        })
    }

    fn by_endorsements(
        &self,
        applicant: &Applicant,
        method: VouchMethod,
        endorsements: &[Endorsement],
    ) -> Result<Proven, IssueFailure> {
        if endorsements.len() != ENDORSEMENTS {
            return Err(ProofError::NotThree.into());
        }
        let statement = Statement::endorse(applicant.stated(), is_check(method)?)?;
        for endorsement in endorsements {
            let key = self.trusted_key(&endorsement.key, applicant)?;
            key.verify(&statement, &endorsement.signature)
                .map_err(|_| ProofError::BadEndorsement(endorsement.key))?;
        }
        // Searches the graph, so it comes after what only the endorsers' keys can have made.
        let keys: Vec<KeyId> = endorsements.iter().map(|one| one.key).collect();
        if !self.authority.look(|graph| graph.disjoint_vouchers(&keys)) {
            return Err(ProofError::NotIndependent.into());
        }
        let lines = endorsements
            .iter()
            .map(|one| format!("{} {}", one.key, one.signature));
        let lines: Vec<String> = lines.collect();
        Ok(Proven {
            evidence: Some(sha256(lines.join("\n").as_bytes())),
            ..Proven::by(VouchMethod::Endorsements)
        })
    }

    /// A key that is trusted here and not the applicant's own.
    fn trusted_key(&self, key: &KeyId, applicant: &Applicant) -> Result<PublicKey, ProofError> {
        let trusted = self.authority.look(|graph| {
            let certificates = graph.trusted_certificates(key);
            certificates.first().map(|held| *held.public_key())
        });
        let others = trusted.filter(|key| *key != applicant.key);
        others.ok_or(ProofError::UnknownEndorser(*key))
    }
}

fn by_document(note: &str) -> Result<Proven, IssueFailure> {
    let note = note.trim();
    let length = 1..=MAX_NOTE;
    let foreign = |letter: char| letter.is_control() && letter != '\n';
    if !length.contains(&note.chars().count()) || note.chars().any(foreign) {
        return Err(ProofError::Note.into());
    }
    Ok(Proven {
        evidence: Some(sha256(note.as_bytes())),
        note: Some(note.to_owned()),
        waits: Some("the owner looks at the document first".to_owned()),
        ..Proven::by(VouchMethod::Document)
    })
}

pub(super) fn sha256(bytes: &[u8]) -> Digest {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    Digest::new(hash)
}

//! Statements around a new certificate, and around what a server publishes of its certificates.

use super::{FieldError, NONE, Statement};
use crate::licence::VouchMethod;
use crate::{Callsign, Digest, Fingerprint, KeyId, LicenceClass};

/// Who wants a certificate, as every proof of a licence names them.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// The key in their request.
    pub key: KeyId,
    /// Their callsign.
    pub callsign: &'a Callsign,
    /// The class on their licence, where they say it.
    pub class: Option<&'a LicenceClass>,
}

impl Applicant<'_> {
    fn class(&self) -> &str {
        self.class.map_or(NONE, LicenceClass::as_str)
    }
}

impl Statement {
    /// `issue`: who knows the issue code asks for a certificate for this key. The code was bound to
    /// callsign and class when it was made.
    ///
    /// # Errors
    /// [`FieldError`] when the nonce cannot be a field.
    pub fn issue(nonce: &str, applicant: Applicant<'_>) -> Result<Self, FieldError> {
        let fields = [
            nonce,
            &applicant.key.to_string(),
            applicant.callsign.as_str(),
            applicant.class(),
        ];
        Self::new("issue", &fields)
    }

    /// `issued`: who knows the issue code made this certificate, so it is the one that was asked for.
    ///
    /// # Errors
    /// [`FieldError`] when the nonce cannot be a field.
    pub fn issued(nonce: &str, certificate: Fingerprint) -> Result<Self, FieldError> {
        Self::new("issued", &[nonce, &certificate.to_string()])
    }

    /// `lotw`: the holder of a Logbook of the World certificate asks this server for a certificate
    /// for this key.
    ///
    /// # Errors
    /// [`FieldError`] when the nonce cannot be a field.
    pub fn lotw(
        server: Fingerprint,
        nonce: &str,
        applicant: Applicant<'_>,
    ) -> Result<Self, FieldError> {
        let fields = [
            &server.to_string(),
            nonce,
            &applicant.key.to_string(),
            applicant.callsign.as_str(),
            applicant.class(),
        ];
        Self::new("lotw", &fields)
    }

    /// `endorse`: an operator answers for the applicant's licence, which they checked this way.
    ///
    /// # Errors
    /// None in practice: every field is a digest, a checked text or a word.
    pub fn endorse(applicant: Applicant<'_>, method: VouchMethod) -> Result<Self, FieldError> {
        let fields = [
            &applicant.key.to_string(),
            applicant.callsign.as_str(),
            applicant.class(),
            method.as_str(),
        ];
        Self::new("endorse", &fields)
    }

    /// `checkpoint`: this server's issuance log had so many entries, and this head.
    ///
    /// # Errors
    /// None in practice: every field is a digest or a number.
    pub fn checkpoint(server: KeyId, size: u64, head: Digest) -> Result<Self, FieldError> {
        let fields = [&server.to_string(), &size.to_string(), &head.to_string()];
        Self::new("checkpoint", &fields.map(String::as_str))
    }

    /// `trust-bundle`: this server held that listing at `timestamp`, in seconds since 1970 by its
    /// own clock.
    ///
    /// # Errors
    /// None in practice: every field is a digest or a number.
    pub fn trust_bundle(
        server: Fingerprint,
        timestamp: u64,
        listing: Digest,
    ) -> Result<Self, FieldError> {
        let fields = [
            &server.to_string(),
            &timestamp.to_string(),
            &listing.to_string(),
        ];
        Self::new("trust-bundle", &fields.map(String::as_str))
    }
}

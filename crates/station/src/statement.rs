//! Statements: the only texts a key signs outside X.509 and HTTP message signatures.
//!
//! A statement is UTF-8 lines joined by LF without one at the end; the first is
//! `ham-server/1 CONTEXT`, the others are fields in the order its context fixes. A context is never
//! used for two meanings, so a signature made for one purpose is worth nothing for another, and
//! nobody ever signs bytes that another party chose whole. `docs/protocol/statements.md` is the
//! public description; `docs/protocol/vectors/statements.json` pins the bytes for Rust and
//! TypeScript alike.
//!
//! Here are those of a login, a claim, a withdrawal and a change of keys; [`issuing`] has those
//! around a new certificate, [`call`] those of a call, [`coordination`] those between servers.

pub mod call;
pub mod coordination;
pub mod issuing;

use std::fmt;

use crate::{Callsign, Fingerprint, Identity, KeyId};

/// Most bytes of one field: a URL or a callsign, never a document.
pub const MAX_FIELD_LEN: usize = 512;

/// What stands where a context allows a field to say nothing.
const NONE: &str = "-";

/// The exact text to sign or to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement(String);

/// A field cannot stand in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Empty, or longer than [`MAX_FIELD_LEN`].
    #[error("a statement's field has 1 to {MAX_FIELD_LEN} bytes")]
    Length,
    /// A line break or another control character would forge a field.
    #[error("a statement's field has no control characters")]
    ControlCharacter,
}

/// What both proofs of a login speak of.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The 32 bytes the client chose, base64url.
    pub client_nonce: &'a str,
    /// The 32 bytes the server chose, base64url.
    pub server_nonce: &'a str,
    /// The server's certificate.
    pub server: Fingerprint,
    /// The client's certificate; a guest has none.
    pub client: Option<Fingerprint>,
    /// The URL the client dialled, as it wrote it. It binds the proof to this server's address, so
    /// that a server in the middle cannot pass it on.
    pub url: &'a str,
}

/// A change of keys, as both keys sign it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rekey {
    /// The key that is given up.
    pub old: KeyId,
    /// The key that takes its place.
    pub new: KeyId,
    /// Whose keys they are.
    pub callsign: Callsign,
    /// The new key's place in the line: exactly one more than the old key's; a first key has 0.
    pub generation: u32,
}

impl Statement {
    /// `server-proof`: this server holds the key of its certificate, now, for this client and URL.
    ///
    /// # Errors
    /// [`FieldError`] when a nonce or the URL cannot be a field.
    pub fn server_proof(login: &Login<'_>) -> Result<Self, FieldError> {
        Self::login("server-proof", login)
    }

    /// `client-proof`: this client holds the key of its certificate and logs in to that server.
    ///
    /// # Errors
    /// [`FieldError`] when a nonce or the URL cannot be a field.
    pub fn client_proof(login: &Login<'_>) -> Result<Self, FieldError> {
        Self::login("client-proof", login)
    }

    /// `claim-offer`: who knows the claim code says that this key is the server's.
    ///
    /// # Errors
    /// [`FieldError`] when the nonce cannot be a field.
    pub fn claim_offer(nonce: &str, server: KeyId) -> Result<Self, FieldError> {
        Self::new("claim-offer", &[nonce, &server.to_string()])
    }

    /// `claim`: who knows the claim code says that this operator's key takes that server.
    ///
    /// # Errors
    /// [`FieldError`] when the nonce cannot be a field.
    pub fn claim(
        nonce: &str,
        server: KeyId,
        operator: KeyId,
        callsign: &Callsign,
    ) -> Result<Self, FieldError> {
        let fields = [
            nonce,
            &server.to_string(),
            &operator.to_string(),
            callsign.as_str(),
        ];
        Self::new("claim", &fields)
    }

    /// `tombstone`: this key declares that certificate dead. Who may do so is the reader's to judge.
    ///
    /// # Errors
    /// None in practice: every field is a digest.
    pub fn tombstone(signer: KeyId, target: Identity) -> Result<Self, FieldError> {
        Self::new("tombstone", &[&signer.to_string(), &target.to_string()])
    }

    /// `rekey`: both keys say that the new one takes the old one's place for this callsign.
    ///
    /// # Errors
    /// None in practice: every field is a digest, a callsign or a number.
    pub fn rekey(rekey: &Rekey) -> Result<Self, FieldError> {
        let fields = [
            &rekey.old.to_string(),
            &rekey.new.to_string(),
            rekey.callsign.as_str(),
            &rekey.generation.to_string(),
        ];
        Self::new("rekey", &fields)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes to sign or to verify.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn login(context: &str, login: &Login<'_>) -> Result<Self, FieldError> {
        let client = login
            .client
            .map_or_else(|| NONE.to_owned(), |client| client.to_string());
        let server = login.server.to_string();
        Self::new(
            context,
            &[
                login.client_nonce,
                login.server_nonce,
                &server,
                &client,
                login.url,
            ],
        )
    }

    fn new(context: &str, fields: &[&str]) -> Result<Self, FieldError> {
        let mut text = format!("ham-server/1 {context}");
        for field in fields {
            if field.is_empty() || field.len() > MAX_FIELD_LEN {
                return Err(FieldError::Length);
            }
            if field.chars().any(char::is_control) {
                return Err(FieldError::ControlCharacter);
            }
            text.push('\n');
            text.push_str(field);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;

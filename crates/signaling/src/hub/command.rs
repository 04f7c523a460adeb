//! What the hub says to whoever owns the sockets, and the questions it has for their cryptography.

use std::sync::Arc;

use station::{Callsign, Fingerprint, KeyId, LicenceClass, Statement};

use super::{ConnectionId, Shown};
use crate::message::{ClientId, ErrorCode, ServerFrame};

/// What the hub wants done. Commands of one connection are carried out in the order they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Put a frame into a connection's queue.
    Send {
        /// On which connection.
        connection: ConnectionId,
        /// The frame.
        frame: ServerFrame,
    },
    /// Send a WebSocket ping.
    Ping {
        /// On which connection.
        connection: ConnectionId,
    },
    /// Send what is queued, then close. The connection is already forgotten.
    Close {
        /// Which connection.
        connection: ConnectionId,
        /// With which code.
        code: CloseCode,
    },
    /// Tell the other servers that somebody is here, or is now as this says.
    Show {
        /// Their session.
        client: ClientId,
        /// Who they are.
        person: Box<Shown>,
    },
    /// Tell the other servers that somebody is here no more.
    Hide {
        /// Their session.
        client: ClientId,
    },
    /// Pass a signal on to another server, which gets it by [`Hub::receive_from`](super::Hub::receive_from);
    /// if that fails, say so by [`Hub::undelivered`](super::Hub::undelivered).
    Forward {
        /// Whose it is.
        from: ClientId,
        /// The server's certificate.
        server: Fingerprint,
        /// The signal.
        signal: String,
        /// The `id` of the sender's frame.
        reply_to: Option<String>,
    },
    /// Make a challenge for this connection and hand it to [`Hub::challenge`].
    Challenge {
        /// On which connection.
        connection: ConnectionId,
        /// Who they say they are.
        claimant: Box<Claimant>,
    },
    /// Verify the signature over the statement and hand the verdict to [`Hub::verified`].
    Verify {
        /// On which connection it came.
        connection: ConnectionId,
        /// The text that must have been signed.
        statement: Statement,
        /// The key it must be signed by, a DER SubjectPublicKeyInfo.
        spki: Vec<u8>,
        /// 64 bytes r‖s in base64url, as it came.
        signature: String,
    },
}

/// WebSocket close codes (RFC 6455, 7.4.1, and the IANA registry; those from 4000 are our own).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CloseCode {
    /// 1001: the server stops.
    GoingAway,
    /// 1008: the client went on after it was told to stop, or fell silent.
    Policy,
    /// 1009: a frame no server could be expected to hold.
    TooLarge,
    /// 1013: the client does not read what it is sent, or the server is full.
    TryAgainLater,
    /// 4001: the session goes on on another connection.
    Resumed,
}

impl CloseCode {
    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::Policy => 1008,
            Self::TooLarge => 1009,
            Self::TryAgainLater => 1013,
            Self::Resumed => 4001,
        }
    }
}

/// Somebody who must prove who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// Who they say they are.
    pub credentials: Credentials,
    /// The nonce the client chose, base64url.
    pub nonce: String,
    /// The URL the client says it dialled.
    pub url: String,
}

/// Who somebody says they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// By a certificate, before anything of it was looked at.
    Presented {
        /// The certificate, PEM.
        certificate: String,
        /// The certificates above it, PEM.
        chain: Vec<String>,
    },
    /// The same as before, whose certificate was looked at then.
    Known {
        /// Who that is.
        identity: Identity,
        /// Their key, a DER SubjectPublicKeyInfo.
        spki: Vec<u8>,
    },
}

/// A login under way: what was asked, and what the client must sign.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The server's nonce, base64url.
    pub nonce: String,
    /// The server's certificate and those above it, PEM.
    pub server_chain: Vec<String>,
    /// The server's signature over its `server-proof`, base64url.
    pub server_signature: String,
    /// The `client-proof` to be signed.
    pub statement: Statement,
    /// The key of the client's certificate, a DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// Who the client is, once it has signed.
    pub identity: Identity,
}

/// Who a certificate says somebody is, and what this server makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The callsign in the certificate.
    pub callsign: Callsign,
    /// The certificate's key.
    pub key: KeyId,
    /// The certificate.
    pub fingerprint: Fingerprint,
    /// The class in the certificate.
    pub licence_class: Option<LicenceClass>,
    /// Whether the certificate is trusted here, and its holder so licensed.
    pub trusted: bool,
    /// The certificate and those above it, PEM, as others are told them with a signed offer or answer. It
    /// must be small beside a frame.
    pub chain: Arc<[String]>,
}

/// Why a login goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The word for programs.
    pub code: ErrorCode,
    /// The sentence for the person.
    pub error: String,
}

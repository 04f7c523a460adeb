//! What is held, in pages: by callsign, then by identity.
//!
//! A page is as long as it is asked to be and no longer, and looks at a bounded number of
//! certificates, so that nobody keeps the graph busy by asking for what is rare.

use std::fmt;
use std::str::FromStr;

use station::{Callsign, Identity, KeyId};

use super::web::EdgeId;
use super::{TrustGraph, Verdict};
use crate::certificate::{Admitted, Certificate};

/// Most certificates that one page looks at.
pub const MAX_SEEN: usize = 4096;

/// A held certificate and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The certificate.
    pub certificate: &'a Admitted,
    /// The verdict on it.
    pub verdict: Verdict,
    /// Whether the owner made it an anchor.
    pub anchor: bool,
    /// The key that signed it.
    pub issuer: KeyId,
    /// Whose key that is.
    pub issuer_callsign: &'a Callsign,
    /// Whether its holder's key signed other certificates that are held.
    pub vouches: bool,
}

/// A place in the list: after this certificate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The callsign's base.
    base: String,
    identity: Identity,
}

/// A text is not a place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this server gave")]
pub struct PositionError;

/// A part of the list.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// The certificates; perhaps fewer than asked for, or none, even if more follow.
    pub held: Vec<Held<'a>>,
    /// Where to go on; none at the end.
    pub next: Option<Position>,
}

impl TrustGraph {
    /// A held certificate with what is known of it.
    #[must_use]
    pub fn held(&self, identity: &Identity) -> Option<Held<'_>> {
        self.web
            .by_identity(identity)
            .map(|edge| self.held_edge(edge))
    }

    /// Every held certificate of a key, by identity.
    #[must_use]
    pub fn held_by(&self, key: &KeyId) -> Vec<Held<'_>> {
        let certificates = self.web.certificates_of(key);
        let mut held: Vec<Held<'_>> = certificates.map(|edge| self.held_edge(edge)).collect();
        held.sort_unstable_by_key(|held| held.certificate.identity());
        held
    }

    /// At most `limit` certificates that are `wanted`, after the position, in the order of callsigns
    /// by their base and then of identities; those of one callsign only, if one is given. Looks at
    /// no more than [`MAX_SEEN`].
    #[must_use]
    pub fn listed(
        &self,
        after: Option<&Position>,
        callsign: Option<&Callsign>,
        limit: usize,
        wanted: impl Fn(&Held<'_>) -> bool,
    ) -> Page<'_> {
        let mut held = Vec::new();
        let mut last = None;
        let after = after.map(|after| (after.base.as_str(), after.identity));
        let following = self.web.listed(after, callsign.map(Callsign::base));
        for (seen, (base, edge)) in following.enumerate() {
            if held.len() >= limit || seen == MAX_SEEN {
                return Page { held, next: last };
            }
            let one = self.held_edge(edge);
            last = Some(Position {
                base: base.to_owned(),
                identity: one.certificate.identity(),
            });
            if wanted(&one) {
                held.push(one);
            }
        }
        Page { held, next: None }
    }

    /// The certificates that wait for their issuer, by fingerprint.
    pub fn waiting_certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.waiting.certificates()
    }

    fn held_edge(&self, edge: EdgeId) -> Held<'_> {
        let verdict = self.verdict_of(edge);
        let edge = &self.web.edges[edge];
        let issuer = &self.web.nodes[edge.issuer];
        let subject = &self.web.nodes[edge.subject];
        // Every node is named by a certificate; all of them have one subject.
        let named = issuer.into.first().map(|named| &self.web.edges[*named]);
        Held {
            certificate: &edge.certificate,
            verdict,
            anchor: edge.anchor,
            issuer: issuer.key_id,
            issuer_callsign: named.unwrap_or(edge).certificate.callsign(),
            vouches: subject
                .out
                .iter()
                .any(|out| self.web.edges[*out].subject != edge.subject),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.base, self.identity)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let (base, identity) = text.split_once('.').ok_or(PositionError)?;
        if base.len() > station::callsign::MAX_LEN {
            return Err(PositionError);
        }
        Ok(Self {
            base: base.to_owned(),
            identity: Identity::parse(identity).map_err(|_| PositionError)?,
        })
    }
}

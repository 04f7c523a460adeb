//! The trust bundle: whom this server trusts and distrusts, signed, for clients that judge by
//! themselves while they cannot ask.
//!
//! It is made when somebody asks and kept until something in it changes, so that asking again costs
//! nothing.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hyper::body::Bytes;
use pki::graph::{Cause, SignedRekey, Target, Tombstone, Verdict};
use pki::{Certificate, KeyError, TrustGraph};
use ring::digest;
use ring::rand::SystemRandom;
use station::statement::FieldError;
use station::{Digest, Fingerprint, Identity, Statement};

use super::Authority;
use crate::runtime::{Ownership, lock};

/// A bundle is made anew after this time, although nothing changed: its timestamp says how fresh it is.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// Whom a server trusts, at one moment.
#[derive(Debug)]
pub struct TrustBundle {
    /// The server's certificate.
    pub server: Fingerprint,
    /// When, in seconds since 1970 by the server's clock.
    pub timestamp: u64,
    /// Trusted certificates, by callsign and identity.
    pub certificates: Vec<Certificate>,
    /// Identities of certificates that count for nothing because the owner blacklisted them, their key
    /// or a key above.
    pub blacklisted: Vec<Identity>,
    /// Tombstones, by target and signer.
    pub tombstones: Vec<Tombstone>,
    /// Changes of keys.
    pub rekeys: Vec<SignedRekey>,
    /// By the server over `trust-bundle`: r‖s, base64url.
    pub signature: String,
    edition: u64,
    made: Instant,
    encoded: OnceLock<Bytes>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Nobody owns the server, so it trusts nobody.
    #[error("this server has no owner yet")]
    Unclaimed,
    /// The server's key could not sign.
    #[error("the server's key could not sign")]
    Key(#[from] KeyError),
    /// The statement cannot be written.
    #[error("the bundle cannot be written as a statement")]
    Field(#[from] FieldError),
}

impl Authority {
    /// The bundle as of now. May take long, and blocks on the disk while somebody writes.
    ///
    /// # Errors
    /// [`BundleError`] while there is no owner, or when it cannot be signed.
    pub fn trust_bundle(
        &self,
        ownership: &Ownership,
        random: &SystemRandom,
    ) -> Result<Arc<TrustBundle>, BundleError> {
        let claim = ownership.claim().ok_or(BundleError::Unclaimed)?;
        // Held while one is made: who asks meanwhile waits for it instead of making another.
        let mut kept = lock(&self.bundle);
        let edition = self.edition.load(Ordering::Acquire);
        let server = claim.server.fingerprint();
        if let Some(bundle) = &*kept
            && bundle.edition == edition
            && bundle.server == server
            && bundle.made.elapsed() < FRESH
        {
            return Ok(Arc::clone(bundle));
        }
        // While nobody changes anything: what is signed is what is on the disk.
        let settled = lock(&self.store);
        let edition = self.edition.load(Ordering::Acquire);
        let mut bundle = self.look(|graph| TrustBundle::of(graph, server, edition));
        drop(settled);
        let listing = digest::digest(&digest::SHA256, bundle.listing().as_bytes());
        let listing = Digest::new(listing.as_ref().try_into().unwrap_or_default());
        let statement = Statement::trust_bundle(server, bundle.timestamp, listing)?;
        bundle.signature = ownership.key().sign(&statement, random)?;
        let bundle = Arc::new(bundle);
        *kept = Some(Arc::clone(&bundle));
        Ok(bundle)
    }
}

impl TrustBundle {
    /// Collects what the graph holds, unsigned.
    fn of(graph: &TrustGraph, server: Fingerprint, edition: u64) -> Self {
        let (mut certificates, mut blacklisted) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let page = graph.listed(after.as_ref(), None, usize::MAX, |_| true);
            for held in page.held {
                match held.verdict {
                    Verdict::Trusted => certificates.push(Certificate::clone(held.certificate)),
                    Verdict::Dead(
                        Cause::Blacklisted | Cause::BlacklistedKey | Cause::BlacklistedSubtree,
                    ) => blacklisted.push(held.certificate.identity()),
                    _ => {}
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        // Those of whose certificate nothing is held any more.
        let forgotten = graph.blacklisted().filter_map(|entry| match entry.target {
            Target::Certificate(identity) => graph.held(&identity).is_none().then_some(identity),
            Target::Key(_) | Target::Subtree(_) => None,
        });
        blacklisted.extend(forgotten);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            server,
            timestamp: now.map_or(0, |since| since.as_secs()),
            certificates,
            blacklisted,
            tombstones: graph.tombstones().collect(),
            rekeys: graph.rekeys().collect(),
            signature: String::new(),
            edition,
            made: Instant::now(),
            encoded: OnceLock::new(),
        }
    }

    /// The bundle as it is sent, which is written once.
    pub fn encoded(&self, encode: impl FnOnce(&Self) -> Vec<u8>) -> Bytes {
        let written = self.encoded.get_or_init(|| encode(self).into());
        written.clone()
    }

    /// The text whose hash is signed: a line for each item, joined by LF, in the order given.
    #[must_use]
    pub fn listing(&self) -> String {
        let mut text = String::new();
        let mut line = |line: std::fmt::Arguments<'_>| {
            if !text.is_empty() {
                text.push('\n');
            }
            let _ = text.write_fmt(line);
        };
        for certificate in &self.certificates {
            line(format_args!("certificate {}", certificate.fingerprint()));
        }
        for identity in &self.blacklisted {
            line(format_args!("blacklisted {identity}"));
        }
        for tombstone in &self.tombstones {
            let Tombstone {
                target,
                signer,
                signature,
            } = tombstone;
            line(format_args!("tombstone {target} {signer} {signature}"));
        }
        for SignedRekey {
            rekey,
            by_old,
            by_new,
        } in &self.rekeys
        {
            line(format_args!(
                "rekey {} {} {} {} {by_old} {by_new}",
                rekey.old, rekey.new, rekey.callsign, rekey.generation
            ));
        }
        text
    }
}

//! What the owner decides: whom to distrust, which key to accept, who follows whom, how much room
//! somebody's people get.

use pki::Admitted;
use pki::graph::{Effect, Entry, Target};
use station::{Callsign, Fingerprint, Identity, KeyId};
use store::StoreError;

use super::{Authority, Decided};

/// How far a blacklisting reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One certificate.
    Certificate,
    /// Every certificate of its key.
    Key,
    /// Its key and every key below.
    Subtree,
}

/// Why a decision is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is no such certificate, or no such decision to take back.
    #[error("this server knows nothing of the kind")]
    Unknown,
    /// The owner's own key or the server's.
    #[error("that is the key of this server or of its owner; reset the server to give it up")]
    OwnKey,
    /// The owner's own anchor.
    #[error("that is the owner's own trust anchor; reset the server to give it up")]
    OwnAnchor,
    /// It cannot be stored.
    #[error("the decision cannot be stored")]
    Store(#[from] StoreError),
}

impl Authority {
    /// Blacklists a certificate, its key, or everything below its key; `own` are keys that must not
    /// be. Blocks on the disk.
    ///
    /// # Errors
    /// [`DecisionError`]; nothing is changed then.
    pub fn blacklist(
        &self,
        named: &Fingerprint,
        scope: Scope,
        reason: &str,
        own: &[KeyId],
    ) -> Result<Effect, DecisionError> {
        let (_, effect) = self.change(
            |known| {
                let certificate = known.graph.certificate(named);
                let certificate = certificate.ok_or(DecisionError::Unknown)?;
                if own.contains(&certificate.key_id()) {
                    return Err(DecisionError::OwnKey);
                }
                let target = scope.of(certificate);
                let (entry, effect) = known.graph.blacklist(target, reason);
                Ok(decided((entry, effect.clone()), &effect).published_if(true))
            },
            |change, (entry, _): &(Entry, Effect)| change.blacklist(entry),
        )?;
        Ok(effect)
    }

    /// Lets a key hold a callsign whose earlier key was blacklisted. Blocks on the disk.
    ///
    /// # Errors
    /// [`DecisionError`]; nothing is changed then.
    pub fn accept_key(&self, callsign: &Callsign, key: KeyId) -> Result<Effect, DecisionError> {
        self.change(
            |known| {
                let mut waiting = known.graph.awaiting_owner();
                let theirs = |one: &Admitted| {
                    one.key_id() == key && one.callsign().base() == callsign.base()
                };
                if !waiting.any(theirs) {
                    return Err(DecisionError::Unknown);
                }
                drop(waiting);
                let effect = known.graph.accept_key(callsign, key);
                Ok(decided(effect.clone(), &effect))
            },
            |change, _| change.accept_key(callsign, key),
        )
    }

    /// Decides which of the keys that claim it took an old key's place. Blocks on the disk.
    ///
    /// # Errors
    /// [`DecisionError`]; nothing is changed then.
    pub fn choose_successor(&self, old: KeyId, new: KeyId) -> Result<Effect, DecisionError> {
        self.change(
            |known| {
                let effect = known.graph.choose_successor(old, new);
                let effect = effect.ok_or(DecisionError::Unknown)?;
                Ok(decided(effect.clone(), &effect))
            },
            |change, _| change.choose_successor(old, new),
        )
    }

    /// Lets so many certificates stand below a certificate's key. Blocks on the disk.
    ///
    /// # Errors
    /// [`DecisionError`]; nothing is changed then.
    pub fn set_cap(
        &self,
        named: &Fingerprint,
        certificates: usize,
    ) -> Result<Effect, DecisionError> {
        self.change::<_, DecisionError>(
            |known| {
                let certificate = known.graph.certificate(named);
                let key = certificate.ok_or(DecisionError::Unknown)?.key_id();
                known.graph.raise_cap(key, certificates);
                Ok(decided(key, &Effect::default()))
            },
            |change, key| change.set_cap(*key, certificates),
        )?;
        Ok(Effect::default())
    }

    /// Takes a blacklisting back, by the certificate, or by the key or the identity that it names.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`DecisionError`]; nothing is changed then.
    pub fn unblacklist(&self, named: &Fingerprint, scope: Scope) -> Result<Effect, DecisionError> {
        let (_, effect) = self.change::<_, DecisionError>(
            |known| {
                let target = match known.graph.certificate(named) {
                    Some(certificate) => scope.of(certificate),
                    None => scope.by_name(named),
                };
                let effect = known.graph.unblacklist(target);
                let effect = effect.ok_or(DecisionError::Unknown)?;
                Ok(decided((target, effect.clone()), &effect).published_if(true))
            },
            |change, (target, _): &(Target, Effect)| change.unblacklist(*target),
        )?;
        Ok(effect)
    }
}

impl Scope {
    /// What a decision of this scope about a certificate is about.
    #[must_use]
    pub fn of(self, certificate: &Admitted) -> Target {
        match self {
            Self::Certificate => Target::Certificate(certificate.identity()),
            Self::Key => Target::Key(certificate.key_id()),
            Self::Subtree => Target::Subtree(certificate.key_id()),
        }
    }

    /// The same, where 64 digits name the key or the identity itself.
    fn by_name(self, named: &Fingerprint) -> Target {
        let digest = *named.as_bytes();
        match self {
            Self::Certificate => Target::Certificate(Identity::new(digest)),
            Self::Key => Target::Key(KeyId::new(digest)),
            Self::Subtree => Target::Subtree(KeyId::new(digest)),
        }
    }
}

/// A decision with this effect.
pub(super) fn decided<T>(value: T, effect: &Effect) -> Decided<T> {
    Decided::about(value, &[&effect.lose, &effect.gain])
}

//! Statements of keys about keys: tombstones and changes of keys, which anybody may hand over.

use pki::graph::{Budget, Effect, Force, RekeyError, SignedRekey, Tombstone, TombstoneError};
use store::StoreError;

use super::Authority;
use super::decisions::decided;

/// Why a tombstone is not kept.
#[derive(Debug, thiserror::Error)]
pub enum BuryError {
    /// It is not good.
    #[error(transparent)]
    Tombstone(#[from] TombstoneError),
    /// It cannot be stored.
    #[error("the tombstone cannot be stored")]
    Store(#[from] StoreError),
}

/// Why a change of keys is not kept.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It is not good.
    #[error(transparent)]
    Rekey(#[from] RekeyError),
    /// It cannot be stored.
    #[error("the change of keys cannot be stored")]
    Store(#[from] StoreError),
}

impl Authority {
    /// Adds a tombstone. Blocks on the disk.
    ///
    /// # Errors
    /// [`BuryError`]; nothing is changed then.
    pub fn bury(&self, tombstone: &Tombstone) -> Result<(Force, Effect), BuryError> {
        self.change(
            |known| {
                let Tombstone { target, signer, .. } = tombstone;
                let was_there = known.graph.has_tombstone(target, signer);
                let buried = known.graph.bury(tombstone, &mut Budget::new(1))?;
                let effect = buried.1.clone();
                Ok(decided(buried, &effect).published_if(!was_there))
            },
            |change, _| change.bury(tombstone),
        )
    }

    /// Adds a change of keys. Blocks on the disk.
    ///
    /// # Errors
    /// [`FollowError`]; nothing is changed then.
    pub fn follow(&self, signed: &SignedRekey) -> Result<Effect, FollowError> {
        self.change(
            |known| {
                let was_there = known.graph.has_rekey(&signed.rekey);
                let effect = known.graph.rekey(signed, &mut Budget::new(2))?;
                Ok(decided(effect.clone(), &effect).published_if(!was_there))
            },
            |change, _| change.rekey(signed),
        )
    }
}

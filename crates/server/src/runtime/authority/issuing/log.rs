//! The log of everything this server issued, as everybody may read it.
//!
//! A checkpoint is a promise to whoever keeps it, so it is made of what is on the disk, never of what
//! is about to be written.

use pki::log::{Checkpoint, CheckpointError, Entry, Tip};
use station::Digest;
use store::{Store, StoreError};

use super::{IssueFailure, Issuing};
use crate::runtime::lock;

/// A part of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Entries, in order.
    pub entries: Vec<Entry>,
    /// The server's word on the whole log.
    pub checkpoint: Checkpoint,
}

impl Issuing {
    /// At most `most` entries from this place on. Blocks on the disk.
    ///
    /// # Errors
    /// [`IssueFailure`] when the database cannot be read or the key fails.
    pub fn log(&self, from: u64, most: u32) -> Result<Part, IssueFailure> {
        let store = self.ownership.store();
        let (found, tip) = {
            let store = lock(&store);
            (store.issuances(from, most)?, tip(&store)?)
        };
        let entries = found.iter().map(|issuance| {
            let entry = Entry::from_text(&issuance.entry);
            entry.map_err(|_| StoreError::Damaged("the issuance log"))
        });
        Ok(Part {
            entries: entries.collect::<Result<_, _>>()?,
            checkpoint: self.sign_tip(tip)?,
        })
    }

    /// The server's word on how far the log goes. Blocks on the disk.
    ///
    /// # Errors
    /// [`IssueFailure`] when the database cannot be read or the key fails.
    pub fn checkpoint(&self) -> Result<Checkpoint, IssueFailure> {
        let tip = tip(&lock(&self.ownership.store()))?;
        self.sign_tip(tip)
    }

    /// Signs once for each length of the log, however many ask.
    fn sign_tip(&self, tip: Tip) -> Result<Checkpoint, IssueFailure> {
        let mut last = lock(&self.checkpoint);
        if let Some(signed) = last.as_ref().filter(|signed| signed.tip == tip) {
            return Ok(signed.clone());
        }
        let signed = Checkpoint::sign(tip, self.ownership.key(), &self.random);
        let signed = signed.map_err(|error| match error {
            CheckpointError::Field(error) => IssueFailure::Field(error),
            CheckpointError::Key(error) => IssueFailure::Key(error),
        })?;
        *last = Some(signed.clone());
        Ok(signed)
    }
}

/// How far the log goes on the disk.
pub(super) fn tip(store: &Store) -> Result<Tip, StoreError> {
    let last = store.last_issuance()?;
    Ok(last.map_or(Tip::EMPTY, |last| Tip {
        size: last.place + 1,
        head: Digest::new(last.head),
    }))
}

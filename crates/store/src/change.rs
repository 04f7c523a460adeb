//! Transactions: what was done together is stored together.

use rusqlite::{Transaction, TransactionBehavior};

use crate::{Store, StoreError};

/// A transaction under way. What is written by it becomes true at its end, whole or not at all.
#[derive(Debug)]
pub struct Change<'a>(pub(crate) Transaction<'a>);

impl Store {
    /// Writes something as one transaction. It is on the disk when this returns; nothing of it is when
    /// `write` or the disk fails.
    ///
    /// # Errors
    /// What `write` gives, or [`StoreError`] when the file cannot be written.
    pub fn change<T, E: From<StoreError>>(
        &mut self,
        write: impl FnOnce(&Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate);
        let change = Change(begun.map_err(StoreError::from)?);
        let value = write(&change)?;
        change.0.commit().map_err(StoreError::from)?;
        Ok(value)
    }
}

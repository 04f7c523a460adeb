//! What owners tell each other of whom they distrust: whether this one does, and what it does not want to hear again.

use rusqlite::OptionalExtension as _;

use crate::{Store, StoreError};

impl Store {
    /// Whether the owner publishes the blacklist; none if they never did.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn publishes_blacklist(&self) -> Result<Option<bool>, StoreError> {
        let row = "SELECT is_on FROM published_blacklist";
        let found = self.connection.query_row(row, [], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// The owner publishes the blacklist from now on, or no more.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn publish_blacklist(&mut self, publish: bool) -> Result<(), StoreError> {
        let row = "INSERT OR REPLACE INTO published_blacklist (only, is_on) VALUES (1, ?1)";
        self.connection.execute(row, [publish])?;
        Ok(())
    }

    /// The hashes of advice that the owner dismissed.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn dismissed_advice(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT advice FROM dismissed_advice ORDER BY place")?;
        let rows = query.query_and_then([], |row| Ok(row.get(0)?))?;
        rows.collect()
    }

    /// The owner dismisses advice. Beyond 4,096 the first dismissed are forgotten, and so are shown again.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written; nothing is changed then.
    pub fn dismiss_advice(&mut self, advice: &[u8; 32]) -> Result<(), StoreError> {
        self.change(|change| {
            let row = "INSERT OR REPLACE INTO dismissed_advice (advice) VALUES (?1)";
            change.0.execute(row, [advice])?;
            let first = "DELETE FROM dismissed_advice WHERE place IN
                 (SELECT place FROM dismissed_advice ORDER BY place DESC LIMIT -1 OFFSET ?1)";
            change.0.execute(first, [MOST_DISMISSED])?;
            Ok(())
        })
    }
}

/// Dismissals that are remembered.
const MOST_DISMISSED: u32 = 4_096;

//! What the owner says the server's networks count as.

use station::Zone;

use crate::{Store, StoreError};

/// What a network counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneRule {
    /// An interface's name, or an address prefix.
    pub subject: String,
    /// What it is.
    pub zone: Zone,
}

impl Store {
    /// The owner's rules, by subject.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn zone_rules(&self) -> Result<Vec<ZoneRule>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT subject, zone FROM zone ORDER BY subject")?;
        let rows = query.query_and_then([], |row| {
            let zone: String = row.get("zone")?;
            Ok(ZoneRule {
                subject: row.get("subject")?,
                zone: zone.parse().map_err(|_| StoreError::Damaged("a zone"))?,
            })
        })?;
        rows.collect()
    }

    /// Replaces the owner's rules. Of two for one subject the last counts.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written; nothing is changed then.
    pub fn set_zone_rules(&mut self, rules: &[ZoneRule]) -> Result<(), StoreError> {
        self.change(|change| {
            change.0.execute("DELETE FROM zone", [])?;
            for ZoneRule { subject, zone } in rules {
                let row = "INSERT OR REPLACE INTO zone (subject, zone) VALUES (?1, ?2)";
                change.0.execute(row, [subject.as_str(), zone.as_str()])?;
            }
            Ok(())
        })
    }
}

//! The log of everything this server issued, as text with its chain of hashes. What the texts say
//! is not looked at here.

use rusqlite::{OptionalExtension as _, Row, params};

use crate::{Change, Store, StoreError};

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuance {
    /// Its place, from 0.
    pub place: u64,
    /// The entry, as its hash is computed over.
    pub entry: String,
    /// The hash of the chain up to here.
    pub head: [u8; 32],
}

impl Store {
    /// The newest entry.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn last_issuance(&self) -> Result<Option<Issuance>, StoreError> {
        let query = "SELECT place, entry, head FROM issuance ORDER BY place DESC LIMIT 1";
        let last = self.connection.query_row(query, [], Issuance::read);
        Ok(last.optional()?)
    }

    /// At most `most` entries from this place on, in order.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn issuances(&self, from: u64, most: u32) -> Result<Vec<Issuance>, StoreError> {
        let query =
            "SELECT place, entry, head FROM issuance WHERE place >= ?1 ORDER BY place LIMIT ?2";
        let mut query = self.connection.prepare(query)?;
        let rows = query.query_map(params![from, most], Issuance::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Change<'_> {
    /// Adds an entry at its place, which must be the next.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written, or the place is not the next.
    pub fn append_issuance(&self, issuance: &Issuance) -> Result<(), StoreError> {
        let values = params![issuance.place, issuance.entry, issuance.head];
        match self.0.execute(INSERT_ISSUANCE, values)? {
            0 => Err(StoreError::Missing("the log's previous entry")),
            _ => Ok(()),
        }
    }
}

impl Issuance {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get(0)?,
            entry: row.get(1)?,
            head: row.get(2)?,
        })
    }
}

const INSERT_ISSUANCE: &str = "
    INSERT INTO issuance (place, entry, head)
    SELECT ?1, ?2, ?3 WHERE ?1 = (SELECT coalesce(max(place) + 1, 0) FROM issuance)";

//! Issue codes that nobody has used: the one thing in the store that is secret.

use pki::Code;
use rusqlite::params;
use station::{Callsign, LicenceClass};

use crate::{Change, RandomId, Store, StoreError};

/// A code by which one person gets one certificate.
#[derive(Debug, Clone)]
pub struct IssueCode {
    /// What the owner calls it by.
    pub id: RandomId,
    /// The secret.
    pub code: Code,
    /// Whom the certificate will be for.
    pub callsign: Callsign,
    /// The class on the licence the owner saw.
    pub licence_class: Option<LicenceClass>,
    /// Seconds since 1970 by the server's clock.
    pub created_at: u64,
}

impl Store {
    /// Every code that nobody has used, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn codes(&self) -> Result<Vec<IssueCode>, StoreError> {
        let mut query = self.connection.prepare(SELECT_CODES)?;
        let rows = query.query_and_then([], |row| {
            let damaged = StoreError::Damaged("an issue code");
            let (code, callsign): (String, String) = (row.get("code")?, row.get("callsign")?);
            let class: Option<String> = row.get("licence_class")?;
            let (Ok(code), Ok(callsign), Ok(licence_class)) = (
                code.parse(),
                callsign.parse(),
                class.as_deref().map(str::parse).transpose(),
            ) else {
                return Err(damaged);
            };
            Ok(IssueCode {
                id: RandomId::new(row.get("id")?),
                code,
                callsign,
                licence_class,
                created_at: row.get("created_at")?,
            })
        })?;
        rows.collect()
    }
}

impl Change<'_> {
    /// Adds a code.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn add_code(&self, code: &IssueCode) -> Result<(), StoreError> {
        let values = params![
            code.id.as_bytes(),
            code.code.to_string(),
            code.callsign.as_str(),
            code.licence_class.as_ref().map(LicenceClass::as_str),
            code.created_at,
        ];
        self.0.execute(INSERT_CODE, values)?;
        Ok(())
    }

    /// Removes a code, because it was used or taken back. Says whether it was there.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn remove_code(&self, id: &RandomId) -> Result<bool, StoreError> {
        let row = "DELETE FROM issue_code WHERE id = ?1";
        Ok(self.0.execute(row, [id.as_bytes()])? > 0)
    }
}

const SELECT_CODES: &str = "
    SELECT id, code, callsign, licence_class, created_at FROM issue_code ORDER BY place";
const INSERT_CODE: &str = "
    INSERT INTO issue_code (id, code, callsign, licence_class, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5)";

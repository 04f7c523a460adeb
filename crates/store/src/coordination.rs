//! What a server remembers of the others: its own count of starts, their newest records, and where the
//! owner says they are.

use rusqlite::{OptionalExtension as _, params};

use crate::{Store, StoreError};

/// The newest record seen of another server, as it signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRecord {
    /// Whose it is: the first 16 bytes of its certificate's fingerprint.
    pub server: [u8; 16],
    /// Its boot counter.
    pub boot: u64,
    /// Its place among that boot's.
    pub sequence: u64,
    /// What it says.
    pub body: Vec<u8>,
    /// By the server's key.
    pub signature: [u8; 64],
}

impl Store {
    /// Counts one more start, and gives its number: 1 for the first. It is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read or written.
    pub fn next_boot(&mut self) -> Result<u64, StoreError> {
        let last: Option<[u8; 8]> = self
            .connection
            .query_row("SELECT counter FROM boot", [], |row| row.get(0))
            .optional()?;
        let boot = last.map_or(0, u64::from_be_bytes).saturating_add(1);
        self.set_boot(boot)?;
        Ok(boot)
    }

    /// Says that the start now under way has that number.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn set_boot(&mut self, boot: u64) -> Result<(), StoreError> {
        let row = "INSERT OR REPLACE INTO boot (only, counter) VALUES (1, ?1)";
        self.connection.execute(row, [boot.to_be_bytes()])?;
        Ok(())
    }

    /// The newest records seen, by server.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn server_records(&self) -> Result<Vec<ServerRecord>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT server, boot, sequence, body, signature FROM server_record ORDER BY server",
        )?;
        let rows = query.query_and_then([], |row| {
            Ok(ServerRecord {
                server: row.get("server")?,
                boot: u64::from_be_bytes(row.get("boot")?),
                sequence: u64::from_be_bytes(row.get("sequence")?),
                body: row.get("body")?,
                signature: row.get("signature")?,
            })
        })?;
        rows.collect()
    }

    /// Keeps these in place of earlier ones of the same servers. Beyond 2,048 servers those are forgotten of
    /// whom nothing new was kept for longest.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written; nothing is changed then.
    pub fn keep_server_records(&mut self, records: &[ServerRecord]) -> Result<(), StoreError> {
        self.change(|change| {
            // What is replaced gets a new rowid, so the lowest are the oldest.
            let mut insert = change.0.prepare(
                "INSERT OR REPLACE INTO server_record (server, boot, sequence, body, signature)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for record in records {
                insert.execute(params![
                    record.server,
                    record.boot.to_be_bytes(),
                    record.sequence.to_be_bytes(),
                    record.body,
                    record.signature,
                ])?;
            }
            let oldest = "DELETE FROM server_record WHERE rowid IN
                 (SELECT rowid FROM server_record ORDER BY rowid DESC LIMIT -1 OFFSET ?1)";
            change.0.execute(oldest, [MOST_RECORDS])?;
            Ok(())
        })
    }

    /// Where the owner says other servers are, by endpoint.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn peers(&self) -> Result<Vec<String>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT endpoint FROM peer ORDER BY endpoint")?;
        let rows = query.query_and_then([], |row| Ok(row.get(0)?))?;
        rows.collect()
    }

    /// The owner names a server, perhaps again.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn add_peer(&mut self, endpoint: &str) -> Result<(), StoreError> {
        let row = "INSERT OR IGNORE INTO peer (endpoint) VALUES (?1)";
        self.connection.execute(row, [endpoint])?;
        Ok(())
    }

    /// The owner takes a server off the list. True if it was there.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn remove_peer(&mut self, endpoint: &str) -> Result<bool, StoreError> {
        let row = "DELETE FROM peer WHERE endpoint = ?1";
        Ok(self.connection.execute(row, [endpoint])? > 0)
    }
}

/// Servers whose newest record is kept: as many as a node remembers.
const MOST_RECORDS: u32 = 2_048;

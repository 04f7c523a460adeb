//! What a station remembers, in one SQLite file: its claim, the certificates it knows, what its owner
//! decided about them, and what it issued.
//!
//! Issue codes that nobody has used are the only secrets in it; the private key is the caller's
//! business. Only what `pki` verified comes in: there is no way to store a certificate but through a
//! type that proves the check. Every change is one transaction with `synchronous=FULL`, so that after
//! a crash or a cut of power it is there whole or not at all.
//!
//! A [`Store`] is one connection that holds its file alone: a second server on the same data gets
//! [`StoreError::InUse`]. Calls block on the disk, so the caller keeps it on a thread of its own or
//! behind a mutex off the event loop.
//!
//! Reading order: this file, [`claim`], `change`; then `certificates`, `decisions` and `statements` for
//! the trust graph, `codes`, `requests` and `issuances` for what is issued; `zones`; `coordination`; `advice`; `schema` and the files of
//! `migrations/`.

mod advice;
mod certificates;
mod change;
pub mod claim;
mod codes;
mod coordination;
mod decisions;
mod issuances;
mod random_id;
mod requests;
mod schema;
mod statements;
mod zones;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use certificates::{Anchor, LicenceRoot};
pub use change::Change;
pub use claim::{Admission, Claim, Station};
pub use codes::IssueCode;
pub use coordination::ServerRecord;
pub use issuances::Issuance;
pub use random_id::RandomId;
pub use requests::{DECIDED_KEPT, Request, RequestState};
pub use zones::ZoneRule;

/// The open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// This server has an owner already.
    #[error("this server is already claimed")]
    AlreadyClaimed,
    /// This server has no owner.
    #[error("this server is not claimed")]
    NotClaimed,
    /// Another process has the file open.
    #[error("another ham-server is using the database")]
    InUse,
    /// The file was written by a later version of this program.
    #[error(
        "the database has version {found}, this ham-server knows versions up to {known}: \
         run the newer ham-server"
    )]
    Newer {
        /// The file's version.
        found: i64,
        /// The last version known here.
        known: i64,
    },
    /// The file holds something this program never writes.
    #[error("the database is damaged: {0} cannot be read")]
    Damaged(&'static str),
    /// A change builds on something that is not there: a fault of this program.
    #[error("the database lacks {0}")]
    Missing(&'static str),
    /// The file could not be made.
    #[error("the database file cannot be created")]
    Create(#[source] std::io::Error),
    /// SQLite failed: the disk is full, the file is no database, a permission is missing.
    #[error("the database failed")]
    Sqlite(#[source] rusqlite::Error),
}

impl Store {
    /// Opens the file, makes it (mode 0600 on Unix) where there is none, and brings its tables up
    /// to date. Waits at most two seconds for another process to let go of it.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Newer`], or what the system says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        create(path).map_err(StoreError::Create)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Before WAL is entered: then the lock is the file's own, and no shared memory is needed.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            _ => Self::Sqlite(error),
        }
    }
}

const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes an empty file if there is none; SQLite gives its journals the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests;

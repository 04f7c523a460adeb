//! Migrations: ordered SQL, one transaction each, counted in `user_version`.
//!
//! A migration that landed is never edited, since files in the field have run it; a test holds
//! their hashes. A change of the tables is a new file at the end of the list.

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// Every migration, oldest first. `user_version` counts those that ran.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001-claim.sql"),
    include_str!("../migrations/0002-authority.sql"),
    include_str!("../migrations/0003-zones.sql"),
    include_str!("../migrations/0004-guest-calls.sql"),
    include_str!("../migrations/0005-coordination.sql"),
    include_str!("../migrations/0006-advice.sql"),
];

/// Runs the migrations that this file has not seen.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = version(connection)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let Some(missing) = usize::try_from(found)
        .ok()
        .and_then(|done| MIGRATIONS.get(done..))
    else {
        return Err(StoreError::Newer { found, known });
    };
    for (version, migration) in (found + 1..).zip(missing) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

pub(crate) fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

//! What the owner decided: the blacklist, keys accepted for a callsign, successors, caps.

use std::collections::{BTreeMap, BTreeSet};

use pki::graph::{Entry, Target};
use rusqlite::params;
use station::{Callsign, Identity, KeyId};

use crate::{Change, Store, StoreError};

impl Store {
    /// The blacklist, in the order it was decided.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn blacklist(&self) -> Result<Vec<Entry>, StoreError> {
        let mut query = self.connection.prepare(SELECT_BLACKLIST)?;
        let rows = query.query_and_then([], |row| -> Result<_, StoreError> {
            let (id, scope, target): (i64, String, [u8; 32]) =
                (row.get("id")?, row.get("scope")?, row.get("target")?);
            let entry = Entry {
                target: read_target(&scope, target)?,
                reason: row.get("reason")?,
                callsigns: self.callsigns_of(id)?,
            };
            Ok(entry)
        })?;
        rows.collect()
    }

    /// Keys that were accepted, each with the callsign it was accepted for.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn accepted_keys(&self) -> Result<Vec<(Callsign, KeyId)>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT callsign, key_id FROM accepted_key")?;
        let rows = query.query_and_then([], |row| {
            let callsign = Callsign::parse(&row.get::<_, String>(0)?)
                .map_err(|_| StoreError::Damaged("a callsign"))?;
            Ok((callsign, KeyId::new(row.get(1)?)))
        })?;
        rows.collect()
    }

    /// Decided successors: the old key and the new one.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn chosen_successors(&self) -> Result<Vec<(KeyId, KeyId)>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT old, new FROM chosen_successor")?;
        let rows = query.query_and_then([], |row| {
            Ok((KeyId::new(row.get(0)?), KeyId::new(row.get(1)?)))
        })?;
        rows.collect()
    }

    /// Keys below which another number of certificates may stand than usual.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn caps(&self) -> Result<Vec<(KeyId, usize)>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT key_id, certificates FROM cap")?;
        let rows = query.query_and_then([], |row| Ok((KeyId::new(row.get(0)?), row.get(1)?)))?;
        rows.collect()
    }

    fn callsigns_of(&self, entry: i64) -> Result<BTreeMap<Box<str>, BTreeSet<KeyId>>, StoreError> {
        let mut query = self.connection.prepare(SELECT_KNOWN_KEYS)?;
        let mut rows = query.query([entry])?;
        let mut callsigns: BTreeMap<Box<str>, BTreeSet<KeyId>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let known = callsigns.entry(row.get("callsign")?).or_default();
            known.extend(row.get::<_, Option<[u8; 32]>>("key_id")?.map(KeyId::new));
        }
        Ok(callsigns)
    }
}

impl Change<'_> {
    /// Adds a decision to the blacklist, in the place of one for the same target.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn blacklist(&self, entry: &Entry) -> Result<(), StoreError> {
        self.unblacklist(entry.target)?;
        let (scope, target) = written_target(&entry.target);
        let values = params![scope, target, entry.reason];
        let row = "INSERT INTO blacklist (scope, target, reason) VALUES (?1, ?2, ?3)";
        self.0.execute(row, values)?;
        let id = self.0.last_insert_rowid();
        for (callsign, known) in &entry.callsigns {
            let row = "INSERT INTO blacklist_callsign (entry, callsign) VALUES (?1, ?2)";
            self.0.execute(row, params![id, callsign])?;
            let id = self.0.last_insert_rowid();
            for key in known {
                let row = "INSERT INTO blacklist_known_key (callsign, key_id) VALUES (?1, ?2)";
                self.0.execute(row, params![id, key.as_bytes()])?;
            }
        }
        Ok(())
    }

    /// Takes a decision from the blacklist.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn unblacklist(&self, target: Target) -> Result<(), StoreError> {
        let (scope, target) = written_target(&target);
        let row = "DELETE FROM blacklist WHERE scope = ?1 AND target = ?2";
        self.0.execute(row, params![scope, target])?;
        Ok(())
    }

    /// Accepts a key for a callsign.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn accept_key(&self, callsign: &Callsign, key: KeyId) -> Result<(), StoreError> {
        let row = "INSERT OR IGNORE INTO accepted_key (callsign, key_id) VALUES (?1, ?2)";
        self.0
            .execute(row, params![callsign.base(), key.as_bytes()])?;
        Ok(())
    }

    /// Decides which key follows an old one.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn choose_successor(&self, old: KeyId, new: KeyId) -> Result<(), StoreError> {
        let row = "INSERT OR REPLACE INTO chosen_successor (old, new) VALUES (?1, ?2)";
        self.0
            .execute(row, params![old.as_bytes(), new.as_bytes()])?;
        Ok(())
    }

    /// Sets how many certificates may stand below a key.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn set_cap(&self, key: KeyId, certificates: usize) -> Result<(), StoreError> {
        let row = "INSERT OR REPLACE INTO cap (key_id, certificates) VALUES (?1, ?2)";
        self.0.execute(row, params![key.as_bytes(), certificates])?;
        Ok(())
    }
}

fn written_target(target: &Target) -> (&'static str, &[u8; 32]) {
    match target {
        Target::Certificate(identity) => ("certificate", identity.as_bytes()),
        Target::Key(key) => ("key", key.as_bytes()),
        Target::Subtree(key) => ("subtree", key.as_bytes()),
    }
}

fn read_target(scope: &str, target: [u8; 32]) -> Result<Target, StoreError> {
    match scope {
        "certificate" => Ok(Target::Certificate(Identity::new(target))),
        "key" => Ok(Target::Key(KeyId::new(target))),
        "subtree" => Ok(Target::Subtree(KeyId::new(target))),
        _ => Err(StoreError::Damaged("the blacklist")),
    }
}

const SELECT_BLACKLIST: &str = "SELECT id, scope, target, reason FROM blacklist ORDER BY id";
const SELECT_KNOWN_KEYS: &str = "
    SELECT blacklist_callsign.callsign, key_id FROM blacklist_callsign
    LEFT JOIN blacklist_known_key ON blacklist_known_key.callsign = blacklist_callsign.id
    WHERE entry = ?1";

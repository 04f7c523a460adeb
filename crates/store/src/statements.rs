//! Statements that keys signed: tombstones and changes of keys.

use pki::graph::{SignedRekey, Tombstone};
use rusqlite::params;
use station::statement::Rekey;
use station::{Callsign, Identity, KeyId};

use crate::{Change, Store, StoreError};

impl Store {
    /// Every tombstone.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn tombstones(&self) -> Result<Vec<Tombstone>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT target, signer, signature FROM tombstone")?;
        let rows = query.query_and_then([], |row| {
            Ok(Tombstone {
                target: Identity::new(row.get("target")?),
                signer: KeyId::new(row.get("signer")?),
                signature: row.get("signature")?,
            })
        })?;
        rows.collect()
    }

    /// Every change of keys.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn rekeys(&self) -> Result<Vec<SignedRekey>, StoreError> {
        let mut query = self
            .connection
            .prepare("SELECT old, new, callsign, generation, by_old, by_new FROM rekey")?;
        let rows = query.query_and_then([], |row| {
            let callsign = Callsign::parse(&row.get::<_, String>("callsign")?)
                .map_err(|_| StoreError::Damaged("a callsign"))?;
            Ok(SignedRekey {
                rekey: Rekey {
                    old: KeyId::new(row.get("old")?),
                    new: KeyId::new(row.get("new")?),
                    callsign,
                    generation: row.get("generation")?,
                },
                by_old: row.get("by_old")?,
                by_new: row.get("by_new")?,
            })
        })?;
        rows.collect()
    }
}

impl Change<'_> {
    /// Adds a tombstone for a certificate that is there. One that is known stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written, or the certificate is not there.
    pub fn bury(&self, tombstone: &Tombstone) -> Result<(), StoreError> {
        let (target, signer) = (tombstone.target.as_bytes(), tombstone.signer.as_bytes());
        let values = params![target, signer, tombstone.signature];
        self.0.execute(INSERT_TOMBSTONE, values)?;
        Ok(())
    }

    /// Adds a change of keys. One that is known stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn rekey(&self, signed: &SignedRekey) -> Result<(), StoreError> {
        let rekey = &signed.rekey;
        let values = params![
            rekey.old.as_bytes(),
            rekey.new.as_bytes(),
            rekey.callsign.as_str(),
            rekey.generation,
            signed.by_old,
            signed.by_new,
        ];
        self.0.execute(INSERT_REKEY, values)?;
        Ok(())
    }
}

const INSERT_TOMBSTONE: &str = "
    INSERT INTO tombstone (target, signer, signature) VALUES (?1, ?2, ?3)
    ON CONFLICT (target, signer) DO NOTHING";
const INSERT_REKEY: &str = "
    INSERT INTO rekey (old, new, callsign, generation, by_old, by_new)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (old, new, callsign, generation) DO NOTHING";

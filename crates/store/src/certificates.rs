//! Certificates with who brought them, trust anchors, and roots that prove licences.

use pki::graph::{Source, Stored};
use pki::{Admitted, Certificate};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use station::{Fingerprint, Identity};

use crate::{Change, Store, StoreError};

/// A trust anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Its certificate.
    pub identity: Identity,
    /// What the owner wrote beside it.
    pub note: String,
}

/// A foreign root that proves licences. What is in it is not looked at here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceRoot {
    /// SHA-256 of the DER.
    pub fingerprint: Fingerprint,
    /// What the owner wrote beside it.
    pub note: String,
    /// The certificate.
    pub der: Vec<u8>,
}

impl Store {
    /// Every certificate, in the order they came.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn certificates(&self) -> Result<Vec<Stored>, StoreError> {
        let mut query = self.connection.prepare(SELECT_CERTIFICATES)?;
        let rows = query.query_and_then([], |row| {
            let identity = Identity::new(row.get("identity")?);
            let certificate = read(&row.get::<_, Vec<u8>>("der")?)?;
            Ok(Stored {
                certificate: Admitted::restored(certificate, identity),
                source: source(row)?,
            })
        })?;
        rows.collect()
    }

    /// The trust anchors, in the order their certificates came.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn anchors(&self) -> Result<Vec<Anchor>, StoreError> {
        let mut query = self.connection.prepare(SELECT_ANCHORS)?;
        let rows = query.query_and_then([], |row| {
            Ok(Anchor {
                identity: Identity::new(row.get("identity")?),
                note: row.get("note")?,
            })
        })?;
        rows.collect()
    }

    /// The roots that prove licences, in the order they came.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn licence_roots(&self) -> Result<Vec<LicenceRoot>, StoreError> {
        let mut query = self.connection.prepare(SELECT_LICENCE_ROOTS)?;
        let rows = query.query_and_then([], |row| {
            Ok(LicenceRoot {
                fingerprint: Fingerprint::new(row.get("fingerprint")?),
                note: row.get("note")?,
                der: row.get("der")?,
            })
        })?;
        rows.collect()
    }
}

impl Change<'_> {
    /// Adds certificates with who brought them. One that is there stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn admit(&self, admitted: &[Stored]) -> Result<(), StoreError> {
        for one in admitted {
            insert(&self.0, &one.certificate, one.source)?;
        }
        Ok(())
    }

    /// Removes certificates, the tombstones for them, and the changes of keys that nobody holds
    /// any more.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written, or a certificate is an anchor or the claim's.
    pub fn evict(&self, evicted: &[Identity]) -> Result<(), StoreError> {
        if evicted.is_empty() {
            return Ok(());
        }
        for identity in evicted {
            let row = "DELETE FROM certificate WHERE identity = ?1";
            self.0.execute(row, [identity.as_bytes()])?;
        }
        self.0.execute(DELETE_REKEYS_OF_NOBODY, [])?;
        Ok(())
    }

    /// Makes a certificate that is there a trust anchor, or changes the note of one.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written, or the certificate is not there.
    pub fn add_anchor(&self, identity: &Identity, note: &str) -> Result<(), StoreError> {
        match self
            .0
            .execute(INSERT_ANCHOR, params![identity.as_bytes(), note])?
        {
            0 => Err(StoreError::Missing("the anchor's certificate")),
            _ => Ok(()),
        }
    }

    /// Makes a certificate no trust anchor. The certificate stays.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn remove_anchor(&self, identity: &Identity) -> Result<(), StoreError> {
        self.0.execute(DELETE_ANCHOR, [identity.as_bytes()])?;
        Ok(())
    }

    /// Adds a root that proves licences, or changes the note of one.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn add_licence_root(&self, root: &LicenceRoot) -> Result<(), StoreError> {
        let values = params![root.fingerprint.as_bytes(), root.note, root.der];
        self.0.execute(INSERT_LICENCE_ROOT, values)?;
        Ok(())
    }

    /// Removes a root that proves licences.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn remove_licence_root(&self, fingerprint: &Fingerprint) -> Result<(), StoreError> {
        let row = "DELETE FROM licence_root WHERE fingerprint = ?1";
        self.0.execute(row, [fingerprint.as_bytes()])?;
        Ok(())
    }
}

/// Adds a certificate, or finds the one that differs in the writing of its signature only.
pub(crate) fn insert(
    transaction: &Transaction<'_>,
    certificate: &Admitted,
    source: Source,
) -> Result<i64, StoreError> {
    let identity = certificate.identity();
    let (fingerprint, key_id) = (certificate.fingerprint(), certificate.key_id());
    let (link, origin, trusted) = match source {
        Source::Owner => (None, None, None),
        Source::Stranger {
            link,
            origin,
            trusted,
        } => (
            Some(link.cast_signed()),
            Some(origin.cast_signed()),
            Some(trusted),
        ),
    };
    let values = params![
        identity.as_bytes(),
        fingerprint.as_bytes(),
        key_id.as_bytes(),
        certificate.callsign().as_str(),
        certificate.der(),
        link,
        origin,
        trusted,
    ];
    transaction.execute(INSERT_CERTIFICATE, values)?;
    let id = "SELECT id FROM certificate WHERE identity = ?1";
    let id = transaction.query_row(id, [identity.as_bytes()], |row| row.get(0));
    id.optional()?
        .ok_or(StoreError::Missing("a certificate just added"))
}

/// Reads a certificate's DER.
pub(crate) fn read(der: &[u8]) -> Result<Certificate, StoreError> {
    Certificate::from_der(der).map_err(|_| StoreError::Damaged("a certificate"))
}

fn source(row: &Row<'_>) -> Result<Source, StoreError> {
    let number = |name: &str| row.get::<_, Option<i64>>(name);
    let trusted: Option<bool> = row.get("trusted_origin")?;
    Ok(match (number("link")?, number("origin")?, trusted) {
        (Some(link), Some(origin), Some(trusted)) => Source::Stranger {
            link: link.cast_unsigned(),
            origin: origin.cast_unsigned(),
            trusted,
        },
        _ => Source::Owner,
    })
}

const SELECT_CERTIFICATES: &str = "
    SELECT identity, der, link, origin, trusted_origin FROM certificate ORDER BY id";
const SELECT_ANCHORS: &str = "
    SELECT identity, note FROM anchor JOIN certificate ON certificate.id = anchor.certificate
    ORDER BY certificate.id";
const SELECT_LICENCE_ROOTS: &str = "SELECT fingerprint, note, der FROM licence_root ORDER BY id";
const INSERT_CERTIFICATE: &str = "
    INSERT INTO certificate
        (identity, fingerprint, key_id, callsign, der, link, origin, trusted_origin)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (identity) DO NOTHING";
const DELETE_REKEYS_OF_NOBODY: &str = "
    DELETE FROM rekey
    WHERE old NOT IN (SELECT key_id FROM certificate) OR new NOT IN (SELECT key_id FROM certificate)";
const INSERT_ANCHOR: &str = "
    INSERT INTO anchor (certificate, note) SELECT id, ?2 FROM certificate WHERE identity = ?1
    ON CONFLICT (certificate) DO UPDATE SET note = excluded.note";
const DELETE_ANCHOR: &str = "
    DELETE FROM anchor WHERE certificate = (SELECT id FROM certificate WHERE identity = ?1)";
const INSERT_LICENCE_ROOT: &str = "
    INSERT INTO licence_root (fingerprint, note, der) VALUES (?1, ?2, ?3)
    ON CONFLICT (fingerprint) DO UPDATE SET note = excluded.note";

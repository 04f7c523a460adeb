//! Who owns this server, and what follows from it.

use pki::{Admitted, Certificate, VerifiedClaim};
use rusqlite::{OptionalExtension as _, Row, Transaction, TransactionBehavior, params};
use station::{Grid, LicenceClass};

use crate::{Store, StoreError};

/// What an owner says of the station. All of it may change, none of it is in a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Station {
    /// The operator's or the station's name, as it is shown.
    pub name: Option<String>,
    /// Where it is.
    pub grid: Option<Grid>,
    /// The class on the owner's licence.
    pub licence_class: Option<LicenceClass>,
}

/// The claim as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The owner's certificate.
    pub owner: Certificate,
    /// The certificates above it, its issuer's first.
    pub chain: Vec<Certificate>,
    /// This server's certificate, signed by the owner.
    pub server: Certificate,
    /// What the owner says of the station.
    pub station: Station,
    /// Whether the owner lets people on this network join.
    pub open_to_network: bool,
}

impl Store {
    /// The claim, if somebody claimed this server.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn claim(&self) -> Result<Option<Claim>, StoreError> {
        let row = self
            .connection
            .query_row(SELECT_CLAIM, [], ClaimRow::read)
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Claim {
            owner: certificate(&row.owner)?,
            chain: self.certificates(SELECT_CHAIN)?,
            server: certificate(&row.server)?,
            station: row.station()?,
            open_to_network: row.open_to_network,
        }))
    }

    /// Stores the claim, its certificates, and the owner's certificate as the first trust anchor,
    /// all in one transaction.
    ///
    /// # Errors
    /// [`StoreError::AlreadyClaimed`] when there is an owner; nothing is changed then.
    pub fn save_claim(
        &mut self,
        claim: &VerifiedClaim,
        station: &Station,
        open_to_network: bool,
    ) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        let claimed: bool =
            transaction.query_row("SELECT EXISTS (SELECT 1 FROM claim)", [], |row| row.get(0))?;
        if claimed {
            return Err(StoreError::AlreadyClaimed);
        }
        let owner = insert(&transaction, claim.owner())?;
        let server = insert(&transaction, claim.server())?;
        for (place, certificate) in (0_i64..).zip(claim.chain()) {
            let certificate = insert(&transaction, certificate)?;
            transaction.execute(INSERT_CHAIN, [place, certificate])?;
        }
        transaction.execute("INSERT INTO anchor (certificate) VALUES (?1)", [owner])?;
        let grid = station.grid.as_ref().map(ToString::to_string);
        let class = station.licence_class.as_ref().map(LicenceClass::as_str);
        let values = params![owner, server, station.name, grid, class, open_to_network];
        transaction.execute(INSERT_CLAIM, values)?;
        Ok(transaction.commit()?)
    }

    /// Lets people on this network join, or no longer.
    ///
    /// # Errors
    /// [`StoreError::NotClaimed`] when there is no owner to decide it.
    pub fn set_open_to_network(&mut self, open: bool) -> Result<(), StoreError> {
        match self
            .connection
            .execute("UPDATE claim SET open_to_network = ?1", [open])?
        {
            0 => Err(StoreError::NotClaimed),
            _ => Ok(()),
        }
    }

    /// Forgets the owner, and with them every certificate and anchor: the next owner starts anew.
    /// Says whether there was a claim.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written; nothing is changed then.
    pub fn reset(&mut self) -> Result<bool, StoreError> {
        let transaction = self.begin()?;
        let claims = transaction.execute("DELETE FROM claim", [])?;
        for table in ["owner_chain", "anchor", "certificate"] {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        transaction.commit()?;
        Ok(claims > 0)
    }

    /// The certificates whose keys the owner trusts, in the order they were added.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn anchors(&self) -> Result<Vec<Certificate>, StoreError> {
        self.certificates(SELECT_ANCHORS)
    }

    fn certificates(&self, query: &str) -> Result<Vec<Certificate>, StoreError> {
        let mut statement = self.connection.prepare(query)?;
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
        rows.map(|der| certificate(&der?)).collect()
    }

    fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        Ok(self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

/// Adds a verified certificate, or finds the one that differs in the writing of its signature only.
fn insert(transaction: &Transaction<'_>, certificate: &Admitted) -> Result<i64, StoreError> {
    let identity = certificate.identity();
    let (fingerprint, key_id) = (certificate.fingerprint(), certificate.key_id());
    let values = params![
        identity.as_bytes(),
        fingerprint.as_bytes(),
        key_id.as_bytes(),
        certificate.callsign().as_str(),
        certificate.der(),
    ];
    transaction.execute(INSERT_CERTIFICATE, values)?;
    let id = "SELECT id FROM certificate WHERE identity = ?1";
    Ok(transaction.query_row(id, [identity.as_bytes()], |row| row.get(0))?)
}

/// A row of the claim, as SQLite gives it.
struct ClaimRow {
    owner: Vec<u8>,
    server: Vec<u8>,
    name: Option<String>,
    grid: Option<String>,
    licence_class: Option<String>,
    open_to_network: bool,
}

impl ClaimRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            owner: row.get(0)?,
            server: row.get(1)?,
            name: row.get(2)?,
            grid: row.get(3)?,
            licence_class: row.get(4)?,
            open_to_network: row.get(5)?,
        })
    }

    fn station(&self) -> Result<Station, StoreError> {
        let grid = self.grid.as_deref().map(str::parse).transpose();
        let class = self.licence_class.as_deref().map(str::parse).transpose();
        Ok(Station {
            name: self.name.clone(),
            grid: grid.map_err(|_| StoreError::Damaged("the grid"))?,
            licence_class: class.map_err(|_| StoreError::Damaged("the licence class"))?,
        })
    }
}

fn certificate(der: &[u8]) -> Result<Certificate, StoreError> {
    Certificate::from_der(der).map_err(|_| StoreError::Damaged("a certificate"))
}

const SELECT_CLAIM: &str = "
    SELECT owner.der, server.der, station_name, grid, licence_class, open_to_network
    FROM claim
    JOIN certificate owner ON owner.id = claim.owner
    JOIN certificate server ON server.id = claim.server";
const SELECT_CHAIN: &str = "
    SELECT der FROM owner_chain JOIN certificate ON certificate.id = owner_chain.certificate
    ORDER BY place";
const SELECT_ANCHORS: &str = "
    SELECT der FROM anchor JOIN certificate ON certificate.id = anchor.certificate
    ORDER BY certificate.id";
const INSERT_CERTIFICATE: &str = "
    INSERT INTO certificate (identity, fingerprint, key_id, callsign, der)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (identity) DO NOTHING";
const INSERT_CHAIN: &str = "INSERT INTO owner_chain (place, certificate) VALUES (?1, ?2)";
const INSERT_CLAIM: &str = "
    INSERT INTO claim
        (only_row, owner, server, station_name, grid, licence_class, open_to_network)
    VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)";

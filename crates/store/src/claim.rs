//! Who owns this server, and what follows from it.

use pki::graph::Source;
use pki::{Certificate, VerifiedClaim};
use rusqlite::{OptionalExtension as _, Row, params};
use station::{Grid, LicenceClass};

use crate::certificates::{insert, read};
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
    /// Whether the owner lets guests call each other.
    pub guest_calls: bool,
}

/// What an owner decides about the people on this network. What is `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Admission {
    /// Whether they may join.
    pub open_to_network: Option<bool>,
    /// Whether guests among them may call each other.
    pub guest_calls: Option<bool>,
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
            owner: read(&row.owner)?,
            chain: self.owner_chain()?,
            server: read(&row.server)?,
            station: row.station()?,
            open_to_network: row.open_to_network,
            guest_calls: row.guest_calls,
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
        self.change(|change| {
            let transaction = &change.0;
            let claimed = "SELECT EXISTS (SELECT 1 FROM claim)";
            if transaction.query_row(claimed, [], |row| row.get(0))? {
                return Err(StoreError::AlreadyClaimed);
            }
            let owner = insert(transaction, claim.owner(), Source::Owner)?;
            let server = insert(transaction, claim.server(), Source::Owner)?;
            for (place, certificate) in (0_i64..).zip(claim.chain()) {
                let certificate = insert(transaction, certificate, Source::Owner)?;
                transaction.execute(INSERT_CHAIN, [place, certificate])?;
            }
            change.add_anchor(&claim.owner().identity(), "")?;
            let grid = station.grid.as_ref().map(ToString::to_string);
            let class = station.licence_class.as_ref().map(LicenceClass::as_str);
            let values = params![owner, server, station.name, grid, class, open_to_network];
            transaction.execute(INSERT_CLAIM, values)?;
            Ok(())
        })
    }

    /// Stores who may join, and what guests may do.
    ///
    /// # Errors
    /// [`StoreError::NotClaimed`] when there is no owner to decide it.
    pub fn set_admission(&mut self, admission: Admission) -> Result<(), StoreError> {
        let values = params![admission.open_to_network, admission.guest_calls];
        match self.connection.execute(UPDATE_ADMISSION, values)? {
            0 => Err(StoreError::NotClaimed),
            _ => Ok(()),
        }
    }

    /// Forgets the owner, and with them everything else: the next owner starts anew. Says whether
    /// there was a claim.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written; nothing is changed then.
    pub fn reset(&mut self) -> Result<bool, StoreError> {
        self.change(|change| {
            let claims = change.0.execute("DELETE FROM claim", [])?;
            for table in BELOW_THE_CLAIM {
                change.0.execute(&format!("DELETE FROM {table}"), [])?;
            }
            Ok(claims > 0)
        })
    }

    fn owner_chain(&self) -> Result<Vec<Certificate>, StoreError> {
        let mut query = self.connection.prepare(SELECT_CHAIN)?;
        let rows = query.query_and_then([], |row| read(&row.get::<_, Vec<u8>>(0)?))?;
        rows.collect()
    }
}

/// A row of the claim, as SQLite gives it.
struct ClaimRow {
    owner: Vec<u8>,
    server: Vec<u8>,
    name: Option<String>,
    grid: Option<String>,
    licence_class: Option<String>,
    open_to_network: bool,
    guest_calls: bool,
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
            guest_calls: row.get(6)?,
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

/// Every table but the claim's own, who refers to others first.
const BELOW_THE_CLAIM: [&str; 21] = [
    "published_blacklist",
    "dismissed_advice",
    "zone",
    "boot",
    "server_record",
    "peer",
    "owner_chain",
    "anchor",
    "licence_root",
    "blacklist_known_key",
    "blacklist_callsign",
    "blacklist",
    "accepted_key",
    "chosen_successor",
    "cap",
    "tombstone",
    "rekey",
    "issue_code",
    "request",
    "issuance",
    "certificate",
];
const SELECT_CLAIM: &str = "
    SELECT owner.der, server.der, station_name, grid, licence_class, open_to_network, guest_calls
    FROM claim
    JOIN certificate owner ON owner.id = claim.owner
    JOIN certificate server ON server.id = claim.server";
const SELECT_CHAIN: &str = "
    SELECT der FROM owner_chain JOIN certificate ON certificate.id = owner_chain.certificate
    ORDER BY place";
const INSERT_CHAIN: &str = "INSERT INTO owner_chain (place, certificate) VALUES (?1, ?2)";
const UPDATE_ADMISSION: &str = "
    UPDATE claim SET
        open_to_network = coalesce(?1, open_to_network), guest_calls = coalesce(?2, guest_calls)";
const INSERT_CLAIM: &str = "
    INSERT INTO claim
        (only_row, owner, server, station_name, grid, licence_class, open_to_network)
    VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)";

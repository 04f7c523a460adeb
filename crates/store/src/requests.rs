//! Requests for a certificate that wait for the owner, and those that were decided lately.

use pki::PublicKey;
use rusqlite::{OptionalExtension as _, Row, params};
use station::licence::VouchMethod;
use station::{Callsign, Identity, LicenceClass};

use crate::{Change, RandomId, Store, StoreError};

/// Decided requests that are kept, so that the applicants can ask what became of them.
pub const DECIDED_KEPT: u32 = 256;

/// Somebody wants a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who knows it may ask what became of the request.
    pub id: RandomId,
    /// The applicant's key.
    pub public_key: PublicKey,
    /// The applicant.
    pub callsign: Callsign,
    /// The class on the licence, as the applicant says.
    pub licence_class: Option<LicenceClass>,
    /// How the licence shall have been checked.
    pub method: VouchMethod,
    /// What the applicant wrote.
    pub note: Option<String>,
    /// SHA-256 of what was shown as a proof.
    pub evidence: Option<[u8; 32]>,
    /// Why it waits: a sentence for the owner.
    pub why: String,
    /// Whom its place is charged to.
    pub link: u64,
    /// Seconds since 1970 by the server's clock.
    pub created_at: u64,
    /// What became of it.
    pub state: RequestState,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// The owner has not decided.
    Waiting,
    /// This certificate was issued.
    Issued(Identity),
    /// The owner refused, for this reason.
    Refused(String),
}

impl Store {
    /// One request.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn request(&self, id: &RandomId) -> Result<Option<Request>, StoreError> {
        let query = format!("{SELECT_REQUESTS} WHERE id = ?1");
        let found = self
            .connection
            .query_row(&query, [id.as_bytes()], |row| Ok(Request::read(row)));
        found.optional()?.transpose()
    }

    /// Every request that waits, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn waiting_requests(&self) -> Result<Vec<Request>, StoreError> {
        let query = format!("{SELECT_REQUESTS} WHERE state = 'waiting' ORDER BY place");
        let mut query = self.connection.prepare(&query)?;
        query.query_and_then([], Request::read)?.collect()
    }
}

impl Change<'_> {
    /// Adds a request that waits.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written, or another request of the key waits.
    pub fn add_request(&self, request: &Request) -> Result<(), StoreError> {
        let key_id = request.public_key.key_id();
        let values = params![
            request.id.as_bytes(),
            request.public_key.spki(),
            key_id.as_bytes(),
            request.callsign.as_str(),
            request.licence_class.as_ref().map(LicenceClass::as_str),
            request.method.as_str(),
            request.note,
            request.evidence,
            request.why,
            request.link.cast_signed(),
            request.created_at,
        ];
        self.0.execute(INSERT_REQUEST, values)?;
        Ok(())
    }

    /// Says what became of a request that waits, and forgets the oldest decided ones beyond
    /// [`DECIDED_KEPT`].
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written, or no such request waits.
    pub fn decide_request(&self, id: &RandomId, state: &RequestState) -> Result<(), StoreError> {
        let (word, reason, certificate) = match state {
            RequestState::Waiting => ("waiting", None, None),
            RequestState::Issued(identity) => ("issued", None, Some(identity.as_bytes())),
            RequestState::Refused(reason) => ("refused", Some(reason), None),
        };
        let values = params![id.as_bytes(), word, reason, certificate];
        if self.0.execute(UPDATE_REQUEST, values)? == 0 {
            return Err(StoreError::Missing("the request"));
        }
        self.0.execute(FORGET_DECIDED, [DECIDED_KEPT])?;
        Ok(())
    }
}

impl Request {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged("a request");
        let text = |name: &str| row.get::<_, String>(name);
        let method = text("method")?;
        let class: Option<String> = row.get("licence_class")?;
        let state = match text("state")?.as_str() {
            "waiting" => RequestState::Waiting,
            "issued" => {
                let identity: Option<[u8; 32]> = row.get("certificate")?;
                RequestState::Issued(Identity::new(identity.ok_or_else(damaged)?))
            }
            _ => RequestState::Refused(row.get::<_, Option<String>>("reason")?.unwrap_or_default()),
        };
        Ok(Self {
            id: RandomId::new(row.get("id")?),
            public_key: PublicKey::from_spki(&row.get::<_, Vec<u8>>("public_key")?)
                .map_err(|_| damaged())?,
            callsign: text("callsign")?.parse().map_err(|_| damaged())?,
            licence_class: class
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|_| damaged())?,
            method: VouchMethod::ALL
                .into_iter()
                .find(|known| known.as_str() == method)
                .ok_or_else(damaged)?,
            note: row.get("note")?,
            evidence: row.get("evidence")?,
            why: text("why")?,
            link: row.get::<_, i64>("link")?.cast_unsigned(),
            created_at: row.get("created_at")?,
            state,
        })
    }
}

const SELECT_REQUESTS: &str = "
    SELECT id, public_key, callsign, licence_class, method, note, evidence, why, link, created_at,
        state, reason, certificate
    FROM request";
const INSERT_REQUEST: &str = "
    INSERT INTO request (id, public_key, key_id, callsign, licence_class, method, note, evidence,
        why, link, created_at, state)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'waiting')";
const UPDATE_REQUEST: &str = "
    UPDATE request SET state = ?2, reason = ?3, certificate = ?4
    WHERE id = ?1 AND state = 'waiting'";
const FORGET_DECIDED: &str = "
    DELETE FROM request WHERE state <> 'waiting' AND place NOT IN
        (SELECT place FROM request WHERE state <> 'waiting' ORDER BY place DESC LIMIT ?1)";

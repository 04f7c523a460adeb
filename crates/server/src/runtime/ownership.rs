//! Whose server this is: its own key, the claim that binds it to an operator, and claiming itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pki::{Code, KeyError, SigningKey};
use ring::rand::SystemRandom;
use signaling::{Owner, Policy};
use station::statement::FieldError;
use station::{Callsign, Statement};
use store::{Admission, Claim, Store, StoreError, ZoneRule};
use tokio::sync::watch;

use super::lock;
use crate::files;
use crate::network::zones::Rule;

/// The server's private key's file, PEM, readable by its user only.
pub(super) const KEY_FILE: &str = "server.key";

/// The database's file.
pub(super) const DATABASE_FILE: &str = "ham-server.db";

/// The server's key, and whose it is.
#[derive(Debug)]
pub struct Ownership {
    key: SigningKey,
    /// Who knows it may claim from another machine. New at each start, and printed.
    code: Code,
    store: Arc<Mutex<Store>>,
    owned: RwLock<Option<Arc<Claim>>>,
    /// Who wants to know when the state changes.
    state: watch::Sender<ClaimState>,
}

/// How far a server is on its way to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ClaimState {
    /// Nobody's yet.
    Unclaimed,
    /// Somebody's, and for this machine only.
    Claimed,
    /// Open to people on the network.
    Active,
}

/// Why the server's key or claim cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnershipError {
    /// The database cannot be used.
    #[error("the database {path} cannot be used")]
    Store {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The key file cannot be read or written.
    #[error("the server's key {path} cannot be read or written")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What the key file holds is not a key.
    #[error(
        "the server's key {path} cannot be used; restore it from a backup or run ham-server reset"
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// The claim is for another key than the one in the key file.
    #[error(
        "the server's key is not the one its owner signed; restore server.key from a backup or run ham-server reset"
    )]
    ForeignKey,
}

/// A claim as it comes from a person.
#[derive(Debug)]
pub struct ClaimRequest<'a> {
    /// The certificates and the callsign.
    pub callsign: &'a Callsign,
    /// The operator's certificate, PEM.
    pub certificate: &'a str,
    /// The certificates above it, PEM.
    pub chain: &'a [String],
    /// The operator's certificate for this server, PEM.
    pub server_certificate: &'a str,
    /// What the owner says of the station.
    pub station: store::Station,
    /// Whether people on the network may join.
    pub open_to_network: bool,
    /// The nonce and the proof of knowing the claim code, where one is required.
    pub proof: Option<(&'a str, &'a str)>,
}

/// Why a claim was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ClaimFailure {
    /// The certificates do not hold together.
    #[error(transparent)]
    Claim(#[from] pki::ClaimError),
    /// The proof was not made with this server's claim code.
    #[error("the claim code is not the one this server printed when it started")]
    WrongCode,
    /// The server has an owner, or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ownership {
    /// Opens what a server remembers, or begins: makes the folders, the key and the database.
    ///
    /// # Errors
    /// [`OwnershipError`] when something there cannot be used.
    pub fn open(
        data_dir: &Path,
        key_dir: &Path,
        random: &SystemRandom,
    ) -> Result<Self, OwnershipError> {
        let key_file = key_dir.join(KEY_FILE);
        let key_trouble = |source| OwnershipError::KeyFile {
            path: key_file.clone(),
            source,
        };
        for folder in [data_dir, key_dir] {
            fs::create_dir_all(folder).map_err(key_trouble)?;
        }
        let path = data_dir.join(DATABASE_FILE);
        let store_trouble = |source| OwnershipError::Store {
            path: path.clone(),
            source,
        };
        // The database first: it is locked by whoever uses this folder, and so is the key.
        let store = Store::open(&path).map_err(store_trouble)?;
        let key_broken = |source| OwnershipError::Key {
            path: key_file.clone(),
            source,
        };
        let key = match fs::read_to_string(&key_file) {
            Ok(pem) => SigningKey::from_pem(&pem, random).map_err(key_broken)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = SigningKey::generate(random).map_err(key_broken)?;
                files::write_secret(&key_file, key.to_pem().as_bytes()).map_err(key_trouble)?;
                key
            }
            Err(error) => return Err(key_trouble(error)),
        };
        let code = Code::generate(random).map_err(key_broken)?;
        let owned = store.claim().map_err(store_trouble)?;
        if owned
            .as_ref()
            .is_some_and(|claim| claim.server.key_id() != key.key_id())
        {
            return Err(OwnershipError::ForeignKey);
        }
        let (state, _) = watch::channel(state_of(owned.as_ref()));
        Ok(Self {
            key,
            code,
            store: Arc::new(Mutex::new(store)),
            owned: RwLock::new(owned.map(Arc::new)),
            state,
        })
    }

    /// Forgets the owner, the key and `others`, files beside it that go with the owner: the next
    /// start begins anew. True if there was an owner.
    ///
    /// # Errors
    /// [`OwnershipError`] when the database is in use or the key cannot be removed.
    pub fn reset(data_dir: &Path, key_dir: &Path, others: &[&str]) -> Result<bool, OwnershipError> {
        let path = data_dir.join(DATABASE_FILE);
        let store_trouble = |source| OwnershipError::Store {
            path: path.clone(),
            source,
        };
        let mut store = Store::open(&path).map_err(store_trouble)?;
        let was_claimed = store.reset().map_err(store_trouble)?;
        for name in others.iter().copied().chain([KEY_FILE]) {
            let path = key_dir.join(name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(OwnershipError::KeyFile { path, source });
                }
                _ => {}
            }
        }
        Ok(was_claimed)
    }

    /// The server's own key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// What a person shows to claim from another machine.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The claim, once there is one.
    #[must_use]
    pub fn claim(&self) -> Option<Claim> {
        self.owned().map(|claim| (*claim).clone())
    }

    /// The owner's callsign.
    #[must_use]
    pub fn callsign(&self) -> Option<Callsign> {
        self.owned().map(|claim| claim.owner.callsign().clone())
    }

    /// The owner as the hub knows them.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.owned().map(|claim| {
            let certificate = &claim.owner;
            Owner {
                callsign: certificate.callsign().clone(),
                key: certificate.key_id(),
            }
        })
    }

    /// What the owner lets guests do.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            guest_calls: self.owned().is_some_and(|claim| claim.guest_calls),
        }
    }

    /// What the server remembers. Locking it blocks on the disk while somebody writes.
    #[must_use]
    pub fn store(&self) -> Arc<Mutex<Store>> {
        Arc::clone(&self.store)
    }

    /// How far the server is on its way to people.
    #[must_use]
    pub fn state(&self) -> ClaimState {
        *self.state.borrow()
    }

    /// Tells when the state changes.
    #[must_use]
    pub fn watch_state(&self) -> watch::Receiver<ClaimState> {
        self.state.subscribe()
    }

    /// The proof to a claimant who knows the claim code that this is the server which printed it.
    ///
    /// # Errors
    /// [`FieldError`] when the nonce cannot be part of a statement.
    pub fn offer_proof(&self, nonce: &str) -> Result<String, FieldError> {
        Ok(self
            .code
            .hmac(&Statement::claim_offer(nonce, self.key.key_id())?))
    }

    /// Takes an owner: checks everything, then stores it in one transaction. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClaimFailure`]; nothing is changed then.
    pub fn accept(&self, request: &ClaimRequest<'_>) -> Result<(), ClaimFailure> {
        let public_key = self.key.public_key();
        let claim = pki::claim::Claim {
            certificate: request.certificate,
            chain: request.chain,
            server_certificate: request.server_certificate,
            callsign: request.callsign,
            server_key: &public_key,
        }
        .verify()?;
        if let Some((nonce, proof)) = request.proof {
            let operator = claim.owner().key_id();
            Statement::claim(nonce, self.key.key_id(), operator, request.callsign)
                .ok()
                .and_then(|statement| self.code.verify(&statement, proof).ok())
                .ok_or(ClaimFailure::WrongCode)?;
        }
        let mut store = lock(&self.store);
        store.save_claim(&claim, &request.station, request.open_to_network)?;
        self.remember(store.claim()?);
        Ok(())
    }

    /// Decides who may join and what guests may do, and tells `follow` before anybody can decide anew.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`], `NotClaimed` among them; nothing is changed then.
    pub fn admit(
        &self,
        admission: Admission,
        follow: impl FnOnce(Policy),
    ) -> Result<(), StoreError> {
        let mut store = lock(&self.store);
        store.set_admission(admission)?;
        self.remember(store.claim()?);
        follow(self.policy());
        Ok(())
    }

    /// What the owner says the server's networks count as.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read, or holds what no server writes.
    pub fn zone_rules(&self) -> Result<Vec<Rule>, StoreError> {
        let rules = lock(&self.store).zone_rules()?;
        let read = |rule: ZoneRule| {
            let subject = rule.subject.parse();
            Ok(Rule {
                subject: subject.map_err(|_| StoreError::Damaged("a zone"))?,
                zone: rule.zone,
            })
        };
        rules.into_iter().map(read).collect()
    }

    /// Replaces what the owner says of that. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn set_zone_rules(&self, rules: &[Rule]) -> Result<(), StoreError> {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| ZoneRule {
                subject: rule.subject.to_string(),
                zone: rule.zone,
            })
            .collect();
        lock(&self.store).set_zone_rules(&rules)
    }

    fn remember(&self, owned: Option<Claim>) {
        let state = state_of(owned.as_ref());
        *self.owned.write().unwrap_or_else(PoisonError::into_inner) = owned.map(Arc::new);
        self.state.send_replace(state);
    }

    fn owned(&self) -> Option<Arc<Claim>> {
        self.owned
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn state_of(owned: Option<&Claim>) -> ClaimState {
    match owned {
        None => ClaimState::Unclaimed,
        Some(claim) if claim.open_to_network => ClaimState::Active,
        Some(_) => ClaimState::Claimed,
    }
}

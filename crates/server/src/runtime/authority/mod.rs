//! Whom this server believes: the trust graph with the store behind it.
//!
//! Readers look into the graph in memory and wait for no disk. Who changes something takes the store
//! first, so that there is one such at a time; decides in the graph, whose own lock is held for just
//! that; writes what follows as one transaction; and only then acknowledges. If the write fails, the
//! graph is read back from the store, so that memory stays behind nothing and ahead of nothing
//! (`docs/decisions/0010-authority.md`).
//!
//! Whoever is logged in is judged anew whenever their key gains or loses trust, in the order in which
//! that happens.
//!
//! Reading order: this file; [`admission`](Authority::present), `anchors`, `decisions`, `statements`,
//! [`issuing`]; `bundle`
//! for what everybody may read.

mod admission;
mod anchors;
mod bundle;
mod decisions;
pub mod issuing;
mod known;
pub mod messages;
mod statements;

pub use admission::{AdmissionError, Bringer, Bringing, Brought};
pub use anchors::{Accepted, Anchor, Root};
pub use bundle::{BundleError, TrustBundle};
pub use decisions::{DecisionError, Scope};
pub use statements::{BuryError, FollowError};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use pki::TrustGraph;
use pki::graph::{Affected, Verdict};
use signaling::Judgement;
use station::{Callsign, KeyId, LicenceClass};
use store::{Change, Store, StoreError};
use tokio::sync::watch;

use super::lock;
use known::Known;

/// The trust graph, shared by everybody who asks and changes it.
#[derive(Debug)]
pub struct Authority {
    /// Taken before anything is changed, and held until it is on the disk.
    store: Arc<Mutex<Store>>,
    known: RwLock<Known>,
    /// Memory could not be read back after a write that failed. Changes only under the store's lock.
    stale: AtomicBool,
    /// Counts the changes of what the trust bundle shows.
    edition: AtomicU64,
    bundle: Mutex<Option<Arc<TrustBundle>>>,
    listener: OnceLock<Listener>,
    changed: watch::Sender<()>,
}

/// What somebody's key is worth here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether a trusted certificate says that the key is the callsign's.
    pub trusted: bool,
    /// The class on the licence, as whoever vouched says.
    pub class: Option<LicenceClass>,
}

/// Keys with the callsigns they speak for, whose standing may have changed.
type Turned = BTreeSet<(KeyId, Callsign)>;

/// What was decided in the graph, before it is stored.
struct Decided<T> {
    value: T,
    turned: Turned,
    /// Whether what this server publishes of its trust is another now.
    published: bool,
}

struct Listener(Box<Tell>);

/// What follows from a change for sessions.
#[derive(Debug, Default)]
pub struct Changed {
    /// Keys that gained or lost trust.
    pub judgements: Vec<Judgement>,
    /// Every key whose place another took, with that one.
    pub successors: BTreeMap<KeyId, KeyId>,
}

type Tell = dyn Fn(Changed) + Send + Sync;

impl Authority {
    /// Takes back what the store keeps.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn open(store: Arc<Mutex<Store>>) -> Result<Self, StoreError> {
        let known = Known::load(&lock(&store))?;
        Ok(Self {
            store,
            known: RwLock::new(known),
            stale: AtomicBool::new(false),
            edition: AtomicU64::new(0),
            bundle: Mutex::default(),
            listener: OnceLock::new(),
            changed: watch::Sender::new(()),
        })
    }

    /// Names who is told of changes, in their order, and first of how things are. The first call counts. It is
    /// called with the store's lock held, and so must not change anything here.
    pub fn tell(&self, listener: impl Fn(Changed) + Send + Sync + 'static) {
        listener(self.look(|graph| changed(graph, &Turned::new())));
        let _: Result<(), Listener> = self.listener.set(Listener(Box::new(listener)));
    }

    /// Tells when something may have changed, after it did.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Takes everything back from the store, because somebody else changed it. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read; it is tried again before the next change.
    pub fn reload(&self) -> Result<(), StoreError> {
        let store = lock(&self.store);
        self.reload_from(&store)
    }

    /// Looks into the graph. Must be short: whoever changes the graph waits for it.
    pub fn look<T>(&self, at: impl FnOnce(&TrustGraph) -> T) -> T {
        at(&self.known().graph)
    }

    /// What a key is worth for a callsign, told while nobody changes it: what changes it later is told later
    /// too. Must be short, and change nothing here.
    pub fn look_at(&self, key: &KeyId, callsign: &Callsign, told: impl FnOnce(Standing)) {
        self.look(|graph| told(standing(graph, key, callsign)));
    }

    /// What a key is worth for a callsign.
    #[must_use]
    pub fn standing(&self, key: &KeyId, callsign: &Callsign) -> Standing {
        self.look(|graph| standing(graph, key, callsign))
    }

    /// Decides something in memory, writes it to the disk, and tells whom it concerns. What `decide`
    /// refuses must have changed nothing.
    fn change<T, E: From<StoreError>>(
        &self,
        decide: impl FnOnce(&mut Known) -> Result<Decided<T>, E>,
        write: impl FnOnce(&Change<'_>, &T) -> Result<(), StoreError>,
    ) -> Result<T, E> {
        let mut store = lock(&self.store);
        if self.stale.load(Ordering::Relaxed) {
            self.reload_from(&store)?;
        }
        let Decided {
            value,
            turned,
            published,
        } = {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            decide(&mut known)?
        };
        if published {
            self.edition.fetch_add(1, Ordering::Release);
        }
        let written = store.change(|change| write(change, &value));
        if written.is_err()
            && let Err(error) = self.reload_from(&store)
        {
            tracing::error!(%error, "the database can neither be written nor read");
        }
        if published || !turned.is_empty() {
            self.tell_of(&turned);
        }
        self.changed.send_replace(());
        written?;
        Ok(value)
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn reload_from(&self, store: &Store) -> Result<(), StoreError> {
        let read = Known::load(store);
        self.stale.store(read.is_err(), Ordering::Relaxed);
        self.edition.fetch_add(1, Ordering::Release);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = read?;
        self.changed.send_replace(());
        Ok(())
    }

    /// Tells the standing of these keys now, while nobody else changes anything.
    fn tell_of(&self, turned: &Turned) {
        if let Some(Listener(tell)) = self.listener.get() {
            tell(self.look(|graph| changed(graph, turned)));
        }
    }
}

fn changed(graph: &TrustGraph, turned: &Turned) -> Changed {
    let judged = turned.iter().map(|(key, callsign)| {
        let trusted = standing(graph, key, callsign).trusted;
        Judgement {
            key: *key,
            callsign: callsign.clone(),
            trusted,
            reason: reason(graph, key, callsign, trusted),
        }
    });
    Changed {
        judgements: judged.collect(),
        successors: graph.successions().collect(),
    }
}

impl<T> Decided<T> {
    fn map<U>(self, to: impl FnOnce(T) -> U) -> Decided<U> {
        Decided {
            value: to(self.value),
            turned: self.turned,
            published: self.published,
        }
    }

    /// A decision that changes the worth of these certificates.
    fn about(value: T, affected: &[&[Affected]]) -> Self {
        let turned = affected.iter().copied().flatten();
        let turned: Turned = turned.map(|one| (one.key, one.callsign.clone())).collect();
        Self {
            value,
            published: !turned.is_empty(),
            turned,
        }
    }

    /// The same; it may show in what this server publishes although nobody's worth changes.
    fn published_if(self, shows: bool) -> Self {
        let published = self.published || shows;
        Self { published, ..self }
    }
}

fn standing(graph: &TrustGraph, key: &KeyId, callsign: &Callsign) -> Standing {
    let mut trusted = graph.trusted_certificates(key);
    trusted.retain(|held| !held.is_server() && held.callsign().base() == callsign.base());
    let class = |held: &&pki::Admitted| held.licence().and_then(|licence| licence.class.clone());
    Standing {
        trusted: !trusted.is_empty(),
        class: trusted.iter().find_map(class),
    }
}

/// Why a key is or is not trusted for a callsign, as a sentence for its holder.
fn reason(graph: &TrustGraph, key: &KeyId, callsign: &Callsign, trusted: bool) -> String {
    if trusted {
        return "this server trusts your certificate now".to_owned();
    }
    let mut verdicts = graph.held_by(key).into_iter().filter_map(|held| {
        let theirs = held.certificate.callsign().base() == callsign.base();
        match held.verdict {
            Verdict::Dead(cause) if theirs => Some(cause),
            _ => None,
        }
    });
    match verdicts.next() {
        Some(cause) => format!("your certificate does not count here any more: {cause}"),
        None => "nobody this server trusts vouches for your certificate any more".to_owned(),
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

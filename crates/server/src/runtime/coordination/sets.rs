//! What everybody should have, as the node sees it: the trusted certificates, tombstones and changes of keys
//! of the trust graph, and signed heads of issuance logs.
//!
//! What comes from another server passes the same admission as from anyone else. What the graph holds after
//! any change is compared with what the node was told, so nothing that changes it has to know of the node.
//!
//! An item that is not a certificate is JSON of fixed members, and is known by SHA-256 of the statement it
//! signs, so that one statement is one item, however often it was signed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use coordination::message::Set;
use coordination::message::plain::PlainCertificate;
use coordination::{Admission, Blob, Checkpoint as Head, HeldItem, Input, ItemId, Standing};
use pki::graph::{Refused, RekeyError, SignedRekey, Tombstone, TombstoneError, Verdict};
use pki::log::{Checkpoint, Tip};
use pki::{Admitted, Certificate};
use ring::digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use station::statement::Rekey;
use station::{Digest, Identity, KeyId, Statement};

use super::early::{Early, EarlyStatement};
use super::errands::Origin;
use super::{Coordinator, GATHER, lock};
use crate::runtime::authority::messages::{CheckpointMessage, RekeyMessage, TombstoneMessage};
use crate::runtime::authority::{AdmissionError, Bringer, Brought, BuryError, FollowError};

/// Certificates above one that are told to servers that know only the plain messages.
const MOST_TOLD: usize = 8;

/// Heads kept of one log that is not ours: the newest and those it can be compared with.
const HEADS_OF_ONE: usize = 16;

/// Logs whose heads are kept.
const MOST_LOGS: usize = 1_024;

/// Certificates looked at under one lock of the graph.
const PAGE: usize = 512;

/// What the node was told of.
#[derive(Debug, Default)]
pub(super) struct Told {
    held: BTreeMap<(Set, ItemId), HeldItem>,
    /// Everything that is no certificate, as it goes over a link.
    data: BTreeMap<(Set, ItemId), Blob>,
    /// Statements about certificates that are not here yet.
    pub(super) early: Early,
    /// Heads of other servers' logs, by size.
    logs: BTreeMap<KeyId, BTreeMap<(u64, Digest), Checkpoint>>,
}

impl Coordinator {
    /// Follows the trust graph for ever: the sets, and what the other servers are worth.
    pub(super) async fn follow_changes(self: &Arc<Self>) {
        let mut changes = self.around.authority.watch();
        while changes.changed().await.is_ok() {
            tokio::time::sleep(GATHER).await;
            changes.borrow_and_update();
            let coordinator = Arc::clone(self);
            let followed = tokio::task::spawn_blocking(move || {
                coordinator.retry_early();
                coordinator.compare_sets();
                coordinator.judge_servers();
                if let Err(error) = coordinator.tell_blacklist() {
                    tracing::warn!(%error, "other servers were not told of the blacklist");
                }
            });
            if let Err(error) = followed.await {
                tracing::error!(%error, "a change of trust was not told to other servers");
            }
        }
        std::future::pending::<()>().await;
    }

    /// Everything there is to be told to a new node.
    pub(super) fn recall_items(&self) -> Vec<(Set, HeldItem)> {
        let mut told = lock(&self.told);
        told.held.clear();
        told.data.clear();
        self.gather(&mut told);
        let held = told.held.iter();
        held.map(|(&(set, _), &item)| (set, item)).collect()
    }

    /// Tells the node what is held since it was last told, and what is not any more.
    fn compare_sets(&self) {
        let mut told = lock(&self.told);
        let before = std::mem::take(&mut told.held);
        told.data.clear();
        self.gather(&mut told);
        let fresh = told
            .held
            .iter()
            .filter(|(name, _)| !before.contains_key(name));
        let mut inputs: Vec<Input> = fresh
            .map(|(&(set, _), &item)| Input::Held { set, item })
            .collect();
        let gone = before.keys().filter(|name| !told.held.contains_key(name));
        inputs.extend(gone.map(|&(set, id)| Input::Dropped { set, id }));
        drop(told);
        for input in inputs {
            self.tell(input);
        }
    }

    /// Reads everything out of the graph, the database and what others signed.
    fn gather(&self, told: &mut Told) {
        let authority = &self.around.authority;
        let mut after = None;
        loop {
            let (items, next) = authority.look(|graph| {
                let page = graph.listed(after.as_ref(), None, PAGE, |held| {
                    held.verdict == Verdict::Trusted
                });
                let items: Vec<_> = page
                    .held
                    .iter()
                    .map(|held| certificate_item(held.certificate))
                    .collect();
                (items, page.next)
            });
            told.held.extend(
                items
                    .into_iter()
                    .map(|item| ((Set::Certificates, item.id), item)),
            );
            match next {
                Some(_) => after = next,
                None => break,
            }
        }
        let (tombstones, rekeys) = authority.look(|graph| {
            let tombstones: Vec<_> = graph.tombstones().collect();
            let rekeys: Vec<_> = graph.rekeys().collect();
            (tombstones, rekeys)
        });
        for tombstone in tombstones {
            if let Ok(id) = tombstone_id(&tombstone) {
                told.keep(
                    Set::Tombstones,
                    plain(id),
                    &TombstoneMessage::from(tombstone),
                );
            }
        }
        for signed in rekeys {
            if let Ok(id) = rekey_id(&signed.rekey) {
                told.keep(Set::Rekeys, plain(id), &RekeyMessage::from(signed));
            }
        }
        let own = self.own_checkpoint();
        let others: Vec<_> = told
            .logs
            .values()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect();
        for checkpoint in own.into_iter().chain(others) {
            if let Ok(item) = checkpoint_item(&checkpoint) {
                told.keep(Set::Checkpoints, item, &CheckpointMessage::from(checkpoint));
            }
        }
    }

    /// This server's word on its log; none while it is empty.
    fn own_checkpoint(&self) -> Option<Checkpoint> {
        let store = self.around.ownership.store();
        let last = lock(&store).last_issuance().ok()??;
        let tip = Tip {
            size: last.place + 1,
            head: Digest::new(last.head),
        };
        Checkpoint::sign(tip, self.around.ownership.key(), &self.random).ok()
    }

    /// An item for another server.
    pub(super) fn load_item(&self, set: Set, id: ItemId) -> Option<Blob> {
        if set != Set::Certificates {
            return lock(&self.told).data.get(&(set, id)).cloned();
        }
        let identity = Identity::new(*id.as_bytes());
        self.around.authority.look(|graph| {
            let held = graph.held(&identity)?;
            Some(Blob::from(held.certificate.der()))
        })
    }

    /// A certificate for a server that knows only the plain messages.
    pub(super) fn describe_certificate(&self, id: ItemId) -> Option<PlainCertificate> {
        let identity = Identity::new(*id.as_bytes());
        self.around.authority.look(|graph| {
            let certificate = graph.held(&identity)?.certificate;
            let chain = graph.chain(&identity, MOST_TOLD).into_iter();
            Some(PlainCertificate {
                fingerprint: certificate.fingerprint().to_string(),
                certificate: certificate.to_pem(),
                chain: chain.map(|above| above.to_pem()).collect(),
            })
        })
    }

    /// Judges an item that came from outside. Blocks on the disk.
    pub(super) fn admit_item(&self, from: Origin, set: Set, id: ItemId, data: &Blob) -> Admission {
        let admitted = match set {
            Set::Certificates => self.admit_certificate(from, id, data.as_bytes()),
            Set::Tombstones => self.admit_tombstone(from, id, data.as_bytes()),
            Set::Rekeys => self.admit_rekey(from, id, data.as_bytes()),
            Set::Checkpoints => self.admit_checkpoint(id, data.as_bytes()),
        };
        let admission = admitted.unwrap_or(Admission::Bad);
        if let Admission::Held(item) = admission {
            lock(&self.told).held.insert((set, item.id), item);
        }
        admission
    }

    /// None for what no honest server passes on.
    fn admit_certificate(&self, from: Origin, id: ItemId, der: &[u8]) -> Option<Admission> {
        let certificate = Certificate::from_der(der).ok()?;
        let time = issue_time(&certificate);
        let brought = self
            .around
            .authority
            .bring(&certificate, &[], from.bringer(), from.group);
        match brought {
            Ok(Brought::Held(identity)) if identity.as_bytes() != id.as_bytes() => None,
            Ok(Brought::Held(identity)) => {
                let trusted = self
                    .around
                    .authority
                    .look(|graph| graph.verdict_by_identity(&identity) == Verdict::Trusted);
                Some(if trusted {
                    Admission::Held(HeldItem { time, ..plain(id) })
                } else {
                    Admission::Declined { id, time }
                })
            }
            Ok(Brought::Waiting) => Some(Admission::Declined { id, time }),
            Err(AdmissionError::Unsigned(_) | AdmissionError::MeansAnother(_)) => None,
            Err(AdmissionError::Refused(Refused::NameCrowded | Refused::IssuerFull(_))) => {
                Some(Admission::Declined { id, time })
            }
            Err(
                AdmissionError::Refused(Refused::Budget | Refused::Full(_))
                | AdmissionError::Store(_),
            ) => Some(Admission::Full),
        }
    }

    fn admit_tombstone(&self, from: Origin, id: ItemId, json: &[u8]) -> Option<Admission> {
        let tombstone = Tombstone::from(read_item::<TombstoneMessage>(json)?);
        if tombstone_id(&tombstone).ok()? != id || !is_signature(&tombstone.signature) {
            return None;
        }
        let declined = Admission::Declined { id, time: 0 };
        match self.around.authority.bury(&tombstone) {
            Ok(_) => {
                let blob = Blob::from(json);
                lock(&self.told).data.insert((Set::Tombstones, id), blob);
                Some(Admission::Held(plain(id)))
            }
            Err(BuryError::Store(_) | BuryError::Tombstone(TombstoneError::Budget)) => {
                Some(Admission::Full)
            }
            // Whoever knows the certificate later must know that it is withdrawn.
            Err(BuryError::Tombstone(TombstoneError::NoTarget)) => {
                let early = &mut lock(&self.told).early;
                early.keep(from.group, EarlyStatement::Tombstone(tombstone));
                Some(declined)
            }
            Err(BuryError::Tombstone(TombstoneError::Stranger | TombstoneError::EnoughAdvice)) => {
                Some(declined)
            }
            Err(BuryError::Tombstone(TombstoneError::Signature | TombstoneError::Field(_))) => None,
        }
    }

    fn admit_rekey(&self, from: Origin, id: ItemId, json: &[u8]) -> Option<Admission> {
        let signed = SignedRekey::from(read_item::<RekeyMessage>(json)?);
        let signatures = [&signed.by_old, &signed.by_new];
        if rekey_id(&signed.rekey).ok()? != id
            || !signatures.into_iter().all(|one| is_signature(one))
        {
            return None;
        }
        match self.around.authority.follow(&signed) {
            Ok(_) => {
                let blob = Blob::from(json);
                lock(&self.told).data.insert((Set::Rekeys, id), blob);
                Some(Admission::Held(plain(id)))
            }
            Err(
                FollowError::Store(_) | FollowError::Rekey(RekeyError::Budget | RekeyError::Full),
            ) => Some(Admission::Full),
            // Two keys that claim one place are suspended also where they come before their certificates.
            Err(FollowError::Rekey(RekeyError::NotHeld)) => {
                let early = &mut lock(&self.told).early;
                early.keep(from.group, EarlyStatement::Rekey(signed));
                Some(Admission::Declined { id, time: 0 })
            }
            Err(FollowError::Rekey(RekeyError::TooMany | RekeyError::IssuerFull(_))) => {
                Some(Admission::Declined { id, time: 0 })
            }
            Err(FollowError::Rekey(
                RekeyError::Generation | RekeyError::Signature | RekeyError::Field(_),
            )) => None,
        }
    }

    /// Heads are kept of the logs of servers that are trusted here.
    fn admit_checkpoint(&self, id: ItemId, json: &[u8]) -> Option<Admission> {
        let checkpoint = Checkpoint::from(read_item::<CheckpointMessage>(json)?);
        let item = checkpoint_item(&checkpoint).ok()?;
        if item.id != id {
            return None;
        }
        let key = self.around.authority.look(|graph| {
            let trusted = graph.trusted_certificates(&checkpoint.server);
            trusted.first().map(|held| *held.public_key())
        });
        let declined = Admission::Declined { id, time: 0 };
        let Some(key) = key else {
            return Some(declined);
        };
        checkpoint.verify(&key).ok()?;
        let own = self.own_checkpoint();
        let mut told = lock(&self.told);
        if told.logs.len() >= MOST_LOGS && !told.logs.contains_key(&checkpoint.server) {
            return Some(declined);
        }
        let heads = told.logs.entry(checkpoint.server).or_default();
        // Now, for either may have given way to longer ones soon.
        let is_other = |one: &Checkpoint| {
            one.tip.size == checkpoint.tip.size && one.tip.head != checkpoint.tip.head
        };
        let own = own.filter(|own| own.server == checkpoint.server);
        let other = heads.values().cloned().chain(own).find(is_other);
        if let Some(other) = other {
            self.note_split([other, checkpoint.clone()]);
        }
        heads.insert((checkpoint.tip.size, checkpoint.tip.head), checkpoint);
        let full = heads.len() > HEADS_OF_ONE;
        let oldest = full.then(|| heads.pop_first()).flatten();
        let gone = oldest.and_then(|(_, oldest)| Some(checkpoint_item(&oldest).ok()?.id));
        if gone == Some(id) {
            return Some(declined);
        }
        let blob = Blob::from(json);
        told.data.insert((Set::Checkpoints, id), blob);
        if let Some(id) = gone {
            let set = Set::Checkpoints;
            told.data.remove(&(set, id));
            told.held.remove(&(set, id));
            drop(told);
            self.tell(Input::Dropped { set, id });
        }
        Some(Admission::Held(item))
    }

    /// Judges a certificate that came as text. Blocks on the disk.
    pub(super) fn admit_plain(&self, from: Origin, brought: &PlainCertificate) {
        let Some((certificate, above)) = read_plain(brought) else {
            tracing::debug!("a certificate that came as text cannot be read");
            return;
        };
        let taken = self
            .around
            .authority
            .bring(&certificate, &above, Bringer::Holder, from.group);
        if let Err(error) = taken {
            tracing::debug!(%error, "a certificate that came as text is not taken");
        }
    }
}

/// A certificate that came as text, and those above it.
pub(super) fn read_plain(brought: &PlainCertificate) -> Option<(Certificate, Vec<Certificate>)> {
    let read = |pem: &String| Certificate::from_pem(pem).ok();
    let above = brought.chain.iter().take(MOST_TOLD).map(read);
    Some((read(&brought.certificate)?, above.collect::<Option<_>>()?))
}

impl Told {
    fn keep(&mut self, set: Set, item: HeldItem, value: &impl Serialize) {
        // Digests, numbers and strings: writing them cannot fail.
        let json = serde_json::to_vec(value).unwrap_or_default();
        self.data.insert((set, item.id), json.into());
        self.held.insert((set, item.id), item);
    }
}

impl Origin {
    pub(super) fn bringer(self) -> Bringer {
        match self.server {
            Some((server, Standing::Trusted)) => {
                let bytes = server.as_bytes().iter().take(8);
                Bringer::Server(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            _ => Bringer::Holder,
        }
    }
}

/// Reads an item that has the one form an item can have. Otherwise one statement could be carried in a text as long as a
/// link takes, which everybody would keep.
fn read_item<T: Serialize + DeserializeOwned>(json: &[u8]) -> Option<T> {
    let item: T = serde_json::from_slice(json).ok()?;
    (serde_json::to_vec(&item).ok()? == json).then_some(item)
}

fn plain(id: ItemId) -> HeldItem {
    HeldItem {
        id,
        time: 0,
        checkpoint: None,
    }
}

fn certificate_item(certificate: &Admitted) -> HeldItem {
    HeldItem {
        time: issue_time(certificate),
        ..plain(ItemId::new(*certificate.identity().as_bytes()))
    }
}

fn issue_time(certificate: &Certificate) -> u64 {
    let since = certificate.not_before().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn tombstone_id(tombstone: &Tombstone) -> Result<ItemId, station::statement::FieldError> {
    Ok(named(&Statement::tombstone(
        tombstone.signer,
        tombstone.target,
    )?))
}

fn rekey_id(rekey: &Rekey) -> Result<ItemId, station::statement::FieldError> {
    Ok(named(&Statement::rekey(rekey)?))
}

fn checkpoint_item(checkpoint: &Checkpoint) -> Result<HeldItem, station::statement::FieldError> {
    let Checkpoint { server, tip, .. } = checkpoint;
    let statement = Statement::checkpoint(*server, tip.size, tip.head)?;
    Ok(HeldItem {
        checkpoint: Some(Head {
            log: *server,
            size: tip.size,
            head: tip.head,
        }),
        ..plain(named(&statement))
    })
}

/// Whether a text is as long as 64 bytes in base64url. What may wait unchecked must not be longer.
fn is_signature(text: &str) -> bool {
    text.len() == 86
}

fn named(statement: &Statement) -> ItemId {
    let hash = digest::digest(&digest::SHA256, statement.as_bytes());
    let mut id = [0; 32];
    id.copy_from_slice(hash.as_ref());
    ItemId::new(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_one_form() {
        let tombstone = Tombstone {
            target: Identity::new([1; 32]),
            signer: KeyId::new([2; 32]),
            signature: "A".repeat(86),
        };
        let message = TombstoneMessage::from(tombstone);
        let written = serde_json::to_string(&message).unwrap();
        let read = |text: &str| read_item::<TombstoneMessage>(text.as_bytes());
        assert_eq!(read(&written), Some(message));
        let padding = " ".repeat(40_000);
        for other in [
            format!("{written}{padding}"),
            written.replace(':', ": "),
            written.replace('}', ",\"more\":1}"),
        ] {
            assert_eq!(read(&other), None);
        }
    }
}

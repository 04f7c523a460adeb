//! Blacklists between owners: this owner's, which neighbours are told while the owner wants that, and those of others, which
//! are advice. Nothing here changes whom this server trusts: the owner reads, and decides as about anything else.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use coordination::message::advice::{
    Distrust, DistrustScope, MAX_DISTRUSTED, MAX_REASON, readable,
};
use coordination::message::plain::PlainMessage;
use coordination::{Input, Standing};
use pki::TrustGraph;
use pki::graph::{Cause, Entry, Held, Target, Verdict};
use ring::digest;
use station::{Callsign, Digest, Fingerprint, KeyId};
use store::StoreError;

use super::node::Core;
use super::said::{Speaker, Words};
use super::{Coordinator, lock};

/// Pieces of advice that are shown at once.
const MOST_SHOWN: usize = 500;

/// What this server tells of its blacklist, and what its owner does not want to be shown again.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// The frames that the node was given last.
    frames: Vec<String>,
    dismissed: BTreeSet<[u8; 32]>,
}

/// What other owners advise.
#[derive(Debug, Default)]
pub struct AdviceList {
    /// Of trusted servers first, and first about certificates that are known here.
    pub advice: Vec<Advice>,
    /// How many more were said, of which nothing is kept or shown.
    pub left_out: usize,
}

/// One owner's word about somebody. It is theirs: nothing follows from it here.
#[derive(Debug)]
pub struct Advice {
    /// Its name, the same whenever the same is said by the same server.
    pub id: Digest,
    /// The server that says so, where that is proved.
    pub server: Option<Fingerprint>,
    /// Whose server it is; as it says where nothing is proved.
    pub by: Option<Callsign>,
    /// Whether somebody this server trusts vouches for the server.
    pub verified: bool,
    /// How long ago the server last said something.
    pub heard: Duration,
    /// What it says.
    pub said: Distrust,
    /// Whom it is about, where such a certificate is known here.
    pub about: Option<About>,
}

/// A certificate that is known here.
#[derive(Debug)]
pub struct About {
    /// Its label.
    pub fingerprint: Fingerprint,
    /// Its holder, by the certificate.
    pub callsign: Callsign,
    /// Its holder's key.
    pub key: KeyId,
    /// Whether it is trusted here.
    pub trusted: bool,
}

impl Coordinator {
    /// Whether the owner publishes the blacklist. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn publishes_blacklist(&self) -> Result<bool, StoreError> {
        let on = lock(&self.around.ownership.store()).publishes_blacklist()?;
        Ok(on.unwrap_or(false))
    }

    /// The owner publishes the blacklist from now on, or no more: then everybody who is linked, and who will be, is told that
    /// it is empty. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be stored; nothing is changed then.
    pub fn publish_blacklist(&self, publish: bool) -> Result<(), StoreError> {
        let before = self.publishes_blacklist()?;
        if publish != before {
            lock(&self.around.ownership.store()).publish_blacklist(publish)?;
        }
        self.tell_blacklist()
    }

    /// Tells the neighbours what they do not know of the blacklist yet. Blocks on the disk.
    pub(super) fn tell_blacklist(&self) -> Result<(), StoreError> {
        // Held from reading it until the node has it, so that of two changes the later is told last.
        let mut published = lock(&self.published);
        let on = lock(&self.around.ownership.store()).publishes_blacklist()?;
        let Some(on) = on else {
            return Ok(());
        };
        let mut entries = Vec::new();
        if on {
            self.around.authority.look(|graph| {
                let all = graph.blacklisted().map(|entry| as_published(entry, graph));
                entries = all.take(MAX_DISTRUSTED).collect();
            });
        }
        let frames = PlainMessage::blacklist(entries);
        if published.frames != frames {
            published.frames.clone_from(&frames);
            self.tell(Input::Publish { frames });
        }
        Ok(())
    }

    /// A new node was told nothing yet. Blocks on the disk.
    pub(super) fn recall_advice(&self) -> Result<(), StoreError> {
        let dismissed = lock(&self.around.ownership.store()).dismissed_advice()?;
        *lock(&self.published) = Published {
            frames: Vec::new(),
            dismissed: dismissed.into_iter().collect(),
        };
        self.tell_blacklist()
    }

    /// What other owners advise, but what this one dismissed, and what is decided already.
    #[must_use]
    pub fn advice(&self) -> AdviceList {
        let mut list = AdviceList::default();
        let mut seen = BTreeSet::new();
        for Told { speaker, words } in self.told_by_others(Instant::now()) {
            list.left_out += words.left_out;
            for said in words.distrusted {
                let id = name(speaker.id, &said);
                if lock(&self.published).dismissed.contains(id.as_bytes()) || !seen.insert(id) {
                    continue;
                }
                let judged = self.around.authority.look(|graph| about(&said, graph));
                let about = match judged {
                    Judged::Settled => continue,
                    Judged::Known(about) => Some(about),
                    Judged::Unknown => None,
                };
                list.advice.push(Advice {
                    id,
                    server: speaker.server,
                    by: speaker.callsign.clone(),
                    verified: speaker.verified,
                    heard: speaker.heard,
                    said,
                    about,
                });
            }
        }
        let rank = |one: &Advice| (!one.verified, one.about.is_none());
        list.advice
            .sort_by(|a, b| (rank(a), &a.by, a.id).cmp(&(rank(b), &b.by, b.id)));
        list.left_out += list.advice.len().saturating_sub(MOST_SHOWN);
        list.advice.truncate(MOST_SHOWN);
        list
    }

    /// The owner does not want to be shown this again. False when nobody advises it. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when that cannot be stored; nothing is changed then.
    pub fn dismiss_advice(&self, id: &Digest) -> Result<bool, StoreError> {
        if !self.advice().advice.iter().any(|one| one.id == *id) {
            return Ok(false);
        }
        lock(&self.around.ownership.store()).dismiss_advice(id.as_bytes())?;
        lock(&self.published).dismissed.insert(*id.as_bytes());
        Ok(true)
    }

    /// What every server said of others.
    fn told_by_others(&self, now: Instant) -> Vec<Told> {
        let mut core = lock(&self.core);
        core.forget_the_gone();
        let core = &*core;
        let said = core.said.iter();
        said.filter_map(|(speaker, words)| {
            Some(Told {
                speaker: core.who(speaker, words, now)?,
                words: Blacklist {
                    distrusted: words.distrusted.items.clone(),
                    left_out: words.distrusted.left_out,
                },
            })
        })
        .collect()
    }
}

/// A server with its owner's blacklist.
struct Told {
    speaker: Who,
    words: Blacklist,
}

struct Blacklist {
    distrusted: Vec<Distrust>,
    left_out: usize,
}

/// Who says something.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// By what its advice is named: what is said without a proof is one, whoever says it.
    id: [u8; 16],
    pub(super) server: Option<Fingerprint>,
    pub(super) callsign: Option<Callsign>,
    pub(super) verified: bool,
    heard: Duration,
}

impl Core {
    /// Who a speaker is; nobody if the owner distrusts them.
    pub(super) fn who(&self, speaker: Speaker, words: &Words, now: Instant) -> Option<Who> {
        let heard = now.saturating_duration_since(words.heard);
        match speaker {
            Speaker::Proved(id) => {
                let server = self.node.as_ref()?.server(id)?;
                (server.standing != Standing::Blacklisted).then(|| Who {
                    id: *id.as_bytes(),
                    server: Some(server.fingerprint),
                    callsign: Some(server.callsign.clone()),
                    verified: server.standing == Standing::Trusted,
                    heard,
                })
            }
            Speaker::Unproved(_) => Some(Who {
                id: [0; 16],
                server: None,
                callsign: words
                    .announced
                    .as_ref()
                    .and_then(|said| Callsign::parse(&said.callsign).ok()),
                verified: false,
                heard,
            }),
        }
    }
}

/// A decision as it is published.
fn as_published(entry: &Entry, graph: &TrustGraph) -> Distrust {
    let (scope, identity, key_id, held) = match entry.target {
        Target::Certificate(identity) => (
            DistrustScope::Certificate,
            Some(identity),
            None,
            graph.held(&identity),
        ),
        Target::Key(key) => (
            DistrustScope::Key,
            None,
            Some(key),
            graph.held_by(&key).first().copied(),
        ),
        Target::Subtree(key) => (
            DistrustScope::Subtree,
            None,
            Some(key),
            graph.held_by(&key).first().copied(),
        ),
    };
    Distrust {
        scope,
        fingerprint: held.map(|held| held.certificate.fingerprint()),
        identity,
        key_id,
        callsign: held.map(|held| held.certificate.callsign().clone()),
        reason: readable(&entry.reason, MAX_REASON),
    }
}

/// What advice is about, by what is known here.
enum Judged {
    /// It counts for nothing already.
    Settled,
    Known(About),
    /// Nobody here ever saw it.
    Unknown,
}

fn about(said: &Distrust, graph: &TrustGraph) -> Judged {
    let by_label = || {
        let certificate = graph.certificate(&said.fingerprint?)?;
        graph.held(&certificate.identity())
    };
    let mut held: Vec<Held<'_>> = match (said.scope, said.identity, said.key_id) {
        (DistrustScope::Certificate, Some(identity), _) => {
            graph.held(&identity).into_iter().collect()
        }
        (DistrustScope::Key | DistrustScope::Subtree, _, Some(key)) => graph.held_by(&key),
        _ => by_label().into_iter().collect(),
    };
    if held.is_empty() {
        return Judged::Unknown;
    }
    held.retain(|one| !is_settled(one.verdict));
    // The one that would lose most stands for its key.
    held.sort_by_key(|one| one.verdict != Verdict::Trusted);
    let Some(one) = held.first() else {
        return Judged::Settled;
    };
    Judged::Known(About {
        fingerprint: one.certificate.fingerprint(),
        callsign: one.certificate.callsign().clone(),
        key: one.certificate.key_id(),
        trusted: one.verdict == Verdict::Trusted,
    })
}

/// Whether a certificate is dead for a reason of its own or of the owner's.
fn is_settled(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Dead(
            Cause::Blacklisted
                | Cause::BlacklistedKey
                | Cause::BlacklistedSubtree
                | Cause::Withdrawn
                | Cause::Revoked
        )
    )
}

/// What a piece of advice is known by: who says it, about whom. Another reason makes no other advice of it, so that nobody
/// brings back by that what was dismissed.
fn name(by: [u8; 16], said: &Distrust) -> Digest {
    let key = said.key_id.map(|key| key.to_string());
    let target = match said.scope {
        DistrustScope::Certificate => said.identity.map(|identity| identity.to_string()),
        DistrustScope::Key | DistrustScope::Subtree => key,
    };
    let target = target.or_else(|| said.fingerprint.map(|fingerprint| fingerprint.to_string()));
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&by);
    hash.update(&[said.scope as u8]);
    hash.update(target.unwrap_or_default().as_bytes());
    let mut name = [0; 32];
    name.copy_from_slice(hash.finish().as_ref());
    Digest::new(name)
}

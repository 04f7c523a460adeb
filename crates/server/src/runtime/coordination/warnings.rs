//! What somebody should know of other servers before they believe them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pki::log::Checkpoint;
use station::{Callsign, KeyId};

use super::{Coordinator, lock};

/// Logs with two histories that are remembered.
const MOST_SPLITS: usize = 256;

/// What was seen since this server started.
#[derive(Debug, Default)]
pub(super) struct Seen {
    copy: Option<Instant>,
    /// By the log's key: two signed heads of one length.
    splits: BTreeMap<KeyId, [Checkpoint; 2]>,
}

/// What there is to be told.
#[derive(Debug, Clone)]
pub struct Warnings {
    /// How long ago somebody last showed this server's own certificate or newer records of it: a copy runs, or a backup was
    /// restored.
    pub copy: Option<Duration>,
    /// Servers that show different people different histories of what they issued.
    pub splits: Vec<SplitLog>,
}

/// An issuance log with two histories.
#[derive(Debug, Clone)]
pub struct SplitLog {
    /// Whose it is, where its key is trusted.
    pub callsign: Option<Callsign>,
    /// The proof: both signed by the log's key, of one length, with different heads.
    pub checkpoints: [Checkpoint; 2],
}

impl Coordinator {
    /// What somebody should know of other servers.
    #[must_use]
    pub fn warnings(&self) -> Warnings {
        let (copy, splits) = {
            let seen = lock(&self.seen);
            let splits: Vec<_> = seen.splits.values().cloned().collect();
            (seen.copy, splits)
        };
        let callsign = |key: &KeyId| {
            self.around.authority.look(|graph| {
                let trusted = graph.trusted_certificates(key);
                trusted.first().map(|held| held.callsign().clone())
            })
        };
        Warnings {
            copy: copy.map(|then| then.elapsed()),
            splits: splits
                .into_iter()
                .map(|checkpoints| SplitLog {
                    callsign: callsign(&checkpoints[0].server),
                    checkpoints,
                })
                .collect(),
        }
    }

    /// A copy of this server showed itself.
    pub(super) fn note_copy(&self) {
        lock(&self.seen).copy = Some(Instant::now());
    }

    /// A log has two heads for one length. Both are signed, so whoever keeps them can prove it, also when the log has gone on.
    pub(super) fn note_split(&self, checkpoints: [Checkpoint; 2]) {
        let splits = &mut lock(&self.seen).splits;
        if splits.len() < MOST_SPLITS {
            splits.entry(checkpoints[0].server).or_insert(checkpoints);
        }
    }
}

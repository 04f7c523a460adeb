//! The log of everything this server issued, as everybody may read it.
//!
//! A checkpoint is a promise to whoever keeps it, so it is made of what is on the disk, never of what
//! is about to be written. What may be issued in an hour outlives a restart, since the log has it.

use std::time::Duration;

use pki::log::{Checkpoint, CheckpointError, Entry, Tip};
use signaling::limit::Rate;
use station::Digest;
use store::{Issuance, Store, StoreError};

use super::{IssueFailure, Issuing};
use crate::runtime::lock;

/// A part of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Entries, in order.
    pub entries: Vec<Entry>,
    /// The server's word on the whole log.
    pub checkpoint: Checkpoint,
}

impl Issuing {
    /// At most `most` entries from this place on. Blocks on the disk.
    ///
    /// # Errors
    /// [`IssueFailure`] when the database cannot be read or the key fails.
    pub fn log(&self, from: u64, most: u32) -> Result<Part, IssueFailure> {
        let store = self.ownership.store();
        let (found, tip) = {
            let store = lock(&store);
            (store.issuances(from, most)?, tip(&store)?)
        };
        Ok(Part {
            entries: found.iter().map(read).collect::<Result<_, _>>()?,
            checkpoint: self.sign_tip(tip)?,
        })
    }

    /// The server's word on how far the log goes. Blocks on the disk.
    ///
    /// # Errors
    /// [`IssueFailure`] when the database cannot be read or the key fails.
    pub fn checkpoint(&self) -> Result<Checkpoint, IssueFailure> {
        let tip = tip(&lock(&self.ownership.store()))?;
        self.sign_tip(tip)
    }

    /// Signs once for each length of the log, however many ask.
    fn sign_tip(&self, tip: Tip) -> Result<Checkpoint, IssueFailure> {
        let mut last = lock(&self.checkpoint);
        if let Some(signed) = last.as_ref().filter(|signed| signed.tip == tip) {
            return Ok(signed.clone());
        }
        let signed = Checkpoint::sign(tip, self.ownership.key(), &self.random);
        let signed = signed.map_err(|error| match error {
            CheckpointError::Field(error) => IssueFailure::Field(error),
            CheckpointError::Key(error) => IssueFailure::Key(error),
        })?;
        *last = Some(signed.clone());
        Ok(signed)
    }
}

/// How far the log goes on the disk.
pub(super) fn tip(store: &Store) -> Result<Tip, StoreError> {
    let last = store.last_issuance()?;
    Ok(last.map_or(Tip::EMPTY, |last| Tip {
        size: last.place + 1,
        head: Digest::new(last.head),
    }))
}

/// When the last certificates were issued, at most so many, in the order of the log.
pub(super) fn last_times(store: &Store, most: u32) -> Result<Vec<u64>, StoreError> {
    let from = tip(store)?.size.saturating_sub(u64::from(most));
    let found = store.issuances(from, most)?;
    let times = found.iter().map(|issuance| Ok(read(issuance)?.issued.time));
    times.collect()
}

/// How long it takes until nothing of what was issued at these times, in seconds since 1970, counts
/// against the rate. The clock may have been set meanwhile: what is dated later than it stands at counts as
/// issued now.
pub(super) fn spent(times: &[u64], rate: Rate, now: u64) -> Duration {
    let mut times: Vec<u64> = times.iter().map(|time| (*time).min(now)).collect();
    times.sort_unstable();
    let (mut left, mut last) = (Duration::ZERO, 0);
    for time in times {
        left = left.saturating_sub(Duration::from_secs(time - last)) + rate.unit();
        last = time;
    }
    left.saturating_sub(Duration::from_secs(now - last))
}

fn read(issuance: &Issuance) -> Result<Entry, StoreError> {
    Entry::from_text(&issuance.entry).map_err(|_| StoreError::Damaged("the issuance log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_log_says_of_the_last_hour_counts() {
        let rate = Rate::new(10, Duration::from_secs(3600), 10);
        let minutes = |times: &[u64], now: u64| {
            let times: Vec<u64> = times.iter().map(|minute| minute * 60).collect();
            spent(&times, rate, now * 60).as_secs() / 60
        };
        assert_eq!(minutes(&[], 100), 0);
        assert_eq!(minutes(&[100; 10], 100), 60, "one at a time after this");
        assert_eq!(minutes(&[100; 10], 130), 30);
        assert_eq!(minutes(&[100; 10], 161), 0);
        assert_eq!(minutes(&[10, 100, 103], 104), 8, "6 less 3, and 6 less 1");
        assert_eq!(minutes(&[500; 3], 100), 18, "the clock was set back");
        assert_eq!(minutes(&[103, 100], 104), 8, "in any order");
    }
}

//! The time, as well as it can be known on a machine whose clock may be wrong: a Pi without a battery begins
//! in 1970, or where it was switched off.
//!
//! It is the system's, but not before this program was built, and not before it last ran: that is written down
//! every hour. A clock that is set while the program runs was set by somebody who knows better (a person, a
//! receiver, another machine), so it counts from then on, also where it was set back.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io};

use crate::files;

/// Where it is written down: seconds since 1970.
const FILE: &str = "last-time";

/// How often.
const KEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// A clock that differs by this from how it ran before was set.
const SET: Duration = Duration::from_secs(60);

/// No certificate of this program is older than the program (seconds since 1970).
const BUILT: &str = env!("HAM_SERVER_BUILT");

/// What tells the time for certificates.
#[derive(Debug)]
pub struct Clock {
    file: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    reading: Reading,
    /// What is in the file.
    written: SystemTime,
}

/// What was seen of the time. Pure.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// The best that is known of `at`.
    best: SystemTime,
    /// What the system said at `at`.
    system: SystemTime,
    at: Instant,
}

impl Clock {
    /// The clock of a server that keeps its things in `folder`.
    #[must_use]
    pub fn open(folder: &std::path::Path) -> Self {
        let file = folder.join(FILE);
        let written = match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map_or(SystemTime::UNIX_EPOCH, seconds),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %file.display(), %error, "cannot be read");
                }
                SystemTime::UNIX_EPOCH
            }
        };
        let system = SystemTime::now();
        if written > system + KEEP_EVERY {
            tracing::warn!(
                "this machine's clock is behind the time at which the server last ran: for certificates the later \
                 one counts. Set the clock; if it is right, remove {}",
                file.display()
            );
        }
        let reading = Reading {
            best: written.max(system),
            system,
            at: Instant::now(),
        };
        Self {
            file,
            kept: Mutex::new(Kept { reading, written }),
        }
    }

    /// The time, which is not before `known`. Writes it down now and then, and so blocks on the disk.
    pub(super) fn now(&self, known: SystemTime) -> SystemTime {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.reading.look(SystemTime::now(), Instant::now());
        let best = kept.reading.best;
        let behind = best.duration_since(kept.written);
        // An error: it was set back.
        if behind.map_or(true, |behind| behind >= KEEP_EVERY) {
            let text = best
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
                .to_string();
            match files::write_secret(&self.file, text.as_bytes()) {
                Ok(()) => kept.written = best,
                Err(error) => {
                    tracing::debug!(file = %self.file.display(), %error, "the time is not kept");
                }
            }
        }
        best.max(built()).max(known)
    }
}

impl Reading {
    fn look(&mut self, system: SystemTime, at: Instant) {
        let passed = at.saturating_duration_since(self.at);
        let expected = self.system + passed;
        let off = system
            .duration_since(expected)
            .unwrap_or_else(|error| error.duration());
        let best = if off >= SET {
            system
        } else {
            system.max(self.best + passed)
        };
        *self = Self { best, system, at };
    }
}

/// When this program was built.
pub(super) fn built() -> SystemTime {
    BUILT.parse().map_or(SystemTime::UNIX_EPOCH, seconds)
}

fn seconds(since: u64) -> SystemTime {
    let after = Duration::from_secs(since);
    let time = SystemTime::UNIX_EPOCH.checked_add(after);
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

    #[test]
    fn a_clock_that_is_behind_goes_on_from_where_the_server_last_ran() {
        let (start, epoch) = (Instant::now(), SystemTime::UNIX_EPOCH);
        let ran = epoch + 56 * YEAR;
        let mut reading = Reading {
            best: ran,
            system: epoch,
            at: start,
        };
        reading.look(epoch + HOUR, start + HOUR);
        assert_eq!(reading.best, ran + HOUR);
        // Somebody sets it, forward or back.
        reading.look(epoch + 57 * YEAR, start + 2 * HOUR);
        assert_eq!(reading.best, epoch + 57 * YEAR);
        reading.look(epoch + 55 * YEAR, start + 3 * HOUR);
        assert_eq!(reading.best, epoch + 55 * YEAR);
        // It runs a little fast or slow, as clocks do.
        let slow = HOUR - Duration::from_secs(9);
        reading.look(epoch + 55 * YEAR + slow, start + 4 * HOUR);
        assert_eq!(reading.best, epoch + 55 * YEAR + HOUR);
    }

    #[test]
    fn what_is_written_down_outlives_a_start_and_a_damaged_file_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let system = SystemTime::now();
        let clock = Clock::open(folder.path());
        let now = clock.now(SystemTime::UNIX_EPOCH);
        assert!(now >= system && now < system + HOUR);
        assert_eq!(clock.now(now + YEAR), now + YEAR, "known otherwise");
        let file = folder.path().join(FILE);
        let kept: u64 = fs::read_to_string(&file).unwrap().parse().unwrap();
        assert!(seconds(kept) <= now && seconds(kept) + HOUR > now);

        let ahead = (kept + YEAR.as_secs()).to_string();
        fs::write(&file, ahead).unwrap();
        let later = Clock::open(folder.path()).now(SystemTime::UNIX_EPOCH);
        assert!(later >= seconds(kept) + YEAR);
        for damaged in ["", "yesterday", "-1", "99999999999999999999999"] {
            fs::write(&file, damaged).unwrap();
            let clock = Clock::open(folder.path());
            assert!(
                clock.now(SystemTime::UNIX_EPOCH) < system + HOUR,
                "{damaged}"
            );
        }
        assert!(built() > SystemTime::UNIX_EPOCH + YEAR);
    }
}

//! What a process uses, as the kernel counts it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Processor time of each thread of a process so far (`schedstat`: nanoseconds on the processor).
pub type Threads = BTreeMap<OsString, Duration>;

/// Processor time that the threads of a process have used so far.
///
/// # Errors
/// The process is gone, or this is not Linux.
pub fn threads(process: u32) -> Result<Threads> {
    let mut threads = Threads::new();
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let thread = thread?;
        // A thread may end while this looks at it.
        let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else {
            continue;
        };
        let nanoseconds = text.split(' ').next().context("schedstat is empty")?;
        let time = Duration::from_nanos(nanoseconds.parse()?);
        threads.insert(thread.file_name(), time);
    }
    Ok(threads)
}

/// Processor time that a process has used so far, all its threads together that still are.
///
/// # Errors
/// As [`threads`].
pub fn cpu(process: u32) -> Result<Duration> {
    Ok(threads(process)?.values().sum())
}

/// Processor time between two looks at a process.
#[must_use]
pub fn between(before: &Threads, after: &Threads) -> Duration {
    let used = after.iter().map(|(thread, time)| {
        let then = before.get(thread).copied().unwrap_or_default();
        time.saturating_sub(then)
    });
    used.sum()
}

/// Resident memory of a process in bytes.
///
/// # Errors
/// The process is gone, or this is not Linux.
pub fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kibibytes: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
        .context("no VmRSS")?
        .parse()?;
    Ok(kibibytes * 1024)
}

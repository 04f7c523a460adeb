//! What was measured so far, kept between runs that measure parts of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::lan::Found;
use crate::slow::Slow;
use crate::trial::Seen;

/// Every part that was measured.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Results {
    /// The processor.
    pub(crate) machine: String,
    pub(crate) lan: Option<Found>,
    /// Our servers, by how many there were.
    pub(crate) ours: BTreeMap<usize, Seen>,
    pub(crate) zenoh: Option<Seen>,
    /// By how many certificates differed.
    pub(crate) slow: BTreeMap<usize, Slow>,
    /// Bytes of a release program that does nothing, with our node in it, with zenoh in it.
    pub(crate) binaries: Option<[u64; 3]>,
    /// What the simulation printed: tables.
    pub(crate) simulation: String,
}

impl Results {
    /// What earlier runs left; nothing where there is nothing that can be read.
    pub(crate) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        Ok(fs::write(file, serde_json::to_string_pretty(self)?)?)
    }
}

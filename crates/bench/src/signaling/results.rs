//! What was measured so far, kept between runs that measure parts of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use benchmark::figures::machine;
use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::measure::flood::Bystanders;
use crate::measure::growth::Growth;
use crate::measure::idle::Idle;
use crate::measure::latency::Latency;
use crate::measure::storm::Storm;
use crate::measure::throughput::Throughput;

/// Every part that was measured, by server.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The processor, and how many there are.
    pub(crate) machine: String,
    /// Those that could not be installed.
    pub(crate) not_run: Vec<Dialect>,
    /// By messages under way in each pair.
    pub(crate) throughput: BTreeMap<Dialect, BTreeMap<usize, Throughput>>,
    pub(crate) latency: BTreeMap<Dialect, Half>,
    pub(crate) storm: BTreeMap<Dialect, Storm>,
    /// Ours, by the size of the net.
    #[serde(default)]
    pub(crate) growth: Vec<Growth>,
    pub(crate) flood: BTreeMap<Dialect, Bystanders>,
    /// Ours, with the usual limits of a client.
    pub(crate) limited: Option<Bystanders>,
    pub(crate) idle: BTreeMap<Dialect, Vec<Idle>>,
}

/// Latency at half load.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Half {
    /// At half of what the server itself relays.
    pub(crate) own: Latency,
    /// At half of what the slowest relays.
    pub(crate) common: Latency,
}

impl Results {
    /// What earlier runs left; nothing where there is nothing that can be read.
    pub(crate) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) fn begin(&mut self, here: &[Dialect]) {
        self.machine = machine();
        let missing = Dialect::ALL
            .into_iter()
            .filter(|dialect| !here.contains(dialect));
        self.not_run = missing.collect();
    }

    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        Ok(fs::write(file, serde_json::to_string_pretty(self)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_read_back() {
        let mut results = Results::default();
        let one = Throughput {
            per_cpu_second: 2.0,
            per_second: 1.0,
        };
        results
            .throughput
            .entry(Dialect::Bare)
            .or_default()
            .insert(16, one);
        let text = serde_json::to_string(&results).unwrap();
        let back: Results = serde_json::from_str(&text).unwrap();
        assert!((back.throughput[&Dialect::Bare][&16].per_cpu_second - 2.0).abs() < f64::EPSILON);
    }
}

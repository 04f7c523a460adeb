//! What it costs to believe somebody: `cargo bench -p pki`.
#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

mod admission;
mod chains;
mod people;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    admission::admission,
    admission::verdicts,
    admission::blacklisting,
    admission::issuance,
    chains::chains
);
criterion_main!(benches);

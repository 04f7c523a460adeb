//! What the benchmarks share: a WebSocket client that costs next to nothing, what a process uses, and the middle of figures.
//!
//! The programs are `src/signaling` (the load of browsers on one server) and `src/coordination` (many servers, one net).

pub mod figures;
pub mod process;
pub mod socket;

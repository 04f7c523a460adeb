//! What the benchmarks share: how they are started, a WebSocket client that costs next to nothing, what a process
//! uses, and what becomes of figures.
//!
//! The programs are `src/signaling` (the load of browsers on one server) and `src/coordination` (many servers, one net).

pub mod arguments;
pub mod figures;
pub mod process;
pub mod socket;

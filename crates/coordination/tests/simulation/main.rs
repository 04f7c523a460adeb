//! Nodes among others, in simulated time.
//!
//! `sim` is the world they live in. [`afternoons`] lets things happen to them by chance, [`nets`] puts them
//! into nets of a known shape, and the others each look at one subject.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod afternoons;
mod defences;
mod harm;
mod links;
mod nets;
mod plain;
mod sets;
mod sim;

//! Foreign programs judge what this crate makes, and it reads what they make: OpenSSL's command, and
//! GnuTLS's certtool.
//!
//! Where there is no such command the tests say so and pass.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

mod bench;
mod chains;
mod licences;
mod ours;
mod requests;

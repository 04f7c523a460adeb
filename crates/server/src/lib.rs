//! The server: the only crate that knows addresses, files and the time.
//!
//! Reading order: [`server`] puts the parts together; [`listen`] accepts connections and
//! [`http`] answers them; [`link`] dials other servers; [`discovery`] makes the server known and finds others, and so does [`aredn`] where the owner wants it; [`runtime`] owns the
//! pure state machines and carries out their commands.
//! [`cli`] and [`config`] are what a person types. Arrows point from the first to the last of these
//! and never back; `runtime` knows nothing of HTTP, and `http`, `link` and `discovery` meet only there.

pub mod aredn;
pub mod cli;
pub mod config;
pub mod discovery;
mod files;
pub mod http;
pub mod link;
pub mod listen;
mod logging;
pub mod network;
mod qr;
pub mod runtime;
pub mod server;

/// The program's version as other programs see it: `MAJOR.MINOR.PATCH-BUILD`.
pub const VERSION: &str = env!("HAM_SERVER_VERSION");

/// What this program offers to others, in the words of `GET /api/info` and of discovery.
pub const CAPABILITIES: &[&str] = &["signaling", "webrtc"];

//! What runs between the sockets and the pure state machines.
//!
//! [`Switchboard`] owns the hub and every client's queue; [`Authority`] is whom this server believes; [`Coordinator`] owns the
//! node among the other servers;
//! [`Ownership`] is whose server this is and the key it proves that with; [`AdminKey`] lets the
//! commands on this machine act as the owner; [`login`] makes challenges and judges proofs; [`Nonces`] are given
//! out and taken back once; [`Attempts`] counts what failed, [`Checks`] the signatures somebody had checked; [`Neighbourhood`] is the other servers nearby; [`Resolver`]
//! asks the network for an address; [`Connectivity`] tells whether there seems to be internet. Nothing here knows HTTP.

mod admin;
mod attempts;
pub mod authority;
mod checks;
mod connectivity;
pub mod coordination;
mod delays;
pub mod login;
mod neighbourhood;
mod nonces;
mod origin;
mod outbox;
mod ownership;
mod resolver;
mod shares;
mod switchboard;

pub use admin::AdminKey;
pub use attempts::Attempts;
pub use authority::Authority;
pub use checks::Checks;
pub use connectivity::{Connectivity, Mode};
pub use coordination::Coordinator;
pub use delays::{Delays, Histogram};
pub use neighbourhood::{
    Inquiry, Introduction, Neighbour, Neighbourhood, NotKept, Sighting, Source,
};
pub use nonces::Nonces;
pub use outbox::{Batch, Outbox, Outgoing, Queues};
pub use ownership::{ClaimFailure, ClaimRequest, ClaimState, Ownership, OwnershipError};
pub use resolver::{Question, Questions, Resolver, resolver};
pub use switchboard::{Line, Onward, Snapshot, Switchboard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A fresh nonce: 32 random bytes, base64url.
///
/// # Errors
/// [`NoRandomness`] when the system gives none.
pub fn nonce(random: &SystemRandom) -> Result<String, NoRandomness> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether a text is 32 bytes in base64url without padding.
#[must_use]
pub fn is_nonce(text: &str) -> bool {
    text.len() == 43
        && URL_SAFE_NO_PAD
            .decode(text)
            .is_ok_and(|bytes| bytes.len() == 32)
}

/// The system gives no random bytes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// Locks; what a panicked thread left behind is whole, since no lock here is held over a panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

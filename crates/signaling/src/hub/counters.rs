//! What the hub has done so far, as plain numbers for whoever shows them.

use std::collections::BTreeMap;

use super::CloseCode;
use crate::message::ErrorCode;

/// Numbers since the hub was made. They only rise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Text frames that came, those over a budget included.
    pub received: u64,
    /// Offers passed on.
    pub offers: u64,
    /// Answers passed on.
    pub answers: u64,
    /// Candidates passed on, those the server added not counted.
    pub candidates: u64,
    /// Sessions begun by guests.
    pub guests: u64,
    /// Sessions begun by those who proved a key.
    pub operators: u64,
    /// Sessions gone on with after their connection broke.
    pub resumed: u64,
    /// Logins that failed.
    pub failed_logins: u64,
    /// Frames answered with an `ERROR`, by its code.
    pub refused: BTreeMap<ErrorCode, u64>,
    /// Budgets that were found empty.
    pub limited: BTreeMap<Scope, u64>,
    /// Pauses given to addresses.
    pub pauses: u64,
    /// Connections closed because their client did not read what it was sent.
    pub slow: u64,
    /// Connections the hub closed, by the code.
    pub closed: BTreeMap<CloseCode, u64>,
}

/// Whose budget it is, or of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A connection's messages and bytes.
    Connection,
    /// What comes from one address, or one network of 64 bits.
    Address,
    /// What comes from the sessions of one key.
    Identity,
    /// Offers on a connection.
    Offers,
    /// Changes of nets on a connection.
    Moves,
    /// What goes on in a net.
    Net,
}

impl Scope {
    /// The word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Address => "address",
            Self::Identity => "identity",
            Self::Offers => "offers",
            Self::Moves => "moves",
            Self::Net => "net",
        }
    }
}

//! Which rules hold on a way: those of an ordinary network, or those of amateur frequencies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The zone of a link, an interface or an address prefix.
///
/// The order is by strictness: of two declarations the greater one holds.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Zone {
    /// Cable, or unlicensed spectrum: encryption is allowed.
    #[default]
    Open,
    /// Amateur frequencies: everything is readable and signed (47 CFR 97.113(a)(4)).
    Part97,
}

/// A word that names no zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are two zones, open and part97")]
pub struct ZoneError;

impl Zone {
    /// The zone's word on the wire and in statements.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Part97 => "part97",
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(word: &str) -> Result<Self, ZoneError> {
        let zones = [Self::Open, Self::Part97];
        let named = zones.into_iter().find(|zone| zone.as_str() == word);
        named.ok_or(ZoneError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_of_two_declarations_holds() {
        assert_eq!(Zone::Open.max(Zone::Part97), Zone::Part97);
    }

    #[test]
    fn the_wire_word_is_the_serialized_word() {
        for zone in [Zone::Open, Zone::Part97] {
            let json = serde_json::to_string(&zone).unwrap();
            assert_eq!(json, format!("\"{zone}\""));
            assert_eq!(zone.as_str().parse(), Ok(zone));
        }
        assert_eq!("Open".parse::<Zone>(), Err(ZoneError));
    }
}

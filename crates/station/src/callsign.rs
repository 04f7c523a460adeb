//! Callsigns, checked loosely (ITU Radio Regulations 19.68 and 19.68A allow for much).
//!
//! A person is never refused for an odd call: anything that looks like one at all is accepted, and
//! [`Callsign::is_usual`] tells whether to ask "are you sure?". The SSID of AX.25 is not part of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most characters a callsign may have, prefixes and suffixes such as `F/` and `/P` included.
pub const MAX_LEN: usize = 20;

/// What an unlicensed visitor registers as; never a callsign.
pub const GUEST: &str = "GUEST";

/// A callsign in upper case, such as `W1AW`, `F/W1AW` or `K1ABC/P`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct Callsign(Box<str>);

/// Why a text is not a callsign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallsignError {
    /// Fewer than three characters, or more than [`MAX_LEN`].
    #[error("a callsign has 3 to {MAX_LEN} characters")]
    Length,
    /// Something other than letters A to Z, digits, and slashes between parts.
    #[error("a callsign has only letters, digits and slashes")]
    Character,
    /// No part holds both a letter and a digit.
    #[error("a callsign has at least one letter and one digit")]
    NotACall,
    /// The word for visitors, or a placeholder from a manual.
    #[error("{0} is not anybody's callsign")]
    Reserved(&'static str),
}

impl Callsign {
    /// Reads a callsign as a person types it: surrounding blanks and lower case are forgiven.
    ///
    /// # Errors
    /// [`CallsignError`] when it cannot be one.
    pub fn parse(text: &str) -> Result<Self, CallsignError> {
        let text = text.trim();
        if !(3..=MAX_LEN).contains(&text.len()) {
            return Err(CallsignError::Length);
        }
        let call = text.to_ascii_uppercase();
        for reserved in [GUEST, "N0CALL", "NOCALL"] {
            if call == reserved {
                return Err(CallsignError::Reserved(reserved));
            }
        }
        let well_formed = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        if !call.split('/').all(well_formed) {
            return Err(CallsignError::Character);
        }
        let call = Self(call.into());
        let base = call.base();
        let has = |test: fn(&u8) -> bool| base.as_bytes().iter().any(test);
        if base.len() < 3 || !has(u8::is_ascii_uppercase) || !has(u8::is_ascii_digit) {
            return Err(CallsignError::NotACall);
        }
        Ok(call)
    }

    /// The whole callsign, in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The home call inside the decorations: `W1AW` of `F/W1AW/P`. It is the longest part, and
    /// calls are compared by it.
    #[must_use]
    pub fn base(&self) -> &str {
        // `max_by_key` gives the last of equals, and a prefix comes before the call it decorates.
        self.0
            .split('/')
            .max_by_key(|part| part.len())
            .unwrap_or(&self.0)
    }

    /// Whether the base call has the shape of RR 19.68: a one- or two-character prefix, a digit,
    /// and one to four characters of which the last is a letter.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        let base = self.base().as_bytes();
        (1..=2).any(|prefix| {
            let Some((head, tail)) = base.split_at_checked(prefix) else {
                return false;
            };
            let prefix_ok = match head {
                [one] => b"BFGIKMNRW".contains(one),
                two => two.iter().any(u8::is_ascii_uppercase),
            };
            let [digit, suffix @ ..] = tail else {
                return false;
            };
            prefix_ok
                && digit.is_ascii_digit()
                && (1..=4).contains(&suffix.len())
                && suffix.last().is_some_and(u8::is_ascii_uppercase)
        })
    }
}

impl fmt::Display for Callsign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Callsign {
    type Err = CallsignError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Callsign {
    type Error = CallsignError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Callsign> for String {
    fn from(call: Callsign) -> Self {
        call.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        assert_eq!(Callsign::parse(" w1aw ").unwrap().as_str(), "W1AW");
        assert_eq!(Callsign::parse("F/w1aw/p").unwrap().base(), "W1AW");
        assert_eq!(Callsign::parse("K1ABC/QRP").unwrap().base(), "K1ABC");
    }

    #[test]
    fn refuses_what_cannot_be_a_call() {
        assert_eq!(Callsign::parse("W1"), Err(CallsignError::Length));
        assert_eq!(Callsign::parse("W1AW-5"), Err(CallsignError::Character));
        assert_eq!(Callsign::parse("W1AW\nX"), Err(CallsignError::Character));
        assert_eq!(Callsign::parse("W1AW//P"), Err(CallsignError::Character));
        assert_eq!(Callsign::parse("ÄÖ1"), Err(CallsignError::Character));
        assert_eq!(Callsign::parse("12345"), Err(CallsignError::NotACall));
        assert_eq!(Callsign::parse("RADIO"), Err(CallsignError::NotACall));
        assert_eq!(
            Callsign::parse("guest"),
            Err(CallsignError::Reserved(GUEST))
        );
        assert_eq!(
            Callsign::parse("n0call"),
            Err(CallsignError::Reserved("N0CALL"))
        );
    }

    #[test]
    fn odd_calls_are_accepted_and_marked() {
        for usual in [
            "W1AW", "K1A", "DL1ABC", "2E0ABC", "3A2XY", "VK9XYZA", "F/DL1ABC",
        ] {
            assert!(Callsign::parse(usual).unwrap().is_usual(), "{usual}");
        }
        for odd in ["GB100RSGB", "W1AW1", "A1234"] {
            assert!(!Callsign::parse(odd).unwrap().is_usual(), "{odd}");
        }
    }
}

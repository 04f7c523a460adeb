//! Maidenhead grid squares: where a station is, as radio amateurs say it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Maidenhead locator of one to four pairs, such as `FN31` or `FN31pr`, in its usual case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct Grid(Box<str>);

/// The text is not a Maidenhead locator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a grid square looks like FN31 or FN31pr: pairs of letters, digits, letters, digits")]
pub struct GridError;

impl Grid {
    /// Reads a locator in any case: pairs A-R, 0-9, A-X, 0-9.
    ///
    /// # Errors
    /// [`GridError`] when a pair is missing or out of its range.
    pub fn parse(text: &str) -> Result<Self, GridError> {
        let text = text.trim();
        if !matches!(text.len(), 2 | 4 | 6 | 8) {
            return Err(GridError);
        }
        let mut grid = String::with_capacity(text.len());
        for (position, byte) in text.bytes().enumerate() {
            let (cased, ok) = match position / 2 {
                0 => (
                    byte.to_ascii_uppercase(),
                    byte.to_ascii_uppercase().wrapping_sub(b'A') < 18,
                ),
                2 => (
                    byte.to_ascii_lowercase(),
                    byte.to_ascii_lowercase().wrapping_sub(b'a') < 24,
                ),
                _ => (byte, byte.is_ascii_digit()),
            };
            if !ok {
                return Err(GridError);
            }
            grid.push(char::from(cased));
        }
        Ok(Self(grid.into()))
    }

    /// The locator as written: `FN31pr`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Grid {
    type Err = GridError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Grid {
    type Error = GridError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Grid> for String {
    fn from(grid: Grid) -> Self {
        grid.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_case_and_every_length() {
        for (typed, read) in [
            ("fn31PR", "FN31pr"),
            ("jn", "JN"),
            ("RR99", "RR99"),
            ("io91wm00", "IO91wm00"),
        ] {
            assert_eq!(Grid::parse(typed).unwrap().as_str(), read);
        }
    }

    #[test]
    fn refuses_what_is_not_on_the_map() {
        for wrong in [
            "", "F", "FN3", "SN31", "FN31yz", "FNAA", "31FN", "FN31pr0", "ÄN31",
        ] {
            assert_eq!(Grid::parse(wrong), Err(GridError), "{wrong}");
        }
    }
}

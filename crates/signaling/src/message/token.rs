//! What a session is resumed by.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

/// A session's secret: 32 random bytes, base64url. It is not shown in logs.
///
/// A session is looked up by the first characters alone, the selector; how long that takes may tell
/// something of these. The rest is compared in the same time wherever it differs.
#[derive(Clone, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct SessionToken(Box<str>);

/// What a client says is a session's token.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct PresentedToken<'a>(#[serde(borrow)] Cow<'a, str>);

/// The part of a token by which a session is looked up: 66 bits, enough never to meet by chance. 190 are left to be
/// guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector([u8; 11]);

impl SessionToken {
    /// Takes 32 random bytes in base64url.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The part by which the session is looked up.
    #[must_use]
    pub fn selector(&self) -> Selector {
        Selector::of(&self.0)
    }

    /// Whether a client presented this token; takes as long for any that is as long.
    #[must_use]
    pub fn is(&self, presented: &PresentedToken<'_>) -> bool {
        let (mine, theirs) = (self.0.as_bytes(), presented.0.as_bytes());
        let different = mine
            .iter()
            .zip(theirs)
            .fold(0, |different, (a, b)| black_box(different | (a ^ b)));
        mine.len() == theirs.len() && different == 0
    }
}

impl PresentedToken<'_> {
    /// The part by which the session is looked up.
    #[must_use]
    pub fn selector(&self) -> Selector {
        Selector::of(&self.0)
    }
}

impl Selector {
    /// Zeros, which are in no token, take the place of what is missing.
    fn of(token: &str) -> Self {
        let mut bytes = token.bytes();
        Self(std::array::from_fn(|_| bytes.next().unwrap_or_default()))
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken")
    }
}

impl fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_will_do() {
        let token = SessionToken::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        let presented = |text: &str| PresentedToken(text.to_owned().into());
        let whole = presented("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        assert!(token.is(&whole));
        assert_eq!(token.selector(), whole.selector());
        for other in [
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
            "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh88",
            "AAECAwQFBgc",
            "",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert!(!token.is(&presented(other)), "{other}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = SessionToken::new("secret");
        assert_eq!(format!("{token:?}"), "SessionToken");
    }
}

//! Licence classes and how a licence was checked.
//!
//! Every country names its classes differently, and no class gives more rights here than another,
//! so a class is a short text to show, not a set of cases.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most bytes a licence class may have.
pub const MAX_CLASS_LEN: usize = 32;

/// The class on somebody's licence, as their country words it: `Extra`, `Full`, `Klasse A`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct LicenceClass(Box<str>);

/// The text is empty, too long, or not printable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a licence class is a short word such as Extra or Full, of at most {MAX_CLASS_LEN} bytes")]
pub struct LicenceClassError;

impl LicenceClass {
    /// Reads a class, forgiving surrounding blanks. A lone dash is none: statements write it where
    /// no class is known.
    ///
    /// # Errors
    /// [`LicenceClassError`] when it is empty, a dash, too long or holds control characters.
    pub fn parse(text: &str) -> Result<Self, LicenceClassError> {
        let text = text.trim();
        let length = 1..=MAX_CLASS_LEN;
        if text == "-" || !length.contains(&text.len()) || text.chars().any(char::is_control) {
            return Err(LicenceClassError);
        }
        Ok(Self(text.into()))
    }

    /// The class as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LicenceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LicenceClass {
    type Err = LicenceClassError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for LicenceClass {
    type Error = LicenceClassError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<LicenceClass> for String {
    fn from(class: LicenceClass) -> Self {
        class.0.into()
    }
}

/// How the issuer of a certificate checked that its holder is licensed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum VouchMethod {
    /// Nobody but the holder says so: a self-signed certificate.
    SelfAsserted,
    /// The issuer saw the person and the licence.
    InPerson,
    /// By the holder's ARRL Logbook of the World certificate.
    Lotw,
    /// Three other operators endorsed it.
    Endorsements,
    /// The issuer saw a document.
    Document,
}

impl VouchMethod {
    /// Every method, in the order of its number in the certificate extension.
    pub const ALL: [Self; 5] = [
        Self::SelfAsserted,
        Self::InPerson,
        Self::Lotw,
        Self::Endorsements,
        Self::Document,
    ];

    /// The method's word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SelfAsserted => "self-asserted",
            Self::InPerson => "in-person",
            Self::Lotw => "lotw",
            Self::Endorsements => "endorsements",
            Self::Document => "document",
        }
    }
}

impl fmt::Display for VouchMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_any_short_word() {
        assert_eq!(
            LicenceClass::parse(" Klasse A ").unwrap().as_str(),
            "Klasse A"
        );
        for wrong in ["", "  ", " - ", "a\nb", &"x".repeat(MAX_CLASS_LEN + 1)] {
            assert_eq!(LicenceClass::parse(wrong), Err(LicenceClassError));
        }
    }

    #[test]
    fn the_wire_word_is_the_serialized_word() {
        for method in VouchMethod::ALL {
            let json = serde_json::to_string(&method).unwrap();
            assert_eq!(json, format!("\"{method}\""));
        }
    }
}

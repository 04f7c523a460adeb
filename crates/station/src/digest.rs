//! The names of keys and certificates: SHA-256 digests, written as 64 lowercase hex digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text is not 64 lowercase hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 lowercase hex digits")]
pub struct DigestError;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        pub struct $name([u8; 32]);

        impl $name {
            /// Wraps a digest that was computed elsewhere.
            #[must_use]
            pub const fn new(digest: [u8; 32]) -> Self {
                Self(digest)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Reads 64 lowercase hex digits.
            ///
            /// # Errors
            /// [`DigestError`] for any other length, character or case.
            pub fn parse(text: &str) -> Result<Self, DigestError> {
                parse_hex(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = DigestError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = DigestError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(digest: $name) -> Self {
                digest.to_string()
            }
        }
    };
}

digest! {
    /// SHA-256 of a certificate's DER: the label by which people and programs name it.
    Fingerprint
}

digest! {
    /// SHA-256 of a public key's SubjectPublicKeyInfo: the same for every certificate of that key.
    KeyId
}

digest! {
    /// What blacklists, tombstones and stores know a certificate by: SHA-256 of the issuer's
    /// SubjectPublicKeyInfo and the TBSCertificate. Unlike the fingerprint it stays when somebody
    /// rewrites the ECDSA signature.
    Identity
}

digest! {
    /// SHA-256 of anything else that a statement or a log speaks of: a session description, a
    /// listing, a document that was shown.
    Digest
}

fn parse_hex(text: &str) -> Result<[u8; 32], DigestError> {
    let mut digest = [0; 32];
    if text.len() != 64 {
        return Err(DigestError);
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let nibble = |c: u8| match c {
            b'0'..=b'9' => Ok(c - b'0'),
            b'a'..=b'f' => Ok(c - b'a' + 10),
            _ => Err(DigestError),
        };
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let digest = Fingerprint::new(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        assert_eq!(Fingerprint::parse(&digest.to_string()), Ok(digest));
        let upper = digest.to_string().to_uppercase();
        for wrong in ["", "00", upper.as_str(), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Fingerprint::parse(wrong), Err(DigestError), "{wrong}");
        }
    }
}

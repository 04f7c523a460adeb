//! Byte strings: names of servers, people and items, nonces, digests and signatures.
//!
//! In CBOR each is a byte string (RFC 8949, 3.1, major type 2) of its exact length, and anything else
//! is refused.

use std::fmt;
use std::sync::Arc;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use station::Fingerprint;

macro_rules! byte_string {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Wraps the bytes.
            #[must_use]
            pub const fn new(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
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

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;

                impl Visitor<'_> for Reader {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a byte string of ", $length, " bytes"))
                    }

                    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<$name, E> {
                        let length = || E::invalid_length(bytes.len(), &self);
                        bytes.try_into().map($name).map_err(|_| length())
                    }
                }

                deserializer.deserialize_bytes(Reader)
            }
        }
    };
}

byte_string! {
    /// A server: the first 16 bytes of its certificate's [`Fingerprint`].
    ServerId, 16
}

byte_string! {
    /// Somebody at a server: the 64 bits their hub knows their session by.
    PersonId, 8
}

byte_string! {
    /// An item of a set. A certificate's is its [`Identity`](station::Identity); the adapter says what
    /// the others' are.
    ItemId, 32
}

byte_string! {
    /// What a server chose at random when it started, so that two that run with one key differ.
    BootNonce, 8
}

byte_string! {
    /// What somebody must sign to show that they are there now.
    Nonce, 32
}

byte_string! {
    /// What a roster holds, in 16 bytes: see [`crate::message::Head`].
    Head, 16
}

byte_string! {
    /// ECDSA P-256 with SHA-256: r‖s.
    Signature, 64
}

impl From<Fingerprint> for ServerId {
    fn from(fingerprint: Fingerprint) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&fingerprint.as_bytes()[..16]);
        Self(id)
    }
}

/// Bytes that are passed on as they came, and shared rather than copied.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(Arc<[u8]>);

impl Blob {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&[u8]> for Blob {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(bytes.into())
            }
        }

        deserializer.deserialize_bytes(Reader)
    }
}

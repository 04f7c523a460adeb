//! Which key a certificate's authority key identifier means (RFC 5280, 4.2.1.1).
//!
//! An ECDSA signature holds under two keys: whoever sees one can compute the second, though nobody
//! can sign with it. A certificate that says whose key signed it is therefore found under that key
//! only. What decides is computed from the key; the identifier that another certificate gives it was
//! chosen by whoever wrote that one.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::certificate::Certificate;
use crate::public_key::PublicKey;
use crate::sha256;

/// Shorter identifiers would fit too many keys, and say nothing.
const MIN_HINT: usize = 8;

impl Certificate {
    /// What the certificate says of its issuer's key, when that is enough to tell keys apart.
    pub(crate) fn issuer_hint(&self) -> Option<&[u8]> {
        self.key_identifier_of_issuer()
            .filter(|hint| hint.len() >= MIN_HINT)
    }

    /// Whether the certificate lets this key be its issuer's: it says nothing of it, or means it. Where
    /// it does not, a signature by the key counts for nothing.
    #[must_use]
    pub fn allows_issuer(&self, key: &PublicKey) -> bool {
        self.issuer_hint().is_none_or(|hint| is_called(key, hint))
    }
}

/// Whether the identifier is this key's: the beginning of its key id, as in our own certificates, or
/// of the SHA-256 of its point (RFC 7093, 2), or made of the SHA-1 of its point by one of the two
/// ways of RFC 5280, 4.2.1.2.
fn is_called(key: &PublicKey, hint: &[u8]) -> bool {
    if key.key_id().as_bytes().starts_with(hint) || sha256(&[key.point()]).starts_with(hint) {
        return true;
    }
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, key.point());
    let last = &sha1.as_ref()[12..];
    let is_short = hint.len() == 8 && hint[0] == 0x40 | (last[0] & 0x0f) && hint[1..] == last[1..];
    hint == sha1.as_ref() || is_short
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-1 of the point, as most programs write it; by another program.
    const SHA1: &str = "b467a3999eb5efa671de0032f08a9c9e5efda0e1";

    const NAMES: [&str; 4] = [
        SHA1,
        "408a9c9e5efda0e1",
        "698bea63dc44a344663ff1429aea10842df27b6b",
        "5cd252fb0ce8932436faf8ccd1040981b89ee4ad",
    ];

    #[test]
    fn a_key_is_called_by_what_is_computed_from_it() {
        let spki = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200\
             046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
             4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        let key = PublicKey::from_spki(&spki).unwrap();
        for name in NAMES {
            assert!(is_called(&key, &hex(name)), "{name}");
            let mut other = hex(name);
            other[7] ^= 1;
            assert!(!is_called(&key, &other), "{name}");
        }
        assert!(!is_called(&key, &hex(SHA1)[..12]), "no way makes this one");
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pairs = digits
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap());
        pairs
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }
}

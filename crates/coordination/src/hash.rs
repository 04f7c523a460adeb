//! SHA-256, and what is made of it here.

use sha2::{Digest as _, Sha256};
use station::{Digest, Fingerprint};

/// SHA-256 of the parts, one after another.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The first eight bytes of SHA-256, for summaries that are compared and never trusted.
pub(crate) fn short(parts: &[&[u8]]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(parts);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// What a statement names a body by.
pub(crate) fn digest(body: &[u8]) -> Digest {
    Digest::new(sha256(&[body]))
}

/// What a certificate is named by.
pub(crate) fn fingerprint(certificate: &[u8]) -> Fingerprint {
    Fingerprint::new(sha256(&[certificate]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_fips_180() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc").to_string(), expected);
        assert_eq!(sha256(&[b"a", b"", b"bc"]), sha256(&[b"abc"]));
        assert_eq!(short(&[b"abc"]), 0xba78_16bf_8f01_cfea);
    }
}

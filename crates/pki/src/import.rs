//! Certificates out of a file that the owner brings: roots of other operators, roots of Logbook of
//! the World.
//!
//! The file is PEM with any number of certificates, one certificate in DER, or a .p12 with its
//! password. What is in it is only read here; what is trusted is the owner's next decision. Private
//! keys that lie in the file are passed over.

use crate::certificate::{Certificate, CertificateError};
use crate::foreign::{ForeignCertificate, ForeignError};
use crate::p12::{self, P12Error};
use crate::pem::{self, PemError};

pub use crate::p12::{MAX_CERTIFICATES, MAX_FILE_LEN};

/// What a file holds, each certificate once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bundle {
    /// Certificates of stations, which can be anchors.
    pub stations: Vec<Certificate>,
    /// Others, of which those that may issue can be licence roots.
    pub foreign: Vec<ForeignCertificate>,
    /// Those that are neither.
    pub unread: Vec<Unread>,
}

/// A certificate that this program does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its place among the file's certificates, from 1.
    pub place: usize,
    /// Why it is no station's.
    pub station: CertificateError,
    /// Why it is no foreign one that can be used.
    pub foreign: ForeignError,
}

/// Why a file gives no certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// More than [`MAX_FILE_LEN`] bytes.
    #[error("the file is larger than 256 KiB")]
    TooLarge,
    /// More than [`MAX_CERTIFICATES`].
    #[error("the file has more than {MAX_CERTIFICATES} certificates")]
    TooMany,
    /// Neither PEM nor DER nor PKCS#12.
    #[error("the file is neither PEM nor DER nor a .p12 file")]
    Unknown,
    /// Not one certificate in it.
    #[error("there is no certificate in the file")]
    Empty,
    /// The PEM text is broken.
    #[error("the file's PEM is wrong")]
    Pem(#[from] PemError),
    /// A .p12 file that a password protects, and none was given.
    #[error("the .p12 file needs its password")]
    PasswordNeeded,
    /// The .p12 file cannot be opened.
    #[error("the .p12 file cannot be opened")]
    P12(#[source] P12Error),
}

/// Reads a file. The password is for a .p12 file and otherwise of no account.
///
/// # Errors
/// [`ImportError`] with what is wrong. A single certificate that cannot be read is no error of the
/// file; it is listed.
pub fn read(file: &[u8], password: Option<&str>) -> Result<Bundle, ImportError> {
    if file.len() > MAX_FILE_LEN {
        return Err(ImportError::TooLarge);
    }
    let certificates = match Form::of(file) {
        Form::Pem(text) => from_pem(text)?,
        Form::Certificate => vec![file.to_vec()],
        Form::P12 => from_p12(file, password)?,
        Form::Unknown => return Err(ImportError::Unknown),
    };
    if certificates.is_empty() {
        return Err(ImportError::Empty);
    }
    Ok(Bundle::of(&certificates))
}

/// What a file looks like.
enum Form<'a> {
    Pem(&'a str),
    Certificate,
    P12,
    Unknown,
}

impl<'a> Form<'a> {
    fn of(file: &'a [u8]) -> Self {
        if let Ok(text) = str::from_utf8(file)
            && text.contains("-----BEGIN ")
        {
            return Self::Pem(text);
        }
        // Both begin with a SEQUENCE; a certificate's first member is one too, a PFX begins with its
        // version (RFC 7292, 4).
        let header = match file {
            [0x30, 0x82, _, _, first, ..]
            | [0x30, 0x81, _, first, ..]
            | [0x30, 0x83, _, _, _, first, ..]
            | [0x30, 0..=0x7f, first, ..] => *first,
            _ => return Self::Unknown,
        };
        match header {
            0x30 => Self::Certificate,
            0x02 => Self::P12,
            _ => Self::Unknown,
        }
    }
}

fn from_pem(text: &str) -> Result<Vec<Vec<u8>>, ImportError> {
    let mut certificates = Vec::new();
    for object in pem::objects(text) {
        match pem::decode(object?, PEM_LABEL) {
            Ok(der) => certificates.push(der),
            Err(PemError::Label { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if certificates.len() > MAX_CERTIFICATES {
            return Err(ImportError::TooMany);
        }
    }
    Ok(certificates)
}

fn from_p12(file: &[u8], password: Option<&str>) -> Result<Vec<Vec<u8>>, ImportError> {
    match p12::certificates(file, password.unwrap_or_default()) {
        Ok(certificates) => Ok(certificates),
        Err(P12Error::WrongPassword) if password.is_none() => Err(ImportError::PasswordNeeded),
        Err(error) => Err(ImportError::P12(error)),
    }
}

impl Bundle {
    fn of(certificates: &[Vec<u8>]) -> Self {
        let mut bundle = Self::default();
        for (at, der) in certificates.iter().enumerate() {
            if certificates[..at].contains(der) {
                continue;
            }
            let station = match Certificate::from_der(der) {
                Ok(certificate) => {
                    bundle.stations.push(certificate);
                    continue;
                }
                Err(error) => error,
            };
            match ForeignCertificate::from_der(der) {
                Ok(certificate) => bundle.foreign.push(certificate),
                Err(foreign) => bundle.unread.push(Unread {
                    place: at + 1,
                    station,
                    foreign,
                }),
            }
        }
        bundle
    }
}

const PEM_LABEL: &str = "CERTIFICATE";

#[cfg(test)]
mod tests;

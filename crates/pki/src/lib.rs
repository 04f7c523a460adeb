//! Keys and certificates of stations.
//!
//! Everything here is pure: no clock, no socket, no file. Times are arguments, and what needs
//! randomness takes ring's [`SecureRandom`](ring::rand::SecureRandom). A value of a type in this
//! crate has been checked: a [`Certificate`] is well formed, a [`VerifiedClaim`] holds together, a
//! [`SigningKey`] signs statements and certificates built here and nothing else. No date is judged.
//!
//! Reading order: [`public_key`], [`certificate`] with [`licence`], [`key`], [`issue`], then what
//! uses them: [`graph`], [`claim`] with [`code`], [`csr`], [`log`], [`foreign`], [`p12`], [`import`].

mod budget;
pub mod certificate;
pub mod claim;
pub mod code;
pub mod csr;
mod envelope;
pub mod foreign;
pub mod graph;
pub mod import;
pub mod issue;
pub mod key;
mod key_hint;
pub mod licence;
pub mod log;
pub mod p12;
mod pem;
pub mod public_key;
pub mod request;
#[cfg(test)]
mod testing;

pub use budget::Budget;
pub use certificate::{Admitted, Certificate, CertificateError};
pub use claim::{ClaimError, VerifiedClaim};
pub use code::Code;
pub use csr::{Csr, CsrError};
pub use foreign::{ForeignCertificate, ForeignError};
pub use graph::TrustGraph;
pub use key::{KeyError, SigningKey};
pub use licence::HamLicence;
pub use pem::PemError;
pub use public_key::{PublicKey, PublicKeyError};
pub use request::SignatureBase;
pub use station::Identity;

/// SHA-256 over the parts, one after the other.
fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

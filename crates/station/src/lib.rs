//! Who somebody is: the vocabulary every other crate shares.
//!
//! A *station* is one on-air identity. This crate holds its plain, checked values: [`Callsign`],
//! [`Grid`], [`LicenceClass`], [`Zone`]; the names of keys and certificates, [`KeyId`], [`Fingerprint`]
//! and [`Identity`]; and the [`Statement`]s that keys sign outside X.509. Values are parsed once and are valid ever
//! after. There is no I/O, no cryptography and no clock here.
//!
//! Reading order: [`callsign`], [`grid`], [`licence`], [`zone`], [`digest`], [`statement`].

pub mod callsign;
pub mod digest;
pub mod grid;
pub mod licence;
pub mod statement;
pub mod zone;

pub use callsign::Callsign;
pub use digest::{Digest, Fingerprint, Identity, KeyId};
pub use grid::Grid;
pub use licence::LicenceClass;
pub use statement::Statement;
pub use zone::Zone;

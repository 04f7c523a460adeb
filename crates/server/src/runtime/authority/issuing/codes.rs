//! Codes by which one person gets one certificate, without the owner looking again.

use pki::Code;
use station::{Callsign, LicenceClass};
use store::{IssueCode, RandomId};

use super::{IssueFailure, Issuing, seconds_since_1970};
use crate::runtime::authority::Decided;

impl Issuing {
    /// Makes a code for whoever the owner has met, with what they saw of the licence. Blocks on the
    /// disk.
    ///
    /// # Errors
    /// [`IssueFailure::CodesFull`], or when the database fails.
    pub fn make_code(
        &self,
        callsign: Callsign,
        licence_class: Option<LicenceClass>,
    ) -> Result<IssueCode, IssueFailure> {
        let code = IssueCode {
            id: self.random_id()?,
            code: Code::generate(&self.random)?,
            callsign,
            licence_class,
            created_at: seconds_since_1970(),
        };
        self.authority.change(
            |known| {
                known.books.add_code(code.clone())?;
                Ok::<_, IssueFailure>(Decided::about((), &[]))
            },
            |change, ()| change.add_code(&code),
        )?;
        Ok(code)
    }

    /// The codes that nobody has used, the oldest first.
    #[must_use]
    pub fn codes(&self) -> Vec<IssueCode> {
        self.authority.known().books.codes.clone()
    }

    /// Takes a code back. Blocks on the disk.
    ///
    /// # Errors
    /// [`IssueFailure::NoSuchCode`], or when the database fails.
    pub fn remove_code(&self, id: RandomId) -> Result<(), IssueFailure> {
        self.authority.change(
            |known| {
                known.books.remove_code(&id)?;
                Ok(Decided::about((), &[]))
            },
            |change, ()| change.remove_code(&id).map(drop),
        )
    }
}

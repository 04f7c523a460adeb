//! Requests that wait for the owner, and what became of those that were decided lately.

use std::time::Instant;

use pki::Certificate;
use station::licence::VouchMethod;
use station::{Digest, LicenceClass};
use store::{RandomId, Request, RequestState};

use super::making::Order;
use super::{Grant, IssueFailure, Issuing, is_check};
use crate::runtime::authority::Decided;
use crate::runtime::lock;

impl Issuing {
    /// The requests that wait, the oldest first.
    #[must_use]
    pub fn waiting(&self) -> Vec<Request> {
        self.authority.known().books.waiting.clone()
    }

    /// A request with the certificate that was issued for it. Blocks on the disk.
    ///
    /// # Errors
    /// [`IssueFailure::NoSuchRequest`] for a name that was never given, or long ago; or when the
    /// database fails.
    pub fn request(&self, id: RandomId) -> Result<(Request, Option<Grant>), IssueFailure> {
        let request = lock(&self.ownership.store()).request(&id)?;
        let request = request.ok_or(IssueFailure::NoSuchRequest)?;
        let RequestState::Issued(identity) = &request.state else {
            return Ok((request, None));
        };
        let held = self.authority.look(|graph| {
            let held = graph.held(identity)?;
            Some(Certificate::clone(held.certificate))
        });
        let grant = held.zip(self.ownership.claim());
        let grant = grant.map(|(certificate, claim)| Grant::of(certificate, &claim));
        Ok((request, grant))
    }

    /// Issues what a request asks for: the owner has decided. They may say how they checked the
    /// licence, and what class it has. Blocks on the disk.
    ///
    /// # Errors
    /// [`IssueFailure`]; the request still waits then.
    pub fn approve(
        &self,
        id: RandomId,
        method: Option<VouchMethod>,
        class: Option<&LicenceClass>,
        now: Instant,
    ) -> Result<Grant, IssueFailure> {
        let claim = self.ownership.claim().ok_or(IssueFailure::NoOwner)?;
        let issued = self.authority.change(
            |known| {
                let request = known.books.waiting(&id)?.clone();
                let order = Order {
                    key: &request.public_key,
                    callsign: &request.callsign,
                    class: class.or(request.licence_class.as_ref()),
                    method: is_check(method.unwrap_or(request.method))?,
                    evidence: request.evidence.map(Digest::new),
                    code: None,
                    by_owner: true,
                };
                self.make(known, &claim, order, now)
            },
            |change, issued| issued.write(change),
        )?;
        Ok(Grant::of(issued.certificate, &claim))
    }

    /// Refuses a request, for a reason that the applicant reads. Blocks on the disk.
    ///
    /// # Errors
    /// [`IssueFailure::NoSuchRequest`], or when the database fails.
    pub fn refuse(&self, id: RandomId, reason: String) -> Result<(), IssueFailure> {
        self.authority.change(
            |known| {
                known.books.waiting(&id)?;
                known.books.waiting.retain(|request| request.id != id);
                let refused = RequestState::Refused(reason);
                Ok::<_, IssueFailure>(Decided::about(refused, &[]))
            },
            |change, refused| change.decide_request(&id, refused),
        )?;
        Ok(())
    }
}

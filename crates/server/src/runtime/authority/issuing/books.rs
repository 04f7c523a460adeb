//! What of issuing is in memory, as the store keeps it: open codes, requests that wait, and how far
//! the log goes.

use pki::log::Tip;
use signaling::AddressGroup;
use store::{IssueCode, RandomId, Request, RequestState, Store, StoreError};

use super::log::tip;
use super::making::Written;
use super::proof::Proven;
use super::{
    Applicant, IssueFailure, MOST_CODES, MOST_WAITING, MOST_WAITING_EACH, seconds_since_1970,
};
use crate::runtime::authority::Decided;
use crate::runtime::authority::admission::charged_to;

/// Bounded: by [`MOST_CODES`] and [`MOST_WAITING`].
#[derive(Debug)]
pub(in super::super) struct Books {
    /// The oldest first.
    pub(super) codes: Vec<IssueCode>,
    /// The oldest first.
    pub(super) waiting: Vec<Request>,
    pub(super) tip: Tip,
}

impl Books {
    pub(in super::super) fn load(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            codes: store.codes()?,
            waiting: store.waiting_requests()?,
            tip: tip(store)?,
        })
    }

    /// That a code which proved something was not used by somebody else since.
    pub(super) fn still_open(&self, code: Option<&IssueCode>) -> Result<(), IssueFailure> {
        let open = |code: &IssueCode| self.codes.iter().any(|open| open.id == code.id);
        if code.is_none_or(open) {
            Ok(())
        } else {
            Err(IssueFailure::WrongCode)
        }
    }

    pub(super) fn add_code(&mut self, code: IssueCode) -> Result<(), IssueFailure> {
        if self.codes.len() >= MOST_CODES {
            return Err(IssueFailure::CodesFull);
        }
        self.codes.push(code);
        Ok(())
    }

    pub(super) fn remove_code(&mut self, id: &RandomId) -> Result<(), IssueFailure> {
        let place = self.codes.iter().position(|code| code.id == *id);
        self.codes.remove(place.ok_or(IssueFailure::NoSuchCode)?);
        Ok(())
    }

    /// The request that waits under this name.
    pub(super) fn waiting(&self, id: &RandomId) -> Result<&Request, IssueFailure> {
        let mut waiting = self.waiting.iter();
        waiting
            .find(|request| request.id == *id)
            .ok_or(IssueFailure::NoSuchRequest)
    }

    /// Lets a request wait for the owner. The code that was used for it is used up.
    pub(super) fn queue(
        &mut self,
        id: RandomId,
        applicant: &Applicant,
        proven: &Proven,
        why: String,
        from: AddressGroup,
    ) -> Result<Decided<Written>, IssueFailure> {
        let link = charged_to(from);
        let waiting = &self.waiting;
        if waiting.iter().any(|one| one.public_key == applicant.key) {
            return Err(IssueFailure::WaitsAlready);
        }
        if waiting.len() >= MOST_WAITING {
            return Err(IssueFailure::QueueFull);
        }
        if waiting.iter().filter(|one| one.link == link).count() >= MOST_WAITING_EACH {
            return Err(IssueFailure::GroupFull);
        }
        let request = Request {
            id,
            public_key: applicant.key,
            callsign: applicant.callsign.clone(),
            licence_class: proven.class(applicant).cloned(),
            method: proven.method,
            note: proven.note.clone(),
            evidence: proven.evidence.map(|evidence| *evidence.as_bytes()),
            why,
            link,
            created_at: seconds_since_1970(),
            state: RequestState::Waiting,
        };
        self.waiting.push(request.clone());
        let code = proven.code.as_ref().map(|code| code.id);
        if let Some(code) = &code {
            self.remove_code(code)?;
        }
        let written = Written::Queued {
            request: Box::new(request),
            code,
        };
        Ok(Decided::about(written, &[]))
    }
}

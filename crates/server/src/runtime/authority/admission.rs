//! Certificates come in: with a login, or because somebody brings them.

use std::fmt;
use std::net::IpAddr;

use pki::Certificate;
use pki::graph::{Admission, Budget, Refused, Source, State, Stored, Verdict};
use signaling::AddressGroup;
use station::{Identity, KeyId};
use store::{Change, StoreError};

use super::{Authority, Decided, Standing, standing};

/// Signature checks that one presentation or submission may cost.
const CHECKS: usize = 128;

/// Who brings a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bringer {
    /// The owner of this server: it stays.
    Owner,
    /// An operator with this key, whom this server trusts.
    Operator(KeyId),
    /// Another server whom this one trusts, by the beginning of its name.
    Server(u64),
    /// Its holder, of whom nothing else is known.
    Holder,
}

/// What became of a certificate that somebody brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// It is in the graph, perhaps since long.
    Held(Identity),
    /// It waits for its issuer's certificate.
    Waiting,
}

/// Why a certificate was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// The graph refused it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The certificate above it bears its issuer's name and did not sign it, or it names itself as
    /// issuer and did not sign itself. 0 is the certificate itself, 1 the one above it.
    #[error("{} is not signed by its issuer's key; send its issuer's certificate along", Place(*.0))]
    Unsigned(usize),
    /// The key of the certificate above it signed it, and its authority key identifier means another.
    #[error("{} says that another key than its issuer's signed it: its authority key identifier is not that key's", Place(*.0))]
    MeansAnother(usize),
    /// It cannot be stored.
    #[error("the certificate cannot be stored")]
    Store(#[from] StoreError),
}

/// A certificate of a chain, as a person counts.
struct Place(usize);

impl Authority {
    /// What the holder of a certificate is worth, if that is known without taking anything in: the
    /// certificate is held, and either counts or nothing above it is new.
    #[must_use]
    pub fn recall(&self, certificate: &Certificate, chain: &[Certificate]) -> Option<Standing> {
        self.look(|graph| {
            let known = |one: &Certificate| {
                let verdict = graph.verdict(&one.fingerprint());
                !matches!(verdict, Verdict::Unknown | Verdict::Waiting)
            };
            let standing = standing(graph, &certificate.key_id(), certificate.callsign());
            let settled = known(certificate) && (standing.trusted || chain.iter().all(known));
            settled.then_some(standing)
        })
    }

    /// Takes in a certificate and those above it, its issuer's first, which its holder presents, and
    /// says what the holder is worth: nothing, where the graph refuses them. Blocks on the disk.
    ///
    /// # Errors
    /// [`Refused::Budget`] when their signatures cost too much to check, or [`AdmissionError::Store`].
    pub fn present(
        &self,
        certificate: &Certificate,
        chain: &[Certificate],
        from: AddressGroup,
    ) -> Result<Standing, AdmissionError> {
        let admissions = self.take_in(certificate, chain, Bringer::Holder.source(from))?;
        if let Some(Err(Refused::Budget)) = admissions.results.last() {
            return Err(Refused::Budget.into());
        }
        Ok(self.standing(&certificate.key_id(), certificate.callsign()))
    }

    /// Takes in a certificate and those above it, its issuer's first, that somebody brings. Blocks on
    /// the disk.
    ///
    /// # Errors
    /// [`AdmissionError`], of the certificate itself or of the one above it that it waits for; what was
    /// taken of the others stays.
    pub fn bring(
        &self,
        certificate: &Certificate,
        chain: &[Certificate],
        bringer: Bringer,
        from: AddressGroup,
    ) -> Result<Brought, AdmissionError> {
        let mut admissions = self.take_in(certificate, chain, bringer.source(from))?;
        match admissions.results.pop() {
            None => Ok(Brought::Waiting),
            Some(Err(refused)) => Err(refused.into()),
            Some(Ok(State::Admitted(identity) | State::Held(identity))) => {
                Ok(Brought::Held(identity))
            }
            Some(Ok(State::Waiting)) => {
                admissions
                    .results
                    .into_iter()
                    .collect::<Result<Vec<_>, _>>()?;
                misfit(certificate, chain)?;
                Ok(Brought::Waiting)
            }
        }
    }

    fn take_in(
        &self,
        certificate: &Certificate,
        chain: &[Certificate],
        source: Source,
    ) -> Result<Admissions, AdmissionError> {
        self.change(
            |known| {
                let mut budget = Budget::new(CHECKS);
                let graph = &mut known.graph;
                let results = graph.admit_chain(certificate, chain, source, &mut budget);
                Ok(Admissions::of(results))
            },
            |change, admissions: &Admissions| admissions.write(change),
        )
    }
}

impl Bringer {
    /// Whose shares of the graph are charged.
    fn source(self, from: AddressGroup) -> Source {
        let link = charged_to(from);
        match self {
            Self::Owner => Source::Owner,
            Self::Operator(key) => Source::Stranger {
                link,
                origin: first_bytes(key),
                trusted: true,
            },
            Self::Server(origin) => Source::Stranger {
                link: origin,
                origin,
                trusted: true,
            },
            Self::Holder => Source::Stranger {
                link,
                origin: link,
                trusted: false,
            },
        }
    }
}

/// Whom shares and places are charged to: a group of addresses, as a number.
pub(super) fn charged_to(group: AddressGroup) -> u64 {
    match group.address() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        // The other half is the same for all of the group.
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or_default(),
    }
}

fn first_bytes(key: KeyId) -> u64 {
    let bytes = key.as_bytes().iter().take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Whether each certificate is signed by the one above it, where that bears its issuer's name. Names
/// the first that is not, from the end of the chain.
fn misfit(certificate: &Certificate, chain: &[Certificate]) -> Result<(), AdmissionError> {
    let all: Vec<&Certificate> = std::iter::once(certificate).chain(chain).collect();
    for (place, one) in all.iter().enumerate().rev() {
        let above = match all.get(place + 1) {
            Some(above) if above.subject() == one.issuer() => above,
            None if one.is_self_issued() => one,
            _ => continue,
        };
        if !one.is_signed_by(above.public_key()) {
            return Err(AdmissionError::Unsigned(place));
        }
        if !one.allows_issuer(above.public_key()) {
            return Err(AdmissionError::MeansAnother(place));
        }
    }
    Ok(())
}

/// What became of certificates, in the order in which they were offered to the graph.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    pub(super) results: Vec<Result<State, Refused>>,
    admitted: Vec<Stored>,
    evicted: Vec<Identity>,
}

impl Admissions {
    pub(super) fn of(results: Vec<Result<Admission, Refused>>) -> Decided<Self> {
        let mut all = Self::default();
        let mut turned = Vec::new();
        for result in results {
            all.results.push(result.map(|admission| {
                all.admitted.extend(admission.admitted);
                all.evicted.extend(admission.evicted);
                turned.extend(admission.gained);
                turned.extend(admission.lost);
                admission.state
            }));
        }
        let forgets = !all.evicted.is_empty();
        Decided::about(all, &[&turned]).published_if(forgets)
    }

    pub(super) fn write(&self, change: &Change<'_>) -> Result<(), StoreError> {
        change.admit(&self.admitted)?;
        change.evict(&self.evicted)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("the certificate"),
            place => write!(f, "certificate {place} of the chain"),
        }
    }
}

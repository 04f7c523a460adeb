//! Certificates come in: with a login, or because somebody brings them.

use std::net::IpAddr;

use pki::Certificate;
use pki::graph::{Admission, Budget, Refused, Source, State, Stored, Verdict};
use signaling::AddressGroup;
use station::Identity;
use store::{Change, StoreError};

use super::{Authority, Decided, Standing, standing};

/// Signature checks that one presentation may cost.
const CHECKS: usize = 64;

/// Why somebody who presented a certificate cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum PresentError {
    /// Its signatures would cost too much to check.
    #[error("checking the certificates takes too many signature checks; present fewer")]
    Costly,
    /// What was presented cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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
    /// says what the holder is worth. Blocks on the disk.
    ///
    /// # Errors
    /// [`PresentError`]; whatever else is wrong with the certificates makes their holder a guest.
    pub fn present(
        &self,
        certificate: &Certificate,
        chain: &[Certificate],
        from: AddressGroup,
    ) -> Result<Standing, PresentError> {
        let source = stranger(from);
        let mut budget = Budget::new(CHECKS);
        let admissions = self.change(
            |known| {
                let graph = &mut known.graph;
                let results = graph.admit_chain(certificate, chain, source, &mut budget);
                Ok::<_, PresentError>(decided(results))
            },
            |change, admissions| admissions.write(change),
        )?;
        if let Some(Err(Refused::Budget)) = admissions.results.last() {
            return Err(PresentError::Costly);
        }
        Ok(self.standing(&certificate.key_id(), certificate.callsign()))
    }
}

/// Somebody at an address, of whom nothing is proven.
fn stranger(group: AddressGroup) -> Source {
    let link = match group.address() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        // The other half is the same for all of the group.
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    };
    Source::Stranger {
        link,
        origin: link,
        trusted: false,
    }
}

/// What became of a chain, its furthest certificate first.
#[derive(Debug)]
struct Admissions {
    results: Vec<Result<State, Refused>>,
    admitted: Vec<Stored>,
    evicted: Vec<Identity>,
}

impl Admissions {
    fn write(&self, change: &Change<'_>) -> Result<(), StoreError> {
        change.admit(&self.admitted)?;
        change.evict(&self.evicted)
    }
}

fn decided(results: Vec<Result<Admission, Refused>>) -> Decided<Admissions> {
    let mut all = Admissions {
        results: Vec::with_capacity(results.len()),
        admitted: Vec::new(),
        evicted: Vec::new(),
    };
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
    Decided::concerning(all, &turned)
}

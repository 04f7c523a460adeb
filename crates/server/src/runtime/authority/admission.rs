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

/// A certificate that somebody brings.
#[derive(Debug)]
pub struct Bringing {
    /// The certificate.
    pub certificate: Certificate,
    /// Those above it, its issuer's first.
    pub chain: Vec<Certificate>,
    /// Who brings it.
    pub bringer: Bringer,
    /// From where.
    pub from: AddressGroup,
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

    /// Takes in what several bring, each as by [`bring`](Self::bring), in one transaction: however many they are, the disk is
    /// waited for once. What became of each shows when it is brought again, which costs no disk. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be stored; none is taken in then.
    pub fn bring_together(&self, all: &[Bringing]) -> Result<(), StoreError> {
        let taken = self.change(
            |known| {
                let graph = &mut known.graph;
                let results = all.iter().flat_map(|one| {
                    let mut budget = Budget::new(CHECKS);
                    let source = one.bringer.source(one.from);
                    graph.admit_chain(&one.certificate, &one.chain, source, &mut budget)
                });
                let mut decided = Admissions::of(results.collect());
                // One may have been thrown out and have come again.
                let gone = |one: &Identity| known.graph.held(one).is_none();
                decided.value.evicted.retain(gone);
                Ok::<_, StoreError>(decided)
            },
            |change, admissions: &Admissions| admissions.write(change),
        );
        taken.map(drop)
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::SystemTime;

    use pki::SigningKey;
    use pki::issue::{Issuer, Vouched, operator_certificate, self_signed_operator};
    use ring::rand::SystemRandom;
    use station::licence::VouchMethod;

    use super::*;
    use crate::runtime::Ownership;

    #[test]
    fn what_several_bring_is_kept_as_if_each_had_come_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (random, now) = (SystemRandom::new(), SystemTime::now());
        let open = || {
            let ownership = Ownership::open(folder.path(), folder.path(), &random).unwrap();
            Authority::open(ownership.store()).unwrap()
        };
        let key = SigningKey::generate(&random).unwrap();
        let root = self_signed_operator(&key, &"W1AW".parse().unwrap(), None, now, &random);
        let root = root.unwrap();
        let impostor = SigningKey::generate(&random).unwrap();
        let same_name =
            self_signed_operator(&impostor, &"W1AW".parse().unwrap(), None, now, &random);
        let same_name = same_name.unwrap();
        let vouched_for = |callsign: &str, (certificate, key): (&Certificate, &SigningKey)| {
            let issuer = Issuer { certificate, key };
            let vouched = Vouched {
                callsign: &callsign.parse().unwrap(),
                class: None,
                method: VouchMethod::InPerson,
            };
            let own = SigningKey::generate(&random).unwrap().public_key();
            operator_certificate(issuer, &own, &vouched, now, &random).unwrap()
        };
        let alone = vouched_for("N0XYZ", (&same_name, &impostor));
        let all = [
            root.clone(),
            alone.clone(),
            vouched_for("K1ABC", (&root, &key)),
            vouched_for("K7RA", (&root, &key)),
        ];
        let from = AddressGroup::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        let brought = all.clone().map(|certificate| Bringing {
            certificate,
            chain: Vec::new(),
            bringer: Bringer::Holder,
            from,
        });

        let authority = open();
        authority.bring_together(&brought).unwrap();
        let again = |one: &Certificate| authority.bring(one, &[], Bringer::Holder, from);
        assert!(matches!(again(&alone), Ok(Brought::Waiting)));
        for one in [&all[0], &all[2], &all[3]] {
            assert!(matches!(again(one), Ok(Brought::Held(_))));
        }
        drop(authority);
        let authority = open();
        let known = |one: &Certificate| {
            authority.look(|graph| graph.verdict(&one.fingerprint()) == Verdict::Untrusted)
        };
        assert_eq!(all.each_ref().map(known), [true, false, true, true]);
    }
}

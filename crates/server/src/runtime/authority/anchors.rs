//! Trust anchors, and foreign roots that prove licences: what the owner brings and takes away.

use std::collections::BTreeMap;

use pki::foreign::ForeignCertificate;
use pki::graph::{Budget, Effect, Source};
use pki::{Admitted, Certificate, TrustGraph};
use station::{Fingerprint, Identity};
use store::{Change, LicenceRoot, Store, StoreError};

use super::admission::Admissions;
use super::decisions::{DecisionError, decided};
use super::{Authority, Decided};

/// What the owner wrote beside the anchors, and the roots that prove licences.
#[derive(Debug)]
pub(super) struct Anchors {
    notes: BTreeMap<Identity, String>,
    licence_roots: Vec<Root>,
}

/// A foreign root that proves licences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The certificate.
    pub certificate: ForeignCertificate,
    /// What the owner wrote beside it.
    pub note: String,
}

/// A trust anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The certificate.
    pub certificate: Admitted,
    /// What the owner wrote beside it.
    pub note: String,
}

/// What became of certificates that the owner accepted.
#[derive(Debug, Default)]
pub struct Accepted {
    /// Anchors and roots that are in force, by fingerprint.
    pub added: Vec<Fingerprint>,
    /// Stations' certificates that cannot be anchors, because no known key signed them.
    pub unsigned: Vec<Fingerprint>,
    /// What changed.
    pub effect: Effect,
    admissions: Admissions,
    anchors: Vec<Identity>,
}

impl Anchors {
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let anchors = store.anchors()?.into_iter();
        let roots = store.licence_roots()?.into_iter();
        Ok(Self {
            notes: anchors
                .map(|anchor| (anchor.identity, anchor.note))
                .collect(),
            licence_roots: roots.map(Root::read).collect::<Result<_, _>>()?,
        })
    }
}

impl Root {
    fn read(root: LicenceRoot) -> Result<Self, StoreError> {
        let certificate = ForeignCertificate::from_der(&root.der);
        Ok(Self {
            certificate: certificate.map_err(|_| StoreError::Damaged("a licence root"))?,
            note: root.note,
        })
    }

    fn to_store(&self) -> LicenceRoot {
        LicenceRoot {
            fingerprint: self.certificate.fingerprint(),
            note: self.note.clone(),
            der: self.certificate.der().to_vec(),
        }
    }
}

impl Authority {
    /// The trust anchors, by identity.
    #[must_use]
    pub fn anchors(&self) -> Vec<Anchor> {
        let known = self.known();
        let anchors = known.graph.anchors().into_iter();
        anchors
            .map(|certificate| Anchor {
                certificate: certificate.clone(),
                note: known
                    .anchors
                    .notes
                    .get(&certificate.identity())
                    .cloned()
                    .unwrap_or_default(),
            })
            .collect()
    }

    /// The roots that prove licences, in the order they came.
    #[must_use]
    pub fn licence_roots(&self) -> Vec<Root> {
        self.known().anchors.licence_roots.clone()
    }

    /// Makes these stations' certificates anchors, and these foreign ones roots that prove licences.
    /// `others` came with them and may be their issuers'. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn accept(
        &self,
        stations: &[Certificate],
        others: &[Certificate],
        foreign: &[ForeignCertificate],
        note: &str,
    ) -> Result<Accepted, StoreError> {
        self.change(
            |known| {
                let mut accepted = accept_stations(&mut known.graph, stations, others);
                for identity in &accepted.value.anchors {
                    known.anchors.notes.insert(*identity, note.to_owned());
                }
                for certificate in foreign {
                    let fingerprint = certificate.fingerprint();
                    let other = |root: &Root| root.certificate.fingerprint() != fingerprint;
                    known.anchors.licence_roots.retain(other);
                    known.anchors.licence_roots.push(Root {
                        certificate: certificate.clone(),
                        note: note.to_owned(),
                    });
                    accepted.value.added.push(fingerprint);
                }
                Ok(accepted)
            },
            |change, accepted: &Accepted| accepted.write(change, foreign, note),
        )
    }

    /// Takes an anchor or a licence root away; `own` is the one that must stay. Blocks on the disk.
    ///
    /// # Errors
    /// [`DecisionError`]; nothing is changed then.
    pub fn dismiss(
        &self,
        named: &Fingerprint,
        own: Option<Fingerprint>,
    ) -> Result<Effect, DecisionError> {
        if own == Some(*named) {
            return Err(DecisionError::OwnAnchor);
        }
        let (_, effect) = self.change(
            |known| {
                let identity = known.graph.certificate(named).map(Admitted::identity);
                if let Some(identity) = identity
                    && let Some(effect) = known.graph.remove_anchor(&identity)
                {
                    known.anchors.notes.remove(&identity);
                    return Ok(decided((Some(identity), effect.clone()), &effect));
                }
                let roots = &mut known.anchors.licence_roots;
                let before = roots.len();
                roots.retain(|root| root.certificate.fingerprint() != *named);
                if roots.len() == before {
                    return Err(DecisionError::Unknown);
                }
                Ok(decided((None, Effect::default()), &Effect::default()))
            },
            |change, (identity, _): &(Option<Identity>, Effect)| match identity {
                Some(identity) => change.remove_anchor(identity),
                None => change.remove_licence_root(named),
            },
        )?;
        Ok(effect)
    }
}

impl Accepted {
    fn write(
        &self,
        change: &Change<'_>,
        foreign: &[ForeignCertificate],
        note: &str,
    ) -> Result<(), StoreError> {
        self.admissions.write(change)?;
        for identity in &self.anchors {
            change.add_anchor(identity, note)?;
        }
        for certificate in foreign {
            let root = Root {
                certificate: certificate.clone(),
                note: note.to_owned(),
            };
            change.add_licence_root(&root.to_store())?;
        }
        Ok(())
    }
}

/// Takes the certificates in and makes anchors of them. Others are taken in only where they may be
/// needed to know who signed one.
fn accept_stations(
    graph: &mut TrustGraph,
    stations: &[Certificate],
    others: &[Certificate],
) -> Decided<Accepted> {
    let issuers = if stations.iter().all(Certificate::is_self_issued) {
        &[]
    } else {
        others
    };
    let mut budget = Budget::new((stations.len() + issuers.len()) * CHECKS_EACH);
    let results = issuers.iter().chain(stations);
    let results = results.map(|one| graph.admit(one, Source::Owner, &mut budget));
    let admissions = Admissions::of(results.collect());
    let mut accepted = Accepted::default();
    for certificate in stations {
        let fingerprint = certificate.fingerprint();
        let Some(identity) = graph.certificate(&fingerprint).map(Admitted::identity) else {
            accepted.unsigned.push(fingerprint);
            continue;
        };
        accepted.anchors.push(identity);
        accepted.added.push(fingerprint);
        if let Some(effect) = graph.add_anchor(&identity) {
            accepted.effect.gain.extend(effect.gain);
            accepted.effect.lose.extend(effect.lose);
            accepted.effect.keys_gained += effect.keys_gained;
            accepted.effect.keys_lost += effect.keys_lost;
        }
    }
    let effect = accepted.effect.clone();
    let Decided { value, turned, .. } = admissions;
    accepted.admissions = value;
    let mut decided = decided(accepted, &effect);
    decided.turned.extend(turned);
    decided.published_if(true)
}

/// Signature checks that one of the owner's certificates may cost.
const CHECKS_EACH: usize = 33;

//! A claim, checked as a whole: who takes this server, and what makes it theirs.

use station::Callsign;

use crate::certificate::{Admitted, Certificate, CertificateError};
use crate::public_key::PublicKey;

/// Most certificates a claimant's chain may have.
pub const MAX_CHAIN: usize = 16;

/// What a claimant sends, and the key it should be for.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The operator's certificate, PEM.
    pub certificate: &'a str,
    /// The certificates above it, PEM, its issuer's first. The operator's own may be among them.
    pub chain: &'a [String],
    /// The certificate the operator made for this server, PEM.
    pub server_certificate: &'a str,
    /// The station's callsign.
    pub callsign: &'a Callsign,
    /// This server's own key.
    pub server_key: &'a PublicKey,
}

/// A claim that holds together. Made by [`Claim::verify`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedClaim {
    owner: Admitted,
    chain: Vec<Admitted>,
    server: Admitted,
}

/// Why a claim is refused: always the claimant's doing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// One of the certificates cannot be read.
    #[error("{0} cannot be read")]
    Certificate(Part, #[source] CertificateError),
    /// More than [`MAX_CHAIN`] certificates.
    #[error("the chain has more than {MAX_CHAIN} certificates")]
    ChainTooLong,
    /// The callsigns of station, operator and server certificate are not one.
    #[error("{0} is for {1}, the station is {2}")]
    Callsign(Part, Callsign, Callsign),
    /// A server's certificate where a person's is meant.
    #[error("the operator's certificate is a server's")]
    OperatorIsServer,
    /// A certificate that must be able to issue cannot.
    #[error("{0} does not let its holder issue certificates")]
    MayNotIssue(Part),
    /// The certificate that stands above does not carry the issuer's name or key.
    #[error("{0} is not signed by the certificate above it")]
    NotSignedByNext(Part),
    /// The last certificate names itself as its issuer and is not signed by its own key.
    #[error("{0} names itself as its issuer, but its own key did not sign it")]
    SelfSignature(Part),
    /// The chain stops before a self-signed certificate.
    #[error("the chain ends before a self-signed certificate")]
    ChainEnds,
    /// Certificates after the self-signed one.
    #[error("the chain goes on after a self-signed certificate")]
    ChainGoesOn,
    /// The server certificate carries another key than this server's.
    #[error("the server certificate is for another server's key")]
    AnotherServer,
    /// The server certificate's OU is not `Server`.
    #[error("the server certificate's organizational unit is not Server")]
    ServerUnit,
    /// The server certificate says something of a licence, which servers have not.
    #[error("the server certificate has a licence extension")]
    ServerLicence,
    /// The server certificate is not signed by the operator's key, or names another issuer.
    #[error("the server certificate is not signed by the operator's key")]
    ServerSignature,
}

/// Which certificate of a claim is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The operator's.
    Operator,
    /// The one at this place of the chain, from 0.
    Chain(usize),
    /// The server's.
    Server,
}

impl Claim<'_> {
    /// Checks everything but the claim code: the certificates are well formed, are for one
    /// callsign, the chain reaches a self-signed certificate step by step, and the operator's key
    /// signed this server's. At most two signature checks for each certificate.
    ///
    /// # Errors
    /// [`ClaimError`] with the first thing that is wrong.
    pub fn verify(&self) -> Result<VerifiedClaim, ClaimError> {
        let owner = read(self.certificate, Part::Operator)?;
        let chain = self.chain(&owner)?;
        let server = read(self.server_certificate, Part::Server)?;
        self.check_callsign(&owner, Part::Operator)?;
        self.check_callsign(&server, Part::Server)?;
        if owner.is_server() {
            return Err(ClaimError::OperatorIsServer);
        }
        let (owner, chain) = admit_path(&owner, &chain)?;
        let server = self.admit_server(&server, &owner)?;
        Ok(VerifiedClaim {
            owner,
            chain,
            server,
        })
    }

    fn chain(&self, owner: &Certificate) -> Result<Vec<(usize, Certificate)>, ClaimError> {
        if self.chain.len() > MAX_CHAIN {
            return Err(ClaimError::ChainTooLong);
        }
        let mut chain = Vec::with_capacity(self.chain.len());
        for (place, pem) in self.chain.iter().enumerate() {
            let certificate = read(pem, Part::Chain(place))?;
            if certificate != *owner {
                chain.push((place, certificate));
            }
        }
        Ok(chain)
    }

    fn check_callsign(&self, certificate: &Certificate, part: Part) -> Result<(), ClaimError> {
        let found = certificate.callsign();
        if found == self.callsign {
            return Ok(());
        }
        Err(ClaimError::Callsign(
            part,
            found.clone(),
            self.callsign.clone(),
        ))
    }

    fn admit_server(
        &self,
        server: &Certificate,
        owner: &Certificate,
    ) -> Result<Admitted, ClaimError> {
        if server.public_key() != self.server_key {
            return Err(ClaimError::AnotherServer);
        }
        if !server.is_server() {
            return Err(ClaimError::ServerUnit);
        }
        if !server.may_issue() {
            return Err(ClaimError::MayNotIssue(Part::Server));
        }
        if server.licence().is_some() {
            return Err(ClaimError::ServerLicence);
        }
        if server.issuer() != owner.subject() {
            return Err(ClaimError::ServerSignature);
        }
        server
            .admit(owner.public_key())
            .ok_or(ClaimError::ServerSignature)
    }
}

impl VerifiedClaim {
    /// The operator who takes the server.
    #[must_use]
    pub fn owner(&self) -> &Admitted {
        &self.owner
    }

    /// The certificates above the owner's, its issuer's first; empty when it is self-signed.
    #[must_use]
    pub fn chain(&self) -> &[Admitted] {
        &self.chain
    }

    /// The server's certificate.
    #[must_use]
    pub fn server(&self) -> &Admitted {
        &self.server
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operator => f.write_str("the operator's certificate"),
            Self::Chain(place) => write!(f, "certificate {} of the chain", place + 1),
            Self::Server => f.write_str("the server certificate"),
        }
    }
}

fn read(pem: &str, part: Part) -> Result<Certificate, ClaimError> {
    Certificate::from_pem(pem).map_err(|error| ClaimError::Certificate(part, error))
}

/// Each certificate is signed by the next, the last by itself.
fn admit_path(
    owner: &Certificate,
    chain: &[(usize, Certificate)],
) -> Result<(Admitted, Vec<Admitted>), ClaimError> {
    let mut above = chain
        .iter()
        .map(|(place, certificate)| (*place, certificate));
    let (first, mut next) = admit_step(owner, Part::Operator, above.next())?;
    let mut admitted = Vec::with_capacity(chain.len());
    while let Some((place, certificate)) = next {
        let step = admit_step(certificate, Part::Chain(place), above.next())?;
        admitted.push(step.0);
        next = step.1;
    }
    Ok((first, admitted))
}

/// Where a certificate stands in the chain, and the certificate.
type Placed<'a> = (usize, &'a Certificate);

/// Admits `certificate` by the one above it, which is then the next to admit, or by itself.
fn admit_step<'a>(
    certificate: &Certificate,
    part: Part,
    above: Option<Placed<'a>>,
) -> Result<(Admitted, Option<Placed<'a>>), ClaimError> {
    if !certificate.may_issue() {
        return Err(ClaimError::MayNotIssue(part));
    }
    let own = certificate.is_self_issued();
    if let Some(admitted) = own
        .then(|| certificate.admit(certificate.public_key()))
        .flatten()
    {
        let ends = above.is_none();
        return if ends {
            Ok((admitted, None))
        } else {
            Err(ClaimError::ChainGoesOn)
        };
    }
    let Some((place, issuer)) = above else {
        return Err(if own {
            ClaimError::SelfSignature(part)
        } else {
            ClaimError::ChainEnds
        });
    };
    let named = certificate.issuer() == issuer.subject();
    match named
        .then(|| certificate.admit(issuer.public_key()))
        .flatten()
    {
        Some(admitted) => Ok((admitted, Some((place, issuer)))),
        None => Err(ClaimError::NotSignedByNext(part)),
    }
}

#[cfg(test)]
mod tests;

//! Logging in: the server's own proof, and what a client's certificate is worth here.

use std::sync::Arc;
use std::time::Instant;

use pki::{Certificate, PublicKey};
use ring::rand::SystemRandom;
use signaling::{Challenge, Claimant, Credentials, ErrorCode, Identity, Refusal};
use station::Statement;
use station::statement::Login;

use super::authority::{AdmissionError, Standing};
use super::{Authority, Checks, Ownership, is_nonce, nonce};
use crate::network::{Ends, Names, split_authority};

/// Certificates a client may present above its own.
const MOST_PRESENTED: usize = 16;

/// Bytes of certificates that go with a client's signed offers and answers.
const MOST_TOLD: usize = 16 * 1024;

/// Makes challenges for those who register with a certificate.
#[derive(Debug)]
pub struct Receptionist {
    ownership: Arc<Ownership>,
    authority: Arc<Authority>,
    checks: Arc<Checks>,
    names: Arc<Names>,
}

impl Receptionist {
    /// A receptionist of this server.
    #[must_use]
    pub fn new(
        ownership: Arc<Ownership>,
        authority: Arc<Authority>,
        checks: Arc<Checks>,
        names: Arc<Names>,
    ) -> Self {
        Self {
            ownership,
            authority,
            checks,
            names,
        }
    }

    /// Reads the certificate, takes in what is new of it and of those above it, decides what it is worth,
    /// and makes this server's proof. Of somebody known only the key is asked again. May wait for the
    /// disk, and lets the runtime know.
    ///
    /// # Errors
    /// A [`Refusal`] when the certificate, the nonce or the URL cannot be used.
    pub fn challenge(
        &self,
        claimant: &Claimant,
        ends: Ends,
        random: &SystemRandom,
    ) -> Result<Challenge, Refusal> {
        let claim = self.ownership.claim().ok_or_else(|| {
            refusal(
                ErrorCode::BadCertificate,
                "this server has no owner yet and cannot prove itself",
            )
        })?;
        if !is_nonce(&claimant.nonce) {
            return Err(refusal(
                ErrorCode::BadMessage,
                "a nonce is 32 bytes in base64url",
            ));
        }
        if !self.is_own_url(&claimant.url, ends) {
            let error = "the URL you dialled is not this server's; somebody may be in between";
            return Err(refusal(ErrorCode::WrongUrl, error));
        }
        let (spki, identity) = match &claimant.credentials {
            Credentials::Presented { certificate, chain } => {
                self.identify(certificate, chain, ends)?
            }
            Credentials::Known { identity, spki } => (spki.clone(), identity.clone()),
        };
        let server_nonce = nonce(random).map_err(|error| trouble(&error))?;
        let login = Login {
            client_nonce: &claimant.nonce,
            server_nonce: &server_nonce,
            server: claim.server.fingerprint(),
            client: Some(identity.fingerprint),
            url: &claimant.url,
        };
        let proof = Statement::server_proof(&login).map_err(|error| trouble(&error))?;
        let statement = Statement::client_proof(&login).map_err(|error| trouble(&error))?;
        let signature = self
            .ownership
            .key()
            .sign(&proof, random)
            .map_err(|error| trouble(&error))?;
        let chain = [&claim.server, &claim.owner]
            .into_iter()
            .chain(&claim.chain);
        Ok(Challenge {
            nonce: server_nonce,
            server_chain: chain.map(Certificate::to_pem).collect(),
            server_signature: signature,
            statement,
            spki,
            identity,
        })
    }

    fn identify(
        &self,
        certificate: &String,
        chain: &[String],
        ends: Ends,
    ) -> Result<(Vec<u8>, Identity), Refusal> {
        let read = |pem: &String| {
            Certificate::from_pem(pem).map_err(|error| {
                let error = format!("the certificate cannot be used: {error}");
                Refusal {
                    code: ErrorCode::BadCertificate,
                    error,
                }
            })
        };
        if chain.len() > MOST_PRESENTED {
            let error = "at most 16 certificates may be presented above yours";
            return Err(refusal(ErrorCode::BadCertificate, error));
        }
        let certificate = read(certificate)?;
        if certificate.is_server() {
            let error = "this certificate is a server's, not a person's";
            return Err(refusal(ErrorCode::BadCertificate, error));
        }
        let presented = chain.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let standing = self.standing(&certificate, &presented, ends)?;
        let identity = Identity {
            callsign: certificate.callsign().clone(),
            key: certificate.key_id(),
            fingerprint: certificate.fingerprint(),
            licence_class: standing.class,
            trusted: standing.trusted,
            chain: told(&certificate, &presented),
        };
        Ok((certificate.public_key().spki().to_vec(), identity))
    }

    /// What the graph makes of the holder.
    fn standing(
        &self,
        certificate: &Certificate,
        presented: &[Certificate],
        ends: Ends,
    ) -> Result<Standing, Refusal> {
        if let Some(standing) = self.authority.recall(certificate, presented) {
            return Ok(standing);
        }
        let from = ends.group();
        if self
            .checks
            .take(ends.sharing(), 1 + presented.len(), Instant::now())
            .is_err()
        {
            let error = "too many signatures to check from your part of the network; wait a moment";
            return Err(refusal(ErrorCode::RateLimited, error));
        }
        tokio::task::block_in_place(|| self.authority.present(certificate, presented, from))
            .map_err(|error| match error {
                AdmissionError::Store(_) => trouble(&error),
                _ => refusal(ErrorCode::RateLimited, &error.to_string()),
            })
    }

    /// Whether a client that dialled `url` dialled this server: a name or the address of its own, its
    /// port, and a signaling path.
    fn is_own_url(&self, url: &str, ends: Ends) -> bool {
        let Some((authority, path)) = url
            .strip_prefix(ends.websocket_scheme())
            .and_then(|url| url.strip_prefix("://"))
            .and_then(|url| {
                let slash = url.find('/')?;
                Some(url.split_at(slash))
            })
        else {
            return false;
        };
        let Some((host, port)) = split_authority(authority) else {
            return false;
        };
        let owner = self.ownership.callsign();
        let usual_port = if ends.tls { 443 } else { 80 };
        matches!(path, "/signal" | "/ws/signal")
            && (port.unwrap_or(usual_port) == ends.local.port() || self.names.behind_proxy())
            && self.names.is_own(host, ends.local.ip(), owner.as_ref())
    }
}

/// Whether the signature over the statement was made with the key.
#[must_use]
pub fn verify(statement: &Statement, spki: &[u8], signature: &str) -> bool {
    PublicKey::from_spki(spki).is_ok_and(|key| key.verify(statement, signature).is_ok())
}

/// What others are told of who somebody is: the certificate and as many of those above it as there is room
/// for. A longer chain cannot be followed to its end by its receivers, who then take nothing for proven.
fn told(certificate: &Certificate, presented: &[Certificate]) -> Arc<[String]> {
    let mut room = MOST_TOLD;
    std::iter::once(certificate)
        .chain(presented)
        .map(Certificate::to_pem)
        .take_while(|pem| {
            let left = room.checked_sub(pem.len());
            room = left.unwrap_or(0);
            left.is_some()
        })
        .collect()
}

fn refusal(code: ErrorCode, error: &str) -> Refusal {
    Refusal {
        code,
        error: error.to_owned(),
    }
}

fn trouble(error: &dyn std::fmt::Display) -> Refusal {
    Refusal {
        code: ErrorCode::BadMessage,
        error: format!("the login cannot go on: {error}"),
    }
}

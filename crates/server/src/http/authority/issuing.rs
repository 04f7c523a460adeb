//! Applying for a certificate: `POST /api/issue-certificate`.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::csr::{Csr, CsrError};
use pki::foreign::{ForeignCertificate, ForeignError};
use pki::{Certificate, foreign};
use serde::{Deserialize, Serialize};
use station::licence::VouchMethod;
use station::{Callsign, KeyId, LicenceClass};

use super::{App, off_the_serving_threads};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::signed::ByOwner;
use crate::http::toll;
use crate::network::Ends;
use crate::runtime::authority::issuing::proof::{Endorsement, Proof, ProofError};
use crate::runtime::authority::issuing::{Applicant, Grant, IssueFailure, Outcome};

/// `POST /api/issue-certificate`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct IssueRequest {
    /// A request for a certificate (PKCS#10), PEM. Only its key is used.
    csr: String,
    /// The applicant's callsign.
    callsign: String,
    /// The class on the applicant's licence.
    license_class: Option<String>,
    /// Why this server should believe that the applicant is licensed.
    proof_of_license: ProofOfLicense,
}

/// A proof of a licence.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "method",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum ProofOfLicense {
    /// The owner met the applicant, and gave them a code or signs the request themselves.
    InPerson {
        /// From `GET /api/nonce`; not where the owner signs the request.
        nonce: Option<String>,
        /// HMAC over `issue` with the code; not where the owner signs the request.
        code_proof: Option<String>,
    },
    /// A Logbook of the World certificate.
    Lotw {
        /// From `GET /api/nonce`.
        nonce: String,
        /// The certificate, its issuer's and so on, at most 8, each PEM or DER in base64.
        chain: Vec<String>,
        /// By the certificate's key over `lotw`: RSASSA-PKCS1-v1_5 with SHA-256, base64url.
        signature: String,
    },
    /// Three operators answer for the applicant.
    Endorsements {
        /// How they checked the licence.
        vouched_method: VouchMethod,
        /// Their signatures.
        endorsements: Vec<EndorsementMessage>,
    },
    /// A document that the owner looks at.
    Document {
        /// What the applicant writes to the owner, 1 to 500 characters; not needed where the owner
        /// signs the request.
        note: Option<String>,
    },
}

/// An operator's word for an applicant.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Endorsement"))]
struct EndorsementMessage {
    /// The operator's key.
    key_id: KeyId,
    /// Over `endorse`: r‖s, base64url.
    signature: String,
}

/// A certificate was issued.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "IssuedCertificate"))]
pub(in crate::http) struct Issued {
    /// The certificate, PEM.
    certificate: String,
    /// Those above it, PEM, its issuer's first.
    chain: Vec<String>,
    /// Where a code was used: HMAC over `issued` with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<String>,
}

/// A request waits for the owner.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "IssueWaits"))]
pub(in crate::http) struct Waits {
    /// The request.
    request: WaitingRequest,
}

/// A request that was noted.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct WaitingRequest {
    /// By which `GET /api/requests/{id}` tells what became of it.
    id: String,
    /// Why it waits, as a sentence.
    why: String,
}

/// An application, by the owner or by anybody.
#[derive(Debug)]
pub(in crate::http) struct Application {
    by_owner: bool,
    request: IssueRequest,
}

impl FromRequest<Arc<App>> for Application {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        if request.headers().contains_key("signature-input") {
            let signed = ByOwner::from_request(request, app).await;
            let ByOwner(request) = signed.map_err(IntoResponse::into_response)?;
            return Ok(Self {
                by_owner: true,
                request,
            });
        }
        let Json(request) = Json::from_request(request, app)
            .await
            .map_err(|rejection| {
                let error = rejection.body_text();
                Problem::new(rejection.status(), "bad-request", error).into_response()
            })?;
        Ok(Self {
            by_owner: false,
            request,
        })
    }
}

pub(in crate::http) async fn issue(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    application: Application,
) -> Result<Response, Problem> {
    let now = Instant::now();
    let Application { by_owner, request } = application;
    off_the_serving_threads(&app, move |app| {
        if by_owner {
            return judge(app, true, &request, ends, now);
        }
        toll::checks(app, ends.sharing(), CHECKS)?;
        toll::counted(app, ends.sharing(), || {
            judge(app, false, &request, ends, now)
        })
    })
    .await
}

fn judge(
    app: &App,
    by_owner: bool,
    request: &IssueRequest,
    ends: Ends,
    now: Instant,
) -> Result<Response, Problem> {
    let callsign = callsign(&request.callsign)?;
    let class = class(request.license_class.as_deref())?;
    let proof = request.proof_of_license.read(app, by_owner, now)?;
    let csr = Csr::from_pem(&request.csr).map_err(|error| bad_csr(&error))?;
    let applicant = Applicant {
        key: *csr.public_key(),
        callsign,
        class,
    };
    let outcome = app.issuing.apply(&applicant, &proof, ends.group(), now);
    Ok(match outcome.map_err(problem)? {
        Outcome::Issued(grant) => {
            let Applicant { callsign, .. } = &applicant;
            let fingerprint = grant.certificate.fingerprint();
            tracing::info!(%callsign, %fingerprint, "a certificate was issued");
            (StatusCode::CREATED, Json(Issued::from(grant))).into_response()
        }
        Outcome::Waits { request, why } => {
            let id = request.to_string();
            let request = WaitingRequest { id, why };
            (StatusCode::ACCEPTED, Json(Waits { request })).into_response()
        }
    })
}

impl ProofOfLicense {
    /// Reads the proof, and takes its nonce back.
    fn read(&self, app: &App, by_owner: bool, now: Instant) -> Result<Proof, Problem> {
        match self {
            Self::InPerson { .. } if by_owner => Ok(Proof::Owner(VouchMethod::InPerson)),
            Self::Document { .. } if by_owner => Ok(Proof::Owner(VouchMethod::Document)),
            Self::InPerson { nonce, code_proof } => {
                let (Some(nonce), Some(hmac)) = (nonce, code_proof) else {
                    let error = "a licence that the owner saw is shown by the code they gave you";
                    return Err(Problem::new(StatusCode::FORBIDDEN, "code-required", error));
                };
                take(app, nonce, now)?;
                Ok(Proof::Code {
                    nonce: nonce.clone(),
                    hmac: hmac.clone(),
                })
            }
            Self::Lotw {
                nonce,
                chain,
                signature,
            } => {
                if chain.len() > foreign::MAX_CHAIN {
                    return Err(bad_proof(&foreign::ProofError::TooLong));
                }
                take(app, nonce, now)?;
                let chain = chain.iter().map(|text| foreign_certificate(text));
                Ok(Proof::Lotw {
                    nonce: nonce.clone(),
                    chain: chain
                        .collect::<Result<_, _>>()
                        .map_err(|error| bad_proof(&error))?,
                    signature: signature.clone(),
                })
            }
            Self::Endorsements {
                vouched_method,
                endorsements,
            } => Ok(Proof::Endorsements {
                method: *vouched_method,
                endorsements: endorsements.iter().map(EndorsementMessage::read).collect(),
            }),
            Self::Document { note } => Ok(Proof::Document {
                note: note.clone().unwrap_or_default(),
            }),
        }
    }
}

impl EndorsementMessage {
    fn read(&self) -> Endorsement {
        Endorsement {
            key: self.key_id,
            signature: self.signature.clone(),
        }
    }
}

impl From<Grant> for Issued {
    fn from(grant: Grant) -> Self {
        Self {
            certificate: grant.certificate.to_pem(),
            chain: grant.chain.iter().map(Certificate::to_pem).collect(),
            proof: grant.proof,
        }
    }
}

/// A nonce is good for one proof.
fn take(app: &App, nonce: &str, now: Instant) -> Result<(), Problem> {
    if app.nonces.take(nonce, now) {
        return Ok(());
    }
    let error = "the nonce was used before or is too old; ask for a new one";
    Err(Problem::new(StatusCode::FORBIDDEN, "bad-nonce", error))
}

fn foreign_certificate(text: &str) -> Result<ForeignCertificate, ForeignError> {
    match STANDARD.decode(text) {
        Ok(der) => ForeignCertificate::from_der(&der),
        Err(_) => ForeignCertificate::from_pem(text),
    }
}

pub(super) fn callsign(text: &str) -> Result<Callsign, Problem> {
    let bad = |error: String| Problem::new(StatusCode::BAD_REQUEST, "bad-callsign", error);
    Callsign::parse(text).map_err(|error| bad(error.to_string()))
}

/// A class that somebody typed; none for blanks.
pub(super) fn class(text: Option<&str>) -> Result<Option<LicenceClass>, Problem> {
    let typed = text.map(str::trim).filter(|text| !text.is_empty());
    let bad = |error: String| Problem::new(StatusCode::BAD_REQUEST, "bad-license-class", error);
    let class = typed.map(LicenceClass::parse).transpose();
    class.map_err(|error| bad(error.to_string()))
}

fn bad_csr(error: &CsrError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-csr", error.to_string())
}

fn bad_proof(error: &dyn std::error::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-proof", error.to_string())
}

/// Signature checks that an application may cost: its own, and those of a proof by a chain.
const CHECKS: usize = 16;

/// Why nothing was issued, in HTTP's words.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn problem(failure: IssueFailure) -> Problem {
    let with = |status, code| Problem::new(status, code, failure.to_string());
    match &failure {
        IssueFailure::NoOwner => with(StatusCode::CONFLICT, "unclaimed"),
        IssueFailure::NotTrusted => with(StatusCode::CONFLICT, "not-trusted"),
        IssueFailure::WrongCode | IssueFailure::Proof(ProofError::OtherClass) => {
            with(StatusCode::FORBIDDEN, "wrong-code")
        }
        IssueFailure::Proof(ProofError::Lotw(
            foreign::ProofError::NoRoot
            | foreign::ProofError::OtherCallsign(_)
            | foreign::ProofError::Signature,
        ))
        | IssueFailure::Proof(ProofError::UnknownEndorser(_) | ProofError::NotIndependent) => {
            with(StatusCode::FORBIDDEN, "license-not-proven")
        }
        IssueFailure::Proof(_) | IssueFailure::NoCheck | IssueFailure::Field(_) => {
            with(StatusCode::BAD_REQUEST, "bad-proof")
        }
        IssueFailure::Obstacle(_) => with(StatusCode::FORBIDDEN, "not-issued"),
        IssueFailure::TooFast(wait) => Problem::too_many(failure.to_string(), *wait),
        IssueFailure::QueueFull
        | IssueFailure::GroupFull
        | IssueFailure::CodesFull
        | IssueFailure::Admit(_) => with(StatusCode::TOO_MANY_REQUESTS, "full"),
        IssueFailure::WaitsAlready => with(StatusCode::CONFLICT, "already-waiting"),
        IssueFailure::NoSuchRequest | IssueFailure::NoSuchCode => {
            with(StatusCode::NOT_FOUND, "not-found")
        }
        IssueFailure::Issue(_) | IssueFailure::Key(_) | IssueFailure::Store(_) => {
            Problem::internal(&failure)
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let issue = Operation::new("Apply for a certificate, with a proof or signed by the owner")
        .takes::<IssueRequest>(paths)
        .answers::<Issued>(paths, 201, "The certificate")
        .answers::<Waits>(paths, 202, "The owner decides")
        .refuses(paths, &[400, 401, 403, 409, 429]);
    paths.add("post", "/api/issue-certificate", issue);
}

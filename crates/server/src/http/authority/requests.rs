//! Requests for a certificate: what became of one, and the owner's decisions.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use pki::Certificate;
use serde::{Deserialize, Serialize};
use station::licence::VouchMethod;
use station::{Callsign, KeyId, LicenceClass};
use store::{RandomId, Request, RequestState};

use super::issuing::{Issued, class, problem};
use super::{App, off_the_serving_threads};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::signed::ByOwner;
use crate::http::text::sentence;

/// Most characters of a reason to refuse.
const MAX_REASON: usize = 500;

/// `GET /api/requests/{id}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "RequestAnswer"))]
pub(in crate::http) struct Answer {
    /// The request.
    id: String,
    /// How far it is.
    state: StateWord,
    /// Why it waits, or why the owner refused.
    reason: Option<String>,
    /// The certificate that was issued, PEM.
    certificate: Option<String>,
    /// Those above it, PEM, its issuer's first.
    chain: Vec<String>,
}

/// How far a request is.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "RequestState"))]
enum StateWord {
    /// The owner has not decided.
    Waiting,
    /// There is a certificate.
    Issued,
    /// The owner refused.
    Refused,
}

/// `GET /api/requests`, signed by the owner.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Requests {
    /// The requests that wait, the oldest first.
    requests: Vec<Waiting>,
}

/// A request that waits for the owner.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Request"))]
pub(in crate::http) struct Waiting {
    /// The request.
    id: String,
    /// The applicant.
    callsign: Callsign,
    /// The class on the licence, as they say.
    license_class: Option<LicenceClass>,
    /// Their key.
    key_id: KeyId,
    /// How the licence shall have been checked.
    method: VouchMethod,
    /// What they wrote.
    note: Option<String>,
    /// Why it waits, as a sentence.
    why: String,
    /// When it came, in seconds since 1970 by the server's clock.
    created_at: u64,
    /// Always `waiting`.
    state: StateWord,
}

/// `POST /api/requests/{id}/approve`, signed by the owner.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Approval {
    /// How the owner checked the licence; the request's method without it.
    method: Option<VouchMethod>,
    /// The class on the licence that the owner saw; the request's without it.
    license_class: Option<String>,
}

/// `POST /api/requests/{id}/refuse`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Refusal {
    /// Why, for the applicant to read; at most 500 characters.
    reason: String,
}

pub(in crate::http) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Answer>, Problem> {
    let id = read(&id)?;
    off_the_serving_threads(&app, move |app| {
        let (request, grant) = app.issuing.request(id).map_err(problem)?;
        let (state, reason) = match request.state {
            RequestState::Waiting => (StateWord::Waiting, Some(request.why)),
            RequestState::Issued(_) => (StateWord::Issued, None),
            RequestState::Refused(reason) => (StateWord::Refused, Some(reason)),
        };
        let chain = grant.iter().flat_map(|grant| &grant.chain);
        Ok(Json(Answer {
            id: id.to_string(),
            state,
            reason,
            chain: chain.map(Certificate::to_pem).collect(),
            certificate: grant.map(|grant| grant.certificate.to_pem()),
        }))
    })
    .await
}

pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    ByOwner(()): ByOwner<()>,
) -> Json<Requests> {
    let requests = waiting(&app);
    Json(Requests { requests })
}

/// The requests that wait, as the owner sees them.
pub(super) fn waiting(app: &App) -> Vec<Waiting> {
    let waiting = app.issuing.waiting().into_iter();
    waiting.map(Waiting::from).collect()
}

pub(in crate::http) async fn approve(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    ByOwner(approval): ByOwner<Option<Approval>>,
) -> Result<Json<Issued>, Problem> {
    let (id, now) = (read(&id)?, Instant::now());
    let approval = approval.unwrap_or_default();
    let class = class(approval.license_class.as_deref())?;
    off_the_serving_threads(&app, move |app| {
        let grant = app.issuing.approve(id, approval.method, class.as_ref(), now);
        let grant = grant.map_err(problem)?;
        let certificate = &grant.certificate;
        tracing::info!(callsign = %certificate.callsign(), fingerprint = %certificate.fingerprint(), "the owner approved a request");
        Ok(Json(grant.into()))
    })
    .await
}

pub(in crate::http) async fn refuse(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    ByOwner(refusal): ByOwner<Refusal>,
) -> Result<Json<Answer>, Problem> {
    let id = read(&id)?;
    let reason = sentence(&refusal.reason, "a reason", MAX_REASON)?;
    off_the_serving_threads(&app, move |app| {
        let refused = app.issuing.refuse(id, reason.clone());
        refused.map_err(problem)?;
        tracing::info!(%id, "the owner refused a request");
        Ok(Json(Answer {
            id: id.to_string(),
            state: StateWord::Refused,
            reason: Some(reason),
            certificate: None,
            chain: Vec::new(),
        }))
    })
    .await
}

fn read(id: &str) -> Result<RandomId, Problem> {
    RandomId::parse(id).ok_or_else(Problem::not_found)
}

impl From<Request> for Waiting {
    fn from(request: Request) -> Self {
        Self {
            id: request.id.to_string(),
            callsign: request.callsign,
            license_class: request.licence_class,
            key_id: request.public_key.key_id(),
            method: request.method,
            note: request.note,
            why: request.why,
            created_at: request.created_at,
            state: StateWord::Waiting,
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let one = Operation::new("What became of a request, for who knows its name")
        .answers::<Answer>(paths, 200, "How far it is")
        .refuses(paths, &[404]);
    paths.add("get", "/api/requests/{id}", one);
    let list = Operation::new("The requests that wait; signed by the owner")
        .answers::<Requests>(paths, 200, "The oldest first")
        .refuses(paths, &[401, 403]);
    paths.add("get", "/api/requests", list);
    let approve = Operation::new("Issue what a request asks for; signed by the owner")
        .takes::<Approval>(paths)
        .answers::<Issued>(paths, 200, "The certificate")
        .refuses(paths, &[400, 401, 403, 404, 429]);
    paths.add("post", "/api/requests/{id}/approve", approve);
    let refuse = Operation::new("Refuse a request; signed by the owner")
        .takes::<Refusal>(paths)
        .answers::<Answer>(paths, 200, "It is refused")
        .refuses(paths, &[400, 401, 403, 404]);
    paths.add("post", "/api/requests/{id}/refuse", refuse);
}

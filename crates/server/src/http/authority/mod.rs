//! What the authority shows and takes: certificates, the owner's decisions, and what is issued.
//!
//! Handlers read a request, ask [`crate::runtime::Authority`], and word the answer. What changes
//! something blocks on the disk and runs on a thread for that.

mod advice;
mod anchors;
mod blacklist;
mod certificates;
mod codes;
mod decisions;
mod explain;
mod issuing;
pub(super) mod log;
mod requests;
mod statements;
mod trust_bundle;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use pki::graph::{Affected, Cause, Effect as GraphEffect, Held, Verdict};
use pki::{Certificate, TrustGraph};
use serde::{Deserialize, Serialize};
use station::licence::VouchMethod;
use station::{Callsign, Fingerprint, Identity, KeyId, LicenceClass};

use super::App;
#[cfg(feature = "schema")]
use super::openapi::Paths;
use super::problem::Problem;
use crate::runtime::authority::DecisionError;

/// Most certificates that an effect lists; the rest is counted.
const MOST_AFFECTED: usize = 200;

/// The routes of this folder.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/certificates", get(certificates::list))
        .route("/api/certificates", post(certificates::add))
        .route("/api/certificates/{fingerprint}", get(certificates::one))
        .route(
            "/api/certificates/{fingerprint}/explain",
            get(explain::explain),
        )
        .route(
            "/api/certificates/{fingerprint}/blacklist/preview",
            get(blacklist::preview),
        )
        .route(
            "/api/certificates/{fingerprint}/blacklist",
            post(blacklist::add).delete(blacklist::remove),
        )
        .route("/api/certificates/{fingerprint}/cap", post(decisions::cap))
        .route("/api/blacklist", get(blacklist::list).post(advice::publish))
        .route("/api/blacklist/advice", get(advice::list))
        .route("/api/blacklist/advice/{id}", delete(advice::dismiss))
        .route("/api/decisions", get(decisions::list))
        .route("/api/decisions/accept-key", post(decisions::accept_key))
        .route("/api/decisions/successor", post(decisions::successor))
        .route("/api/anchors", get(anchors::list).post(anchors::add))
        .route("/api/anchors/{fingerprint}", delete(anchors::remove))
        .route(
            "/api/tombstones",
            get(statements::tombstones).post(statements::bury),
        )
        .route(
            "/api/rekeys",
            get(statements::rekeys).post(statements::follow),
        )
        .route("/api/trust-bundle", get(trust_bundle::bundle))
        .route("/api/issue-certificate", post(issuing::issue))
        .route("/api/log", get(log::page))
        .route("/api/log/checkpoint", get(log::checkpoint))
        .route("/api/log/export", get(log::export))
        .route("/api/codes", get(codes::list).post(codes::add))
        .route("/api/codes/{id}", delete(codes::remove))
        .route("/api/requests", get(requests::list))
        .route("/api/requests/{id}", get(requests::one))
        .route("/api/requests/{id}/approve", post(requests::approve))
        .route("/api/requests/{id}/refuse", post(requests::refuse))
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    certificates::describe(paths);
    explain::describe(paths);
    blacklist::describe(paths);
    advice::describe(paths);
    decisions::describe(paths);
    anchors::describe(paths);
    statements::describe(paths);
    trust_bundle::describe(paths);
    issuing::describe(paths);
    codes::describe(paths);
    requests::describe(paths);
    log::describe(paths);
}

/// A certificate in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CertificateSummary"))]
struct Summary {
    /// Its label.
    fingerprint: Fingerprint,
    /// What it is known by, however its signature is written; null while its issuer is not known.
    identity: Option<Identity>,
    /// Its holder's key.
    key_id: KeyId,
    /// Its holder.
    callsign: Callsign,
    /// Whether it is a server's.
    server: bool,
    /// The class on the holder's licence.
    license_class: Option<LicenceClass>,
    /// Its place, for clients that know three: an anchor, a voucher, or neither.
    trust_level: TrustLevel,
    /// The issuer's callsign; null while the issuer is not known.
    issuer: Option<Callsign>,
    /// What it is worth here.
    status: Status,
    /// Who checked the licence, as the certificate says.
    vouched_by: Option<Callsign>,
    /// How, as the certificate says.
    method: Option<VouchMethod>,
    /// Whether the owner made it a trust anchor.
    anchor: bool,
    /// Its key's place in a line of changed keys; 0 for a first key.
    generation: u32,
}

/// A certificate's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum TrustLevel {
    /// A trust anchor.
    Root,
    /// Its holder vouches for others.
    Intermediate,
    /// Neither.
    Peer,
}

/// What a certificate is worth here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CertificateStatus"))]
enum Status {
    /// It leads to a trust anchor.
    Trusted,
    /// It does not.
    Untrusted,
    /// The owner blacklisted it, its key, or a key above it.
    Blacklisted,
    /// Its holder withdrew the key, or its issuer revoked it.
    Revoked,
    /// Two keys claim to succeed the same key, and the owner has not decided.
    Suspended,
    /// It waits: for the owner to accept its key, or for its issuer's certificate.
    Waiting,
}

/// What a decision changes, or changed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TrustEffect"))]
pub(in crate::http) struct Effect {
    /// Certificates that lose trust; at most 200.
    lose: Vec<Turned>,
    /// Certificates that gain trust; at most 200.
    gain: Vec<Turned>,
    /// How many lose trust.
    lose_count: usize,
    /// How many gain trust.
    gain_count: usize,
    /// Keys that have no trusted certificate left.
    keys_lost: usize,
    /// Keys that had no trusted certificate before.
    keys_gained: usize,
}

/// A certificate whose worth changes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TurnedCertificate"))]
struct Turned {
    /// Its label.
    fingerprint: Fingerprint,
    /// Its holder.
    callsign: Callsign,
    /// Its holder's key.
    key_id: KeyId,
}

impl Summary {
    /// Of a certificate that is held.
    fn of(graph: &TrustGraph, held: &Held<'_>) -> Self {
        let Held {
            certificate,
            verdict,
            anchor,
            issuer_callsign,
            vouches,
            ..
        } = *held;
        Self {
            identity: Some(certificate.identity()),
            trust_level: match (anchor, vouches) {
                (true, _) => TrustLevel::Root,
                (false, true) => TrustLevel::Intermediate,
                (false, false) => TrustLevel::Peer,
            },
            issuer: Some(issuer_callsign.clone()),
            status: verdict.into(),
            anchor,
            generation: graph.generation(&certificate.key_id()),
            ..Self::waiting(certificate)
        }
    }

    /// Of a certificate that waits for its issuer's.
    fn waiting(certificate: &Certificate) -> Self {
        let licence = certificate.licence();
        Self {
            fingerprint: certificate.fingerprint(),
            identity: None,
            key_id: certificate.key_id(),
            callsign: certificate.callsign().clone(),
            server: certificate.is_server(),
            license_class: licence.and_then(|licence| licence.class.clone()),
            trust_level: TrustLevel::Peer,
            issuer: None,
            status: Status::Waiting,
            vouched_by: licence.map(|licence| licence.vouched_by.clone()),
            method: licence.map(|licence| licence.method),
            anchor: false,
            generation: 0,
        }
    }
}

impl From<Verdict> for Status {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Trusted => Self::Trusted,
            Verdict::Untrusted | Verdict::Unknown => Self::Untrusted,
            Verdict::Waiting | Verdict::Dead(Cause::AwaitsOwner) => Self::Waiting,
            Verdict::Dead(
                Cause::Blacklisted | Cause::BlacklistedKey | Cause::BlacklistedSubtree,
            ) => Self::Blacklisted,
            Verdict::Dead(Cause::Withdrawn | Cause::Revoked) => Self::Revoked,
            Verdict::Dead(Cause::Successors) => Self::Suspended,
        }
    }
}

impl From<&GraphEffect> for Effect {
    fn from(effect: &GraphEffect) -> Self {
        let listed = |affected: &[Affected]| {
            let listed = affected.iter().take(MOST_AFFECTED);
            listed
                .map(|one| Turned {
                    fingerprint: one.fingerprint,
                    callsign: one.callsign.clone(),
                    key_id: one.key,
                })
                .collect()
        };
        Self {
            lose: listed(&effect.lose),
            gain: listed(&effect.gain),
            lose_count: effect.lose.len(),
            gain_count: effect.gain.len(),
            keys_lost: effect.keys_lost,
            keys_gained: effect.keys_gained,
        }
    }
}

impl Status {
    /// The word on the wire.
    fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Untrusted => "untrusted",
            Self::Blacklisted => "blacklisted",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Waiting => "waiting",
        }
    }
}

/// The fingerprint in an address.
fn fingerprint(text: &str) -> Result<Fingerprint, Problem> {
    Fingerprint::parse(text).map_err(|error| Problem::bad_request(error.to_string()))
}

fn no_such_certificate() -> Problem {
    let error = "this server does not know that certificate";
    Problem::new(StatusCode::NOT_FOUND, "not-found", error)
}

/// Why a decision of the owner's was not taken.
fn decision_problem(error: DecisionError) -> Problem {
    match error {
        DecisionError::Unknown => {
            Problem::new(StatusCode::NOT_FOUND, "not-found", error.to_string())
        }
        DecisionError::OwnKey => Problem::new(StatusCode::CONFLICT, "own-key", error.to_string()),
        DecisionError::OwnAnchor => {
            Problem::new(StatusCode::CONFLICT, "own-anchor", error.to_string())
        }
        DecisionError::Store(error) => Problem::internal(&error),
    }
}

/// The keys that no decision may be about: the owner's and the server's.
fn own_keys(app: &App) -> Vec<KeyId> {
    let owner = app.ownership.owner().map(|owner| owner.key);
    owner
        .into_iter()
        .chain([app.ownership.key().key_id()])
        .collect()
}

/// Does what blocks on the disk, or takes long, on a thread that serves nobody else.
pub(in crate::http) async fn off_the_serving_threads<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || work(&app))
        .await
        .map_err(|error| Problem::internal(&error))?
}

//! What waits for the owner's decision, and the decisions about keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use pki::TrustGraph;
use serde::{Deserialize, Serialize};
use station::{Callsign, Fingerprint, KeyId};

use super::{App, Effect, decision_problem, fingerprint, off_the_serving_threads, requests};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::signed::ByOwner;

/// `GET /api/decisions`: what the owner should look at.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Decisions {
    /// People who want a certificate, the oldest request first.
    requests: Vec<requests::Waiting>,
    /// Callsigns that several keys hold. All of them count until the owner distrusts one.
    contested: Vec<Contested>,
    /// Keys that several others claim to follow. Those are suspended.
    disputes: Vec<Dispute>,
    /// Keys for callsigns of which another key was blacklisted. They count once they are accepted.
    awaiting: Vec<Awaiting>,
}

/// A callsign that several keys hold.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ContestedCallsign"))]
struct Contested {
    /// The callsign, by its base.
    callsign: String,
    /// The keys.
    keys: Vec<Key>,
}

/// A key that several others claim to follow.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "SuccessorDispute"))]
struct Dispute {
    /// The key.
    old: KeyId,
    /// Whose it is; null when no certificate of it is known.
    callsign: Option<Callsign>,
    /// Those that claim to follow it.
    successors: Vec<Key>,
}

/// A key with a certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "KeyInQuestion"))]
struct Key {
    /// The key.
    key_id: KeyId,
    /// A certificate of it; null when none is known.
    fingerprint: Option<Fingerprint>,
}

/// A key that the owner may accept for a callsign.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "KeyAwaitingOwner"))]
struct Awaiting {
    /// The callsign.
    callsign: Callsign,
    /// The key.
    key_id: KeyId,
    /// The certificate that would count.
    fingerprint: Fingerprint,
}

/// `POST /api/decisions/accept-key`, signed by the owner.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AcceptKeyRequest"))]
pub(in crate::http) struct AcceptKey {
    /// The callsign.
    callsign: Callsign,
    /// The key that may hold it.
    key_id: KeyId,
}

/// `POST /api/decisions/successor`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "SuccessorRequest"))]
pub(in crate::http) struct Successor {
    /// The key that was given up.
    old: KeyId,
    /// The one that took its place.
    new: KeyId,
}

/// `POST /api/certificates/{fingerprint}/cap`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CapRequest"))]
pub(in crate::http) struct Cap {
    /// Most certificates that may stand below the certificate's key.
    certificates: u32,
}

pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    ByOwner(()): ByOwner<()>,
) -> Result<Json<Decisions>, Problem> {
    off_the_serving_threads(&app, |app| {
        let requests = requests::waiting(app);
        let decisions = app.authority.look(|graph| Decisions::of(graph, requests));
        Ok(Json(decisions))
    })
    .await
}

pub(in crate::http) async fn accept_key(
    State(app): State<Arc<App>>,
    ByOwner(AcceptKey { callsign, key_id }): ByOwner<AcceptKey>,
) -> Result<Json<Effect>, Problem> {
    off_the_serving_threads(&app, move |app| {
        let effect = app.authority.accept_key(&callsign, key_id);
        let effect = effect.map_err(decision_problem)?;
        tracing::info!(%callsign, %key_id, "the owner accepted a key");
        Ok(Json(Effect::from(&effect)))
    })
    .await
}

pub(in crate::http) async fn successor(
    State(app): State<Arc<App>>,
    ByOwner(Successor { old, new }): ByOwner<Successor>,
) -> Result<Json<Effect>, Problem> {
    off_the_serving_threads(&app, move |app| {
        let effect = app.authority.choose_successor(old, new);
        let effect = effect.map_err(decision_problem)?;
        tracing::info!(%old, %new, "the owner decided which key follows");
        Ok(Json(Effect::from(&effect)))
    })
    .await
}

pub(in crate::http) async fn cap(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    ByOwner(Cap { certificates }): ByOwner<Cap>,
) -> Result<Json<Effect>, Problem> {
    let named = fingerprint(&named)?;
    let most = usize::try_from(certificates).unwrap_or(usize::MAX);
    off_the_serving_threads(&app, move |app| {
        let effect = app.authority.set_cap(&named, most);
        let effect = effect.map_err(decision_problem)?;
        tracing::info!(%named, certificates, "the owner changed how many may stand below a key");
        Ok(Json(Effect::from(&effect)))
    })
    .await
}

impl Decisions {
    fn of(graph: &TrustGraph, requests: Vec<requests::Waiting>) -> Self {
        let key = |key_id: KeyId| Key {
            key_id,
            fingerprint: certificate_of(graph, &key_id).map(|(fingerprint, _)| fingerprint),
        };
        let contested = graph.contested().into_iter().map(|contested| Contested {
            callsign: contested.base,
            keys: contested.keys.into_iter().map(key).collect(),
        });
        let disputes = graph.disputes().map(|(old, successors)| Dispute {
            old,
            callsign: certificate_of(graph, &old).map(|(_, callsign)| callsign),
            successors: successors.iter().copied().map(key).collect(),
        });
        let awaiting = graph.awaiting_owner().map(|certificate| Awaiting {
            callsign: certificate.callsign().clone(),
            key_id: certificate.key_id(),
            fingerprint: certificate.fingerprint(),
        });
        Self {
            requests,
            contested: contested.collect(),
            disputes: disputes.collect(),
            awaiting: awaiting.collect(),
        }
    }
}

/// A certificate that shows whose key it is: a trusted one, if there is one.
fn certificate_of(graph: &TrustGraph, key: &KeyId) -> Option<(Fingerprint, Callsign)> {
    let trusted = graph.trusted_certificates(key).into_iter().next();
    let certificate =
        trusted.or_else(|| graph.held_by(key).first().map(|held| held.certificate))?;
    Some((certificate.fingerprint(), certificate.callsign().clone()))
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let list = Operation::new("What waits for the owner; signed by the owner")
        .answers::<Decisions>(paths, 200, "What to decide")
        .refuses(paths, &[401, 403]);
    paths.add("get", "/api/decisions", list);
    let accept = Operation::new("Accept a key for a callsign; signed by the owner")
        .takes::<AcceptKey>(paths)
        .answers::<Effect>(paths, 200, "What changed")
        .refuses(paths, &[400, 401, 403, 404]);
    paths.add("post", "/api/decisions/accept-key", accept);
    let successor = Operation::new("Decide which key follows another; signed by the owner")
        .takes::<Successor>(paths)
        .answers::<Effect>(paths, 200, "What changed")
        .refuses(paths, &[400, 401, 403, 404]);
    paths.add("post", "/api/decisions/successor", successor);
    let cap = Operation::new("Let so many certificates stand below a key; signed by the owner")
        .takes::<Cap>(paths)
        .answers::<Effect>(paths, 200, "Nobody's trust changes by it")
        .refuses(paths, &[400, 401, 403, 404]);
    paths.add("post", "/api/certificates/{fingerprint}/cap", cap);
}

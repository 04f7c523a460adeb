//! The owner's own blacklist: preview, decide, take back, list. Whether others hear of it is in `advice`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use pki::graph::{Entry, Target};
use serde::{Deserialize, Serialize};
use station::{Callsign, Fingerprint, Identity, KeyId};

use super::{
    App, Effect, decision_problem, fingerprint, no_such_certificate, off_the_serving_threads,
    own_keys,
};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::signed::ByOwner;
use crate::http::text::sentence;
use crate::runtime::authority::Scope;

/// Most characters of a reason.
const MAX_REASON: usize = 500;

/// `POST /api/certificates/{fingerprint}/blacklist`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BlacklistRequest"))]
pub(in crate::http) struct Decision {
    /// Why, in the owner's words; at most 500 characters.
    #[serde(default)]
    reason: String,
    /// What falls; `certificate` without it.
    #[serde(default)]
    scope: ScopeWord,
}

/// What a decision is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BlacklistScope"))]
pub(super) enum ScopeWord {
    /// The one certificate.
    #[default]
    Certificate,
    /// Every certificate of its key.
    Key,
    /// Its key and every key below, even where others vouch for them.
    Subtree,
}

/// `?scope=`.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Scoped {
    #[serde(default)]
    scope: ScopeWord,
}

/// `GET /api/blacklist`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Blacklist {
    /// The decisions in force.
    entries: Vec<Blacklisted>,
    /// Whether other servers are told them, with the reasons.
    published: bool,
}

/// A decision in force.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Blacklisted {
    /// What it is about.
    scope: ScopeWord,
    /// The certificate, or one of the key; null when none is known here any more.
    fingerprint: Option<Fingerprint>,
    /// The key, for `key` and `subtree`.
    key_id: Option<KeyId>,
    /// What the certificate is known by, for `certificate`.
    identity: Option<Identity>,
    /// Whose it is.
    callsign: Option<Callsign>,
    /// Why, in the owner's words.
    reason: String,
}

pub(in crate::http) async fn preview(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    scoped: Result<Query<Scoped>, QueryRejection>,
    ByOwner(()): ByOwner<()>,
) -> Result<Json<Effect>, Problem> {
    let (named, scope) = (fingerprint(&named)?, scope(scoped)?);
    off_the_serving_threads(&app, move |app| {
        let effect = app.authority.look(|graph| {
            let certificate = graph.certificate(&named)?;
            Some(graph.preview(scope.of(certificate)))
        });
        let effect = effect.ok_or_else(no_such_certificate)?;
        Ok(Json(Effect::from(&effect)))
    })
    .await
}

pub(in crate::http) async fn add(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    ByOwner(decision): ByOwner<Decision>,
) -> Result<Json<Effect>, Problem> {
    let named = fingerprint(&named)?;
    let reason = sentence(&decision.reason, "a reason", MAX_REASON)?;
    let scope = Scope::from(decision.scope);
    off_the_serving_threads(&app, move |app| {
        let effect = app
            .authority
            .blacklist(&named, scope, &reason, &own_keys(app))
            .map_err(decision_problem)?;
        tracing::info!(%named, ?scope, lost = effect.lose.len(), "the owner blacklisted a certificate");
        Ok(Json(Effect::from(&effect)))
    })
    .await
}

/// By the fingerprint, or by the key or identity that an entry names, for when the certificate is gone.
pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    scoped: Result<Query<Scoped>, QueryRejection>,
    ByOwner(()): ByOwner<()>,
) -> Result<Json<Effect>, Problem> {
    let (named, scope) = (fingerprint(&named)?, scope(scoped)?);
    off_the_serving_threads(&app, move |app| {
        let effect = app
            .authority
            .unblacklist(&named, scope)
            .map_err(decision_problem)?;
        tracing::info!(%named, ?scope, gained = effect.gain.len(), "the owner took a certificate from the blacklist");
        Ok(Json(Effect::from(&effect)))
    })
    .await
}

pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    ByOwner(()): ByOwner<()>,
) -> Result<Json<Blacklist>, Problem> {
    off_the_serving_threads(&app, |app| {
        let published = app.coordinator.publishes_blacklist();
        let published = published.map_err(|error| Problem::internal(&error))?;
        Ok(Json(Blacklist {
            entries: entries(app),
            published,
        }))
    })
    .await
}

fn entries(app: &App) -> Vec<Blacklisted> {
    app.authority.look(|graph| {
        let shown = |entry: &Entry| {
            let (scope, key_id, identity) = match entry.target {
                Target::Certificate(identity) => (ScopeWord::Certificate, None, Some(identity)),
                Target::Key(key) => (ScopeWord::Key, Some(key), None),
                Target::Subtree(key) => (ScopeWord::Subtree, Some(key), None),
            };
            let held = match entry.target {
                Target::Certificate(identity) => graph.held(&identity),
                Target::Key(key) | Target::Subtree(key) => graph.held_by(&key).first().copied(),
            };
            Blacklisted {
                scope,
                fingerprint: held.map(|held| held.certificate.fingerprint()),
                key_id,
                identity,
                callsign: held.map(|held| held.certificate.callsign().clone()),
                reason: entry.reason.clone(),
            }
        };
        graph.blacklisted().map(shown).collect()
    })
}

fn scope(scoped: Result<Query<Scoped>, QueryRejection>) -> Result<Scope, Problem> {
    let Query(scoped) = scoped.map_err(|error| Problem::bad_request(error.body_text()))?;
    Ok(scoped.scope.into())
}

impl From<ScopeWord> for Scope {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::Certificate => Self::Certificate,
            ScopeWord::Key => Self::Key,
            ScopeWord::Subtree => Self::Subtree,
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let scope = "certificate (the default), key or subtree";
    let preview = Operation::new("What blacklisting it would change; signed by the owner")
        .query("scope", scope)
        .answers::<Effect>(paths, 200, "What would change")
        .refuses(paths, &[401, 403, 404]);
    paths.add(
        "get",
        "/api/certificates/{fingerprint}/blacklist/preview",
        preview,
    );
    let path = "/api/certificates/{fingerprint}/blacklist";
    let add = Operation::new("Blacklist it; signed by the owner")
        .takes::<Decision>(paths)
        .answers::<Effect>(paths, 200, "What changed")
        .refuses(paths, &[400, 401, 403, 404, 409]);
    paths.add("post", path, add);
    let remove = Operation::new("Take it from the blacklist; signed by the owner")
        .query("scope", scope)
        .answers::<Effect>(paths, 200, "What changed")
        .refuses(paths, &[401, 403, 404]);
    paths.add("delete", path, remove);
    let list = Operation::new("The blacklist; signed by the owner")
        .answers::<Blacklist>(paths, 200, "The decisions in force")
        .refuses(paths, &[401, 403]);
    paths.add("get", "/api/blacklist", list);
}

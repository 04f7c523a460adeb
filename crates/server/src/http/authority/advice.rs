//! Blacklists between owners: whether this one is published, and what others advise.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use coordination::message::advice::DistrustScope;
use serde::{Deserialize, Serialize};
use station::{Callsign, Digest, Fingerprint, Identity, KeyId, Zone};

use super::blacklist::ScopeWord;
use super::{App, off_the_serving_threads, own_keys};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::signed::ByOwner;
use crate::network::Ends;
use crate::runtime::coordination as net;

/// `POST /api/blacklist`, signed by the owner, and the answer.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct BlacklistPublishing {
    /// Whether other servers are told the blacklist, with its reasons.
    published: bool,
}

/// `GET /api/blacklist/advice`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BlacklistAdvice"))]
pub(in crate::http) struct AdviceList {
    /// At most 500: of trusted servers first, and first about certificates that are known here.
    advice: Vec<Advice>,
    /// How many more were said, of which nothing is kept or shown; across amateur frequencies also those of servers for
    /// which nobody here vouches.
    left_out: usize,
}

/// One owner's word about somebody.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Advice {
    /// Its name, to dismiss it by.
    id: Digest,
    /// Whose word it is.
    by: Adviser,
    /// How far it reaches.
    scope: ScopeWord,
    /// The certificate, or one of the key; null when none is known here.
    fingerprint: Option<Fingerprint>,
    /// The key, where that is known.
    key_id: Option<KeyId>,
    /// What the certificate is known by, as the adviser says.
    identity: Option<Identity>,
    /// Whose it is: by the certificate, or as the adviser says while none is known here.
    callsign: Option<Callsign>,
    /// Why, in the adviser's words.
    reason: String,
    /// Whether a certificate that it is about is trusted here.
    trusted: bool,
    /// Whether it is about the owner's key or this server's own.
    own: bool,
}

/// Whose word something is.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Adviser {
    /// The server's certificate; null where nothing is proved.
    server: Option<Fingerprint>,
    /// Whose server it is; as it says where nothing is proved.
    callsign: Option<Callsign>,
    /// Whether somebody this server trusts vouches for the server.
    verified: bool,
    /// Seconds since it last said something.
    age: u64,
}

pub(in crate::http) async fn publish(
    State(app): State<Arc<App>>,
    ByOwner(request): ByOwner<BlacklistPublishing>,
) -> Result<Json<BlacklistPublishing>, Problem> {
    let BlacklistPublishing { published } = request;
    off_the_serving_threads(&app, move |app| {
        let stored = app.coordinator.publish_blacklist(published);
        stored.map_err(|error| Problem::internal(&error))?;
        tracing::info!(
            published,
            "the owner decided whether to publish the blacklist"
        );
        Ok(Json(BlacklistPublishing { published }))
    })
    .await
}

pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    ByOwner(()): ByOwner<()>,
) -> Result<Json<AdviceList>, Problem> {
    off_the_serving_threads(&app, move |app| {
        let own = own_keys(app);
        let mut list = app.coordinator.advice();
        if app.zoning.of(ends).zone == Zone::Part97 {
            let before = list.advice.len();
            list.advice.retain(|one| one.verified);
            list.left_out += before - list.advice.len();
        }
        let advice = list.advice.into_iter();
        Ok(Json(AdviceList {
            advice: advice.map(|one| Advice::new(one, &own)).collect(),
            left_out: list.left_out,
        }))
    })
    .await
}

pub(in crate::http) async fn dismiss(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    ByOwner(()): ByOwner<()>,
) -> Result<StatusCode, Problem> {
    let nobody = || {
        let error = "nobody advises that now; it may have been withdrawn, or dismissed already";
        Problem::new(StatusCode::NOT_FOUND, "not-found", error)
    };
    let id: Digest = id.parse().map_err(|_| nobody())?;
    off_the_serving_threads(&app, move |app| {
        let dismissed = app.coordinator.dismiss_advice(&id);
        match dismissed.map_err(|error| Problem::internal(&error))? {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(nobody()),
        }
    })
    .await
}

impl Advice {
    fn new(advice: net::Advice, own: &[KeyId]) -> Self {
        let net::Advice {
            id,
            server,
            by,
            verified,
            heard,
            said,
            about,
        } = advice;
        let key_id = about.as_ref().map(|about| about.key).or(said.key_id);
        Self {
            id,
            by: Adviser {
                server,
                callsign: by,
                verified,
                age: heard.as_secs(),
            },
            scope: match said.scope {
                DistrustScope::Certificate => ScopeWord::Certificate,
                DistrustScope::Key => ScopeWord::Key,
                DistrustScope::Subtree => ScopeWord::Subtree,
            },
            fingerprint: about.as_ref().map(|about| about.fingerprint),
            own: key_id.is_some_and(|key| own.contains(&key)),
            key_id,
            identity: said.identity,
            trusted: about.as_ref().is_some_and(|about| about.trusted),
            callsign: about.map(|about| about.callsign).or(said.callsign),
            reason: said.reason,
        }
    }
}

#[cfg(feature = "schema")]
pub(in crate::http) fn describe(paths: &mut Paths) {
    let publish = Operation::new("Publish the blacklist, or no more; signed by the owner")
        .takes::<BlacklistPublishing>(paths)
        .answers::<BlacklistPublishing>(paths, 200, "What holds now")
        .refuses(paths, &[400, 401, 403]);
    paths.add("post", "/api/blacklist", publish);
    let list = Operation::new("Whom other owners distrust; signed by the owner")
        .answers::<AdviceList>(paths, 200, "What they say; nothing of it is applied here")
        .refuses(paths, &[401, 403]);
    paths.add("get", "/api/blacklist/advice", list);
    let dismiss = Operation::new("Do not show a piece of advice again; signed by the owner")
        .answers_nothing(204, "It is not shown again")
        .refuses(paths, &[401, 403, 404]);
    paths.add("delete", "/api/blacklist/advice/{id}", dismiss);
}

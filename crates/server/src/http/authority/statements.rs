//! Tombstones and changes of keys. Both are signed by keys themselves, so anybody may hand them over.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pki::graph::{Force, RekeyError, SignedRekey, Tombstone, TombstoneError};
use serde::{Deserialize, Serialize};
use station::statement::Rekey;
use station::{Identity, KeyId};

use super::{App, Effect, off_the_serving_threads};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::toll;
use crate::network::Ends;
use crate::runtime::authority::messages::{RekeyMessage, TombstoneMessage};
use crate::runtime::authority::{BuryError, FollowError};

/// Certificates or keys whose statements are on one page.
const ON_PAGE: usize = 200;

/// What a tombstone did.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Buried {
    /// By whom it is.
    force: ForceWord,
    /// What changed.
    effect: Effect,
}

/// What weight a tombstone has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TombstoneForce"))]
enum ForceWord {
    /// By its holder: the key is withdrawn.
    Holder,
    /// By its issuer: the certificate is revoked.
    Issuer,
    /// By another: advice.
    Advice,
}

/// `GET /api/tombstones`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Tombstones {
    /// A page of them.
    tombstones: Vec<TombstoneMessage>,
}

/// `GET /api/rekeys`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Rekeys {
    /// A page of them.
    rekeys: Vec<RekeyMessage>,
}

/// `?after=`: what the page before ended with.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct After<T> {
    after: Option<T>,
}

pub(in crate::http) async fn bury(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    body: Result<Json<TombstoneMessage>, JsonRejection>,
) -> Result<Json<Buried>, Problem> {
    let Json(message) = body.map_err(|rejection| unreadable(&rejection))?;
    let tombstone = Tombstone::from(message);
    off_the_serving_threads(&app, move |app| {
        let (force, effect) = toll::counted(app, ends.sharing(), || {
            toll::checks(app, ends.sharing(), 1)?;
            app.authority.bury(&tombstone).map_err(not_buried)
        })?;
        tracing::info!(target = %tombstone.target, ?force, "a tombstone came");
        Ok(Json(Buried {
            force: match force {
                Force::Holder => ForceWord::Holder,
                Force::Issuer => ForceWord::Issuer,
                Force::Advice => ForceWord::Advice,
            },
            effect: Effect::from(&effect),
        }))
    })
    .await
}

pub(in crate::http) async fn tombstones(
    State(app): State<Arc<App>>,
    after: Result<Query<After<Identity>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(After { after }) = after.map_err(|error| Problem::bad_request(error.body_text()))?;
    let (tombstones, next) = app.authority.look(|graph| {
        let following = graph.tombstones();
        let following = following.skip_while(|one| after.is_some_and(|after| one.target <= after));
        page(following, |one| one.target)
    });
    let tombstones = tombstones.into_iter().map(TombstoneMessage::from).collect();
    paged(Tombstones { tombstones }, "/api/tombstones", next)
}

pub(in crate::http) async fn follow(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    body: Result<Json<RekeyMessage>, JsonRejection>,
) -> Result<Json<Effect>, Problem> {
    let Json(message) = body.map_err(|rejection| unreadable(&rejection))?;
    let signed = SignedRekey::from(message);
    off_the_serving_threads(&app, move |app| {
        let effect = toll::counted(app, ends.sharing(), || {
            toll::checks(app, ends.sharing(), 2)?;
            app.authority.follow(&signed).map_err(not_followed)
        })?;
        let Rekey { old, new, .. } = &signed.rekey;
        tracing::info!(%old, %new, "a change of keys came");
        Ok(Json(Effect::from(&effect)))
    })
    .await
}

pub(in crate::http) async fn rekeys(
    State(app): State<Arc<App>>,
    after: Result<Query<After<KeyId>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(After { after }) = after.map_err(|error| Problem::bad_request(error.body_text()))?;
    let (rekeys, next) = app.authority.look(|graph| {
        let following = graph.rekeys();
        let following =
            following.skip_while(|one| after.is_some_and(|after| one.rekey.old <= after));
        page(following, |one| one.rekey.old)
    });
    let rekeys = rekeys.into_iter().map(RekeyMessage::from).collect();
    paged(Rekeys { rekeys }, "/api/rekeys", next)
}

/// The first of them, not cut between those that have one name, and where to go on.
fn page<T, N: Copy + PartialEq>(
    mut following: impl Iterator<Item = T>,
    name: impl Fn(&T) -> N,
) -> (Vec<T>, Option<N>) {
    let mut page: Vec<T> = Vec::new();
    for one in &mut following {
        let last = page.last().map(&name);
        if page.len() >= ON_PAGE && last != Some(name(&one)) {
            return (page, last);
        }
        page.push(one);
    }
    (page, None)
}

fn paged<T: std::fmt::Display>(
    body: impl Serialize,
    path: &str,
    next: Option<T>,
) -> Result<Response, Problem> {
    let mut response = Json(body).into_response();
    if let Some(next) = next {
        let link = format!("<{path}?after={next}>; rel=\"next\"");
        let link = HeaderValue::from_str(&link).map_err(|error| Problem::internal(&error))?;
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn unreadable(rejection: &JsonRejection) -> Problem {
    Problem::new(rejection.status(), "bad-request", rejection.body_text())
}

fn not_buried(error: BuryError) -> Problem {
    let error = match error {
        BuryError::Store(error) => return Problem::internal(&error),
        BuryError::Tombstone(error) => error,
    };
    let (status, code) = match error {
        TombstoneError::NoTarget => (StatusCode::NOT_FOUND, "not-found"),
        TombstoneError::Stranger => (StatusCode::FORBIDDEN, "license-required"),
        TombstoneError::EnoughAdvice => (StatusCode::TOO_MANY_REQUESTS, "full"),
        TombstoneError::Budget => (StatusCode::TOO_MANY_REQUESTS, "rate-limited"),
        TombstoneError::Signature | TombstoneError::Field(_) => {
            (StatusCode::BAD_REQUEST, "bad-tombstone")
        }
    };
    Problem::new(status, code, error.to_string())
}

fn not_followed(error: FollowError) -> Problem {
    let error = match error {
        FollowError::Store(error) => return Problem::internal(&error),
        FollowError::Rekey(error) => error,
    };
    let (status, code) = match error {
        RekeyError::NotHeld => (StatusCode::NOT_FOUND, "not-found"),
        RekeyError::TooMany | RekeyError::Full | RekeyError::IssuerFull(_) => {
            (StatusCode::TOO_MANY_REQUESTS, "full")
        }
        RekeyError::Budget => (StatusCode::TOO_MANY_REQUESTS, "rate-limited"),
        RekeyError::Generation | RekeyError::Signature | RekeyError::Field(_) => {
            (StatusCode::BAD_REQUEST, "bad-rekey")
        }
    };
    Problem::new(status, code, error.to_string())
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let after = "The cursor of the page before";
    let tombstones =
        Operation::new("Tombstones of certificates known here; the next page is in Link")
            .query("after", after)
            .answers::<Tombstones>(paths, 200, "A page")
            .refuses(paths, &[400]);
    paths.add("get", "/api/tombstones", tombstones);
    let bury = Operation::new("Hand over a tombstone")
        .takes::<TombstoneMessage>(paths)
        .answers::<Buried>(paths, 200, "It is kept, perhaps since long")
        .refuses(paths, &[400, 403, 404, 429]);
    paths.add("post", "/api/tombstones", bury);
    let rekeys = Operation::new("Changes of keys known here; the next page is in Link")
        .query("after", after)
        .answers::<Rekeys>(paths, 200, "A page")
        .refuses(paths, &[400]);
    paths.add("get", "/api/rekeys", rekeys);
    let follow = Operation::new("Hand over a change of keys")
        .takes::<RekeyMessage>(paths)
        .answers::<Effect>(paths, 200, "What changed")
        .refuses(paths, &[400, 404, 429]);
    paths.add("post", "/api/rekeys", follow);
}

//! Letting people on the network in, or no longer: `POST /api/network`. And `GET /api/nonce`, which
//! every signed request begins with.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use store::StoreError;

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::signed::{self, ByOwner};
use crate::runtime::ClaimState;

/// `POST /api/network`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct NetworkRequest {
    /// Whether people on the network may join.
    open: bool,
}

/// The answer: the state that follows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct NetworkAnswer {
    /// `active` or `claimed`.
    state: ClaimState,
}

/// `GET /api/nonce`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Nonce {
    /// To be used once, within five minutes.
    nonce: String,
    /// What signatures for this server are tagged with.
    tag: String,
}

pub(super) async fn nonce(State(app): State<Arc<App>>) -> Result<Json<Nonce>, Problem> {
    let given = app.nonces.give(&app.random, Instant::now());
    let nonce = given.map_err(|error| Problem::internal(&error))?;
    Ok(Json(Nonce {
        nonce,
        tag: signed::tag(&app),
    }))
}

pub(super) async fn network(
    State(app): State<Arc<App>>,
    ByOwner(request): ByOwner<NetworkRequest>,
) -> Result<Json<NetworkAnswer>, Problem> {
    let keeper = Arc::clone(&app);
    let set = tokio::task::spawn_blocking(move || keeper.ownership.set_open(request.open))
        .await
        .map_err(|error| Problem::internal(&error))?;
    match set {
        Ok(()) => {}
        Err(StoreError::NotClaimed) => {
            let error = "this server has no owner yet";
            return Err(Problem::new(StatusCode::CONFLICT, "unclaimed", error));
        }
        Err(error) => return Err(Problem::internal(&error)),
    }
    if !request.open {
        app.switchboard
            .send_away("the owner has closed this server to the network", |ends| {
                !ends.loopback()
            });
    }
    tracing::info!(open = request.open, "the owner decided who may join");
    Ok(Json(NetworkAnswer {
        state: app.ownership.state(),
    }))
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let nonce =
        Operation::new("A nonce for a signed request").answers::<Nonce>(paths, 200, "A nonce");
    paths.add("get", "/api/nonce", nonce);
    let network =
        Operation::new("Let people on the network join, or no longer; signed by the owner")
            .takes::<NetworkRequest>(paths)
            .answers::<NetworkAnswer>(paths, 200, "The state that follows")
            .refuses(paths, &[401, 403]);
    paths.add("post", "/api/network", network);
}

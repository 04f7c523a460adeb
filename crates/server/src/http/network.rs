//! Letting people on the network in, or no longer, and guests call each other: `POST /api/network`. And `GET /api/nonce`, which
//! every signed request begins with.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use store::{Admission, StoreError};

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::signed::{self, ByOwner};
use crate::network::Ends;
use crate::runtime::ClaimState;

/// `POST /api/network`, signed by the owner.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct NetworkRequest {
    /// Whether people on the network may join. Without it that stays as it is.
    open: Option<bool>,
    /// Whether guests may call each other. Without it that stays as it is.
    guest_calls: Option<bool>,
}

/// The answer: what follows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct NetworkAnswer {
    /// `active` or `claimed`.
    state: ClaimState,
    /// Whether guests may call each other.
    guest_calls: bool,
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

pub(super) async fn nonce(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
) -> Result<Json<Nonce>, Problem> {
    let given = app
        .nonces
        .give(&app.random, ends.sharing().group, Instant::now());
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
    let admission = Admission {
        open_to_network: request.open,
        guest_calls: request.guest_calls,
    };
    let keeper = Arc::clone(&app);
    let decided = tokio::task::spawn_blocking(move || {
        keeper.ownership.admit(admission, |policy| {
            keeper
                .switchboard
                .set_policy(policy, reason_of(policy.guest_calls));
        })
    });
    match decided.await.map_err(|error| Problem::internal(&error))? {
        Ok(()) => {}
        Err(StoreError::NotClaimed) => {
            let error = "this server has no owner yet";
            return Err(Problem::new(StatusCode::CONFLICT, "unclaimed", error));
        }
        Err(error) => return Err(Problem::internal(&error)),
    }
    if request.open == Some(false) {
        app.switchboard
            .send_away("the owner has closed this server to the network", |ends| {
                !ends.loopback()
            });
    }
    tracing::info!(
        open = request.open,
        guest_calls = request.guest_calls,
        "the owner decided who may join and what guests may do"
    );
    Ok(Json(NetworkAnswer {
        state: app.ownership.state(),
        guest_calls: app.ownership.policy().guest_calls,
    }))
}

/// What everybody is told when the owner changed it.
fn reason_of(guest_calls: bool) -> &'static str {
    if guest_calls {
        "The owner lets guests call each other."
    } else {
        "The owner no longer lets guests call each other."
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let nonce =
        Operation::new("A nonce for a signed request").answers::<Nonce>(paths, 200, "A nonce");
    paths.add("get", "/api/nonce", nonce);
    let network = Operation::new("Decide who may join and what guests may do; signed by the owner")
        .takes::<NetworkRequest>(paths)
        .answers::<NetworkAnswer>(paths, 200, "What follows")
        .refuses(paths, &[401, 403, 409]);
    paths.add("post", "/api/network", network);
}

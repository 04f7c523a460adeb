//! Claiming: `GET` and `POST /api/claim-station`.
//!
//! The person at the machine claims without more ado; anybody else shows with an HMAC that they know
//! the code the server printed, which itself never crosses the network.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use station::{Callsign, Grid, LicenceClass};
use store::StoreError;

use super::App;
use super::guard::{Authority, was_forwarded};
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::status::signaling_url;
use crate::listen::same_user;
use crate::network::Ends;
use crate::runtime::{self, ClaimFailure, ClaimState};

/// Most characters of a station's name.
const MAX_NAME: usize = 80;

/// `GET /api/claim-station`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ClaimOffer {
    /// How far the server is on its way to people.
    state: ClaimState,
    /// The server's key, PEM.
    public_key: String,
    /// Whether the claim must prove knowledge of the claim code.
    code_required: bool,
    /// To be used once, within five minutes.
    nonce: String,
    /// With a code: HMAC over `claim-offer`, by which the claimant knows the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer_proof: Option<String>,
}

/// `POST /api/claim-station`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ClaimRequest {
    /// The operator's certificate, PEM.
    certificate: String,
    /// The certificates above it, PEM, its issuer's first, up to a self-signed one.
    #[serde(default)]
    chain: Vec<String>,
    /// The operator's certificate for this server, PEM.
    server_certificate: String,
    /// The station.
    station: ClaimedStation,
    /// With a code: the nonce of the offer.
    nonce: Option<String>,
    /// With a code: HMAC over `claim`.
    claim_proof: Option<String>,
    /// Whether people on the network may join.
    #[serde(default = "yes")]
    open_to_network: bool,
}

/// The station as its owner describes it.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ClaimedStation {
    /// The callsign of both certificates.
    callsign: String,
    /// What may change.
    #[serde(default)]
    metadata: StationMetadata,
}

/// What an owner says of the station.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct StationMetadata {
    /// The operator's or the station's name, at most 80 characters.
    name: Option<String>,
    /// A Maidenhead locator.
    grid: Option<String>,
    /// The class on the licence.
    license_class: Option<String>,
}

/// The answer to a claim.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Claimed {
    /// Always true.
    success: bool,
    /// The owner's callsign.
    owner: Callsign,
    /// The WebSocket URL as this caller can reach it.
    signaling_url: String,
    /// Always null, for older clients: nobody is let in by a token.
    access_token: Option<()>,
}

pub(super) async fn offer(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
) -> Result<Json<ClaimOffer>, Problem> {
    let state = app.ownership.state();
    let nonce = app
        .nonces
        .give(&app.random, ends.sharing().group, Instant::now())
        .map_err(|error| Problem::internal(&error))?;
    let code_required = !is_at_the_machine(&app, ends, &headers);
    let unclaimed = state == ClaimState::Unclaimed;
    let offer_proof = if code_required && unclaimed {
        Some(
            app.ownership
                .offer_proof(&nonce)
                .map_err(|error| Problem::internal(&error))?,
        )
    } else {
        None
    };
    let public_key = app.ownership.key().public_key().to_pem();
    Ok(Json(ClaimOffer {
        state,
        public_key,
        code_required,
        nonce,
        offer_proof,
    }))
}

pub(super) async fn claim(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Extension(authority): Extension<Authority>,
    headers: HeaderMap,
    body: Result<Json<ClaimRequest>, JsonRejection>,
) -> Result<Json<Claimed>, Problem> {
    if app.ownership.state() != ClaimState::Unclaimed {
        return Err(already_claimed());
    }
    let Json(request) = body.map_err(|rejection| {
        Problem::new(rejection.status(), "bad-request", rejection.body_text())
    })?;
    let proof_required = !is_at_the_machine(&app, ends, &headers);
    if proof_required {
        check_nonce(&app, &request)?;
    }
    let owner = Callsign::parse(&request.station.callsign).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "bad-callsign", error.to_string())
    })?;
    let station = request.station.metadata.read()?;

    // The disk may be a slow card: not on a thread that serves others.
    let (keeper, callsign) = (Arc::clone(&app), owner.clone());
    let accepted = tokio::task::spawn_blocking(move || {
        let proof = request.nonce.as_deref().zip(request.claim_proof.as_deref());
        keeper.ownership.accept(&runtime::ClaimRequest {
            callsign: &callsign,
            certificate: &request.certificate,
            chain: &request.chain,
            server_certificate: &request.server_certificate,
            station,
            open_to_network: request.open_to_network,
            proof: proof.filter(|_| proof_required),
        })?;
        keeper.authority.reload()?;
        keeper.renew_certificate();
        Ok(())
    })
    .await
    .map_err(|error| Problem::internal(&error))?;
    accepted.map_err(problem)?;
    app.switchboard.set_owner(app.ownership.owner());
    tracing::info!(%owner, state = ?app.ownership.state(), "claimed");
    let signaling_url = signaling_url(ends, &authority);
    Ok(Json(Claimed {
        success: true,
        owner,
        signaling_url,
        access_token: None,
    }))
}

/// Whether the request surely comes from the person whose account runs this server.
fn is_at_the_machine(app: &App, ends: Ends, headers: &HeaderMap) -> bool {
    ends.loopback()
        && !was_forwarded(headers)
        && !app.names.behind_proxy()
        && same_user(ends) != Some(false)
}

fn check_nonce(app: &App, request: &ClaimRequest) -> Result<(), Problem> {
    let (Some(nonce), Some(_)) = (&request.nonce, &request.claim_proof) else {
        let error = "claiming from another machine needs the claim code that the server printed \
                     when it started";
        return Err(Problem::new(StatusCode::FORBIDDEN, "code-required", error));
    };
    if app.nonces.take(nonce, Instant::now()) {
        return Ok(());
    }
    let error = "the nonce was used before or is too old; ask for the claim again";
    Err(Problem::new(StatusCode::FORBIDDEN, "bad-nonce", error))
}

impl StationMetadata {
    fn read(self) -> Result<store::Station, Problem> {
        fn filled(text: Option<String>) -> Option<String> {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        }
        let bad = |code, error: String| Problem::new(StatusCode::BAD_REQUEST, code, error);
        let name = filled(self.name);
        let fits =
            |name: &String| name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control);
        if !name.as_ref().is_none_or(fits) {
            let error = format!("a name has at most {MAX_NAME} characters");
            return Err(bad("bad-name", error));
        }
        let grid = filled(self.grid).map(|grid| Grid::parse(&grid)).transpose();
        let grid = grid.map_err(|error| bad("bad-grid", error.to_string()))?;
        let class = filled(self.license_class)
            .map(|class| LicenceClass::parse(&class))
            .transpose();
        let licence_class = class.map_err(|error| bad("bad-license-class", error.to_string()))?;
        Ok(store::Station {
            name,
            grid,
            licence_class,
        })
    }
}

fn problem(failure: ClaimFailure) -> Problem {
    let refused = |code, error: String| Problem::new(StatusCode::BAD_REQUEST, code, error);
    match failure {
        ClaimFailure::Claim(error @ pki::ClaimError::Callsign(..)) => {
            refused("callsign-mismatch", error.to_string())
        }
        ClaimFailure::Claim(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            refused(
                "bad-certificate",
                format!("{error}{}", cause.unwrap_or_default()),
            )
        }
        ClaimFailure::WrongCode => {
            Problem::new(StatusCode::FORBIDDEN, "wrong-code", failure.to_string())
        }
        ClaimFailure::Store(StoreError::AlreadyClaimed) => already_claimed(),
        ClaimFailure::Store(error) => Problem::internal(&error),
    }
}

fn already_claimed() -> Problem {
    let error = "this server has an owner already; ham-server reset on its machine releases it";
    Problem::new(StatusCode::FORBIDDEN, "already-claimed", error)
}

fn yes() -> bool {
    true
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let offer = Operation::new("What is needed to claim the server").answers::<ClaimOffer>(
        paths,
        200,
        "The server's key and a nonce",
    );
    paths.add("get", "/api/claim-station", offer);
    let claim = Operation::new("Claim the server")
        .takes::<ClaimRequest>(paths)
        .answers::<Claimed>(paths, 200, "The server is claimed")
        .refuses(paths, &[400, 403]);
    paths.add("post", "/api/claim-station", claim);
}

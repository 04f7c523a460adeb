//! The other servers this one coordinates with: `/api/peers`, and the owner's decisions about them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use station::{Callsign, Fingerprint, KeyId, Zone};

use super::App;
use super::authority::{Effect, off_the_serving_threads};
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::signed::ByOwner;
use crate::network::Ends;
use crate::network::endpoint::Endpoint;
use crate::runtime::authority::messages::CheckpointMessage;
use crate::runtime::coordination::{Catalog, PeerRow, PeerState};

/// Servers that the owner may name.
const MOST_NAMED: usize = 256;

/// `GET /api/peers`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Peer {
    /// The server certificate's fingerprint; before it is known, 32 digits of this server's making.
    id: String,
    /// Where it is; empty while it does not say.
    endpoint: String,
    /// The callsign in its certificate, once it has proved that; of one that knows only the plain messages, as it says;
    /// else null.
    callsign: Option<Callsign>,
    /// What it says it can do.
    capabilities: Vec<String>,
    /// Seconds since something last came from it over a link of this server; null without one.
    last_contact: Option<u64>,
    /// How it was found: `mdns`, `manual` (the owner named or imported it), `cq` or `peer`.
    discovery_method: &'static str,
    /// How things are.
    state: StateWord,
    /// What the link to it crosses; null without one.
    link: Option<Zone>,
    /// Whether it knows only the plain messages: then nothing of it is proved.
    plain: bool,
    /// Whether somebody this server trusts vouches for it.
    verified: bool,
    /// Seconds for which the link has stood; null without one.
    since: Option<u64>,
    /// The certificate at the end of its chain, for the owner to compare; null before it is known.
    root: Option<Root>,
    /// Why there is no link, as a sentence; null where that is not known.
    reason: Option<String>,
    /// The servers it has links with, by their certificates; this one may be among them.
    neighbours: Vec<Fingerprint>,
    /// Through which servers messages go there, itself last; empty without a way.
    way: Vec<Fingerprint>,
}

/// The certificate at the end of a server's chain.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PeerRoot"))]
struct Root {
    /// Its fingerprint.
    fingerprint: Fingerprint,
    /// Its holder.
    callsign: Callsign,
}

/// How things are with another server.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PeerState"))]
enum StateWord {
    /// There is a link to it.
    Linked,
    /// It is there, by a way through others.
    Reachable,
    /// Nobody this server trusts vouches for it: the owner may decide.
    Unknown,
    /// The owner blacklisted it.
    Blacklisted,
    /// It was there.
    Gone,
    /// It is looked for.
    Searching,
}

/// What another server says it hands out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct PeerCatalog {
    /// The server, as in the list of peers.
    id: String,
    /// Whose it is; as it says where nothing of it is proved.
    callsign: Option<Callsign>,
    /// Whether somebody this server trusts vouches for it.
    verified: bool,
    /// The files it names; nothing of them is checked.
    entries: Vec<PeerFile>,
    /// How many more it named, which are not kept.
    left_out: usize,
}

/// A file that another server says it hands out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PeerFile {
    /// Its path there.
    path: String,
    /// Its hash, as that server writes it; empty if it does not say.
    hash: String,
    /// Its bytes.
    size: u64,
    /// Its media type; empty if it does not say.
    content_type: String,
}

/// `POST /api/peers`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct PeerRequest {
    /// Where it is: `http://HOST:PORT` or `https://HOST:PORT`. It is dialled until it is taken off.
    endpoint: String,
}

/// The answer.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct PeerAdded {
    /// As it is on the list.
    endpoint: String,
}

/// `POST /api/peers/{id}/accept`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct PeerAccepted {
    /// The root's fingerprint, as the owner compared it with what the other owner reads out.
    fingerprint: Fingerprint,
    /// To be written beside it; at most 500 characters.
    #[serde(default)]
    note: String,
}

/// `GET /api/peers/warnings`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct PeerWarnings {
    /// Seconds since somebody last showed this server's own certificate: a copy of it runs, or a backup was restored. Null
    /// while nobody did.
    copy: Option<u64>,
    /// Servers that show different people different histories of what they issued.
    split_logs: Vec<SplitLog>,
}

/// A log with two histories.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SplitLog {
    /// The key that signed both.
    key_id: KeyId,
    /// Whose key it is, where it is trusted; else null.
    callsign: Option<Callsign>,
    /// The proof: two signed heads for one size.
    checkpoints: [CheckpointMessage; 2],
}

pub(super) async fn warnings(State(app): State<Arc<App>>) -> Json<PeerWarnings> {
    let warnings = app.coordinator.warnings();
    let splits = warnings.splits.into_iter();
    Json(PeerWarnings {
        copy: warnings.copy.map(|time| time.as_secs()),
        split_logs: splits
            .map(|split| SplitLog {
                key_id: split.checkpoints[0].server,
                callsign: split.callsign,
                checkpoints: split.checkpoints.map(CheckpointMessage::from),
            })
            .collect(),
    })
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
) -> Json<Vec<Peer>> {
    let mut peers = app.coordinator.peers();
    // What somebody wrote for whom nobody vouches does not go on the air.
    if app.zoning.of(ends).zone == Zone::Part97 {
        peers.retain(|peer| !peer.plain);
    }
    Json(peers.into_iter().map(Peer::from).collect())
}

pub(super) async fn catalogs(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
) -> Json<Vec<PeerCatalog>> {
    let mut catalogs = app.coordinator.catalogs();
    // What somebody wrote for whom nobody vouches does not go on the air.
    if app.zoning.of(ends).zone == Zone::Part97 {
        catalogs.retain(|catalog| catalog.verified);
    }
    Json(catalogs.into_iter().map(PeerCatalog::from).collect())
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    ByOwner(request): ByOwner<PeerRequest>,
) -> Result<(StatusCode, Json<PeerAdded>), Problem> {
    let endpoint = request.endpoint.trim().trim_end_matches('/').to_owned();
    if let Err(error) = endpoint.parse::<Endpoint>() {
        return Err(Problem::bad_request(error.to_string()));
    }
    let added = off_the_serving_threads(&app, move |app| {
        let named = app.coordinator.named_peers();
        let named = named.map_err(|error| Problem::internal(&error))?;
        if named.len() >= MOST_NAMED && !named.contains(&endpoint) {
            let error = "256 servers are on the list; take one off first";
            return Err(Problem::new(StatusCode::CONFLICT, "full", error));
        }
        let stored = app.coordinator.add_peer(&endpoint);
        stored.map_err(|error| Problem::internal(&error))?;
        tracing::info!(endpoint, "the owner named another server");
        Ok(PeerAdded { endpoint })
    });
    Ok((StatusCode::CREATED, Json(added.await?)))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    ByOwner(()): ByOwner<()>,
) -> Result<StatusCode, Problem> {
    off_the_serving_threads(&app, move |app| {
        let removed = app.coordinator.remove_named(&id);
        if removed.map_err(|error| Problem::internal(&error))? {
            tracing::info!(id, "the owner took another server off the list");
            return Ok(StatusCode::NO_CONTENT);
        }
        let error = "no server that you named or imported is known by that; those found by themselves go by themselves, \
                     and blacklisting keeps one away";
        Err(Problem::new(StatusCode::NOT_FOUND, "not-found", error))
    })
    .await
}

pub(super) async fn accept(
    State(app): State<Arc<App>>,
    Path(id): Path<Fingerprint>,
    ByOwner(request): ByOwner<PeerAccepted>,
) -> Result<Json<Effect>, Problem> {
    let note = super::text::sentence(&request.note, "a note", 500)?;
    off_the_serving_threads(&app, move |app| {
        let Some(root) = app.coordinator.chain_of(&id).and_then(|mut chain| chain.pop()) else {
            let error = "no such server has shown its certificates since this one started";
            return Err(Problem::new(StatusCode::NOT_FOUND, "not-found", error));
        };
        if root.fingerprint() != request.fingerprint {
            let error = "that is not the fingerprint of the certificate at the end of its chain; \
                         somebody may be in between, or two servers were mixed up";
            return Err(Problem::new(StatusCode::CONFLICT, "other-fingerprint", error));
        }
        let accepted = app.authority.accept(&[root], &[], &[], &note);
        let accepted = accepted.map_err(|error| Problem::internal(&error))?;
        if accepted.added.is_empty() {
            let error = "the certificate at the end of its chain is not signed by a known key; \
                         its owner has to send the whole chain";
            return Err(Problem::new(StatusCode::CONFLICT, "unsigned", error));
        }
        tracing::info!(%id, root = %request.fingerprint, "the owner accepted another server's root");
        Ok(Json(Effect::from(&accepted.effect)))
    })
    .await
}

impl From<Catalog> for PeerCatalog {
    fn from(catalog: Catalog) -> Self {
        let files = catalog.files.into_iter();
        Self {
            id: catalog.id,
            callsign: catalog.callsign,
            verified: catalog.verified,
            entries: files
                .map(|file| PeerFile {
                    path: file.path,
                    hash: file.hash,
                    size: file.size,
                    content_type: file.content_type,
                })
                .collect(),
            left_out: catalog.left_out,
        }
    }
}

impl From<PeerRow> for Peer {
    fn from(row: PeerRow) -> Self {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        Self {
            id: row.id,
            endpoint: row.endpoint,
            callsign: row.callsign,
            capabilities: row.capabilities,
            last_contact: seconds(row.heard),
            discovery_method: row.found,
            state: match row.state {
                PeerState::Linked => StateWord::Linked,
                PeerState::Reachable => StateWord::Reachable,
                PeerState::Unknown => StateWord::Unknown,
                PeerState::Blacklisted => StateWord::Blacklisted,
                PeerState::Gone => StateWord::Gone,
                PeerState::Searching => StateWord::Searching,
            },
            link: row.link,
            plain: row.plain,
            verified: row.verified,
            since: seconds(row.since),
            root: row.root.map(|root| Root {
                fingerprint: root.fingerprint,
                callsign: root.callsign,
            }),
            reason: row.reason,
            neighbours: row.neighbours,
            way: row.way,
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let list = Operation::new("The other servers this one coordinates with, or looks for")
        .answers::<Vec<Peer>>(
            paths,
            200,
            "By callsign, then those that are only looked for",
        );
    paths.add("get", "/api/peers", list);
    let warnings = Operation::new("What to know of other servers before they are believed")
        .answers::<PeerWarnings>(paths, 200, "What was seen since this server started");
    paths.add("get", "/api/peers/warnings", warnings);
    let catalogs = Operation::new("What other servers say they hand out")
        .answers::<Vec<PeerCatalog>>(paths, 200, "By callsign, those that are vouched for first");
    paths.add("get", "/api/peers/catalogs", catalogs);
    let add = Operation::new("Name another server; signed by the owner")
        .takes::<PeerRequest>(paths)
        .answers::<PeerAdded>(paths, 201, "It is on the list and dialled")
        .refuses(paths, &[400, 401, 403, 409]);
    paths.add("post", "/api/peers", add);
    let remove = Operation::new(
        "Take a server that you named or imported off the list; signed by the owner",
    )
    .answers_nothing(
        204,
        "It is not dialled any more; a link that stands goes on",
    )
    .refuses(paths, &[401, 403, 404]);
    paths.add("delete", "/api/peers/{id}", remove);
    let accept = Operation::new("Trust the root of another server; signed by the owner")
        .takes::<PeerAccepted>(paths)
        .answers::<Effect>(paths, 200, "What changed")
        .refuses(paths, &[400, 401, 403, 404, 409]);
    paths.add("post", "/api/peers/{id}/accept", accept);
}

//! AREDN: what the owner enters at a node (`GET /api/aredn`), and reading the servers in a node's list
//! (`POST /api/aredn`).

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use station::Callsign;

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::signed::ByOwner;
use crate::aredn::{self, Entry, ImportError};
use crate::network::Ends;
use crate::runtime::lock;

/// What is entered under *Local Services* of an AREDN node.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ArednEntry {
    /// The service's name.
    name: String,
    /// The host alias to be made.
    host: String,
    /// The address the alias stands for; null where the server has none.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    address: Option<IpAddr>,
    /// The TCP port.
    port: u16,
    /// The same in one line, as nodes keep it: `url|tcp|name`.
    line: String,
}

/// `POST /api/aredn`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ArednRequest {
    /// A node: `localnode.local.mesh`, or its address.
    node: String,
}

/// The servers in a node's list.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ArednAnswer {
    /// At most 16; those that answer are listed among the local servers until the next import.
    servers: Vec<ArednServer>,
}

/// A server in a node's list. Nothing of it is proven.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ArednServer {
    /// Its URL.
    endpoint: String,
    /// Whose it says it is; null when it does not answer as a ham-server does.
    callsign: Option<Callsign>,
}

pub(super) async fn entry(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
) -> Result<Json<ArednEntry>, Problem> {
    let Some(owner) = app.ownership.callsign() else {
        let error = "this server has no owner yet";
        return Err(Problem::new(StatusCode::NOT_FOUND, "unclaimed", error));
    };
    let entry = Entry::new(&owner, ends.local.port(), &app.reach.addresses());
    Ok(Json(ArednEntry {
        line: entry.line(),
        name: entry.name,
        host: entry.host,
        address: entry.address,
        port: entry.port,
    }))
}

pub(super) async fn import(
    State(app): State<Arc<App>>,
    ByOwner(request): ByOwner<ArednRequest>,
) -> Result<Json<ArednAnswer>, Problem> {
    let own = app.ownership.claim().map(|claim| {
        let mut fp = claim.server.fingerprint().to_string();
        fp.truncate(16);
        fp
    });
    let listed = aredn::import(&request.node, own.as_deref())
        .await
        .map_err(|error| refusal(&error))?;
    let answering = listed.iter().filter_map(|listed| listed.sighting.clone());
    lock(&app.neighbourhood).import(answering.collect(), Instant::now());
    tracing::info!(
        node = request.node,
        servers = listed.len(),
        "a node's servers were read"
    );
    let servers = listed.into_iter().map(|listed| ArednServer {
        endpoint: listed.endpoint,
        callsign: listed.sighting.map(|sighting| sighting.callsign),
    });
    Ok(Json(ArednAnswer {
        servers: servers.collect(),
    }))
}

fn refusal(error: &ImportError) -> Problem {
    let (status, code) = match error {
        ImportError::Address(_) => (StatusCode::BAD_REQUEST, "bad-request"),
        ImportError::Node(..) => (StatusCode::BAD_GATEWAY, "node-unreachable"),
        ImportError::Silent(_) => (StatusCode::GATEWAY_TIMEOUT, "node-silent"),
        ImportError::Unreadable(..) => (StatusCode::BAD_GATEWAY, "not-a-node"),
    };
    let why = error.source().map(|source| format!(": {source}"));
    Problem::new(status, code, format!("{error}{}", why.unwrap_or_default()))
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let entry = Operation::new("What the owner enters at an AREDN node")
        .answers::<ArednEntry>(paths, 200, "The entry")
        .refuses(paths, &[404]);
    paths.add("get", "/api/aredn", entry);
    let import = Operation::new("Read the servers in an AREDN node's list; signed by the owner")
        .takes::<ArednRequest>(paths)
        .answers::<ArednAnswer>(paths, 200, "The servers")
        .refuses(paths, &[400, 401, 403, 502, 504]);
    paths.add("post", "/api/aredn", import);
}

//! What the server's networks count as: `GET` and `POST /api/zones`, for the owner.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use station::Zone;

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use super::signed::ByOwner;
use crate::network::zones::{Rule, Source, Subject};

/// Most rules of the owner's.
const MOST_RULES: usize = 64;

/// `POST /api/zones`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ZonesRequest {
    /// Every rule of the owner's; they replace those of before. At most 64.
    rules: Vec<WantedRule>,
}

/// What a network shall count as.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct WantedRule {
    /// An interface's name, or an address prefix such as `10.54.3.88/29`.
    subject: String,
    /// What it is.
    zone: Zone,
}

/// What the server's networks count as.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ZonesAnswer {
    /// Every rule in force, by subject.
    rules: Vec<RuleInForce>,
    /// The networks this machine is on now, and what follows for them.
    networks: Vec<Network>,
}

/// A rule in force.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RuleInForce {
    /// An interface's name, or an address prefix.
    subject: String,
    /// What it is.
    zone: Zone,
    /// Who said so. What the settings say is changed there.
    source: Source,
}

/// A network this machine is on.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Network {
    /// The interface's name.
    interface: String,
    /// This machine's addresses there, with the length of their prefix.
    addresses: Vec<String>,
    /// What counts for devices on it.
    zone: Zone,
    /// Why, as the end of a sentence.
    reason: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    ByOwner(()): ByOwner<()>,
) -> Json<ZonesAnswer> {
    Json(answer(&app))
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    ByOwner(request): ByOwner<ZonesRequest>,
) -> Result<Json<ZonesAnswer>, Problem> {
    let rules = read(&request.rules)?;
    let before = app.zoning.rules();
    let keeper = Arc::clone(&app);
    let saved = tokio::task::spawn_blocking(move || {
        keeper.ownership.set_zone_rules(&rules)?;
        keeper.zoning.set(&rules);
        Ok::<_, store::StoreError>(())
    });
    let saved = saved.await.map_err(|error| Problem::internal(&error))?;
    saved.map_err(|error| Problem::internal(&error))?;
    let reason = "the owner has changed what this network counts as; connect again";
    app.switchboard.send_away(reason, |ends| {
        app.zoning.by(&before, ends).zone != app.zoning.of(ends).zone
    });
    tracing::info!("the owner changed what networks count as");
    Ok(Json(answer(&app)))
}

fn read(wanted: &[WantedRule]) -> Result<Vec<Rule>, Problem> {
    if wanted.len() > MOST_RULES {
        let error = format!("there may be at most {MOST_RULES} zone rules");
        return Err(Problem::bad_request(error));
    }
    let rule = |wanted: &WantedRule| {
        let subject = wanted.subject.parse::<Subject>();
        Ok(Rule {
            subject: subject.map_err(|error| Problem::bad_request(error.to_string()))?,
            zone: wanted.zone,
        })
    };
    wanted.iter().map(rule).collect()
}

fn answer(app: &App) -> ZonesAnswer {
    let rules = app.zoning.rules();
    let in_force = rules.iter().map(|(subject, zone, source)| RuleInForce {
        subject: subject.to_string(),
        zone,
        source,
    });
    let mut networks = BTreeMap::<String, Network>::new();
    for link in app.zoning.links().iter() {
        let address = link.address.addr();
        if !link.up || address.is_loopback() {
            continue;
        }
        let verdict = app.zoning.between(address, address);
        let network = networks
            .entry(link.interface.clone())
            .or_insert_with(|| Network {
                interface: link.interface.clone(),
                addresses: Vec::new(),
                zone: verdict.zone,
                reason: verdict.reason.to_string(),
            });
        network.addresses.push(link.address.to_string());
        if verdict.zone > network.zone {
            network.zone = verdict.zone;
            network.reason = verdict.reason.to_string();
        }
    }
    ZonesAnswer {
        rules: in_force.collect(),
        networks: networks.into_values().collect(),
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let list = Operation::new("What the server's networks count as; signed by the owner")
        .answers::<ZonesAnswer>(paths, 200, "The networks and the rules")
        .refuses(paths, &[401, 403]);
    paths.add("get", "/api/zones", list);
    let set = Operation::new("Say what networks count as; signed by the owner")
        .takes::<ZonesRequest>(paths)
        .answers::<ZonesAnswer>(paths, 200, "The networks and the rules")
        .refuses(paths, &[400, 401, 403]);
    paths.add("post", "/api/zones", set);
}

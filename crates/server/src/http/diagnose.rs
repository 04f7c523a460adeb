//! Why calls may not come about, as far as it can be seen from here: `GET /api/diagnose`.
//!
//! The caller's browser knows the other half, and puts both together.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use station::Zone;

use super::App;
use super::guard::{Authority, same_origin};
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use crate::network::Ends;
use crate::network::zones::Verdict;
use crate::runtime::Mode;

/// What the caller's browser says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct About {
    /// The name under which it hides its address: a UUID in `.local`.
    name: Option<String>,
    /// Its address, where it does not hide it.
    address: Option<IpAddr>,
}

/// `GET /api/diagnose`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Diagnosis {
    /// The address the server sees the caller at.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    address: IpAddr,
    /// What was looked at, in the order in which it should be mended.
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Check {
    /// What.
    about: Matter,
    /// How it stands.
    state: Finding,
    /// The same for a person.
    sentence: String,
    /// One thing to do about it.
    action: Option<&'static str>,
}

/// What can be in the way of a call.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Matter {
    /// The server's own place on the network.
    Network,
    /// Amateur frequencies on the way to the server.
    Zone,
    /// A default route.
    Route,
    /// The caller's address, as it knows it and as the server sees it.
    Address,
    /// Whether devices find each other by multicast.
    Multicast,
}

/// How it stands.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Finding {
    /// As it should be.
    Ok,
    /// This is in the way, or may be.
    Problem,
    /// It cannot be seen from here.
    Unknown,
}

pub(super) async fn diagnose(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Extension(authority): Extension<Authority>,
    headers: HeaderMap,
    about: Result<Query<About>, QueryRejection>,
) -> Result<Json<Diagnosis>, Problem> {
    // Whoever reads this learns where the caller is.
    if !same_origin(&headers, ends, &authority) {
        let error = "a page of another site may not ask this";
        return Err(Problem::new(StatusCode::FORBIDDEN, "foreign-origin", error));
    }
    let Query(about) = about.map_err(|error| Problem::bad_request(error.body_text()))?;
    let answers = match about.name.as_deref() {
        Some(name) if !is_hidden_address(name) => {
            let error = "the name must be one that a browser made for a call: a UUID in .local";
            return Err(Problem::bad_request(error));
        }
        Some(name) => app.resolver.addresses(name).await,
        None => None,
    };
    let known: Vec<_> = about
        .address
        .into_iter()
        .chain(answers.iter().flatten().copied())
        .map(|address| address.to_canonical())
        .collect();
    let checks = vec![
        network(&app),
        zone(&app.zoning.of(ends)),
        route(app.connectivity.mode().0),
        address(&app, ends, &known),
        multicast(
            about.name.is_some(),
            answers.as_deref(),
            app.observed_candidates,
        ),
    ];
    Ok(Json(Diagnosis {
        address: ends.remote.ip(),
        checks,
    }))
}

impl Check {
    fn ok(about: Matter, sentence: impl Into<String>) -> Self {
        Self {
            about,
            state: Finding::Ok,
            sentence: sentence.into(),
            action: None,
        }
    }

    fn unknown(about: Matter, sentence: &str) -> Self {
        Self {
            state: Finding::Unknown,
            ..Self::ok(about, sentence)
        }
    }

    fn problem(about: Matter, sentence: impl Into<String>, action: &'static str) -> Self {
        Self {
            state: Finding::Problem,
            action: Some(action),
            ..Self::ok(about, sentence)
        }
    }
}

fn network(app: &App) -> Check {
    if app.reach.no_lan {
        let sentence = "This server serves its own machine only, as its settings say.";
        let action = "Start it without --no-lan to let other devices in.";
        return Check::problem(Matter::Network, sentence, action);
    }
    match app.reach.addresses().first() {
        Some(address) => Check::ok(
            Matter::Network,
            format!("The server is on the network as {address}."),
        ),
        None => Check::problem(
            Matter::Network,
            "The server’s machine has no network address.",
            "Connect it to a Wi-Fi or a cable.",
        ),
    }
}

fn zone(verdict: &Verdict) -> Check {
    match verdict.zone {
        Zone::Open => Check::ok(
            Matter::Zone,
            "No amateur frequencies are known to be between you and the server.",
        ),
        Zone::Part97 => Check::problem(
            Matter::Zone,
            format!(
                "You reach the server across amateur frequencies, where nothing may be encrypted, \
                 and calls between browsers always are ({}).",
                verdict.reason
            ),
            "Join the server’s own Wi-Fi. If this is no amateur radio link, the owner can say so \
             under Station.",
        ),
    }
}

fn route(mode: Mode) -> Check {
    match mode {
        Mode::Online => Check::ok(Matter::Route, "The server’s network has a default route."),
        Mode::Offline => Check::problem(
            Matter::Route,
            "The server’s network has no default route. Where yours has none either, Chrome and \
             Edge find no way to other devices until they may use the camera or the microphone.",
            "Give this network any gateway, or open the secure address and allow the microphone.",
        ),
    }
}

fn address(app: &App, ends: Ends, known: &[IpAddr]) -> Check {
    let seen = ends.remote.ip();
    let own = |address: &IpAddr| {
        let links = app.zoning.links();
        links.iter().any(|link| link.address.addr() == *address)
    };
    match known {
        [] => Check::unknown(
            Matter::Address,
            "Your browser did not tell by which address it knows itself.",
        ),
        _ if known.contains(&seen) || (seen.is_loopback() && known.iter().any(own)) => Check::ok(
            Matter::Address,
            format!("The server sees you at the address your browser uses, {seen}."),
        ),
        [address, ..] => Check::problem(
            Matter::Address,
            format!(
                "Your browser uses the address {address}, and the server sees you at {seen}: \
                 something between translates addresses, such as a VPN, a hotspot or a guest \
                 network."
            ),
            "Switch off VPNs and private relays, and join the same network as the server.",
        ),
    }
}

fn multicast(asked: bool, answers: Option<&[IpAddr]>, observed: bool) -> Check {
    match answers {
        Some([]) if observed => Check::problem(
            Matter::Multicast,
            "This network blocks device discovery (multicast) between you and the server. Calls \
             are tried by the addresses that the server sees.",
            "If calls fail, allow multicast on the access point; the setting is often called \
             multicast filtering or IGMP snooping.",
        ),
        Some([]) => Check::problem(
            Matter::Multicast,
            "This network blocks device discovery (multicast) between you and the server, and \
             browsers find each other by nothing else here.",
            "Allow multicast on the access point, or start the server without \
             --no-observed-candidates.",
        ),
        Some(_) => Check::ok(
            Matter::Multicast,
            "Device discovery (multicast) works between you and the server.",
        ),
        None if asked => Check::unknown(
            Matter::Multicast,
            "The server does not take part in device discovery, so it cannot tell whether it works.",
        ),
        None => Check::unknown(
            Matter::Multicast,
            "Your browser told no name by which device discovery could be tried.",
        ),
    }
}

/// Whether a name is like those that browsers make up to hide an address (RFC 8828, 5.2): nobody can
/// guess it who was not told it, and so nobody searches the network through this server.
fn is_hidden_address(name: &str) -> bool {
    let Some(uuid) = name.strip_suffix(".local") else {
        return false;
    };
    let groups: Vec<_> = uuid.split('-').collect();
    let hexadecimal = |group: &&str| group.bytes().all(|digit| digit.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hexadecimal)
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let diagnose = Operation::new("Why calls may not come about, as the server sees it")
        .query("name", "The caller's hidden address: a UUID in .local")
        .query("address", "The caller's address, where it is not hidden")
        .answers::<Diagnosis>(paths, 200, "What was looked at")
        .refuses(paths, &[400, 403]);
    paths.add("get", "/api/diagnose", diagnose);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_cannot_be_guessed_are_asked_for() {
        assert!(is_hidden_address(
            "0f4e2b3a-9a7c-4b1d-8e2f-0123456789ab.local"
        ));
        for other in [
            "w1aw.local",
            "printer.local",
            "0f4e2b3a-9a7c-4b1d-8e2f-0123456789ab",
            "0f4e2b3a-9a7c-4b1d-8e2f-0123456789ag.local",
            "0f4e2b3a-9a7c-4b1d-8e2f0-123456789ab.local",
            "0f4e2b3a-9a7c-4b1d-8e2f-0123456789ab.example",
            ".local",
        ] {
            assert!(!is_hidden_address(other), "{other}");
        }
    }
}

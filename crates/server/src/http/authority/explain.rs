//! Why a certificate is trusted, or the exact reason why not, also as one sentence.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use pki::graph::{Blocked, Explanation, Path as GraphPath, Step as GraphStep, Verdict};
use serde::Serialize;
use station::licence::VouchMethod;
use station::{Callsign, Fingerprint, KeyId};

use super::{App, Status, fingerprint, no_such_certificate, off_the_serving_threads};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::toll;
use crate::network::Ends;

/// `GET /api/certificates/{fingerprint}/explain`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Explanation"))]
pub(in crate::http) struct Explained {
    /// What it is worth here.
    status: Status,
    /// Why, as a sentence.
    sentence: String,
    /// For a trusted one: the shortest path to an anchor by each voucher, the certificate itself
    /// first; at most 8.
    paths: Vec<Way>,
    /// For an untrusted one: self-signed certificates above it, none of them an anchor; at most 16.
    roots: Vec<Step>,
    /// For an untrusted one: certificates above it that let no path through; at most 16.
    blocked: Vec<Obstacle>,
    /// Other certificates of the same key that are trusted.
    trusted_by: Vec<Fingerprint>,
}

/// A path from a certificate up to an anchor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TrustPath"))]
struct Way {
    /// Its certificates, each signed by the next one's key.
    steps: Vec<Step>,
    /// How many are left out in the middle of a very long path.
    left_out: usize,
}

/// A certificate of an explanation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TrustStep"))]
struct Step {
    /// Its label.
    fingerprint: Fingerprint,
    /// Its holder.
    callsign: Callsign,
    /// Its holder's key.
    key_id: KeyId,
    /// Whether it is a server's.
    server: bool,
    /// Who checked the licence, as it says.
    vouched_by: Option<Callsign>,
    /// How, as it says.
    method: Option<VouchMethod>,
    /// Whether the owner made it a trust anchor.
    anchor: bool,
}

/// What lets no path through.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TrustObstacle"))]
struct Obstacle {
    /// The certificate.
    step: Step,
    /// Why it counts for nothing; null when it is good, but does not let its holder vouch.
    cause: Option<String>,
}

pub(in crate::http) async fn explain(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Path(named): Path<String>,
) -> Result<Json<Explained>, Problem> {
    let named = fingerprint(&named)?;
    toll::search(&app, ends.sharing())?;
    off_the_serving_threads(&app, move |app| {
        let explained = app.authority.look(|graph| {
            let explanation = graph.explain(&named)?;
            Some((graph.verdict(&named), explanation))
        });
        let (verdict, explanation) = explained.ok_or_else(no_such_certificate)?;
        Ok(Json(Explained::of(verdict, explanation)))
    })
    .await
}

impl Explained {
    fn of(verdict: Verdict, explanation: Explanation) -> Self {
        let mut explained = Self {
            status: verdict.into(),
            sentence: sentence(&explanation),
            paths: Vec::new(),
            roots: Vec::new(),
            blocked: Vec::new(),
            trusted_by: Vec::new(),
        };
        match explanation {
            Explanation::Trusted(paths) => {
                explained.paths = paths.into_iter().map(Way::from).collect();
            }
            Explanation::NoPath {
                roots,
                blocked,
                trusted_by,
            } => {
                explained.roots = roots.into_iter().map(Step::from).collect();
                explained.blocked = blocked.into_iter().map(Obstacle::from).collect();
                explained.trusted_by = trusted_by;
            }
            Explanation::Dead(_) | Explanation::Waiting => {}
        }
        explained
    }
}

fn sentence(explanation: &Explanation) -> String {
    match explanation {
        Explanation::Trusted(paths) => trusted_by(paths),
        Explanation::Dead(cause) => format!("It counts for nothing here: {cause}."),
        Explanation::Waiting => {
            "It waits: the certificate of its issuer is not known here.".to_owned()
        }
        Explanation::NoPath { blocked, .. } => match blocked.first() {
            None => "Nobody this server trusts vouches for it.".to_owned(),
            Some(Blocked { step, cause }) => {
                let why = cause.map_or_else(
                    || "it does not let its holder vouch for others".to_owned(),
                    |cause| cause.to_string(),
                );
                let whose = &step.callsign;
                format!(
                    "No way leads from it to a trust anchor. {whose}'s certificate is in the way: {why}."
                )
            }
        },
    }
}

fn trusted_by(paths: &[GraphPath]) -> String {
    let steps = paths.first().map_or(&[][..], |path| path.steps.as_slice());
    match steps {
        [] | [_] => "The owner of this server made it a trust anchor.".to_owned(),
        [first, above, ..] => {
            let how = first
                .vouched
                .as_ref()
                .map_or("", |(_, method)| in_words(*method));
            let voucher = &above.callsign;
            let others = match paths.len() {
                1 => String::new(),
                2 => ", and so does somebody else".to_owned(),
                more => format!(", and so do {} others", more - 1),
            };
            if above.anchor {
                return format!("{voucher}, a trust anchor here, vouches for it{how}{others}.");
            }
            let anchor = steps.last().map_or(voucher, |last| &last.callsign);
            format!("{voucher} vouches for it{how}{others}; {anchor} is the trust anchor above.")
        }
    }
}

fn in_words(method: VouchMethod) -> &'static str {
    match method {
        VouchMethod::SelfAsserted => "",
        VouchMethod::InPerson => ", having met its holder in person",
        VouchMethod::Lotw => ", by a Logbook of the World certificate",
        VouchMethod::Endorsements => ", on three operators' word",
        VouchMethod::Document => ", by a document",
    }
}

impl From<GraphPath> for Way {
    fn from(path: GraphPath) -> Self {
        Self {
            steps: path.steps.into_iter().map(Step::from).collect(),
            left_out: path.left_out,
        }
    }
}

impl From<GraphStep> for Step {
    fn from(step: GraphStep) -> Self {
        let (vouched_by, method) = step.vouched.unzip();
        Self {
            fingerprint: step.fingerprint,
            callsign: step.callsign,
            key_id: step.key,
            server: step.server,
            vouched_by,
            method,
            anchor: step.anchor,
        }
    }
}

impl From<Blocked> for Obstacle {
    fn from(blocked: Blocked) -> Self {
        Self {
            step: blocked.step.into(),
            cause: blocked.cause.map(|cause| cause.to_string()),
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let operation = Operation::new("Why a certificate is trusted, or why not")
        .answers::<Explained>(paths, 200, "The explanation")
        .refuses(paths, &[404, 429]);
    paths.add("get", "/api/certificates/{fingerprint}/explain", operation);
}

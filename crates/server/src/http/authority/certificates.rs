//! Certificates: listing, one in full, and bringing one.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pki::graph::{Held, Position, Refused};
use pki::{Certificate, TrustGraph};
use serde::{Deserialize, Serialize};
use station::{Callsign, Fingerprint, KeyId};

use super::{App, Status, Summary, fingerprint, no_such_certificate, off_the_serving_threads};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::signed::{Signed, Signer};
use crate::http::toll;
use crate::network::Ends;
use crate::runtime::authority::{AdmissionError, Bringer, Brought};

/// Certificates on a page, unless fewer are asked for.
const USUAL_PAGE: usize = 100;

/// Most certificates on a page.
const MOST_ON_PAGE: usize = 500;

/// Most certificates that may be brought above one.
const MOST_ABOVE: usize = 64;

/// Most certificates that are shown above one.
const MOST_SHOWN: usize = 64;

/// `GET /api/certificates`.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Wanted {
    /// Compared by its base.
    callsign: Option<String>,
    /// The base begins with it.
    prefix: Option<String>,
    /// The key that signed.
    issuer: Option<KeyId>,
    status: Option<Status>,
    limit: Option<usize>,
    after: Option<String>,
}

/// A certificate in full.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CertificateDetails"))]
pub(in crate::http) struct Details {
    #[serde(flatten)]
    summary: Summary,
    /// The certificate, PEM.
    certificate: String,
    /// Those above it, PEM, its issuer's first: by which it is trusted, or else that are known.
    chain: Vec<String>,
    /// When it was made, in seconds since 1970 by its maker's clock.
    not_before: i64,
    /// Other trusted keys of the same callsign.
    contested_by: Vec<KeyId>,
    /// The key that took its key's place.
    successor: Option<KeyId>,
    /// Keys of others that say it is dead. It is for a person to believe them or not.
    advice: Vec<Advice>,
    /// Most certificates that may stand below its key, where the owner changed it.
    cap: Option<usize>,
    /// Certificates that stand below its key.
    below: usize,
}

/// Somebody's word that a certificate is dead.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TombstoneAdvice"))]
struct Advice {
    /// Whose key signed it.
    key_id: KeyId,
    /// Whose that is, if the key is trusted.
    callsign: Option<Callsign>,
}

/// `POST /api/certificates`, signed by the holder, an operator or the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CertificateSubmission"))]
pub(in crate::http) struct Submission {
    /// The certificate, PEM.
    certificate: String,
    /// Those above it, PEM, its issuer's first; at most 64.
    #[serde(default)]
    chain: Vec<String>,
}

/// A certificate was taken, and counts once its issuer's comes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CertificateWaits"))]
pub(in crate::http) struct Waits {
    /// Always `waiting`.
    status: Status,
    /// The certificate.
    fingerprint: Fingerprint,
}

pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|error| Problem::bad_request(error.body_text()))?;
    let bad = |error: String| Problem::bad_request(error);
    let callsign = wanted.callsign.as_deref().map(Callsign::parse).transpose();
    let callsign = callsign.map_err(|error| bad(error.to_string()))?;
    let prefix = wanted.prefix.as_deref().map(prefix).transpose()?;
    let first = prefix
        .as_deref()
        .map(|prefix| format!("{prefix}.{BEFORE_ALL}"));
    let after = wanted.after.as_deref().or(first.as_deref());
    let after = after.map(str::parse::<Position>);
    let after = after.transpose().map_err(|error| bad(error.to_string()))?;
    // A position begins with the base of its callsign.
    let begins = |text: &str| {
        prefix
            .as_deref()
            .is_none_or(|prefix| text.starts_with(prefix))
    };
    let limit = wanted.limit.unwrap_or(USUAL_PAGE);
    if !(1..=MOST_ON_PAGE).contains(&limit) {
        return Err(bad(format!("limit is a number from 1 to {MOST_ON_PAGE}")));
    }
    let (summaries, next) = app.authority.look(|graph| {
        let fits = |held: &Held<'_>| {
            let status = Status::from(held.verdict);
            wanted.status.is_none_or(|wanted| wanted == status)
                && wanted.issuer.is_none_or(|issuer| issuer == held.issuer)
                && begins(held.certificate.callsign().base())
        };
        let page = graph.listed(after.as_ref(), callsign.as_ref(), limit, fits);
        let held = page.held.iter().map(|held| Summary::of(graph, held));
        let next = page.next.filter(|next| begins(&next.to_string()));
        (held.collect::<Vec<_>>(), next)
    });
    let mut response = Json(summaries).into_response();
    if let Some(next) = next {
        let link = next_page(&wanted, limit, &next);
        let link = HeaderValue::from_str(&link).map_err(|error| Problem::internal(&error))?;
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// The identity before every other.
const BEFORE_ALL: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The beginning of a callsign's base, as a person types it.
fn prefix(text: &str) -> Result<String, Problem> {
    let text = text.trim().to_ascii_uppercase();
    let is_part = (1..=station::callsign::MAX_LEN).contains(&text.len())
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric());
    is_part.then_some(text).ok_or_else(|| {
        Problem::bad_request("the beginning of a callsign has letters and digits only")
    })
}

/// RFC 8288. What is put into the address was parsed before, and needs no escaping but for the slash
/// of a callsign, which a query may hold (RFC 3986, 3.4).
fn next_page(wanted: &Wanted, limit: usize, next: &Position) -> String {
    let mut address = format!("/api/certificates?limit={limit}");
    if let Some(callsign) = wanted.callsign.as_deref().map(Callsign::parse) {
        address += &callsign.map_or_else(|_| String::new(), |call| format!("&callsign={call}"));
    }
    if let Some(prefix) = wanted.prefix.as_deref().and_then(|text| prefix(text).ok()) {
        address += &format!("&prefix={prefix}");
    }
    if let Some(issuer) = wanted.issuer {
        address += &format!("&issuer={issuer}");
    }
    if let Some(status) = wanted.status {
        address += &format!("&status={}", status.as_str());
    }
    format!("<{address}&after={next}>; rel=\"next\"")
}

pub(in crate::http) async fn one(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
) -> Result<Json<Details>, Problem> {
    let named = fingerprint(&named)?;
    app.authority
        .look(|graph| details(graph, &named))
        .map(Json)
        .ok_or_else(no_such_certificate)
}

fn details(graph: &TrustGraph, named: &Fingerprint) -> Option<Details> {
    let Some(certificate) = graph.certificate(named) else {
        let mut waiting = graph.waiting_certificates();
        let certificate = waiting.find(|waiting| waiting.fingerprint() == *named)?;
        return Some(Details::new(Summary::waiting(certificate), certificate));
    };
    let identity = certificate.identity();
    let held = graph.held(&identity)?;
    let key = certificate.key_id();
    let mut contested_by = graph.trusted_keys(certificate.callsign());
    contested_by.retain(|other| *other != key);
    let advice = graph.advice(&identity).map(|key_id| Advice {
        key_id,
        callsign: graph
            .trusted_certificates(&key_id)
            .first()
            .map(|trusted| trusted.callsign().clone()),
    });
    let chain = graph.chain(&identity, MOST_SHOWN).into_iter();
    Some(Details {
        chain: chain.map(|above| above.to_pem()).collect(),
        contested_by,
        successor: graph.successor(&key),
        advice: advice.collect(),
        cap: graph
            .caps()
            .find(|(capped, _)| *capped == key)
            .map(|(_, cap)| cap),
        below: graph.below(&key),
        ..Details::new(Summary::of(graph, &held), certificate)
    })
}

impl Details {
    fn new(summary: Summary, certificate: &Certificate) -> Self {
        Self {
            summary,
            certificate: certificate.to_pem(),
            chain: Vec::new(),
            not_before: seconds(certificate.not_before()),
            contested_by: Vec::new(),
            successor: None,
            advice: Vec::new(),
            cap: None,
            below: 0,
        }
    }
}

/// Seconds since 1970. A certificate's date lies within four digits of a year.
fn seconds(time: std::time::SystemTime) -> i64 {
    match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

pub(in crate::http) async fn add(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    Signed { signer, body }: Signed<Submission>,
) -> Result<Response, Problem> {
    let certificate = read(&body.certificate, "the certificate")?;
    if body.chain.len() > MOST_ABOVE {
        return Err(bad_certificate(format!(
            "at most {MOST_ABOVE} certificates may be brought above one"
        )));
    }
    let above = body.chain.iter().zip(1..);
    let chain = above
        .map(|(pem, place)| read(pem, &format!("certificate {place} of the chain")))
        .collect::<Result<Vec<_>, _>>()?;
    let bringer = match signer {
        Signer::Owner => Bringer::Owner,
        Signer::Operator(key) => Bringer::Operator(key),
        Signer::Holder(fingerprint) if fingerprint == certificate.fingerprint() => Bringer::Holder,
        Signer::Holder(_) => {
            let error = "only an operator trusted here may bring somebody else's certificate; ask \
                         the owner of this server to vouch for you first";
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "license-required",
                error,
            ));
        }
    };
    off_the_serving_threads(&app, move |app| {
        let from = ends.group();
        let bring = || {
            let brought = app.authority.bring(&certificate, &chain, bringer, from);
            brought.map_err(not_taken)
        };
        let brought = if bringer == Bringer::Owner {
            bring()?
        } else {
            toll::checks(app, ends.sharing(), 1 + chain.len())?;
            toll::counted(app, ends.sharing(), bring)?
        };
        match brought {
            Brought::Held(identity) => {
                let summary = app.authority.look(|graph| {
                    let held = graph.held(&identity);
                    held.map(|held| Summary::of(graph, &held))
                });
                let summary = summary.ok_or_else(no_such_certificate)?;
                Ok((StatusCode::CREATED, Json(summary)).into_response())
            }
            Brought::Waiting => {
                let waits = Waits {
                    status: Status::Waiting,
                    fingerprint: certificate.fingerprint(),
                };
                Ok((StatusCode::ACCEPTED, Json(waits)).into_response())
            }
        }
    })
    .await
}

fn read(pem: &str, which: &str) -> Result<Certificate, Problem> {
    Certificate::from_pem(pem).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        let error = format!(
            "{which} cannot be used: {error}{}",
            cause.unwrap_or_default()
        );
        bad_certificate(error)
    })
}

fn bad_certificate(error: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-certificate", error)
}

fn not_taken(error: AdmissionError) -> Problem {
    match error {
        AdmissionError::Store(error) => Problem::internal(&error),
        AdmissionError::Unsigned(_) | AdmissionError::MeansAnother(_) => {
            bad_certificate(error.to_string())
        }
        AdmissionError::Refused(refused) => {
            let code = match refused {
                Refused::Budget => "rate-limited",
                Refused::Full(_) | Refused::NameCrowded | Refused::IssuerFull(_) => "full",
            };
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code, refused.to_string())
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let list = Operation::new("The certificates known here, by callsign; the next page is in Link")
        .query("callsign", "Of this callsign only, compared by its base")
        .query("prefix", "Of callsigns whose base begins with this only")
        .query("issuer", "Signed by the key of this id only")
        .query("status", "Of this status only")
        .query("limit", "Most on the page, 1 to 500; 100 without it")
        .query("after", "The cursor of the page before")
        .answers::<Vec<Summary>>(paths, 200, "A page")
        .refuses(paths, &[400]);
    paths.add("get", "/api/certificates", list);
    let add = Operation::new("Bring a certificate; signed by its holder, an operator or the owner")
        .takes::<Submission>(paths)
        .answers::<Summary>(paths, 201, "It is known here, perhaps since long")
        .answers::<Waits>(paths, 202, "It waits for its issuer's certificate")
        .refuses(paths, &[400, 401, 403, 429]);
    paths.add("post", "/api/certificates", add);
    let one = Operation::new("A certificate in full")
        .answers::<Details>(paths, 200, "The certificate")
        .refuses(paths, &[404]);
    paths.add("get", "/api/certificates/{fingerprint}", one);
}

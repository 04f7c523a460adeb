//! The issuance log, for everybody: in pages, as a checkpoint, and as one text.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use pki::log::export::BETWEEN;
use pki::log::{Checkpoint, Entry};
use serde::{Deserialize, Serialize};
use station::licence::VouchMethod;
use station::{Callsign, Digest, Fingerprint, Identity, KeyId, LicenceClass};

use super::issuing::problem;
use super::{App, off_the_serving_threads};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::runtime::authority::messages::CheckpointMessage;

/// Entries on a page.
const PAGE: u32 = 100;

/// Entries that an export reads at once.
const PIECE: u32 = 256;

/// `GET /api/log`.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Wanted {
    /// How many entries the asker has.
    #[serde(default)]
    after: u64,
}

/// A page of the log.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "LogPage"))]
pub(in crate::http) struct Page {
    /// Entries, in order.
    entries: Vec<LogEntry>,
    /// The server's word on the whole log.
    checkpoint: CheckpointMessage,
}

/// One issuance, as `docs/protocol/certificates.md` describes an entry.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LogEntry {
    /// Its place, from 0.
    index: u64,
    /// When, in seconds since 1970 by the server's clock.
    time: u64,
    /// The certificate's label.
    certificate: Fingerprint,
    /// What the certificate is known by.
    identity: Identity,
    /// The key in it.
    holder: KeyId,
    /// Whose it is.
    callsign: Callsign,
    /// The class in it.
    license_class: Option<LicenceClass>,
    /// How the licence was checked.
    method: VouchMethod,
    /// SHA-256 of what was shown.
    evidence: Option<Digest>,
    /// The head of the log before it.
    previous: Digest,
    /// The head of the log with it.
    head: Digest,
}

pub(in crate::http) async fn page(
    State(app): State<Arc<App>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|error| Problem::bad_request(error.body_text()))?;
    // More than the database counts is beyond the end of every log.
    let from = wanted.after.min(i64::MAX.unsigned_abs());
    off_the_serving_threads(&app, move |app| {
        let part = app.issuing.log(from, PAGE).map_err(problem)?;
        let next = part.entries.last().map(|last| last.index + 1);
        let more = next.filter(|next| *next < part.checkpoint.tip.size);
        let page = Page {
            entries: part.entries.into_iter().map(LogEntry::from).collect(),
            checkpoint: part.checkpoint.into(),
        };
        let mut response = Json(page).into_response();
        if let Some(next) = more {
            let link = format!("</api/log?after={next}>; rel=\"next\"");
            let link = HeaderValue::from_str(&link).map_err(|error| Problem::internal(&error))?;
            response.headers_mut().insert(header::LINK, link);
        }
        Ok(response)
    })
    .await
}

pub(in crate::http) async fn checkpoint(
    State(app): State<Arc<App>>,
) -> Result<Json<CheckpointMessage>, Problem> {
    off_the_serving_threads(&app, |app| {
        let checkpoint = app.issuing.checkpoint().map_err(problem)?;
        Ok(Json(checkpoint.into()))
    })
    .await
}

/// The whole log up to now, in pieces, so that neither memory nor the database is held for long. Where
/// it breaks off there is no checkpoint at its end.
pub(in crate::http) async fn export(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let checkpoint = off_the_serving_threads(&app, |app| app.issuing.checkpoint().map_err(problem));
    let checkpoint = checkpoint.await?;
    let pieces = stream::try_unfold(Some(0), move |from| {
        let (app, checkpoint) = (Arc::clone(&app), checkpoint.clone());
        async move {
            let Some(from) = from else { return Ok(None) };
            let piece = off_the_serving_threads(&app, move |app| piece(app, from, &checkpoint));
            let piece = piece.await.map_err(|_| BrokenOff)?;
            Ok::<_, BrokenOff>(Some(piece))
        }
    });
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, Body::from_stream(pieces)).into_response())
}

/// The log could not be read to its end; why was logged.
#[derive(Debug, thiserror::Error)]
#[error("the log could not be read to its end")]
struct BrokenOff;

/// The text from this place on, and where the next piece begins. The checkpoint is the last.
fn piece(app: &App, from: u64, checkpoint: &Checkpoint) -> Result<(Bytes, Option<u64>), Problem> {
    let left = checkpoint.tip.size - from;
    if left == 0 {
        let text = checkpoint.to_text() + "\n";
        return Ok((text.into(), None));
    }
    let most = u32::try_from(left).unwrap_or(PIECE).min(PIECE);
    let part = app.issuing.log(from, most).map_err(problem)?;
    let mut text = String::new();
    for entry in &part.entries {
        text += &entry.to_text();
        text += BETWEEN;
    }
    let next = part
        .entries
        .last()
        .map_or(checkpoint.tip.size, |last| last.index + 1);
    Ok((text.into(), Some(next)))
}

impl From<Entry> for LogEntry {
    fn from(entry: Entry) -> Self {
        let head = entry.head();
        let Entry {
            index,
            issued,
            previous,
        } = entry;
        Self {
            index,
            time: issued.time,
            certificate: issued.certificate,
            identity: issued.identity,
            holder: issued.holder,
            callsign: issued.callsign,
            license_class: issued.class,
            method: issued.method,
            evidence: issued.evidence,
            previous,
            head,
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let page = Operation::new("What this server issued; the next page is in Link")
        .query("after", "How many entries the asker has")
        .answers::<Page>(paths, 200, "At most 100 entries, and the newest checkpoint")
        .refuses(paths, &[400]);
    paths.add("get", "/api/log", page);
    let checkpoint = Operation::new("How far the log goes, signed by the server")
        .answers::<CheckpointMessage>(paths, 200, "The checkpoint");
    paths.add("get", "/api/log/checkpoint", checkpoint);
    let export = Operation::new("The whole log").answers_file(
        "Entries and a checkpoint; see certificates.md",
        "text/plain",
    );
    paths.add("get", "/api/log/export", export);
}

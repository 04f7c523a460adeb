//! The trust bundle: `GET /api/trust-bundle`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use station::{Fingerprint, Identity};

use super::{App, off_the_serving_threads};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::runtime::authority::messages::{RekeyMessage, TombstoneMessage};
use crate::runtime::authority::{BundleError, TrustBundle};

/// Whom this server trusts and distrusts, signed. It makes nobody a client's trust anchor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TrustBundle"))]
pub(in crate::http) struct Answer {
    /// The server's certificate.
    server: Fingerprint,
    /// When it held this listing, in seconds since 1970 by its clock.
    timestamp: u64,
    /// Certificates that are trusted here, PEM.
    certificates: Vec<String>,
    /// Identities of certificates that its owner blacklisted.
    blacklisted: Vec<Identity>,
    /// Tombstones.
    tombstones: Vec<TombstoneMessage>,
    /// Changes of keys.
    rekeys: Vec<RekeyMessage>,
    /// By the server's key over `trust-bundle`: r‖s, base64url.
    signature: String,
}

pub(in crate::http) async fn bundle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    off_the_serving_threads(&app, move |app| {
        let bundle = app.authority.trust_bundle(&app.ownership, &app.random);
        let bundle = bundle.map_err(|error| match error {
            BundleError::Unclaimed => {
                Problem::new(StatusCode::CONFLICT, "unclaimed", error.to_string())
            }
            error => Problem::internal(&error),
        })?;
        // A signature is never made twice.
        let tag = HeaderValue::from_str(&format!("\"{}\"", bundle.signature));
        let tag = tag.map_err(|error| Problem::internal(&error))?;
        if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
            return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
        }
        let body = bundle.encoded(|bundle| {
            // Texts and numbers: there is nothing in it that JSON cannot hold.
            serde_json::to_vec(&Answer::from(bundle)).unwrap_or_default()
        });
        let json = HeaderValue::from_static("application/json");
        let headers = [(header::ETAG, tag), (header::CONTENT_TYPE, json)];
        Ok((headers, body).into_response())
    })
    .await
}

impl From<&TrustBundle> for Answer {
    fn from(bundle: &TrustBundle) -> Self {
        let certificates = bundle.certificates.iter();
        Self {
            server: bundle.server,
            timestamp: bundle.timestamp,
            certificates: certificates.map(pki::Certificate::to_pem).collect(),
            blacklisted: bundle.blacklisted.clone(),
            tombstones: bundle
                .tombstones
                .iter()
                .cloned()
                .map(TombstoneMessage::from)
                .collect(),
            rekeys: bundle
                .rekeys
                .iter()
                .cloned()
                .map(RekeyMessage::from)
                .collect(),
            signature: bundle.signature.clone(),
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let bundle = Operation::new("Whom this server trusts and distrusts, signed")
        .answers::<Answer>(paths, 200, "The bundle; its ETag changes with it")
        .answers_nothing(304, "It is still the one in If-None-Match")
        .refuses(paths, &[409]);
    paths.add("get", "/api/trust-bundle", bundle);
}

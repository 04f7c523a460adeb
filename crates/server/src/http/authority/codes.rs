//! The owner's codes, by which one person each gets a certificate.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use station::{Callsign, LicenceClass};
use store::{IssueCode, RandomId};

use super::issuing::{callsign, class, problem};
use super::{App, off_the_serving_threads};
use crate::http::guard::was_forwarded;
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::signed::ByOwner;
use crate::network::Ends;

/// `POST /api/codes`, signed by the owner.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct CodeRequest {
    /// Whom the certificate will be for.
    callsign: String,
    /// The class on the licence that the owner saw.
    license_class: Option<String>,
}

/// A new code. This is the only time that it is shown.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct NewCode {
    /// The secret, for the person to type: 16 letters and digits in groups of four.
    code: String,
    #[serde(flatten)]
    listed: OpenCode,
}

/// `GET /api/codes`, signed by the owner.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::http) struct Codes {
    /// The codes that nobody has used, the oldest first.
    codes: Vec<OpenCode>,
}

/// A code that nobody has used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct OpenCode {
    /// What to call it by.
    id: String,
    /// Whom the certificate will be for.
    callsign: Callsign,
    /// The class that the certificate will say.
    license_class: Option<LicenceClass>,
    /// When it was made, in seconds since 1970 by the server's clock.
    created_at: u64,
}

pub(in crate::http) async fn add(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
    ByOwner(request): ByOwner<CodeRequest>,
) -> Result<(StatusCode, Json<NewCode>), Problem> {
    if !is_private(ends, &headers) {
        let error =
            "a code is a secret: make it at this server's secure address, or on its machine";
        let status = StatusCode::FORBIDDEN;
        return Err(Problem::new(status, "insecure-connection", error));
    }
    let callsign = callsign(&request.callsign)?;
    let class = class(request.license_class.as_deref())?;
    off_the_serving_threads(&app, move |app| {
        let code = app.issuing.make_code(callsign, class).map_err(problem)?;
        tracing::info!(callsign = %code.callsign, id = %code.id, "an issue code was made");
        let made = NewCode {
            code: code.code.to_string(),
            listed: code.into(),
        };
        Ok((StatusCode::CREATED, Json(made)))
    })
    .await
}

pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    ByOwner(()): ByOwner<()>,
) -> Json<Codes> {
    let codes = app.issuing.codes().into_iter();
    Json(Codes {
        codes: codes.map(OpenCode::from).collect(),
    })
}

pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    ByOwner(()): ByOwner<()>,
) -> Result<StatusCode, Problem> {
    let id = RandomId::parse(&id).ok_or_else(Problem::not_found)?;
    off_the_serving_threads(&app, move |app| {
        app.issuing.remove_code(id).map_err(problem)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Whether nobody else reads the answer: it is encrypted, or stays within this machine.
fn is_private(ends: Ends, headers: &HeaderMap) -> bool {
    ends.tls || ends.loopback() && !was_forwarded(headers)
}

impl From<IssueCode> for OpenCode {
    fn from(code: IssueCode) -> Self {
        Self {
            id: code.id.to_string(),
            callsign: code.callsign,
            license_class: code.licence_class,
            created_at: code.created_at,
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let add = Operation::new("Make a code; signed by the owner, over loopback or TLS")
        .takes::<CodeRequest>(paths)
        .answers::<NewCode>(paths, 201, "The code, shown this once")
        .refuses(paths, &[400, 401, 403, 429]);
    paths.add("post", "/api/codes", add);
    let list = Operation::new("The codes that nobody has used; signed by the owner")
        .answers::<Codes>(paths, 200, "Without the secrets")
        .refuses(paths, &[401, 403]);
    paths.add("get", "/api/codes", list);
    let remove = Operation::new("Take a code back; signed by the owner")
        .answers_nothing(204, "It is worthless now")
        .refuses(paths, &[401, 403, 404]);
    paths.add("delete", "/api/codes/{id}", remove);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_shown_over_tls_or_within_the_machine() {
        let ends =
            |local: &str, remote: &str| Ends::new(local.parse().unwrap(), remote.parse().unwrap());
        let here = ends("127.0.0.1:8080", "127.0.0.1:50000");
        let lan = ends("192.168.1.2:8080", "192.168.1.9:50000");
        let plain = HeaderMap::new();
        let mut forwarded = HeaderMap::new();
        forwarded.insert("x-forwarded-for", "192.168.1.9".parse().unwrap());
        assert!(is_private(here, &plain));
        assert!(is_private(lan.over_tls(), &plain));
        assert!(!is_private(lan, &plain));
        assert!(!is_private(here, &forwarded), "a proxy may stand before it");
    }
}

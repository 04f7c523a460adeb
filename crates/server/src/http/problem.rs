//! Problem documents (RFC 9457), with the two members every client of this server reads.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request was not done.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    error: String,
    retry_after: Option<Duration>,
}

/// The document as it is sent.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Problem"))]
pub(super) struct Document<'a> {
    /// Always `about:blank`: the status says the kind.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The same as `error`.
    detail: &'a str,
    /// The sentence to show a person.
    error: &'a str,
    /// A stable word for programs.
    code: &'static str,
}

impl Problem {
    /// A status, a stable word for programs, and a sentence for a person.
    pub(super) fn new(status: StatusCode, code: &'static str, error: impl Into<String>) -> Self {
        Self {
            status,
            code,
            error: error.into(),
            retry_after: None,
        }
    }

    /// Too much at once: what failed, or what was done. The answer says when to come again.
    pub(super) fn too_many(error: impl Into<String>, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", error)
        }
    }

    /// Whether the caller sent something wrong, rather than too much or at a bad time.
    pub(super) fn is_callers_fault(&self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        )
    }

    pub(super) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", error)
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "there is nothing at this address",
        )
    }

    /// Trouble of ours: logged here, where it is handled, and told without its insides.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        let causes: Vec<_> = std::iter::successors(Some(error), |error| error.source())
            .map(ToString::to_string)
            .collect();
        tracing::error!(causes = causes.join(": "), "a request failed");
        let error = "the server could not do this; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Problem"),
            status: self.status.as_u16(),
            detail: &self.error,
            error: &self.error,
            code: self.code,
        };
        let media_type = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, media_type);
        if let Some(wait) = self.retry_after {
            // Whole seconds (RFC 9110, 10.2.3), rather late than early.
            headers.insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        response
    }
}

/// A path that exists, asked with a method it has not.
pub(super) async fn method_not_allowed() -> Problem {
    let error = "this address does not take that method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", error)
}

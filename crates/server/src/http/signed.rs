//! Signed requests (RFC 9421): who sends what only some may do.
//!
//! One shape is accepted: label `sig1` over `"@method" "@target-uri"` and, where there is a body,
//! `"content-digest"`, with a nonce of this server's and a tag that names it. The nonce is the
//! replay protection; `created` is not judged, since clocks are wrong in the field.
//!
//! Who signs is the owner, with the key of a certificate of theirs; an operator, with that of a
//! certificate that is trusted here; or the holder of a certificate that the body brings along.
//! Commands on this machine sign with the secret in `admin.key`, which only this machine's user can
//! read, and count as the owner.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use pki::request::{RequestSignature, is_digest_of};
use pki::{Certificate, SignatureBase};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use signaling::AddressGroup;
use station::{Fingerprint, KeyId};

use super::App;
use super::guard::{Authority, was_forwarded};
use super::problem::Problem;
use super::toll;
use crate::network::Ends;

/// A request's body with whoever signed it.
#[derive(Debug)]
pub(super) struct Signed<T> {
    pub(super) signer: Signer,
    pub(super) body: T,
}

/// A request's body, signed by the owner.
#[derive(Debug)]
pub(super) struct ByOwner<T>(pub(super) T);

/// Who signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signer {
    /// The owner, or a command on this machine.
    Owner,
    /// The key of a certificate that is trusted here.
    Operator(KeyId),
    /// The key of the certificate in the body, of whom nothing else is known here.
    Holder(Fingerprint),
}

/// Why a signed request is refused. Every refusal comes with a fresh nonce.
#[derive(Debug)]
pub(super) struct Refused(Problem, Option<HeaderValue>);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Signed<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let group = parts
            .extensions
            .get::<Ends>()
            .map(|ends| ends.sharing().group);
        let whole = Request::from_parts(parts.clone(), body);
        let body = match Bytes::from_request(whole, app).await {
            Ok(body) => body,
            Err(rejection) => {
                let problem =
                    Problem::new(rejection.status(), "bad-request", rejection.body_text());
                return Err(Refused(problem, None));
            }
        };
        let signer = check(app, &parts, &body).map_err(|problem| refuse(app, group, problem))?;
        let body = if body.is_empty() {
            b"null"
        } else {
            body.as_ref()
        };
        match serde_json::from_slice(body) {
            Ok(body) => Ok(Self { signer, body }),
            Err(error) => Err(Refused(Problem::bad_request(error.to_string()), None)),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for ByOwner<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        let Signed { signer, body } = Signed::from_request(request, app).await?;
        if signer == Signer::Owner {
            return Ok(Self(body));
        }
        let error = "only the owner of this server may do this";
        let problem = Problem::new(StatusCode::FORBIDDEN, "not-the-owner", error);
        Err(Refused(problem, None))
    }
}

fn check(app: &App, parts: &Parts, body: &[u8]) -> Result<Signer, Problem> {
    let (Some(input), Some(signatures)) = (
        single(&parts.headers, "signature-input"),
        single(&parts.headers, "signature"),
    ) else {
        let error = "not everybody may do this: the request must be signed";
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "signature-required",
            error,
        ));
    };
    let from = parts.extensions.get::<Ends>().map(Ends::sharing);
    let Some(from) = from else {
        return Err(unreadable());
    };
    toll::checks(app, from, 1)?;
    let signature = RequestSignature::read(input, signatures).map_err(|_| unreadable());
    signature
        .and_then(|signature| verify(app, parts, body, &signature))
        .map_err(|problem| toll::failed(app, from, problem))
}

fn verify(
    app: &App,
    parts: &Parts,
    body: &[u8],
    signature: &RequestSignature,
) -> Result<Signer, Problem> {
    let needed: &[&str] = if body.is_empty() {
        &["@method", "@target-uri"]
    } else {
        &["@method", "@target-uri", "content-digest"]
    };
    if signature.components != needed {
        return Err(bad(
            "the signature must cover the method, the address and the body's digest",
        ));
    }
    let digest = single(&parts.headers, "content-digest").unwrap_or_default();
    if !body.is_empty() && !is_digest_of(digest, body) {
        return Err(bad("the body is not the one that was signed"));
    }
    if signature.tag != tag(app) {
        return Err(bad("the signature is meant for another server"));
    }
    if !app.nonces.take(&signature.nonce, Instant::now()) {
        return Err(bad(
            "the nonce was used before or is too old; sign again with a new one",
        ));
    }
    let ends = parts.extensions.get::<Ends>().ok_or_else(unreadable)?;
    let authority = parts
        .extensions
        .get::<Authority>()
        .map_or("", Authority::as_str);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let target = format!("{}://{authority}{path}", ends.scheme());
    let components = [
        ("@method", parts.method.as_str()),
        ("@target-uri", &target),
        ("content-digest", digest),
    ];
    let base = SignatureBase::new(&components[..needed.len()], &signature.parameters)
        .map_err(|_| unreadable())?;
    if signature.key == "admin" {
        return by_admin(app, parts, signature, &base);
    }
    by_key(app, body, signature, &base)
}

fn by_admin(
    app: &App,
    parts: &Parts,
    signature: &RequestSignature,
    base: &SignatureBase,
) -> Result<Signer, Problem> {
    let ends = parts.extensions.get::<Ends>();
    let from_here = ends.is_some_and(Ends::loopback)
        && !was_forwarded(&parts.headers)
        && !parts.headers.contains_key(header::ORIGIN);
    let genuine = signature.algorithm == "hmac-sha256" && app.admin.verify(base, &signature.bytes);
    if from_here && genuine {
        Ok(Signer::Owner)
    } else {
        Err(bad("the secret in admin.key is not this server's"))
    }
}

fn by_key(
    app: &App,
    body: &[u8],
    signature: &RequestSignature,
    base: &SignatureBase,
) -> Result<Signer, Problem> {
    let unknown = || {
        let error = "this server does not know the certificate that the request is signed with; \
                     log in first, or send the certificate with the request";
        Problem::new(StatusCode::FORBIDDEN, "unknown-signer", error)
    };
    let named = Fingerprint::parse(&signature.key).map_err(|_| unknown())?;
    let held = app.authority.look(|graph| {
        let held = graph.certificate(&named)?;
        Some(Certificate::clone(held))
    });
    let certificate = held.or_else(|| brought(body, named)).ok_or_else(unknown)?;
    let key = certificate.public_key();
    if signature.algorithm != "ecdsa-p256-sha256"
        || key.verify_request(base, &signature.bytes).is_err()
    {
        return Err(bad("the signature does not fit the request"));
    }
    let key = certificate.key_id();
    let trusted = app.authority.standing(&key, certificate.callsign()).trusted;
    let owner = app.ownership.owner();
    match owner {
        Some(owner) if trusted && owner.key == key => Ok(Signer::Owner),
        _ if trusted => Ok(Signer::Operator(key)),
        _ => Ok(Signer::Holder(named)),
    }
}

/// The certificate of this fingerprint, where the body has it as its `certificate`.
fn brought(body: &[u8], named: Fingerprint) -> Option<Certificate> {
    #[derive(Deserialize)]
    struct Brought {
        certificate: String,
    }
    let Brought { certificate } = serde_json::from_slice(body).ok()?;
    let certificate = Certificate::from_pem(&certificate).ok()?;
    (certificate.fingerprint() == named).then_some(certificate)
}

/// What signatures for this server are tagged with: its certificate, or that it has none yet.
pub(super) fn tag(app: &App) -> String {
    match app.ownership.claim() {
        Some(claim) => format!("ham-server/{}", claim.server.fingerprint()),
        None => "ham-server/-".to_owned(),
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn unreadable() -> Problem {
    bad("the signature is not in the form this server reads; see docs/protocol/http.md")
}

fn bad(error: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad-signature", error)
}

fn refuse(app: &App, group: Option<AddressGroup>, problem: Problem) -> Refused {
    let nonce = group.and_then(|group| app.nonces.give(&app.random, group, Instant::now()).ok());
    Refused(
        problem,
        nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()),
    )
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(problem, nonce) = self;
        let mut response = problem.into_response();
        if let Some(nonce) = nonce {
            response.headers_mut().insert("ham-nonce", nonce);
        }
        response
    }
}

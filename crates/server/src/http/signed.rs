//! Signed requests (RFC 9421): who sends what only some may do.
//!
//! One shape is accepted: label `sig1` over `"@method" "@target-uri"` and, where there is a body,
//! `"content-digest"`, with a nonce of this server's and a tag that names it. The nonce is the
//! replay protection; `created` is not judged, since clocks are wrong in the field.
//!
//! Two can sign. The owner, with the key of their certificate; and commands on this machine, with
//! the secret in `admin.key`, which only this machine's user can read.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::SignatureBase;
use ring::digest;
use serde::de::DeserializeOwned;
use sfv::{BareItem, Dictionary, InnerList, ListEntry, Parser};

use super::App;
use super::guard::{Authority, was_forwarded};
use super::problem::Problem;
use crate::network::Ends;

/// The one label looked at.
const LABEL: &str = "sig1";

/// A request's body, signed by somebody who may do what it asks.
#[derive(Debug)]
pub(super) struct ByOwner<T>(pub(super) T);

/// What a signature says of itself.
#[derive(Debug)]
struct Signature<'a> {
    components: Vec<&'a str>,
    nonce: &'a str,
    key: &'a str,
    algorithm: &'a str,
    tag: &'a str,
    /// The member of Signature-Input as sent, which is part of what is signed.
    parameters: &'a str,
    bytes: &'a [u8],
}

/// Why a signed request is refused. Every refusal comes with a fresh nonce.
#[derive(Debug)]
pub(super) struct Refused(Problem, Option<HeaderValue>);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for ByOwner<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let whole = Request::from_parts(parts.clone(), body);
        let body = match Bytes::from_request(whole, app).await {
            Ok(body) => body,
            Err(rejection) => {
                let problem =
                    Problem::new(rejection.status(), "bad-request", rejection.body_text());
                return Err(Refused(problem, None));
            }
        };
        check(app, &parts, &body).map_err(|problem| refuse(app, problem))?;
        let body = if body.is_empty() {
            b"null"
        } else {
            body.as_ref()
        };
        match serde_json::from_slice(body) {
            Ok(body) => Ok(Self(body)),
            Err(error) => Err(Refused(Problem::bad_request(error.to_string()), None)),
        }
    }
}

fn check(app: &App, parts: &Parts, body: &[u8]) -> Result<(), Problem> {
    let (Some(input), Some(signatures)) = (
        single(&parts.headers, "signature-input"),
        single(&parts.headers, "signature"),
    ) else {
        let error = "only the owner may do this: the request must be signed";
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "signature-required",
            error,
        ));
    };
    let inputs: Dictionary = Parser::new(input).parse().map_err(|_| unreadable())?;
    let signatures: Dictionary = Parser::new(signatures).parse().map_err(|_| unreadable())?;
    let signature = read(input, &inputs, &signatures).ok_or_else(unreadable)?;
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
    if !app.nonces.take(signature.nonce, Instant::now()) {
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
    let base = SignatureBase::new(&components[..needed.len()], signature.parameters)
        .map_err(|_| unreadable())?;
    verify(app, parts, &signature, &base)
}

fn verify(
    app: &App,
    parts: &Parts,
    signature: &Signature<'_>,
    base: &SignatureBase,
) -> Result<(), Problem> {
    if signature.key == "admin" {
        let ends = parts.extensions.get::<Ends>();
        let from_here = ends.is_some_and(Ends::loopback)
            && !was_forwarded(&parts.headers)
            && !parts.headers.contains_key(header::ORIGIN);
        let genuine =
            signature.algorithm == "hmac-sha256" && app.admin.verify(base, signature.bytes);
        return if from_here && genuine {
            Ok(())
        } else {
            Err(bad("the secret in admin.key is not this server's"))
        };
    }
    let claim = app
        .ownership
        .claim()
        .ok_or_else(|| bad("this server has no owner"))?;
    if signature.key != claim.owner.fingerprint().to_string() {
        let error = "only the owner of this server may do this";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not-the-owner", error));
    }
    let key = claim.owner.public_key();
    if signature.algorithm == "ecdsa-p256-sha256"
        && key.verify_request(base, signature.bytes).is_ok()
    {
        return Ok(());
    }
    Err(bad("the signature does not fit the request"))
}

/// Takes the one signature apart. None where a part is missing or of another kind.
fn read<'a>(
    input: &'a str,
    inputs: &'a Dictionary,
    signatures: &'a Dictionary,
) -> Option<Signature<'a>> {
    let Some(ListEntry::InnerList(InnerList { items, params })) = inputs.get(LABEL) else {
        return None;
    };
    let Some(ListEntry::Item(item)) = signatures.get(LABEL) else {
        return None;
    };
    let bytes = item.bare_item.as_byte_sequence()?;
    let component = |item: &'a sfv::Item| {
        let name = item.bare_item.as_string()?;
        item.params.is_empty().then_some(name.as_str())
    };
    let text = |name: &str| Some(params.get(name).and_then(BareItem::as_string)?.as_str());
    // With one member in the dictionary, its value as sent is all that follows the label.
    let parameters = input.trim().strip_prefix(LABEL)?.strip_prefix('=')?;
    (inputs.len() == 1 && signatures.len() == 1).then_some(())?;
    Some(Signature {
        components: items.iter().map(component).collect::<Option<_>>()?,
        nonce: text("nonce")?,
        key: text("keyid")?,
        algorithm: text("alg")?,
        tag: text("tag")?,
        parameters,
        bytes,
    })
}

/// What signatures for this server are tagged with: its certificate, or that it has none yet.
pub(super) fn tag(app: &App) -> String {
    match app.ownership.claim() {
        Some(claim) => format!("ham-server/{}", claim.server.fingerprint()),
        None => "ham-server/-".to_owned(),
    }
}

/// RFC 9530: a dictionary of digests, of which this server reads `sha-256`.
fn is_digest_of(header: &str, body: &[u8]) -> bool {
    let Ok(digests) = Parser::new(header).parse::<Dictionary>() else {
        return false;
    };
    let Some(ListEntry::Item(item)) = digests.get("sha-256") else {
        return false;
    };
    let digest = digest::digest(&digest::SHA256, body);
    item.bare_item
        .as_byte_sequence()
        .is_some_and(|sent| sent == digest.as_ref())
}

/// The Content-Digest of a body.
pub(crate) fn content_digest(body: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, body);
    format!("sha-256=:{}:", STANDARD.encode(digest))
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

fn refuse(app: &App, problem: Problem) -> Refused {
    let nonce = app.nonces.give(&app.random, Instant::now()).ok();
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

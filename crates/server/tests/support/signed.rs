//! Requests signed by an operator (RFC 9421), as the app sends them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::SignatureBase;
use ring::digest;
use serde_json::Value;

use super::{Operator, Response, TestServer, exchange};

impl TestServer {
    /// Sends a request that somebody signs with the key of their certificate.
    pub(crate) async fn signed(
        &self,
        who: &Operator,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Response {
        let offer = self.get("/api/nonce").await.json();
        let origin = format!("http://{}", self.authority());
        let request = signed_request(&origin, &offer, who, method, path, body);
        Response::parse(&exchange(&self.authority(), &request).await)
    }

    pub(crate) async fn get_signed(&self, signer: &Operator, path: &str) -> Response {
        self.signed(signer, "GET", path, None).await
    }

    pub(crate) async fn post_signed(
        &self,
        signer: &Operator,
        path: &str,
        body: &Value,
    ) -> Response {
        self.signed(signer, "POST", path, Some(body)).await
    }
}

/// A request that somebody signs, with a nonce of the server's, as bytes.
pub(crate) fn signed_request(
    origin: &str,
    offer: &Value,
    who: &Operator,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Vec<u8> {
    let text = |name: &str| offer[name].as_str().unwrap();
    let body = body.map(Value::to_string).unwrap_or_default();
    let digest = digest::digest(&digest::SHA256, body.as_bytes());
    let digest = format!("sha-256=:{}:", STANDARD.encode(digest));
    let target = format!("{origin}{path}");
    let (_, authority) = origin.split_once("://").unwrap();
    let mut components = vec![("@method", method), ("@target-uri", &target)];
    if !body.is_empty() {
        components.push(("content-digest", &digest));
    }
    let names: Vec<_> = components
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let parameters = format!(
        "({});created=1618884473;nonce=\"{}\";keyid=\"{}\";alg=\"ecdsa-p256-sha256\";tag=\"{}\"",
        names.join(" "),
        text("nonce"),
        who.certificate.fingerprint(),
        text("tag"),
    );
    let base = SignatureBase::new(&components, &parameters).unwrap();
    let signature = who.key.sign_request(&base, &who.random).unwrap();
    let signature = STANDARD.encode(signature);
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
         Signature-Input: sig1={parameters}\r\nSignature: sig1=:{signature}:\r\n"
    );
    if !body.is_empty() {
        head += &format!("Content-Type: application/json\r\nContent-Digest: {digest}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    head.into_bytes()
}

//! Requests signed by an operator (RFC 9421), as the app sends them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::SignatureBase;
use ring::digest;
use serde_json::Value;

use super::{Operator, Response, TestServer};

impl TestServer {
    pub(crate) async fn get_signed(&self, signer: &Operator, path: &str) -> Response {
        self.send_signed(signer, "GET", path, "").await
    }

    pub(crate) async fn post_signed(
        &self,
        signer: &Operator,
        path: &str,
        body: &Value,
    ) -> Response {
        self.send_signed(signer, "POST", path, &body.to_string())
            .await
    }

    async fn send_signed(
        &self,
        signer: &Operator,
        method: &str,
        path: &str,
        body: &str,
    ) -> Response {
        let offer = self.get("/api/nonce").await.json();
        let text = |name: &str| offer[name].as_str().unwrap().to_owned();
        let digest = digest::digest(&digest::SHA256, body.as_bytes());
        let digest = format!("sha-256=:{}:", STANDARD.encode(digest));
        let target = format!("http://{}{path}", self.authority());
        let mut covered = vec![("@method", method), ("@target-uri", target.as_str())];
        if !body.is_empty() {
            covered.push(("content-digest", &digest));
        }
        let names: Vec<_> = covered
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let parameters = format!(
            "({});created=1618884473;nonce=\"{}\";keyid=\"{}\";alg=\"ecdsa-p256-sha256\";tag=\"{}\"",
            names.join(" "),
            text("nonce"),
            signer.certificate.fingerprint(),
            text("tag"),
        );
        let base = SignatureBase::new(&covered, &parameters).unwrap();
        let signature = signer.key.sign_request(&base, &signer.random).unwrap();
        let (input, signature) = (
            format!("sig1={parameters}"),
            format!("sig1=:{}:", STANDARD.encode(signature)),
        );
        let mut headers = vec![
            ("Signature-Input", input.as_str()),
            ("Signature", signature.as_str()),
        ];
        if !body.is_empty() {
            headers.push(("Content-Digest", &digest));
        }
        self.send(method, path, &headers, body).await
    }
}

//! People who want a certificate, and what the owner makes for them.

use pki::log::export::Export;
use pki::{Certificate, Code, SigningKey};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use station::statement::issuing::Applicant;
use station::{Callsign, LicenceClass, Statement};
use tempfile::TempDir;

use super::{Operator, Response, TestServer};

/// Somebody without a certificate.
pub(crate) struct Applying {
    pub(crate) key: SigningKey,
    pub(crate) callsign: Callsign,
    random: SystemRandom,
}

impl Applying {
    pub(crate) fn new(callsign: &str) -> Self {
        let random = SystemRandom::new();
        Self {
            key: SigningKey::generate(&random).unwrap(),
            callsign: callsign.parse().unwrap(),
            random,
        }
    }

    pub(crate) fn csr(&self) -> String {
        pki::csr::make(&self.key, &self.callsign, &self.random).unwrap()
    }

    pub(crate) fn stated<'a>(&'a self, class: Option<&'a LicenceClass>) -> Applicant<'a> {
        Applicant {
            key: self.key.key_id(),
            callsign: &self.callsign,
            class,
        }
    }

    /// The body of an application.
    pub(crate) fn body(&self, proof: &Value) -> Value {
        json!({ "csr": self.csr(), "callsign": self.callsign, "proofOfLicense": proof })
    }

    pub(crate) async fn apply(&self, server: &TestServer, proof: &Value) -> Response {
        let body = self.body(proof);
        server.post("/api/issue-certificate", &body).await
    }

    /// The proof by a code, with a nonce of the server's.
    pub(crate) async fn by_code(&self, server: &TestServer, code: &Code) -> Value {
        let nonce = nonce(server).await;
        self.by_code_with(&nonce, code)
    }

    pub(crate) fn by_code_with(&self, nonce: &str, code: &Code) -> Value {
        let statement = Statement::issue(nonce, self.stated(None)).unwrap();
        let proof = code.hmac(&statement);
        json!({ "method": "in-person", "nonce": nonce, "codeProof": proof })
    }
}

pub(crate) async fn nonce(server: &TestServer) -> String {
    let offer = server.get("/api/nonce").await.json();
    offer["nonce"].as_str().unwrap().to_owned()
}

pub(crate) async fn claimed() -> (TestServer, Operator) {
    let (server, owner) = (TestServer::issuing(100), Operator::new("W1AW"));
    assert_eq!(server.claim(&owner).await.status, 200);
    (server, owner)
}

/// A code of the owner's, with its name.
pub(crate) async fn code(server: &TestServer, owner: &Operator, of: &Value) -> (Code, String) {
    let made = server.signed(owner, "POST", "/api/codes", Some(of)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let code = made["code"].as_str().unwrap().parse().unwrap();
    (code, made["id"].as_str().unwrap().to_owned())
}

pub(crate) async fn open_codes(server: &TestServer, owner: &Operator) -> usize {
    let listed = server.signed(owner, "GET", "/api/codes", None).await;
    listed.json()["codes"].as_array().unwrap().len()
}

/// The certificate in an answer, checked to be below the server's.
pub(crate) fn certificate(answer: &Response) -> Certificate {
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    let answer = answer.json();
    let read = |pem: &Value| Certificate::from_pem(pem.as_str().unwrap()).unwrap();
    let certificate = read(&answer["certificate"]);
    let chain: Vec<Certificate> = answer["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(read)
        .collect();
    assert!(chain[0].is_server());
    assert!(certificate.is_signed_by(chain[0].public_key()));
    assert!(chain[0].is_signed_by(chain[1].public_key()));
    certificate
}

pub(crate) async fn waiting(server: &TestServer, owner: &Operator) -> Vec<Value> {
    let listed = server.signed(owner, "GET", "/api/requests", None).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    listed.json()["requests"].as_array().unwrap().clone()
}

pub(crate) fn document(note: &str) -> Value {
    json!({ "method": "document", "note": note })
}

impl TestServer {
    /// The whole log, as it is exported.
    pub(crate) async fn log(&self) -> Export {
        let answer = self.get("/api/log/export").await;
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("text/plain; charset=utf-8"));
        let text = String::from_utf8(dechunked(&answer.body)).unwrap();
        Export::from_text(&text).unwrap()
    }

    /// Stops the server and keeps what it remembers.
    pub(crate) async fn stop(self) -> TempDir {
        self.server.shutdown().await;
        self.folder
    }
}

/// The body of an answer whose length was not known at its beginning (RFC 9112, 7.1).
fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = str::from_utf8(&body[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole;
        }
        let data = end + 2;
        whole.extend_from_slice(&body[data..data + size]);
        body = &body[data + size + 2..];
    }
}

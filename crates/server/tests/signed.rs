//! Signed requests: what only the owner may do, and everybody else who tries.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::SignatureBase;
use ring::digest;
use serde_json::json;
use support::{Operator, Response, TestServer};

/// A request as its sender means it; tests change one thing at a time.
#[derive(Clone)]
struct Request {
    path: &'static str,
    body: String,
    signed_body: String,
    covered: &'static [&'static str],
    nonce: String,
    key: String,
    algorithm: &'static str,
    tag: String,
    signed_path: &'static str,
}

impl Request {
    async fn new(server: &TestServer, owner: &Operator) -> Self {
        let offer = server.get("/api/nonce").await.json();
        let body = json!({ "open": false }).to_string();
        Self {
            path: "/api/network",
            signed_body: body.clone(),
            body,
            covered: &["@method", "@target-uri", "content-digest"],
            nonce: offer["nonce"].as_str().unwrap().into(),
            key: owner.certificate.fingerprint().to_string(),
            algorithm: "ecdsa-p256-sha256",
            tag: offer["tag"].as_str().unwrap().into(),
            signed_path: "/api/network",
        }
    }

    async fn send(&self, server: &TestServer, signer: &Operator) -> Response {
        let digest = digest::digest(&digest::SHA256, self.signed_body.as_bytes());
        let digest = format!("sha-256=:{}:", STANDARD.encode(digest));
        let target = format!("http://{}{}", server.authority(), self.signed_path);
        let names: Vec<_> = self
            .covered
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        let parameters = format!(
            "({});created=1618884473;nonce=\"{}\";keyid=\"{}\";alg=\"{}\";tag=\"{}\"",
            names.join(" "),
            self.nonce,
            self.key,
            self.algorithm,
            self.tag
        );
        let values = [
            ("@method", "POST"),
            ("@target-uri", &target),
            ("content-digest", &digest),
        ];
        let covered: Vec<_> = values
            .into_iter()
            .filter(|(name, _)| self.covered.contains(name))
            .collect();
        let base = SignatureBase::new(&covered, &parameters).unwrap();
        let signature = signer.key.sign_request(&base, &signer.random).unwrap();
        let headers = [
            ("Content-Digest", digest),
            ("Signature-Input", format!("sig1={parameters}")),
            (
                "Signature",
                format!("sig1=:{}:", STANDARD.encode(signature)),
            ),
        ];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        server.send("POST", self.path, &headers, &self.body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_decides_who_may_join_and_it_lasts() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    server.claim(&owner).await;
    let closed = Request::new(&server, &owner)
        .await
        .send(&server, &owner)
        .await;
    assert_eq!(
        (closed.status, closed.json()),
        (200, json!({ "state": "claimed", "guestCalls": false })),
        "{closed:?}"
    );
    let server = server.restart().await;
    assert_eq!(server.get("/api/status").await.json()["state"], "claimed");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_serves_one_request_of_one_person_to_one_server() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    server.claim(&owner).await;
    let good = Request::new(&server, &owner).await;
    let friend = owner.vouch_for("K1ABC");
    let other = json!({ "open": true }).to_string();
    let cases: [(&str, Request); 8] = [
        (
            "another body",
            Request {
                body: other,
                ..good.clone()
            },
        ),
        (
            "another path signed",
            Request {
                signed_path: "/api/other",
                ..good.clone()
            },
        ),
        (
            "a server elsewhere",
            Request {
                tag: "ham-server/00".into(),
                ..good.clone()
            },
        ),
        (
            "the body not covered",
            Request {
                covered: &["@method", "@target-uri"],
                ..good.clone()
            },
        ),
        (
            "the method not covered",
            Request {
                covered: &["@target-uri", "content-digest"],
                ..good.clone()
            },
        ),
        (
            "a made-up nonce",
            Request {
                nonce: "A".repeat(43),
                ..good.clone()
            },
        ),
        (
            "another algorithm",
            Request {
                algorithm: "hmac-sha256",
                ..good.clone()
            },
        ),
        (
            "the machine's own",
            Request {
                key: "admin".into(),
                algorithm: "hmac-sha256",
                ..good.clone()
            },
        ),
    ];
    for (what, request) in cases {
        // Each with a nonce of its own, but for the one whose point it is.
        let nonce = Request::new(&server, &owner).await.nonce;
        let made_up = what == "a made-up nonce";
        let request = Request {
            nonce: if made_up { request.nonce } else { nonce },
            ..request
        };
        let refused = request.send(&server, &owner).await;
        assert_eq!(refused.problem(), (401, "bad-signature".into()), "{what}");
        assert!(
            refused.header("ham-nonce").is_some(),
            "{what}: a fresh nonce to go on with"
        );
    }
    let stolen = good.send(&server, &friend).await;
    assert_eq!(
        stolen.problem(),
        (401, "bad-signature".into()),
        "the owner's name, another key"
    );
    let key = friend.certificate.fingerprint().to_string();
    let request = Request {
        key,
        ..Request::new(&server, &owner).await
    };
    let refused = request.send(&server, &friend).await;
    assert_eq!(refused.problem(), (403, "unknown-signer".into()));
    server.connect().await.log_in(&friend).await;
    let request = Request {
        nonce: Request::new(&server, &owner).await.nonce,
        ..request
    };
    let refused = request.send(&server, &friend).await;
    assert_eq!(refused.problem(), (403, "not-the-owner".into()));
    let refused = server.post("/api/network", &json!({ "open": false })).await;
    assert_eq!(refused.problem(), (401, "signature-required".into()));
    assert_eq!(
        server.get("/api/status").await.json()["state"],
        "active",
        "nothing happened"
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_works_once_and_who_fails_too_often_waits() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    server.claim(&owner).await;
    let garbage = [("Signature-Input", "sig1=((("), ("Signature", "sig1=:x:")];
    let refused = server.send("POST", "/api/network", &garbage, "{}").await;
    assert_eq!(refused.problem(), (401, "bad-signature".into()));
    assert_eq!(
        server.get("/api/status").await.json()["state"],
        "active",
        "nothing happened"
    );

    let once = Request::new(&server, &owner).await;
    assert_eq!(once.send(&server, &owner).await.status, 200);
    assert_eq!(
        once.send(&server, &owner).await.problem(),
        (401, "bad-signature".into())
    );
    for _ in 0..8 {
        once.send(&server, &owner).await;
    }
    let waits = once.send(&server, &owner).await;
    assert_eq!(waits.problem(), (429, "rate-limited".into()));
    let seconds: u64 = waits.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&seconds), "{seconds}");
    // What is right goes through all the same.
    let right = Request::new(&server, &owner).await;
    assert_eq!(right.send(&server, &owner).await.status, 200);
    server.server.shutdown().await;
}

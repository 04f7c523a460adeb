//! Claiming: who may, what is checked, and that it is remembered.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use station::Statement;
use support::{Operator, TestServer};

/// A header that makes a request not surely the person's at the machine.
const FORWARDED: (&str, &str) = ("X-Forwarded-For", "192.168.1.20");
const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test(flavor = "multi_thread")]
async fn the_person_at_the_machine_claims_once_and_it_lasts() {
    let server = TestServer::start();
    let offer = server.get("/api/claim-station").await.json();
    assert_eq!(offer["codeRequired"], false);
    assert_eq!(offer["offerProof"], Value::Null);
    let owner = Operator::new("W1AW");
    let claimed = server
        .post("/api/claim-station", &owner.claim(&offer))
        .await;
    assert_eq!(claimed.status, 200, "{claimed:?}");
    let claimed = claimed.json();
    assert_eq!(claimed["success"], true);
    assert_eq!(claimed["owner"], "W1AW");
    assert_eq!(claimed["accessToken"], Value::Null);

    let rival = Operator::new("K1ABC");
    assert_eq!(
        server.claim(&rival).await.problem(),
        (403, "already-claimed".into())
    );

    let fingerprint = server.get("/api/info").await.json()["certFingerprint"].clone();
    let server = server.restart().await;
    let info = server.get("/api/info").await.json();
    assert_eq!(
        (&info["callsign"], &info["state"]),
        (&json!("W1AW"), &json!("active"))
    );
    assert_eq!(info["certFingerprint"], fingerprint);
    assert_eq!(
        server.claim(&rival).await.problem(),
        (403, "already-claimed".into())
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_may_keep_it_closed_to_the_network() {
    let server = TestServer::start();
    let owner = Operator::new("W1AW");
    let mut claim = owner.claim(&server.get("/api/claim-station").await.json());
    claim["openToNetwork"] = false.into();
    assert_eq!(server.post("/api/claim-station", &claim).await.status, 200);
    let status = server.get("/api/status").await.json();
    assert_eq!(status["state"], "claimed");
    assert_eq!(
        status["signaling"]["connected"], true,
        "this machine is served"
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_elsewhere_the_code_is_needed_and_works_once() {
    let server = TestServer::start();
    let code = server.server.app().ownership.code().clone();
    let owner = Operator::new("W1AW");
    let offer = remote_offer(&server).await;
    assert_eq!(offer["codeRequired"], true);
    let key = pki::PublicKey::from_pem(offer["publicKey"].as_str().unwrap())
        .unwrap()
        .key_id();
    let nonce = offer["nonce"].as_str().unwrap();
    let shown = Statement::claim_offer(nonce, key).unwrap();
    assert!(
        code.verify(&shown, offer["offerProof"].as_str().unwrap())
            .is_ok()
    );

    let mut claim = owner.claim(&offer);
    assert_eq!(
        remote_claim(&server, &claim).await,
        (403, "code-required".into())
    );

    let other_code = pki::Code::generate(&owner.random).unwrap();
    let statement = Statement::claim(nonce, key, owner.key.key_id(), &owner.callsign).unwrap();
    claim["nonce"] = nonce.into();
    claim["claimProof"] = other_code.hmac(&statement).into();
    assert_eq!(
        remote_claim(&server, &claim).await,
        (403, "wrong-code".into())
    );
    claim["claimProof"] = code.hmac(&statement).into();
    assert_eq!(
        remote_claim(&server, &claim).await,
        (403, "bad-nonce".into()),
        "used above"
    );

    let offer = remote_offer(&server).await;
    let nonce = offer["nonce"].as_str().unwrap();
    let statement = Statement::claim(nonce, key, owner.key.key_id(), &owner.callsign).unwrap();
    claim["nonce"] = nonce.into();
    claim["claimProof"] = code.hmac(&statement).into();
    let headers = [FORWARDED, JSON];
    let claimed = server
        .send("POST", "/api/claim-station", &headers, &claim.to_string())
        .await;
    assert_eq!(claimed.status, 200, "{claimed:?}");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_for_one_operator_does_not_serve_another() {
    let server = TestServer::start();
    let code = server.server.app().ownership.code().clone();
    let (owner, thief) = (Operator::new("W1AW"), Operator::new("W1AW"));
    let offer = remote_offer(&server).await;
    let key = pki::PublicKey::from_pem(offer["publicKey"].as_str().unwrap())
        .unwrap()
        .key_id();
    let nonce = offer["nonce"].as_str().unwrap();
    let statement = Statement::claim(nonce, key, owner.key.key_id(), &owner.callsign).unwrap();
    let mut claim = thief.claim(&offer);
    claim["nonce"] = nonce.into();
    claim["claimProof"] = code.hmac(&statement).into();
    assert_eq!(
        remote_claim(&server, &claim).await,
        (403, "wrong-code".into())
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_does_not_hold_together_changes_nothing() {
    let server = TestServer::start();
    let owner = Operator::new("W1AW");
    let offer = server.get("/api/claim-station").await.json();
    let good = owner.claim(&offer);
    let other = Operator::new("K1ABC").claim(&offer);
    let changed = |name: &str, value: Value| {
        let mut claim = good.clone();
        claim[name] = value;
        claim
    };
    let station = |callsign: &str, metadata: Value| {
        changed(
            "station",
            json!({ "callsign": callsign, "metadata": metadata }),
        )
    };
    for (claim, code) in [
        (changed("certificate", json!("no PEM")), "bad-certificate"),
        (
            changed("serverCertificate", good["certificate"].clone()),
            "bad-certificate",
        ),
        (
            changed("serverCertificate", other["serverCertificate"].clone()),
            "callsign-mismatch",
        ),
        (station("K1ABC", json!({})), "callsign-mismatch"),
        (station("W1AW-7", json!({})), "bad-callsign"),
        (station("W1AW", json!({ "grid": "ZZ99" })), "bad-grid"),
        (station("W1AW", json!({ "name": "a\nb" })), "bad-name"),
        (
            station("W1AW", json!({ "licenseClass": "x".repeat(50) })),
            "bad-license-class",
        ),
    ] {
        let refused = server.post("/api/claim-station", &claim).await;
        assert_eq!(refused.problem(), (400, code.into()));
    }
    assert_eq!(server.get("/api/status").await.json()["state"], "unclaimed");
    assert_eq!(server.post("/api/claim-station", &good).await.status, 200);
    server.server.shutdown().await;
}

async fn remote_offer(server: &TestServer) -> Value {
    server
        .send("GET", "/api/claim-station", &[FORWARDED], "")
        .await
        .json()
}

async fn remote_claim(server: &TestServer, claim: &Value) -> (u16, String) {
    let headers = [FORWARDED, JSON];
    server
        .send("POST", "/api/claim-station", &headers, &claim.to_string())
        .await
        .problem()
}

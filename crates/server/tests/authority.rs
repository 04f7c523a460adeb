//! Whom a server believes, and that it remembers.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use serde_json::json;
use support::{NONCE, Operator, TestServer, sign_challenge};

/// Logs in with a chain, and gives the role.
async fn role_with_chain(server: &TestServer, who: &Operator, chain: &[&Operator]) -> String {
    let mut client = server.connect().await;
    let url = client.url.clone();
    let chain: Vec<String> = chain.iter().map(|one| one.certificate.to_pem()).collect();
    client
        .send(&json!({
            "type": "REGISTER",
            "callsign": who.callsign,
            "certificate": who.certificate.to_pem(),
            "chain": chain,
            "nonce": NONCE,
            "url": url,
        }))
        .await;
    let challenge = client.next().await;
    let signature = sign_challenge(who, &challenge, &url);
    client
        .send(&json!({ "type": "AUTHENTICATE", "signature": signature }))
        .await;
    client.next_of("REGISTERED").await["role"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_met_once_is_known_after_a_restart() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    assert_eq!(server.claim(&owner).await.status, 200);
    let friend = owner.vouch_for("K1ABC");
    let far = friend.vouch_for("K2ABC");
    assert_eq!(role_with_chain(&server, &far, &[]).await, "unlicensed");
    assert_eq!(role_with_chain(&server, &far, &[&friend]).await, "licensed");
    let server = server.restart().await;
    assert_eq!(role_with_chain(&server, &far, &[]).await, "licensed");
    assert_eq!(role_with_chain(&server, &owner, &[]).await, "licensed");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_arrives_too_early_is_turned_when_the_voucher_comes() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    server.claim(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    let far = friend.vouch_for("K2ABC");
    let mut early = server.connect().await;
    assert_eq!(early.log_in(&far).await["role"], "unlicensed");
    let mut second = server.connect().await;
    assert_eq!(second.log_in(&friend).await["role"], "licensed");
    let turned = early.next_of("ROLE").await;
    assert_eq!(turned["role"], "licensed", "{turned}");
    server.server.shutdown().await;
}

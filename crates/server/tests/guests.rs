//! What guests may do, as the owner decides it, over real sockets.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::net::Ipv4Addr;

use ham_server::config::Options;
use serde_json::{Value, json};
use support::{Client, Operator, TestServer, elsewhere};

/// An address of this machine that stands for a way across amateur frequencies.
const RADIO: u8 = 97;

/// A claimed server with such a way, and its owner.
async fn claimed() -> (TestServer, Operator) {
    let options = Options {
        zones: vec!["127.0.0.97=part97".parse().unwrap()],
        ..Options::default()
    };
    let server = TestServer::start_with(tempfile::tempdir().unwrap(), options);
    let owner = Operator::new("W1AW");
    assert_eq!(server.claim(&owner).await.status, 200);
    (server, owner)
}

async fn connect(server: &TestServer, from: Ipv4Addr) -> Client {
    Client::connect_from(from, server, &[]).await.unwrap()
}

async fn guest(server: &TestServer, host: u8) -> (Client, String) {
    connect(server, elsewhere(host)).await.guest().await
}

/// Calls somebody, and gives the code of the refusal or none.
async fn call(from: &mut Client, target: &str) -> Option<Value> {
    let offer = json!({ "type": "offer", "sdp": "v=0" });
    from.send(&json!({ "type": "OFFER", "target": target, "offer": offer }))
        .await;
    // What is answered to this says that the offer has been dealt with.
    from.send(&json!({ "type": "NONSENSE" })).await;
    let code = from.next_of("ERROR").await["code"].take();
    if code == "unknown-type" {
        return None;
    }
    assert_eq!(from.next_of("ERROR").await["code"], "unknown-type");
    Some(code)
}

async fn decide(server: &TestServer, who: &Operator, guest_calls: bool) -> Value {
    let body = json!({ "guestCalls": guest_calls });
    let answer = server.post_signed(who, "/api/network", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_start_no_calls_until_the_owner_lets_them_call_each_other() {
    let (server, owner) = claimed().await;
    let mut operator = server.connect().await;
    let operator_id = operator.log_in(&owner).await["clientId"].clone();
    let operator_id = operator_id.as_str().unwrap();
    let (mut one, _) = guest(&server, 2).await;
    let (mut other, other_id) = guest(&server, 3).await;
    for target in [&other_id, operator_id] {
        assert_eq!(call(&mut one, target).await.unwrap(), "license-required");
    }
    assert_eq!(server.get("/api/status").await.json()["guestCalls"], false);

    let decided = decide(&server, &owner, true).await;
    assert_eq!(decided, json!({ "state": "active", "guestCalls": true }));
    let told = one.next_of("ROLE").await;
    assert_eq!(
        (&told["role"], &told["guestCalls"]),
        (&json!("unlicensed"), &json!(true))
    );
    assert_eq!(call(&mut one, &other_id).await, None);
    assert_eq!(other.next_of("OFFER_RECEIVED").await["verified"], false);
    assert_eq!(
        call(&mut one, operator_id).await.unwrap(),
        "license-required"
    );

    decide(&server, &owner, false).await;
    assert_eq!(one.next_of("ROLE").await["guestCalls"], false);
    assert_eq!(call(&mut one, &other_id).await.unwrap(), "license-required");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decision_outlives_a_restart_and_is_the_owners_alone() {
    let (server, owner) = claimed().await;
    let friend = owner.vouch_for("K1ABC");
    let body = json!({ "guestCalls": true });
    let stranger = server.post_signed(&friend, "/api/network", &body).await;
    assert_eq!(stranger.status, 403, "{stranger:?}");
    assert_eq!(server.post("/api/network", &body).await.status, 401);
    assert_eq!(server.get("/api/info").await.json()["guestCalls"], false);

    decide(&server, &owner, true).await;
    let closed = server
        .post_signed(&owner, "/api/network", &json!({ "open": false }))
        .await;
    assert_eq!(
        closed.json(),
        json!({ "state": "claimed", "guestCalls": true })
    );
    let server = server.restart().await;
    assert_eq!(server.get("/api/info").await.json()["guestCalls"], true);
    let mut guest = server.connect().await;
    guest
        .send(&json!({ "type": "REGISTER", "callsign": "GUEST" }))
        .await;
    assert_eq!(guest.next_of("REGISTERED").await["guestCalls"], true);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_never_call_each_other_across_amateur_frequencies() {
    let (server, owner) = claimed().await;
    decide(&server, &owner, true).await;
    let mut radio = connect(&server, elsewhere(RADIO)).await;
    radio
        .send(&json!({ "type": "REGISTER", "callsign": "GUEST" }))
        .await;
    let registered = radio.next_of("REGISTERED").await;
    assert_eq!(registered["guestCalls"], false);
    let (mut cable, cable_id) = guest(&server, 2).await;
    let radio_id = registered["clientId"].as_str().unwrap();
    assert_eq!(call(&mut cable, radio_id).await.unwrap(), "part97");
    assert_eq!(call(&mut radio, &cable_id).await.unwrap(), "part97");
    server.server.shutdown().await;
}

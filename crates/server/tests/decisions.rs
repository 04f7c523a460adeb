//! What only the owner can decide about keys.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Operator, TestServer};

async fn bring(server: &TestServer, owner: &Operator, who: &Operator) {
    let body = json!({ "certificate": who.certificate.to_pem() });
    let brought = server
        .signed(owner, "POST", "/api/certificates", Some(&body))
        .await;
    assert_eq!(brought.status, 201, "{brought:?}");
}

async fn decisions(server: &TestServer, owner: &Operator) -> Value {
    let answer = server.signed(owner, "GET", "/api/decisions", None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn decide(server: &TestServer, who: &Operator, what: &str, body: &Value) -> (u16, Value) {
    let path = format!("/api/decisions/{what}");
    let answer = server.signed(who, "POST", &path, Some(body)).await;
    (answer.status, answer.json())
}

async fn role(server: &TestServer, who: &Operator) -> Value {
    server.connect().await.log_in(who).await["role"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_for_a_blacklisted_callsign_waits_for_the_owner() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let [lost, fresh] = [(); 2].map(|()| owner.vouch_for("K1ABC"));
    bring(&server, &owner, &lost).await;
    let path = format!("/api/certificates/{}/blacklist", lost.fingerprint());
    let body = json!({ "reason": "stolen", "scope": "key" });
    let done = server.signed(&owner, "POST", &path, Some(&body)).await;
    assert_eq!(done.status, 200);
    bring(&server, &owner, &fresh).await;
    assert_eq!(role(&server, &fresh).await, "unlicensed");
    let key = fresh.key.key_id();
    let waits = json!({ "callsign": "K1ABC", "keyId": key, "fingerprint": fresh.fingerprint() });
    assert_eq!(decisions(&server, &owner).await["awaiting"], json!([waits]));

    let accept = json!({ "callsign": "K1ABC", "keyId": key });
    let by_another = decide(&server, &fresh, "accept-key", &accept).await;
    assert_eq!(by_another.1["code"], "not-the-owner");
    let nobody = json!({ "callsign": "K2ABC", "keyId": key });
    assert_eq!(decide(&server, &owner, "accept-key", &nobody).await.0, 404);
    let mut session = server.connect().await;
    session.log_in(&fresh).await;
    let (status, effect) = decide(&server, &owner, "accept-key", &accept).await;
    assert_eq!((status, &effect["gainCount"]), (200, &json!(1)));
    assert_eq!(session.next_of("ROLE").await["role"], "licensed");
    let server = server.restart().await;
    assert_eq!(decisions(&server, &owner).await["awaiting"], json!([]));
    assert_eq!(role(&server, &fresh).await, "licensed");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_sees_contested_callsigns_and_decides_disputes() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let [old, new, other] = [(); 3].map(|()| owner.vouch_for("K1ABC"));
    for who in [&old, &new, &other] {
        bring(&server, &owner, who).await;
    }
    let shown = decisions(&server, &owner).await;
    assert_eq!(shown["contested"][0]["callsign"], "K1ABC");
    assert_eq!(shown["contested"][0]["keys"].as_array().unwrap().len(), 3);
    for new in [&new, &other] {
        let body = old.rekey(new, 1);
        assert_eq!(server.post("/api/rekeys", &body).await.status, 200);
    }
    let shown = decisions(&server, &owner).await;
    assert_eq!(shown["contested"], json!([]));
    let dispute = &shown["disputes"][0];
    assert_eq!(
        (&dispute["old"], &dispute["callsign"]),
        (&json!(old.key.key_id()), &json!("K1ABC"))
    );
    let mut named: Vec<&str> = dispute["successors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["fingerprint"].as_str().unwrap())
        .collect();
    named.sort_unstable();
    let mut expected = [new.fingerprint(), other.fingerprint()];
    expected.sort_unstable();
    assert_eq!(named, expected);

    let choose = |new: &Operator| json!({ "old": old.key.key_id(), "new": new.key.key_id() });
    assert_eq!(
        decide(&server, &owner, "successor", &choose(&owner))
            .await
            .0,
        404
    );
    let (status, effect) = decide(&server, &owner, "successor", &choose(&new)).await;
    assert_eq!((status, &effect["gainCount"]), (200, &json!(1)));
    let server = server.restart().await;
    assert_eq!(decisions(&server, &owner).await["disputes"], json!([]));
    assert_eq!(role(&server, &new).await, "licensed");
    assert_eq!(role(&server, &other).await, "unlicensed");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_gives_somebodys_people_more_or_less_room() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    bring(&server, &owner, &friend).await;
    let path = format!("/api/certificates/{}/cap", friend.fingerprint());
    let cap = async |server: &TestServer, who: &Operator, most: u32| {
        let body = json!({ "certificates": most });
        server.signed(who, "POST", &path, Some(&body)).await
    };
    assert_eq!(
        cap(&server, &friend, 9).await.problem(),
        (403, "not-the-owner".into())
    );
    assert_eq!(cap(&server, &owner, 1).await.status, 200);
    let server = server.restart().await;
    bring(&server, &owner, &friend.vouch_for("K2ABC")).await;
    let shown = format!("/api/certificates/{}", friend.fingerprint());
    let shown = server.get(&shown).await.json();
    assert_eq!((&shown["cap"], &shown["below"]), (&json!(1), &json!(1)));
    let third = friend.vouch_for("K3ABC");
    let body = json!({ "certificate": third.certificate.to_pem() });
    let full = server
        .signed(&owner, "POST", "/api/certificates", Some(&body))
        .await;
    assert_eq!(full.problem(), (429, "full".into()));
    assert_eq!(cap(&server, &owner, 2).await.status, 200);
    bring(&server, &owner, &third).await;
    server.server.shutdown().await;
}

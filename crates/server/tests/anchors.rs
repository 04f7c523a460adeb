//! Trust anchors, roots that prove licences, tombstones, changes of keys, and the trust bundle.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::Certificate;
use ring::digest;
use serde_json::{Value, json};
use station::{Digest, Identity, Statement};
use support::{Operator, Response, TestServer};

/// A P-384 root of somebody else's.
const FOREIGN: &[u8] = include_bytes!("../../../fuzz/corpus/foreign_certificate/test-p-384-root");

async fn anchors(server: &TestServer, owner: &Operator, body: &Value) -> Response {
    server
        .signed(owner, "POST", "/api/anchors", Some(body))
        .await
}

async fn bring(server: &TestServer, owner: &Operator, who: &Operator) -> Value {
    let body = json!({ "certificate": who.certificate.to_pem() });
    let brought = server
        .signed(owner, "POST", "/api/certificates", Some(&body))
        .await;
    assert_eq!(brought.status, 201, "{brought:?}");
    brought.json()
}

async fn status(server: &TestServer, who: &Operator) -> Value {
    let path = format!("/api/certificates/{}", who.fingerprint());
    server.get(&path).await.json()["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_looks_into_a_file_accepts_and_dismisses() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let club = Operator::new("K1CLB");
    let member = club.vouch_for("K1ABC");
    bring(&server, &owner, &club).await;
    bring(&server, &owner, &member).await;
    let mut session = server.connect().await;
    assert_eq!(session.log_in(&member).await["role"], "unlicensed");

    let bundle = [club.certificate.to_pem(), member.certificate.to_pem()].concat();
    let looked = anchors(&server, &owner, &json!({ "bundle": bundle })).await;
    let candidate = |who: &Operator, own: bool| {
        json!({
            "fingerprint": who.fingerprint(), "kind": "station", "callsign": who.callsign,
            "subject": null, "selfSigned": own,
        })
    };
    assert_eq!(
        (looked.status, looked.json()),
        (
            200,
            json!({ "found": [candidate(&club, true), candidate(&member, false)], "unread": [] })
        )
    );
    assert_eq!(
        status(&server, &club).await,
        "untrusted",
        "nothing was stored"
    );

    let body = json!({ "bundle": bundle, "note": "the club's", "accept": [club.fingerprint()] });
    let added = anchors(&server, &owner, &body).await;
    assert_eq!(added.status, 201, "{added:?}");
    let added = added.json();
    assert_eq!(added["added"], json!([club.fingerprint()]));
    assert_eq!(
        (&added["effect"]["gainCount"], &added["notAdded"]),
        (&json!(2), &json!([]))
    );
    assert_eq!(session.next_of("ROLE").await["role"], "licensed");

    let root = json!({ "bundle": STANDARD.encode(FOREIGN), "note": "logbook" });
    let looked = anchors(&server, &owner, &root).await.json();
    let found = &looked["found"][0];
    assert_eq!(found["kind"], "license-root");
    let mut accept = root.clone();
    accept["accept"] = json!([found["fingerprint"]]);
    let added = anchors(&server, &owner, &accept).await;
    assert_eq!(
        (added.status, &added.json()["added"]),
        (201, &accept["accept"])
    );

    let server = server.restart().await;
    let listed = server.get("/api/anchors").await.json();
    assert_eq!(
        listed["licenseRoots"][0]["fingerprint"],
        found["fingerprint"]
    );
    assert_eq!(listed["licenseRoots"][0]["subject"], found["subject"]);
    assert_eq!(listed["licenseRoots"][0]["note"], "logbook");
    let mut shown: Vec<(Value, Value, Value)> = listed["anchors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["callsign"].clone(),
                one["note"].clone(),
                one["own"].clone(),
            )
        })
        .collect();
    shown.sort_by_key(|(callsign, ..)| callsign.to_string());
    assert_eq!(
        shown,
        [
            (json!("K1CLB"), json!("the club's"), json!(false)),
            (json!("W1AW"), json!(""), json!(true))
        ]
    );
    assert_eq!(status(&server, &member).await, "trusted");

    let dismiss = async |named: &str| {
        let path = format!("/api/anchors/{named}");
        server.signed(&owner, "DELETE", &path, None).await
    };
    let own = dismiss(&owner.fingerprint()).await;
    assert_eq!(own.problem(), (409, "own-anchor".into()));
    let done = dismiss(&club.fingerprint()).await;
    assert_eq!((done.status, &done.json()["loseCount"]), (200, &json!(2)));
    let root = found["fingerprint"].as_str().unwrap();
    assert_eq!(dismiss(root).await.status, 200);
    for gone in [&club.fingerprint(), root] {
        assert_eq!(dismiss(gone).await.problem(), (404, "not-found".into()));
    }
    let server = server.restart().await;
    let listed = server.get("/api/anchors").await.json();
    assert_eq!(listed["anchors"].as_array().unwrap().len(), 1);
    assert_eq!(listed["licenseRoots"], json!([]));
    assert_eq!(status(&server, &member).await, "untrusted");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_brings_anchors_and_only_what_is_in_the_file() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    let (far, stranger) = (
        Operator::new("N1XYZ").vouch_for("K2ABC"),
        Operator::new("G4ABC"),
    );
    bring(&server, &owner, &friend).await;
    let pem = stranger.certificate.to_pem();
    let body = json!({ "bundle": pem, "accept": [stranger.fingerprint()] });
    let by_friend = anchors(&server, &friend, &body).await;
    assert_eq!(by_friend.problem(), (403, "not-the-owner".into()));
    let unsigned = server.post("/api/anchors", &body).await;
    assert_eq!(unsigned.problem(), (401, "signature-required".into()));
    for wrong in [
        json!({ "bundle": "CQ CQ" }),
        json!({ "bundle": STANDARD.encode("CQ CQ de W1AW") }),
        json!({ "bundle": friend.key.public_key().to_pem() }),
        json!({ "bundle": pem, "accept": [friend.fingerprint()] }),
    ] {
        let refused = anchors(&server, &owner, &wrong).await;
        assert_eq!(refused.problem(), (400, "bad-bundle".into()), "{wrong}");
    }
    let note = json!({ "bundle": pem, "note": "x".repeat(501) });
    let refused = anchors(&server, &owner, &note).await;
    assert_eq!(refused.problem(), (400, "bad-request".into()));
    let file = pki::p12::write(
        &stranger.key,
        std::slice::from_ref(&stranger.certificate),
        "secret",
    )
    .unwrap();
    let locked = json!({ "bundle": STANDARD.encode(&file) });
    let refused = anchors(&server, &owner, &locked).await;
    assert_eq!(refused.problem(), (400, "password-needed".into()));
    let locked = json!({ "bundle": STANDARD.encode(&file), "password": "secret" });
    let opened = anchors(&server, &owner, &locked).await.json();
    assert_eq!(opened["found"][0]["callsign"], "G4ABC");

    // Nobody here knows who signed it, so there is no key to check it with.
    let body = json!({ "bundle": far.certificate.to_pem(), "accept": [far.fingerprint()] });
    let refused = anchors(&server, &owner, &body).await;
    assert_eq!(refused.status, 201);
    assert_eq!(refused.json()["notAdded"], json!([far.fingerprint()]));
    assert_eq!(
        server.get("/api/anchors").await.json()["anchors"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    server.server.shutdown().await;
}

fn tombstone(signer: &Operator, target: &Value) -> Value {
    let target = Identity::parse(target.as_str().unwrap()).unwrap();
    let statement = Statement::tombstone(signer.key.key_id(), target).unwrap();
    json!({
        "target": target,
        "signer": signer.key.key_id(),
        "signature": signer.key.sign(&statement, &signer.random).unwrap(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn tombstones_have_the_weight_of_who_signed_them() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let [one, two, three] = ["K1ABC", "K2ABC", "K3ABC"].map(|call| owner.vouch_for(call));
    let stranger = Operator::new("N1XYZ");
    let mut identities = Vec::new();
    for who in [&one, &two, &three, &stranger] {
        identities.push(bring(&server, &owner, who).await["identity"].clone());
    }
    let mut session = server.connect().await;
    assert_eq!(session.log_in(&one).await["role"], "licensed");
    let bury = async |body: &Value| server.post("/api/tombstones", body).await;

    let holder = bury(&tombstone(&one, &identities[0])).await;
    assert_eq!(
        (holder.status, &holder.json()["force"]),
        (200, &json!("holder"))
    );
    assert_eq!(session.next_of("ROLE").await["role"], "unlicensed");
    let issuer = bury(&tombstone(&owner, &identities[1])).await.json();
    assert_eq!(
        (&issuer["force"], &issuer["effect"]["loseCount"]),
        (&json!("issuer"), &json!(1))
    );
    let advice = bury(&tombstone(&three, &identities[3])).await.json();
    assert_eq!(
        (&advice["force"], &advice["effect"]["loseCount"]),
        (&json!("advice"), &json!(0))
    );
    assert_eq!(
        bury(&tombstone(&one, &identities[0])).await.status,
        200,
        "again"
    );

    let mut forged = tombstone(&three, &identities[2]);
    forged["signature"] = tombstone(&one, &identities[2])["signature"].clone();
    assert_eq!(bury(&forged).await.problem(), (400, "bad-tombstone".into()));
    let by_stranger = bury(&tombstone(&stranger, &identities[2])).await;
    assert_eq!(by_stranger.problem(), (403, "license-required".into()));
    let nothing = bury(&tombstone(&one, &json!("00".repeat(32)))).await;
    assert_eq!(nothing.problem(), (404, "not-found".into()));
    let garbage = bury(&json!({ "target": "x" })).await;
    assert_eq!(garbage.problem().1, "bad-request");

    let server = server.restart().await;
    assert_eq!(status(&server, &one).await, "revoked");
    assert_eq!(status(&server, &two).await, "revoked");
    assert_eq!(status(&server, &stranger).await, "untrusted");
    let path = format!("/api/certificates/{}", stranger.fingerprint());
    let advice = json!([{ "keyId": three.key.key_id(), "callsign": "K3ABC" }]);
    assert_eq!(server.get(&path).await.json()["advice"], advice);
    let listed = server.get("/api/tombstones").await.json();
    assert_eq!(listed["tombstones"].as_array().unwrap().len(), 3);
    let last = listed["tombstones"][2]["target"].as_str().unwrap();
    let after = server.get(&format!("/api/tombstones?after={last}")).await;
    assert_eq!(after.json(), json!({ "tombstones": [] }));
    server.server.shutdown().await;
}

/// The owner lost their key and withdrew it: nobody acts as the owner with it, but the machine does.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_withdrew_the_key_is_the_owner_no_more() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let path = format!("/api/certificates/{}", owner.fingerprint());
    let identity = server.get(&path).await.json()["identity"].clone();
    let buried = server
        .post("/api/tombstones", &tombstone(&owner, &identity))
        .await;
    assert_eq!(buried.json()["force"], "holder");
    let refused = server.signed(&owner, "GET", "/api/blacklist", None).await;
    assert_eq!(refused.problem(), (403, "not-the-owner".into()));
    let mut session = server.connect().await;
    assert_eq!(session.log_in(&owner).await["role"], "unlicensed");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_follow_each_other_and_two_successors_wait_for_the_owner() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let [old, new, other] = [(); 3].map(|()| owner.vouch_for("K1ABC"));
    for who in [&old, &new, &other] {
        bring(&server, &owner, who).await;
    }
    let path = format!("/api/certificates/{}", old.fingerprint());
    let before = server.get(&path).await.json();
    assert_eq!(before["contestedBy"].as_array().unwrap().len(), 2);
    let follow = async |body: &Value| server.post("/api/rekeys", body).await;
    let mut half = old.rekey(&new, 1);
    half["byNew"] = half["byOld"].clone();
    assert_eq!(follow(&half).await.problem(), (400, "bad-rekey".into()));
    let skips = follow(&old.rekey(&old, 1)).await;
    assert_eq!(skips.problem(), (400, "bad-rekey".into()));
    let unknown = follow(&old.rekey(&Operator::new("K1ABC"), 1)).await;
    assert_eq!(unknown.problem(), (404, "not-found".into()));
    assert_eq!(follow(&old.rekey(&new, 1)).await.status, 200);
    let shown = server.get(&path).await.json();
    assert_eq!(shown["successor"], json!(new.key.key_id()));

    let disputed = follow(&old.rekey(&other, 1)).await.json();
    assert_eq!(disputed["loseCount"], 2, "both are suspended");
    let server = server.restart().await;
    assert_eq!(status(&server, &new).await, "suspended");
    let listed = server.get("/api/rekeys").await.json();
    let mut expected = [old.rekey(&new, 1), old.rekey(&other, 1)].map(|one| one["new"].clone());
    expected.sort_by_key(ToString::to_string);
    let listed: Vec<Value> = listed["rekeys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["new"].clone())
        .collect();
    assert_eq!(listed, expected);
    server.server.shutdown().await;
}

/// A callsign as a target means somebody under all keys they had, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_callsign_is_called_under_the_key_that_followed() {
    let owner = Operator::new("W1AW");
    let mut server = TestServer::owned_by(&owner).await;
    let [old, new] = [(); 2].map(|()| owner.vouch_for("K1ABC"));
    for who in [&old, &new] {
        bring(&server, &owner, who).await;
    }
    for followed in [false, true, true] {
        let mut caller = server.connect().await;
        caller.log_in(&owner).await;
        let (mut first, mut latest) = (server.connect().await, server.connect().await);
        assert_eq!(first.log_in(&old).await["role"], "licensed");
        assert_eq!(latest.log_in(&new).await["role"], "licensed");
        let offer = json!({ "type": "offer", "sdp": "v=0" });
        caller
            .send(&json!({ "type": "OFFER", "target": "K1ABC", "offer": offer }))
            .await;
        if followed {
            assert_eq!(
                latest.next_of("OFFER_RECEIVED").await["fromCallsign"],
                "W1AW"
            );
            server = server.restart().await;
        } else {
            assert_eq!(caller.next_of("ERROR").await["code"], "callsign-ambiguous");
            let rekey = old.rekey(&new, 1);
            assert_eq!(server.post("/api/rekeys", &rekey).await.status, 200);
        }
    }
    server.server.shutdown().await;
}

/// What a client does with the bundle: it checks the server's signature over the listing.
fn check(bundle: &Value, server: &Certificate) {
    let texts = |name: &str| bundle[name].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut lines = Vec::new();
    for pem in texts("certificates") {
        let certificate = Certificate::from_pem(&text(&pem)).unwrap();
        lines.push(format!("certificate {}", certificate.fingerprint()));
    }
    for identity in texts("blacklisted") {
        lines.push(format!("blacklisted {}", text(&identity)));
    }
    for one in texts("tombstones") {
        let [target, signer, signature] =
            ["target", "signer", "signature"].map(|name| text(&one[name]));
        lines.push(format!("tombstone {target} {signer} {signature}"));
    }
    for one in texts("rekeys") {
        let [old, new, callsign, by_old, by_new] =
            ["old", "new", "callsign", "byOld", "byNew"].map(|name| text(&one[name]));
        let generation = &one["generation"];
        lines.push(format!(
            "rekey {old} {new} {callsign} {generation} {by_old} {by_new}"
        ));
    }
    let listing = digest::digest(&digest::SHA256, lines.join("\n").as_bytes());
    let statement = Statement::trust_bundle(
        server.fingerprint(),
        bundle["timestamp"].as_u64().unwrap(),
        Digest::new(listing.as_ref().try_into().unwrap()),
    );
    let signature = text(&bundle["signature"]);
    assert!(
        server
            .public_key()
            .verify(&statement.unwrap(), &signature)
            .is_ok()
    );
    assert_eq!(bundle["server"], json!(server.fingerprint()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trust_bundle_is_signed_whole_and_follows_every_change() {
    let unclaimed = TestServer::start();
    let refused = unclaimed.get("/api/trust-bundle").await;
    assert_eq!(refused.problem(), (409, "unclaimed".into()));
    unclaimed.server.shutdown().await;

    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let fingerprint = server.get("/api/info").await.json()["certFingerprint"].clone();
    let path = format!("/api/certificates/{}", fingerprint.as_str().unwrap());
    let own = server.get(&path).await.json()["certificate"].clone();
    let own = Certificate::from_pem(own.as_str().unwrap()).unwrap();
    let [one, two, three] = ["K1ABC", "K2ABC", "K2ABC"].map(|call| owner.vouch_for(call));
    let first = server.get("/api/trust-bundle").await;
    check(&first.json(), &own);
    assert_eq!(first.json()["certificates"].as_array().unwrap().len(), 2);
    let identity = bring(&server, &owner, &one).await["identity"].clone();
    for who in [&two, &three, &Operator::new("N1XYZ")] {
        bring(&server, &owner, who).await;
    }
    let second = server.get("/api/trust-bundle").await;
    check(&second.json(), &own);
    assert_eq!(second.json()["certificates"].as_array().unwrap().len(), 5);
    let tag = second.header("etag").unwrap().to_owned();
    assert_ne!(first.header("etag"), Some(tag.as_str()));
    let same = server
        .send("GET", "/api/trust-bundle", &[("If-None-Match", &tag)], "")
        .await;
    assert_eq!((same.status, same.body.len()), (304, 0));

    let path = format!("/api/certificates/{}/blacklist", one.fingerprint());
    let body = json!({ "reason": "", "scope": "key" });
    server.signed(&owner, "POST", &path, Some(&body)).await;
    server.post("/api/rekeys", &two.rekey(&three, 1)).await;
    let target = Identity::parse(identity.as_str().unwrap()).unwrap();
    assert_eq!(
        server
            .post("/api/tombstones", &tombstone(&two, &json!(target)))
            .await
            .status,
        200
    );
    let third = server.get("/api/trust-bundle").await.json();
    check(&third, &own);
    assert_eq!(third["blacklisted"], json!([identity]));
    assert_eq!(third["certificates"].as_array().unwrap().len(), 4);
    assert_eq!(third["tombstones"].as_array().unwrap().len(), 1);
    assert_eq!(third["rekeys"].as_array().unwrap().len(), 1);
    server.server.shutdown().await;
}

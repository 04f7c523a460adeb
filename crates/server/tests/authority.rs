//! Whom a server believes, and that it remembers.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use pki::TrustGraph;
use pki::graph::{Budget, Limits, Source};
use serde_json::{Value, json};
use store::Store;
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

/// Certificates of unknown issuers have few places, and are forgotten at a stop.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_an_unknown_issuer_takes_few_places_and_is_forgotten_at_a_stop() {
    let server = TestServer::owned_by(&Operator::new("W1AW")).await;
    let unknown = Operator::new("N1XYZ");
    let bring = async |server: &TestServer| {
        let who = unknown.vouch_for("K1ABC");
        let body = json!({ "certificate": who.certificate.to_pem() });
        server.post_signed(&who, "/api/certificates", &body).await
    };
    for _ in 0..64 {
        assert_eq!(bring(&server).await.status, 202);
    }
    assert_eq!(bring(&server).await.problem(), (429, "full".into()));
    let server = server.restart().await;
    assert_eq!(bring(&server).await.status, 202);
    server.server.shutdown().await;
}

/// The certificates of 10,000 people are listed whole, each once, page by page.
#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_signature_makes_no_other_certificate_also_after_a_restart() {
    let vectors = include_str!("../../../docs/protocol/vectors/trust.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let vector = |name: &str| vectors["certificates"][name].as_str().unwrap();
    let owner = Operator::new("N0XYZ");
    let server = TestServer::owned_by(&owner).await;
    let root = pki::Certificate::from_pem(vector("owner")).unwrap();
    let body = json!({ "bundle": root.to_pem(), "accept": [root.fingerprint()] });
    let accepted = server.signed(&owner, "POST", "/api/anchors", Some(&body));
    assert_eq!(accepted.await.status, 201);
    let bring = async |server: &TestServer, name: &str| {
        let body = json!({ "certificate": vector(name) });
        let path = "/api/certificates";
        let brought = server.signed(&owner, "POST", path, Some(&body)).await;
        assert_eq!(brought.status, 201, "{brought:?}");
        brought.json()
    };
    let one = bring(&server, "owner for K1ABC").await;
    assert_eq!(one["status"], "trusted");
    let named = one["fingerprint"].as_str().unwrap();
    let path = format!("/api/certificates/{named}/blacklist");
    let body = json!({ "reason": "test" });
    let done = server.signed(&owner, "POST", &path, Some(&body)).await;
    assert_eq!(done.status, 200);
    let server = server.restart().await;
    // r and n - s instead of r and s: other bytes, the same words by the same key.
    let again = bring(&server, "owner for K1ABC, rewritten").await;
    assert_eq!(again["identity"], one["identity"]);
    assert_eq!(again["status"], "blacklisted");
    let server = server.restart().await;
    let listed = server.get("/api/certificates?callsign=K1ABC").await.json();
    let listed = listed.as_array().unwrap();
    assert_eq!(
        (listed.len(), &listed[0]["status"]),
        (1, &json!("blacklisted"))
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_certificates_are_listed_page_by_page() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    server.server.shutdown().await;
    let folder = server.folder;
    let mut store = Store::open(&folder.path().join("ham-server.db")).unwrap();
    let mut graph = TrustGraph::new(Limits::default());
    graph.restore(store.certificates().unwrap());
    let holder = Operator::new("K1ABC");
    let mut admitted = Vec::new();
    for number in 0..10_000_u32 {
        let letter = |place: u32| char::from(b'A' + u8::try_from(number / place % 26).unwrap());
        let call = format!("K{}{}{}{}", number % 10, letter(676), letter(26), letter(1));
        let vouched = pki::issue::Vouched {
            callsign: &call.parse().unwrap(),
            class: None,
            method: station::licence::VouchMethod::InPerson,
        };
        let made = pki::issue::operator_certificate(
            owner.issuer(),
            &holder.key.public_key(),
            &vouched,
            std::time::SystemTime::now(),
            &owner.random,
        );
        let admission = graph.admit(&made.unwrap(), Source::Owner, &mut Budget::new(40));
        admitted.extend(admission.unwrap().admitted);
    }
    store.change(|change| change.admit(&admitted)).unwrap();
    drop(store);

    let server = TestServer::start_in(folder);
    let mut seen = std::collections::BTreeSet::new();
    let mut path = "/api/certificates?limit=500&status=trusted".to_owned();
    let mut pages = 0;
    loop {
        let page = server.get(&path).await;
        pages += 1;
        for one in page.json().as_array().unwrap() {
            assert!(seen.insert(one["identity"].to_string()), "{one}");
        }
        let Some(link) = page.header("link") else {
            break;
        };
        path = link[1..].split('>').next().unwrap().to_owned();
    }
    assert_eq!((seen.len(), pages), (10_002, 21));
    let one = server.get("/api/certificates?callsign=K0AAA").await.json();
    assert_eq!(one.as_array().unwrap().len(), 1);
    server.server.shutdown().await;
}

/// What is secret lies in files for their user only, and no address gives it out.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_for_their_user_only_and_never_served() {
    use std::os::unix::fs::PermissionsExt as _;
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    for name in ["server.key", "admin.key", "ham-server.db"] {
        let file = server.folder.path().join(name);
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        for path in [
            format!("/{name}"),
            format!("/../{name}"),
            format!("/%2e%2e/{name}"),
        ] {
            let answer = server.get(&path).await;
            let body = String::from_utf8_lossy(&answer.body);
            assert!(
                !body.contains("PRIVATE KEY") && !body.contains("SQLite format"),
                "{path}"
            );
        }
    }
    for entry in std::fs::read_dir(server.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        let secret = String::from_utf8_lossy(&content).contains("PRIVATE KEY");
        let mode = path.metadata().unwrap().permissions().mode();
        assert!(!secret || mode & 0o077 == 0, "{}", path.display());
    }
    server.server.shutdown().await;
}

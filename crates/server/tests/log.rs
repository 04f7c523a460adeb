//! The log of what a server issued: everybody may check it, and it outlives a sudden death.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use pki::PublicKey;
use pki::log::{Checkpoint, LogError, Tip};
use serde_json::{Value, json};
use station::Callsign;
use support::applying::{Applying, certificate, claimed};
use support::{Operator, TestServer};

/// Lets the server issue by the owner's word.
async fn issue(server: &TestServer, owner: &Operator, callsign: &str) -> String {
    let body = Applying::new(callsign).body(&json!({ "method": "in-person" }));
    let issued = server
        .signed(owner, "POST", "/api/issue-certificate", Some(&body))
        .await;
    certificate(&issued).fingerprint().to_string()
}

fn key_of(server: &TestServer) -> impl Future<Output = PublicKey> {
    let offer = server.get("/api/claim-station");
    async { PublicKey::from_pem(offer.await.json()["publicKey"].as_str().unwrap()).unwrap() }
}

fn checkpoint(signed: &Value) -> Checkpoint {
    Checkpoint {
        server: signed["server"].as_str().unwrap().parse().unwrap(),
        tip: Tip {
            size: signed["size"].as_u64().unwrap(),
            head: signed["head"].as_str().unwrap().parse().unwrap(),
        },
        signature: signed["signature"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_issued_is_in_the_log_and_it_can_be_checked() {
    let (server, owner) = claimed().await;
    let key = key_of(&server).await;
    let empty = server.log().await;
    assert_eq!(empty.verify(&key), Ok(()));
    assert!(empty.entries.is_empty());

    let mut issued = vec![
        issue(&server, &owner, "K1ABC").await,
        issue(&server, &owner, "K2ABC").await,
    ];
    let earlier = server.get("/api/log/checkpoint").await.json();
    let earlier = checkpoint(&earlier);
    assert_eq!(earlier.verify(&key), Ok(()));
    assert_eq!(earlier.tip.size, 2);

    let server = server.restart().await;
    issued.push(issue(&server, &owner, "K3ABC").await);
    let whole = server.log().await;
    assert_eq!(whole.verify(&key), Ok(()));
    let logged: Vec<String> = whole
        .entries
        .iter()
        .map(|entry| entry.issued.certificate.to_string())
        .collect();
    assert_eq!(logged, issued);
    assert_eq!(
        whole.checkpoint.continues(&earlier, &whole.entries[2..]),
        Ok(()),
        "what was shown before a restart still holds"
    );

    let mut tampered = whole.clone();
    tampered.entries[0].issued.callsign = Callsign::parse("K9XYZ").unwrap();
    assert_eq!(tampered.verify(&key), Err(LogError::Broken { index: 1 }));
    let stranger = Operator::new("K9XYZ").key.public_key();
    assert_eq!(whole.verify(&stranger), Err(LogError::Signature));

    let page = server.get("/api/log?after=1").await.json();
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    for (shown, entry) in entries.iter().zip(&whole.entries[1..]) {
        assert_eq!(shown["index"], entry.index);
        assert_eq!(shown["certificate"], entry.issued.certificate.to_string());
        assert_eq!(shown["identity"], entry.issued.identity.to_string());
        assert_eq!(shown["callsign"], entry.issued.callsign.as_str());
        assert_eq!(shown["method"], "in-person");
        assert_eq!(shown["evidence"], Value::Null);
        assert_eq!(shown["previous"], entry.previous.to_string());
        assert_eq!(shown["head"], entry.head().to_string());
    }
    assert_eq!(checkpoint(&page["checkpoint"]), whole.checkpoint);
    for beyond in ["3", "18446744073709551615"] {
        let page = server.get(&format!("/api/log?after={beyond}")).await.json();
        assert_eq!(page["entries"], json!([]), "{beyond}");
    }
    let bad = server.get("/api/log?after=-1").await;
    assert_eq!(bad.problem(), (400, "bad-request".into()));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_comes_in_pages() {
    let (server, owner) = (TestServer::issuing(1000), Operator::new("W1AW"));
    server.claim(&owner).await;
    let key = key_of(&server).await;
    for at in 0..101 {
        let letter = |place: u8| char::from(b'A' + place % 26);
        issue(
            &server,
            &owner,
            &format!("K{}{}{}", at % 10, letter(at), letter(at / 26)),
        )
        .await;
    }
    let first = server.get("/api/log").await;
    assert_eq!(first.json()["entries"].as_array().unwrap().len(), 100);
    assert_eq!(
        first.header("link"),
        Some("</api/log?after=100>; rel=\"next\"")
    );
    let last = server.get("/api/log?after=100").await;
    assert_eq!(last.json()["entries"].as_array().unwrap().len(), 1);
    assert_eq!(last.header("link"), None);
    let whole = server.log().await;
    assert_eq!(whole.verify(&key), Ok(()));
    assert_eq!(whole.entries.len(), 101);
    server.server.shutdown().await;
}

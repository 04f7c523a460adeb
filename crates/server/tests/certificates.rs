//! Certificates over HTTP: listing, explaining, bringing and blacklisting them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::time::Instant;

use serde_json::{Value, json};
use support::{DEADLINE, Operator, Response, TestServer};

fn body(who: &Operator, chain: &[&Operator]) -> Value {
    let chain: Vec<String> = chain.iter().map(|one| one.certificate.to_pem()).collect();
    json!({ "certificate": who.certificate.to_pem(), "chain": chain, "trustLevel": "root" })
}

async fn bring(server: &TestServer, signer: &Operator, body: &Value) -> Response {
    server
        .signed(signer, "POST", "/api/certificates", Some(body))
        .await
}

async fn details(server: &TestServer, who: &Operator) -> Value {
    let path = format!("/api/certificates/{}", who.fingerprint());
    let answer = server.get(&path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn explain(server: &TestServer, who: &Operator) -> Value {
    let path = format!("/api/certificates/{}/explain", who.fingerprint());
    server.get(&path).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_or_vouches_brings_certificates_and_nobody_else() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    let far = friend.vouch_for("K2ABC");
    let stranger = Operator::new("N1XYZ");

    let unsigned = server.post("/api/certificates", &body(&friend, &[])).await;
    assert_eq!(unsigned.problem(), (401, "signature-required".into()));
    let unknown = bring(&server, &stranger, &body(&friend, &[])).await;
    assert_eq!(unknown.problem(), (403, "unknown-signer".into()));
    let own = bring(&server, &stranger, &body(&stranger, &[])).await;
    assert_eq!(
        (own.status, &own.json()["status"]),
        (201, &json!("untrusted")),
        "a holder brings their own: {own:?}"
    );
    let others = bring(&server, &stranger, &body(&friend, &[])).await;
    assert_eq!(others.problem(), (403, "license-required".into()));
    let thief = Operator {
        certificate: friend.certificate.clone(),
        ..Operator::new("K1ABC")
    };
    let stolen = bring(&server, &thief, &body(&friend, &[])).await;
    assert_eq!(stolen.problem(), (401, "bad-signature".into()));

    let early = bring(&server, &far, &body(&far, &[])).await;
    assert_eq!(
        (early.status, early.json()),
        (
            202,
            json!({ "status": "waiting", "fingerprint": far.fingerprint() })
        )
    );
    let waiting = details(&server, &far).await;
    assert_eq!(
        (&waiting["status"], &waiting["identity"], &waiting["issuer"]),
        (&json!("waiting"), &Value::Null, &Value::Null)
    );
    let trusted = bring(&server, &friend, &body(&friend, &[])).await;
    assert_eq!(trusted.status, 201, "{trusted:?}");
    assert_eq!(trusted.json()["status"], "trusted");
    assert_eq!(
        details(&server, &far).await["status"],
        "trusted",
        "its issuer came"
    );
    let again = bring(&server, &friend, &body(&friend, &[&owner])).await;
    assert_eq!(again.status, 201);

    // An operator brings somebody else's, with the chain.
    let [one, two] = [far.vouch_for("G4ABC"), far.vouch_for("DL1XYZ")];
    let by_operator = bring(&server, &friend, &body(&one, &[&far, &friend, &owner])).await;
    assert_eq!(
        (by_operator.status, &by_operator.json()["status"]),
        (201, &json!("trusted"))
    );
    let by_owner = bring(&server, &owner, &body(&two, &[])).await;
    assert_eq!(by_owner.status, 201);
    let server = server.restart().await;
    for known in [&stranger, &friend, &far, &one, &two] {
        details(&server, known).await;
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_certificate_or_chain_is_refused_by_name() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    let impostor = Operator::new("W1AW");
    let refused = async |body: Value| {
        let refused = bring(&server, &owner, &body).await;
        assert_eq!(refused.problem(), (400, "bad-certificate".into()));
        refused.json()["error"].as_str().unwrap().to_owned()
    };
    let mut wrong = body(&friend, &[]);
    wrong["certificate"] = "no PEM".into();
    assert!(
        refused(wrong)
            .await
            .contains("the certificate cannot be used")
    );
    let mut wrong = body(&friend, &[&owner]);
    wrong["chain"][0] = friend.key.public_key().to_pem().into();
    assert!(refused(wrong).await.contains("certificate 1 of the chain"));
    let mut wrong = body(&friend, &[]);
    wrong["chain"] = json!(vec![owner.certificate.to_pem(); 65]);
    assert!(refused(wrong).await.contains("at most 64"));

    // The name of the issuer, but not its key: nothing this server holds signed it.
    let forged = impostor.vouch_for("K3ABC");
    assert!(
        refused(body(&forged, &[&owner]))
            .await
            .contains("is not signed by its issuer's key")
    );
    let mut der = impostor.certificate.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let broken = Operator {
        certificate: pki::Certificate::from_der(&der).unwrap(),
        ..Operator::new("W1AW")
    };
    assert!(
        refused(body(&broken, &[]))
            .await
            .contains("is not signed by its issuer's key")
    );

    // Well signed, and yet it says that another key signed it.
    let vectors = include_str!("../../../docs/protocol/vectors/trust.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let vector = |name: &str| vectors["certificates"][name].clone();
    let elsewhere = json!({
        "certificate": vector("owner for K1ABC, hinting elsewhere"),
        "chain": [vector("owner")],
    });
    let error = refused(elsewhere).await;
    assert!(error.contains("another key than its issuer's"), "{error}");

    let big = json!({ "certificate": "x".repeat(300 * 1024) });
    assert_eq!(bring(&server, &owner, &big).await.status, 413);
    let odd = bring(&server, &owner, &json!({ "certificate": 7 })).await;
    assert_eq!(odd.problem(), (400, "bad-request".into()));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_comes_in_pages_and_by_callsign_and_status() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    for call in ["K1ABC", "F/K1ABC/P", "K2ABC", "K9ABC"] {
        let operator = owner.vouch_for(call);
        bring(&server, &owner, &body(&operator, &[])).await;
    }
    let stranger = Operator::new("A1A");
    bring(&server, &owner, &body(&stranger, &[])).await;
    let all = server.get("/api/certificates").await;
    assert_eq!(all.header("link"), None);
    let all = all.json();
    let all = all.as_array().unwrap();
    let bases: Vec<String> = all
        .iter()
        .map(|one| station::Callsign::parse(one["callsign"].as_str().unwrap()).unwrap())
        .map(|call| call.base().to_owned())
        .collect();
    assert_eq!(bases.len(), 7, "with the server's own: {bases:?}");
    assert!(bases.is_sorted(), "{bases:?}");

    let mut paged = Vec::new();
    let mut path = "/api/certificates?limit=2&status=trusted".to_owned();
    loop {
        let page = server.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        let listed = page.json();
        assert!(listed.as_array().unwrap().len() <= 2);
        paged.extend(listed.as_array().unwrap().clone());
        let Some(link) = page.header("link") else {
            break;
        };
        let address = link.strip_prefix('<').unwrap();
        let (address, rest) = address.split_once('>').unwrap();
        assert_eq!(rest, "; rel=\"next\"");
        path = address.to_owned();
    }
    let trusted: Vec<Value> = all
        .iter()
        .filter(|one| one["status"] == "trusted")
        .cloned()
        .collect();
    assert_eq!(paged, trusted);
    assert_eq!(trusted.len(), 6);

    let k1abc = server.get("/api/certificates?callsign=k1abc&limit=1").await;
    assert!(k1abc.header("link").unwrap().contains("callsign=K1ABC"));
    let k1abc = server.get("/api/certificates?callsign=k1abc").await.json();
    assert_eq!(k1abc.as_array().unwrap().len(), 2);
    let own = server.get("/api/certificates?callsign=W1AW").await.json();
    let (server_own, owner_own): (Vec<&Value>, Vec<&Value>) = own
        .as_array()
        .unwrap()
        .iter()
        .partition(|one| one["server"] == true);
    assert_eq!(owner_own[0]["trustLevel"], "root");
    assert_eq!(owner_own[0]["method"], "self-asserted");
    assert_eq!(
        (&owner_own[0]["anchor"], &server_own[0]["anchor"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(server_own[0]["issuer"], "W1AW");
    let begun = server.get("/api/certificates?prefix=k&limit=2").await;
    assert!(begun.header("link").unwrap().contains("prefix=K"));
    let begun = server.get("/api/certificates?prefix=k&limit=9").await;
    assert_eq!(begun.json().as_array().unwrap().len(), 4);
    assert_eq!(begun.header("link"), None, "what follows begins with W");
    let begun = server.get("/api/certificates?prefix=K1").await.json();
    assert_eq!(begun.as_array().unwrap().len(), 2, "{begun}");
    let server_key = server_own[0]["keyId"].as_str().unwrap();
    let by_owner = owner.certificate.key_id();
    let signed = |key: &str| format!("/api/certificates?issuer={key}&status=trusted");
    let by_owner = server.get(&signed(&by_owner.to_string())).await.json();
    assert_eq!(by_owner.as_array().unwrap().len(), 6);
    let by_server = server.get(&signed(server_key)).await.json();
    assert_eq!(by_server, json!([]));
    for wrong in [
        "prefix=",
        "prefix=K/",
        "issuer=x",
        "limit=0",
        "limit=501",
        "limit=x",
        "status=nice",
        "callsign=-",
        "after=x",
        "after=W1AW.00",
    ] {
        let refused = server.get(&format!("/api/certificates?{wrong}")).await;
        assert_eq!(refused.problem(), (400, "bad-request".into()), "{wrong}");
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_shown_whole_and_explained() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    let far = friend.vouch_for("K2ABC");
    let stranger = Operator::new("K2ABC");
    bring(&server, &owner, &body(&far, &[&friend])).await;
    bring(&server, &owner, &body(&stranger, &[])).await;

    let shown = details(&server, &far).await;
    assert_eq!(shown["certificate"], far.certificate.to_pem());
    let chain = json!([friend.certificate.to_pem(), owner.certificate.to_pem()]);
    assert_eq!(shown["chain"], chain);
    assert_eq!(shown["vouchedBy"], "K1ABC");
    assert_eq!(shown["method"], "in-person");
    assert_eq!(shown["keyId"], far.key.key_id().to_string());
    assert!(shown["notBefore"].as_i64().unwrap() > 1_700_000_000);
    assert_eq!(
        details(&server, &friend).await["trustLevel"],
        "intermediate"
    );

    let why = explain(&server, &far).await;
    assert_eq!(why["status"], "trusted");
    assert_eq!(
        why["sentence"],
        "K1ABC vouches for it, having met its holder in person; W1AW is the trust anchor above."
    );
    let steps = why["paths"][0]["steps"].as_array().unwrap();
    let names: Vec<&str> = steps
        .iter()
        .map(|one| one["callsign"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["K2ABC", "K1ABC", "W1AW"]);
    assert_eq!(steps[2]["anchor"], true);
    let why = explain(&server, &owner).await;
    assert_eq!(
        why["sentence"],
        "The owner of this server made it a trust anchor."
    );
    let why = explain(&server, &stranger).await;
    assert_eq!(why["status"], "untrusted");
    assert_eq!(why["sentence"], "Nobody this server trusts vouches for it.");
    assert_eq!(why["roots"][0]["fingerprint"], stranger.fingerprint());

    let nobody = Operator::new("N1XYZ");
    for path in ["", "/explain"] {
        let path = format!("/api/certificates/{}{path}", nobody.fingerprint());
        assert_eq!(server.get(&path).await.problem(), (404, "not-found".into()));
    }
    let wrong = server.get("/api/certificates/W1AW").await;
    assert_eq!(wrong.problem(), (400, "bad-request".into()));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_blacklists_and_live_sessions_follow() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    let far = friend.vouch_for("K2ABC");
    bring(&server, &owner, &body(&far, &[&friend])).await;
    let mut client = server.connect().await;
    assert_eq!(client.log_in(&far).await["role"], "licensed");

    let path = format!("/api/certificates/{}/blacklist", friend.fingerprint());
    let preview = format!("{path}/preview?scope=key");
    let expected = server.signed(&owner, "GET", &preview, None).await;
    assert_eq!(expected.status, 200, "{expected:?}");
    let expected = expected.json();
    assert_eq!(
        (
            &expected["loseCount"],
            &expected["keysLost"],
            &expected["gainCount"]
        ),
        (&json!(2), &json!(2), &json!(0))
    );
    assert_eq!(
        server.get(&preview).await.problem(),
        (401, "signature-required".into())
    );
    let reason = json!({ "reason": " vouches for\nanybody ", "scope": "key" });
    let by_friend = server.signed(&friend, "POST", &path, Some(&reason)).await;
    assert_eq!(by_friend.problem(), (403, "not-the-owner".into()));
    let done = server.signed(&owner, "POST", &path, Some(&reason)).await;
    assert_eq!((done.status, done.json()), (200, expected));
    let turned = client.next_of("ROLE").await;
    assert_eq!(turned["role"], "unlicensed");
    let why = explain(&server, &far).await;
    assert_eq!(
        why["sentence"],
        "No way leads from it to a trust anchor. K1ABC's certificate is in the way: the owner of \
         this server blacklisted its holder's key."
    );
    assert_eq!(
        explain(&server, &friend).await["sentence"],
        "It counts for nothing here: the owner of this server blacklisted its holder's key."
    );

    let server = server.restart().await;
    assert_eq!(details(&server, &friend).await["status"], "blacklisted");
    assert_eq!(details(&server, &far).await["status"], "untrusted");
    let listed = server
        .signed(&owner, "GET", "/api/blacklist", None)
        .await
        .json();
    let entry = json!({
        "scope": "key",
        "fingerprint": friend.fingerprint(),
        "keyId": friend.key.key_id().to_string(),
        "identity": null,
        "callsign": "K1ABC",
        "reason": "vouches for\nanybody",
    });
    assert_eq!(listed, json!({ "entries": [entry], "published": false }));
    let mut client = server.connect().await;
    assert_eq!(client.log_in(&far).await["role"], "unlicensed");
    // By the key's own name, as if the certificate were gone.
    let by_key = format!(
        "/api/certificates/{}/blacklist?scope=key",
        friend.key.key_id()
    );
    let undone = server.signed(&owner, "DELETE", &by_key, None).await;
    assert_eq!(
        (undone.status, &undone.json()["gainCount"]),
        (200, &json!(2))
    );
    assert_eq!(client.next_of("ROLE").await["role"], "licensed");
    let again = format!("{path}?scope=key");
    let again = server.signed(&owner, "DELETE", &again, None).await;
    assert_eq!(again.problem(), (404, "not-found".into()));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_about_nobody_or_oneself_are_refused() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let path = |fingerprint: &str| format!("/api/certificates/{fingerprint}/blacklist");
    let blacklist = async |fingerprint: &str, body: Value| {
        let path = path(fingerprint);
        server.signed(&owner, "POST", &path, Some(&body)).await
    };
    let nobody = Operator::new("N1XYZ");
    let unknown = blacklist(&nobody.fingerprint(), json!({ "reason": "" })).await;
    assert_eq!(unknown.problem(), (404, "not-found".into()));
    let own = server.get("/api/info").await.json()["certFingerprint"].clone();
    for own in [owner.fingerprint().as_str(), own.as_str().unwrap()] {
        for scope in ["certificate", "key", "subtree"] {
            let refused = blacklist(own, json!({ "reason": "", "scope": scope })).await;
            assert_eq!(refused.problem(), (409, "own-key".into()), "{scope}");
        }
    }
    for wrong in [
        json!({ "reason": "x".repeat(501) }),
        json!({ "reason": "\u{7}" }),
        json!({ "reason": "", "scope": "world" }),
    ] {
        let refused = blacklist(&owner.fingerprint(), wrong).await;
        assert_eq!(refused.problem(), (400, "bad-request".into()));
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_scope_is_previewed_done_and_undone() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    // K1ABC has the word of two, and vouches for K3ABC, who has the owner's word as well.
    let [hostile, other] = ["K1ABC", "K2ABC"].map(|callsign| owner.vouch_for(callsign));
    let below = hostile.vouch_for("K3ABC");
    for certificate in [
        &hostile.certificate,
        &other.certificate,
        &other.word_for(&hostile),
        &below.certificate,
        &owner.word_for(&below),
    ] {
        let body = json!({ "certificate": certificate.to_pem() });
        assert_eq!(bring(&server, &owner, &body).await.status, 201);
    }
    let path = format!("/api/certificates/{}/blacklist", hostile.fingerprint());
    for (scope, lost, keys) in [("certificate", 1, 0), ("key", 3, 1), ("subtree", 4, 2)] {
        let ask = async |method: &str, path: &str, body: Option<&Value>| {
            let answer = server.signed(&owner, method, path, body).await;
            assert_eq!(answer.status, 200, "{scope}: {answer:?}");
            answer.json()
        };
        let preview = format!("{path}/preview?scope={scope}");
        let preview = ask("GET", &preview, None).await;
        let counts = (&preview["loseCount"], &preview["keysLost"]);
        assert_eq!(counts, (&json!(lost), &json!(keys)), "{scope}");
        assert_eq!(details(&server, &hostile).await["status"], "trusted");
        let body = json!({ "reason": "test", "scope": scope });
        assert_eq!(ask("POST", &path, Some(&body)).await, preview, "{scope}");
        assert_eq!(details(&server, &hostile).await["status"], "blacklisted");
        let undone = ask("DELETE", &format!("{path}?scope={scope}"), None).await;
        assert_eq!(undone["gain"], preview["lose"], "{scope}");
        assert_eq!(details(&server, &hostile).await["status"], "trusted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_too_much_explained_is_told_to_wait() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let path = format!("/api/certificates/{}/explain", owner.fingerprint());
    assert_eq!(server.get(&path).await.status, 200);
    // Applications cost the most, and what they leave is soon gone.
    let csr = json!({ "csr": "", "callsign": "K1ABC", "proofOfLicense": { "method": "document" } });
    let start = Instant::now();
    loop {
        server.post("/api/issue-certificate", &csr).await;
        let explained = server.get(&path).await;
        if explained.status == 429 {
            assert_eq!(explained.problem().1, "rate-limited");
            break;
        }
        assert!(start.elapsed() < DEADLINE);
    }
    // To look is no search.
    assert_eq!(details(&server, &owner).await["status"], "trusted");
}

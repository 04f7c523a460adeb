//! Getting a certificate from a server: every way, and everybody who tries without a right to it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use futures_util::future::join_all;
use pki::Code;
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use station::licence::VouchMethod;

use station::{LicenceClass, Statement};
use support::applying::{
    Applying, certificate, claimed, code, document, nonce, open_codes, waiting,
};
use support::{Operator, Response, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn a_code_makes_one_certificate_of_what_the_owner_saw() {
    let (server, owner) = claimed().await;
    let of = json!({ "callsign": "k1abc", "licenseClass": "Extra" });
    let (code, _) = code(&server, &owner, &of).await;
    let somebody = Applying::new("K1ABC");
    let nonce = nonce(&server).await;
    let proof = somebody.by_code_with(&nonce, &code);
    let issued = somebody.apply(&server, &proof).await;
    let certificate = certificate(&issued);
    assert_eq!(issued.status, 201);
    assert_eq!(*certificate.public_key(), somebody.key.public_key());
    let licence = certificate.licence().unwrap();
    assert_eq!(licence.callsign.as_str(), "K1ABC");
    assert_eq!(licence.vouched_by, owner.callsign);
    assert_eq!(licence.method, VouchMethod::InPerson);
    assert_eq!(licence.class.as_ref().unwrap().as_str(), "Extra");
    let answered = Statement::issued(&nonce, certificate.fingerprint()).unwrap();
    let answer = issued.json();
    code.verify(&answered, answer["proof"].as_str().unwrap())
        .expect("the answer shows that the server knows the code");

    // The certificate is worth something at once.
    let somebody_in = Operator {
        callsign: somebody.callsign.clone(),
        key: somebody.key,
        certificate,
        random: SystemRandom::new(),
    };
    let registered = server.connect().await.log_in(&somebody_in).await;
    assert_eq!(registered["role"], "licensed", "{registered}");

    assert_eq!(open_codes(&server, &owner).await, 0);
    let another = Applying::new("K1ABC");
    let proof = another.by_code(&server, &code).await;
    let refused = another.apply(&server, &proof).await;
    assert_eq!(refused.problem(), (403, "wrong-code".into()), "used up");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_races_with_one_code_gets_one_certificate() {
    for _ in 0..6 {
        let (server, owner) = claimed().await;
        let somebody = Applying::new("K1ABC");
        let (code, _) = code(&server, &owner, &json!({ "callsign": "K1ABC" })).await;
        let mut proofs = Vec::new();
        for _ in 0..6 {
            proofs.push(somebody.by_code(&server, &code).await);
        }
        let applications = proofs.iter().map(|proof| somebody.apply(&server, proof));
        let answers = join_all(applications).await;
        let issued = answers.iter().filter(|answer| answer.status == 201);
        assert_eq!(issued.count(), 1, "{answers:?}");
        let losers = answers.iter().filter(|answer| answer.status != 201);
        for loser in losers {
            assert_eq!(loser.problem(), (403, "wrong-code".into()), "{loser:?}");
        }
        server.server.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_for_one_callsign_one_class_and_one_nonce() {
    let (server, owner) = claimed().await;
    let of = json!({ "callsign": "K1ABC", "licenseClass": "Extra" });
    let (code, _) = code(&server, &owner, &of).await;
    let made_up = Code::generate(&SystemRandom::new()).unwrap();
    let (somebody, another) = (Applying::new("K1ABC"), Applying::new("K2ABC"));

    let refused = |answer: &Response, code: &str| {
        assert_eq!(answer.problem(), (403, code.into()), "{answer:?}");
    };
    let wrong = somebody.by_code(&server, &made_up).await;
    refused(&somebody.apply(&server, &wrong).await, "wrong-code");
    let foreign = another.by_code(&server, &code).await;
    refused(&another.apply(&server, &foreign).await, "wrong-code");
    let stolen = somebody.by_code(&server, &code).await;
    let thief = Applying::new("K1ABC");
    refused(&thief.apply(&server, &stolen).await, "wrong-code");
    let replayed = thief.by_code_with(stolen["nonce"].as_str().unwrap(), &code);
    refused(&thief.apply(&server, &replayed).await, "bad-nonce");
    let none = json!({ "method": "in-person" });
    refused(&somebody.apply(&server, &none).await, "code-required");

    // Another class than the owner saw, proven by the code itself.
    let nonce = nonce(&server).await;
    let class: LicenceClass = "Technician".parse().unwrap();
    let statement = Statement::issue(&nonce, somebody.stated(Some(&class))).unwrap();
    let mut body = somebody.body(&json!({
        "method": "in-person", "nonce": nonce, "codeProof": code.hmac(&statement),
    }));
    body["licenseClass"] = json!("Technician");
    let answer = server.post("/api/issue-certificate", &body).await;
    refused(&answer, "wrong-code");

    assert_eq!(
        open_codes(&server, &owner).await,
        1,
        "none of it used the code up"
    );
    let server = server.restart().await;
    let proof = somebody.by_code(&server, &code).await;
    assert_eq!(somebody.apply(&server, &proof).await.status, 201);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_the_owners_and_can_be_taken_back() {
    let (server, owner) = claimed().await;
    let friend = owner.vouch_for("K3ABC");
    let of = json!({ "callsign": "K1ABC" });
    for (method, path) in [
        ("POST", "/api/codes"),
        ("GET", "/api/codes"),
        ("DELETE", "/api/codes/00000000000000000000000000000000"),
        ("GET", "/api/requests"),
    ] {
        let body = (method == "POST").then_some(&of);
        let unsigned = server.send(method, path, &[], "").await;
        assert_eq!(unsigned.problem().0, 401, "{method} {path}");
        let refused = server.signed(&friend, method, path, body).await;
        assert_eq!(refused.problem().0, 403, "{method} {path}");
    }
    let forwarded = [("X-Forwarded-For", "192.168.1.9")];
    assert_eq!(
        server
            .send("POST", "/api/codes", &forwarded, "{}")
            .await
            .problem()
            .0,
        401,
        "a proxy's word changes nothing"
    );
    let (code, id) = code(&server, &owner, &of).await;
    let path = format!("/api/codes/{id}");
    let removed = server.signed(&owner, "DELETE", &path, None).await;
    assert_eq!(removed.status, 204, "{removed:?}");
    let again = server.signed(&owner, "DELETE", &path, None).await;
    assert_eq!(again.problem(), (404, "not-found".into()));
    let somebody = Applying::new("K1ABC");
    let proof = somebody.by_code(&server, &code).await;
    let refused = somebody.apply(&server, &proof).await;
    assert_eq!(refused.problem(), (403, "wrong-code".into()));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_end_in_a_pause() {
    let (server, owner) = claimed().await;
    let (good, _) = code(&server, &owner, &json!({ "callsign": "K1ABC" })).await;
    let guess = Code::generate(&SystemRandom::new()).unwrap();
    let somebody = Applying::new("K1ABC");
    let mut refused = 0;
    let paused = loop {
        let proof = somebody.by_code(&server, &guess).await;
        let answer = somebody.apply(&server, &proof).await;
        if answer.status != 403 {
            break answer;
        }
        refused += 1;
    };
    assert_eq!(paused.problem(), (429, "rate-limited".into()));
    // A slow machine may get one back meanwhile.
    assert!((10..20).contains(&refused), "{refused}");
    let wait: u64 = paused.header("retry-after").unwrap().parse().unwrap();
    assert!((30..=61).contains(&wait), "{wait}");
    let proof = somebody.by_code(&server, &good).await;
    let answer = somebody.apply(&server, &proof).await;
    assert_eq!(answer.problem().0, 429, "nor is a right one looked at");
    let by_owner = somebody.body(&json!({ "method": "in-person" }));
    let issued = server
        .signed(&owner, "POST", "/api/issue-certificate", Some(&by_owner))
        .await;
    assert_eq!(
        issued.status, 201,
        "the owner is not in the way of themselves"
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_issues_by_their_word_ten_an_hour() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    let issue = async |server: &TestServer, callsign: &str, method: &str| {
        let body = Applying::new(callsign).body(&json!({ "method": method }));
        server
            .signed(&owner, "POST", "/api/issue-certificate", Some(&body))
            .await
    };
    let unclaimed = Applying::new("K1ABC");
    let answer = unclaimed.apply(&server, &document("hello")).await;
    assert_eq!(answer.problem(), (409, "unclaimed".into()));
    server.claim(&owner).await;

    for at in 0..10 {
        let method = ["in-person", "document"][at % 2];
        let answer = issue(&server, &format!("K{at}ABC"), method).await;
        let certificate = certificate(&answer);
        assert_eq!(certificate.licence().unwrap().method.as_str(), method);
    }
    let too_fast = |refused: &Response| {
        assert_eq!(refused.problem(), (429, "rate-limited".into()));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((200..=361).contains(&wait), "{wait}");
    };
    too_fast(&issue(&server, "N1ABC", "in-person").await);
    let server = server.restart().await;
    too_fast(&issue(&server, "N1ABC", "in-person").await);

    let stranger = owner.vouch_for("K9ABC");
    let body = Applying::new("K8XYZ").body(&json!({ "method": "in-person" }));
    let refused = server
        .signed(&stranger, "POST", "/api/issue-certificate", Some(&body))
        .await;
    assert_eq!(refused.problem().0, 403, "an operator is not the owner");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_key_is_taken_from_a_request() {
    let (server, owner) = claimed().await;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let ran = std::process::Command::new("openssl")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    run(&[
        "ecparam",
        "-name",
        "prime256v1",
        "-genkey",
        "-noout",
        "-out",
        "key.pem",
    ]);
    run(&[
        "req",
        "-new",
        "-key",
        "key.pem",
        "-out",
        "csr.pem",
        "-subj",
        "/CN=N0XYZ/OU=Server",
        "-addext",
        "basicConstraints=critical,CA:TRUE,pathlen:3",
        "-addext",
        "subjectAltName=DNS:example.org",
        "-addext",
        "nameConstraints=critical,permitted;DNS:example.org",
    ]);
    let csr = std::fs::read_to_string(folder.path().join("csr.pem")).unwrap();
    let body = json!({
        "csr": csr, "callsign": "K1ABC", "proofOfLicense": { "method": "in-person" },
    });
    let issued = server
        .signed(&owner, "POST", "/api/issue-certificate", Some(&body))
        .await;
    let certificate = certificate(&issued);
    assert_eq!(
        certificate.callsign().as_str(),
        "K1ABC",
        "not the request's"
    );
    assert!(!certificate.is_server());
    let text = certificate.to_pem();
    std::fs::write(folder.path().join("certificate.pem"), text).unwrap();
    let shown = std::process::Command::new("openssl")
        .args(["x509", "-in", "certificate.pem", "-noout", "-text"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("CN = K1ABC") || shown.contains("CN=K1ABC"),
        "{shown}"
    );
    for taken in ["example.org", "pathlen", "Name Constraints", "N0XYZ"] {
        assert!(!shown.contains(taken), "{taken} in {shown}");
    }

    let bad = async |body: Value| {
        let answer = server.post("/api/issue-certificate", &body).await;
        answer.problem()
    };
    let somebody = Applying::new("K1ABC");
    let good = somebody.body(&document("hello"));
    let mut other_key = good.clone();
    // The same request with one byte of its signature changed.
    let spoiled: Vec<String> = somebody.csr().lines().map(str::to_owned).collect();
    let place = spoiled.len() - 2;
    let mut lines = spoiled.clone();
    let flipped = if lines[place].starts_with('A') {
        "B"
    } else {
        "A"
    };
    lines[place].replace_range(0..1, flipped);
    other_key["csr"] = json!(lines.join("\n"));
    assert_eq!(bad(other_key).await, (400, "bad-csr".into()));
    let mut no_call = good.clone();
    no_call["callsign"] = json!("nobody");
    assert_eq!(bad(no_call).await, (400, "bad-callsign".into()));
    let mut no_class = good.clone();
    no_class["licenseClass"] = json!("x".repeat(40));
    assert_eq!(bad(no_class).await, (400, "bad-license-class".into()));
    let mut no_method = good;
    no_method["proofOfLicense"] = json!({ "method": "self-asserted" });
    assert_eq!(bad(no_method).await.1, "bad-request");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_wait_for_the_owner_who_approves_or_refuses() {
    let (server, owner) = claimed().await;
    let [somebody, another] = ["K1ABC", "K2ABC"].map(Applying::new);
    let mut body = somebody.body(&document("  my licence is at the club\n73 "));
    body["licenseClass"] = json!("General");
    let waits = server.post("/api/issue-certificate", &body).await;
    assert_eq!(waits.status, 202, "{waits:?}");
    let path = |answer: &Response| {
        let request = answer.json()["request"].clone();
        assert!(request["why"].as_str().unwrap().contains("document"));
        format!("/api/requests/{}", request["id"].as_str().unwrap())
    };
    let first = path(&waits);
    let second = path(&another.apply(&server, &document("a photograph")).await);
    let again = somebody.apply(&server, &document("hello?")).await;
    assert_eq!(again.problem(), (409, "already-waiting".into()));
    for note in ["", "  ", &"x".repeat(501), "a\u{7}b"] {
        let refused = Applying::new("K7ABC").apply(&server, &document(note)).await;
        assert_eq!(refused.problem(), (400, "bad-proof".into()), "{note:?}");
    }

    // Everything is there again after a restart.
    let server = server.restart().await;
    let listed = waiting(&server, &owner).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["callsign"], "K1ABC");
    assert_eq!(listed[0]["note"], "my licence is at the club\n73");
    assert_eq!(listed[0]["licenseClass"], "General");
    assert_eq!(listed[0]["keyId"], somebody.key.key_id().to_string());
    assert_eq!(listed[0]["method"], "document");
    assert_eq!(server.get(&first).await.json()["state"], "waiting");

    for decision in ["approve", "refuse"] {
        let unsigned = server
            .post(&format!("{first}/{decision}"), &json!({}))
            .await;
        assert_eq!(unsigned.problem().0, 401);
    }
    let by_word = json!({ "method": "self-asserted" });
    let refused = server
        .signed(&owner, "POST", &format!("{first}/approve"), Some(&by_word))
        .await;
    assert_eq!(refused.problem(), (400, "bad-proof".into()));
    let seen = json!({ "licenseClass": "Extra" });
    let approved = server
        .signed(&owner, "POST", &format!("{first}/approve"), Some(&seen))
        .await;
    let issued = certificate(&approved);
    let licence = issued.licence().unwrap();
    assert_eq!(licence.method, VouchMethod::Document);
    assert_eq!(licence.class.as_ref().unwrap().as_str(), "Extra");
    let twice = server
        .signed(&owner, "POST", &format!("{first}/approve"), Some(&seen))
        .await;
    assert_eq!(twice.problem(), (404, "not-found".into()));

    let reason = json!({ "reason": "the photograph shows a cat" });
    let refused = server
        .signed(&owner, "POST", &format!("{second}/refuse"), Some(&reason))
        .await;
    assert_eq!(refused.status, 200, "{refused:?}");

    let server = server.restart().await;
    assert!(waiting(&server, &owner).await.is_empty());
    let answer = server.get(&first).await;
    assert_eq!(answer.json()["state"], "issued");
    assert_eq!(certificate(&answer), issued);
    let answer = server.get(&second).await.json();
    assert_eq!(answer["state"], "refused");
    assert_eq!(answer["reason"], "the photograph shows a cat");
    let unknown = server
        .get("/api/requests/00000000000000000000000000000000")
        .await;
    assert_eq!(unknown.problem(), (404, "not-found".into()));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_requests_wait_from_one_place() {
    let (server, owner) = claimed().await;
    for at in 0..4 {
        let somebody = Applying::new(&format!("K{at}ABC"));
        assert_eq!(
            somebody.apply(&server, &document("hello")).await.status,
            202
        );
    }
    let one_more = Applying::new("K5ABC");
    let refused = one_more.apply(&server, &document("hello")).await;
    assert_eq!(refused.problem(), (429, "full".into()));
    assert_eq!(waiting(&server, &owner).await.len(), 4);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_for_a_known_callsign_waits_for_the_owner() {
    let (server, owner) = claimed().await;
    let (first, second) = (Applying::new("K1ABC"), Applying::new("K1ABC/P"));
    for of in ["K1ABC", "K1ABC/P", "W1AW"] {
        let (code, _) = code(&server, &owner, &json!({ "callsign": of })).await;
        let somebody = match of {
            "K1ABC" => &first,
            "K1ABC/P" => &second,
            _ => &Applying::new("W1AW"),
        };
        let proof = somebody.by_code(&server, &code).await;
        let answer = somebody.apply(&server, &proof).await;
        let expected = if of == "K1ABC" { 201 } else { 202 };
        assert_eq!(answer.status, expected, "{of}: {answer:?}");
    }
    assert_eq!(open_codes(&server, &owner).await, 0, "a code works once");
    let listed = waiting(&server, &owner).await;
    assert_eq!(listed.len(), 2);
    assert!(
        listed[0]["why"].as_str().unwrap().contains("another key"),
        "{listed:?}"
    );
    assert_eq!(listed[0]["method"], "in-person");

    // The same key again is no other key.
    let (code, _) = code(&server, &owner, &json!({ "callsign": "K1ABC" })).await;
    let proof = first.by_code(&server, &code).await;
    assert_eq!(first.apply(&server, &proof).await.status, 201);

    let path = format!(
        "/api/requests/{}/approve",
        listed[0]["id"].as_str().unwrap()
    );
    let approved = server.signed(&owner, "POST", &path, None).await;
    assert_eq!(certificate(&approved).key_id(), second.key.key_id());
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_issued_decides_the_request_that_waits() {
    let (server, owner) = claimed().await;
    let somebody = Applying::new("K1ABC");
    let waits = somebody.apply(&server, &document("hello")).await.json();
    let (code, _) = code(&server, &owner, &json!({ "callsign": "K1ABC" })).await;
    let proof = somebody.by_code(&server, &code).await;
    let issued = certificate(&somebody.apply(&server, &proof).await);
    assert!(waiting(&server, &owner).await.is_empty());
    let path = format!("/api/requests/{}", waits["request"]["id"].as_str().unwrap());
    assert_eq!(certificate(&server.get(&path).await), issued);
    server.server.shutdown().await;
}

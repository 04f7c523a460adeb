//! `ham-server certs` and its kin, against a server that runs.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::process::{Command, Stdio};

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use support::{Operator, TestServer, eventually};
use tokio_tungstenite::tungstenite::Message;

/// What a command did.
struct Done {
    code: Option<i32>,
    said: String,
}

/// Runs a command for the server's data folder, off the runtime's threads.
async fn run(server: &TestServer, arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ham-server"));
    command.arg("--data-dir").arg(server.folder.path());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HAM_SERVER_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    Done {
        code: output.status.code(),
        said: String::from_utf8(said).unwrap(),
    }
}

async fn said(server: &TestServer, arguments: &[&str]) -> String {
    let done = run(server, arguments).await;
    assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.said);
    done.said
}

async fn refused(server: &TestServer, arguments: &[&str]) -> String {
    let done = run(server, arguments).await;
    assert_eq!(done.code, Some(1), "{arguments:?}: {}", done.said);
    done.said
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_brought_listed_shown_explained_and_exported() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    let file = server.folder.path().join("friend.pem");
    let path = file.to_str().unwrap();
    std::fs::write(
        &file,
        friend.certificate.to_pem() + &owner.certificate.to_pem(),
    )
    .unwrap();
    let added = said(&server, &["certs", "add", path]).await;
    assert!(
        added.contains("K1ABC is known here now: trusted"),
        "{added}"
    );

    let list = said(&server, &["certs", "list"]).await;
    assert!(list.starts_with("K1ABC"), "callsigns first: {list}");
    assert!(list.contains("W1AW's server"), "{list}");
    assert!(list.contains("in-person by W1AW"), "{list}");
    let only = said(&server, &["certs", "list", "--callsign", "w1aw", "--json"]).await;
    let only: Value = serde_json::from_str(&only).unwrap();
    assert_eq!(only.as_array().unwrap().len(), 2);
    let none = said(&server, &["certs", "list", "--status", "revoked"]).await;
    assert!(none.contains("No such certificate"), "{none}");

    let fingerprint = friend.fingerprint();
    let spoken = [&fingerprint[..4], &fingerprint[4..8], &fingerprint[8..12]].join(" ");
    for who in [
        "K1ABC",
        "k1abc",
        fingerprint.as_str(),
        &spoken.to_uppercase(),
    ] {
        let shown = said(&server, &["certs", "show", who]).await;
        assert!(
            shown.contains(&format!("Fingerprint  {spoken}")),
            "{who}: {shown}"
        );
    }
    let explained = said(&server, &["certs", "explain", "K1ABC"]).await;
    assert!(explained.contains("K1ABC is trusted."), "{explained}");
    assert!(explained.contains("trust anchor"), "{explained}");
    let out = server.folder.path().join("out.pem");
    said(
        &server,
        &["certs", "export", "K1ABC", "--out", out.to_str().unwrap()],
    )
    .await;
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&file).unwrap());

    let unknown = refused(&server, &["certs", "show", "N1XYZ"]).await;
    assert!(
        unknown.contains("knows no certificate of N1XYZ"),
        "{unknown}"
    );
    let missing = refused(&server, &["certs", "add", "/no/such.pem"]).await;
    assert!(missing.contains("cannot be used"), "{missing}");
    assert_eq!(run(&server, &["certs", "dance"]).await.code, Some(2));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_distrusted_after_a_preview_and_a_confirmation() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let friend = owner.vouch_for("K1ABC");
    let far = friend.vouch_for("K2ABC");
    let chain = [friend.certificate.to_pem()];
    let body = json!({ "certificate": far.certificate.to_pem(), "chain": chain });
    server
        .signed(&owner, "POST", "/api/certificates", Some(&body))
        .await;
    let blacklist = ["certs", "blacklist", "K1ABC", "--scope", "key"];
    let unconfirmed = refused(&server, &blacklist).await;
    assert!(
        unconfirmed.contains("2 certificates lose trust, and 2 keys would not count here at all"),
        "{unconfirmed}"
    );
    assert!(unconfirmed.contains("confirm with --yes"), "{unconfirmed}");
    assert!(
        said(&server, &["certs", "explain", "K2ABC"])
            .await
            .contains("is trusted")
    );
    let confirmed = [
        &blacklist[..],
        &["--yes", "--reason", "vouches for anybody"],
    ]
    .concat();
    said(&server, &confirmed).await;
    let explained = said(&server, &["certs", "explain", "K2ABC"]).await;
    assert!(
        explained.contains("K1ABC's certificate is in the way"),
        "{explained}"
    );
    let undone = said(&server, &[&blacklist[..], &["--undo"]].concat()).await;
    assert!(
        undone.contains("2 certificates are trusted again"),
        "{undone}"
    );
    let own = refused(&server, &["certs", "blacklist", "W1AW", "--yes"]).await;
    assert!(
        own.contains("the key of this server or of its owner"),
        "{own}"
    );

    let key = server.folder.path().join("friend.p12");
    let file = pki::p12::write(
        &friend.key,
        std::slice::from_ref(&friend.certificate),
        "secret",
    );
    std::fs::write(&key, file.unwrap()).unwrap();
    let revoke = ["certs", "revoke", "K2ABC", "--p12", key.to_str().unwrap()];
    let revoke = [&revoke[..], &["--password", "secret"]].concat();
    assert!(
        refused(&server, &revoke)
            .await
            .contains("confirm with --yes")
    );
    let revoked = said(&server, &[&revoke[..], &["--yes"]].concat()).await;
    assert!(
        revoked.contains("The certificate of K2ABC is revoked"),
        "{revoked}"
    );
    let explained = said(&server, &["certs", "explain", "K2ABC"]).await;
    assert!(explained.contains("its issuer revoked it"), "{explained}");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_are_accepted_out_of_a_file_by_their_fingerprints() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let club = Operator::new("K1CLB");
    let key = server.folder.path().join("club.p12");
    let file = pki::p12::write(&club.key, std::slice::from_ref(&club.certificate), "secret");
    std::fs::write(&key, file.unwrap()).unwrap();
    let trust = [
        "certs",
        "trust",
        key.to_str().unwrap(),
        "--password",
        "secret",
    ];
    let looked = said(&server, &trust).await;
    let fingerprint = club.fingerprint();
    assert!(
        looked.contains(&format!("{} {}", &fingerprint[..4], &fingerprint[4..8])),
        "{looked}"
    );
    assert!(looked.contains("Nothing is accepted yet"), "{looked}");
    let short = refused(&server, &[&trust[..], &["--accept", "12"]].concat()).await;
    assert!(short.contains("at least 8 digits"), "{short}");
    let accept = ["--accept", &fingerprint[..12], "--note", "the club's"];
    let accepted = said(&server, &[&trust[..], &accept].concat()).await;
    assert!(
        accepted.contains("1 accepted. 1 certificate is trusted"),
        "{accepted}"
    );
    let listed = said(&server, &["certs", "trust"]).await;
    assert!(
        listed.contains("K1CLB") && listed.contains("the club's"),
        "{listed}"
    );
    said(&server, &["certs", "cap", "K1CLB", "12"]).await;
    let removed = said(&server, &["certs", "trust", "--remove", "k1clb"]).await;
    assert!(removed.contains("1 certificate loses trust"), "{removed}");
    let own = refused(&server, &["certs", "trust", "--remove", "W1AW"]).await;
    assert!(own.contains("owner's own trust anchor"), "{own}");
    let listed = said(&server, &["certs", "trust", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["anchors"].as_array().unwrap().len(), 1);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_certificates_of_a_callsign_are_named_by_their_fingerprints() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    for who in [owner.vouch_for("K1ABC"), owner.vouch_for("K1ABC")] {
        let body = json!({ "certificate": who.certificate.to_pem() });
        server
            .signed(&owner, "POST", "/api/certificates", Some(&body))
            .await;
    }
    let several = refused(&server, &["certs", "show", "K1ABC"]).await;
    assert!(
        several.contains("several certificates fit K1ABC"),
        "{several}"
    );
    assert_eq!(several.matches("trusted").count(), 2, "{several}");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_issued_by_command_code_and_decision() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let applicant = Operator::new("K1ABC");
    let request = |who: &Operator| pki::csr::make(&who.key, &who.callsign, &who.random).unwrap();
    let csr = server.folder.path().join("k1abc.csr");
    std::fs::write(&csr, request(&applicant)).unwrap();
    let out = server.folder.path().join("k1abc.pem");
    let issue = [
        "certs",
        "issue",
        "--csr",
        csr.to_str().unwrap(),
        "--callsign",
        "k1abc",
    ];
    let how = [
        "--method",
        "in-person",
        "--class",
        "Extra",
        "--out",
        out.to_str().unwrap(),
    ];
    let issued = said(&server, &[&issue[..], &how].concat()).await;
    assert!(issued.contains("K1ABC's certificate is in"), "{issued}");
    let file = std::fs::read(&out).unwrap();
    let chain = pki::import::read(&file, None).unwrap().stations;
    assert_eq!(chain[0].public_key(), &applicant.key.public_key());
    assert_eq!(chain.len(), 3, "with the server's and the owner's");
    let shown = said(&server, &["certs", "show", "K1ABC"]).await;
    assert!(
        shown.contains("trusted") && shown.contains("Extra"),
        "{shown}"
    );
    let log = said(&server, &["certs", "log"]).await;
    assert!(log.contains("K1ABC  in-person"), "{log}");
    let export = server.folder.path().join("log.txt");
    said(
        &server,
        &["certs", "log", "--export", export.to_str().unwrap()],
    )
    .await;
    let served = server.get("/api/log/export").await;
    assert_eq!(served.status, 200);
    let file = String::from_utf8(std::fs::read(&export).unwrap()).unwrap();
    assert!(file.contains("K1ABC"), "{file}");
    let missing = [&["certs", "issue", "--csr", "/no/such"], &issue[4..], &how].concat();
    assert!(refused(&server, &missing).await.contains("cannot be used"));

    let made = said(&server, &["code", "--callsign", "K2ABC", "--class", "Full"]).await;
    let code: pki::Code = made.lines().next().unwrap().parse().unwrap();
    assert!(!format!("{code:?}").contains("K2ABC"));
    let listed = said(&server, &["code", "list"]).await;
    assert!(
        listed.contains("K2ABC") && listed.contains("Full"),
        "{listed}"
    );
    assert!(!listed.contains(&code.to_string()), "{listed}");
    let removed = said(&server, &["code", "remove", "k2abc"]).await;
    assert!(removed.contains("worthless"), "{removed}");
    assert!(
        said(&server, &["code", "list"])
            .await
            .contains("No code is open")
    );
    assert!(
        refused(&server, &["code", "remove", "K2ABC"])
            .await
            .contains("no one open code")
    );
    assert!(refused(&server, &["code"]).await.contains("--callsign"));

    for call in ["K3ABC", "K4ABC"] {
        let who = Operator::new(call);
        let body = json!({
            "csr": request(&who),
            "callsign": call,
            "proofOfLicense": { "method": "document", "note": "see the\nlist" },
        });
        assert_eq!(
            server.post("/api/issue-certificate", &body).await.status,
            202
        );
    }
    let waiting = said(&server, &["requests", "list"]).await;
    assert!(waiting.contains("K3ABC  document"), "{waiting}");
    assert!(waiting.contains("They write    see the"), "{waiting}");
    let approve = ["requests", "approve", "k3abc", "--method", "in-person"];
    assert!(
        said(&server, &approve)
            .await
            .contains("K3ABC has a certificate now")
    );
    let explained = said(&server, &["certs", "explain", "K3ABC"]).await;
    assert!(
        explained.contains("met its holder in person"),
        "{explained}"
    );
    let refuse = ["requests", "refuse", "K4ABC", "--reason", "not in the list"];
    assert!(said(&server, &refuse).await.contains("K4ABC reads why"));
    assert!(
        said(&server, &["requests", "list"])
            .await
            .contains("Nobody waits")
    );
    assert!(refused(&server, &approve).await.contains("no one request"));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_decides_which_key_is_somebodys() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let [lost, fresh] = [(); 2].map(|()| owner.vouch_for("K1ABC"));
    let [old, new, other] = [(); 3].map(|()| owner.vouch_for("K2ABC"));
    let bring = async |who: &Operator| {
        let body = json!({ "certificate": who.certificate.to_pem() });
        let path = "/api/certificates";
        let brought = server.signed(&owner, "POST", path, Some(&body)).await;
        assert_eq!(brought.status, 201);
    };
    let none = said(&server, &["certs", "decide"]).await;
    assert!(none.contains("No key waits"), "{none}");
    for who in [&lost, &old, &new] {
        bring(who).await;
    }
    let contested = said(&server, &["certs", "decide"]).await;
    assert!(
        contested.contains("K2ABC: several keys claim"),
        "{contested}"
    );
    let lost = lost.fingerprint();
    let blacklist = ["certs", "blacklist", &lost, "--scope", "key", "--yes"];
    said(&server, &blacklist).await;
    bring(&fresh).await;
    bring(&other).await;
    for successor in [&new, &other] {
        let change = old.rekey(successor, 1);
        assert_eq!(server.post("/api/rekeys", &change).await.status, 200);
    }
    let waiting = said(&server, &["certs", "decide"]).await;
    assert!(waiting.contains("K1ABC: another key"), "{waiting}");
    assert_eq!(waiting.matches("K2ABC: one of several").count(), 2);
    for (who, callsign) in [(&fresh, "K1ABC"), (&new, "K2ABC")] {
        let named = &who.fingerprint()[..12];
        let done = said(&server, &["certs", "decide", "--accept", named]).await;
        let words = format!("That key is {callsign}'s now. 1 certificate is trusted");
        assert!(done.contains(&words), "{done}");
    }
    let none = said(&server, &["certs", "decide"]).await;
    assert!(none.contains("No key waits"), "{none}");
    let again = refused(
        &server,
        &["certs", "decide", "--accept", &new.fingerprint()],
    )
    .await;
    assert!(again.contains("names no one key"), "{again}");
    let shown = said(&server, &["certs", "show", &other.fingerprint()]).await;
    assert!(shown.contains("suspended"), "{shown}");
    server.server.shutdown().await;
}

/// Somebody who was given the files and runs no server.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_checked_by_others_and_lies_are_shown() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let export = async |name: &str| {
        said(&server, &["certs", "log", "--export", &path(name)]).await;
    };
    let issue = async |callsign: &str| {
        let who = Operator::new(callsign);
        let csr = pki::csr::make(&who.key, &who.callsign, &who.random).unwrap();
        std::fs::write(path("csr"), csr).unwrap();
        let (csr, out) = (path("csr"), path(callsign));
        let words = ["certs", "issue", "--csr", &csr, "--callsign", callsign];
        let how = ["--method", "in-person", "--out", &out];
        said(&server, &[&words[..], &how].concat()).await;
    };
    issue("K1ABC").await;
    export("kept").await;
    issue("K2ABC").await;
    export("log").await;
    let info = server.get("/api/info").await.json();
    let fingerprint = info["certFingerprint"].as_str().unwrap();
    said(
        &server,
        &["certs", "export", fingerprint, "--out", &path("by")],
    )
    .await;
    // A log by the same key, in which K2ABC is another.
    let key = std::fs::read_to_string(server.folder.path().join("server.key")).unwrap();
    let key = pki::SigningKey::from_pem(&key, &owner.random).unwrap();
    let mut lie = server.log().await;
    lie.entries.truncate(1);
    let mut other = server.log().await.entries.remove(1).issued;
    other.holder = pki::csr::Csr::from_file(&std::fs::read(path("csr")).unwrap())
        .unwrap()
        .public_key()
        .key_id();
    other.time += 1;
    let first = pki::log::Tip::EMPTY.follow(&lie.entries[0]).unwrap();
    let (entry, tip) = first.append(other);
    lie.entries.push(entry);
    let checkpoint = pki::log::Checkpoint::sign(tip, &key, &owner.random).unwrap();
    let mut texts: Vec<String> = lie.entries.iter().map(pki::log::Entry::to_text).collect();
    texts.push(checkpoint.to_text());
    std::fs::write(path("lie"), texts.join("\n\n") + "\n").unwrap();
    let whole = std::fs::read_to_string(path("log")).unwrap();
    std::fs::write(path("cut"), &whole[..whole.len() / 2]).unwrap();

    let check = async |log: &str, more: &[&str]| {
        let (log, by) = (path(log), path("by"));
        let words = ["certs", "check-log", &log, "--by", &by];
        run(&server, &[&words[..], more].concat()).await
    };
    let found = |done: Done, code: i32, words: &str| {
        assert_eq!(done.code, Some(code), "{}", done.said);
        assert!(done.said.contains(words), "{words}: {}", done.said);
    };
    let (kept, lie) = (path("kept"), path("lie"));
    let (k1abc, k2abc) = (path("K1ABC"), path("K2ABC"));
    let good = ["--kept", &kept, "--issued", &k2abc];
    let done = check("log", &good).await;
    assert!(
        done.said
            .contains("2 certificates issued by the server of W1AW"),
        "{}",
        done.said
    );
    assert!(done.said.contains("It agrees with"), "{}", done.said);
    found(done, 0, "it has all that the server signed");
    found(
        check("kept", &["--issued", &k1abc]).await,
        0,
        "1 certificate issued",
    );
    found(
        check("kept", &["--issued", &k2abc]).await,
        1,
        "K2ABC's certificate is signed by this server and not in its log",
    );
    found(check("lie", &[]).await, 0, "The log is whole");
    found(
        check("log", &["--kept", &lie]).await,
        1,
        "this server showed different logs",
    );
    found(check("cut", &[]).await, 1, "cannot be read as a log");
    let by = ["certs", "check-log", &lie, "--by", &k1abc];
    // The file with K1ABC's certificate has the server's below it.
    assert_eq!(run(&server, &by).await.code, Some(0));
    std::fs::write(path("owner"), owner.certificate.to_pem()).unwrap();
    let by = ["certs", "check-log", &lie, "--by", &path("owner")];
    found(run(&server, &by).await, 1, "no certificate in");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_servers_are_named_compared_accepted_and_taken_off() {
    let [owner, other] = ["W1AW", "K1ABC"].map(Operator::new);
    let server = TestServer::owned_by(&owner).await;
    let neighbour = TestServer::owned_by(&other).await;
    assert!(
        said(&server, &["peers", "list"])
            .await
            .contains("No other server")
    );
    let endpoint = format!("http://{}", neighbour.authority());
    assert!(
        refused(&server, &["peers", "add", "k1abc"])
            .await
            .contains("http://HOST:PORT")
    );
    said(&server, &["peers", "add", &endpoint]).await;
    let start = std::time::Instant::now();
    let until = async |word: &str| {
        loop {
            let list = said(&server, &["peers", "list"]).await;
            if list.contains(word) {
                return list;
            }
            assert!(start.elapsed() < support::DEADLINE, "{list}");
        }
    };
    assert!(until("unknown: nobody you trust").await.contains("K1ABC"));
    let shown = said(&server, &["peers", "accept", "k1abc"]).await;
    let grouped: Vec<&str> = shown.lines().filter(|line| line.len() > 70).collect();
    assert_eq!(grouped[0].replace(' ', ""), other.fingerprint(), "{shown}");
    let wrong = "00".repeat(32);
    let refusal = refused(
        &server,
        &["peers", "accept", "K1ABC", "--fingerprint", &wrong],
    )
    .await;
    assert!(refusal.contains("not the fingerprint"), "{refusal}");
    let accepted = [
        "peers",
        "accept",
        "K1ABC",
        "--fingerprint",
        grouped[0].trim(),
    ];
    assert!(said(&server, &accepted).await.contains("K1ABC"));
    until("linked").await;
    let json = said(&server, &["peers", "list", "--json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["verified"], true);
    said(&server, &["peers", "remove", "K1ABC"]).await;
    assert!(
        refused(&server, &["peers", "remove", "K1ABC"])
            .await
            .contains("that you named")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blacklist_is_published_and_what_others_say_is_read_and_dismissed() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    for (switch, then) in [
        (None, "stays on this server"),
        (Some("on"), "Other servers are told"),
        (None, "Other servers are told"),
        (Some("off"), "stays on this server"),
    ] {
        let words = ["certs", "publish-blacklist"].into_iter().chain(switch);
        let shown = said(&server, &words.collect::<Vec<_>>()).await;
        assert!(shown.contains(then), "{switch:?}: {shown}");
    }
    let nothing = said(&server, &["certs", "advice"]).await;
    assert!(nothing.contains("No other owner advises"), "{nothing}");

    let friend = owner.vouch_for("K1ABC");
    let file = server.folder.path().join("friend.pem");
    let chain = friend.certificate.to_pem() + &owner.certificate.to_pem();
    std::fs::write(&file, chain).unwrap();
    said(&server, &["certs", "add", file.to_str().unwrap()]).await;
    let url = format!("ws://{}/coordinate", server.authority());
    let (mut foreign, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let about =
        json!({ "fingerprint": friend.fingerprint(), "scope": "key", "reason": "a stolen key" });
    let nobody = json!({ "scope": "key", "keyId": "7".repeat(64), "callsign": "K9AAA" });
    for message in [
        json!({ "type": "PEER_ANNOUNCE", "server": { "callsign": "N0XYZ", "endpoint": "http://h:1" } }),
        json!({ "type": "BLACKLIST_UPDATE", "blacklist": [about, nobody], "more": false }),
    ] {
        let frame = Message::text(message.to_string());
        foreign.send(frame).await.unwrap();
    }
    let accusation =
        "N0XYZ (unproven) distrusts K1ABC, with every certificate of the key: a stolen key";
    let shown = eventually("the advice", async || {
        let shown = said(&server, &["certs", "advice"]).await;
        if shown.contains(accusation) {
            Ok(shown)
        } else {
            Err(shown)
        }
    })
    .await;
    assert!(shown.contains(&friend.fingerprint()), "{shown}");
    assert!(shown.contains("Nobody here ever saw"), "{shown}");
    assert!(shown.contains("until you decide so"), "{shown}");

    let json = said(&server, &["certs", "advice", "--json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    let id = json["advice"][0]["id"].as_str().unwrap();
    let short = refused(&server, &["certs", "advice", "--dismiss", &id[..7]]).await;
    assert!(short.contains("names no one piece of advice"), "{short}");
    let dismissed = said(&server, &["certs", "advice", "--dismiss", &id[..8]]).await;
    assert!(dismissed.contains(accusation), "{dismissed}");
    let left = said(&server, &["certs", "advice"]).await;
    assert!(!left.contains("K1ABC") && left.contains("K9AAA"), "{left}");
    server.server.shutdown().await;
}

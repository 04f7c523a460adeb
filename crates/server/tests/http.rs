//! What every HTTP request meets, and what the server says of itself.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::time::Instant;

use ham_server::runtime::Sighting;
use serde_json::json;
use support::{Operator, Response, TestServer, exchange};

#[tokio::test(flavor = "multi_thread")]
async fn an_unclaimed_server_says_so() {
    let server = TestServer::start();
    let status = server.get("/api/status").await.json();
    assert_eq!(status["state"], "unclaimed");
    assert_eq!(status["owner"], json!(null));
    assert_eq!(
        status["signaling"]["url"],
        format!("ws://{}/signal", server.authority())
    );
    assert_eq!(status["signaling"]["connected"], false);
    assert_eq!(status["clients"], json!({ "licensed": 0, "unlicensed": 0 }));
    let version = status["version"].as_str().unwrap();
    assert!(
        version
            .split_once('-')
            .unwrap()
            .1
            .bytes()
            .all(|b| b.is_ascii_digit()),
        "{version}"
    );
    let info = server.get("/api/info").await.json();
    assert_eq!(info["type"], "signaling");
    assert_eq!(info["local"], true);
    assert_eq!(info["certFingerprint"], json!(null));
    assert_eq!(server.get("/healthz").await.status, 200);
    let refused = server.get("/signal").await;
    assert_eq!(refused.problem(), (426, "websocket-only".into()));
    assert_eq!(
        upgrade(&server, &[]).await.problem(),
        (403, "unclaimed".into())
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_learns_what_the_server_sees_of_them() {
    let server = TestServer::start();
    let mode = &server.get("/api/status").await.json()["mode"];
    assert!(mode == "online" || mode == "offline", "{mode}");

    let hidden = "0f4e2b3a-9a7c-4b1d-8e2f-0123456789ab.local";
    for (query, address, multicast) in [
        ("", "unknown", "unknown"),
        ("?address=127.0.0.1", "ok", "unknown"),
        ("?address=192.0.2.7", "problem", "unknown"),
        // A server that serves this machine only leaves the network alone.
        (&format!("?name={hidden}"), "unknown", "unknown"),
    ] {
        let seen = server.get(&format!("/api/diagnose{query}")).await.json();
        assert_eq!(seen["address"], "127.0.0.1");
        let state = |about: &str| {
            let checks = seen["checks"].as_array().unwrap();
            let check = checks.iter().find(|check| check["about"] == about).unwrap();
            assert_eq!(check["state"] == "problem", check["action"].is_string());
            check["state"].clone()
        };
        assert_eq!(state("address"), address, "{query}");
        assert_eq!(state("multicast"), multicast, "{query}");
        assert_eq!(state("network"), "problem", "--no-lan");
        assert_eq!(state("zone"), "ok");
    }
    for wrong in ["?name=printer.local", "?address=somewhere"] {
        let refused = server.get(&format!("/api/diagnose{wrong}")).await;
        assert_eq!(refused.problem(), (400, "bad-request".into()), "{wrong}");
    }
    let evil = [("Origin", "http://evil.example")];
    let refused = server.send("GET", "/api/diagnose", &evil, "").await;
    assert_eq!(refused.problem(), (403, "foreign-origin".into()));
    server.server.shutdown().await;
}

/// What the network says is tested with a network, in web/e2e.
#[tokio::test(flavor = "multi_thread")]
async fn other_servers_are_listed_as_they_say_of_themselves() {
    let server = TestServer::start();
    let listed = server.get("/api/local-servers").await.json();
    assert_eq!(listed, json!({ "servers": [] }));
    let sighting = Sighting {
        callsign: "K1ABC".parse().unwrap(),
        endpoint: "http://192.168.1.2:8080".into(),
        signaling_url: "ws://192.168.1.2:8080/signal".into(),
        capabilities: vec!["signaling".into()],
        fp: None,
    };
    {
        let mut neighbourhood = server.server.app().neighbourhood.lock().unwrap();
        neighbourhood
            .hear("K1ABC", sighting, Instant::now())
            .unwrap();
    }
    let mut listed = server.get("/api/local-servers").await.json();
    assert!(listed["servers"][0]["age"].take().is_u64());
    let expected = json!({
        "callsign": "K1ABC",
        "endpoint": "http://192.168.1.2:8080",
        "signalingUrl": "ws://192.168.1.2:8080/signal",
        "capabilities": ["signaling"],
        "source": "mdns",
        "age": null,
        "fp": null,
        "verified": false,
    });
    assert_eq!(listed["servers"], json!([expected]));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_server_shows_its_owner_and_its_joining_code() {
    let server = TestServer::start();
    assert_eq!(server.claim(&Operator::new("W1AW")).await.status, 200);
    let info = server.get("/api/info").await.json();
    assert_eq!(info["callsign"], "W1AW");
    assert_eq!(info["state"], "active");
    let station = json!({ "name": "Hiram", "grid": "FN31pr", "licenseClass": "Extra" });
    assert_eq!(info["station"], station);
    assert_eq!(info["certFingerprint"].as_str().unwrap().len(), 64);
    let svg = server.get("/api/qr.svg").await;
    assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
    assert!(svg.body.starts_with(b"<?xml"));
    let png = server.get("/api/qr.png?net=field-day").await;
    assert!(png.body.starts_with(b"\x89PNG"));
    for wrong in ["net=Field%20Day", "address=http%3A%2F%2Fevil.example"] {
        let refused = server.get(&format!("/api/qr.png?{wrong}")).await;
        assert_eq!(refused.problem(), (400, "bad-request".into()), "{wrong}");
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_for_this_machine_gets_nothing() {
    let server = TestServer::start();
    let port = server.server.port();
    for wrong in [
        "evil.example",
        "evil.example:80",
        "192.168.9.9",
        "localhost.evil.example",
        "a b",
    ] {
        let refused = server
            .send("GET", "/api/status", &[("Host", wrong)], "")
            .await;
        assert_eq!(refused.problem(), (421, "wrong-host".into()), "{wrong}");
    }
    for right in [
        format!("localhost:{port}"),
        "127.0.0.1".into(),
        "ham-server.local".into(),
    ] {
        let answer = server
            .send("GET", "/api/status", &[("Host", &right)], "")
            .await;
        assert_eq!(answer.status, 200, "{right}");
    }
    let none = exchange(
        &server.authority(),
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(
        Response::parse(&none).problem(),
        (400, "bad-request".into())
    );
    let two =
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(
        Response::parse(&exchange(&server.authority(), two).await).status,
        400
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_page_may_read_and_not_act() {
    let server = TestServer::start();
    let evil = ("Origin", "http://evil.example");
    let read = server.send("GET", "/api/status", &[evil], "").await;
    assert_eq!(read.header("access-control-allow-origin"), Some("*"));
    let acts = server
        .send("POST", "/api/claim-station", &[evil], "{}")
        .await;
    assert_eq!(acts.problem(), (403, "foreign-origin".into()));
    assert_eq!(
        upgrade(&server, &[evil]).await.problem(),
        (403, "foreign-origin".into())
    );
    let own = format!("http://{}", server.authority());
    let acts = server
        .send("POST", "/api/claim-station", &[("Origin", &own)], "{}")
        .await;
    assert_eq!(
        acts.problem(),
        (415, "bad-request".into()),
        "let through, and refused for itself"
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said() {
    let server = TestServer::start();
    assert_eq!(
        server.get("/nothing/here").await.problem(),
        (404, "not-found".into())
    );
    let refused = server.send("DELETE", "/api/status", &[], "").await;
    assert_eq!(refused.problem(), (405, "method-not-allowed".into()));
    assert_eq!(server.send("POST", "/", &[], "").await.problem().0, 405);
    let json = [("Content-Type", "application/json")];
    let broken = server
        .send("POST", "/api/claim-station", &json, "{\"a\":")
        .await;
    assert_eq!(broken.problem(), (400, "bad-request".into()));
    let huge = format!("{{\"x\":\"{}\"}}", "x".repeat(300 * 1024));
    let refused = server
        .send("POST", "/api/claim-station", &json, &huge)
        .await;
    assert_eq!(refused.problem(), (413, "bad-request".into()));
    let long_head = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(40_000)
    );
    let refused = exchange(&server.authority(), long_head.as_bytes()).await;
    assert_eq!(Response::parse(&refused).status, 431);
    assert_eq!(server.get("/healthz").await.status, 200);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_app_is_cached_by_its_tag_and_never_framed() {
    let server = TestServer::start();
    let plain = server.get("/").await;
    assert_eq!(
        plain.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    assert!(
        plain
            .header("content-security-policy")
            .unwrap()
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.body.starts_with(b"<!"));
    let tag = plain.header("etag").unwrap();
    let again = server.send("GET", "/", &[("If-None-Match", tag)], "").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let stale = server
        .send("GET", "/", &[("If-None-Match", "\"other\"")], "")
        .await;
    assert_eq!(stale.status, 200);
    let head = server.send("HEAD", "/index.html", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    server.server.shutdown().await;
}

/// A page from elsewhere whose name was made to lead to this machine (DNS rebinding) is on the same origin as the server by
/// that name, and is still nobody at the machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_this_machine_makes_nobody_the_person_at_it() {
    let server = TestServer::start();
    let named = format!("w1aw.local:{}", server.server.port());
    let host = [("Host", named.as_str())];
    let unclaimed = format!("ham-server.local:{}", server.server.port());
    let offer = server
        .send("GET", "/api/claim-station", &[("Host", &unclaimed)], "")
        .await
        .json();
    assert_eq!(offer["codeRequired"], true);

    let owner = Operator::new("W1AW");
    assert_eq!(server.claim(&owner).await.status, 200);
    let close = json!({ "open": false });
    let closed = server.post_signed(&owner, "/api/network", &close).await;
    assert_eq!(closed.json()["state"], "claimed");
    for (own, seen) in [
        (true, server.get("/api/info").await),
        (false, server.send("GET", "/api/info", &host, "").await),
    ] {
        assert_eq!(seen.json()["local"], own);
    }
    let origin = format!("http://{named}");
    let page = [("Host", named.as_str()), ("Origin", &origin)];
    assert_eq!(
        upgrade(&server, &page).await.problem(),
        (403, "not-open".into())
    );
    server.connect().await.guest().await;
    let metrics = server.send("GET", "/metrics", &host, "").await;
    assert_eq!(metrics.problem(), (403, "own-machine-only".into()));
    server.server.shutdown().await;
}

async fn upgrade(server: &TestServer, headers: &[(&str, &str)]) -> Response {
    let mut all = vec![
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    all.extend_from_slice(headers);
    let authority = server.authority();
    if !headers.iter().any(|(name, _)| *name == "Host") {
        all.push(("Host", &authority));
    }
    let mut head = "GET /signal HTTP/1.1\r\nConnection: upgrade, close\r\n".to_owned();
    for (name, value) in all {
        head += &format!("{name}: {value}\r\n");
    }
    Response::parse(&exchange(&authority, format!("{head}\r\n").as_bytes()).await)
}

/// Whoever adds a route describes it: the published description names exactly the routes there are.
#[test]
fn every_route_is_in_the_published_description() {
    let description: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/protocol/openapi.json")).unwrap();
    let described: BTreeSet<_> = description["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let routers = [
        include_str!("../src/http/mod.rs"),
        include_str!("../src/http/authority/mod.rs"),
    ];
    let routes: BTreeSet<_> = routers
        .iter()
        .flat_map(|router| router.split(".route(").skip(1))
        .map(|rest| rest.split('"').nth(1).unwrap())
        .collect();
    assert_eq!(described, routes);
}

//! AREDN: the entry for a node, and servers read from a node's list, whatever answers there.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Operator, TestServer, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_gets_a_plain_answer_and_its_owner_the_text_for_it() {
    let server = TestServer::start();
    let refused = server.get("/api/aredn").await;
    assert_eq!(refused.problem(), (404, "unclaimed".into()));
    server.claim(&Operator::new("W1AW")).await;
    let port = server.server.port();
    let entry = server.get("/api/aredn").await.json();
    let expected = json!({
        "name": "W1AW ham-server",
        "host": "w1aw-ham-server",
        "address": null,
        "port": port,
        "line": format!("http://w1aw-ham-server:{port}/|tcp|W1AW ham-server"),
    });
    assert_eq!(entry, expected);
    // What a node looks for every hour, and what a browser on the mesh asks by that name.
    for name in ["w1aw-ham-server", "W1AW-ham-server.local.mesh"] {
        let host = format!("{name}:{port}");
        let answer = server.send("GET", "/", &[("Host", &host)], "").await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (200, None),
            "{name}"
        );
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_read_from_a_nodes_list_and_listed_until_the_next() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    server.claim(&owner).await;
    let other = TestServer::start();
    other.claim(&Operator::new("K1ABC")).await;
    let service = |name: &str, link: String| json!({ "name": name, "protocol": "tcp", "ip": "10.1.1.1", "link": link });
    let sysinfo = json!({
        "api_version": "2.0",
        "services": [
            service("Printer", "http://printer:80/".into()),
            service("K1ABC ham-server", format!("http://{}/", other.authority())),
            service("W1AW ham-server", format!("http://{}/", server.authority())),
            service("N0XYZ ham-server", format!("http://{}/", closed_port().await)),
        ],
        "hosts": [],
    });
    let node = node(Answer::Json(sysinfo)).await;
    let stranger = Operator::new("K1ABC");
    let request = json!({ "node": node });
    let refused = server.post_signed(&stranger, "/api/aredn", &request).await;
    assert_eq!(refused.problem(), (403, "unknown-signer".into()));
    let answer = server.post_signed(&owner, "/api/aredn", &request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let found = answer.json();
    let servers = found["servers"].as_array().unwrap();
    assert_eq!(servers.len(), 2, "not itself: {found}");
    let endpoint = format!("http://{}", other.authority());
    assert_eq!(
        servers[0],
        json!({ "endpoint": endpoint, "callsign": "K1ABC" })
    );
    assert_eq!(servers[1]["callsign"], Value::Null);
    let listed = server.get("/api/local-servers").await.json();
    let listed = listed["servers"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["endpoint"], &listed[0]["source"]),
        (&json!(endpoint), &json!("manual"))
    );
    assert_eq!(listed[0]["verified"], false);

    // The owner brought it in, and can take it off.
    let found = |peers: &Value| {
        let peers = peers.as_array().unwrap();
        let there = peers.iter().find(|peer| {
            peer["endpoint"]
                .as_str()
                .unwrap()
                .ends_with(&other.authority())
        });
        there.cloned()
    };
    let peers_until = async |wanted: &dyn Fn(Option<&Value>) -> bool| {
        eventually("the peers are so", async || {
            let peers = server.get("/api/peers").await.json();
            let peer = found(&peers);
            if wanted(peer.as_ref()) {
                Ok(peer)
            } else {
                Err(peers)
            }
        })
        .await
    };
    let manual =
        |peer: Option<&Value>| peer.is_some_and(|peer| peer["discoveryMethod"] == "manual");
    let peer = peers_until(&manual).await.unwrap();
    let path = format!("/api/peers/{}", peer["id"].as_str().unwrap());
    let removed = server.signed(&owner, "DELETE", &path, None).await;
    assert_eq!(removed.status, 204, "{removed:?}");
    peers_until(&|peer| !manual(peer)).await;
    let listed = server.get("/api/local-servers").await.json();
    let manual = |one: &&Value| one["source"] == "manual";
    assert_eq!(
        listed["servers"].as_array().unwrap().iter().find(manual),
        None
    );
    other.server.shutdown().await;
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_else_answers_is_refused_in_words() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    server.claim(&owner).await;
    let endless = "x".repeat(3 * 1024 * 1024);
    for (node, expected) in [
        ("www.example.com".to_owned(), (400, "bad-request")),
        (closed_port().await, (502, "node-unreachable")),
        (
            node(Answer::Raw("SSH-2.0-dropbear\r\n".into())).await,
            (502, "node-unreachable"),
        ),
        (
            node(Answer::Raw(
                "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".into(),
            ))
            .await,
            (502, "node-unreachable"),
        ),
        (
            node(Answer::Json(json!([endless]))).await,
            (502, "node-unreachable"),
        ),
        (
            node(Answer::Json(json!({ "hello": "printer" }))).await,
            (502, "not-a-node"),
        ),
        (node(Answer::Silence).await, (504, "node-silent")),
    ] {
        let request = json!({ "node": node });
        let refused = server.post_signed(&owner, "/api/aredn", &request).await;
        let (status, code) = expected;
        assert_eq!(refused.problem(), (status, code.to_owned()), "{node}");
    }
    let listed = server.get("/api/local-servers").await.json();
    assert_eq!(listed["servers"], json!([]));
    server.server.shutdown().await;
}

enum Answer {
    Json(Value),
    Raw(String),
    Silence,
}

/// A node, or something that is none; its address.
async fn node(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..read]).into_owned();
        let said = match answer {
            Answer::Json(body) => {
                assert!(
                    request.starts_with("GET /a/sysinfo?services=1&hosts=1 HTTP/1.1"),
                    "{request}"
                );
                let body = body.to_string();
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
            Answer::Raw(said) => said,
            Answer::Silence => std::future::pending().await,
        };
        // Whoever reads too much hangs up.
        let _ = stream.write_all(said.as_bytes()).await;
    });
    address
}

/// An address where nobody listens.
async fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

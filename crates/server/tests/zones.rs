//! Amateur frequencies: no TLS and no calls across them, as settings and the owner say.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::net::{IpAddr, SocketAddr};

use ham_server::config::{Config, Options};
use ham_server::server::Server;
use serde_json::{Value, json};
use support::{Client, DEADLINE, Operator, Response, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// An address of this machine that stands for a way across amateur frequencies.
const RADIO: [u8; 4] = [127, 0, 0, 97];
/// One that nobody classified.
const CABLE: [u8; 4] = [127, 0, 0, 2];

/// The beginning of a TLS handshake.
const HELLO: [u8; 10] = [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0];

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_refused_in_words_where_it_would_cross_amateur_frequencies() {
    let (server, _) = claimed(&["127.0.0.97=part97"]).await;
    let refused = talk(&server, RADIO, &HELLO).await;
    assert_eq!(refused, [0x15, 3, 3, 0, 2, 2, 49], "a fatal access_denied");
    let served = talk(&server, CABLE, &HELLO).await;
    assert_ne!(served.last(), Some(&49), "judged by rustls: {served:?}");

    let seen_by_radio = info(&server, RADIO).await;
    assert_eq!(seen_by_radio["secure"], Value::Null);
    let zone = json!({
        "zone": "part97",
        "reason": "the server's settings say so of 127.0.0.97/32",
    });
    assert_eq!(seen_by_radio["zone"], zone);
    let seen_by_cable = info(&server, CABLE).await;
    assert_eq!(seen_by_cable["zone"]["zone"], "open");
    assert!(seen_by_cable["secure"]["root"].is_string());
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_calls_across_amateur_frequencies() {
    let (server, owner) = claimed(&["127.0.0.97=part97"]).await;
    let (_radio, radio) = client(&server, RADIO).await.guest().await;
    let (_cable, cable) = client(&server, CABLE).await.guest().await;
    let mut operator = server.connect().await;
    assert_eq!(operator.log_in(&owner).await["role"], "licensed");
    for (target, outcome) in [(&radio, "part97"), (&cable, "unknown-type")] {
        let offer = json!({ "type": "offer", "sdp": "v=0" });
        operator
            .send(&json!({ "type": "OFFER", "target": target, "offer": offer }))
            .await;
        // What comes next says whether the offer was refused.
        operator.send(&json!({ "type": "NONSENSE" })).await;
        assert_eq!(operator.next_of("ERROR").await["code"], outcome);
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_classifies_networks_and_it_counts_at_once_and_after_a_restart() {
    let (server, owner) = claimed(&["127.0.0.98=part97"]).await;
    assert_eq!(server.get("/api/zones").await.problem().0, 401);

    let mut cable = client(&server, CABLE).await.guest().await.0;
    let mut radio = client(&server, RADIO).await.guest().await.0;
    let mut secure = dial(&server, RADIO).await;
    secure.write_all(&HELLO[..5]).await.unwrap();
    let rules = json!({ "rules": [
        { "subject": "127.0.0.97", "zone": "part97" },
        { "subject": "127.0.0.98", "zone": "open" },
    ] });
    let answer = server.post_signed(&owner, "/api/zones", &rules).await;
    assert_eq!(answer.status, 200);
    let in_force = json!([
        { "subject": "127.0.0.97/32", "zone": "part97", "source": "owner" },
        { "subject": "127.0.0.98/32", "zone": "part97", "source": "settings" },
    ]);
    assert_eq!(answer.json()["rules"], in_force);
    // Those whose network changed begin anew; the others notice nothing.
    assert_eq!(radio.next_of("GOODBYE").await["type"], "GOODBYE");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(DEADLINE, secure.read_to_end(&mut rest));
    assert!(ended.await.is_ok(), "an open TLS connection ends");
    cable.send(&json!({ "type": "PING" })).await;
    assert_eq!(cable.next_of("PONG").await["type"], "PONG");

    server.server.shutdown().await;
    let server = start(server.folder, &[]);
    assert_eq!(info(&server, RADIO).await["zone"]["zone"], "part97");
    let listed = server.get_signed(&owner, "/api/zones").await.json();
    assert_eq!(listed["rules"].as_array().map(Vec::len), Some(2));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_rules_that_can_be_read_are_taken() {
    let (server, owner) = claimed(&[]).await;
    let rule = |subject: &str| json!({ "subject": subject, "zone": "part97" });
    let many: Vec<_> = (0..65)
        .map(|number| rule(&format!("wlan{number}")))
        .collect();
    for wrong in [json!([rule("10.0.0.0/99")]), json!([rule("")]), json!(many)] {
        let answer = server
            .post_signed(&owner, "/api/zones", &json!({ "rules": wrong }))
            .await;
        assert_eq!(answer.problem(), (400, "bad-request".to_owned()));
    }
    let listed = server.get_signed(&owner, "/api/zones").await.json();
    assert_eq!(listed["rules"], json!([]));
    server.server.shutdown().await;
}

/// A claimed server, open to others, with these zone rules in its settings.
async fn claimed(zones: &[&str]) -> (TestServer, Operator) {
    let server = start(tempfile::tempdir().unwrap(), zones);
    let owner = Operator::new("W1AW");
    assert_eq!(server.claim(&owner).await.status, 200);
    (server, owner)
}

fn start(folder: tempfile::TempDir, zones: &[&str]) -> TestServer {
    let options = Options {
        port: Some(0),
        no_lan: Some(true),
        data_dir: Some(folder.path().to_owned()),
        zones: zones.iter().map(|rule| rule.parse().unwrap()).collect(),
        ..Options::default()
    };
    let server = Server::start(&Config::resolve(options).unwrap()).unwrap();
    TestServer { server, folder }
}

/// A connection to the server from that address.
async fn dial(server: &TestServer, from: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((IpAddr::from(from), 0).into()).unwrap();
    let server: SocketAddr = server.authority().parse().unwrap();
    socket.connect(server).await.unwrap()
}

async fn client(server: &TestServer, from: [u8; 4]) -> Client {
    let stream = dial(server, from).await;
    Client::over(stream, &format!("ws://{}/signal", server.authority())).await
}

/// Sends bytes and reads until the server closes.
async fn talk(server: &TestServer, from: [u8; 4], bytes: &[u8]) -> Vec<u8> {
    let mut stream = dial(server, from).await;
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(DEADLINE, read)
        .await
        .expect("an answer in time")
        .unwrap();
    answer
}

async fn info(server: &TestServer, from: [u8; 4]) -> Value {
    let authority = server.authority();
    let request =
        format!("GET /api/info HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    Response::parse(&talk(server, from, request.as_bytes()).await).json()
}

//! The server in numbers: `/metrics`, and what the limits refused in `/api/status`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use openmetrics_parser::PrometheusType;
use openmetrics_parser::prometheus::parse_prometheus;
use serde_json::json;
use support::{Client, Operator, TestServer, dial_from, elsewhere};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The metrics as a foreign parser reads them.
async fn read(server: &TestServer) -> String {
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let media_type = answer.header("content-type").unwrap();
    assert!(
        media_type.starts_with("text/plain; version=0.0.4"),
        "{media_type}"
    );
    let text = String::from_utf8(answer.body).unwrap();
    let parsed = parse_prometheus(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let kind = |name: &str| &parsed.families[&format!("ham_server_{name}")].family_type;
    assert_eq!(kind("sessions"), &PrometheusType::Gauge);
    assert_eq!(kind("delivery_seconds"), &PrometheusType::Histogram);
    text
}

/// Whether a line is there.
fn has(text: &str, line: &str) -> bool {
    text.lines()
        .any(|found| found == format!("ham_server_{line}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted_and_a_foreign_parser_reads_it() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let before = read(&server).await;
    assert!(has(&before, r#"sessions{role="licensed"} 0"#), "{before}");

    let mut operator = server.connect().await;
    operator.log_in(&owner).await;
    let (mut guest, guest_id) = server.connect().await.guest().await;
    let offer = json!({ "type": "offer", "sdp": "v=0" });
    operator
        .send(&json!({ "type": "OFFER", "target": guest_id, "offer": offer }))
        .await;
    guest.next_of("OFFER_RECEIVED").await;
    guest.send(&json!({ "type": "NONSENSE" })).await;
    guest.next_of("ERROR").await;

    let text = read(&server).await;
    for line in [
        r#"sessions{role="licensed"} 1"#,
        r#"sessions{role="unlicensed"} 1"#,
        "connections 2",
        r#"sessions_begun_total{by="operator"} 1"#,
        r#"relayed_total{type="offer"} 1"#,
        r#"refused_total{code="unknown-type"} 1"#,
        "queued_frames 0",
    ] {
        assert!(has(&text, line), "no {line} in\n{text}");
    }
    let deliveries = text
        .lines()
        .find(|line| line.starts_with("ham_server_delivery_seconds_count"));
    assert_ne!(
        deliveries,
        Some("ham_server_delivery_seconds_count 0"),
        "{text}"
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_programs_on_the_servers_own_machine_read_them() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    for header in [
        ("Origin", "http://evil.example"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Via", "1.1 proxy"),
    ] {
        let answer = server.send("GET", "/metrics", &[header], "").await;
        assert_eq!(
            answer.problem(),
            (403, "own-machine-only".to_owned()),
            "{header:?}"
        );
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_what_the_limits_refused_to_the_machine_itself() {
    let server =
        TestServer::start_limited(&["messages-per-minute=5", "address-arrivals-per-second=1"]);
    let owner = Operator::new("W1AW");
    assert_eq!(server.claim(&owner).await.status, 200);
    let nothing = server.get("/api/status").await.json();
    assert_eq!(nothing["limited"]["messages"], json!({}));

    let mut flooder = Client::connect_from(elsewhere(50), &server, &[])
        .await
        .unwrap();
    while flooder.try_send(r#"{"type":"PING"}"#.into()).await {
        if let Err(code) = flooder.next_or_close().await {
            assert_eq!(code, Some(1008));
            break;
        }
    }
    // Ten at once and then one a second: one of so many is turned away.
    for _ in 0..15 {
        if let Ok(mut stream) = dial_from(elsewhere(51), &server.authority()).await {
            let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            drop(stream.write_all(request).await);
            drop(stream.read_to_end(&mut Vec::new()).await);
        }
    }
    let limited = server.get("/api/status").await.json()["limited"].take();
    assert!(
        limited["messages"]["connection"].as_u64() >= Some(20),
        "{limited}"
    );
    assert_eq!(limited["closed"], 1, "{limited}");
    assert!(limited["turnedAway"].as_u64() >= Some(4), "{limited}");
    server.server.shutdown().await;
}

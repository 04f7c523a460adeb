//! Strangers who mean harm, over real sockets: what they cost stays theirs.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use ham_server::config::Options;
use serde_json::{Value, json};
use support::{
    Client, DEADLINE, Operator, Response, TestServer, dial_from, elsewhere, eventually, exchange,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The beginning of a TLS ClientHello (RFC 8446, 4.1.2) that never goes on.
const HALF_HANDSHAKE: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0];

const HALF_HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\r\n";

async fn claimed(limits: &[&str]) -> (TestServer, Operator) {
    let server = TestServer::start_limited(limits);
    let owner = Operator::new("W1AW");
    assert_eq!(server.claim(&owner).await.status, 200);
    (server, owner)
}

/// An operator and a guest, both connected from this machine's usual address.
struct Pair {
    operator: Client,
    guest: Client,
    operator_id: String,
    guest_id: String,
}

impl Pair {
    async fn connect(server: &TestServer, owner: &Operator) -> Self {
        let mut operator = server.connect().await;
        let registered = operator.log_in(owner).await;
        let operator_id = registered["clientId"].as_str().unwrap().to_owned();
        let (guest, guest_id) = server.connect().await.guest().await;
        Self {
            operator,
            guest,
            operator_id,
            guest_id,
        }
    }

    /// Sets a call up: an offer, an answer, and candidates both ways.
    async fn call(&mut self) {
        let offer = json!({ "type": "offer", "sdp": "v=0\r\n" });
        let answer = json!({ "type": "answer", "sdp": "v=0\r\n" });
        let candidate = json!({ "candidate": "candidate:1", "sdpMid": "0" });
        let (operator, guest) = (&mut self.operator, &mut self.guest);
        operator
            .send(&json!({ "type": "OFFER", "target": self.guest_id, "offer": offer }))
            .await;
        signal(guest, "OFFER_RECEIVED").await;
        guest
            .send(&json!({ "type": "ANSWER", "target": self.operator_id, "answer": answer }))
            .await;
        signal(operator, "ANSWER_RECEIVED").await;
        for _ in 0..3 {
            let kind = "ICE_CANDIDATE";
            operator
                .send(&json!({ "type": kind, "target": self.guest_id, "candidate": candidate }))
                .await;
            guest
                .send(&json!({ "type": kind, "target": self.operator_id, "candidate": candidate }))
                .await;
            signal(guest, "ICE_CANDIDATE_RECEIVED").await;
            signal(operator, "ICE_CANDIDATE_RECEIVED").await;
        }
    }
}

/// Skips to a signal; an error on the way is a failure.
async fn signal(client: &mut Client, kind: &str) {
    loop {
        let message = client.next().await;
        assert_ne!(message["type"], "ERROR", "{message}");
        if message["type"] == kind {
            return;
        }
    }
}

/// Whether the server closes this connection within the time it gives to a head, with time to spare.
async fn ends(mut stream: TcpStream) -> bool {
    let mut rest = Vec::new();
    let read = stream.read_to_end(&mut rest);
    tokio::time::timeout(3 * DEADLINE, read).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_half_handshakes_disturb_nobody() {
    let (server, owner) = claimed(&[
        "requests=100",
        "address-requests=40",
        "address-arrivals-per-second=1000",
    ])
    .await;
    let authority = server.authority();
    let mut held = Vec::new();
    for round in 0..1_000_usize {
        let source = elsewhere(u8::try_from(50 + round % 20).unwrap());
        let Ok(mut stream) = dial_from(source, &authority).await else {
            continue;
        };
        let beginning: &[u8] = match round % 5 {
            0 => &[],
            1 => HALF_HEAD,
            2 => &[0x16],
            3 => b"\x80\x00garbage\xff that is no protocol at all, and never ends",
            _ => HALF_HANDSHAKE,
        };
        // It may have been displaced already, which is what this is about.
        let _ = stream.write_all(beginning).await;
        held.push(stream);
    }
    let door = server.server.app().door.counters();
    assert!(door.taken <= 100, "{door:?}");
    assert!(door.displaced >= 600, "{door:?}");
    let mut pair = Pair::connect(&server, &owner).await;
    pair.call().await;
    assert_eq!(server.get("/api/status").await.status, 200);
    drop(held);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_half_of_it_is_closed() {
    let (server, _) = claimed(&[]).await;
    let authority = server.authority();
    let mut waiting = Vec::new();
    for beginning in [&b""[..], HALF_HEAD, &HALF_HANDSHAKE[..1], HALF_HANDSHAKE] {
        let mut stream = TcpStream::connect(&authority).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        waiting.push(tokio::spawn(ends(stream)));
    }
    // Whoever made a request and makes no other.
    let mut idle = TcpStream::connect(&authority).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    idle.write_all(request.as_bytes()).await.unwrap();
    waiting.push(tokio::spawn(ends(idle)));
    for ends in waiting {
        assert!(ends.await.unwrap(), "it is closed in time");
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_have_a_size() {
    let (server, _) = claimed(&[]).await;
    let authority = server.authority();
    let many = "X-A: b\r\n".repeat(200);
    let long = format!("X-A: {}\r\n", "b".repeat(20 * 1024));
    for headers in [many, long] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {authority}\r\n{headers}\r\n");
        let answer = Response::parse(&exchange(&authority, request.as_bytes()).await);
        assert_eq!(answer.status, 431);
    }
    let target = format!("GET /{} HTTP/1.1\r\n", "a".repeat(20 * 1024));
    let answer = Response::parse(&exchange(&authority, target.as_bytes()).await);
    assert!([414, 431].contains(&answer.status), "{}", answer.status);
    assert_eq!(server.get("/healthz").await.status, 200);
    server.server.shutdown().await;
}

/// One way to be a nuisance on a connection, again and again until the server ends it.
async fn be_a_nuisance(kind: usize, mut client: Client, thief: &Operator) {
    let register = json!({ "type": "REGISTER", "callsign": "GUEST" });
    client.try_send(Message::text(register.to_string())).await;
    for round in 0..400_u32 {
        let message = match kind % 10 {
            0 => Message::text(json!({ "type": "PING" }).to_string()),
            1 => Message::text("{\"type\":\"OFFER\",\"target\":"),
            2 => Message::binary(vec![0; 1_000]),
            3 => Message::text("x".repeat(200 * 1024)),
            4 => Message::Ping(vec![0; 100].into()),
            5 => Message::text(
                json!({
                    "type": "REGISTER",
                    "callsign": "W1AW",
                    "certificate": thief.certificate.to_pem(),
                    "nonce": support::NONCE,
                    "url": client.url,
                })
                .to_string(),
            ),
            6 => Message::text(json!({ "type": "JOIN", "net": format!("n{round}") }).to_string()),
            7 => Message::text(json!({ "type": "LIST_PEERS" }).to_string()),
            8 => Message::text(
                json!({
                    "type": "OFFER",
                    "target": "W1AW",
                    "offer": { "type": "offer", "sdp": "v".repeat(60_000) },
                })
                .to_string(),
            ),
            _ => Message::text(
                json!({ "type": "RESUME", "session": "guessed", "lastSeq": round }).to_string(),
            ),
        };
        if !client.try_send(message).await {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_nuisances_and_twenty_pairs_who_call() {
    let (server, owner) = claimed(&[]).await;
    let server = std::sync::Arc::new(server);
    let mut pairs = Vec::new();
    for number in 0..20 {
        let operator = owner.vouch_for(&format!("K{}ABC", number % 10));
        pairs.push(Pair::connect(&server, &operator).await);
    }
    let nuisances: Vec<_> = (0..200_usize)
        .map(|number| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move {
                let thief = Operator::new("W1AW");
                let source = elsewhere(u8::try_from(100 + number % 4).unwrap());
                // Whoever is thrown out comes again, until there is nobody to bother.
                loop {
                    if let Some(client) = Client::connect_from(source, &server, &[]).await {
                        be_a_nuisance(number, client, &thief).await;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let calls: Vec<_> = pairs
        .into_iter()
        .map(|mut pair| {
            tokio::spawn(async move {
                for _ in 0..5 {
                    pair.call().await;
                }
                pair
            })
        })
        .collect();
    for call in calls {
        call.await.expect("nobody who behaves gets an error");
    }
    for nuisance in nuisances {
        nuisance.abort();
    }
    let counters = server.server.app().switchboard.counters();
    assert!(!counters.limited.is_empty(), "{counters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_connections_and_may_close_one() {
    let (server, _) = claimed(&["address-connections=2"]).await;
    let source = elsewhere(50);
    let connect = || async { Client::connect_from(source, &server, &[]).await.unwrap() };
    let (first, _) = connect().await.guest().await;
    let _second = connect().await.guest().await;
    let mut third = connect().await;
    assert_eq!(third.next().await["code"], "full");
    assert_eq!(third.next_or_close().await, Err(Some(1013)));
    let (mut elsewhere, _) = server.connect().await.guest().await;
    elsewhere.send(&json!({ "type": "PING" })).await;
    elsewhere.next_of("PONG").await;
    assert_eq!(first.close(1000).await, Some(1000));
    elsewhere.next_of("PEER_LEFT").await;
    let (mut fourth, _) = connect().await.guest().await;
    fourth.send(&json!({ "type": "PING" })).await;
    fourth.next_of("PONG").await;
    server.server.shutdown().await;
}

/// Fails logins from an address until it is turned away, and gives the pause in seconds.
async fn until_paused(server: &TestServer) -> f64 {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        assert!(tokio::time::Instant::now() < deadline, "never turned away");
        let mut client = Client::connect_from(elsewhere(50), server, &[])
            .await
            .unwrap();
        let login = json!({
            "type": "REGISTER",
            "callsign": "W1AW",
            "certificate": "nonsense",
            "nonce": support::NONCE,
            "url": client.url,
        });
        client.try_send(Message::text(login.to_string())).await;
        while let Ok(answer) = client.next_or_close().await {
            if answer["code"] == "rate-limited" {
                assert_eq!(answer["details"]["scope"], "address");
                return answer["details"]["retryAfter"].as_f64().unwrap();
            }
            assert_eq!(answer["code"], "bad-certificate");
            if !client.try_send(Message::text(login.to_string())).await {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fails_to_log_in_again_and_again_pauses_and_may_come_back() {
    let (server, owner) = claimed(&["failures-per-minute=3", "pause-seconds=1"]).await;
    let first = until_paused(&server).await;
    let mut bystander = server.connect().await;
    assert_eq!(bystander.log_in(&owner).await["role"], "licensed");
    // The pause ends by itself; the next is longer.
    eventually("the pause ends", async || {
        let mut client = Client::connect_from(elsewhere(50), &server, &[])
            .await
            .unwrap();
        client.try_send(Message::text(r#"{"type":"PING"}"#)).await;
        match client.next_or_close().await {
            Ok(answer) if answer["type"] == "PONG" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let second = until_paused(&server).await;
    assert!(second > first, "{first} s, then {second} s");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_is_believed_and_nobody_else() {
    let options = Options {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        typed_limits: vec!["address-connections=1".into()],
        ..Options::default()
    };
    let server = TestServer::start_with(tempfile::tempdir().unwrap(), options);
    let owner = Operator::new("W1AW");
    assert_eq!(server.claim(&owner).await.status, 200);
    let arrive = |source: u8, said: &'static str| {
        let headers = [("x-forwarded-for", said)];
        let server = &server;
        async move {
            let client = Client::connect_from(elsewhere(source), server, &headers).await;
            let mut client = client.unwrap();
            client
                .send(&json!({ "type": "REGISTER", "callsign": "GUEST" }))
                .await;
            let answer: Value = client.next().await;
            (answer["type"] == "REGISTERED").then_some(client)
        }
    };
    let one = arrive(1, "192.168.1.7").await;
    let other = arrive(1, "192.168.1.8").await;
    assert!(
        one.is_some() && other.is_some(),
        "two people behind the proxy"
    );
    assert!(arrive(1, "192.168.1.7").await.is_none(), "the same again");
    assert!(
        arrive(1, "10.0.0.1, 192.168.1.7").await.is_none(),
        "what others wrote before"
    );
    let stranger = arrive(2, "192.168.1.9").await;
    assert!(stranger.is_some());
    assert!(arrive(2, "192.168.1.10").await.is_none(), "not believed");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_pieces_without_end_is_ended() {
    let (server, _) = claimed(&[]).await;
    let (mut bystander, _) = server.connect().await.guest().await;
    let (mut flooder, flooder_id) = server.connect().await.guest().await;
    let piece = |kind| Message::Frame(Frame::message(Vec::new(), OpCode::Data(kind), false));
    flooder.try_send(piece(Data::Text)).await;
    // More than 512 KiB, of which no byte counts as part of a message.
    for _ in 0..200_000 {
        if !flooder.try_send(piece(Data::Continue)).await {
            break;
        }
    }
    let left = bystander.next_of("PEER_LEFT").await;
    assert_eq!(left["peerId"], flooder_id);
    let refusal = loop {
        let message = flooder.next().await;
        if message["type"] == "ERROR" {
            break message;
        }
    };
    assert_eq!(refusal["code"], "too-large");
    assert_eq!(flooder.next_or_close().await, Err(Some(1009)));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_makes_so_many_requests_and_others_are_served() {
    let (server, _) = claimed(&["address-requests-per-second=1"]).await;
    let authority = server.authority();
    // Twenty at once and then one a second: one of so many on one connection is refused.
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    let mut stream = dial_from(elsewhere(50), &authority).await.unwrap();
    stream
        .write_all(request.repeat(60).as_bytes())
        .await
        .unwrap();
    let mut answers = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answers));
    read.await.unwrap().expect("it ends in good order");
    let answers = String::from_utf8(answers).unwrap();
    let (served, refused) = ["HTTP/1.1 200 ", "HTTP/1.1 429 "]
        .map(|status| answers.matches(status).count())
        .into();
    assert!(
        (20..60).contains(&served) && refused == 1,
        "{served} and {refused}"
    );
    let last = answers
        .rsplit("HTTP/1.1 ")
        .next()
        .unwrap()
        .to_ascii_lowercase();
    assert!(
        last.contains("retry-after: ") && last.contains("rate-limited"),
        "{last}"
    );
    // Who asked less is served, and who waited as well.
    assert_eq!(
        server.get("/api/status").await.json()["limited"]["requests"],
        1
    );
    let request = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    eventually("who waited is served", async || {
        let mut stream = dial_from(elsewhere(50), &authority).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let status = Response::parse(&answer).status;
        if status == 200 { Ok(()) } else { Err(status) }
    })
    .await;
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let (server, _) = claimed(&["request-seconds=1"]).await;
    let authority = server.authority();
    let request = format!(
        "POST /api/certificates HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{"
    );
    let answer = Response::parse(&exchange(&authority, request.as_bytes()).await);
    assert_eq!(answer.problem(), (408, "too-slow".to_owned()));
    server.server.shutdown().await;
}

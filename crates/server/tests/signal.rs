//! Signaling over real WebSockets.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use station::Statement;
use station::statement::Login;
use support::{Client, DEADLINE, Operator, TestServer, elsewhere, login, sign_challenge};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

async fn claimed() -> (TestServer, Operator) {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    assert_eq!(server.claim(&owner).await.status, 200);
    (server, owner)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_and_whom_they_vouch_for_are_licensed() {
    let (server, owner) = claimed().await;
    let mut client = server.connect().await;
    let url = client.url.clone();
    let challenge = client.register(&owner, &url).await;
    let (said, chain) = login(&owner, &challenge, &url);
    let proof = Statement::server_proof(&said).unwrap();
    let signature = challenge["serverProof"]["signature"].as_str().unwrap();
    assert!(
        chain[0].public_key().verify(&proof, signature).is_ok(),
        "the server proves itself"
    );
    assert!(chain[0].is_signed_by(owner.certificate.public_key()));
    let signature = sign_challenge(&owner, &challenge, &url);
    client
        .send(&json!({ "type": "AUTHENTICATE", "signature": signature }))
        .await;
    let registered = client.next().await;
    assert_eq!(
        (&registered["type"], &registered["role"]),
        (&json!("REGISTERED"), &json!("licensed"))
    );
    assert_eq!(registered["serverOwner"], "W1AW");

    let friend = owner.vouch_for("K1ABC");
    let mut second = server.connect().await;
    assert_eq!(second.log_in(&friend).await["role"], "licensed");
    let joined = client.next_of("PEER_JOINED").await;
    assert_eq!(joined["peer"]["callsign"], "K1ABC");
    assert_eq!(joined["peer"]["verified"], true);

    let mut third = server.connect().await;
    assert_eq!(
        third.log_in(&Operator::new("N1XYZ")).await["role"],
        "unlicensed"
    );
    let status = server.get("/api/status").await.json();
    assert_eq!(status["clients"], json!({ "licensed": 2, "unlicensed": 1 }));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impostors_are_refused() {
    let (server, owner) = claimed().await;
    let thief = Operator::new("W1AW");
    let copied = Operator {
        certificate: owner.certificate.clone(),
        ..thief
    };
    let refused = server.connect().await.log_in(&copied).await;
    assert_eq!(
        refused["code"], "bad-proof",
        "a certificate without its key"
    );

    let mut client = server.connect().await;
    let url = client.url.clone();
    let first = client.register(&owner, &url).await;
    let old = sign_challenge(&owner, &first, &url);
    let mut replaying = server.connect().await;
    assert_eq!(replaying.register(&owner, &url).await["type"], "CHALLENGE");
    replaying
        .send(&json!({ "type": "AUTHENTICATE", "signature": old }))
        .await;
    assert_eq!(
        replaying.next().await["code"],
        "bad-proof",
        "a signature from another login"
    );
    server.server.shutdown().await;
}

/// The owner's own signatures, made for something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_serves_one_purpose_at_one_server() {
    let (server, owner) = claimed().await;
    let elsewhere = owner.vouch_for("K1ABC").certificate.fingerprint();
    for purpose in [
        "another server",
        "another certificate",
        "the server's own proof",
    ] {
        let mut client = server.connect().await;
        let url = client.url.clone();
        let challenge = client.register(&owner, &url).await;
        let (said, _) = login(&owner, &challenge, &url);
        let statement = match purpose {
            "another server" => Statement::client_proof(&Login {
                server: elsewhere,
                ..said
            }),
            "another certificate" => Statement::client_proof(&Login {
                client: Some(elsewhere),
                ..said
            }),
            _ => Statement::server_proof(&said),
        };
        let signature = owner.key.sign(&statement.unwrap(), &owner.random).unwrap();
        client
            .send(&json!({ "type": "AUTHENTICATE", "signature": signature }))
            .await;
        assert_eq!(client.next().await["code"], "bad-proof", "{purpose}");
    }
    server.server.shutdown().await;
}

/// B sits between a client and A: it shows the client A's challenge, and A the client's proof.
#[tokio::test(flavor = "multi_thread")]
async fn a_relayed_challenge_is_worth_nothing() {
    let (a, owner) = claimed().await;
    let b = TestServer::start();
    let url_of_b = format!("ws://{}/signal", b.authority());
    let mut relay = a.connect().await;

    // A does not even begin a login whose URL is B's.
    assert_eq!(relay.register(&owner, &url_of_b).await["code"], "wrong-url");

    // So B lies to A about the URL. The client signs the one it dialled.
    let url_of_a = relay.url.clone();
    let challenge = relay.register(&owner, &url_of_a).await;
    let (said, chain) = login(&owner, &challenge, &url_of_b);
    let proof = Statement::server_proof(&said).unwrap();
    let shown = challenge["serverProof"]["signature"].as_str().unwrap();
    assert!(
        chain[0].public_key().verify(&proof, shown).is_err(),
        "the client sees it"
    );
    let careless = sign_challenge(&owner, &challenge, &url_of_b);
    relay
        .send(&json!({ "type": "AUTHENTICATE", "signature": careless }))
        .await;
    assert_eq!(
        relay.next().await["code"],
        "bad-proof",
        "and if it did not, A would"
    );
    a.server.shutdown().await;
    b.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_servers_own_urls_will_do() {
    let (server, owner) = claimed().await;
    let port = server.server.port();
    for right in [
        format!("ws://127.0.0.1:{port}/ws/signal"),
        format!("ws://localhost:{port}/signal"),
    ] {
        let mut client = Client::connect(&right).await;
        assert_eq!(client.log_in(&owner).await["role"], "licensed", "{right}");
    }
    for wrong in [
        format!("ws://127.0.0.1:{}/signal", port ^ 1),
        format!("ws://evil.example:{port}/signal"),
        format!("wss://127.0.0.1:{port}/signal"),
        format!("ws://127.0.0.1:{port}/signal/"),
        format!("ws://127.0.0.1:{port}/signal\nx"),
        "ws://".into(),
    ] {
        let mut client = server.connect().await;
        assert_eq!(
            client.register(&owner, &wrong).await["code"],
            "wrong-url",
            "{wrong:?}"
        );
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_reaches_a_guest_and_the_answer_comes_back() {
    let (server, owner) = claimed().await;
    let (mut guest, guest_id) = server.connect().await.guest().await;
    let mut operator = server.connect().await;
    let registered = operator.log_in(&owner).await;
    let sdp = "v=0\r\no=- \u{e9}\r\n";
    let offer = json!({ "type": "offer", "sdp": sdp });
    let statement =
        json!({ "callId": "c", "counter": 1, "to": "t", "signature": "s", "keyid": "k" });
    operator
        .send(
            &json!({ "type": "OFFER", "target": guest_id, "offer": offer, "statement": statement }),
        )
        .await;
    let received = guest.next_of("OFFER_RECEIVED").await;
    assert_eq!(received["offer"]["sdp"], sdp);
    assert_eq!(received["statement"], statement);
    assert_eq!(received["chain"], json!([owner.certificate.to_pem()]));
    assert_eq!(received["from"], registered["clientId"]);
    let answer = json!({ "type": "answer", "sdp": sdp });
    let from = &received["from"];
    guest
        .send(&json!({ "type": "ANSWER", "target": from, "answer": answer }))
        .await;
    assert_eq!(operator.next_of("ANSWER_RECEIVED").await["from"], guest_id);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_nobody_could_read_hurt_only_their_sender() {
    let (server, _) = claimed().await;
    let (mut bystander, _) = server.connect().await.guest().await;
    let (mut client, _) = server.connect().await.guest().await;
    bystander.next_of("PEER_JOINED").await;
    client.send_raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.next().await["code"], "binary-frame");
    client.send_raw(Message::text("x".repeat(100 * 1024))).await;
    assert_eq!(client.next().await["code"], "too-large");
    client.send(&json!({ "type": "PING" })).await;
    assert_eq!(client.next().await["type"], "PONG", "still connected");
    client.send_raw(Message::text("x".repeat(200 * 1024))).await;
    assert_eq!(client.next().await["code"], "too-large");
    assert_eq!(client.next_or_close().await, Err(Some(1009)));
    assert_eq!(bystander.next().await["type"], "PEER_LEFT");
    bystander.send(&json!({ "type": "PING" })).await;
    assert_eq!(bystander.next().await["type"], "PONG");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_is_closed_and_others_go_on() {
    let (server, _) = claimed().await;
    let (mut bystander, _) = server.connect().await.guest().await;
    let (mut flooder, _) = server.connect().await.guest().await;
    for _ in 0..125 {
        flooder.send(&json!({ "type": "PING" })).await;
    }
    let code = loop {
        match flooder.next_or_close().await {
            Ok(message) if message["type"] == "ERROR" => {
                assert_eq!(message["code"], "rate-limited");
            }
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert_eq!(code, Some(1008));
    bystander.next_of("PEER_LEFT").await;
    server.server.shutdown().await;
}

/// An offer of about so many bytes.
fn long_offer(target: &str, bytes: usize) -> Value {
    let offer = json!({ "type": "offer", "sdp": "v".repeat(bytes) });
    json!({ "type": "OFFER", "target": target, "offer": offer })
}

/// Asks for something and gives the errors that came before the answer.
async fn errors_until_now(client: &mut Client) -> Vec<Value> {
    client.send(&json!({ "type": "PING" })).await;
    let mut errors = Vec::new();
    loop {
        let message = client.next().await;
        match message["type"].as_str() {
            Some("PONG") => return errors,
            Some("ERROR") => errors.push(message["code"].clone()),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_closed_and_others_go_on() {
    // Less may wait for all together than may be under way to one, and what each of a few may hold beyond it is still
    // more than who reads ever has waiting.
    let server = TestServer::start_limited(&[
        "queued-bytes=60000",
        "pings-per-minute=100000",
        "identity-messages-per-minute=100000",
    ]);
    let owner = Operator::new("W1AW");
    assert_eq!(server.claim(&owner).await.status, 200);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let address = server.authority().parse().unwrap();
    let stream = socket.connect(address).await.unwrap();
    let url = format!("ws://{}/signal", server.authority());
    let (mut deaf, deaf_id) = Client::over(stream, &url).await.guest().await;
    let (mut watcher, watcher_id) = server.connect().await.guest().await;
    let gone = async { while watcher.next_of("PEER_LEFT").await["peerId"] != deaf_id {} };
    let flood = async {
        // From several addresses, because each has a share of what may be under way to one.
        for host in (2..=254).cycle() {
            let sender = Client::connect_from(elsewhere(host), &server, &[]).await;
            let mut sender = sender.unwrap();
            sender.log_in(&owner).await;
            for _ in 0..3 {
                sender.send(&long_offer(&deaf_id, 14_000)).await;
                errors_until_now(&mut sender).await;
                // It says that everything arrived, and so is sent more until the system takes no more for it.
                deaf.try_send(Message::Pong(Vec::new().into())).await;
            }
            // Who only broke off would be here for a while, and in a crowd nobody is told at once who left.
            sender.close(1000).await;
        }
    };
    let closed = async {
        tokio::select! {
            () = gone => {}
            () = flood => {}
        }
    };
    let closed = tokio::time::timeout(3 * DEADLINE, closed).await;
    closed.expect("nobody was closed");
    let code = loop {
        if let Err(code) = deaf.next_or_close().await {
            break code;
        }
    };
    assert_eq!(code, Some(1013));
    let mut caller = server.connect().await;
    caller.log_in(&owner).await;
    caller.send(&long_offer(&watcher_id, 14_000)).await;
    watcher.next_of("OFFER_RECEIVED").await;
    assert_eq!(server.server.app().switchboard.counters().slow, 1);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_send_to_a_sleeper_is_refused_before_it_is_too_much() {
    let (server, owner) = claimed().await;
    let (mut sleeper, sleeper_id) = server.connect().await.guest().await;
    let connect = async |host| {
        let client = Client::connect_from(elsewhere(host), &server, &[]).await;
        let mut client = client.unwrap();
        client.log_in(&owner).await;
        client
    };
    let (mut eager, mut second, mut other) = (connect(2).await, connect(2).await, connect(3).await);
    let mut arrived = 0;
    loop {
        eager.send(&long_offer(&sleeper_id, 60_000)).await;
        let errors = errors_until_now(&mut eager).await;
        if !errors.is_empty() {
            assert_eq!(errors, ["target-busy"]);
            break;
        }
        arrived += 1;
        assert!(arrived < 10, "nothing holds them back");
    }
    second.send(&long_offer(&sleeper_id, 60_000)).await;
    let errors = errors_until_now(&mut second).await;
    assert_eq!(errors, ["target-busy"], "one address has one share");
    other.send(&long_offer(&sleeper_id, 60_000)).await;
    assert!(errors_until_now(&mut other).await.is_empty());
    for _ in 0..=arrived {
        sleeper.next_of("OFFER_RECEIVED").await;
    }
    // It reads, so its socket answers the server's ping, and there is room again.
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        assert!(tokio::time::Instant::now() < deadline, "no room again");
        assert!(errors_until_now(&mut sleeper).await.is_empty());
        eager.send(&long_offer(&sleeper_id, 60_000)).await;
        if errors_until_now(&mut eager).await.is_empty() {
            break;
        }
    }
    sleeper.next_of("OFFER_RECEIVED").await;
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_says_goodbye() {
    let (server, _) = claimed().await;
    let (mut guest, _) = server.connect().await.guest().await;
    server.server.shutdown().await;
    let goodbye = guest.next().await;
    assert_eq!(goodbye["type"], "GOODBYE");
    assert_eq!(goodbye["retryAfter"], 2);
    assert_eq!(guest.next_or_close().await, Err(Some(1001)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_drops_out_comes_back_to_the_same_session() {
    let (server, owner) = claimed().await;
    let (mut bystander, _) = server.connect().await.guest().await;
    let mut operator = server.connect().await;
    let registered = operator.log_in(&owner).await;
    let joined = bystander.next_of("PEER_JOINED").await;

    // The connection breaks without a word, or hangs: the first is gone before it is taken over.
    operator.break_off();
    let mut thief = server.connect().await;
    let stolen = thief.ask_to_resume(&registered).await;
    assert_eq!(stolen["type"], "CHALLENGE");
    let other = Operator::new("W1AW");
    let forged = sign_challenge(&other, &stolen, &thief.url.clone());
    thief
        .send(&json!({ "type": "AUTHENTICATE", "signature": forged }))
        .await;
    assert_eq!(
        thief.next().await["code"],
        "bad-proof",
        "the token without the key"
    );

    let mut back = server.connect().await;
    let challenge = back.ask_to_resume(&registered).await;
    let proof = sign_challenge(&owner, &challenge, &back.url.clone());
    back.send(&json!({ "type": "AUTHENTICATE", "signature": proof }))
        .await;
    let resumed = back.next().await;
    assert_eq!(resumed["type"], "RESUMED");
    assert_eq!(resumed["clientId"], registered["clientId"]);

    let mut second = server.connect().await;
    let challenge = second.ask_to_resume(&registered).await;
    let proof = sign_challenge(&owner, &challenge, &second.url.clone());
    second
        .send(&json!({ "type": "AUTHENTICATE", "signature": proof }))
        .await;
    assert_eq!(second.next().await["type"], "RESUMED");
    assert_eq!(back.next_or_close().await, Err(Some(4001)), "taken over");

    // All the bystander ever heard: that the operator came and, now that they mean to, left.
    assert_eq!(second.close(1000).await, Some(1000));
    let left = bystander.next().await;
    assert_eq!(left["type"], "PEER_LEFT");
    assert_eq!(left["peerId"], joined["peer"]["id"]);
    let mut late = server.connect().await;
    assert_eq!(
        late.ask_to_resume(&registered).await["code"],
        "session-expired"
    );
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_there_when_a_guest_comes_back() {
    let (server, owner) = claimed().await;
    let mut guest = server.connect().await;
    guest
        .send(&json!({ "type": "REGISTER", "callsign": "GUEST" }))
        .await;
    let registered = guest.next().await;
    let mut operator = server.connect().await;
    operator.log_in(&owner).await;
    guest.break_off();
    let offer = json!({ "type": "offer", "sdp": "v=0" });
    operator
        .send(&json!({ "type": "OFFER", "target": registered["clientId"], "offer": offer }))
        .await;
    operator.send(&json!({ "type": "PING" })).await;
    operator.next_of("PONG").await;

    let mut back = server.connect().await;
    assert_eq!(back.ask_to_resume(&registered).await["type"], "RESUMED");
    for (seq, kind) in [(2, "PEER_JOINED"), (3, "OFFER_RECEIVED")] {
        let missed = back.next().await;
        assert_eq!(
            (&missed["seq"], &missed["type"]),
            (&json!(seq), &json!(kind))
        );
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_is_answered_and_what_is_no_websocket_is_told_why() {
    let (server, _) = claimed().await;
    let leaver = server.connect().await;
    assert_eq!(leaver.close(1000).await, Some(1000));
    let text = |payload: &[u8]| Frame::message(payload.to_vec(), OpCode::Data(Data::Text), true);
    let unknown = Frame::message(b"a".to_vec(), OpCode::Data(Data::Reserved(3)), true);
    for (frame, code) in [(text(b"\xff"), 1007), (unknown, 1002)] {
        let mut client = server.connect().await;
        client.send_raw(Message::Frame(frame)).await;
        assert_eq!(client.next_or_close().await, Err(Some(code)));
    }
    server.server.shutdown().await;
}

/// Of a connection that is closed with something unread the system says to the other end that it broke, and
/// what was sent before may be lost with it.
#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_much_learns_why_before_the_connection_ends() {
    let (server, _) = claimed().await;
    let authority = server.authority();
    let upgrade = format!(
        "GET /signal HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let size = 500 * 1024_u64;
    // A masked text frame (RFC 6455, 5.2) whose mask changes nothing.
    let mut frame = vec![0x81, 0xff];
    frame.extend(size.to_be_bytes());
    frame.resize(frame.len() + 4 + usize::try_from(size).unwrap(), 0);
    let post = format!(
        "POST /api/certificates HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    );
    let mut body = post.into_bytes();
    body.resize(body.len() + usize::try_from(size).unwrap(), b'x');
    for (bytes, reason) in [
        (
            [upgrade.into_bytes(), frame].concat(),
            &b"\x88\x02\x03\xf1"[..],
        ),
        (body, b"HTTP/1.1 413 "),
    ] {
        let mut stream = TcpStream::connect(&authority).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer));
        read.await
            .unwrap()
            .expect("the server closes, and does not break off");
        assert!(
            answer.windows(reason.len()).any(|part| part == reason),
            "{answer:?}"
        );
    }
    server.server.shutdown().await;
}

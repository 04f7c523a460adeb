//! What comes to `/coordinate` that no honest server sends: it is refused, told why, and disturbs nobody.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coordination::message::{
    Beat, Get, Hello, Item, Message as LinkMessage, Part, Proof, SUBPROTOCOL, Set,
};
use coordination::{Blob, ItemId, Nonce, Signature};
use futures_util::{SinkExt as _, StreamExt as _};
use pki::log::{Checkpoint, Tip};
use pki::{Certificate, SigningKey, issue};
use serde_json::json;
use station::statement::coordination::Link;
use station::{Digest, Statement, Zone};
use support::{DEADLINE, Operator, TestServer, eventually};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(server: &TestServer, subprotocol: bool) -> Socket {
    let url = format!("ws://{}/coordinate", server.authority());
    let mut request = url.into_client_request().unwrap();
    if subprotocol {
        let word = SUBPROTOCOL.parse().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", word);
    }
    let (socket, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    let chosen = response.headers().get("Sec-WebSocket-Protocol");
    assert_eq!(chosen.is_some(), subprotocol);
    socket
}

/// What the server says until it closes.
async fn until_closed(socket: &mut Socket) -> Vec<LinkMessage> {
    let mut heard = Vec::new();
    loop {
        match timeout(DEADLINE, socket.next())
            .await
            .expect("it is closed")
        {
            Some(Ok(Message::Binary(frame))) => heard.push(LinkMessage::decode(&frame).unwrap()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return heard,
            Some(Ok(_)) => {}
        }
    }
}

fn refusal(heard: &[LinkMessage]) -> &str {
    match heard.last() {
        Some(LinkMessage::Refuse(refuse)) => &refuse.code,
        other => panic!("no refusal: {other:?}"),
    }
}

/// The server's own first message.
async fn hello_of(socket: &mut Socket) -> Hello {
    match timeout(DEADLINE, socket.next()).await.unwrap() {
        Some(Ok(Message::Binary(frame))) => match LinkMessage::decode(&frame).unwrap() {
            LinkMessage::Hello(hello) => hello,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

async fn say(socket: &mut Socket, message: &LinkMessage) {
    socket
        .send(Message::binary(message.encode()))
        .await
        .unwrap();
}

/// The next thing the server says.
async fn next_message(socket: &mut Socket) -> LinkMessage {
    loop {
        let frame = timeout(DEADLINE, socket.next()).await.unwrap().unwrap();
        if let Message::Binary(frame) = frame.unwrap() {
            return LinkMessage::decode(&frame).unwrap();
        }
    }
}

/// A server of our making, with a link that stands.
async fn link_of(server: &TestServer, owner: &Operator) -> Socket {
    let key = SigningKey::generate(&owner.random).unwrap();
    let now = SystemTime::now();
    let public = key.public_key();
    let own = issue::server_certificate(owner.issuer(), &public, now, &owner.random).unwrap();
    let mut socket = open(server, true).await;
    let theirs = hello_of(&mut socket).await;
    let nonce = Nonce::new([9; 32]);
    let hello = Hello {
        nonce,
        chain: [&own, &owner.certificate]
            .map(|one| Blob::from(one.der()))
            .into(),
        ..theirs.clone()
    };
    say(&mut socket, &LinkMessage::Hello(hello)).await;
    let their_certificate = Certificate::from_der(theirs.chain[0].as_bytes()).unwrap();
    let statement = Statement::link(&Link {
        nonces: [nonce.as_bytes(), theirs.nonce.as_bytes()],
        servers: [own.fingerprint(), their_certificate.fingerprint()],
        zone: Zone::Open,
        version: theirs.version,
    });
    let signature = key.sign(&statement, &owner.random).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signature = Signature::new(signature.try_into().unwrap());
    say(&mut socket, &LinkMessage::Proof(Proof { signature })).await;
    loop {
        if let LinkMessage::Beat(_) = next_message(&mut socket).await {
            return socket;
        }
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    hash.as_ref().try_into().unwrap()
}

async fn assert_alive(server: &TestServer) {
    assert_eq!(server.get("/healthz").await.status, 200);
    let guest = server.connect().await.guest().await;
    drop(guest);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_wrong_versions_and_giant_frames_are_refused() {
    let server = TestServer::owned_by(&Operator::new("W1AW")).await;
    for garbage in [&b"\xff\x00garbage"[..], b"", &[0xa1; 5_000]] {
        let mut socket = open(&server, true).await;
        socket
            .send(Message::binary(garbage.to_vec()))
            .await
            .unwrap();
        assert_eq!(refusal(&until_closed(&mut socket).await), "bad-message");
    }
    let mut socket = open(&server, true).await;
    socket.send(Message::text("{}")).await.unwrap();
    assert_eq!(refusal(&until_closed(&mut socket).await), "bad-message");

    let mut socket = open(&server, true).await;
    let mut hello = hello_of(&mut socket).await;
    hello.version = 2;
    say(&mut socket, &LinkMessage::Hello(hello)).await;
    assert_eq!(refusal(&until_closed(&mut socket).await), "wrong-version");

    let mut socket = open(&server, true).await;
    let mut hello = hello_of(&mut socket).await;
    hello.zone = Zone::Part97;
    say(&mut socket, &LinkMessage::Hello(hello)).await;
    assert_eq!(refusal(&until_closed(&mut socket).await), "zone-mismatch");

    let mut socket = open(&server, true).await;
    let giant = Message::binary(vec![0; 1024 * 1024]);
    // The server may end it while it is still being sent.
    let _ = socket.send(giant).await;
    until_closed(&mut socket).await;
    assert_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_certificate_without_its_key_is_worth_nothing() {
    let [owner, other] = ["W1AW", "K1ABC"].map(Operator::new);
    let server = TestServer::owned_by(&owner).await;
    let copied = TestServer::owned_by(&other).await;
    let mut socket = open(&copied, true).await;
    let theirs = hello_of(&mut socket).await;
    drop(socket);

    let mut socket = open(&server, true).await;
    hello_of(&mut socket).await;
    say(&mut socket, &LinkMessage::Hello(theirs.clone())).await;
    let signature = Signature::new([7; 64]);
    say(&mut socket, &LinkMessage::Proof(Proof { signature })).await;
    assert_eq!(refusal(&until_closed(&mut socket).await), "bad-proof");

    // A chain that is none, and a person's certificate in a server's place.
    for chain in [
        vec![theirs.chain[0].clone()],
        vec![theirs.chain[1].clone(), theirs.chain[0].clone()],
        vec![Blob::from(&b"no certificate"[..])],
    ] {
        let mut socket = open(&server, true).await;
        hello_of(&mut socket).await;
        let hello = Hello {
            chain,
            ..theirs.clone()
        };
        say(&mut socket, &LinkMessage::Hello(hello)).await;
        assert_eq!(refusal(&until_closed(&mut socket).await), "bad-certificate");
    }
    let peers = server.get("/api/peers").await.json();
    assert_eq!(peers, json!([]), "nobody proved anything");
    assert_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_begin_and_say_nothing_do_not_keep_others_out() {
    let server = TestServer::owned_by(&Operator::new("W1AW")).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(open(&server, true).await);
    }
    let last = until_closed(silent.last_mut().unwrap()).await;
    assert_eq!(refusal(&last), "full");
    // Those before it are given up after a while, and there is room again.
    let start = Instant::now();
    until_closed(&mut silent[0]).await;
    assert!(start.elapsed() < DEADLINE);
    assert_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_only_the_plain_messages_gives_and_gets_certificates() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let mut socket = open(&server, false).await;
    let mut kinds = Vec::new();
    let mut synced = Vec::new();
    // The owner's certificate and the server's own.
    while synced.len() < 2 {
        let frame = timeout(DEADLINE, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(frame.len() <= 64 * 1024);
        let message: serde_json::Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
        kinds.push(message["type"].as_str().unwrap().to_owned());
        for one in message["certificates"].as_array().into_iter().flatten() {
            synced.push(one["fingerprint"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(kinds[0], "PEER_ANNOUNCE");
    assert!(synced.contains(&owner.fingerprint()));

    let vouched = owner.vouch_for("K1ABC");
    let sync = json!({"type": "CERT_SYNC", "certificates": [{
        "fingerprint": vouched.fingerprint(),
        "certificate": vouched.certificate.to_pem(),
        "chain": [owner.certificate.to_pem()],
    }]});
    socket.send(Message::text(sync.to_string())).await.unwrap();
    let path = format!("/api/certificates/{}", vouched.fingerprint());
    let shown = eventually("the certificate", async || {
        let shown = server.get(&path).await;
        if shown.status == 200 {
            Ok(shown)
        } else {
            Err(shown)
        }
    })
    .await;
    assert_eq!(shown.json()["status"], "trusted");
    // It is told to whoever else is there, this one included.
    let said = timeout(DEADLINE, socket.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(said.to_text().unwrap().contains(&vouched.fingerprint()));

    socket
        .send(Message::text("{\"type\":\"HELLO\"}"))
        .await
        .unwrap();
    assert_alive(&server).await;
}

/// Somebody whose key is trusted here shows different people different histories of what they issued.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_two_histories_is_shown_with_the_proof() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let none = server.get("/api/peers/warnings").await.json();
    assert_eq!(none, json!({ "copy": null, "splitLogs": [] }));

    let liar = owner.vouch_for("K1ABC");
    let listed = server
        .signed(
            &owner,
            "POST",
            "/api/certificates",
            Some(&json!({ "certificate": liar.certificate.to_pem() })),
        )
        .await;
    assert_eq!(listed.status, 201, "{listed:?}");
    let mut socket = link_of(&server, &Operator::new("N0XYZ")).await;
    let head = |byte| Digest::new([byte; 32]);
    let mut sent = Vec::new();
    for (size, byte) in [(3, 1), (3, 2)]
        .into_iter()
        .chain((4..40).map(|size| (size, 7)))
    {
        let tip = Tip {
            size,
            head: head(byte),
        };
        let signed = Checkpoint::sign(tip, &liar.key, &liar.random).unwrap();
        let statement = Statement::checkpoint(signed.server, tip.size, tip.head).unwrap();
        // Exactly as every server writes it: another spelling is no item.
        let (server, signature) = (signed.server, &signed.signature);
        let item = format!(
            r#"{{"server":"{server}","size":{size},"head":"{}","signature":"{signature}"}}"#,
            tip.head
        );
        let id = ItemId::new(sha256(statement.as_str().as_bytes()));
        let data = Blob::from(item.into_bytes());
        let set = Set::Checkpoints;
        sent.push(id);
        say(&mut socket, &LinkMessage::Item(Item { set, id, data })).await;
    }

    let split = eventually("the two histories", async || {
        let warnings = server.get("/api/peers/warnings").await.json();
        let split = warnings["splitLogs"].as_array().unwrap().first().cloned();
        split.ok_or(warnings)
    })
    .await;
    assert_eq!(split["callsign"], "K1ABC");
    let proof = split["checkpoints"].as_array().unwrap();
    for (checkpoint, byte) in proof.iter().zip([1, 2]) {
        let checkpoint = Checkpoint {
            server: checkpoint["server"].as_str().unwrap().parse().unwrap(),
            tip: Tip {
                size: checkpoint["size"].as_u64().unwrap(),
                head: head(byte),
            },
            signature: checkpoint["signature"].as_str().unwrap().to_owned(),
        };
        assert_eq!(checkpoint.verify(&liar.key.public_key()), Ok(()));
    }

    // However long a log is said to be, sixteen of its heads are kept: the longest.
    let (last, first) = sent.split_last().unwrap();
    let kept = async |socket: &mut Socket, asked: &[ItemId]| {
        let get = LinkMessage::Get(Get {
            set: Set::Checkpoints,
            session: None,
            items: asked.to_vec(),
        });
        say(socket, &get).await;
        let (mut kept, mut absent) = (Vec::new(), 0);
        while kept.len() + absent < asked.len() {
            match next_message(socket).await {
                LinkMessage::Item(item) if item.set == Set::Checkpoints => kept.push(item.id),
                LinkMessage::Absent(gone) if gone.set == Set::Checkpoints => {
                    absent += gone.items.len();
                }
                LinkMessage::Beat(beat) => say(socket, &LinkMessage::Beat(beat)).await,
                _ => {}
            }
        }
        kept
    };
    eventually("the last is judged", async || {
        match kept(&mut socket, &[*last]).await {
            judged if judged.is_empty() => Err(judged),
            _ => Ok(()),
        }
    })
    .await;
    let of_all = kept(&mut socket, first).await;
    assert_eq!(of_all, first[first.len() - 15..]);
    assert_alive(&server).await;
}

/// Who has proved nothing yet has little to say, and nothing of it has to be kept for long.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_the_handshake_is_done_is_little_or_refused() {
    let server = TestServer::owned_by(&Operator::new("W1AW")).await;
    // Parts of messages that never end, on every lane.
    let mut socket = open(&server, true).await;
    for number in 0..60 {
        let part = LinkMessage::Part(Part {
            lane: number % 3,
            last: false,
            data: vec![0; 1_000].into(),
        });
        // It may be refused while there is more to say.
        let _ = socket.send(Message::binary(part.encode())).await;
    }
    assert_eq!(refusal(&until_closed(&mut socket).await), "bad-message");

    // One message that is longer than any handshake.
    let mut socket = open(&server, true).await;
    socket
        .send(Message::binary(vec![0xa1; 30_000]))
        .await
        .unwrap();
    assert_eq!(refusal(&until_closed(&mut socket).await), "bad-message");

    // A WebSocket message that is begun and never ended: the place is free again when the handshake has taken too long.
    let mut socket = open(&server, true).await;
    let begun = Frame::message(vec![0; 60_000], OpCode::Data(Data::Binary), false);
    socket.send(Message::Frame(begun)).await.unwrap();
    until_closed(&mut socket).await;
    assert_alive(&server).await;
}

/// Pings cost the answer: they are counted like frames, before a link stands and when it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_is_refused() {
    let server = TestServer::owned_by(&Operator::new("W1AW")).await;
    let mut socket = open(&server, true).await;
    for _ in 0..200 {
        let _ = socket.send(Message::Ping(vec![7; 100].into())).await;
    }
    assert_eq!(refusal(&until_closed(&mut socket).await), "bad-message");

    let socket = link_of(&server, &Operator::new("N0XYZ")).await;
    let (mut sink, mut stream) = socket.split();
    let flood = tokio::spawn(async move {
        let beat = LinkMessage::Beat(Beat {
            records: 0,
            sets: 0,
        });
        // It says that it lives, so it is not given up for its silence.
        while sink.send(Message::binary(beat.encode())).await.is_ok() {
            for _ in 0..1_000 {
                let _ = sink.feed(Message::Ping(vec![7; 10].into())).await;
            }
        }
    });
    // What is said last may be lost with what the server did not read any more.
    let ended = async { while let Some(Ok(_)) = stream.next().await {} };
    timeout(DEADLINE, ended).await.expect("the link is ended");
    timeout(DEADLINE, flood)
        .await
        .expect("nobody reads on")
        .unwrap();
    assert_alive(&server).await;
}

/// Who brings certificates as text is no faster than the disk: the server reads on when it is done with what it read.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_as_text_come_no_faster_than_they_are_judged() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let socket = open(&server, false).await;
    let (mut sink, mut stream) = socket.split();
    let listening = tokio::spawn(async move { while let Some(Ok(_)) = stream.next().await {} });
    let vouched = owner.vouch_for("K1ABC");
    let certificate = json!({
        "fingerprint": vouched.fingerprint(),
        "certificate": vouched.certificate.to_pem(),
        "chain": [owner.certificate.to_pem()],
        "padding": "x".repeat(60_000),
    });
    let sync = json!({ "type": "CERT_SYNC", "certificates": [certificate] }).to_string();
    // More than lies in the buffers of both ends, and less than a link may bring at once.
    let store = server.server.app().ownership.store();
    let (locked, release) = (
        std::sync::mpsc::channel::<()>(),
        std::sync::mpsc::channel::<()>(),
    );
    let disk = std::thread::spawn(move || {
        let stuck = store.lock().unwrap();
        locked.0.send(()).unwrap();
        release.1.recv().unwrap();
        drop(stuck);
    });
    locked.1.recv().unwrap();
    let mut bring = std::pin::pin!(async {
        for _ in 0..250 {
            sink.send(Message::text(sync.clone())).await.unwrap();
        }
    });
    let early = timeout(Duration::from_secs(2), &mut bring).await;
    assert!(
        early.is_err(),
        "the server reads on while the disk is stuck"
    );
    release.0.send(()).unwrap();
    disk.join().unwrap();
    timeout(DEADLINE, bring).await.expect("then it reads on");
    listening.abort();
    assert_alive(&server).await;
}

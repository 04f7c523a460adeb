//! Servers among each other, over real sockets on this machine.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::time::Instant;

use ham_server::runtime::Sighting;
use serde_json::{Value, json};
use support::{Operator, TestServer, eventually};

/// Reads a server's list of peers until it is as wanted.
async fn peers_until(
    server: &TestServer,
    what: &str,
    wanted: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    eventually(what, async || {
        let peers = server.get("/api/peers").await.json();
        let peers = peers.as_array().unwrap().clone();
        if wanted(&peers) {
            Ok(peers)
        } else {
            Err(peers)
        }
    })
    .await
}

async fn name(owner: &Operator, server: &TestServer, other: &TestServer) {
    let endpoint = format!("http://{}", other.authority());
    let body = json!({ "endpoint": endpoint });
    let added = server
        .signed(owner, "POST", "/api/peers", Some(&body))
        .await;
    assert_eq!(added.status, 201, "{added:?}");
}

fn states(peers: &[Value]) -> Vec<&str> {
    peers
        .iter()
        .map(|peer| peer["state"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_whose_roots_are_accepted_are_linked_and_know_each_other_through_one_between() {
    let owners = ["W1AW", "K1ABC", "N0XYZ"].map(Operator::new);
    let mut servers = Vec::new();
    for owner in &owners {
        servers.push(TestServer::owned_by(owner).await);
    }
    let [a, c, b] = &servers[..] else {
        unreachable!()
    };
    name(&owners[0], a, c).await;
    name(&owners[2], b, c).await;
    for (server, owner, others) in [(a, 0, vec![1]), (c, 1, vec![0, 2]), (b, 2, vec![1])] {
        let unknown = peers_until(server, "strangers", |peers| {
            states(peers)
                .iter()
                .filter(|state| **state == "unknown")
                .count()
                == others.len()
        });
        for peer in unknown.await {
            let id = peer["id"].as_str().unwrap();
            let body = json!({ "fingerprint": peer["root"]["fingerprint"] });
            let path = format!("/api/peers/{id}/accept");
            let accepted = server
                .signed(&owners[owner], "POST", &path, Some(&body))
                .await;
            assert_eq!(accepted.status, 200, "{accepted:?}");
        }
    }
    let linked = peers_until(c, "both linked", |peers| {
        states(peers) == ["linked", "linked"]
    })
    .await;
    assert!(
        linked
            .iter()
            .all(|peer| peer["verified"] == true && peer["link"] == "open")
    );
    peers_until(a, "C by a link, and B by it", |peers| {
        states(peers).contains(&"linked")
    })
    .await;

    // Who has proved who they are is found by that, without announcing anything; but not by an address that leads
    // nowhere from another machine.
    let listed = a.get("/api/local-servers").await.json();
    let [listed] = listed["servers"].as_array().unwrap().as_slice() else {
        panic!("{listed:#}")
    };
    let fingerprint = c.get("/api/info").await.json()["certFingerprint"].clone();
    let expected = json!({
        "callsign": "K1ABC",
        "endpoint": format!("http://{}", c.authority()),
        "signalingUrl": format!("ws://{}/signal", c.authority()),
        "capabilities": listed["capabilities"],
        "source": "peer",
        "age": listed["age"],
        "fp": &fingerprint.as_str().unwrap()[..16],
        "verified": true,
    });
    assert_eq!(listed, &expected);
    let named = [("Host", format!("w1aw.local:{}", a.server.port()))];
    let named = named
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let elsewhere = a.send("GET", "/api/local-servers", &named, "").await;
    assert_eq!(elsewhere.json(), json!({ "servers": [] }));

    // Somebody who announces itself as that server is not believed to be it, unless it is where that is.
    for (endpoint, verified) in [
        ("http://192.168.1.66:8080".to_owned(), false),
        (format!("http://{}", c.authority()), true),
    ] {
        let sighting = Sighting {
            callsign: "K1ABC".parse().unwrap(),
            signaling_url: endpoint.replacen("http", "ws", 1),
            endpoint: endpoint.clone(),
            capabilities: Vec::new(),
            fp: fingerprint.as_str().map(|text| text[..16].to_owned()),
        };
        let app = a.server.app();
        app.neighbourhood
            .lock()
            .unwrap()
            .hear(&endpoint, sighting, Instant::now())
            .unwrap();
        let listed = a.get("/api/local-servers").await.json();
        let announced = listed["servers"].as_array().unwrap();
        let announced = announced
            .iter()
            .find(|one| one["source"] == "mdns" && one["endpoint"] == endpoint);
        assert_eq!(announced.unwrap()["verified"], verified, "{listed:#}");
    }
}

/// Two servers in a line with one between, whose owners all accepted each other's roots.
async fn line() -> ([Operator; 3], [TestServer; 3]) {
    let owners = ["W1AW", "K1ABC", "N0XYZ"].map(Operator::new);
    let mut servers = Vec::new();
    for owner in &owners {
        let server = TestServer::owned_by(owner).await;
        for other in owners
            .iter()
            .filter(|other| other.callsign != owner.callsign)
        {
            let fingerprint = other.fingerprint();
            let bundle = json!({ "bundle": other.certificate.to_pem(), "accept": [fingerprint] });
            let accepted = server
                .signed(owner, "POST", "/api/anchors", Some(&bundle))
                .await;
            assert_eq!(accepted.status, 201, "{accepted:?}");
        }
        servers.push(server);
    }
    let [a, c, b]: [TestServer; 3] = servers.try_into().unwrap_or_else(|_| panic!("three"));
    name(&owners[0], &a, &c).await;
    name(&owners[2], &b, &c).await;
    (owners, [a, c, b])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_calls_another_through_the_server_in_the_middle() {
    let ([w1aw, k1abc, n0xyz], [a, c, b]) = line().await;
    peers_until(&a, "B through C", |peers| {
        states(peers) == ["linked", "reachable"]
    })
    .await;

    let mut caller = a.connect().await;
    caller.log_in(&w1aw).await;
    let mut callee = b.connect().await;
    let registered = callee.log_in(&n0xyz).await;
    // Whoever came first is in the list, whoever comes later is told of.
    let seen = match registered["peers"].as_array().unwrap().first() {
        Some(peer) => peer.clone(),
        None => callee.next_of("PEER_JOINED").await["peer"].clone(),
    };
    assert_eq!(seen["callsign"], "W1AW");
    assert_eq!(seen["verified"], true);
    assert_eq!(seen["server"]["callsign"], "W1AW");
    let there = caller.next_of("PEER_JOINED").await["peer"].clone();
    assert_eq!(
        (&there["callsign"], &there["verified"]),
        (&json!("N0XYZ"), &json!(true))
    );

    let offer =
        json!({"type": "OFFER", "target": "N0XYZ", "offer": {"type": "offer", "sdp": "v=0\r\n"}});
    caller.send(&offer).await;
    let offered = callee.next_of("OFFER_RECEIVED").await;
    assert_eq!(offered["offer"], offer["offer"]);
    assert_eq!(offered["from"], seen["id"]);
    assert_eq!(offered["verified"], true);
    let answer =
        json!({"type": "ANSWER", "target": seen["id"], "answer": {"type": "answer", "sdp": "v=0"}});
    callee.send(&answer).await;
    let answered = caller.next_of("ANSWER_RECEIVED").await;
    assert_eq!(answered["from"], there["id"]);
    let candidate =
        json!({"candidate": "candidate:1 1 udp 1 192.168.1.7 9 typ host", "sdpMid": "0"});
    let way = |target: &Value| json!({"type": "ICE_CANDIDATE", "target": target["id"], "candidate": candidate});
    caller.send(&way(&there)).await;
    let received = callee.next_of("ICE_CANDIDATE_RECEIVED").await;
    assert_eq!(received["candidate"], candidate);
    callee.send(&way(&seen)).await;
    let received = caller.next_of("ICE_CANDIDATE_RECEIVED").await;
    assert_eq!(received["candidate"], candidate);

    // A guest there is seen, and may not call.
    let (mut guest, _) = c.connect().await.guest().await;
    assert_eq!(
        caller.next_of("PEER_JOINED").await["peer"]["server"]["callsign"],
        k1abc.callsign.as_str()
    );
    guest.send(&json!({"type": "OFFER", "target": there["id"], "offer": {"type": "offer", "sdp": "v=0"}})).await;
    assert_eq!(guest.next_of("ERROR").await["code"], "license-required");

    // The server in the middle stops, and nobody beyond it is shown any more.
    c.server.shutdown().await;
    let mut left = vec![
        caller.next_of("PEER_LEFT").await,
        caller.next_of("PEER_LEFT").await,
    ];
    left.retain(|left| left["peerId"] == there["id"]);
    assert_eq!(left.len(), 1);
    caller
        .send(&json!({"type": "OFFER", "id": "q", "target": there["id"], "offer": offer["offer"]}))
        .await;
    assert_eq!(caller.next_of("ERROR").await["code"], "unknown-target");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_withdrawals_get_everywhere() {
    let ([w1aw, _, _], [a, c, b]) = line().await;
    peers_until(&a, "B through C", |peers| {
        states(peers) == ["linked", "reachable"]
    })
    .await;
    let vouched = w1aw.vouch_for("K7XYZ");
    let body = json!({ "certificate": vouched.certificate.to_pem(), "chain": [w1aw.certificate.to_pem()] });
    assert_eq!(
        a.signed(&w1aw, "POST", "/api/certificates", Some(&body))
            .await
            .status,
        201
    );
    let status_until = async |server: &TestServer, wanted: &str| {
        let path = format!("/api/certificates/{}", vouched.fingerprint());
        eventually(wanted, async || {
            let shown = server.get(&path).await;
            if shown.status == 200 && shown.json()["status"] == wanted {
                Ok(shown.json())
            } else {
                Err(shown)
            }
        })
        .await
    };
    let there = status_until(&b, "trusted").await;
    status_until(&c, "trusted").await;
    let target = there["identity"].as_str().unwrap();
    let target = target.parse().unwrap();
    let statement = station::Statement::tombstone(w1aw.key.key_id(), target).unwrap();
    let signature = w1aw
        .key
        .sign(&statement, &ring::rand::SystemRandom::new())
        .unwrap();
    let tombstone =
        json!({ "target": target, "signer": w1aw.key.key_id(), "signature": signature });
    assert_eq!(b.post("/api/tombstones", &tombstone).await.status, 200);
    for server in [&a, &c] {
        let path = format!("/api/certificates/{}", vouched.fingerprint());
        eventually("withdrawn", async || {
            let shown = server.get(&path).await.json();
            if shown["status"] == "trusted" {
                Err(shown)
            } else {
                Ok(())
            }
        })
        .await;
    }
}

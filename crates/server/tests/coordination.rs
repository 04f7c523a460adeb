//! Servers among each other, over real sockets on this machine.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::time::Instant;

use serde_json::{Value, json};
use support::{DEADLINE, Operator, TestServer};

/// Reads a server's list of peers until it is as wanted.
async fn peers_until(
    server: &TestServer,
    what: &str,
    wanted: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let peers = server.get("/api/peers").await.json();
        let peers = peers.as_array().unwrap().clone();
        if wanted(&peers) {
            return peers;
        }
        assert!(start.elapsed() < DEADLINE, "{what}: {peers:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
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
}

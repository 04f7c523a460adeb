//! Ten servers on a partial mesh: everybody is known everywhere, whoever dies is missed, and whoever comes back is
//! found again.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use ham_server::config::{Config, Options, PortChoice};
use ham_server::server::Server;
use serde_json::{Value, json};
use support::{Client, Operator, TestServer, eventually};

const SERVERS: usize = 10;

/// Servers whose roots are accepted by everybody, each with links to some of the others.
async fn mesh() -> (Vec<Operator>, Vec<TestServer>) {
    let owners: Vec<Operator> = (0..SERVERS)
        .map(|number| Operator::new(&format!("K{number}AA")))
        .collect();
    let all: String = owners
        .iter()
        .map(|owner| owner.certificate.to_pem())
        .collect();
    let mut servers = Vec::new();
    for owner in &owners {
        let server = TestServer::owned_by(owner).await;
        let others = owners
            .iter()
            .filter(|other| other.callsign != owner.callsign);
        let accept: Vec<String> = others.map(Operator::fingerprint).collect();
        let body = json!({ "bundle": all, "accept": accept });
        let accepted = server
            .signed(owner, "POST", "/api/anchors", Some(&body))
            .await;
        assert_eq!(accepted.status, 201, "{accepted:?}");
        servers.push(server);
    }
    // A ring, and a chord from every other one.
    for number in 0..SERVERS {
        name(&owners, &servers, number, (number + 1) % SERVERS).await;
        if number % 2 == 0 {
            name(&owners, &servers, number, (number + 4) % SERVERS).await;
        }
    }
    (owners, servers)
}

async fn name(owners: &[Operator], servers: &[TestServer], from: usize, to: usize) {
    let body = json!({ "endpoint": format!("http://{}", servers[to].authority()) });
    let added = servers[from]
        .signed(&owners[from], "POST", "/api/peers", Some(&body))
        .await;
    assert_eq!(added.status, 201, "{added:?}");
}

/// Waits until a server knows of exactly these others, over a link or through others.
async fn sees(server: &TestServer, wanted: &BTreeSet<String>) {
    eventually("who is there", async || {
        let peers = server.get("/api/peers").await.json();
        let there = |peer: &&Value| matches!(peer["state"].as_str(), Some("linked" | "reachable"));
        let there = peers.as_array().unwrap().iter().filter(there);
        let seen: BTreeSet<String> = there
            .filter_map(|peer| peer["callsign"].as_str())
            .map(str::to_owned)
            .collect();
        if seen == *wanted {
            Ok(())
        } else {
            Err((wanted.clone(), peers))
        }
    })
    .await;
}

fn all_but(owners: &[Operator], without: &[usize]) -> BTreeSet<String> {
    let kept = (0..SERVERS).filter(|number| !without.contains(number));
    kept.map(|number| owners[number].callsign.to_string())
        .collect()
}

/// Follows the list of a client until exactly these are in it.
async fn lists(client: &mut Client, wanted: &BTreeSet<String>) {
    eventually("who is in the list", async || {
        client.send(&json!({ "type": "LIST_PEERS" })).await;
        let list = client.next_of("PEER_LIST").await;
        let peers = list["peers"].as_array().unwrap();
        let seen: BTreeSet<String> = peers
            .iter()
            .filter(|peer| peer["verified"] == true)
            .map(|peer| peer["callsign"].as_str().unwrap().to_owned())
            .collect();
        if seen == *wanted {
            Ok(())
        } else {
            Err((wanted.clone(), seen))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_known_everywhere_through_a_death_and_a_return() {
    let (owners, mut servers) = mesh().await;
    for (number, server) in servers.iter().enumerate() {
        sees(server, &all_but(&owners, &[number])).await;
    }
    let mut clients = Vec::new();
    for (owner, server) in owners.iter().zip(&servers) {
        let mut client = server.connect().await;
        client.log_in(owner).await;
        clients.push(client);
    }
    for (number, client) in clients.iter_mut().enumerate() {
        lists(client, &all_but(&owners, &[number])).await;
    }

    let gone = servers.remove(5);
    drop(clients.remove(5));
    let port = gone.server.port();
    gone.server.shutdown().await;
    let others: Vec<usize> = (0..SERVERS).filter(|number| *number != 5).collect();
    for (place, &number) in others.iter().enumerate() {
        sees(&servers[place], &all_but(&owners, &[number, 5])).await;
        lists(&mut clients[place], &all_but(&owners, &[number, 5])).await;
    }

    // It comes back on what it remembers: whom it was to dial, and whom it trusts.
    let config = Config {
        port: PortChoice::Only(port),
        ..support::config(gone.folder.path(), Options::default())
    };
    let back = Server::start(&config).unwrap();
    let back = TestServer {
        server: back,
        folder: gone.folder,
    };
    sees(&back, &all_but(&owners, &[5])).await;
    for (place, &number) in others.iter().enumerate() {
        sees(&servers[place], &all_but(&owners, &[number])).await;
    }
    let mut client = back.connect().await;
    client.log_in(&owners[5]).await;
    lists(&mut client, &all_but(&owners, &[5])).await;
    lists(&mut clients[0], &all_but(&owners, &[0])).await;
}

//! What servers say of others in plain messages: it is shown to who should see it, and nothing follows from it by itself.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use support::{DEADLINE, Operator, TestServer, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A server that knows only the plain messages.
struct Foreign(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Foreign {
    async fn link(server: &TestServer) -> Self {
        let url = format!("ws://{}/coordinate", server.authority());
        Self(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }

    async fn say(&mut self, message: &Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// The next message of a type.
    async fn hear(&mut self, kind: &str) -> Value {
        loop {
            let frame = timeout(DEADLINE, self.0.next()).await.expect(kind);
            let frame = frame.expect(kind).unwrap();
            assert!(frame.len() <= 64 * 1024);
            if let Message::Text(text) = &frame {
                let message: Value = serde_json::from_str(text).unwrap();
                if message["type"] == kind {
                    return message;
                }
            }
        }
    }

    /// The code and the reason that the server closes with.
    async fn until_closed(&mut self) -> (u16, String) {
        loop {
            match timeout(DEADLINE, self.0.next())
                .await
                .expect("it is closed")
            {
                Some(Ok(Message::Close(Some(close)))) => {
                    return (close.code.into(), close.reason.to_string());
                }
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn blacklist(entries: &[Value], more: bool) -> Value {
    json!({ "type": "BLACKLIST_UPDATE", "blacklist": entries, "more": more })
}

/// What the owner reads, once it is as wanted.
async fn advice_until(
    server: &TestServer,
    owner: &Operator,
    what: &str,
    wanted: impl Fn(&[Value]) -> bool,
) -> Value {
    eventually(what, async || {
        let list = server
            .signed(owner, "GET", "/api/blacklist/advice", None)
            .await
            .json();
        let found = wanted(list["advice"].as_array().unwrap());
        if found { Ok(list) } else { Err(list) }
    })
    .await
}

async fn peers_until(server: &TestServer, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    eventually("the peers", async || {
        let peers = server.get("/api/peers").await.json();
        let peers = peers.as_array().unwrap().clone();
        let found = wanted(&peers);
        if found { Ok(peers) } else { Err(peers) }
    })
    .await
}

async fn name(server: &TestServer, owner: &Operator, endpoint: &str) {
    let body = json!({ "endpoint": endpoint });
    let added = server
        .signed(owner, "POST", "/api/peers", Some(&body))
        .await;
    assert_eq!(added.status, 201, "{added:?}");
}

/// Somebody whom the owner vouches for, known at the owner's server.
async fn vouched(server: &TestServer, owner: &Operator, callsign: &str) -> Operator {
    let vouched = owner.vouch_for(callsign);
    let body = json!({ "certificate": vouched.certificate.to_pem(), "chain": [owner.certificate.to_pem()] });
    let added = server
        .signed(owner, "POST", "/api/certificates", Some(&body))
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    vouched
}

async fn status_of(server: &TestServer, who: &Operator) -> Value {
    let path = format!("/api/certificates/{}", who.fingerprint());
    server.get(&path).await.json()["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_announces_itself_is_shown_as_unproven_and_not_followed_anywhere() {
    let [owner, other] = ["W1AW", "K1ABC"].map(Operator::new);
    let server = TestServer::owned_by(&owner).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", elsewhere.local_addr().unwrap());
    let mut foreign = Foreign::link(&server).await;
    assert_eq!(
        foreign.hear("PEER_ANNOUNCE").await["server"]["callsign"],
        "W1AW"
    );
    let announce = |callsign: &str, endpoint: &str| {
        json!({"type": "PEER_ANNOUNCE", "server": {"callsign": callsign, "endpoint": endpoint,
               "capabilities": ["signaling", "\u{202e}gnp"]}})
    };
    foreign.say(&announce("n0xyz", &endpoint)).await;
    let peers = peers_until(&server, |peers| {
        peers
            .first()
            .is_some_and(|peer| peer["callsign"] == "N0XYZ")
    })
    .await;
    let [peer] = &peers[..] else {
        panic!("{peers:#?}")
    };
    let expected = json!({
        "endpoint": endpoint, "callsign": "N0XYZ", "capabilities": ["signaling", "gnp"],
        "discoveryMethod": "peer", "state": "unknown", "link": "open", "plain": true,
        "verified": false, "root": null, "reason": null, "neighbours": [], "way": [],
        "id": peer["id"], "lastContact": peer["lastContact"], "since": peer["since"],
    });
    assert_eq!(peer, &expected);
    let listed = server.get("/api/local-servers").await.json();
    assert_eq!(listed, json!({ "servers": [] }));

    // Whom the owner names is dialled; where the other said it is, nobody knocked meanwhile.
    let another = TestServer::owned_by(&other).await;
    name(&server, &owner, &format!("http://{}", another.authority())).await;
    peers_until(&server, |peers| {
        peers.iter().any(|peer| peer["callsign"] == "K1ABC")
    })
    .await;
    let knocked = timeout(Duration::ZERO, elsewhere.accept()).await;
    assert!(knocked.is_err(), "{knocked:?}");

    // What is no callsign and no endpoint is not shown as one.
    foreign
        .say(&announce("<b>\u{202e}", "javascript:alert(1)"))
        .await;
    peers_until(&server, |peers| {
        peers.iter().any(|peer| {
            peer["plain"] == true && peer["callsign"].is_null() && peer["endpoint"] == ""
        })
    })
    .await;
    foreign.say(&announce(&"K".repeat(33), "http://h:1")).await;
    assert_eq!(
        foreign.until_closed().await,
        (1008, "bad-message".to_owned())
    );
    peers_until(&server, |peers| {
        peers.iter().all(|peer| peer["plain"] == false)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_blacklist_is_advice_for_the_owner_as_long_as_its_link() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let accused = vouched(&server, &owner, "W9XYZ").await;
    let mut foreign = Foreign::link(&server).await;
    let announced = json!({"callsign": "N0XYZ", "endpoint": "http://h:1"});
    foreign
        .say(&json!({"type": "PEER_ANNOUNCE", "server": announced}))
        .await;
    let about = json!({"fingerprint": accused.fingerprint(), "scope": "key", "callsign": "W1AW",
                       "reason": "a\u{202e}\u{0} thief\nof keys"});
    let nobody = json!({"scope": "key", "keyId": "7".repeat(64), "callsign": "K9AAA"});
    foreign.say(&blacklist(&[about], true)).await;
    foreign.say(&blacklist(&[nobody, json!(7)], false)).await;
    let list = advice_until(&server, &owner, "both pages", |advice| advice.len() == 2).await;
    let advice = &list["advice"];
    let by = json!({"server": null, "callsign": "N0XYZ", "verified": false, "age": advice[0]["by"]["age"]});
    let expected = json!({
        "id": advice[0]["id"], "by": by, "scope": "key", "fingerprint": accused.fingerprint(),
        "keyId": accused.key.key_id(), "identity": null, "callsign": "W9XYZ",
        "reason": "a thief of keys", "trusted": true, "own": false,
    });
    assert_eq!(
        advice[0], expected,
        "known here, under the name in the certificate"
    );
    assert_eq!(advice[1]["fingerprint"], Value::Null);
    assert_eq!(advice[1]["callsign"], "K9AAA");
    assert_eq!(
        status_of(&server, &accused).await,
        "trusted",
        "nothing is applied"
    );

    // It is nobody's but the owner's to read.
    let unsigned = server.get("/api/blacklist/advice").await;
    assert_eq!(
        (unsigned.status, &unsigned.json()["code"]),
        (401, &json!("signature-required"))
    );
    let other = server
        .signed(&accused, "GET", "/api/blacklist/advice", None)
        .await;
    assert_eq!(
        (other.status, &other.json()["code"]),
        (403, &json!("not-the-owner"))
    );
    let public = server.get("/api/peers").await.json().to_string();
    assert!(!public.contains("thief"), "{public}");

    // Who says it anew brings nothing back that was dismissed, by whatever reason or over whatever link.
    let id = advice[0]["id"].as_str().unwrap();
    let path = format!("/api/blacklist/advice/{id}");
    let dismissed = server.signed(&owner, "DELETE", &path, None).await;
    assert_eq!(dismissed.status, 204, "{dismissed:?}");
    let again = server.signed(&owner, "DELETE", &path, None).await;
    assert_eq!(
        (again.status, &again.json()["code"]),
        (404, &json!("not-found"))
    );
    let about =
        json!({"fingerprint": accused.fingerprint(), "scope": "key", "reason": "other words"});
    let marker = json!({"scope": "key", "keyId": "8".repeat(64)});
    foreign.say(&blacklist(&[about, marker], false)).await;
    advice_until(&server, &owner, "only what is new", |advice| {
        advice.len() == 1 && advice[0]["keyId"] == "8".repeat(64)
    })
    .await;

    drop(foreign);
    advice_until(&server, &owner, "gone with the link", <[Value]>::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_lists_are_bounded_or_refused() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let mut foreign = Foreign::link(&server).await;
    let entry = |number: usize| json!({"scope": "subtree", "keyId": format!("{number:064x}"), "reason": "x".repeat(300)});
    for page in 0..100 {
        let entries: Vec<Value> = (page * 100..page * 100 + 100).map(entry).collect();
        foreign.say(&blacklist(&entries, page < 99)).await;
    }
    let list = advice_until(&server, &owner, "the list", |advice| !advice.is_empty()).await;
    let advice = list["advice"].as_array().unwrap();
    assert_eq!((advice.len(), &list["leftOut"]), (32, &json!(10_000 - 32)));
    let reason = advice[0]["reason"].as_str().unwrap();
    assert_eq!(reason.chars().count(), 200);

    let files: Vec<Value> = (0..500)
        .map(|number| json!({"path": format!("ham-server-{number}.exe"), "hash": "0".repeat(64), "size": number}))
        .chain([json!({"path": "../../etc/passwd", "size": 1})])
        .collect();
    foreign
        .say(&json!({"type": "CONTENT_SYNC", "catalog": {"serverId": "s", "entries": files}}))
        .await;
    let catalogs = eventually("the catalog", async || {
        let catalogs = server.get("/api/peers/catalogs").await.json();
        let found = catalogs[0]["entries"].is_array();
        if found { Ok(catalogs) } else { Err(catalogs) }
    })
    .await;
    let peers = server.get("/api/peers").await.json();
    assert_eq!(catalogs[0]["id"], peers[0]["id"]);
    assert_eq!(catalogs[0]["entries"].as_array().unwrap().len(), 32);
    assert_eq!(catalogs[0]["leftOut"], 500 - 32);
    let first =
        json!({"path": "ham-server-0.exe", "hash": "0".repeat(64), "size": 0, "contentType": ""});
    assert_eq!(catalogs[0]["entries"][0], first);

    for refused in [
        json!({"type": "BLACKLIST_UPDATE", "blacklist": {"entries": []}}),
        json!({"type": "BLACKLIST_UPDATE"}),
        json!({"type": "CONTENT_SYNC", "catalog": 7}),
        json!({"type": "BLACKLIST_WIPE"}),
    ] {
        let mut foreign = Foreign::link(&server).await;
        foreign.say(&refused).await;
        let closed = foreign.until_closed().await;
        assert_eq!(closed, (1008, "bad-message".to_owned()), "{refused}");
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

/// Two servers whose owners accepted each other's roots, linked.
async fn linked(owners: &[Operator; 2]) -> [TestServer; 2] {
    let mut servers = Vec::new();
    for (owner, other) in [(&owners[0], &owners[1]), (&owners[1], &owners[0])] {
        let server = TestServer::owned_by(owner).await;
        let fingerprint = other.fingerprint();
        let bundle = json!({ "bundle": other.certificate.to_pem(), "accept": [fingerprint] });
        let accepted = server
            .signed(owner, "POST", "/api/anchors", Some(&bundle))
            .await;
        assert_eq!(accepted.status, 201, "{accepted:?}");
        servers.push(server);
    }
    let servers: [TestServer; 2] = servers.try_into().unwrap_or_else(|_| panic!("two"));
    name(
        &servers[0],
        &owners[0],
        &format!("http://{}", servers[1].authority()),
    )
    .await;
    servers
}

async fn publish(server: &TestServer, owner: &Operator, published: bool) {
    let body = json!({ "published": published });
    let answer = server
        .signed(owner, "POST", "/api/blacklist", Some(&body))
        .await;
    assert_eq!((answer.status, answer.json()), (200, body));
    let list = server.signed(owner, "GET", "/api/blacklist", None).await;
    assert_eq!(list.json()["published"], published);
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_publish_their_blacklists_and_each_decides_alone() {
    let owners = ["W1AW", "K1ABC"].map(Operator::new);
    let [here, there] = linked(&owners).await;
    let accused = vouched(&here, &owners[0], "W9XYZ").await;
    let path = format!("/api/certificates/{}/blacklist", accused.fingerprint());
    eventually("the certificate gets there", async || {
        let status = status_of(&there, &accused).await;
        if status == "trusted" {
            Ok(())
        } else {
            Err(status)
        }
    })
    .await;

    // What an owner decides stays with them until they publish it.
    let decision = json!({"reason": "sold the radio", "scope": "subtree"});
    let decided = there
        .signed(&owners[1], "POST", &path, Some(&decision))
        .await;
    assert_eq!(decided.status, 200, "{decided:?}");
    let list = there
        .signed(&owners[1], "GET", "/api/blacklist", None)
        .await
        .json();
    assert_eq!(list["published"], false);
    publish(&there, &owners[1], true).await;
    let list = advice_until(&here, &owners[0], "advice", |advice| advice.len() == 1).await;
    let advice = &list["advice"][0];
    let info = there.get("/api/info").await.json();
    assert_eq!(advice["by"]["server"], info["certFingerprint"]);
    assert_eq!(advice["by"]["callsign"], "K1ABC");
    assert_eq!(advice["by"]["verified"], true);
    assert_eq!(advice["scope"], "subtree");
    assert_eq!(advice["fingerprint"], accused.fingerprint().as_str());
    assert_eq!(advice["reason"], "sold the radio");
    assert_eq!(
        status_of(&here, &accused).await,
        "trusted",
        "nothing is applied"
    );

    // What is decided here is no advice any more, and is again when it is taken back.
    let applied = json!({"reason": "K1ABC: sold the radio", "scope": "key"});
    let decided = here.signed(&owners[0], "POST", &path, Some(&applied)).await;
    assert_eq!(decided.status, 200, "{decided:?}");
    advice_until(&here, &owners[0], "settled", <[Value]>::is_empty).await;
    let undone = here
        .signed(&owners[0], "DELETE", &format!("{path}?scope=key"), None)
        .await;
    assert_eq!(undone.status, 200, "{undone:?}");
    advice_until(&here, &owners[0], "back", |advice| advice.len() == 1).await;

    // Changes follow by themselves; what is about this server's owner is shown, too.
    let path = format!("/api/certificates/{}/blacklist", owners[0].fingerprint());
    let decision = json!({"reason": "", "scope": "certificate"});
    let decided = there
        .signed(&owners[1], "POST", &path, Some(&decision))
        .await;
    assert_eq!(decided.status, 200, "{decided:?}");
    let list = advice_until(&here, &owners[0], "a change", |advice| advice.len() == 2).await;
    let own = list["advice"].as_array().unwrap();
    let own = own.iter().find(|one| one["own"] == true).unwrap();
    assert_eq!(
        (&own["callsign"], &own["reason"]),
        (&json!("W1AW"), &json!(""))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_and_dismissed_outlives_restarts_and_can_be_withdrawn() {
    let owners = ["W1AW", "K1ABC"].map(Operator::new);
    let [here, there] = linked(&owners).await;
    let [first, second] = ["W9XYZ", "W8XYZ"];
    let [first, second] = [
        vouched(&there, &owners[1], first).await,
        vouched(&there, &owners[1], second).await,
    ];
    for accused in [&first, &second] {
        let path = format!("/api/certificates/{}/blacklist", accused.fingerprint());
        let decided = there
            .signed(&owners[1], "POST", &path, Some(&json!({"scope": "key"})))
            .await;
        assert_eq!(decided.status, 200, "{decided:?}");
    }
    publish(&there, &owners[1], true).await;
    let list = advice_until(&here, &owners[0], "advice", |advice| advice.len() == 2).await;
    let id = list["advice"][0]["id"].as_str().unwrap().to_owned();
    let kept = list["advice"][1]["id"].clone();
    let path = format!("/api/blacklist/advice/{id}");
    let dismissed = here.signed(&owners[0], "DELETE", &path, None).await;
    assert_eq!(dismissed.status, 204);

    // Advice is not stored: it is said anew with the link. What was dismissed is.
    let here = here.restart().await;
    let list = advice_until(&here, &owners[0], "said anew", |advice| !advice.is_empty()).await;
    assert_eq!(list["advice"].as_array().unwrap().len(), 1, "{list:#}");
    assert_eq!(list["advice"][0]["id"], kept);

    // It stays while the other is out of reach, and goes when it is withdrawn.
    publish(&there, &owners[1], false).await;
    advice_until(&here, &owners[0], "withdrawn", <[Value]>::is_empty).await;
    // Who links later is told so as well: nothing else ends what it may have kept.
    let mut foreign = Foreign::link(&there).await;
    let told = foreign.hear("BLACKLIST_UPDATE").await;
    assert_eq!(told, json!({"type": "BLACKLIST_UPDATE", "blacklist": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_server_is_told_the_blacklist_in_pages_while_it_is_published() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let mut fingerprints = Vec::new();
    for number in 0..80 {
        let accused = vouched(
            &server,
            &owner,
            &format!(
                "W9X{}{}",
                (b'A' + number / 26) as char,
                (b'A' + number % 26) as char
            ),
        )
        .await;
        let path = format!("/api/certificates/{}/blacklist", accused.fingerprint());
        let decision = json!({"reason": "🚩".repeat(400), "scope": "certificate"});
        let decided = server.signed(&owner, "POST", &path, Some(&decision)).await;
        assert_eq!(decided.status, 200, "{decided:?}");
        fingerprints.push(accused.fingerprint());
    }
    publish(&server, &owner, true).await;
    let mut foreign = Foreign::link(&server).await;
    let mut told = Vec::new();
    let mut pages = 0;
    loop {
        let page = foreign.hear("BLACKLIST_UPDATE").await;
        pages += 1;
        let entries = page["blacklist"].as_array().unwrap();
        told.extend(
            entries
                .iter()
                .map(|entry| entry["fingerprint"].as_str().unwrap().to_owned()),
        );
        assert_eq!(entries[0]["reason"].as_str().unwrap().chars().count(), 200);
        if page["more"] != true {
            break;
        }
    }
    assert!(pages > 1, "{pages}");
    told.sort_unstable();
    fingerprints.sort_unstable();
    assert_eq!(told, fingerprints);
}

/// What `path` answers to somebody at another of this machine's addresses.
async fn get_from(source: Ipv4Addr, server: &TestServer, path: &str) -> Value {
    let authority = server.authority();
    let mut stream = support::dial_from(source, &authority).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    support::Response::parse(&answer).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_vouches_for_does_not_go_on_the_air() {
    let owner = Operator::new("W1AW");
    let server = TestServer::owned_by(&owner).await;
    let rules = json!({"rules": [{"subject": "127.0.0.2", "zone": "part97"}]});
    let ruled = server
        .signed(&owner, "POST", "/api/zones", Some(&rules))
        .await;
    assert_eq!(ruled.status, 200, "{ruled:?}");
    let mut foreign = Foreign::link(&server).await;
    let catalog = json!({"entries": [{"path": "ham-server", "size": 1}]});
    foreign
        .say(&json!({"type": "PEER_ANNOUNCE", "server": {"callsign": "N0XYZ", "endpoint": "http://h:1"}}))
        .await;
    foreign
        .say(&json!({"type": "CONTENT_SYNC", "catalog": catalog}))
        .await;
    let (here, air) = (Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2));
    for path in ["/api/peers", "/api/peers/catalogs"] {
        eventually(path, async || {
            let shown = get_from(here, &server, path).await;
            if shown == json!([]) {
                Err(shown)
            } else {
                Ok(())
            }
        })
        .await;
        assert_eq!(get_from(air, &server, path).await, json!([]), "{path}");
    }
}

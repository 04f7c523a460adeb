//! A hub with clients around it, in memory and virtual time.
//!
//! A client here is a connection, called by the name of the session it would begin; on the wire a client
//! that resumed goes by the name of the session it resumed.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signaling::message::MAX_FRAME;
use signaling::{
    Challenge, Claimant, ClientId, CloseCode, Command, ConnectionId, Credentials, ErrorCode, Hub,
    Identity, Judgement, Limits, Origin, Refusal, SessionToken, Shown, Ticket, Zone,
};
use station::statement::Login;
use station::{Callsign, Fingerprint, KeyId, Statement};

/// The hub and what every client has received and not yet looked at.
pub(crate) struct Room {
    pub(crate) hub: Hub,
    pub(crate) now: Instant,
    pub(crate) closed: BTreeMap<ClientId, CloseCode>,
    pub(crate) pings: Vec<ClientId>,
    /// Whom other servers are told of.
    pub(crate) shown: BTreeMap<ClientId, Shown>,
    /// Signals for other servers: whose, where to, what, and the frame's id.
    pub(crate) forwarded: Vec<(ClientId, Fingerprint, String, Option<String>)>,
    names: BTreeMap<ConnectionId, ClientId>,
    inboxes: BTreeMap<ClientId, Vec<Value>>,
    last_seq: BTreeMap<ClientId, u64>,
    /// From where the numbers go on after `RESUMED`.
    resuming: BTreeMap<ClientId, u64>,
    next: u64,
}

impl Room {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            hub: Hub::new(limits),
            now: start(),
            closed: BTreeMap::new(),
            pings: Vec::new(),
            shown: BTreeMap::new(),
            forwarded: Vec::new(),
            names: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            last_seq: BTreeMap::new(),
            resuming: BTreeMap::new(),
            next: 1,
        }
    }

    pub(crate) fn connect(&mut self) -> ClientId {
        let host = u32::try_from(self.next).unwrap();
        let address = std::net::Ipv4Addr::from(0x0a00_0000 | host);
        self.connect_from(Origin::direct(
            [10, 0, 0, 1].into(),
            address.into(),
            Zone::Open,
        ))
    }

    pub(crate) fn connect_from(&mut self, origin: Origin) -> ClientId {
        let client = ClientId::new(self.next);
        self.next += 1;
        self.names.insert(line(client), client);
        let token = SessionToken::new(&token(client));
        let ticket = Ticket { client, token };
        self.hub.connect(line(client), ticket, origin, self.now);
        self.run();
        client
    }

    /// A new connection asks for `client`'s session.
    pub(crate) fn resume(&mut self, client: ClientId, last_seq: u64) -> ClientId {
        let back = self.connect();
        self.say(back, &resume(client, last_seq));
        back
    }

    pub(crate) fn last_seq(&self, client: ClientId) -> u64 {
        self.last_seq.get(&client).copied().unwrap_or(0)
    }

    pub(crate) fn say(&mut self, client: ClientId, message: &Value) {
        if let Some(last_seq) = message["lastSeq"].as_u64() {
            self.resuming.insert(client, last_seq);
        }
        self.say_text(client, &message.to_string());
    }

    pub(crate) fn say_text(&mut self, client: ClientId, text: &str) {
        self.hub.receive(line(client), text, self.now);
        self.run();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.hub.tick(self.now);
        self.run();
    }

    /// The server now trusts a key of W1AW's, or no longer does.
    pub(crate) fn judge(&mut self, key: u8, trusted: bool) {
        self.judge_for("W1AW", key, trusted);
    }

    /// The server now trusts a key for a callsign, or no longer does.
    pub(crate) fn judge_for(&mut self, callsign: &str, key: u8, trusted: bool) {
        let about = Judgement {
            key: KeyId::new([key; 32]),
            callsign: Callsign::parse(callsign).unwrap(),
            trusted,
            reason: "the owner says so".into(),
        };
        self.hub.judge(&[about], self.now);
        self.run();
    }

    /// The connection breaks.
    pub(crate) fn disconnect(&mut self, client: ClientId) {
        self.hub.disconnected(line(client), self.now);
        self.run();
    }

    /// The client closes the connection for good.
    pub(crate) fn leave(&mut self, client: ClientId) {
        self.hub.left(line(client), self.now);
        self.run();
    }

    pub(crate) fn guest(&mut self) -> ClientId {
        let client = self.connect();
        self.say(client, &json!({ "type": "REGISTER", "callsign": "GUEST" }));
        client
    }

    /// An operator whose certificate reads `trusted KEY CALLSIGN` to the pretended cryptography.
    pub(crate) fn operator(&mut self, callsign: &str, key: u8) -> ClientId {
        let client = self.connect();
        self.say(
            client,
            &register(callsign, &format!("trusted {key} {callsign}")),
        );
        self.say(
            client,
            &json!({ "type": "AUTHENTICATE", "signature": "genuine" }),
        );
        client
    }

    /// What the client has received since it last looked. Checks that no number is missing.
    pub(crate) fn received(&mut self, client: ClientId) -> Vec<Value> {
        self.inboxes.remove(&client).unwrap_or_default()
    }

    /// The one message the client has received since it last looked.
    pub(crate) fn one(&mut self, client: ClientId) -> Value {
        let mut received = self.received(client);
        assert_eq!(received.len(), 1, "{client} received {received:?}");
        received.remove(0)
    }

    /// The last message the client has received since it last looked, or null.
    pub(crate) fn one_or_none(&mut self, client: ClientId) -> Value {
        self.received(client).pop().unwrap_or_default()
    }

    /// The code of the one `ERROR` the client has received since it last looked.
    pub(crate) fn error(&mut self, client: ClientId) -> String {
        let message = self.one(client);
        assert_eq!(message["type"], "ERROR", "{message}");
        assert!(
            message["error"]
                .as_str()
                .is_some_and(|sentence| !sentence.is_empty())
        );
        message["code"].as_str().unwrap().to_owned()
    }

    /// What everybody has received since they last looked.
    pub(crate) fn take_all(&mut self) -> BTreeMap<ClientId, Vec<Value>> {
        std::mem::take(&mut self.inboxes)
    }

    pub(crate) fn forget_everything(&mut self) {
        self.inboxes.clear();
    }

    pub(crate) fn run(&mut self) {
        while let Some(command) = self.hub.poll() {
            match command {
                Command::Send { connection, frame } => {
                    let text = String::from_utf8(frame.to_bytes()).unwrap();
                    self.deliver(self.names[&connection], &text);
                }
                Command::Ping { connection } => self.pings.push(self.names[&connection]),
                Command::Close { connection, code } => {
                    let client = self.names[&connection];
                    assert!(
                        self.closed.insert(client, code).is_none(),
                        "{client} closed twice"
                    );
                }
                Command::Challenge {
                    connection,
                    claimant,
                } => {
                    let challenge = pretended_challenge(*claimant);
                    self.hub.challenge(connection, challenge, self.now);
                }
                Command::Verify {
                    connection,
                    signature,
                    ..
                } => {
                    let genuine = signature == "genuine";
                    self.hub.verified(connection, genuine, self.now);
                }
                Command::Show { client, person } => {
                    self.shown.insert(client, *person);
                }
                Command::Hide { client } => {
                    assert!(
                        self.shown.remove(&client).is_some(),
                        "{client} was not shown"
                    );
                }
                Command::Forward {
                    from,
                    server,
                    signal,
                    reply_to,
                } => {
                    self.forwarded.push((from, server, signal, reply_to));
                }
            }
        }
    }

    fn deliver(&mut self, client: ClientId, text: &str) {
        assert!(
            !self.closed.contains_key(&client),
            "{client} is closed and gets {text}"
        );
        assert!(text.len() <= MAX_FRAME, "{} bytes", text.len());
        let message: Value = serde_json::from_str(text).unwrap();
        let seq = message["seq"].as_u64().unwrap();
        let last = self.last_seq(client);
        assert_eq!(seq, last + 1, "{client}'s numbers have no gap");
        let resumed = self
            .resuming
            .get(&client)
            .filter(|_| message["type"] == "RESUMED");
        let goes_on = resumed.copied().unwrap_or(seq);
        self.last_seq.insert(client, goes_on);
        self.inboxes.entry(client).or_default().push(message);
    }
}

/// A machine on the ordinary network that the server is on too.
pub(crate) fn lan(host: u8) -> Origin {
    let (local, remote) = ([192, 168, 1, 1], [192, 168, 1, host]);
    Origin::direct(local.into(), remote.into(), Zone::Open)
}

/// The connection that a client is here.
pub(crate) fn line(client: ClientId) -> ConnectionId {
    ConnectionId::new(u64::from_str_radix(&client.to_string(), 16).unwrap())
}

/// The token of a client's session; tokens differ from the first character on.
pub(crate) fn token(client: ClientId) -> String {
    let digits: String = client.to_string().chars().rev().collect();
    digits + &"x".repeat(27)
}

pub(crate) fn resume(session: ClientId, last_seq: u64) -> Value {
    json!({
        "type": "RESUME",
        "session": token(session),
        "lastSeq": last_seq,
        "nonce": "nonce",
        "url": "ws://here/signal",
    })
}

pub(crate) fn register(callsign: &str, certificate: &str) -> Value {
    json!({
        "type": "REGISTER",
        "callsign": callsign,
        "certificate": certificate,
        "nonce": "nonce",
        "url": "ws://here/signal",
    })
}

pub(crate) fn offer(target: impl ToString + Copy) -> Value {
    let offer = json!({ "type": "offer", "sdp": "v=0\r\n" });
    json!({ "type": "OFFER", "target": target.to_string(), "offer": offer })
}

pub(crate) fn answer(target: impl ToString + Copy) -> Value {
    let answer = json!({ "type": "answer", "sdp": "v=0\r\n" });
    json!({ "type": "ANSWER", "target": target.to_string(), "answer": answer })
}

pub(crate) fn candidate(target: impl ToString + Copy) -> Value {
    let candidate = json!({ "candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0 });
    json!({ "type": "ICE_CANDIDATE", "target": target.to_string(), "candidate": candidate })
}

/// Certificates of the pretended cryptography: `trusted KEY CALLSIGN` or `untrusted KEY CALLSIGN`.
pub(crate) fn pretended_challenge(claimant: Claimant) -> Result<Challenge, Refusal> {
    let url = claimant.url.as_str();
    let identity = match claimant.credentials {
        Credentials::Presented { certificate, .. } => pretended_identity(&certificate)?,
        Credentials::Known { identity, spki } => {
            assert_eq!(spki, identity.key.to_string().as_bytes());
            identity
        }
    };
    if url != "ws://here/signal" {
        return Err(Refusal {
            code: ErrorCode::WrongUrl,
            error: "elsewhere".into(),
        });
    }
    let login = Login {
        client_nonce: "c",
        server_nonce: "s",
        server: Fingerprint::new([0; 32]),
        client: None,
        url,
    };
    Ok(Challenge {
        nonce: "s".into(),
        server_chain: vec!["server".into()],
        server_signature: "server".into(),
        statement: Statement::client_proof(&login).unwrap(),
        spki: identity.key.to_string().into_bytes(),
        identity,
    })
}

fn pretended_identity(certificate: &str) -> Result<Identity, Refusal> {
    let words: Vec<_> = certificate.split(' ').collect();
    let [trust, key, callsign] = words[..] else {
        return Err(Refusal {
            code: ErrorCode::BadCertificate,
            error: "not one".into(),
        });
    };
    let key = key.parse::<u8>().unwrap();
    Ok(Identity {
        callsign: Callsign::parse(callsign).unwrap(),
        key: KeyId::new([key; 32]),
        fingerprint: Fingerprint::new([key; 32]),
        licence_class: None,
        trusted: trust == "trusted",
        chain: [certificate.to_owned()].into(),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a starting point for virtual time"
)]
fn start() -> Instant {
    Instant::now()
}

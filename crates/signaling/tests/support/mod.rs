//! A hub with clients around it, in memory and virtual time.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod nets;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signaling::message::MAX_FRAME;
use signaling::{
    Challenge, ClientId, CloseCode, Command, ErrorCode, Hub, Identity, Limits, Refusal,
};
use station::statement::Login;
use station::{Callsign, Fingerprint, KeyId, Statement};

/// The hub and what every client has received and not yet looked at.
pub(crate) struct Room {
    pub(crate) hub: Hub,
    pub(crate) now: Instant,
    pub(crate) closed: BTreeMap<ClientId, CloseCode>,
    pub(crate) pings: Vec<ClientId>,
    inboxes: BTreeMap<ClientId, Vec<Value>>,
    last_seq: BTreeMap<ClientId, u64>,
    next: u64,
}

impl Room {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            hub: Hub::new(limits),
            now: start(),
            closed: BTreeMap::new(),
            pings: Vec::new(),
            inboxes: BTreeMap::new(),
            last_seq: BTreeMap::new(),
            next: 1,
        }
    }

    pub(crate) fn connect(&mut self) -> ClientId {
        let client = ClientId::new(self.next);
        self.next += 1;
        self.hub.connect(client, self.now);
        self.run();
        client
    }

    pub(crate) fn say(&mut self, client: ClientId, message: &Value) {
        self.say_text(client, &message.to_string());
    }

    pub(crate) fn say_text(&mut self, client: ClientId, text: &str) {
        self.hub.receive(client, text, self.now);
        self.run();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.hub.tick(self.now);
        self.run();
    }

    /// The connection breaks.
    pub(crate) fn disconnect(&mut self, client: ClientId) {
        self.hub.disconnected(client, self.now);
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
                Command::Send { client, frame } => self.deliver(client, &frame.text()),
                Command::Ping { client } => self.pings.push(client),
                Command::Close { client, code } => {
                    assert!(
                        self.closed.insert(client, code).is_none(),
                        "{client} closed twice"
                    );
                }
                Command::Challenge { client, claimant } => {
                    let challenge = pretended_challenge(&claimant.certificate, &claimant.url);
                    self.hub.challenge(client, challenge, self.now);
                }
                Command::Verify {
                    client, signature, ..
                } => {
                    self.hub.verified(client, signature == "genuine", self.now);
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
        let last = self.last_seq.insert(client, seq).unwrap_or(0);
        assert_eq!(seq, last + 1, "{client}'s numbers have no gap");
        self.inboxes.entry(client).or_default().push(message);
    }
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
fn pretended_challenge(certificate: &str, url: &str) -> Result<Challenge, Refusal> {
    let words: Vec<_> = certificate.split(' ').collect();
    let [trust, key, callsign] = words[..] else {
        return Err(Refusal {
            code: ErrorCode::BadCertificate,
            error: "not one".into(),
        });
    };
    if url != "ws://here/signal" {
        return Err(Refusal {
            code: ErrorCode::WrongUrl,
            error: "elsewhere".into(),
        });
    }
    let key = key.parse::<u8>().unwrap();
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
        spki: vec![key],
        identity: Identity {
            callsign: Callsign::parse(callsign).unwrap(),
            key: KeyId::new([key; 32]),
            fingerprint: Fingerprint::new([key; 32]),
            licence_class: None,
            trusted: trust == "trusted",
        },
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a starting point for virtual time"
)]
fn start() -> Instant {
    Instant::now()
}

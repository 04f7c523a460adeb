//! A real server on a port of its own, and plain clients around it.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod applying;

pub(crate) mod signed;

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use ham_server::config::{Config, Options};
use ham_server::server::Server;
use pki::issue::{self, Issuer};
use pki::{Certificate, PublicKey, SigningKey};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use station::statement::{Login, Rekey};
use station::{Callsign, Statement};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long anything here may take: far more than it needs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// How often a state is looked at that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Waits until something is so, and gives what it is then. What `look` sees instead is told if it never is.
pub(crate) async fn eventually<T, S: std::fmt::Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, S>,
) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "{what}: {seen:#?}"),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// A server for this machine only, with a data folder of its own.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    /// One that may issue so many certificates an hour.
    pub(crate) fn issuing(per_hour: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            issue_per_hour: per_hour,
            ..config(folder.path(), Options::default())
        };
        let server = Server::start(&config).unwrap();
        Self { server, folder }
    }

    pub(crate) fn start_in(folder: TempDir) -> Self {
        Self::start_with(folder, Options::default())
    }

    /// A server with other limits than the usual (`NAME=N`).
    pub(crate) fn start_limited(limits: &[&str]) -> Self {
        let typed_limits = limits.iter().map(ToString::to_string).collect();
        let options = Options {
            typed_limits,
            ..Options::default()
        };
        Self::start_with(tempfile::tempdir().unwrap(), options)
    }

    pub(crate) fn start_with(folder: TempDir, options: Options) -> Self {
        let server = Server::start(&config(folder.path(), options)).unwrap();
        Self { server, folder }
    }

    /// Stops the server and starts it again on what it remembers.
    pub(crate) async fn restart(self) -> Self {
        self.server.shutdown().await;
        Self::start_in(self.folder)
    }

    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let json = [("Content-Type", "application/json")];
        self.send("POST", path, &json, &body.to_string()).await
    }

    /// Sends one request on a connection of its own. A Host among the headers replaces the usual.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let authority = self.authority();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {authority}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        Response::parse(&exchange(&authority, head.as_bytes()).await)
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(&format!("ws://{}/signal", self.authority())).await
    }

    /// A server that an operator owns.
    pub(crate) async fn owned_by(owner: &Operator) -> Self {
        let server = Self::start();
        assert_eq!(server.claim(owner).await.status, 200);
        server
    }

    /// Claims the server as the person at the machine would.
    pub(crate) async fn claim(&self, operator: &Operator) -> Response {
        let offer = self.get("/api/claim-station").await.json();
        self.post("/api/claim-station", &operator.claim(&offer))
            .await
    }
}

pub(crate) fn config(folder: &Path, options: Options) -> Config {
    let options = Options {
        port: Some(0),
        no_lan: Some(true),
        data_dir: Some(folder.to_owned()),
        ..options
    };
    Config::resolve(options).unwrap()
}

/// Another machine's address, as far as the server can tell: all of 127/8 is this machine.
pub(crate) fn elsewhere(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, host)
}

/// A connection that comes from one of this machine's addresses.
pub(crate) async fn dial_from(source: Ipv4Addr, authority: &str) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    socket.connect(authority.parse().unwrap()).await
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn exchange(authority: &str, bytes: &[u8]) -> Vec<u8> {
    try_exchange(authority, bytes).await.unwrap()
}

/// The same with a server that may be gone before it is reached.
pub(crate) async fn try_exchange(authority: &str, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(authority).await?;
    // A server that refuses early closes before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(DEADLINE, read)
        .await
        .expect("the server answers in time");
    Ok(answer)
}

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("a whole head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?} is not JSON"))
    }

    /// The code of a problem document, checked to be one.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let document = self.json();
        assert_eq!(document["status"], self.status);
        assert!(
            document["error"]
                .as_str()
                .is_some_and(|error| error.len() > 10),
            "{document}"
        );
        (self.status, document["code"].as_str().unwrap().to_owned())
    }
}

/// A licensed person with a key.
pub(crate) struct Operator {
    pub(crate) callsign: Callsign,
    pub(crate) key: SigningKey,
    pub(crate) certificate: Certificate,
    pub(crate) random: SystemRandom,
}

impl Operator {
    pub(crate) fn new(callsign: &str) -> Self {
        let random = SystemRandom::new();
        let callsign = Callsign::parse(callsign).unwrap();
        let key = SigningKey::generate(&random).unwrap();
        let now = SystemTime::now();
        let certificate = issue::self_signed_operator(&key, &callsign, None, now, &random).unwrap();
        Self {
            callsign,
            key,
            certificate,
            random,
        }
    }

    /// The change from this one's key to the other's, signed by both.
    pub(crate) fn rekey(&self, new: &Self, generation: u32) -> Value {
        let rekey = Rekey {
            old: self.key.key_id(),
            new: new.key.key_id(),
            callsign: self.callsign.clone(),
            generation,
        };
        let statement = Statement::rekey(&rekey).unwrap();
        let sign = |who: &Self| who.key.sign(&statement, &who.random).unwrap();
        json!({
            "old": rekey.old, "new": rekey.new, "callsign": rekey.callsign,
            "generation": generation, "byOld": sign(self), "byNew": sign(new),
        })
    }

    /// Another operator, for whom this one vouches.
    pub(crate) fn vouch_for(&self, callsign: &str) -> Self {
        let other = Self::new(callsign);
        Self {
            certificate: self.word_for(&other),
            ..other
        }
    }

    /// This one's word for an operator who has a key already.
    pub(crate) fn word_for(&self, other: &Self) -> Certificate {
        let vouched = issue::Vouched {
            callsign: &other.callsign,
            class: None,
            method: station::licence::VouchMethod::InPerson,
        };
        let key = other.key.public_key();
        let now = SystemTime::now();
        issue::operator_certificate(self.issuer(), &key, &vouched, now, &self.random).unwrap()
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.certificate.fingerprint().to_string()
    }

    pub(crate) fn issuer(&self) -> Issuer<'_> {
        Issuer {
            certificate: &self.certificate,
            key: &self.key,
        }
    }

    /// The body of a claim for the server that made this offer.
    pub(crate) fn claim(&self, offer: &Value) -> Value {
        let server = PublicKey::from_pem(offer["publicKey"].as_str().unwrap()).unwrap();
        let certificate =
            issue::server_certificate(self.issuer(), &server, SystemTime::now(), &self.random);
        json!({
            "certificate": self.certificate.to_pem(),
            "chain": [],
            "serverCertificate": certificate.unwrap().to_pem(),
            "station": {
                "callsign": self.callsign,
                "metadata": { "name": "Hiram", "grid": "fn31PR", "licenseClass": "Extra" },
            },
        })
    }
}

/// A signaling client.
pub(crate) struct Client {
    pub(crate) url: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub(crate) async fn connect(url: &str) -> Self {
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Self {
            url: url.to_owned(),
            socket,
        }
    }

    /// Connects from one of this machine's addresses, with further headers, if the server lets it.
    pub(crate) async fn connect_from(
        source: Ipv4Addr,
        server: &TestServer,
        headers: &[(&'static str, &str)],
    ) -> Option<Self> {
        let authority = server.authority();
        let stream = dial_from(source, &authority).await.ok()?;
        let url = format!("ws://{authority}/signal");
        let mut request = url.as_str().into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let stream = MaybeTlsStream::Plain(stream);
        let dialled = tokio_tungstenite::client_async(request, stream).await;
        dialled.ok().map(|(socket, _)| Self { url, socket })
    }

    /// Sends, if the server is still there.
    pub(crate) async fn try_send(&mut self, message: Message) -> bool {
        self.socket.send(message).await.is_ok()
    }

    /// The same on a connection made before.
    pub(crate) async fn over(stream: TcpStream, url: &str) -> Self {
        let stream = MaybeTlsStream::Plain(stream);
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        Self {
            url: url.to_owned(),
            socket,
        }
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next message; panics when the server closes instead.
    pub(crate) async fn next(&mut self) -> Value {
        match self.next_or_close().await {
            Ok(message) => message,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// The next message, or the code the server closed with.
    pub(crate) async fn next_or_close(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let frame = tokio::time::timeout(DEADLINE, self.socket.next());
            match frame.await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Skips to the next message of a type.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Breaks the connection without a word, as a lost network does.
    pub(crate) fn break_off(self) {
        let Self { socket, .. } = self;
        drop(socket);
    }

    /// Closes the connection with a code, waits for the server to do the same, and gives its code.
    pub(crate) async fn close(mut self, code: u16) -> Option<u16> {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.socket.close(Some(frame)).await.unwrap();
        loop {
            if let Err(code) = self.next_or_close().await {
                return code;
            }
        }
    }

    /// Asks to go on with a session as of its `REGISTERED`, and returns the answer.
    pub(crate) async fn ask_to_resume(&mut self, registered: &Value) -> Value {
        self.send(&json!({
            "type": "RESUME",
            "session": registered["session"],
            "lastSeq": registered["seq"],
            "nonce": NONCE,
            "url": self.url,
        }))
        .await;
        self.next().await
    }

    pub(crate) async fn guest(mut self) -> (Self, String) {
        self.send(&json!({ "type": "REGISTER", "callsign": "GUEST" }))
            .await;
        let registered = self.next_of("REGISTERED").await;
        (self, registered["clientId"].as_str().unwrap().to_owned())
    }

    /// Logs in, and returns what the server said last: `REGISTERED` or `ERROR`.
    pub(crate) async fn log_in(&mut self, operator: &Operator) -> Value {
        let url = self.url.clone();
        let challenge = self.register(operator, &url).await;
        if challenge["type"] != "CHALLENGE" {
            return challenge;
        }
        let signature = sign_challenge(operator, &challenge, &url);
        self.send(&json!({ "type": "AUTHENTICATE", "signature": signature }))
            .await;
        self.next().await
    }

    pub(crate) async fn register(&mut self, operator: &Operator, url: &str) -> Value {
        self.send(&json!({
            "type": "REGISTER",
            "callsign": operator.callsign,
            "certificate": operator.certificate.to_pem(),
            "nonce": NONCE,
            "url": url,
        }))
        .await;
        self.next().await
    }
}

/// A nonce as a client draws one; here always the same.
pub(crate) const NONCE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What the operator signs in answer to a challenge, having dialled `url`.
pub(crate) fn sign_challenge(operator: &Operator, challenge: &Value, url: &str) -> String {
    let (login, server_chain) = login(operator, challenge, url);
    drop(server_chain);
    let statement = Statement::client_proof(&login).unwrap();
    operator.key.sign(&statement, &operator.random).unwrap()
}

/// The login both proofs of a challenge speak of, and the server's certificates.
pub(crate) fn login<'a>(
    operator: &Operator,
    challenge: &'a Value,
    url: &'a str,
) -> (Login<'a>, Vec<Certificate>) {
    let pems = challenge["serverProof"]["chain"].as_array().unwrap();
    let chain: Vec<_> = pems
        .iter()
        .map(|pem| Certificate::from_pem(pem.as_str().unwrap()).unwrap())
        .collect();
    let login = Login {
        client_nonce: NONCE,
        server_nonce: challenge["nonce"].as_str().unwrap(),
        server: chain[0].fingerprint(),
        client: Some(operator.certificate.fingerprint()),
        url,
    };
    (login, chain)
}

//! Somebody with the app at one server: comes, shows whom the server shows, goes, comes back when the server does.

use std::collections::{BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use benchmark::socket::{Socket, frames};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::board::Board;
use crate::lab::Lab;
use crate::operator::{Operator, text};

/// The port that every server has at its machine.
pub(crate) const PORT: u16 = 8080;

/// How long after a failure the server is tried again: often enough to measure tenths of a second, seldom enough to
/// leave it the processor.
const AGAIN: Duration = Duration::from_millis(25);

/// Whether they shall be there; and when they last asked to be let in.
#[derive(Debug)]
pub(crate) struct Person {
    wanted: watch::Sender<bool>,
    asked: watch::Receiver<Option<Instant>>,
}

/// A person's life.
struct Life {
    server: usize,
    operator: Rc<Operator>,
    lab: Rc<Lab>,
    board: Rc<Board>,
    wanted: watch::Receiver<bool>,
    asked: watch::Sender<Option<Instant>>,
}

impl Person {
    /// Begins somebody's life at a server that may not run yet. They want to be there.
    pub(crate) fn new(
        server: usize,
        operator: Rc<Operator>,
        lab: Rc<Lab>,
        board: Rc<Board>,
    ) -> Self {
        let (wanted, wants) = watch::channel(true);
        let (asks, asked) = watch::channel(None);
        let life = Life {
            server,
            operator,
            lab,
            board,
            wanted: wants,
            asked: asks,
        };
        tokio::task::spawn_local(life.live());
        Self { wanted, asked }
    }

    /// They go, or come.
    pub(crate) fn want(&self, there: bool) {
        self.wanted.send_replace(there);
    }

    /// When they last answered a server's challenge: all that the server needed to let them in.
    pub(crate) fn asked(&self) -> Option<Instant> {
        *self.asked.borrow()
    }
}

impl Life {
    /// Ends when nobody has an interest in them any more.
    async fn live(mut self) {
        while self.wanted.wait_for(|there| *there).await.is_ok() {
            // Why it ended shows on the board.
            drop(self.visit().await);
            self.board.set_here(self.server, None);
            self.board.set_view(self.server, None);
            sleep(AGAIN).await;
        }
    }

    async fn visit(&mut self) -> Result<()> {
        let stream = self.lab.visit(self.server, PORT).await?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        let url = format!("ws://{address}/signal");
        let mut socket = Socket::over(stream, address, "/signal").await?;
        socket
            .write(&frames(&self.operator.register(&url), 1))
            .await?;
        let mut heard = VecDeque::new();
        let challenge = next_of(&mut socket, "CHALLENGE", &mut heard).await?;
        let answer = self.operator.authenticate(&challenge, &url)?;
        self.asked.send_replace(Some(Instant::now()));
        socket.write(&frames(&answer, 1)).await?;
        let registered = next_of(&mut socket, "REGISTERED", &mut heard).await?;
        self.board
            .set_here(self.server, Some(text(&registered, "clientId")?.to_owned()));
        self.board
            .set_view(self.server, Some(ids(&registered["peers"])));
        self.read_on(&mut socket, &registered).await?;
        let mut wanted = self.wanted.clone();
        loop {
            while let Some(message) = heard.pop_front() {
                self.hear(&mut socket, &message).await?;
            }
            tokio::select! {
                gone = wanted.wait_for(|there| !there) => {
                    drop(gone);
                    socket.close().await?;
                    // What the server still says is of no interest; that it hung up is.
                    while socket.texts(|_| {}).await.is_ok() {}
                    return Ok(());
                }
                read = read(&mut socket, &mut heard) => read?,
            }
        }
    }

    async fn hear(&self, socket: &mut Socket, message: &Value) -> Result<()> {
        match message["type"].as_str() {
            Some("PEER_JOINED") => {
                let who = text(&message["peer"], "id")?;
                self.board.saw(self.server, who, true);
            }
            Some("PEER_LEFT") => self.board.saw(self.server, text(message, "peerId")?, false),
            Some("PEERS_CHANGED") => {
                for who in ids(&message["joined"]) {
                    self.board.saw(self.server, &who, true);
                }
                for who in message["left"].as_array().into_iter().flatten() {
                    self.board
                        .saw(self.server, who.as_str().unwrap_or_default(), false);
                }
                if message["more"] == true {
                    socket.write(&frames(r#"{"type":"LIST_PEERS"}"#, 1)).await?;
                }
            }
            Some("PEER_LIST") => {
                for who in ids(&message["peers"]) {
                    self.board.saw(self.server, &who, true);
                }
                self.read_on(socket, message).await?;
            }
            Some("ERROR" | "GOODBYE") => bail!("server {}: {message}", self.server),
            _ => {}
        }
        Ok(())
    }

    /// Asks for the next page of a list, if there is one.
    async fn read_on(&self, socket: &mut Socket, list: &Value) -> Result<()> {
        if let Some(cursor) = list["next"].as_str() {
            let more = json!({ "type": "LIST_PEERS", "cursor": cursor }).to_string();
            socket.write(&frames(&more, 1)).await?;
        }
        Ok(())
    }
}

/// Waits for messages, of which several may come at once.
async fn read(socket: &mut Socket, heard: &mut VecDeque<Value>) -> Result<()> {
    socket
        .texts(|text| heard.extend(serde_json::from_slice::<Value>(text).ok()))
        .await
}

/// The next message of a kind. What came before is passed over, what came after is left.
async fn next_of(socket: &mut Socket, kind: &str, heard: &mut VecDeque<Value>) -> Result<Value> {
    loop {
        while let Some(message) = heard.pop_front() {
            if message["type"] == kind {
                return Ok(message);
            }
            if message["type"] == "ERROR" {
                bail!("instead of {kind}: {message}");
            }
        }
        read(socket, heard).await?;
    }
}

fn ids(peers: &Value) -> BTreeSet<String> {
    let peers = peers.as_array().into_iter().flatten();
    peers
        .filter_map(|peer| peer["id"].as_str().map(str::to_owned))
        .collect()
}

/// Asks a server something over plain HTTP, from its own machine.
pub(crate) async fn ask(lab: &Lab, server: usize, path: &str) -> Result<Value> {
    let stream = lab.visit(server, PORT).await.context(path.to_owned())?;
    let authority = format!("127.0.0.1:{PORT}");
    let request = crate::operator::request("GET", &authority, path, "", "");
    crate::operator::exchange(stream, &request).await
}

//! One node alone, with whoever a test wants to be at the other ends of its links.

use std::time::{Duration, Instant};

use coordination::message::{Hello, Message, Proof, VERSION};
use coordination::{Blob, Command, Event, Frame, Input, Limits, LinkId, Nonce, Protocol};
use station::statement::coordination::Link as LinkStatement;
use station::{Fingerprint, Statement, Zone};

use super::host::{Host, ROOT, Served};
use super::keys::{self, Key};

pub(crate) struct Bench {
    pub(crate) host: Host,
    pub(crate) now: Instant,
    pub(crate) sent: Vec<(LinkId, Frame)>,
    pub(crate) closed: Vec<LinkId>,
    pub(crate) dialed: Vec<String>,
}

/// Somebody at the other end of a link.
pub(crate) struct Remote {
    pub(crate) key: Key,
    pub(crate) chain: Vec<Blob>,
    pub(crate) nonce: Nonce,
}

impl Remote {
    pub(crate) fn new(name: &str, root: &str) -> Self {
        let key = Key(name.to_owned());
        Self {
            chain: vec![keys::certificate(&key, root)],
            key,
            nonce: Nonce::new([42; 32]),
        }
    }

    pub(crate) fn hello(&self) -> Hello {
        Hello {
            version: VERSION,
            nonce: self.nonce,
            zone: Zone::Open,
            chain: self.chain.clone(),
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(*keys::item_id(self.chain[0].as_bytes()).as_bytes())
    }
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    pub(crate) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let mut host = Host::new("bench", ROOT, limits);
        host.start(1, now);
        let mut bench = Self {
            host,
            now,
            sent: Vec::new(),
            closed: Vec::new(),
            dialed: Vec::new(),
        };
        bench.serve();
        bench
    }

    pub(crate) fn input(&mut self, input: Input) {
        if let Some(node) = &mut self.host.node {
            node.handle_input(input, self.now);
        }
        self.serve();
    }

    /// Lets time pass, with everything that becomes due.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self
            .host
            .node
            .as_ref()
            .and_then(coordination::Node::deadline)
            && due <= end
        {
            self.now = self.now.max(due);
            self.input(Input::Tick);
        }
        self.now = end;
    }

    pub(crate) fn link_up(&mut self, link: u64, zone: Zone, protocol: Protocol) {
        self.input(Input::LinkUp {
            link: LinkId(link),
            dialed: None,
            zone,
            protocol,
        });
    }

    pub(crate) fn say(&mut self, link: u64, message: &Message) {
        self.input(Input::Frame {
            link: LinkId(link),
            frame: Frame::Binary(message.encode().into()),
        });
    }

    pub(crate) fn say_text(&mut self, link: u64, text: &str) {
        self.input(Input::Frame {
            link: LinkId(link),
            frame: Frame::Text(text.into()),
        });
    }

    /// A whole handshake of somebody who dialled.
    pub(crate) fn connect(&mut self, link: u64, remote: &Remote) {
        self.connect_over(link, Zone::Open, remote);
    }

    pub(crate) fn connect_over(&mut self, link: u64, zone: Zone, remote: &Remote) {
        self.link_up(link, zone, Protocol::Coordinate);
        let hello = Hello {
            zone,
            ..remote.hello()
        };
        self.say(link, &Message::Hello(hello));
        let proof = self.proof_over(link, zone, remote);
        self.say(link, &proof);
    }

    /// What proves that somebody is there, to the nonce this link's node sent.
    pub(crate) fn proof(&self, link: u64, remote: &Remote) -> Message {
        self.proof_over(link, Zone::Open, remote)
    }

    fn proof_over(&self, link: u64, zone: Zone, remote: &Remote) -> Message {
        let hellos = self.messages(link).into_iter();
        let nonce = hellos
            .filter_map(|message| match message {
                Message::Hello(hello) => Some(hello.nonce),
                _ => None,
            })
            .next_back()
            .unwrap();
        let ours = Fingerprint::new(*keys::item_id(self.host.chain[0].as_bytes()).as_bytes());
        let statement = Statement::link(&LinkStatement {
            nonces: [remote.nonce.as_bytes(), nonce.as_bytes()],
            servers: [remote.fingerprint(), ours],
            zone,
            version: VERSION,
        });
        let signature = remote.key.sign(&statement);
        Message::Proof(Proof { signature })
    }

    /// What was sent over a link.
    pub(crate) fn messages(&self, link: u64) -> Vec<Message> {
        let of_link = self.sent.iter().filter(|(id, _)| *id == LinkId(link));
        let read = of_link.filter_map(|(_, frame)| match frame {
            Frame::Binary(bytes) => Message::decode(bytes.as_bytes()).ok(),
            Frame::Text(_) => None,
        });
        read.collect()
    }

    pub(crate) fn texts(&self, link: u64) -> Vec<String> {
        let of_link = self.sent.iter().filter(|(id, _)| *id == LinkId(link));
        let texts = of_link.filter_map(|(_, frame)| match frame {
            Frame::Text(text) => Some(text.to_string()),
            Frame::Binary(_) => None,
        });
        texts.collect()
    }

    /// Why a link was refused, as the other end was told, and whether it was closed then.
    pub(crate) fn refusal(&self, link: u64) -> Option<(String, bool)> {
        let messages = self.messages(link).into_iter();
        let code = messages.filter_map(|message| match message {
            Message::Refuse(refuse) => Some(refuse.code),
            _ => None,
        });
        let closed = self.closed.contains(&LinkId(link));
        code.map(|code| (code, closed)).next_back()
    }

    pub(crate) fn told(&self, is: impl Fn(&Event) -> bool) -> bool {
        self.host.saw.events.iter().any(is)
    }

    fn serve(&mut self) {
        while let Some(command) = self.host.node.as_mut().and_then(coordination::Node::poll) {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match self.host.serve(command) {
            Served::Nothing => {}
            Served::Answer(input) => {
                if let Some(node) = &mut self.host.node {
                    node.handle_input(input, self.now);
                }
            }
            Served::Send(link, frame) => {
                let bytes = frame.len();
                self.sent.push((link, frame));
                if let Some(node) = &mut self.host.node {
                    node.handle_input(
                        Input::Written {
                            link,
                            frames: 1,
                            bytes,
                        },
                        self.now,
                    );
                }
            }
            Served::Close(link) => self.closed.push(link),
            Served::Dial(endpoint) => self.dialed.push(endpoint),
        }
    }
}

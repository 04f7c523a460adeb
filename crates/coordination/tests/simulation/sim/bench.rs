//! One node alone, with whoever a test wants to be at the other ends of its links.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coordination::message::{
    Body, Hello, Introduction, Message, Proof, SignedRecord, Update, VERSION,
};
use coordination::{
    Blob, BootNonce, Command, Event, Frame, Head, Input, Limits, LinkId, Nonce, Protocol, ServerId,
};
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
    /// Answers of its surroundings that the node has not got yet, while they are `held_back`.
    answers: Vec<Input>,
    held_back: bool,
}

/// Somebody at the other end of a link.
pub(crate) struct Remote {
    pub(crate) key: Key,
    pub(crate) chain: Vec<Blob>,
    pub(crate) nonce: Nonce,
}

impl Remote {
    /// The boot it is in.
    pub(crate) const BOOT: BootNonce = BootNonce::new([1; 8]);

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

    pub(crate) fn id(&self) -> ServerId {
        keys::server_id(&self.chain[0])
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        keys::fingerprint(&self.chain[0])
    }

    /// What it says of itself: that it has open links to those, and nobody is there.
    pub(crate) fn body(&self, links: &[ServerId]) -> Body {
        let nobody = Head::new([0; 16]);
        let mut open = links.to_vec();
        open.sort_unstable();
        Body {
            boot_nonce: Self::BOOT,
            endpoints: vec![format!("http://{}:8080", self.key.0)],
            capabilities: Vec::new(),
            open,
            part97: Vec::new(),
            operators: nobody,
            guests: nobody,
        }
    }

    pub(crate) fn record(&self, boot: u64, sequence: u64, links: &[ServerId]) -> SignedRecord {
        let body = self.body(links);
        keys::record(&self.key, &self.chain[0], (boot, sequence), &body)
    }

    /// Its record as others pass it on.
    pub(crate) fn update(&self, boot: u64, sequence: u64, links: &[ServerId]) -> Message {
        update(self.record(boot, sequence, links))
    }

    pub(crate) fn introduction(&self) -> Message {
        let chain = self.chain.clone();
        Message::Intro(Introduction { chain })
    }
}

/// A record that was made just now.
pub(crate) fn update(record: SignedRecord) -> Message {
    Message::Update(Update {
        record,
        age: 0,
        changes: Vec::new(),
    })
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
            answers: Vec::new(),
            held_back: false,
        };
        bench.serve();
        bench
    }

    /// The process ends and starts again, with what is on its disk.
    pub(crate) fn restart(&mut self) {
        self.host.start(1, self.now);
        self.serve();
    }

    pub(crate) fn input(&mut self, input: Input) {
        if let Some(node) = &mut self.host.node {
            node.handle_input(input, self.now);
        }
        self.serve();
    }

    /// From now on whoever signs, verifies and fetches takes their time.
    pub(crate) fn hold_answers_back(&mut self) {
        self.held_back = true;
    }

    /// All that was held back is answered.
    pub(crate) fn answer(&mut self) {
        self.held_back = false;
        for answer in std::mem::take(&mut self.answers) {
            self.input(answer);
        }
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
        let ours = keys::fingerprint(&self.host.chain[0]);
        let statement = Statement::link(&LinkStatement {
            nonces: [remote.nonce.as_bytes(), nonce.as_bytes()],
            servers: [remote.fingerprint(), ours],
            zone,
            version: VERSION,
        });
        let signature = remote.key.sign(&statement);
        Message::Proof(Proof { signature })
    }

    /// What was sent over a link; what went in parts, whole.
    pub(crate) fn messages(&self, link: u64) -> Vec<Message> {
        let mut parts: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        let mut messages = Vec::new();
        for (_, frame) in self.sent.iter().filter(|(id, _)| *id == LinkId(link)) {
            let Frame::Binary(bytes) = frame else {
                continue;
            };
            match Message::decode(bytes.as_bytes()) {
                Ok(Message::Part(part)) => {
                    let whole = parts.entry(part.lane).or_default();
                    whole.extend_from_slice(part.data.as_bytes());
                    if part.last {
                        let whole = std::mem::take(whole);
                        messages.push(Message::decode(&whole).unwrap());
                    }
                }
                read => messages.extend(read),
            }
        }
        messages
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
            Served::Answer(input) if self.held_back => self.answers.push(input),
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

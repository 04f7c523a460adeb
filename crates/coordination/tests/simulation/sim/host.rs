//! One server: a node, and what its surroundings do for it. What is on its disk survives it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use coordination::message::plain::PlainCertificate;
use coordination::message::{Person, Set, SignedRecord, Topic};
use coordination::{
    Admission, Blob, Checkpoint, Command, Event, Fate, HeldItem, Input, ItemId, Limits, Memory,
    Myself, Node, PersonId, ServerId,
};
use station::{Callsign, Digest, KeyId};

use super::adversary::Malice;
use super::keys::{self, Key};

/// The root that honest servers trust.
pub(crate) const ROOT: &str = "root";

pub(crate) struct Host {
    pub(crate) key: Key,
    pub(crate) chain: Vec<Blob>,
    pub(crate) id: ServerId,
    pub(crate) endpoint: String,
    pub(crate) limits: Limits,
    pub(crate) disk: Disk,
    /// Who is there: the truth that the others should learn.
    pub(crate) people: BTreeMap<(Topic, PersonId), Person>,
    /// Whom the owner blacklisted, by name.
    pub(crate) blacklisted: Vec<String>,
    /// Endpoints it hears of when it starts.
    pub(crate) hears_of: Vec<String>,
    /// How far its clock is ahead of the world's.
    pub(crate) ahead: Duration,
    pub(crate) malice: Option<Malice>,
    /// Whether there is no room for another item.
    pub(crate) full: bool,
    /// Whether its disk is so slow that items are not judged at all.
    pub(crate) stuck: bool,
    pub(crate) node: Option<Node>,
    /// How often it was started.
    pub(crate) life: u64,
    /// When it was started, by its own clock.
    pub(crate) started: Option<Instant>,
    /// Whether it runs with the key of another, for a while.
    pub(crate) twin: bool,
    pub(crate) saw: Saw,
}

/// What a restart leaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    pub(crate) boot: u64,
    pub(crate) records: BTreeMap<ServerId, SignedRecord>,
    pub(crate) items: BTreeMap<(Set, ItemId), (u64, Blob)>,
}

/// What its people and programs were told.
#[derive(Debug, Default)]
pub(crate) struct Saw {
    pub(crate) delivered: Vec<(ServerId, Blob)>,
    pub(crate) fates: BTreeMap<u64, Fate>,
    pub(crate) events: Vec<Event>,
    pub(crate) verified: usize,
    /// Records verified since it started, by whose key.
    pub(crate) records: BTreeMap<Vec<u8>, usize>,
    pub(crate) signed: usize,
    /// Chains read.
    pub(crate) examined: usize,
    pub(crate) admitted: usize,
    pub(crate) unjudged: usize,
    pub(crate) plain: Vec<PlainCertificate>,
}

/// Items whose data begins so are declined by everybody, and such that nobody honest would pass on.
pub(crate) const UNWANTED: &[u8] = b"unwanted";
pub(crate) const FORGED: &[u8] = b"forged";

impl Host {
    pub(crate) fn new(name: &str, root: &str, limits: Limits) -> Self {
        let key = Key(name.to_owned());
        let certificate = keys::certificate(&key, root);
        Self {
            id: keys::server_id(&certificate),
            chain: vec![certificate],
            endpoint: format!("http://{name}:8080"),
            key,
            limits,
            disk: Disk::default(),
            people: BTreeMap::new(),
            blacklisted: Vec::new(),
            hears_of: Vec::new(),
            ahead: Duration::ZERO,
            malice: None,
            full: false,
            stuck: false,
            node: None,
            life: 0,
            started: None,
            twin: false,
            saw: Saw::default(),
        }
    }

    pub(crate) fn is_honest(&self) -> bool {
        self.malice.is_none()
    }

    /// Starts the node anew from what is on the disk.
    pub(crate) fn start(&mut self, seed: u64, now: Instant) {
        self.life += 1;
        self.started = Some(now);
        self.saw.records.clear();
        self.disk.boot += 1;
        let memory = Memory {
            boot: self.disk.boot,
            records: self.disk.records.values().cloned().collect(),
            servers: Vec::new(),
            items: self
                .disk
                .items
                .iter()
                .map(|(&(set, id), (_, data))| (set, described(id, data)))
                .collect(),
        };
        let myself = Myself {
            callsign: Callsign::parse("W1AW").unwrap(),
            chain: self.chain.clone(),
            key: self.key.public(),
            endpoints: vec![self.endpoint.clone()],
            capabilities: vec!["signaling".to_owned()],
        };
        let chance = format!("{seed} {} {}", self.life, self.endpoint);
        let randomness = *keys::item_id(chance.as_bytes()).as_bytes();
        self.node = Some(Node::new(self.limits, myself, memory, randomness, now));
    }

    /// What the surroundings answer to a command, or remember of it.
    pub(crate) fn serve(&mut self, command: Command) -> Served {
        match command {
            Command::Send { link, frame } => return Served::Send(link, frame),
            Command::Close { link } => return Served::Close(link),
            Command::Dial { endpoint } => return Served::Dial(endpoint),
            Command::Examine { token, chain } => {
                self.saw.examined += 1;
                let server = keys::examine(&chain, ROOT, &self.blacklisted);
                return Served::Answer(Input::Examined { token, server });
            }
            Command::Sign { token, statement } => {
                self.saw.signed += 1;
                let signature = self.key.sign(&statement);
                return Served::Answer(Input::Signed { token, signature });
            }
            Command::Verify {
                token,
                key,
                statement,
                signature,
            } => {
                self.saw.verified += 1;
                if statement.as_bytes().starts_with(b"ham-server/1 record") {
                    *self.saw.records.entry(key.to_vec()).or_default() += 1;
                }
                let genuine = keys::verify(&key, &statement, &signature);
                return Served::Answer(Input::Verified { token, genuine });
            }
            Command::Load { token, set, id } => {
                let data = self.disk.items.get(&(set, id));
                let data = data.map(|(_, data)| data.clone());
                return Served::Answer(Input::Loaded { token, data });
            }
            Command::Admit {
                token,
                set,
                id,
                data,
                ..
            } => {
                if self.stuck {
                    self.saw.unjudged += 1;
                    return Served::Nothing;
                }
                let outcome = self.admit(set, id, data);
                return Served::Answer(Input::Admitted { token, outcome });
            }
            Command::Describe { token, id } => {
                let held = self.disk.items.get(&(Set::Certificates, id));
                let certificate = held.map(|(_, data)| PlainCertificate {
                    fingerprint: id.to_string(),
                    certificate: format!("{data:?}"),
                    chain: Vec::new(),
                });
                return Served::Answer(Input::Described { token, certificate });
            }
            Command::AdmitPlain { certificate, .. } => self.saw.plain.push(certificate),
            Command::RememberBoot { boot } => self.disk.boot = boot,
            Command::Remember { records } => {
                let records = records.into_iter().map(|record| (record.server, record));
                self.disk.records.extend(records);
            }
            Command::Deliver { from, body } => self.saw.delivered.push((from, body)),
            Command::Fate { tag, fate } => {
                self.saw.fates.insert(tag, fate);
            }
            Command::Tell(event) => self.saw.events.push(event),
        }
        Served::Nothing
    }

    fn admit(&mut self, set: Set, id: ItemId, data: Blob) -> Admission {
        self.saw.admitted += 1;
        if self.full {
            return Admission::Full;
        }
        if data.as_bytes().starts_with(FORGED) || keys::item_id(data.as_bytes()) != id {
            return Admission::Bad;
        }
        let time = item_time(&data);
        if data.as_bytes().starts_with(UNWANTED) {
            return Admission::Declined { id, time };
        }
        let item = described(id, &data);
        self.disk.items.insert((set, id), (time, data));
        Admission::Held(item)
    }

    /// Servers that are there, as its people see it.
    pub(crate) fn sees(&self) -> BTreeSet<ServerId> {
        let node = self.node.iter();
        let servers = node.flat_map(|node| node.servers().filter(|server| server.there));
        servers.map(|server| server.id).collect()
    }

    /// The ids of everybody at a server, as its people see it.
    pub(crate) fn sees_people(&self, server: ServerId) -> BTreeSet<(Topic, PersonId)> {
        let node = self.node.iter();
        node.flat_map(|node| {
            Topic::ALL.into_iter().flat_map(move |topic| {
                let people = node.people(server, topic);
                people.map(move |(id, _)| (topic, id))
            })
        })
        .collect()
    }
}

/// What the world has to do for a command.
pub(crate) enum Served {
    Nothing,
    Answer(Input),
    Send(coordination::LinkId, coordination::Frame),
    Close(coordination::LinkId),
    Dial(String),
}

pub(crate) fn held(id: ItemId, time: u64) -> HeldItem {
    HeldItem {
        id,
        time,
        checkpoint: None,
    }
}

/// An item as its data says: `checkpoint SIZE HEAD` is one of the only log there is.
pub(crate) fn described(id: ItemId, data: &Blob) -> HeldItem {
    let text = std::str::from_utf8(data.as_bytes()).unwrap_or_default();
    let numbers = text
        .strip_prefix("checkpoint ")
        .and_then(|rest| rest.split_once(' '));
    let checkpoint = numbers.map(|(size, head)| Checkpoint {
        log: KeyId::new([1; 32]),
        size: size.parse().unwrap(),
        head: Digest::new([head.parse().unwrap(); 32]),
    });
    HeldItem {
        checkpoint,
        ..held(id, item_time(data))
    }
}

/// The issue time of an item is in its data.
pub(crate) fn item_time(data: &Blob) -> u64 {
    u64::from(*data.as_bytes().last().unwrap_or(&0))
}

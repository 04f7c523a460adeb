//! Servers that mean harm. Each is a node that works, behind somebody who changes what it sends.

use std::collections::BTreeMap;

use coordination::message::{
    Body, Change, Have, Hello, Introduction, Item, Message, Payload, Person, Receipt, Routed, Set,
    Update, Want,
};
use coordination::{Blob, Frame, ItemId, Nonce, PersonId, ServerId};

use super::host::{FORGED, ROOT};
use super::keys::{self, Key};
use super::random::Random;

/// What somebody does to others.
#[derive(Debug, Clone)]
pub(crate) enum Malice {
    /// Changes records and people of others and signatures on their way, and signs for parcels of others.
    Forger,
    /// Repeats what it once passed on.
    Replayer { heard: Vec<Frame> },
    /// Says one thing to some and another to others.
    TwoFaced,
    /// Makes more records of itself than anybody can want.
    Flooder { sequence: u64 },
    /// Invents servers under a root that nobody knows.
    Inventor {
        invented: BTreeMap<ServerId, String>,
    },
    /// Passes nothing on.
    BlackHole,
    /// Says that it still has a link to a server that is gone.
    Undertaker { dead: ServerId },
    /// Offers items that are none, and sends what is no message.
    Liar,
    /// Says that it is somebody else, with that one's certificate.
    Impostor { name: String },
    /// Sends on ways that do not come through it, or not to whom it sends them.
    Detour { neighbours: BTreeMap<u64, ServerId> },
    /// Asks others through its neighbours whether they live, without end: a way for each of its links.
    Chatterer {
        each: usize,
        ways: BTreeMap<u64, Vec<ServerId>>,
    },
}

/// Who does it.
pub(crate) struct Who<'a> {
    pub(crate) key: &'a Key,
    pub(crate) chain: &'a [Blob],
    pub(crate) id: ServerId,
}

impl Malice {
    pub(crate) fn any(random: &mut Random) -> Self {
        match random.below(10) {
            0 => Self::Forger,
            1 => Self::Replayer { heard: Vec::new() },
            2 => Self::TwoFaced,
            3 => Self::Flooder { sequence: 0 },
            4 => Self::Inventor {
                invented: BTreeMap::new(),
            },
            5 => Self::BlackHole,
            6 => Self::Impostor {
                name: "host-0".to_owned(),
            },
            7 => Self::Detour {
                neighbours: BTreeMap::new(),
            },
            8 => Self::Chatterer {
                each: 40,
                ways: BTreeMap::new(),
            },
            _ => Self::Liar,
        }
    }

    /// What is sent in the place of a frame.
    pub(crate) fn tamper(
        &mut self,
        who: &Who<'_>,
        link: u64,
        frame: Frame,
        random: &mut Random,
    ) -> Vec<Frame> {
        let Frame::Binary(bytes) = &frame else {
            return vec![frame];
        };
        let Ok(message) = Message::decode(bytes.as_bytes()) else {
            return vec![frame];
        };
        match self {
            Self::Forger => forge(message, who, random),
            Self::Replayer { heard } => {
                let mut frames = vec![frame.clone()];
                if matches!(message, Message::Update(_) | Message::Routed(_)) && heard.len() < 500 {
                    heard.push(frame);
                }
                if !heard.is_empty() && random.percent(20) {
                    frames.push(random.pick(heard).clone());
                }
                frames
            }
            Self::TwoFaced => vec![two_faced(message, who, link)],
            Self::Flooder { sequence } => {
                let mut frames = vec![frame];
                if let Message::Beat(_) = message {
                    for _ in 0..30 {
                        *sequence += 1;
                        frames.push(own_record(who, u64::from(u32::MAX), *sequence));
                    }
                }
                frames
            }
            Self::Inventor { invented } => {
                let mut frames = vec![frame];
                if let Message::Beat(_) = message {
                    frames.extend((0..20).map(|_| invent(invented)));
                }
                frames
            }
            Self::BlackHole => match message {
                Message::Routed(routed) if routed.from() != who.id => Vec::new(),
                _ => vec![frame],
            },
            Self::Chatterer { each, ways } => chatter(*each, ways, message, who, link, random),
            Self::Undertaker { dead } => vec![undertake(message, who, *dead)],
            Self::Impostor { name } => vec![pretend(message, name)],
            Self::Detour { neighbours } => {
                let mut frames = vec![frame];
                if let Message::Beat(_) = message {
                    frames.extend(detours(neighbours, who, link, random));
                }
                frames
            }
            Self::Liar => {
                let mut frames = vec![frame];
                if let Message::Beat(_) = message {
                    frames.extend(lies(random));
                }
                frames
            }
        }
    }

    /// What is answered to a frame, whatever the node behind it makes of that.
    pub(crate) fn overhear(&mut self, link: u64, frame: &Frame) -> Vec<Frame> {
        let Frame::Binary(bytes) = frame else {
            return Vec::new();
        };
        match (self, Message::decode(bytes.as_bytes())) {
            (Self::Inventor { invented }, Ok(Message::Want(Want { unknown, .. }))) => {
                let names = unknown.iter().filter_map(|id| invented.get(id));
                names.map(|name| introduce(name)).collect()
            }
            (Self::Forger, Ok(Message::Routed(routed))) => {
                made_up_receipt(&routed).into_iter().collect()
            }
            (Self::Detour { neighbours }, Ok(Message::Hello(hello))) => {
                neighbours.insert(link, keys::server_id(&hello.chain[0]));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

trait IntoFrame {
    fn into_frame(self) -> Frame;
}

impl IntoFrame for &Message {
    fn into_frame(self) -> Frame {
        Frame::Binary(self.encode().into())
    }
}

fn introduce(name: &str) -> Frame {
    let chain = vec![keys::certificate(&Key(name.to_owned()), "nobody's root")];
    (&Message::Intro(Introduction { chain })).into_frame()
}

/// The receipt of a parcel that is for somebody else.
fn made_up_receipt(routed: &Routed) -> Option<Frame> {
    let Payload::Parcel(parcel) = &routed.payload else {
        return None;
    };
    let at = routed.way.len() - usize::from(routed.at);
    let mut way = routed.way.clone();
    way.reverse();
    let receipt = Message::Routed(Routed {
        way,
        at: u8::try_from(at).unwrap(),
        payload: Payload::Receipt(Receipt {
            from_boot: parcel.from_boot,
            number: parcel.number,
            signature: coordination::Signature::new([2; 64]),
        }),
    });
    Some((&receipt).into_frame())
}

/// Somebody else's certificate in the place of one's own.
fn pretend(message: Message, name: &str) -> Frame {
    let message = match message {
        Message::Hello(hello) => Message::Hello(Hello {
            chain: vec![keys::certificate(&Key(name.to_owned()), ROOT)],
            ..hello
        }),
        message => message,
    };
    (&message).into_frame()
}

/// A question that would come from another neighbour, and one that is for another.
fn detours(
    neighbours: &BTreeMap<u64, ServerId>,
    who: &Who<'_>,
    link: u64,
    random: &mut Random,
) -> Vec<Frame> {
    let Some(&here) = neighbours.get(&link) else {
        return Vec::new();
    };
    let others: Vec<ServerId> = neighbours
        .values()
        .copied()
        .filter(|one| *one != here)
        .collect();
    if others.is_empty() {
        return Vec::new();
    }
    let other = *random.pick(&others);
    let ways = [vec![other, here, who.id], vec![who.id, other, here]];
    let frames = ways.into_iter().map(|way| {
        let payload = Payload::Ask(Nonce::new([5; 32]));
        (&Message::Routed(Routed {
            way,
            at: 1,
            payload,
        }))
            .into_frame()
    });
    frames.collect()
}

/// Somebody who is not there, in a list of people.
fn make_up_people(change: &mut Change) {
    let person = Person {
        callsign: "N0BODY".to_owned(),
        net: "forged".to_owned(),
        login: None,
    };
    change.joined.push((PersonId::new([9; 8]), person.encode()));
}

fn forge(message: Message, who: &Who<'_>, random: &mut Random) -> Vec<Frame> {
    let message = match message {
        Message::Update(mut update) if update.record.server != who.id && random.percent(30) => {
            update.record.sequence += 1 + u64::try_from(random.below(5)).unwrap();
            Message::Update(update)
        }
        Message::Update(mut update) if update.record.server != who.id => {
            update.changes.iter_mut().for_each(make_up_people);
            Message::Update(update)
        }
        Message::People(mut people) if people.server != who.id => {
            people.change.iter_mut().for_each(make_up_people);
            Message::People(people)
        }
        Message::Routed(mut routed) if routed.from() != who.id && random.percent(50) => {
            if let Payload::Parcel(parcel) = &mut routed.payload {
                parcel.body = Blob::from(&b"forged"[..]);
            }
            if let Payload::Alive(alive) = &mut routed.payload {
                alive.signature = coordination::Signature::new([1; 64]);
            }
            Message::Routed(routed)
        }
        message => message,
    };
    vec![(&message).into_frame()]
}

fn chatter(
    each: usize,
    ways: &mut BTreeMap<u64, Vec<ServerId>>,
    message: Message,
    who: &Who<'_>,
    link: u64,
    random: &mut Random,
) -> Vec<Frame> {
    let frame = (&message).into_frame();
    match message {
        Message::Routed(routed) if routed.from() == who.id && routed.way.len() > 2 => {
            ways.insert(link, routed.way);
            vec![frame]
        }
        Message::Beat(_) => {
            let way = ways.get(&link);
            let asks = way.into_iter().flat_map(|way| vec![way.clone(); each]);
            let asks = asks.map(|way| {
                let mut nonce = [0; 32];
                nonce[..8].copy_from_slice(&random.number().to_be_bytes());
                (&Message::Routed(Routed {
                    way,
                    at: 1,
                    payload: Payload::Ask(Nonce::new(nonce)),
                }))
                    .into_frame()
            });
            std::iter::once(frame).chain(asks).collect()
        }
        _ => vec![frame],
    }
}

/// The same version, signed twice.
fn two_faced(message: Message, who: &Who<'_>, link: u64) -> Frame {
    let message = match message {
        Message::Update(update) if update.record.server == who.id && link.is_multiple_of(2) => {
            let mut body = Body::decode(&update.record.body).unwrap();
            body.endpoints = vec!["http://elsewhere:8080".to_owned()];
            let version = (update.record.boot, update.record.sequence);
            let record = keys::record(who.key, &who.chain[0], version, &body);
            Message::Update(Update { record, ..update })
        }
        message => message,
    };
    (&message).into_frame()
}

fn undertake(message: Message, who: &Who<'_>, dead: ServerId) -> Frame {
    let message = match message {
        Message::Update(update) if update.record.server == who.id => {
            let mut body = Body::decode(&update.record.body).unwrap();
            if let Err(place) = body.open.binary_search(&dead) {
                body.open.insert(place, dead);
            }
            let version = (update.record.boot, update.record.sequence);
            let record = keys::record(who.key, &who.chain[0], version, &body);
            Message::Update(Update { record, ..update })
        }
        message => message,
    };
    (&message).into_frame()
}

fn own_record(who: &Who<'_>, boot: u64, sequence: u64) -> Frame {
    let nobody = coordination::Head::new([0; 16]);
    let body = Body {
        boot_nonce: coordination::BootNonce::new([7; 8]),
        endpoints: Vec::new(),
        capabilities: Vec::new(),
        open: Vec::new(),
        part97: Vec::new(),
        operators: nobody,
        guests: nobody,
    };
    let update = Update {
        record: keys::record(who.key, &who.chain[0], (boot, sequence), &body),
        age: 0,
        changes: Vec::new(),
    };
    (&Message::Update(update)).into_frame()
}

fn invent(invented: &mut BTreeMap<ServerId, String>) -> Frame {
    let name = format!("invented-{}", invented.len());
    let chain = vec![keys::certificate(&Key(name.clone()), "nobody's root")];
    let key = Key(name.clone());
    let id = keys::server_id(&chain[0]);
    invented.insert(id, name);
    let who = Who {
        key: &key,
        chain: &chain,
        id,
    };
    own_record(&who, 1, 1)
}

fn lies(random: &mut Random) -> Vec<Frame> {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&random.number().to_be_bytes());
    let items = vec![ItemId::new(id)];
    let set = *random.pick(&Set::ALL);
    let mut frames = vec![(&Message::Have(Have { set, items })).into_frame()];
    if random.percent(20) {
        let data = Blob::from([FORGED, &id].concat());
        let id = keys::item_id(data.as_bytes());
        frames.push((&Message::Item(Item { set, id, data })).into_frame());
    }
    if random.percent(5) {
        frames.push(Frame::Binary(id.to_vec().into()));
    }
    frames
}

//! What a node is told, and by what names.

use std::sync::Arc;

use station::{Callsign, Fingerprint, KeyId, Zone};

use crate::bytes::{Blob, ItemId, PersonId, ServerId, Signature};
use crate::message::plain::PlainCertificate;
use crate::message::{Person, Set, SignedRecord, Topic};

/// One transport to another server, named by whoever owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// A question of the node that an input answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub(super) u64);

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time has passed: give this at [`Node::deadline`](super::Node::deadline).
    Tick,
    /// A transport is there.
    LinkUp {
        /// Its name, never used before.
        link: LinkId,
        /// The endpoint that was dialled for it, as [`Command::Dial`](super::Command::Dial) gave it;
        /// nothing if the other end dialled.
        dialed: Option<String>,
        /// What our side says it crosses.
        zone: Zone,
        /// Whether both ends chose the subprotocol.
        protocol: Protocol,
    },
    /// A dial came to nothing.
    DialFailed {
        /// Which.
        endpoint: String,
    },
    /// A transport is gone.
    LinkDown {
        /// Which.
        link: LinkId,
    },
    /// A frame arrived.
    Frame {
        /// Over which link.
        link: LinkId,
        /// The frame.
        frame: Frame,
    },
    /// A ping or a pong of the transport arrived: it says nothing, and costs like a frame.
    Control {
        /// Over which link.
        link: LinkId,
        /// How long what it carried was.
        bytes: usize,
    },
    /// Frames were written.
    Written {
        /// To which link.
        link: LinkId,
        /// How many.
        frames: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// The answer to [`Command::Examine`](super::Command::Examine).
    Examined {
        /// The question.
        token: Token,
        /// Whose certificates these are; nothing if they are not well formed certificates of a server,
        /// one signed by the next.
        server: Option<Examined>,
    },
    /// The answer to [`Command::Sign`](super::Command::Sign).
    Signed {
        /// The question.
        token: Token,
        /// By the server's key.
        signature: Signature,
    },
    /// The answer to [`Command::Verify`](super::Command::Verify).
    Verified {
        /// The question.
        token: Token,
        /// Whether the signature is by that key, over that statement.
        genuine: bool,
    },
    /// What this server makes of another changed.
    Standing {
        /// Which.
        server: ServerId,
        /// What it is now.
        standing: Standing,
    },
    /// Somebody told of a server.
    PeerFound {
        /// Where it is.
        endpoint: String,
        /// Who told.
        source: Source,
        /// How its certificate's fingerprint begins, where that was said; nobody proved it.
        hint: Option<[u8; 8]>,
    },
    /// The owner took a server off the list, or it is no longer heard.
    PeerLost {
        /// Where it was.
        endpoint: String,
        /// Who told of it.
        source: Source,
    },
    /// Where this server can be reached and what it can do, from now on.
    Myself {
        /// The best first, at most 4 of 256 bytes.
        endpoints: Vec<String>,
        /// At most 16 words of 32 bytes.
        capabilities: Vec<String>,
    },
    /// Who came to this server, or changed.
    Joined {
        /// Whether they proved a certificate that is trusted here.
        topic: Topic,
        /// Their session.
        id: PersonId,
        /// Who they are.
        person: Person,
    },
    /// Who left this server.
    Left {
        /// Among whom they were.
        topic: Topic,
        /// Their session.
        id: PersonId,
    },
    /// A message for another server.
    Post {
        /// Which.
        to: ServerId,
        /// By what name to hear of its fate.
        tag: u64,
        /// The strictest zone it may cross.
        within: Zone,
        /// What it says, at most 48 KiB.
        body: Blob,
    },
    /// An item is held from now on, and others may have it.
    Held {
        /// Of which set.
        set: Set,
        /// The item.
        item: HeldItem,
    },
    /// An item is not held any more, or not for others; it is not wanted either.
    Dropped {
        /// Of which set.
        set: Set,
        /// Which.
        id: ItemId,
    },
    /// The answer to [`Command::Load`](super::Command::Load).
    Loaded {
        /// The question.
        token: Token,
        /// The item; nothing if it is not held any more.
        data: Option<Blob>,
    },
    /// The answer to [`Command::Admit`](super::Command::Admit).
    Admitted {
        /// The question.
        token: Token,
        /// What became of the item.
        outcome: Admission,
    },
    /// The answer to [`Command::Describe`](super::Command::Describe).
    Described {
        /// The question.
        token: Token,
        /// The certificate in text; nothing if it is not held any more.
        certificate: Option<PlainCertificate>,
    },
    /// What the owner publishes changed: frames for everybody who is linked now or later, in place of those before.
    Publish {
        /// Made by [`PlainMessage::blacklist`](crate::message::plain::PlainMessage::blacklist).
        frames: Vec<String>,
    },
}

/// What both ends of a transport agreed to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `ham-coordinate.1`.
    Coordinate,
    /// No subprotocol: plain messages only.
    Plain,
}

/// A WebSocket frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A message of `ham-coordinate.1`.
    Binary(Blob),
    /// A plain message.
    Text(Arc<str>),
}

impl Frame {
    /// Bytes in it.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Binary(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whose certificates were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The callsign in the certificate.
    pub callsign: Callsign,
    /// Its key, a DER SubjectPublicKeyInfo.
    pub key: Arc<[u8]>,
    /// What this server makes of it.
    pub standing: Standing,
}

/// What this server makes of another, by its own trust graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Somebody this server trusts vouches for it.
    Trusted,
    /// Its root is unknown here. It is shown, and nothing goes through it.
    Stranger,
    /// The owner blacklisted it.
    Blacklisted,
}

/// Who told of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The owner: it is dialled for ever.
    Owner,
    /// The owner had it read from somebody's list: it is dialled like those that are heard.
    Listed,
    /// It announced itself on this network.
    Mdns,
    /// It was heard calling CQ, and its signature is by a trusted key.
    Cq,
    /// Another server.
    Peer,
}

/// An item that others may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldItem {
    /// What it is known by.
    pub id: ItemId,
    /// Its issue time in seconds since 1970, or 0 where it has none: the same at every server.
    pub time: u64,
    /// What a checkpoint says; nothing for other items.
    pub checkpoint: Option<Checkpoint>,
}

/// A signed head of an issuance log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Whose log.
    pub log: KeyId,
    /// Entries in it.
    pub size: u64,
    /// Its head then.
    pub head: station::Digest,
}

/// What became of an item that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is held, and others may have it.
    Held(HeldItem),
    /// It is well made, but not for us, or not yet: it waits for its issuer, or nobody here trusts it.
    Declined {
        /// What it is known by.
        id: ItemId,
        /// Its time, as in [`HeldItem`].
        time: u64,
    },
    /// There is no room for it at the moment.
    Full,
    /// No honest server would have passed it on: it is malformed, badly signed, or not what it was called.
    Bad,
}

/// What a node takes over from its earlier life.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// This start's boot counter: one more than at the last start, and stored before the node is made.
    pub boot: u64,
    /// The newest record of each server that was seen.
    pub records: Vec<SignedRecord>,
    /// Certificates of servers that were known, and what this server makes of each.
    pub servers: Vec<(Vec<Blob>, Examined)>,
    /// What the sets hold.
    pub items: Vec<(Set, HeldItem)>,
}

/// Which server this is.
#[derive(Debug, Clone)]
pub struct Myself {
    /// Its callsign.
    pub callsign: Callsign,
    /// Its certificate and those above it: DER.
    pub chain: Vec<Blob>,
    /// Its public key, a DER SubjectPublicKeyInfo.
    pub key: Arc<[u8]>,
    /// Where it can be reached, the best first, at most 4 of 256 bytes.
    pub endpoints: Vec<String>,
    /// What it can do, at most 16 words of 32 bytes.
    pub capabilities: Vec<String>,
}

impl Myself {
    /// The name of its certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        crate::hash::fingerprint(self.chain.first().map_or(&[], Blob::as_bytes))
    }
}

//! What a node wants done, and what it tells.

use std::sync::Arc;

use station::{Callsign, Digest, Fingerprint, KeyId, Statement};

use super::conduct::Offence;
use super::input::{Frame, LinkId, Standing, Token};
use crate::bytes::{Blob, ItemId, PersonId, ServerId, Signature};
use crate::message::plain::{PlainCertificate, PlainMessage};
use crate::message::{Person, Refusal, Set, SignedRecord, Topic};

/// Something to do. Commands of one link are carried out in the order they come.
#[derive(Debug, Clone)]
pub enum Command {
    /// Write a frame, and tell by [`Input::Written`](super::Input::Written) when it is written.
    Send {
        /// To which link.
        link: LinkId,
        /// The frame.
        frame: Frame,
    },
    /// Write what was sent, then close. The link is already forgotten.
    Close {
        /// Which.
        link: LinkId,
    },
    /// Connect to a server, and tell by [`Input::LinkUp`](super::Input::LinkUp) or
    /// [`Input::DialFailed`](super::Input::DialFailed).
    Dial {
        /// Where.
        endpoint: String,
    },
    /// Read and verify certificates: answer with [`Input::Examined`](super::Input::Examined).
    Examine {
        /// The question.
        token: Token,
        /// The server's first: DER.
        chain: Vec<Blob>,
    },
    /// Sign with the server's key: answer with [`Input::Signed`](super::Input::Signed).
    Sign {
        /// The question.
        token: Token,
        /// What to sign.
        statement: Statement,
    },
    /// Verify a signature: answer with [`Input::Verified`](super::Input::Verified).
    Verify {
        /// The question.
        token: Token,
        /// The key, a DER SubjectPublicKeyInfo.
        key: Arc<[u8]>,
        /// What must be signed.
        statement: Statement,
        /// By whom.
        signature: Signature,
    },
    /// Fetch an item from the store: answer with [`Input::Loaded`](super::Input::Loaded).
    Load {
        /// The question.
        token: Token,
        /// Of which set.
        set: Set,
        /// Which.
        id: ItemId,
    },
    /// Judge an item that came from outside: answer with [`Input::Admitted`](super::Input::Admitted). What
    /// else is held because of it is told by [`Input::Held`](super::Input::Held).
    Admit {
        /// The question.
        token: Token,
        /// The link that brought it, to which quotas are charged.
        link: LinkId,
        /// Of which set.
        set: Set,
        /// What it was called.
        id: ItemId,
        /// The item.
        data: Blob,
    },
    /// Fetch a certificate as text: answer with [`Input::Described`](super::Input::Described).
    Describe {
        /// The question.
        token: Token,
        /// Which.
        id: ItemId,
    },
    /// Judge a certificate that came as text, as by `Admit`, and tell by
    /// [`Input::Held`](super::Input::Held) what is held because of it.
    AdmitPlain {
        /// The link that brought it.
        link: LinkId,
        /// The certificate.
        certificate: PlainCertificate,
    },
    /// Store this start's boot counter, in place of the one given in
    /// [`Memory`](super::Memory).
    RememberBoot {
        /// The counter.
        boot: u64,
    },
    /// Store these as the newest records seen of their servers, in place of earlier ones.
    Remember {
        /// One for each server.
        records: Vec<SignedRecord>,
    },
    /// A parcel arrived, for whoever signaling or messages are for here.
    Deliver {
        /// Which server sent it.
        from: ServerId,
        /// What it says.
        body: Blob,
    },
    /// A parcel of ours came to its end.
    Fate {
        /// Its tag.
        tag: u64,
        /// What became of it.
        fate: Fate,
    },
    /// Something that people or programs may want to know.
    Tell(Event),
}

/// What became of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its receiver signed for it.
    Delivered,
    /// No such server is there now.
    NotThere,
    /// Every way there crosses amateur frequencies, and this may not.
    CrossesPart97,
    /// No way that was tried brought a receipt.
    NoReceipt,
    /// It is longer than 48 KiB.
    TooLong,
    /// Too many are under way.
    Busy,
}

/// Something that happened among the servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A server is there: it answered, and there is a way to it.
    ServerUp {
        /// Which.
        server: ServerId,
    },
    /// A server is there no more, and neither is anybody who was at it.
    ServerDown {
        /// Which.
        server: ServerId,
    },
    /// A server that is there says something new of itself.
    ServerChanged {
        /// Which.
        server: ServerId,
    },
    /// Somebody is at a server that is there.
    Joined {
        /// At which.
        server: ServerId,
        /// Among whom.
        topic: Topic,
        /// Their session there.
        id: PersonId,
        /// Who they are.
        person: Person,
    },
    /// Somebody is at a server no more.
    Left {
        /// At which.
        server: ServerId,
        /// Among whom they were.
        topic: Topic,
        /// Their session there.
        id: PersonId,
    },
    /// A link to a server stands.
    Linked {
        /// Which.
        link: LinkId,
        /// To whom.
        server: ServerId,
    },
    /// A link to a server ended.
    Unlinked {
        /// Which.
        link: LinkId,
        /// To whom it was.
        server: ServerId,
    },
    /// There is no link, and why.
    Refused {
        /// The endpoint that was dialled, if our end dialled.
        endpoint: Option<String>,
        /// Which server it is, as far as that is known.
        server: Option<Fingerprint>,
        /// The reason.
        refusal: Refusal,
        /// Whether the other end refused.
        by_them: bool,
    },
    /// A server showed certificates whose root is unknown here: the owner may look at them.
    Stranger {
        /// Which.
        server: ServerId,
        /// Its certificate.
        fingerprint: Fingerprint,
        /// The callsign in it, which nobody trusted vouches for.
        callsign: Callsign,
    },
    /// What this server makes of another changed.
    Judged {
        /// Which.
        server: ServerId,
        /// What it makes of it now.
        standing: Standing,
    },
    /// Another server runs with the key of this one.
    Clone,
    /// A server did what an honest one does not.
    Misconduct {
        /// Which.
        server: ServerId,
        /// What.
        offence: Offence,
        /// Whether its link was ended for it.
        ended: bool,
    },
    /// A server signed two heads of one issuance log for the same size.
    SplitLog {
        /// Whose log.
        log: KeyId,
        /// The size.
        size: u64,
        /// Both heads.
        heads: [Digest; 2],
    },
    /// A plain message arrived.
    Advice {
        /// Over which link.
        link: LinkId,
        /// Who is at its other end, if that was proved.
        from: Option<ServerId>,
        /// What it says.
        message: PlainMessage,
    },
}

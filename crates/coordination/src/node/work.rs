//! Questions under way: to whoever owns the keys, the trust graph and the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use station::Statement;

use super::input::{LinkId, Token};
use super::{Command, Node};
use crate::bytes::{Blob, BootNonce, ItemId, Nonce, ServerId, Signature};
use crate::message::{Routed, Set, Update};

/// What an answer is for.
#[derive(Debug)]
pub(super) enum Work {
    /// The certificates in a `Hello`.
    ExamineHello(LinkId),
    /// Those of a server somebody introduced.
    ExamineIntroduction {
        link: LinkId,
        server: ServerId,
        chain: Vec<Blob>,
    },
    SignProof(LinkId),
    VerifyProof(LinkId),
    SignRecord,
    VerifyRecord {
        link: LinkId,
        update: Box<Update>,
    },
    /// A record with our own signature that we do not remember.
    VerifyOwnRecord {
        link: LinkId,
        update: Box<Update>,
    },
    /// An answer to somebody who asks whether we live, and the way back to them.
    SignAlive {
        link: LinkId,
        way: Vec<ServerId>,
        nonce: Nonce,
    },
    VerifyAlive {
        link: LinkId,
        server: ServerId,
        nonce: Nonce,
    },
    SignParcel(u64),
    /// A parcel for us.
    VerifyParcel {
        link: LinkId,
        routed: Box<Routed>,
    },
    /// A parcel that would go on across amateur frequencies.
    VerifyTransit {
        link: LinkId,
        routed: Box<Routed>,
    },
    SignReceipt {
        link: LinkId,
        way: Vec<ServerId>,
        from_boot: BootNonce,
        number: u64,
    },
    VerifyReceipt {
        link: LinkId,
        number: u64,
    },
    Load {
        link: LinkId,
        set: Set,
        id: ItemId,
    },
    Admit {
        link: LinkId,
        set: Set,
        id: ItemId,
    },
    Describe(LinkId),
}

impl Work {
    /// The link that alone would be served by the answer. A record is worth as much when its link is gone, and what came of
    /// it over others meanwhile was dropped because it was being verified.
    fn link(&self) -> Option<LinkId> {
        match *self {
            Self::SignRecord | Self::SignParcel(_) | Self::VerifyRecord { .. } => None,
            Self::ExamineHello(link)
            | Self::SignProof(link)
            | Self::VerifyProof(link)
            | Self::Describe(link)
            | Self::ExamineIntroduction { link, .. }
            | Self::VerifyOwnRecord { link, .. }
            | Self::SignAlive { link, .. }
            | Self::VerifyAlive { link, .. }
            | Self::VerifyParcel { link, .. }
            | Self::VerifyTransit { link, .. }
            | Self::SignReceipt { link, .. }
            | Self::VerifyReceipt { link, .. }
            | Self::Load { link, .. }
            | Self::Admit { link, .. } => Some(link),
        }
    }

    /// What is being verified already need not be verified again when it comes over another link.
    fn record(&self) -> Option<(ServerId, u64)> {
        match self {
            Self::VerifyRecord { update, .. } => {
                Some((update.record.server, update.record.summary()))
            }
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Works {
    begun: u64,
    pending: BTreeMap<Token, Work>,
    records: BTreeSet<(ServerId, u64)>,
}

impl Works {
    fn begin(&mut self, work: Work, most: usize) -> Option<Token> {
        if self.pending.len() >= most {
            return None;
        }
        self.begun += 1;
        let token = Token(self.begun);
        self.records.extend(work.record());
        self.pending.insert(token, work);
        Some(token)
    }

    pub(super) fn finish(&mut self, token: Token) -> Option<Work> {
        let work = self.pending.remove(&token)?;
        if let Some(record) = work.record() {
            self.records.remove(&record);
        }
        Some(work)
    }

    /// Whether that record is being verified.
    pub(super) fn is_verifying(&self, record: (ServerId, u64)) -> bool {
        self.records.contains(&record)
    }

    pub(super) fn forget_link(&mut self, link: LinkId) {
        let of_link = self
            .pending
            .iter()
            .filter(|(_, work)| work.link() == Some(link));
        let tokens: Vec<Token> = of_link.map(|(&token, _)| token).collect();
        for token in tokens {
            self.finish(token);
        }
    }
}

impl Node {
    /// Asks a question by the command that `ask` makes of its token. False when too many are under way.
    pub(super) fn begin(&mut self, work: Work, ask: impl FnOnce(Token) -> Command) -> bool {
        let Some(token) = self.works.begin(work, self.limits.work) else {
            return false;
        };
        self.commands.push_back(ask(token));
        true
    }

    pub(super) fn sign(&mut self, work: Work, statement: Statement) -> bool {
        self.begin(work, |token| Command::Sign { token, statement })
    }

    pub(super) fn verify(
        &mut self,
        work: Work,
        key: &Arc<[u8]>,
        statement: Statement,
        signature: Signature,
    ) -> bool {
        let key = Arc::clone(key);
        self.begin(work, |token| Command::Verify {
            token,
            key,
            statement,
            signature,
        })
    }

    pub(super) fn examined(&mut self, token: Token, server: Option<super::Examined>, now: Instant) {
        match self.works.finish(token) {
            Some(Work::ExamineHello(link)) => self.hello_examined(link, server, now),
            Some(Work::ExamineIntroduction {
                link,
                server: id,
                chain,
            }) => self.introduction_examined(link, id, chain, server, now),
            _ => {}
        }
    }

    pub(super) fn signed(&mut self, token: Token, signature: Signature, now: Instant) {
        match self.works.finish(token) {
            Some(Work::SignProof(link)) => self.proof_signed(link, signature, now),
            Some(Work::SignRecord) => self.record_signed(signature, now),
            Some(Work::SignAlive { way, nonce, .. }) => {
                self.alive_signed(way, nonce, signature, now);
            }
            Some(Work::SignParcel(number)) => self.parcel_signed(number, signature, now),
            Some(Work::SignReceipt {
                way,
                from_boot,
                number,
                ..
            }) => self.receipt_signed(way, (from_boot, number), signature, now),
            _ => {}
        }
    }

    pub(super) fn verified(&mut self, token: Token, genuine: bool, now: Instant) {
        match self.works.finish(token) {
            Some(Work::VerifyProof(link)) => self.proof_verified(link, genuine, now),
            Some(Work::VerifyRecord { link, update }) => {
                self.record_verified(link, *update, genuine, now);
            }
            Some(Work::VerifyOwnRecord { link, update }) => {
                self.own_record_verified(link, &update, genuine, now);
            }
            Some(Work::VerifyAlive { server, nonce, .. }) => {
                self.alive_verified(server, nonce, genuine, now);
            }
            Some(Work::VerifyParcel { link, routed }) => {
                self.parcel_verified(link, &routed, genuine, now);
            }
            Some(Work::VerifyTransit { routed, .. }) if genuine => self.pass_on(*routed, now),
            Some(Work::VerifyReceipt { number, .. }) => self.receipt_verified(number, genuine),
            _ => {}
        }
    }
}

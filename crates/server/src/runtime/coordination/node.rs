//! The node and every link's line to it: what lies behind the coordinator's mutex, and how each command
//! of the node is passed to whoever carries it out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use coordination::message::Refusal;
use coordination::{Command, Event, Input, LinkId, Node, Signature, Token};
use station::{Fingerprint, Statement, Zone};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::Outgoing;
use super::errands::{Errand, Origin};
use super::said::Said;
use crate::network::Ends;

/// Links that one group of addresses may have open to us. Beyond this machine it is far more than a house
/// has servers.
const LINKS_OF_ONE: usize = 16;

/// Endpoints whose last trouble is remembered.
const MOST_TROUBLES: usize = 256;

pub(super) struct Core {
    pub(super) node: Option<Node>,
    /// Our certificate, while there is a node.
    pub(super) own: Option<Fingerprint>,
    pub(super) lines: BTreeMap<LinkId, Open>,
    /// Links so far; the next one's name.
    pub(super) links: u64,
    /// The deadline that [`Coordinator::run`] waits for.
    pub(super) alarm: Option<Instant>,
    pub(super) urgent: mpsc::UnboundedSender<Errand>,
    pub(super) sets: mpsc::UnboundedSender<Errand>,
    pub(super) dials: mpsc::UnboundedSender<String>,
    /// Why the last attempt at an endpoint came to nothing.
    pub(super) troubles: BTreeMap<String, Refusal>,
    /// What others said in plain messages.
    pub(super) said: Said,
}

/// A transport that is there.
pub(super) struct Open {
    pub(super) ends: Ends,
    pub(super) zone: Zone,
    pub(super) dialed: bool,
    pub(super) since: Instant,
    /// When something last came.
    pub(super) heard: Instant,
    /// As long as the node's promise: it gives a link no more than its window before some of it is written.
    pub(super) queue: mpsc::Sender<Outgoing>,
}

impl Open {
    /// Ends the link, after what waits; at once if nothing more fits, or if whoever serves it is gone.
    pub(super) fn end(self) {
        let _ = self.queue.try_send(Outgoing::Close(None));
    }
}

/// Cryptography the node asked for.
pub(super) enum Work {
    Sign(Token, Statement),
    Verify(Token, Arc<[u8]>, Statement, Signature),
}

/// What a command leads to, beside what is done at once.
#[derive(Default)]
pub(super) struct Following {
    pub(super) work: Vec<Work>,
    /// Who did what no server does, before it had proved who it is.
    pub(super) failed: Vec<Ends>,
}

impl Core {
    pub(super) fn tell(&mut self, input: Input) -> Following {
        let mut following = Following::default();
        let Some(node) = self.node.as_mut() else {
            return following;
        };
        node.handle_input(input, Instant::now());
        let mut refused = None;
        while let Some(command) = self.node.as_mut().and_then(Node::poll) {
            self.carry_out(command, &mut refused, &mut following);
        }
        following
    }

    fn carry_out(
        &mut self,
        command: Command,
        refused: &mut Option<Refusal>,
        following: &mut Following,
    ) {
        let errand = match command {
            Command::Send { link, frame } => return self.queue(link, Outgoing::Frame(frame)),
            Command::Close { link } => {
                let refusal = refused.take();
                self.queue(link, Outgoing::Close(refusal));
                let open = self.lines.remove(&link);
                if let (Some(open), Some(refusal)) = (open, refusal)
                    && !open.dialed
                    && is_offence(refusal)
                {
                    following.failed.push(open.ends);
                }
                return;
            }
            Command::Dial { endpoint } => {
                let _ = self.dials.send(endpoint);
                return;
            }
            Command::Sign { token, statement } => {
                return following.work.push(Work::Sign(token, statement));
            }
            Command::Verify {
                token,
                key,
                statement,
                signature,
            } => {
                let work = Work::Verify(token, key, statement, signature);
                return following.work.push(work);
            }
            // Kept at once, so that whoever sends many of them fills no queue.
            Command::Tell(Event::Advice {
                link,
                from,
                message,
            }) => return self.heard_plainly(link, from, message, Instant::now()),
            Command::Tell(event) => {
                self.note(&event, refused);
                Errand::Event(event)
            }
            Command::Examine { token, chain } => Errand::Examine(token, chain),
            Command::Deliver { from, body } => Errand::Deliver(from, body),
            Command::Fate { tag, fate } => Errand::Fate(tag, fate),
            Command::RememberBoot { boot } => Errand::RememberBoot(boot),
            other => {
                if let Some(errand) = Errand::for_sets(other, |link| self.origin(link)) {
                    // The worker ends with the server, and then nothing is to be done.
                    let _ = self.sets.send(errand);
                }
                return;
            }
        };
        let _ = self.urgent.send(errand);
    }

    /// Who is at the other end of a link.
    fn origin(&self, link: LinkId) -> Option<Origin> {
        let group = self.lines.get(&link)?.ends.group();
        let node = self.node.as_ref()?;
        let view = node.links().find(|view| view.id == link)?;
        let server = view.server.and_then(|id| {
            let known = node.servers().find(|server| server.id == id)?;
            Some((id, known.standing))
        });
        Some(Origin { group, server })
    }

    pub(super) fn is_crowded(&self, ends: Ends) -> bool {
        let lines = self.lines.values();
        let same = lines.filter(|open| !open.dialed && open.ends.group() == ends.group());
        !ends.loopback() && same.count() >= LINKS_OF_ONE
    }

    /// Puts something into a link's queue. Whoever serves the link may be gone, and tells so soon.
    pub(super) fn queue(&mut self, link: LinkId, outgoing: Outgoing) {
        let Some(open) = self.lines.get(&link) else {
            return;
        };
        if let Err(TrySendError::Full(_)) = open.queue.try_send(outgoing) {
            tracing::error!("more than its window was given to a link to another server; it ends");
            self.lines.remove(&link);
        }
    }

    /// Remembers what the owner may want to know of.
    fn note(&mut self, event: &Event, refused: &mut Option<Refusal>) {
        let Event::Refused {
            endpoint,
            refusal,
            by_them,
            ..
        } = event
        else {
            return;
        };
        if !by_them {
            *refused = Some(*refusal);
        }
        if let Some(endpoint) = endpoint
            && (self.troubles.len() < MOST_TROUBLES || self.troubles.contains_key(endpoint))
        {
            self.troubles.insert(endpoint.clone(), *refusal);
        }
    }

    /// Whether the node wants to be woken before the alarm that is set.
    pub(super) fn is_late(&self) -> bool {
        let sooner = |due: Instant| self.alarm.is_none_or(|alarm| due < alarm);
        let deadline = self.node.as_ref().and_then(Node::deadline);
        deadline.is_some_and(sooner)
    }
}

/// Whether no honest server of any version brings this about.
fn is_offence(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::BadProof | Refusal::BadMessage | Refusal::BadCertificate
    )
}

//! Servers that know only the contract's own messages.
//!
//! Nothing on such a link is proved, so nothing that comes over it counts for more than a stranger's word:
//! certificates are judged like anybody's, the rest is advice. Such links exist only where encryption is
//! allowed, because whoever is at the other end cannot sign.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use station::Zone;

use super::input::{LinkId, Token};
use super::link::{Link, Phase};
use super::outbox::Lane;
use super::work::Work;
use super::{Command, Event, Frame, Node, Offence};
use crate::bytes::ItemId;
use crate::message::plain::{Announcement, PlainCertificate, PlainMessage};
use crate::message::{Refusal, Set};

/// Bytes of a list that cost as much as a signature check.
const BYTES_OF_EFFORT: usize = 1024;

/// Certificates that wait to be described for one link.
const MAX_QUEUED: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(super) struct PlainLink {
    giving: VecDeque<ItemId>,
    describing: bool,
}

impl Node {
    pub(super) fn plain_link_up(
        &mut self,
        id: LinkId,
        dialed: Option<String>,
        zone: Zone,
        now: Instant,
    ) {
        let plain = |link: &&Link| matches!(link.phase, Phase::Plain(_));
        let full = self.links.values().filter(plain).count() >= self.limits.plain;
        let refusal = match zone {
            Zone::Part97 => Some(Refusal::ZoneMismatch),
            Zone::Open => full.then_some(Refusal::Full),
        };
        let giving = self.catalog.held(Set::Certificates).take(MAX_QUEUED);
        let phase = Phase::Plain(PlainLink {
            giving: giving.collect(),
            describing: false,
        });
        let endpoint = dialed.clone();
        self.links.insert(id, Link::new(zone, dialed, phase, now));
        if let Some(refusal) = refusal {
            self.tell(Event::Refused {
                endpoint,
                server: None,
                refusal,
                by_them: false,
            });
            let wait = Duration::from_secs(120);
            return self.close(id, wait, now);
        }
        if let Some(endpoint) = endpoint {
            self.book.linked(&endpoint);
        }
        let announcement = PlainMessage::PeerAnnounce {
            server: Announcement {
                callsign: self.own.callsign.to_string(),
                endpoint: self.own.endpoints().first().cloned().unwrap_or_default(),
                capabilities: self.own.capabilities().to_vec(),
            },
        };
        self.send_frame(id, Lane::Bulk, announcement.encode().into(), now);
        self.send_published(id, now);
        self.describe_more(id);
    }

    /// What the owner publishes, for a link that just came to stand.
    pub(super) fn send_published(&mut self, id: LinkId, now: Instant) {
        for frame in self.published.clone() {
            self.send_frame(id, Lane::Bulk, frame.into(), now);
        }
    }

    pub(super) fn receive_plain(&mut self, id: LinkId, text: &str, now: Instant) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        // Across amateur frequencies nobody says in text what others did, whoever that is.
        if link.zone == Zone::Part97 {
            return self.offend(id, Offence::OutOfPlace, now);
        }
        if matches!(link.phase, Phase::Opening(_)) {
            return self.keep_early(id, Frame::from(text.to_owned()), now);
        }
        let from = link.peer();
        match PlainMessage::decode(text) {
            // Those who speak the subprotocol bring their sets together by it.
            Ok(PlainMessage::CertSync { .. }) if from.is_some() => {
                self.offend(id, Offence::OutOfPlace, now);
            }
            Ok(PlainMessage::CertSync { certificates }) => {
                for certificate in certificates {
                    if !self.spend_effort(id, 1 + certificate.chain.len(), now) {
                        return;
                    }
                    let link = id;
                    self.commands
                        .push_back(Command::AdmitPlain { link, certificate });
                }
            }
            Ok(message) => {
                // To read it was the work, and nobody honest says so much of others.
                if !self.spend_effort(id, text.len() / BYTES_OF_EFFORT, now) {
                    return self.offend(id, Offence::Flood, now);
                }
                self.tell(Event::Advice {
                    link: id,
                    from,
                    message,
                });
            }
            Err(_) => self.offend(id, Offence::Undecodable, now),
        }
    }

    /// Fetches the next certificate for a link that takes certificates as text.
    pub(super) fn describe_more(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        let hungry = link.outbox.is_hungry(Lane::Bulk, limits);
        let Phase::Plain(plain) = &mut link.phase else {
            return;
        };
        if plain.describing || !hungry {
            return;
        }
        if let Some(item) = plain.giving.pop_front() {
            let begun = self.begin(Work::Describe(id), |token| Command::Describe {
                token,
                id: item,
            });
            if let Some(link) = self.links.get_mut(&id)
                && let Phase::Plain(plain) = &mut link.phase
            {
                plain.describing = begun;
            }
        }
    }

    pub(super) fn certificate_described(
        &mut self,
        token: Token,
        certificate: Option<PlainCertificate>,
        now: Instant,
    ) {
        let Some(Work::Describe(id)) = self.works.finish(token) else {
            return;
        };
        if let Some(link) = self.links.get_mut(&id)
            && let Phase::Plain(plain) = &mut link.phase
        {
            plain.describing = false;
        }
        for frame in PlainMessage::certificates(certificate.into_iter().collect()) {
            self.send_frame(id, Lane::Bulk, Frame::from(frame), now);
        }
        self.describe_more(id);
    }

    /// A certificate is held from now on.
    pub(super) fn tell_plain_links(&mut self, item: ItemId) {
        let mut told = Vec::new();
        for (&id, link) in &mut self.links {
            if let Phase::Plain(plain) = &mut link.phase
                && plain.giving.len() < MAX_QUEUED
            {
                plain.giving.push_back(item);
                told.push(id);
            }
        }
        for id in told {
            self.describe_more(id);
        }
    }

    /// The owner publishes something: everybody gets it, but not across amateur frequencies, where nobody's words about
    /// others go.
    pub(super) fn publish_frames(&mut self, frames: Vec<String>, now: Instant) {
        let links = self.links.iter();
        let able = links.filter(|(_, link)| {
            link.zone == Zone::Open && !matches!(link.phase, Phase::Opening(_))
        });
        let able: Vec<LinkId> = able.map(|(&id, _)| id).collect();
        for frame in &frames {
            let frame = Frame::from(frame.clone());
            for &id in &able {
                self.send_frame(id, Lane::Bulk, frame.clone(), now);
            }
        }
        self.published = frames;
    }
}

//! From a transport to a link: who is there, and is that true?
//!
//! Both ends send `Hello` at once and `Proof` as soon as they have read the other's. A proof is a
//! signature of the `link` statement, which names both nonces and both certificates, so it is worth
//! nothing on another link, at another time or for another server; no clock is asked.

use std::time::{Duration, Instant};

use station::statement::coordination::Link as LinkStatement;
use station::{Fingerprint, Statement, Zone};

use super::exchange::Exchange;
use super::input::{Examined, Frame, LinkId, Protocol, Standing};
use super::link::{Claimed, Link, Opening, Phase, Up};
use super::outbox::Lane;
use super::repair::Agreement;
use super::work::Work;
use super::{Command, Event, Node, Offence, Timer};
use crate::bytes::{Blob, Nonce, ServerId, Signature};
use crate::hash;
use crate::message::{Hello, Message, Proof, Refusal, Refuse, VERSION};

impl Node {
    pub(super) fn link_up(
        &mut self,
        id: LinkId,
        dialed: Option<String>,
        zone: Zone,
        protocol: Protocol,
        now: Instant,
    ) {
        if protocol == Protocol::Plain {
            return self.plain_link_up(id, dialed, zone, now);
        }
        let nonce = self.draw_nonce();
        let opening = Phase::Opening(Box::new(Opening::new(nonce)));
        let full = dialed.is_none() && self.opening() >= self.limits.handshakes;
        self.links.insert(id, Link::new(zone, dialed, opening, now));
        if full {
            return self.refuse(id, Refusal::Full, Duration::from_secs(5), now);
        }
        let due = now + self.limits.of(zone).handshake;
        self.timers.set(Timer::Silence(id), due);
        let hello = Message::Hello(Hello {
            version: VERSION,
            nonce,
            zone,
            chain: self.own.chain.clone(),
        });
        self.send(id, Lane::Urgent, &hello, now);
    }

    pub(super) fn hello(&mut self, id: LinkId, hello: Hello, now: Instant) {
        let ours = self.own_nonces();
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let zone = link.zone;
        let Some(opening) = link.opening_mut().filter(|opening| opening.hello.is_none()) else {
            return self.refuse(id, Refusal::BadMessage, Duration::ZERO, now);
        };
        if hello.version != VERSION {
            return self.refuse(id, Refusal::WrongVersion, Duration::ZERO, now);
        }
        if hello.zone != zone {
            return self.refuse(id, Refusal::ZoneMismatch, Duration::ZERO, now);
        }
        let fingerprint = hash::fingerprint(hello.chain.first().map_or(&[], Blob::as_bytes));
        if fingerprint == self.own.fingerprint {
            // Whoever reaches itself by one of its own addresses is no clone.
            if !ours.contains(&hello.nonce) {
                self.tell(Event::Clone);
            }
            return self.refuse(id, Refusal::SameServer, Duration::ZERO, now);
        }
        let chain = hello.chain.clone();
        opening.hello = Some(hello);
        let asked = self.begin(Work::ExamineHello(id), |token| Command::Examine {
            token,
            chain,
        });
        if !asked {
            self.refuse(id, Refusal::Full, Duration::from_secs(5), now);
        }
    }

    pub(super) fn hello_examined(&mut self, id: LinkId, examined: Option<Examined>, now: Instant) {
        let Some(Examined {
            callsign,
            key,
            standing,
        }) = examined
        else {
            return self.refuse(id, Refusal::BadCertificate, Duration::ZERO, now);
        };
        if standing == Standing::Blacklisted {
            return self.refuse(id, Refusal::Blacklisted, Duration::ZERO, now);
        }
        let opening = self.links.get_mut(&id).and_then(Link::opening_mut);
        let Some((opening, chain)) = opening.and_then(|opening| {
            let chain = opening.hello.as_ref()?.chain.clone();
            Some((opening, chain))
        }) else {
            return;
        };
        let fingerprint = hash::fingerprint(chain.first().map_or(&[], Blob::as_bytes));
        opening.peer = Some(Claimed {
            id: fingerprint.into(),
            fingerprint,
            chain,
            callsign,
            key,
            standing,
        });
        if let Some(statement) = self.link_statement(id) {
            self.sign(Work::SignProof(id), statement);
        }
        self.check_proof(id);
    }

    pub(super) fn proof_signed(&mut self, id: LinkId, signature: Signature, now: Instant) {
        if let Some(opening) = self.links.get_mut(&id).and_then(Link::opening_mut) {
            opening.proof_sent = true;
            let proof = Message::Proof(Proof { signature });
            self.send(id, Lane::Urgent, &proof, now);
            self.establish(id, now);
        }
    }

    pub(super) fn proof(&mut self, id: LinkId, proof: &Proof, now: Instant) {
        let opening = self.links.get_mut(&id).and_then(Link::opening_mut);
        match opening {
            Some(opening) if opening.proof.is_none() && opening.hello.is_some() => {
                opening.proof = Some(proof.signature);
                self.check_proof(id);
            }
            _ => self.refuse(id, Refusal::BadMessage, Duration::ZERO, now),
        }
    }

    /// What comes after their proof waits until that is checked: for them the link stands.
    pub(super) fn keep_early(&mut self, id: LinkId, frame: Frame, now: Instant) {
        let opening = self.links.get_mut(&id).and_then(Link::opening_mut);
        match opening {
            Some(opening) if opening.proof.is_some() => opening.keep(frame),
            _ => self.offend(id, Offence::OutOfPlace, now),
        }
    }

    /// Verifies their proof once both it and their certificates are there.
    fn check_proof(&mut self, id: LinkId) {
        let opening = self.links.get_mut(&id).and_then(Link::opening_mut);
        let known = opening.and_then(|opening| {
            let key = opening.peer.as_ref()?.key.clone();
            Some((key, opening.proof?))
        });
        if let Some((key, signature)) = known
            && let Some(statement) = self.link_statement(id)
        {
            self.verify(Work::VerifyProof(id), &key, statement, signature);
        }
    }

    pub(super) fn proof_verified(&mut self, id: LinkId, genuine: bool, now: Instant) {
        if !genuine {
            return self.refuse(id, Refusal::BadProof, Duration::ZERO, now);
        }
        if let Some(opening) = self.links.get_mut(&id).and_then(Link::opening_mut) {
            opening.proof_checked = true;
            self.establish(id, now);
        }
    }

    /// Makes a link of a handshake that is complete on our side, unless something speaks against it.
    fn establish(&mut self, id: LinkId, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let dialed = link.dialed.clone();
        let Some(opening) = link.opening_mut() else {
            return;
        };
        if !opening.proof_sent || !opening.proof_checked {
            return;
        }
        let (Some(peer), Some(hello)) = (opening.peer.clone(), opening.hello.as_ref()) else {
            return;
        };
        let nonces = if dialed.is_some() {
            [opening.nonce, hello.nonce]
        } else {
            [hello.nonce, opening.nonce]
        };
        let early = opening.take_early();
        if let Some(endpoint) = &dialed {
            self.book.belongs_to(endpoint, peer.id);
        }
        if let Err((refusal, wait)) = self.welcome(id, &peer, now) {
            let elsewhere = match refusal {
                Refusal::Full => self.endpoints_elsewhere(),
                _ => Vec::new(),
            };
            return self.refuse_with(id, refusal, wait, elsewhere, now);
        }
        self.link_stands(id, peer, nonces, now);
        for frame in early {
            self.receive_frame(id, &frame, now);
        }
    }

    /// Whether a server that proved itself gets a link.
    fn welcome(
        &mut self,
        id: LinkId,
        peer: &Claimed,
        now: Instant,
    ) -> Result<(), (Refusal, Duration)> {
        if let Some(pause) = self.paused(peer.id, now) {
            return Err((Refusal::Paused, pause));
        }
        if let Some(&other) = self.neighbours.get(&peer.id) {
            return if self.is_better(id, other, peer.id) {
                self.refuse(other, Refusal::Duplicate, Duration::ZERO, now);
                Ok(())
            } else {
                Err((Refusal::Duplicate, Duration::ZERO))
            };
        }
        let known = self.servers.get(peer.id).is_some();
        if peer.standing == Standing::Stranger && !self.has_place_for_stranger(known, id, now) {
            return Err((Refusal::TooManyStrangers, Duration::ZERO));
        }
        let full = self.neighbours.len() >= self.limits.links
            || (!known && self.servers.len() >= self.limits.servers);
        if full {
            return Err((Refusal::Full, Duration::ZERO));
        }
        Ok(())
    }

    /// Whether there is a place for a stranger who proved itself. One who has gone gives theirs up.
    fn has_place_for_stranger(&mut self, known: bool, id: LinkId, now: Instant) -> bool {
        let is_stranger = |server: &super::servers::Server| server.standing == Standing::Stranger;
        let linked = |server: &ServerId| self.neighbours.contains_key(server);
        let strangers = self
            .servers
            .iter()
            .filter(|(_, server)| is_stranger(server));
        let (here, gone): (Vec<_>, Vec<_>) = strangers.map(|(id, _)| id).partition(linked);
        if here.len() >= self.limits.stranger_links {
            return false;
        }
        let (kept, _) = self.servers.strangers(id);
        if known || kept < self.limits.strangers {
            return true;
        }
        let first = gone.first().copied();
        if let Some(first) = first {
            self.forget_server(first, now);
        }
        first.is_some()
    }

    /// Of two links to one server the one is kept that the server with the lower id dialled, which both
    /// ends can tell; of two that one end dialled, the later, for the other hangs.
    fn is_better(&self, new: LinkId, old: LinkId, peer: ServerId) -> bool {
        let dialed = |id| {
            self.links
                .get(&id)
                .is_some_and(|link: &Link| link.dialed.is_some())
        };
        let dialed_by_lower = |id| dialed(id) == (self.own.id < peer);
        dialed_by_lower(new) || !dialed_by_lower(old)
    }

    fn link_stands(&mut self, id: LinkId, peer: Claimed, nonces: [Nonce; 2], now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let zone = link.zone;
        let limits = self.limits.of(zone);
        let dials = link.dialed.is_some();
        link.phase = Phase::Up(Box::new(Up {
            peer: peer.id,
            agreement: Agreement::new(dials, limits, now),
            exchange: Exchange::new(nonces, dials, limits, now),
        }));
        if let Some(endpoint) = link.dialed.clone() {
            self.book.linked(&endpoint);
        }
        self.timers.set(Timer::Silence(id), now + limits.dead);
        self.timers.set(Timer::Beat(id), now + limits.beat);
        let server = peer.id;
        self.neighbours.insert(server, id);
        self.met(id, peer, now);
        self.tell(Event::Linked { link: id, server });
        self.neighbour_found(server, now);
        if dials {
            self.send_digest(id, now);
        }
        self.exchange_begins(id, now);
        if zone == Zone::Open {
            self.send_published(id, now);
        }
        self.gather_over(id, now);
        self.wait_before_dialing(zone, now);
        self.dial_soon(now);
    }

    pub(super) fn refused_by_them(&mut self, id: LinkId, refuse: &Refuse, now: Instant) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let refusal = Refusal::parse(&refuse.code);
        let server = self.fingerprint_at(link);
        let endpoint = link.dialed.clone();
        if refusal == Refusal::Full && self.standing_at(link) == Some(Standing::Trusted) {
            for elsewhere in &refuse.endpoints {
                self.peer_found(elsewhere, super::Source::Peer, None, now);
            }
        }
        self.tell(Event::Refused {
            endpoint,
            server,
            refusal,
            by_them: true,
        });
        let wait = Duration::from_secs(refuse.wait).min(self.limits.pause_most);
        let pause = self.pause_after(refusal, id);
        self.close(id, wait.max(pause), now);
    }

    /// The certificate that the other end of a link showed, proved or not.
    pub(super) fn fingerprint_at(&self, link: &Link) -> Option<Fingerprint> {
        match &link.phase {
            Phase::Plain(_) => None,
            Phase::Opening(opening) => opening.peer.as_ref().map(|peer| peer.fingerprint),
            Phase::Up(up) => self.servers.get(up.peer).map(|server| server.fingerprint),
        }
    }

    /// What this server makes of the other end of a link, if that end proved itself.
    fn standing_at(&self, link: &Link) -> Option<Standing> {
        match &link.phase {
            Phase::Plain(_) => None,
            Phase::Opening(opening) => {
                let peer = opening.peer.as_ref().filter(|_| opening.proof_checked);
                peer.map(|peer| peer.standing)
            }
            Phase::Up(up) => self.servers.get(up.peer).map(|server| server.standing),
        }
    }

    /// What both ends sign.
    fn link_statement(&self, id: LinkId) -> Option<Statement> {
        let link = self.links.get(&id)?;
        let Phase::Opening(opening) = &link.phase else {
            return None;
        };
        let ours = (opening.nonce, self.own.fingerprint);
        let theirs = (
            opening.hello.as_ref()?.nonce,
            opening.peer.as_ref()?.fingerprint,
        );
        let [dialer, acceptor] = if link.dialed.is_some() {
            [ours, theirs]
        } else {
            [theirs, ours]
        };
        Some(Statement::link(&LinkStatement {
            nonces: [dialer.0.as_bytes(), acceptor.0.as_bytes()],
            servers: [dialer.1, acceptor.1],
            zone: link.zone,
            version: VERSION,
        }))
    }

    fn opening(&self) -> usize {
        let links = self.links.values();
        links
            .filter(|link| matches!(link.phase, Phase::Opening(_)))
            .count()
    }

    fn own_nonces(&self) -> Vec<Nonce> {
        let links = self.links.values();
        links
            .filter_map(|link| match &link.phase {
                Phase::Opening(opening) => Some(opening.nonce),
                Phase::Plain(_) | Phase::Up(_) => None,
            })
            .collect()
    }
}

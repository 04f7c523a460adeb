//! The node: this server among the others.
//!
//! Tell it what happens ([`Node::handle_input`]), then carry out every [`Command`] that [`Node::poll`]
//! gives, and give it [`Input::Tick`] at [`Node::deadline`]. Whoever owns the sockets, the keys and the
//! store answers its questions: [`Command::Examine`], `Sign`, `Verify`, `Load`, `Admit`, `Describe`.
//! Answers may come late and in any order; one that never comes costs a place among those awaited.
//!
//! Reading order: [`input`] and [`command`] (what goes in and out), [`limits`]; then by subject
//! - links: `link` (one), `handshake`, `outbox`, `conduct`, `book` and `dialing` (whom to dial);
//! - records: `servers` (what is known), `own` (what we say), `records` (what others say), `repair` (what
//!   was missed) and `search` (when to look for it);
//! - people: `roster`, `presence`;
//! - ways: `routes`, `alive` (who is there), `parcels` and `window`;
//! - sets: `catalog`, `exchange`; and `plain` for servers that know only the contract's messages.

mod alive;
mod book;
mod catalog;
mod command;
mod conduct;
mod dialing;
mod exchange;
mod handshake;
mod input;
mod limits;
mod link;
mod outbox;
mod own;
mod parcels;
mod plain;
mod presence;
mod records;
mod repair;
mod roster;
mod routes;
mod search;
mod servers;
mod view;
mod window;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use station::Zone;

use crate::bytes::{Nonce, ServerId};
use crate::entropy::Entropy;
use crate::message::{Message, Refusal, Refuse, Topic};
use crate::time::Timers;
use book::Book;
use catalog::Catalog;
use conduct::Conduct;
use dialing::Dialing;
use link::{Link, Phase, Up};
use outbox::{Lane, Next};
use own::Own;
use parcels::Parcels;
use routes::Routes;
use servers::Servers;
use work::Works;

pub use book::PlaceView;
pub use command::{Command, Event, Fate};
pub use conduct::Offence;
pub use input::{
    Admission, Checkpoint, Examined, Frame, HeldItem, Input, LinkId, Memory, Myself, Protocol,
    Source, Standing, Token,
};
pub use limits::{Limits, LinkLimits};
pub use outbox::WINDOW_FRAMES;
pub use view::{LinkView, ServerView};

/// This server among the others, and the state machine over all it knows of them.
#[derive(Debug)]
pub struct Node {
    limits: Limits,
    entropy: Entropy,
    timers: Timers<Timer>,
    commands: VecDeque<Command>,
    works: Works,
    own: Own,
    links: BTreeMap<LinkId, Link>,
    /// The link to each server that has one.
    neighbours: BTreeMap<ServerId, LinkId>,
    servers: Servers,
    routes: Routes,
    /// Servers whose answer is waited for.
    asking: BTreeSet<ServerId>,
    parcels: Parcels,
    catalog: Catalog,
    book: Book,
    dialing: Dialing,
    conduct: BTreeMap<ServerId, Conduct>,
    /// What the owner publishes for everybody: plain messages.
    published: Vec<String>,
}

/// What becomes due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A link has been silent for too long, or its handshake has.
    Silence(LinkId),
    /// A beat is to be sent.
    Beat(LinkId),
    /// A link's rate lets it send again.
    Flush(LinkId),
    /// A step of reconciliation or items are awaited for too long, or the next search is due.
    Exchange(LinkId),
    /// Our record is to be made anew, because something changed.
    Publish,
    /// Our record is to be made anew, because it grows old.
    Refresh,
    /// Our boot counter is to be raised above one that was heard.
    Adopt,
    /// A neighbour that comes and goes has stayed long enough to be told of.
    Announce(ServerId),
    /// The ways to the others are to be computed.
    Route,
    /// A record has come to its end.
    Expire(ServerId),
    /// A server is to be asked, again, whether it lives.
    Ask(ServerId),
    /// A roster is to be asked for, again.
    Gather(ServerId, Topic),
    /// A parcel's receipt is awaited for too long.
    Retry(u64),
    /// Somebody may be dialled.
    Dial,
    /// Newest records are to be stored.
    Remember,
}

impl Node {
    /// A node that begins now. `seed` is 32 random bytes that nobody else knows.
    #[must_use]
    pub fn new(
        limits: Limits,
        myself: Myself,
        memory: Memory,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let mut entropy = Entropy::new(seed);
        let own = Own::new(myself, memory.boot, &mut entropy);
        let mut node = Self {
            limits,
            entropy,
            timers: Timers::new(),
            commands: VecDeque::new(),
            works: Works::default(),
            own,
            links: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            servers: Servers::new(memory.records),
            routes: Routes::default(),
            asking: BTreeSet::new(),
            parcels: Parcels::default(),
            catalog: Catalog::default(),
            book: Book::default(),
            dialing: Dialing::default(),
            conduct: BTreeMap::new(),
            published: Vec::new(),
        };
        for (set, item) in memory.items {
            node.note_held(set, item);
        }
        for (chain, examined) in memory.servers {
            node.remember_server(chain, examined, now);
        }
        node.timers.set(Timer::Publish, now);
        node.timers.set(Timer::Remember, now + limits.remember);
        node.tick(now);
        node
    }

    /// Something happened. Carry out the commands that follow from it before telling anything else.
    pub fn handle_input(&mut self, input: Input, now: Instant) {
        match input {
            Input::Tick => {}
            Input::LinkUp {
                link,
                dialed,
                zone,
                protocol,
            } => self.link_up(link, dialed, zone, protocol, now),
            Input::DialFailed { endpoint } => self.dial_failed(&endpoint, now),
            Input::LinkDown { link } => self.forget_link(link, Duration::ZERO, now),
            Input::Frame { link, frame } => self.receive(link, &frame, now),
            Input::Control { link, bytes } => self.control(link, bytes, now),
            Input::Written {
                link,
                frames,
                bytes,
            } => self.written(link, frames, bytes, now),
            Input::Examined { token, server } => self.examined(token, server, now),
            Input::Signed { token, signature } => self.signed(token, signature, now),
            Input::Verified { token, genuine } => self.verified(token, genuine, now),
            Input::Standing { server, standing } => self.judge(server, standing, now),
            Input::PeerFound {
                endpoint,
                source,
                hint,
            } => self.peer_found(&endpoint, source, hint, now),
            Input::PeerLost { endpoint, source } => self.book.remove(&endpoint, source),
            Input::Myself {
                endpoints,
                capabilities,
            } => self.describe_myself(endpoints, capabilities, now),
            Input::Joined { topic, id, person } => self.person_joined(topic, id, &person, now),
            Input::Left { topic, id } => self.person_left(topic, id, now),
            Input::Post {
                to,
                tag,
                within,
                body,
            } => self.post(to, tag, within, body, now),
            Input::Held { set, item } => self.item_held(set, item, None, now),
            Input::Dropped { set, id } => self.catalog.drop(set, id, self.limits.stubs),
            Input::Loaded { token, data } => self.item_loaded(token, data, now),
            Input::Admitted { token, outcome } => self.item_admitted(token, outcome, now),
            Input::Described { token, certificate } => {
                self.certificate_described(token, certificate, now);
            }
            Input::Publish { frames } => self.publish_frames(frames, now),
        }
        self.tick(now);
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When [`Input::Tick`] is next due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn tick(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take(now) {
            match timer {
                Timer::Silence(link) => self.look_for_silence(link, now),
                Timer::Beat(link) => self.beat(link, now),
                Timer::Flush(link) => self.flush(link, now),
                Timer::Exchange(link) => self.exchange_due(link, now),
                Timer::Publish => self.publish(now),
                Timer::Refresh => self.refresh(now),
                Timer::Adopt => self.adopt(now),
                Timer::Announce(server) => self.announce(server, now),
                Timer::Route => self.look_around(now),
                Timer::Expire(server) => self.expire(server, now),
                Timer::Ask(server) => self.ask(server, now),
                Timer::Gather(server, topic) => self.gather(server, topic, now),
                Timer::Retry(parcel) => self.retry_parcel(parcel, now),
                Timer::Dial => self.dial(now),
                Timer::Remember => self.remember_records(now),
            }
        }
    }

    fn receive(&mut self, id: LinkId, frame: &Frame, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        link.heard = now;
        if link.charge(frame.len(), limits, now).is_err() {
            return self.offend(id, Offence::Flood, now);
        }
        self.receive_frame(id, frame, now);
    }

    fn receive_frame(&mut self, id: LinkId, frame: &Frame, now: Instant) {
        match frame {
            Frame::Text(text) => self.receive_plain(id, text, now),
            Frame::Binary(bytes) => self.receive_message(id, bytes.as_bytes(), now),
        }
    }

    /// A transport answers pings by itself, and whoever sends them has said nothing yet: they keep no link that is
    /// silent otherwise.
    fn control(&mut self, id: LinkId, bytes: usize, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        if link.charge(bytes, limits, now).is_err() {
            self.offend(id, Offence::Flood, now);
        }
    }

    fn receive_message(&mut self, id: LinkId, bytes: &[u8], now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let message = match Message::decode(bytes) {
            Ok(Message::Part(part)) => match link.assemble(&part) {
                Ok(None) => return,
                Ok(Some(whole)) => match Message::decode(&whole) {
                    Ok(message) if !matches!(message, Message::Part(_)) => message,
                    _ => return self.offend(id, Offence::Undecodable, now),
                },
                Err(_) => return self.offend(id, Offence::Flood, now),
            },
            Ok(message) => message,
            Err(_) => return self.offend(id, Offence::Undecodable, now),
        };
        match (message, &link.phase) {
            (Message::Refuse(refuse), _) => self.refused_by_them(id, &refuse, now),
            (message, Phase::Up(up)) => {
                let peer = up.peer;
                self.receive_from(id, peer, message, now);
            }
            (Message::Hello(hello), Phase::Opening(_)) => self.hello(id, hello, now),
            (Message::Proof(proof), Phase::Opening(_)) => self.proof(id, &proof, now),
            (message, Phase::Opening(_)) => self.keep_early(id, Frame::from(&message), now),
            _ => self.offend(id, Offence::OutOfPlace, now),
        }
    }

    /// A message over a link that stands.
    fn receive_from(&mut self, id: LinkId, peer: ServerId, message: Message, now: Instant) {
        match message {
            Message::Beat(beat) => self.compare_beat(id, beat, now),
            Message::Digest(digest) => self.compare_digest(id, &digest, now),
            Message::Versions(versions) => self.compare_versions(id, &versions, now),
            Message::Want(want) => self.wanted(id, &want, now),
            Message::Intro(introduction) => self.introduced(id, introduction, now),
            Message::Update(update) => self.receive_update(id, update, now),
            Message::Who(wanted) => self.who(id, &wanted, now),
            Message::People(people) => self.receive_people(id, people, now),
            Message::Routed(routed) => self.receive_routed(id, peer, routed, now),
            Message::Reconcile(step) => self.reconcile(id, &step, now),
            Message::Have(have) => self.they_have(id, &have, now),
            Message::Get(get) => self.they_get(id, &get, now),
            Message::Item(item) => self.receive_item(id, item, now),
            Message::Absent(absent) => self.absent(id, &absent, now),
            Message::Hello(_) | Message::Proof(_) | Message::Refuse(_) | Message::Part(_) => {
                self.offend(id, Offence::OutOfPlace, now);
            }
        }
    }

    /// Sends a message, unless its lane is full. True if it will be sent.
    fn send(&mut self, id: LinkId, lane: Lane, message: &Message, now: Instant) -> bool {
        self.send_frame(id, lane, Frame::from(message), now)
    }

    fn send_frame(&mut self, id: LinkId, lane: Lane, frame: Frame, now: Instant) -> bool {
        let Some(link) = self.links.get_mut(&id) else {
            return false;
        };
        let limits = self.limits.of(link.zone);
        let fits = link.outbox.push(lane, frame, limits);
        self.flush(id, now);
        fits
    }

    /// Gives the transport what may be sent now.
    fn flush(&mut self, id: LinkId, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        loop {
            match link.outbox.next(limits, now) {
                Next::Send(frame) => self.commands.push_back(Command::Send { link: id, frame }),
                Next::At(at) => return self.timers.set(Timer::Flush(id), at),
                Next::Nothing => return self.timers.clear(Timer::Flush(id)),
            }
        }
    }

    fn written(&mut self, id: LinkId, frames: usize, bytes: usize, now: Instant) {
        if let Some(link) = self.links.get_mut(&id) {
            link.outbox.written(frames, bytes);
            self.flush(id, now);
            self.give_more(id, now);
        }
    }

    /// A link's other end did what no honest server does.
    fn offend(&mut self, id: LinkId, offence: Offence, now: Instant) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let Some(server) = link.peer() else {
            // Nobody to remember it of: whoever owns the transport counts by address.
            return self.refuse(id, Refusal::BadMessage, Duration::ZERO, now);
        };
        let limits = self.limits;
        self.make_room_for_conduct(server);
        let conduct = self.conduct.entry(server);
        let ended = conduct
            .or_insert_with(|| Conduct::new(now))
            .offend(&limits, now);
        self.tell(Event::Misconduct {
            server,
            offence,
            ended,
        });
        if ended {
            let pause = self.paused(server, now).unwrap_or_default();
            self.refuse(id, Refusal::Paused, pause, now);
        }
    }

    /// Who misbehaves under ever new names fills no memory: the one is forgotten who would be first anyway.
    fn make_room_for_conduct(&mut self, server: ServerId) {
        if self.conduct.len() < self.limits.servers || self.conduct.contains_key(&server) {
            return;
        }
        let all = self.conduct.iter();
        let first = all.min_by_key(|(_, conduct)| conduct.remembered_until(&self.limits));
        if let Some((&first, _)) = first {
            self.conduct.remove(&first);
        }
    }

    /// Charges work to a link. False if that is more than it may cause.
    fn spend_effort(&mut self, id: LinkId, units: usize, now: Instant) -> bool {
        let Some(link) = self.links.get_mut(&id) else {
            return false;
        };
        let effort = self.limits.of(link.zone).effort;
        link.effort.spend(units, effort, now).is_ok()
    }

    fn paused(&mut self, server: ServerId, now: Instant) -> Option<Duration> {
        let limits = self.limits;
        self.conduct
            .retain(|_, conduct| !conduct.is_forgotten(&limits, now));
        self.conduct.get(&server)?.paused(now)
    }

    /// Says why there is no link, and ends it.
    fn refuse(&mut self, id: LinkId, refusal: Refusal, wait: Duration, now: Instant) {
        self.refuse_with(id, refusal, wait, Vec::new(), now);
    }

    fn refuse_with(
        &mut self,
        id: LinkId,
        refusal: Refusal,
        wait: Duration,
        endpoints: Vec<String>,
        now: Instant,
    ) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let server = self.fingerprint_at(link);
        let endpoint = link.dialed.clone();
        let message = Message::Refuse(Refuse {
            code: refusal.as_str().to_owned(),
            wait: wait.as_secs(),
            endpoints,
        });
        let frame = Frame::from(&message);
        self.commands.push_back(Command::Send { link: id, frame });
        self.tell(Event::Refused {
            endpoint,
            server,
            refusal,
            by_them: false,
        });
        let pause = self.pause_after(refusal, id);
        self.close(id, wait.max(pause), now);
    }

    /// Ends a link from this side.
    fn close(&mut self, id: LinkId, wait: Duration, now: Instant) {
        self.commands.push_back(Command::Close { link: id });
        self.forget_link(id, wait, now);
    }

    /// A link is gone; the endpoint it was dialled at is not dialled again for at least `wait`.
    fn forget_link(&mut self, id: LinkId, wait: Duration, now: Instant) {
        let Some(link) = self.links.remove(&id) else {
            return;
        };
        for timer in [
            Timer::Silence(id),
            Timer::Beat(id),
            Timer::Flush(id),
            Timer::Exchange(id),
        ] {
            self.timers.clear(timer);
        }
        self.works.forget_link(id);
        if let Some(endpoint) = &link.dialed {
            self.book
                .ended(endpoint, wait, &self.limits, &mut self.entropy, now);
        }
        if let Some(peer) = link.peer()
            && self.neighbours.get(&peer) == Some(&id)
        {
            self.neighbours.remove(&peer);
            self.neighbour_lost(peer, now);
            self.gather_elsewhere(id, now);
            self.tell(Event::Unlinked {
                link: id,
                server: peer,
            });
        }
        self.dial_soon(now);
    }

    fn tell(&mut self, event: Event) {
        self.commands.push_back(Command::Tell(event));
    }

    fn draw_nonce(&mut self) -> Nonce {
        Nonce::new(self.entropy.draw())
    }

    /// Links that stand.
    fn links_up(&self) -> Vec<LinkId> {
        self.neighbours.values().copied().collect()
    }

    fn up_mut(&mut self, id: LinkId) -> Option<&mut Up> {
        self.links.get_mut(&id)?.up_mut()
    }

    /// How long the endpoint of a link is left alone after a refusal that time alone does not change.
    fn pause_after(&self, refusal: Refusal, id: LinkId) -> Duration {
        match refusal {
            Refusal::SameServer => Duration::from_secs(3_600),
            Refusal::WrongVersion
            | Refusal::ZoneMismatch
            | Refusal::BadCertificate
            | Refusal::BadProof
            | Refusal::Blacklisted
            | Refusal::TooManyStrangers => Duration::from_secs(120),
            Refusal::Full => Duration::from_secs(30),
            // By then it is known whether the other link lives. Two servers with one key would drive
            // each other out without end.
            Refusal::Duplicate => {
                let zone = self.links.get(&id).map_or(Zone::Open, |link| link.zone);
                self.limits.of(zone).dead
            }
            Refusal::Paused | Refusal::BadMessage | Refusal::Other => Duration::ZERO,
        }
    }
}

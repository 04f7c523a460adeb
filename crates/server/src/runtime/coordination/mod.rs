//! This server among the others: the coordination node with its surroundings.
//!
//! The node stands behind a plain mutex like the hub (`docs/decisions/0019-coordination.md`). Frames are
//! put into a link's queue under that lock, so each link gets them in the node's order. Signatures are
//! made and verified outside it, by whichever task caused them. What needs the disk, the trust graph
//! or the hub is an [`Errand`]: two workers do these in order, one for what somebody waits for and one
//! for the sets, so that ten thousand certificates delay no call.
//!
//! There is a node while the server is open to the network. Closing it ends every link.
//!
//! Reading order: this file; `line` (one transport), `errands`, `sets`, `people` (who is where, and their signals), `peers` (whom to dial, and what the
//! owner says), `view` and `present` (what is shown).

mod early;
mod errands;
mod line;
mod peers;
mod people;
mod present;
mod sets;
mod view;
mod warnings;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coordination::message::Refusal;
use coordination::{
    Blob, Command, Event, Input, Limits, LinkId, Memory, Myself, Node, Protocol, Signature, Token,
};
use pki::{Certificate, PublicKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use signaling::limit::Meter;
use station::{Fingerprint, Statement, Zone};
use store::{Claim, StoreError};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::{
    Attempts, Authority, ClaimState, Neighbourhood, NoRandomness, Onward, Ownership, Switchboard,
    lock,
};
use crate::CAPABILITIES;
use crate::network::zoning::Zoning;
use crate::network::{Ends, Reach, url_host};
use errands::{Errand, Origin};
use people::People;
use sets::Told;
use warnings::Seen;

pub use line::{Heard, Line, Outgoing, carry};
pub use present::PresentServer;
pub use view::{PeerRow, PeerState};
pub use warnings::{SplitLog, Warnings};

/// How often the addresses of this machine are looked at, and names of the sets compared.
const LOOK_AROUND: Duration = Duration::from_secs(5);

/// How long who comes before the node is there is kept waiting for it.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);

/// How long changes of the trust graph are gathered before the sets follow.
const GATHER: Duration = Duration::from_millis(100);

/// Links that one group of addresses may have open to us. Beyond this machine it is far more than a house
/// has servers.
const LINKS_OF_ONE: usize = 16;

/// Endpoints whose last trouble is remembered.
const MOST_TROUBLES: usize = 256;

/// What a coordinator works with.
#[derive(Debug)]
pub struct Surroundings {
    /// Whose server this is.
    pub ownership: Arc<Ownership>,
    /// Whom it believes.
    pub authority: Arc<Authority>,
    /// Everybody connected.
    pub switchboard: Arc<Switchboard>,
    /// What may cross which network.
    pub zoning: Arc<Zoning>,
    /// Servers heard nearby.
    pub neighbourhood: Arc<Mutex<Neighbourhood>>,
    /// Which addresses the server listens on.
    pub reach: Reach,
    /// Its port.
    pub port: u16,
}

/// The node, and every link's line to it.
pub struct Coordinator {
    around: Surroundings,
    core: Mutex<Core>,
    random: SystemRandom,
    attempts: Attempts,
    /// What may be written down of those for whom nobody here vouches.
    unvouched: Mutex<Meter>,
    /// The node has a deadline earlier than the one waited for.
    sooner: Notify,
    /// What the sets were told of.
    told: Mutex<Told>,
    /// Who is where, and their signals.
    people: Mutex<People>,
    /// What the owner should know.
    seen: Mutex<Seen>,
    /// Tells when a node begins.
    begun: watch::Sender<()>,
}

/// Where the coordinator's work goes: to be given to [`Coordinator::run`].
#[derive(Debug)]
pub struct Inbox {
    urgent: mpsc::UnboundedReceiver<Errand>,
    sets: mpsc::UnboundedReceiver<Errand>,
}

/// Endpoints to dial, for whoever owns the sockets.
pub type Dials = mpsc::UnboundedReceiver<String>;

struct Core {
    node: Option<Node>,
    /// Our certificate, while there is a node.
    own: Option<Fingerprint>,
    lines: BTreeMap<LinkId, Open>,
    /// Links so far; the next one's name.
    links: u64,
    /// The deadline that [`Coordinator::run`] waits for.
    alarm: Option<Instant>,
    urgent: mpsc::UnboundedSender<Errand>,
    sets: mpsc::UnboundedSender<Errand>,
    dials: mpsc::UnboundedSender<String>,
    /// Why the last attempt at an endpoint came to nothing.
    troubles: BTreeMap<String, Refusal>,
}

/// A transport that is there.
struct Open {
    ends: Ends,
    zone: Zone,
    dialed: bool,
    since: Instant,
    /// When something last came.
    heard: Instant,
    /// Bounded by the node, which gives a link no more than its window before some of it is written.
    queue: mpsc::UnboundedSender<Outgoing>,
}

/// Cryptography the node asked for.
enum Work {
    Sign(Token, Statement),
    Verify(Token, Arc<[u8]>, Statement, Signature),
}

/// What a command leads to, beside what is done at once.
#[derive(Default)]
struct Following {
    work: Vec<Work>,
    /// Who did what no server does, before it had proved who it is.
    failed: Vec<Ends>,
}

impl Coordinator {
    /// A coordinator without a node yet, what it has to do, and whom it wants dialled.
    #[must_use]
    pub fn new(around: Surroundings) -> (Arc<Self>, Inbox, Dials) {
        let (urgent, urgent_errands) = mpsc::unbounded_channel();
        let (sets, set_errands) = mpsc::unbounded_channel();
        let (dials, dialed) = mpsc::unbounded_channel();
        let coordinator = Self {
            around,
            core: Mutex::new(Core {
                node: None,
                own: None,
                lines: BTreeMap::new(),
                links: 0,
                alarm: None,
                urgent,
                sets,
                dials,
                troubles: BTreeMap::new(),
            }),
            random: SystemRandom::new(),
            attempts: Attempts::default(),
            unvouched: Mutex::new(Meter::new(Instant::now())),
            sooner: Notify::new(),
            told: Mutex::default(),
            people: Mutex::default(),
            seen: Mutex::default(),
            begun: watch::Sender::new(()),
        };
        let inbox = Inbox {
            urgent: urgent_errands,
            sets: set_errands,
        };
        (Arc::new(coordinator), inbox, dialed)
    }

    /// Coordinates while the server is open to the network, for ever.
    pub async fn run(self: Arc<Self>, inbox: Inbox, onward: mpsc::UnboundedReceiver<Onward>) {
        tokio::join!(
            self.keep_time(),
            self.follow_state(),
            self.follow_neighbours(),
            self.follow_changes(),
            self.follow_zones(),
            self.follow_people(onward),
            errands::work(&self, inbox.urgent),
            errands::work(&self, inbox.sets),
        );
    }

    /// Waits a moment for the node of a server that has just become active. Whether it is there.
    pub async fn is_there(&self) -> bool {
        let mut begun = self.begun.subscribe();
        let there = async {
            while lock(&self.core).node.is_none() {
                if begun.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        timeout(BEGINS_WITHIN, there).await.unwrap_or(false)
    }

    /// Whether somebody who comes over these ends may open a link: there are not too many from there, and
    /// not too many failed lately.
    #[must_use]
    pub fn may_link(&self, ends: Ends) -> bool {
        let paused = self.attempts.may_try(ends.group(), Instant::now()).is_err();
        !paused && !lock(&self.core).is_crowded(ends)
    }

    /// A transport to another server is there: over these ends, by our dialling or theirs. None while
    /// there is no node, or when too many come from there.
    pub fn link_up(
        self: &Arc<Self>,
        dialed: Option<String>,
        ends: Ends,
        protocol: Protocol,
    ) -> Option<Line> {
        let zone = self.around.zoning.of(ends).zone;
        let now = Instant::now();
        let (queue, outgoing) = mpsc::unbounded_channel();
        let link = {
            let mut core = lock(&self.core);
            core.node.as_ref()?;
            if dialed.is_none() && core.is_crowded(ends) {
                return None;
            }
            core.links += 1;
            let link = LinkId(core.links);
            let open = Open {
                ends,
                zone,
                dialed: dialed.is_some(),
                since: now,
                heard: now,
                queue,
            };
            core.lines.insert(link, open);
            link
        };
        let line = Line::new(Arc::clone(self), link, protocol, outgoing);
        self.tell(Input::LinkUp {
            link,
            dialed,
            zone,
            protocol,
        });
        Some(line)
    }

    /// A dial came to nothing.
    pub fn dial_failed(&self, endpoint: String) {
        self.tell(Input::DialFailed { endpoint });
    }

    /// Tells the node something and carries out what it wants, until it wants nothing more.
    fn tell(&self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let following = lock(&self.core).tell(input);
            for ends in following.failed.into_iter().filter(|ends| !ends.loopback()) {
                self.attempts.failed(ends.group(), Instant::now());
            }
            let answers = following
                .work
                .into_iter()
                .filter_map(|work| self.answer(work));
            inputs.extend(answers);
        }
        if lock(&self.core).is_late() {
            self.sooner.notify_one();
        }
    }

    /// Waits until what the sets were brought so far is judged.
    async fn catch_up(&self) {
        let (done, caught_up) = oneshot::channel();
        // The worker ends with the server, and then nobody waits.
        let _ = lock(&self.core).sets.send(Errand::CatchUp(done));
        let _ = caught_up.await;
    }

    /// Does the cryptography.
    fn answer(&self, work: Work) -> Option<Input> {
        match work {
            Work::Sign(token, statement) => {
                let signature = self.sign(&statement);
                if signature.is_none() {
                    tracing::error!(
                        "the server's key cannot sign; other servers do without this one"
                    );
                }
                let signature = signature?;
                Some(Input::Signed { token, signature })
            }
            Work::Verify(token, key, statement, signature) => {
                let text = URL_SAFE_NO_PAD.encode(signature.as_bytes());
                let key = PublicKey::from_spki(&key);
                let genuine = key.is_ok_and(|key| key.verify(&statement, &text).is_ok());
                Some(Input::Verified { token, genuine })
            }
        }
    }

    fn sign(&self, statement: &Statement) -> Option<Signature> {
        let text = self.around.ownership.key().sign(statement, &self.random);
        let bytes = URL_SAFE_NO_PAD.decode(text.ok()?).ok()?;
        Some(Signature::new(bytes.try_into().ok()?))
    }

    /// Wakes the node at its deadlines, for ever.
    async fn keep_time(&self) {
        loop {
            let alarm = {
                let mut core = lock(&self.core);
                core.alarm = core.node.as_ref().and_then(Node::deadline);
                core.alarm
            };
            match alarm {
                None => self.sooner.notified().await,
                Some(alarm) => tokio::select! {
                    () = self.sooner.notified() => {}
                    () = tokio::time::sleep_until(alarm.into()) => self.tell(Input::Tick),
                },
            }
        }
    }

    /// Has a node while the server is open to the network.
    async fn follow_state(self: &Arc<Self>) {
        let mut states = self.around.ownership.watch_state();
        loop {
            let open = *states.borrow_and_update() == ClaimState::Active;
            if open {
                let coordinator = Arc::clone(self);
                let begun = tokio::task::spawn_blocking(move || coordinator.begin()).await;
                if let Ok(Err(error)) = begun {
                    tracing::error!(%error, "this server does not coordinate with others");
                }
            } else {
                self.end();
            }
            if states.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Starts the node with what this server remembers. Blocks on the disk.
    fn begin(&self) -> Result<(), BeginError> {
        if lock(&self.core).node.is_some() {
            return Ok(());
        }
        let Some(claim) = self.around.ownership.claim() else {
            return Ok(());
        };
        let mut seed = [0; 32];
        self.random.fill(&mut seed).map_err(|_| NoRandomness)?;
        let (boot, records, named) = {
            let store = self.around.ownership.store();
            let mut store = lock(&store);
            (store.next_boot()?, store.server_records()?, store.peers()?)
        };
        let items = self.recall_items();
        let memory = Memory {
            boot,
            records: records.into_iter().map(errands::recalled).collect(),
            servers: Vec::new(),
            items,
        };
        let myself = self.myself(&claim);
        let callsign = myself.callsign.clone();
        {
            let mut core = lock(&self.core);
            let now = Instant::now();
            core.own = Some(myself.fingerprint());
            core.node = Some(Node::new(Limits::default(), myself, memory, seed, now));
        }
        tracing::info!(%callsign, boot, "coordinating with other servers");
        self.tell(Input::Tick);
        self.name_peers(named);
        self.begun.send_replace(());
        Ok(())
    }

    /// Ends every link and forgets the node: the server is closed, or stops.
    pub fn end(&self) {
        let lines = {
            let mut core = lock(&self.core);
            core.node = None;
            core.troubles.clear();
            std::mem::take(&mut core.lines)
        };
        for open in lines.into_values() {
            // Whoever serves the link may be gone already.
            let _ = open.queue.send(Outgoing::Close);
        }
        self.forget_people();
    }

    fn myself(&self, claim: &Claim) -> Myself {
        let chain = [&claim.server, &claim.owner]
            .into_iter()
            .chain(&claim.chain);
        Myself {
            callsign: claim.owner.callsign().clone(),
            chain: chain
                .map(|one: &Certificate| Blob::from(one.der()))
                .collect(),
            key: Arc::from(claim.server.public_key().spki().as_slice()),
            endpoints: self.endpoints(),
            capabilities: capabilities(),
        }
    }

    /// Where other servers reach this one: over TLS, but not across amateur frequencies.
    fn endpoints(&self) -> Vec<String> {
        let addresses = self.around.reach.addresses().into_iter();
        addresses
            .map(|address| {
                let zone = self.around.zoning.between(address, address).zone;
                let scheme = if zone == Zone::Open { "https" } else { "http" };
                format!("{scheme}://{}:{}", url_host(address), self.around.port)
            })
            .collect()
    }

    /// Ends links whose network counts as something else now.
    async fn follow_zones(&self) {
        let mut changes = self.around.zoning.watch();
        while changes.changed().await.is_ok() {
            let turned: Vec<LinkId> = {
                let core = lock(&self.core);
                let lines = core.lines.iter();
                let turned =
                    lines.filter(|(_, open)| self.around.zoning.of(open.ends).zone != open.zone);
                turned.map(|(&link, _)| link).collect()
            };
            for link in turned {
                self.hang_up(link);
            }
            self.describe_myself();
        }
        std::future::pending::<()>().await;
    }

    /// Ends a link from this side.
    fn hang_up(&self, link: LinkId) {
        let open = lock(&self.core).lines.remove(&link);
        if let Some(open) = open {
            let _ = open.queue.send(Outgoing::Close);
            self.tell(Input::LinkDown { link });
        }
    }

    fn describe_myself(&self) {
        self.tell(Input::Myself {
            endpoints: self.endpoints(),
            capabilities: capabilities(),
        });
    }
}

/// Why a node did not begin.
#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

fn capabilities() -> Vec<String> {
    CAPABILITIES.iter().map(ToString::to_string).collect()
}

impl Core {
    fn tell(&mut self, input: Input) -> Following {
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
                self.queue(link, Outgoing::Close);
                let open = self.lines.remove(&link);
                if let (Some(open), Some(refusal)) = (open, refused.take())
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

    fn is_crowded(&self, ends: Ends) -> bool {
        let lines = self.lines.values();
        let same = lines.filter(|open| !open.dialed && open.ends.group() == ends.group());
        !ends.loopback() && same.count() >= LINKS_OF_ONE
    }

    fn queue(&self, link: LinkId, outgoing: Outgoing) {
        if let Some(open) = self.lines.get(&link) {
            // Whoever serves the link may be gone, and tells so soon.
            let _ = open.queue.send(outgoing);
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
    fn is_late(&self) -> bool {
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

impl fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = lock(&self.core);
        f.debug_struct("Coordinator")
            .field("running", &core.node.is_some())
            .field("lines", &core.lines.len())
            .finish_non_exhaustive()
    }
}

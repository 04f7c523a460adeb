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
//! Reading order: this file; `node` (what the lock guards), `life` (when there is a node), `line` (one
//! transport), `errands`, `sets`, `people` and `logins` (who is where, and their signals), `peers` (whom to
//! dial, and what the owner says), `view` and `present` (what is shown), `said` (plain messages), `plain` and
//! `advice` (what is made of them).

mod advice;
mod early;
mod errands;
mod life;
mod line;
mod logins;
mod node;
mod peers;
mod people;
mod plain;
mod present;
mod said;
mod sets;
mod view;
mod warnings;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coordination::{Input, LinkId, Node, Protocol, Signature};
use pki::PublicKey;
use ring::rand::SystemRandom;
use signaling::limit::Meter;
use station::Statement;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::{Attempts, Authority, Neighbourhood, Onward, Ownership, Switchboard, lock};
use crate::network::zoning::Zoning;
use crate::network::{Ends, Reach};
use advice::Published;
use errands::Errand;
use logins::Logins;
use node::{Core, Open, Work};
use people::People;
use said::Said;
use sets::Told;
use warnings::Seen;

pub use advice::{About, Advice, AdviceList};
pub use line::{Line, Outgoing, carry};
pub use plain::Catalog;
pub use present::PresentServer;
pub use view::{PeerRow, PeerState};
pub use warnings::{SplitLog, Warnings};

/// How often the addresses of this machine are looked at, and names of the sets compared.
const LOOK_AROUND: Duration = Duration::from_secs(5);

/// How long who comes before the node is there is kept waiting for it.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);

/// How long changes of the trust graph are gathered before the sets follow.
const GATHER: Duration = Duration::from_millis(100);

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
    /// Whose logins may be verified.
    logins: Mutex<Logins>,
    /// Somebody's login has to wait.
    delayed: Notify,
    /// What the owner should know.
    seen: Mutex<Seen>,
    /// What is told of the owner's blacklist.
    published: Mutex<Published>,
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
                said: Said::default(),
            }),
            random: SystemRandom::new(),
            attempts: Attempts::default(),
            unvouched: Mutex::new(Meter::new(Instant::now())),
            sooner: Notify::new(),
            told: Mutex::default(),
            people: Mutex::default(),
            logins: Mutex::new(Logins::new(Instant::now())),
            delayed: Notify::new(),
            seen: Mutex::default(),
            published: Mutex::default(),
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
            self.follow_logins(),
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
        let (queue, outgoing) = mpsc::channel(line::QUEUE);
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

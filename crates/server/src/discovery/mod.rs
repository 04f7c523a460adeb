//! Being found on the local network, and finding other servers: mDNS and DNS-SD.
//!
//! While the server is open to the network it announces itself and searches for others; while it has
//! no owner or is closed it is silent, and every change follows without a restart. [`announcement`] is
//! what we say, [`reading`] judges what others say, [`asking`] looks names up, [`crowd`] asks who is really there
//! when very many are heard, and [`presence`] carries it all to the network and back through `mdns-sd`. What is found goes into the [`Neighbourhood`]. Nothing heard is
//! proven: anybody on the network can announce anything.

mod announcement;
mod asking;
mod crowd;
mod presence;
mod reading;

use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::announcement::Announcement;
use self::asking::Asking;
use self::presence::{Presence, Trouble};
use crate::network::Names;
use crate::runtime::{ClaimState, Neighbourhood, Ownership, Questions, lock};

/// The first pause after trouble; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Where to be found.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The network interfaces to use, by name; none means all but virtual ones.
    pub interfaces: Vec<String>,
    /// The address the server listens on; none means all.
    pub bind: Option<IpAddr>,
    /// Its TCP port.
    pub port: u16,
}

/// The part of a server that is found and finds. Dropping it without [`Discovery::shutdown`] leaves
/// others believing for two minutes that the server is there.
#[derive(Debug)]
pub struct Discovery {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What discovery reads and changes.
#[derive(Debug)]
struct Surroundings {
    settings: Settings,
    ownership: Arc<Ownership>,
    names: Arc<Names>,
    neighbourhood: Arc<Mutex<Neighbourhood>>,
    questions: Questions,
}

impl Discovery {
    /// Begins, within a tokio runtime.
    #[must_use]
    pub fn start(
        settings: Settings,
        ownership: Arc<Ownership>,
        names: Arc<Names>,
        neighbourhood: Arc<Mutex<Neighbourhood>>,
        questions: Questions,
    ) -> Self {
        let stop = CancellationToken::new();
        let surroundings = Surroundings {
            settings,
            ownership,
            names,
            neighbourhood,
            questions,
        };
        let task = tokio::spawn(surroundings.live(stop.clone()));
        Self { stop, task }
    }

    /// Says goodbye to the network, and stops. Takes less than three seconds.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "discovery ended badly");
        }
    }
}

impl Surroundings {
    async fn live(mut self, stop: CancellationToken) {
        let mut states = self.ownership.watch_state();
        let mut pause = FIRST_PAUSE;
        while !stop.is_cancelled() {
            let _ = states.borrow_and_update();
            let Some(announcement) = self.announcement() else {
                tokio::select! {
                    _ = states.changed() => {}
                    () = stop.cancelled() => {}
                    () = decline(&mut self.questions) => {}
                }
                continue;
            };
            let began = Instant::now();
            let Err(trouble) = self.be_present(&announcement, &mut states, &stop).await else {
                continue;
            };
            if began.elapsed() > 2 * LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let seconds = pause.as_secs();
            tracing::warn!(%trouble, seconds, "others cannot find this server for a while (mDNS)");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
                () = decline(&mut self.questions) => {}
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// What to announce; none while the network shall not know of the server.
    fn announcement(&self) -> Option<Announcement> {
        if self.ownership.state() != ClaimState::Active {
            return None;
        }
        let claim = self.ownership.claim()?;
        let callsign = claim.owner.callsign().clone();
        Some(Announcement::new(callsign, &claim.server.fingerprint()))
    }

    /// Is found and finds until the server stops or is closed to the network.
    async fn be_present(
        &mut self,
        announcement: &Announcement,
        states: &mut watch::Receiver<ClaimState>,
        stop: &CancellationToken,
    ) -> Result<(), Trouble> {
        lock(&self.neighbourhood).begin(&announcement.fp);
        let mut presence = Presence::begin(&self.settings, announcement)?;
        let mut asking = Asking::default();
        self.names.set_unique(Some(announcement.unique_host()));
        tracing::info!(
            callsign = %announcement.callsign,
            "others on this network can find this server (mDNS)"
        );
        let neighbourhood = Arc::clone(&self.neighbourhood);
        let mut crowd = pin!(crowd::ask(&neighbourhood));
        let ended = loop {
            let step = tokio::select! {
                _ = states.changed() => break Ok(()),
                () = stop.cancelled() => break Ok(()),
                question = self.questions.next() => {
                    asking.ask(&self.settings, presence.daemon(), question);
                    continue;
                }
                () = &mut crowd => continue,
                step = presence.next() => step,
            };
            if let Err(trouble) = presence.take(step, &self.names, &self.neighbourhood) {
                break Err(trouble);
            }
        };
        presence.end().await;
        self.names.set_numbered(std::collections::BTreeSet::new());
        self.names.set_unique(None);
        lock(&self.neighbourhood).clear();
        ended
    }
}

/// While the network is left alone, it cannot be asked either; who asks is told so.
async fn decline(questions: &mut Questions) {
    loop {
        drop(questions.next().await);
    }
}

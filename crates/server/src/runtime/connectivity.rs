//! Whether there seems to be internet: `online` or `offline`.
//!
//! Nobody is ever called for it, unless the owner names somebody. By itself the server looks whether this
//! machine knows a way out, which a network that is lost or unplugged takes with it. An owner who wants to know
//! better names an address of their own choice, to which a connection is opened now and then.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::network::links::{Links, way_out};

/// How often this machine's own ways are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often the owner's address is called, in looks.
const CALL_EVERY: u32 = 2;
/// How long it has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// One answer may get lost.
const MOST_SILENT: u32 = 2;

/// Whether there seems to be internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Mode {
    /// There is a way out of this network.
    Online,
    /// There is none.
    Offline,
}

/// What was seen last, and since when it is so.
#[derive(Debug)]
pub struct Connectivity {
    probe: Option<String>,
    seen: watch::Sender<(Mode, Instant)>,
}

impl Connectivity {
    /// With the address the owner wants called, `HOST:PORT`, if any.
    #[must_use]
    pub fn new(probe: Option<String>) -> Self {
        let (mode, _) = look();
        Self {
            probe,
            seen: watch::Sender::new((mode, Instant::now())),
        }
    }

    /// Whether there seems to be internet, and since when it is so.
    #[must_use]
    pub fn mode(&self) -> (Mode, Instant) {
        *self.seen.borrow()
    }

    /// Looks for ever.
    pub async fn follow(&self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut until_call, mut silent) = (0, 0);
        loop {
            looks.tick().await;
            let (mut mode, why) = look();
            if let Some(probe) = self.probe.as_deref().filter(|_| mode == Mode::Online) {
                if until_call == 0 {
                    until_call = CALL_EVERY;
                    silent = if answers(probe).await { 0 } else { silent + 1 };
                }
                until_call -= 1;
                let before = self.mode().0;
                mode = match silent {
                    0 => Mode::Online,
                    MOST_SILENT.. => Mode::Offline,
                    _ => before,
                };
            } else {
                (until_call, silent) = (0, 0);
            }
            self.see(mode, why);
        }
    }

    fn see(&self, mode: Mode, way: Option<IpAddr>) {
        let changed = self.seen.send_if_modified(|seen| {
            let changed = seen.0 != mode;
            if changed {
                *seen = (mode, Instant::now());
            }
            changed
        });
        if changed {
            tracing::info!(?mode, ?way, "what is beyond this network has changed");
        }
    }
}

/// Whether this machine knows a way out, over an interface that is up; and from which of its addresses.
fn look() -> (Mode, Option<IpAddr>) {
    let way = way_out(&Links::read());
    let mode = if way.is_some() {
        Mode::Online
    } else {
        Mode::Offline
    };
    (mode, way)
}

async fn answers(probe: &str) -> bool {
    matches!(
        timeout(ANSWER_WITHIN, TcpStream::connect(probe)).await,
        Ok(Ok(_))
    )
}

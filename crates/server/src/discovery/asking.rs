//! Asking the network for the address of a name, one at a time.
//!
//! The answer shall tell whether multicast works now. Browsers announce a name they make up as soon as
//! they make it, and take seconds before they answer questions about it; so for a name that is new, what
//! the library heard counts. A name that was asked for before may be remembered only: it is asked for by a
//! second library, whose memory is empty.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use mdns_sd::{HostnameResolutionEvent, Receiver, ScopedIp, ServiceDaemon};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Settings;
use super::presence::use_interfaces;
use crate::runtime::Question;

/// How long an announcement is waited for, which comes at once.
const ANNOUNCED_WITHIN: Duration = Duration::from_millis(1500);
/// How long an answer is waited for. Chromium says one thing a second, and each twice.
const ANSWERED_WITHIN: Duration = Duration::from_secs(4);
/// How many names are known to have been asked for.
const MOST_KNOWN: usize = 64;

/// The question under way, and earlier ones. Dropping it leaves the question to end by itself.
#[derive(Debug, Default)]
pub(super) struct Asking {
    running: Option<JoinHandle<()>>,
    known: VecDeque<String>,
}

impl Asking {
    /// Begins to ask, or declines while another question is under way.
    pub(super) fn ask(&mut self, settings: &Settings, daemon: &ServiceDaemon, question: Question) {
        if self
            .running
            .as_ref()
            .is_some_and(|asking| !asking.is_finished())
        {
            return;
        }
        let name = format!("{}.", question.name);
        let begun = if self.known.contains(&name) {
            begin_anew(settings, &name).map(|begun| (begun, true))
        } else {
            let heard = daemon.resolve_hostname(&name, None);
            heard.map(|heard| ((daemon.clone(), heard), false))
        };
        let ((daemon, heard), anew) = match begun {
            Ok(begun) => begun,
            Err(error) => return tracing::debug!(%error, "a name cannot be asked for"),
        };
        if !anew {
            self.known.push_back(name.clone());
            if self.known.len() > MOST_KNOWN {
                self.known.pop_front();
            }
        }
        self.running = Some(tokio::spawn(async move {
            let within = if anew {
                ANSWERED_WITHIN
            } else {
                ANNOUNCED_WITHIN
            };
            let addresses = timeout(within, first(&heard)).await;
            question.answer(addresses.unwrap_or_default());
            let ended = if anew {
                daemon.shutdown().map(drop)
            } else {
                daemon.stop_resolve_hostname(&name)
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a name is asked for longer than needed");
            }
        }));
    }
}

/// Asks by a library of its own.
fn begin_anew(
    settings: &Settings,
    name: &str,
) -> mdns_sd::Result<(ServiceDaemon, Receiver<HostnameResolutionEvent>)> {
    let daemon = ServiceDaemon::new()?;
    let begun =
        use_interfaces(&daemon, settings).and_then(|()| daemon.resolve_hostname(name, None));
    match begun {
        Ok(heard) => Ok((daemon, heard)),
        Err(error) => {
            // Else its thread would live on.
            let _ = daemon.shutdown();
            Err(error)
        }
    }
}

/// The first addresses that are heard.
async fn first(heard: &Receiver<HostnameResolutionEvent>) -> Vec<IpAddr> {
    while let Ok(event) = heard.recv_async().await {
        if let HostnameResolutionEvent::AddressesFound(_, addresses) = event {
            return addresses.iter().map(ScopedIp::to_ip_addr).collect();
        }
    }
    Vec::new()
}

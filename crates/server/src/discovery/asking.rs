//! Asking the network for the address of a name, a few at a time.

use std::net::IpAddr;

use mdns_sd::{HostnameResolutionEvent, Receiver, ScopedIp, ServiceDaemon};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::runtime::{NAMES_ANSWER_WITHIN, Question};

/// Most names that are asked for at once.
const MOST: usize = 4;

/// The questions under way. Dropping it gives them up.
#[derive(Debug, Default)]
pub(super) struct Asking(JoinSet<()>);

impl Asking {
    /// Begins to ask, or declines where too much is asked already.
    pub(super) fn ask(&mut self, daemon: &ServiceDaemon, question: Question) {
        while self.0.try_join_next().is_some() {}
        if self.0.len() >= MOST {
            return;
        }
        let name = format!("{}.", question.name);
        let heard = match daemon.resolve_hostname(&name, None) {
            Ok(heard) => heard,
            Err(error) => return tracing::debug!(%error, "a name cannot be asked for"),
        };
        let daemon = daemon.clone();
        self.0.spawn(async move {
            let addresses = timeout(NAMES_ANSWER_WITHIN, first(&heard)).await;
            question.answer(addresses.unwrap_or_default());
            if let Err(error) = daemon.stop_resolve_hostname(&name) {
                tracing::debug!(%error, "a name is asked for longer than needed");
            }
        });
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

//! AREDN networks: how this server is entered among a node's services, and other servers read from a
//! node's list.
//!
//! Nothing is announced or asked by itself. The owner enters the service by hand, and says when a node's
//! list is to be read: nodes are small, and the way to them is amateur radio. [`sysinfo`] reads the list.

pub mod sysinfo;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use station::Callsign;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::network::fetch::{self, FetchError, Place};
use crate::runtime::{Introduction, Sighting};
use sysinfo::{Candidate, SysinfoError};

/// Where a node tells what it knows of the network.
const SYSINFO_PATH: &str = "/a/sysinfo?services=1&hosts=1";
/// Most bytes of that; a network of a thousand hosts has some hundred thousand.
const MAX_SYSINFO: usize = 2 * 1024 * 1024;
/// Time a node has to answer, and each server after it: together less than an app waits.
const NODE_WITHIN: Duration = Duration::from_secs(5);
const SERVER_WITHIN: Duration = Duration::from_secs(4);

/// What is entered under *Local Services* of a node, and its host alias.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The service's name.
    pub name: String,
    /// The host alias, unique on the network by its callsign.
    pub host: String,
    /// The server's TCP port.
    pub port: u16,
    /// The address the alias stands for; none where the server has none.
    pub address: Option<IpAddr>,
}

/// Why no servers could be read from a node.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The address cannot be a node's.
    #[error(
        "“{0}” is no address of an AREDN node; write localnode.local.mesh, or the node's address on \
         its network"
    )]
    Address(String),
    /// The node could not be asked.
    #[error("the node at {0} could not be asked")]
    Node(String, #[source] FetchError),
    /// It did not answer in time.
    #[error("the node at {0} does not answer")]
    Silent(String),
    /// What it said cannot be read.
    #[error("what is at {0} does not answer as an AREDN node does")]
    Unreadable(String, #[source] SysinfoError),
}

/// A server in a node's list, and what it says of itself, if it answers.
#[derive(Debug)]
pub struct Listed {
    /// Its URL.
    pub endpoint: String,
    /// What it says of itself; none when it does not answer as a ham-server does.
    pub sighting: Option<Sighting>,
}

impl Entry {
    /// The entry for the owner's server. Of its addresses the one on an AREDN network counts, which is one
    /// of 10/8, before any other.
    #[must_use]
    pub fn new(owner: &Callsign, port: u16, addresses: &[IpAddr]) -> Self {
        let mesh =
            |address: &&IpAddr| matches!(address, IpAddr::V4(four) if four.octets()[0] == 10);
        let address = addresses.iter().find(mesh).or_else(|| addresses.first());
        Self {
            name: format!("{} {}", owner.base(), sysinfo::SERVICE),
            host: host_label(owner),
            port,
            address: address.copied(),
        }
    }

    /// The line as nodes keep it and tell it to each other: `url|tcp|name`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("http://{}:{}/|tcp|{}", self.host, self.port, self.name)
    }
}

/// The label of the owner's server on an AREDN network: `w1aw-ham-server`.
#[must_use]
pub fn host_label(owner: &Callsign) -> String {
    format!("{}-{}", owner.base().to_ascii_lowercase(), sysinfo::SERVICE)
}

/// Reads the servers in a node's list, all but the one with this fingerprint, and asks each who it is.
/// Takes at most nine seconds.
///
/// # Errors
/// [`ImportError`] when the node cannot be asked; a server that does not answer is no error.
pub async fn import(node: &str, own_fp: Option<&str>) -> Result<Vec<Listed>, ImportError> {
    let place = Place::parse(node).ok_or_else(|| ImportError::Address(node.to_owned()))?;
    let said = timeout(NODE_WITHIN, fetch::get(&place, SYSINFO_PATH, MAX_SYSINFO)).await;
    let said = said
        .map_err(|_| ImportError::Silent(node.to_owned()))?
        .map_err(|error| ImportError::Node(node.to_owned(), error))?;
    let candidates =
        sysinfo::read(&said).map_err(|error| ImportError::Unreadable(node.to_owned(), error))?;
    let mut asking = JoinSet::new();
    for (order, candidate) in candidates.into_iter().enumerate() {
        asking.spawn(async move { (order, ask(&candidate).await) });
    }
    let mut listed = asking.join_all().await;
    listed.sort_by_key(|(order, _)| *order);
    let own = |listed: &Listed| {
        let fp = listed.sighting.as_ref().and_then(|it| it.fp.as_deref());
        fp.is_some() && fp == own_fp
    };
    let listed = listed.into_iter().map(|(_, listed)| listed);
    Ok(listed.filter(|listed| !own(listed)).collect())
}

/// What a server says of itself.
async fn ask(candidate: &Candidate) -> Listed {
    let Candidate {
        host,
        port,
        address,
    } = candidate;
    let place = Place {
        authority: format!("{host}:{port}"),
        address: address.map(|address| SocketAddr::new(address, *port)),
    };
    let who = match timeout(SERVER_WITHIN, fetch::introduction(&place)).await {
        Ok(Ok(who)) => who,
        Ok(Err(error)) => {
            tracing::debug!(host, %error, "a server in the node's list could not be asked");
            None
        }
        Err(_) => None,
    };
    Listed {
        sighting: who.map(|who| sighting(&place.authority, who)),
        endpoint: format!("http://{}", place.authority),
    }
}

fn sighting(authority: &str, who: Introduction) -> Sighting {
    Sighting {
        callsign: who.callsign,
        endpoint: format!("http://{authority}"),
        signaling_url: format!("ws://{authority}/signal"),
        capabilities: Vec::new(),
        fp: who.fp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_names_the_owner_and_the_address_on_the_mesh() {
        let owner = Callsign::parse("F/W1AW").unwrap();
        let addresses = ["192.168.1.5", "10.54.3.90"].map(|text| text.parse().unwrap());
        let entry = Entry::new(&owner, 8080, &addresses);
        assert_eq!(entry.address, Some(addresses[1]));
        assert_eq!(
            entry.line(),
            "http://w1aw-ham-server:8080/|tcp|W1AW ham-server"
        );
        assert_eq!(
            Entry::new(&owner, 8080, &addresses[..1]).address,
            Some(addresses[0])
        );
        assert_eq!(Entry::new(&owner, 8080, &[]).address, None);
    }
}

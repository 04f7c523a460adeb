//! What an AREDN node tells of its network: `sysinfo`, API version 2.0 (and 1.x, which has the same
//! members here).
//!
//! Anybody on the network writes into it, so everything is bounded, and what is not understood is left
//! out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;
use serde_json::Value;

/// What servers of this kind have in their service's name.
pub const SERVICE: &str = "ham-server";

/// Most servers that are taken from one list.
pub const MOST: usize = 16;

/// Most entries that are looked at.
const MOST_SERVICES: usize = 4_096;
const MOST_HOSTS: usize = 16_384;

/// Most bytes of a host's name (RFC 1123, 2.1).
const MAX_HOST: usize = 253;

/// A service that says it is a server of this kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its host: a name under `local.mesh`, or an address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// The host's address, if the list has it.
    pub address: Option<IpAddr>,
}

/// Why a list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SysinfoError {
    /// It is no JSON object with a list of services.
    #[error("it has no list of services")]
    Form(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Sysinfo {
    services: Vec<Value>,
    #[serde(default)]
    hosts: Vec<Value>,
}

/// The servers in a node's list, each once, in its order.
///
/// # Errors
/// [`SysinfoError`] when it is no such list.
pub fn read(body: &[u8]) -> Result<Vec<Candidate>, SysinfoError> {
    let Sysinfo { services, hosts } = serde_json::from_slice(body)?;
    let addresses: BTreeMap<String, Ipv4Addr> = hosts
        .iter()
        .take(MOST_HOSTS)
        .filter_map(|host| {
            let name = host["name"].as_str()?.to_ascii_lowercase();
            Some((name, host["ip"].as_str()?.parse().ok()?))
        })
        .collect();
    let mut found = Vec::new();
    for service in services.iter().take(MOST_SERVICES) {
        let (Some(name), Some(link)) = (service["name"].as_str(), service["link"].as_str()) else {
            continue;
        };
        if !name.to_ascii_lowercase().contains(SERVICE) {
            continue;
        }
        if let Some(candidate) = candidate(link, &addresses)
            && !found.contains(&candidate)
        {
            found.push(candidate);
        }
        if found.len() == MOST {
            break;
        }
    }
    Ok(found)
}

/// `http://w1aw-ham-server:8080/`: names without a dot are names of the network.
fn candidate(link: &str, addresses: &BTreeMap<String, Ipv4Addr>) -> Option<Candidate> {
    let rest = link.strip_prefix("http://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = crate::network::split_authority(authority)?;
    let host = host.to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.len() > MAX_HOST || !host.bytes().all(plain) {
        return None;
    }
    let port = port.unwrap_or(80);
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Some(Candidate {
            host,
            port,
            address: Some(address.into()),
        });
    }
    let label = host.strip_suffix(".local.mesh").unwrap_or(&host);
    if label.is_empty() || label.contains('.') {
        return None;
    }
    Some(Candidate {
        address: addresses.get(label).map(|address| (*address).into()),
        host: format!("{label}.local.mesh"),
        port,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read_value(value: &Value) -> Vec<Candidate> {
        read(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn servers_are_found_among_a_nodes_services() {
        let sysinfo = json!({
            "api_version": "2.0",
            "node": "K1ABC-hap",
            "hosts": [
                { "name": "K1ABC-ham-server", "ip": "10.7.7.7" },
                { "name": "printer", "ip": "10.7.7.8" },
            ],
            "services": [
                { "name": "Printer", "protocol": "tcp", "ip": "10.7.7.1", "link": "http://printer:80/" },
                { "name": "K1ABC ham-server [chat]", "protocol": "tcp", "ip": "10.7.7.1", "link": "http://K1ABC-ham-server:8080/" },
                { "name": "the same ham-server", "protocol": "tcp", "ip": "10.7.7.1", "link": "http://k1abc-ham-server.local.mesh:8080/x" },
                { "name": "N0XYZ Ham-Server", "protocol": "tcp", "ip": "10.9.9.1", "link": "http://10.9.9.9/" },
                { "name": "ham-server by telephone", "protocol": "tcp", "ip": "10.9.9.1", "link": "" },
            ],
        });
        let candidate = |host: &str, port, address: &str| Candidate {
            host: host.to_owned(),
            port,
            address: address.parse().ok(),
        };
        assert_eq!(
            read_value(&sysinfo),
            [
                candidate("k1abc-ham-server.local.mesh", 8080, "10.7.7.7"),
                candidate("10.9.9.9", 80, "10.9.9.9"),
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        let link = |link: &str| json!({ "services": [{ "name": "ham-server", "link": link }] });
        for wrong in [
            "https://w1aw:8080/",
            "ftp://w1aw/",
            "http://example.com:8080/",
            "http://user@w1aw/",
            "http://w1aw:99999/",
            "http://[fd00::1]:8080/",
            "http:///",
            "http://.local.mesh/",
            "http://a b/",
        ] {
            assert_eq!(read_value(&link(wrong)), [], "{wrong}");
        }
        let odd = json!({ "services": [7, null, { "name": 7, "link": [] }], "hosts": [null] });
        assert_eq!(read_value(&odd), []);
        for no_list in ["", "[]", "{}", r#"{"services":{}}"#, "<html>"] {
            assert!(read(no_list.as_bytes()).is_err(), "{no_list}");
        }
    }

    #[test]
    fn a_long_list_costs_a_bounded_number_of_questions() {
        let service =
            |number| json!({ "name": "ham-server", "link": format!("http://host{number}:8080/") });
        let services: Vec<_> = (0..1000).map(service).collect();
        assert_eq!(read_value(&json!({ "services": services })).len(), MOST);
    }

    proptest! {
        #[test]
        fn no_link_is_more_than_a_host_and_a_port(link in "(http://)?[ -~]{0,40}") {
            for found in read_value(&json!({ "services": [{ "name": "ham-server", "link": link }] })) {
                let named = found.host.ends_with(".local.mesh");
                prop_assert!(named || found.host.parse::<Ipv4Addr>().is_ok());
                prop_assert!(!found.host.contains(['/', '@', ':']));
            }
        }
    }
}

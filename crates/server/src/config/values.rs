//! Values of settings that are more than a number or a text: read once, where they are typed.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

use crate::network::split_authority;
use crate::network::zones::is_amateur;

/// Who is called to learn whether there is internet: `HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Probe(String);

/// Why an address cannot be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write HOST:PORT, such as gateway.example:443 or [fd00::1]:443")]
pub struct ProbeError;

/// One address or a network, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

/// A text is no address and no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address such as 192.168.1.5 or a network such as 10.0.0.0/8")]
pub struct NetworkError;

/// A network of 44net that is the owner's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Own44Net(Ipv4Net);

/// A text is no network of 44net, or one too large to be somebody's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a network of 44net, at most a /16, such as 44.30.1.0/24")]
pub struct Own44NetError;

impl Own44Net {
    /// The network.
    #[must_use]
    pub fn network(self) -> Ipv4Net {
        self.0
    }
}

impl FromStr for Own44Net {
    type Err = Own44NetError;

    fn from_str(text: &str) -> Result<Self, Own44NetError> {
        let network = text.parse::<Ipv4Net>().map_err(|_| Own44NetError)?.trunc();
        let fits = network.prefix_len() >= 16 && is_amateur(network);
        fits.then_some(Self(network)).ok_or(Own44NetError)
    }
}

impl TryFrom<String> for Own44Net {
    type Error = Own44NetError;

    fn try_from(text: String) -> Result<Self, Own44NetError> {
        text.parse()
    }
}

impl Network {
    /// Whether an address is this one or in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        address
            .or_else(|_| text.parse::<IpNet>())
            .map(Self)
            .map_err(|_| NetworkError)
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl Probe {
    /// `HOST:PORT`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Probe {
    type Err = ProbeError;

    fn from_str(text: &str) -> Result<Self, ProbeError> {
        match split_authority(text) {
            Some((_, Some(1..))) if !text.contains(char::is_whitespace) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(ProbeError),
        }
    }
}

impl TryFrom<String> for Probe {
    type Error = ProbeError;

    fn try_from(text: String) -> Result<Self, ProbeError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_called_is_a_host_with_a_port() {
        for right in ["gateway.example:443", "192.168.1.1:53", "[fd00::1]:443"] {
            assert_eq!(right.parse::<Probe>().unwrap().as_str(), right);
        }
        for wrong in ["", "gateway.example", ":443", "a b:1", "a:0", "a:70000"] {
            assert_eq!(wrong.parse::<Probe>(), Err(ProbeError), "{wrong}");
        }
    }
}

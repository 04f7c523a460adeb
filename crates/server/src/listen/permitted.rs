//! What a browser CA may sign for, as its certificates say (RFC 5280, 4.2.1.10). It is read from the root that
//! devices have installed: that one counts, whatever settings say since.

use std::collections::BTreeSet;
use std::net::IpAddr;

use der::Decode as _;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use x509_cert::Certificate;
use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::name::GeneralName;

use crate::network::zones::is_amateur;

/// The names and networks in a certificate's constraints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permitted {
    names: BTreeSet<String>,
    networks: Vec<IpNet>,
}

impl Permitted {
    /// Reads the constraints of a certificate. None where there are none: then nobody may rely on them.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let found = certificate.tbs_certificate().get_extension();
        let (_, constraints): (bool, NameConstraints) = found.ok()??;
        let mut permitted = Self {
            names: BTreeSet::new(),
            networks: Vec::new(),
        };
        for subtree in constraints.permitted_subtrees? {
            match subtree.base {
                GeneralName::DnsName(name) => {
                    permitted.names.insert(name.as_str().to_owned());
                }
                GeneralName::IpAddress(octets) => {
                    permitted.networks.push(network(octets.as_bytes())?);
                }
                _ => {}
            }
        }
        Some(permitted)
    }

    /// Whether it may sign for a host name.
    pub(super) fn name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether it may sign for an address.
    pub(super) fn address(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// The networks of 44net that it may sign for.
    pub(super) fn amateur(&self) -> impl Iterator<Item = Ipv4Net> {
        let four = |network: &IpNet| match network {
            IpNet::V4(four) => Some(*four),
            IpNet::V6(_) => None,
        };
        let four = self.networks.iter().filter_map(four);
        four.filter(|network| is_amateur(*network))
    }

    /// Whether it may sign for a whole network.
    pub(super) fn network(&self, wanted: Ipv4Net) -> bool {
        let wanted = IpNet::V4(wanted);
        self.networks
            .iter()
            .any(|network| network.contains(&wanted))
    }
}

/// An address and a mask, of four or sixteen bytes each.
fn network(octets: &[u8]) -> Option<IpNet> {
    let (address, mask) = octets.split_at(octets.len() / 2);
    let (four, six) = (
        <[u8; 4]>::try_from(address).ok(),
        <[u8; 16]>::try_from(address).ok(),
    );
    if let Some(four) = four {
        let mask = <[u8; 4]>::try_from(mask).ok()?;
        return Ipv4Net::with_netmask(four.into(), mask.into())
            .ok()
            .map(IpNet::V4);
    }
    let mask = <[u8; 16]>::try_from(mask).ok()?;
    Ipv6Net::with_netmask(six?.into(), mask.into())
        .ok()
        .map(IpNet::V6)
}

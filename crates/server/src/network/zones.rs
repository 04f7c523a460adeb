//! Zones: over which networks nothing may be encrypted.
//!
//! What crosses amateur frequencies may not be encrypted (47 CFR 97.113(a)(4)); what stays on cable and in
//! unlicensed spectrum may. The owner says which networks are which, by interface and by address
//! prefix ([`Rules`]). What nobody classified is guessed, on the safe side: addresses of 44net, and those
//! of 10/8 that are behind a router, as on an AREDN network, count as amateur radio.
//!
//! Pure: [`Rules::judge`] is told what the machine's interfaces are ([`Links`]).

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use station::Zone;

use super::links::Links;

/// Most bytes of an interface's name.
const MAX_NAME: usize = 64;

/// Addresses of amateur radio (44net), by the holdings since 2019.
const AMATEUR: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(44, 0, 0, 0), 9),
    Ipv4Net::new_assert(Ipv4Addr::new(44, 128, 0, 0), 10),
];

/// Addresses of AREDN networks, which ordinary networks use as well.
const MESH: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8);

/// What a rule is about: `wlan1`, or `10.54.3.88/29`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A network interface, by name.
    Interface(String),
    /// The addresses of a network; its host bits are zero.
    Prefix(IpNet),
}

/// One classification, as it stands in the settings: `wlan1=part97`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rule {
    /// What it is about.
    pub subject: Subject,
    /// What it is.
    pub zone: Zone,
}

/// Who made a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Source {
    /// The flags, the environment or `ham-server.toml`: not to be changed while the server runs.
    Settings,
    /// The owner, in the app.
    Owner,
}

/// Every rule; for one subject, the settings win.
#[derive(Debug, Clone, Default)]
pub struct Rules(BTreeMap<Subject, (Zone, Source)>);

/// What a network counts as, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The zone.
    pub zone: Zone,
    /// Why.
    pub reason: Reason,
}

/// Why a network counts as what it counts as. `Display` is a sentence's worth for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Both ends are this machine.
    Loopback,
    /// Somebody classified it.
    Rule(Subject, Source),
    /// It is an address of 44net.
    Amateur(IpAddr),
    /// It is an address of 10/8 that is on none of this machine's own networks.
    Routed(IpAddr),
    /// Nothing speaks for amateur radio.
    Ordinary,
}

/// Why a rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is not of the form `SUBJECT=ZONE`.
    #[error("“{0}” is no zone rule; write wlan1=part97 or 10.54.3.88/29=open")]
    Form(String),
    /// The subject is neither an interface's name nor an address prefix.
    #[error("“{0}” is neither the name of an interface nor a network such as 10.54.3.88/29")]
    Subject(String),
    /// The zone is unknown.
    #[error("“{0}” is no zone; there are open and part97")]
    Zone(String),
}

impl Rules {
    /// The rules of both sources.
    #[must_use]
    pub fn new(settings: &[Rule], owner: &[Rule]) -> Self {
        let sources = [(owner, Source::Owner), (settings, Source::Settings)];
        let rules = sources
            .into_iter()
            .flat_map(|(rules, source)| rules.iter().map(move |rule| (rule, source)));
        Self(
            rules
                .map(|(rule, source)| (rule.subject.clone(), (rule.zone, source)))
                .collect(),
        )
    }

    /// Every rule in force, in the order of subjects.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, Zone, Source)> {
        self.0
            .iter()
            .map(|(subject, &(zone, source))| (subject, zone, source))
    }

    /// What counts for a connection between this machine's address and another's. `towards` is the
    /// address from which this machine reaches the other end, where the system tells.
    ///
    /// An interface across amateur frequencies decides for all that passes it. Else an address is what
    /// the smallest prefix around it is; an address without one is what its interface is, or guessed;
    /// and one end across amateur frequencies is enough.
    #[must_use]
    pub fn judge(
        &self,
        links: &Links,
        local: IpAddr,
        remote: IpAddr,
        towards: Option<IpAddr>,
    ) -> Verdict {
        let interfaces = links.interfaces([Some(local), towards], remote);
        let by_interface: Vec<_> = interfaces
            .iter()
            .filter_map(|name| self.verdict(&Subject::Interface((*name).to_owned())))
            .collect();
        if let Some(verdict) = by_interface.iter().find(|it| it.zone == Zone::Part97) {
            return verdict.clone();
        }
        let by_interface = by_interface.into_iter().next();
        let ends = [remote, local].map(|address| {
            self.by_prefix(address)
                .or_else(|| by_interface.clone())
                .unwrap_or_else(|| guess(links, address))
        });
        let [of_remote, of_local] = ends;
        if of_local.zone > of_remote.zone {
            of_local
        } else {
            of_remote
        }
    }

    /// What the smallest prefix around an address says.
    fn by_prefix(&self, address: IpAddr) -> Option<Verdict> {
        let prefixes = self.0.keys().filter_map(|subject| match subject {
            Subject::Prefix(prefix) if prefix.contains(&address) => Some(prefix),
            _ => None,
        });
        let smallest = prefixes.max_by_key(|prefix| prefix.prefix_len())?;
        self.verdict(&Subject::Prefix(*smallest))
    }

    fn verdict(&self, subject: &Subject) -> Option<Verdict> {
        let &(zone, source) = self.0.get(subject)?;
        let reason = Reason::Rule(subject.clone(), source);
        Some(Verdict { zone, reason })
    }
}

/// Whether a network is one of 44net.
pub(crate) fn is_amateur(network: Ipv4Net) -> bool {
    AMATEUR.iter().any(|net| net.contains(&network))
}

/// What an address is taken for while nobody says what it is.
fn guess(links: &Links, address: IpAddr) -> Verdict {
    let part97 = |reason| Verdict {
        zone: Zone::Part97,
        reason,
    };
    match address {
        _ if address.is_loopback() => Verdict::open(Reason::Loopback),
        IpAddr::V4(four) if AMATEUR.iter().any(|net| net.contains(&four)) => {
            part97(Reason::Amateur(address))
        }
        IpAddr::V4(four) if MESH.contains(&four) && !links.are_next_to(address) => {
            part97(Reason::Routed(address))
        }
        _ => Verdict::open(Reason::Ordinary),
    }
}

impl Verdict {
    fn open(reason: Reason) -> Self {
        Self {
            zone: Zone::Open,
            reason,
        }
    }
}

impl FromStr for Subject {
    type Err = RuleError;

    /// An address stands for itself alone; bits beyond a prefix are dropped.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Prefix(address.to_canonical().into()));
        }
        if text.contains('/') {
            let prefix = text.parse::<IpNet>();
            let prefix = prefix.map_err(|_| RuleError::Subject(text.to_owned()))?;
            return Ok(Self::Prefix(prefix.trunc()));
        }
        let plain = |character: char| !character.is_control() && !"=,/".contains(character);
        if text.is_empty()
            || text.len() > MAX_NAME
            || text.trim() != text
            || !text.chars().all(plain)
        {
            return Err(RuleError::Subject(text.to_owned()));
        }
        Ok(Self::Interface(text.to_owned()))
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (subject, zone) = text
            .split_once('=')
            .ok_or_else(|| RuleError::Form(text.to_owned()))?;
        Ok(Self {
            subject: subject.parse()?,
            zone: zone.parse().map_err(|_| RuleError::Zone(zone.to_owned()))?,
        })
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(name) => f.write_str(name),
            Self::Prefix(prefix) => prefix.fmt(f),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("it stays within this machine"),
            Self::Rule(subject, Source::Owner) => write!(f, "the owner set {subject} so"),
            Self::Rule(subject, Source::Settings) => {
                write!(f, "the server's settings say so of {subject}")
            }
            Self::Amateur(address) => write!(f, "{address} is an address of amateur radio (44net)"),
            Self::Routed(address) => write!(
                f,
                "{address} is behind a router, as addresses on an AREDN network are"
            ),
            Self::Ordinary => f.write_str("it looks like an ordinary network"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A house with a Wi-Fi, a cable to an AREDN node, and an access point of the owner's on a ham band.
    fn links() -> Links {
        Links::new([
            ("lo", "127.0.0.1/8"),
            ("wlan0", "192.168.1.5/24"),
            ("wlan0", "fe80::5/64"),
            ("eth1", "10.54.3.90/29"),
            ("tun0", "44.1.2.3/32"),
            ("wlan1", "172.20.0.1/24"),
        ])
    }

    fn rules(settings: &[&str], owner: &[&str]) -> Rules {
        let parse = |texts: &[&str]| -> Vec<Rule> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        Rules::new(&parse(settings), &parse(owner))
    }

    fn judge(rules: &Rules, local: &str, remote: &str) -> Zone {
        rules
            .judge(
                &links(),
                local.parse().unwrap(),
                remote.parse().unwrap(),
                None,
            )
            .zone
    }

    #[test]
    fn what_nobody_classified_is_guessed_on_the_safe_side() {
        let none = Rules::default();
        for (local, remote, zone) in [
            ("127.0.0.1", "127.0.0.1", Zone::Open),
            ("::1", "::1", Zone::Open),
            ("192.168.1.5", "192.168.1.9", Zone::Open),
            ("192.168.1.5", "192.168.7.9", Zone::Open),
            ("fe80::5", "fe80::9", Zone::Open),
            ("fd00::5", "fd00::9", Zone::Open),
            // The node's own cable, and what is behind the node.
            ("10.54.3.90", "10.54.3.89", Zone::Open),
            ("10.54.3.90", "10.7.7.7", Zone::Part97),
            ("192.168.1.5", "10.7.7.7", Zone::Part97),
            ("192.168.1.5", "44.9.9.9", Zone::Part97),
            ("44.1.2.3", "192.168.1.9", Zone::Part97),
            ("192.168.1.5", "44.128.0.1", Zone::Part97),
            // Sold in 2019.
            ("192.168.1.5", "44.192.0.1", Zone::Open),
            ("192.168.1.5", "203.0.113.7", Zone::Open),
        ] {
            assert_eq!(judge(&none, local, remote), zone, "{local} {remote}");
        }
    }

    #[test]
    fn the_smallest_prefix_decides_about_an_address() {
        let owner = rules(
            &[],
            &["10.0.0.0/8=open", "10.7.0.0/16=part97", "10.7.7.7=open"],
        );
        assert_eq!(judge(&owner, "192.168.1.5", "10.9.9.9"), Zone::Open);
        assert_eq!(judge(&owner, "192.168.1.5", "10.7.1.1"), Zone::Part97);
        assert_eq!(judge(&owner, "192.168.1.5", "10.7.7.7"), Zone::Open);
        let hamnet = rules(&[], &["44.1.2.0/24=open"]);
        assert_eq!(judge(&hamnet, "44.1.2.3", "44.1.2.9"), Zone::Open);
        assert_eq!(judge(&hamnet, "44.1.2.3", "44.1.3.9"), Zone::Part97);
    }

    #[test]
    fn an_interface_across_amateur_frequencies_decides_for_all_that_passes_it() {
        let owner = rules(&[], &["wlan1=part97", "172.20.0.7=open"]);
        assert_eq!(judge(&owner, "172.20.0.1", "172.20.0.7"), Zone::Part97);
        // Also for who calls this machine by another of its addresses.
        assert_eq!(judge(&owner, "192.168.1.5", "172.20.0.7"), Zone::Part97);
        assert_eq!(judge(&owner, "192.168.1.5", "192.168.1.9"), Zone::Open);
        let open = rules(&[], &["eth1=open"]);
        assert_eq!(judge(&open, "10.54.3.90", "10.7.7.7"), Zone::Open);
        let behind = rules(&[], &["eth1=open", "10.7.0.0/16=part97"]);
        assert_eq!(judge(&behind, "10.54.3.90", "10.7.7.7"), Zone::Part97);
    }

    #[test]
    fn the_interface_the_answer_takes_counts_too() {
        let owner = rules(&[], &["wlan1=part97"]);
        let [local, remote, towards] =
            ["192.168.1.5", "198.51.100.7", "172.20.0.1"].map(|text| text.parse().unwrap());
        let verdict = owner.judge(&links(), local, remote, Some(towards));
        assert_eq!(verdict.zone, Zone::Part97);
        assert_eq!(verdict.reason.to_string(), "the owner set wlan1 so");
        assert_eq!(owner.judge(&links(), local, remote, None).zone, Zone::Open);
    }

    #[test]
    fn the_settings_win_over_the_app() {
        let both = rules(&["wlan0=part97"], &["wlan0=open", "eth1=open"]);
        assert_eq!(judge(&both, "192.168.1.5", "192.168.1.9"), Zone::Part97);
        let shown: Vec<_> = both
            .iter()
            .map(|(subject, zone, source)| (subject.to_string(), zone.as_str(), source))
            .collect();
        assert_eq!(
            shown,
            [
                ("eth1".to_owned(), "open", Source::Owner),
                ("wlan0".to_owned(), "part97", Source::Settings),
            ]
        );
    }

    #[test]
    fn rules_are_read_strictly_and_written_as_they_are_read() {
        for (text, written) in [
            ("wlan1", "wlan1"),
            ("Ethernet 2", "Ethernet 2"),
            ("10.54.3.90/29", "10.54.3.88/29"),
            ("10.7.7.7", "10.7.7.7/32"),
            ("::ffff:10.7.7.7", "10.7.7.7/32"),
            ("fd00::7/8", "fd00::/8"),
        ] {
            let subject: Subject = text.parse().unwrap();
            assert_eq!(subject.to_string(), written);
            assert_eq!(written.parse::<Subject>().unwrap(), subject);
        }
        for wrong in [
            "",
            " wlan1",
            "10.0.0.0/33",
            "example.com/8",
            "a/b",
            "a\n",
            "wlan1,eth0",
        ] {
            assert!(wrong.parse::<Subject>().is_err(), "{wrong:?}");
        }
        for wrong in ["wlan1", "wlan1=ham", "=open", "wlan1=open=part97"] {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong:?}");
        }
    }
}

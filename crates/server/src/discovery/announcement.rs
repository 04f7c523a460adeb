//! What this server says of itself by DNS-SD. `docs/protocol/discovery.md` is the public description.

use station::{Callsign, Fingerprint};

use crate::{CAPABILITIES, VERSION};

/// Where every ham-server is announced.
pub(super) const SERVER: &str = "_hamradio._tcp.local.";
/// The same, for those who look for signaling.
pub(super) const SIGNALING: &str = "_hamradio-signal._tcp.local.";
/// Web pages, for those who look for any.
pub(super) const WEB: &str = "_http._tcp.local.";

/// Hexadecimal digits of a fingerprint that are announced.
pub(super) const FP_DIGITS: usize = 16;

/// Who we are on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    /// The owner's callsign.
    pub(super) callsign: Callsign,
    /// The first digits of the server's fingerprint.
    pub(super) fp: String,
}

/// One service as DNS-SD knows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) kind: &'static str,
    /// Unique, since it holds digits of the server's fingerprint: only host names can be taken.
    pub(super) instance: String,
    /// Ends in `.local.`.
    pub(super) host: String,
    /// Whether its names can be nobody else's, so that they need no probing (RFC 6762, 8.1).
    pub(super) unique: bool,
    pub(super) txt: Vec<(&'static str, String)>,
}

impl Announcement {
    pub(super) fn new(callsign: Callsign, fingerprint: &Fingerprint) -> Self {
        let mut fp = fingerprint.to_string();
        fp.truncate(FP_DIGITS);
        Self { callsign, fp }
    }

    /// The labels of the host names, before any number: the callsign, and the program's name.
    pub(super) fn hosts(&self) -> [String; 2] {
        let callsign = self.callsign.base().to_ascii_lowercase();
        [callsign, "ham-server".to_owned()]
    }

    /// The label of a host name that can be nobody else's: `w1aw-0123456789abcdef`.
    pub(super) fn unique_host(&self) -> String {
        format!("{}-{}", self.callsign.base().to_ascii_lowercase(), self.fp)
    }

    /// The services to announce. Servers look for the first kind: it is announced at once, under names
    /// that hold the fingerprint. Names that people type are probed for first, which takes a second.
    pub(super) fn services(&self) -> [Service; 3] {
        let [by_callsign, by_program] = self.hosts().map(|label| format!("{label}.local."));
        let short = &self.fp[..FP_DIGITS / 2];
        let instance = format!("{} {short}", self.callsign);
        let unique_host = format!("{}.local.", self.unique_host());
        let service = |kind, host, unique| Service {
            kind,
            instance: instance.clone(),
            host,
            unique,
            txt: vec![
                ("callsign", self.callsign.to_string()),
                ("version", VERSION.to_owned()),
                ("capabilities", CAPABILITIES.join(",")),
                ("signalingEndpoint", "/signal".to_owned()),
                ("signalingProtocol", "ws".to_owned()),
                ("fp", self.fp.clone()),
            ],
        };
        let web = Service {
            kind: WEB,
            instance: format!("ham-server {instance}"),
            host: by_program,
            unique: false,
            txt: vec![("path", "/".to_owned())],
        };
        let server = service(SERVER, unique_host, true);
        let signaling = service(SIGNALING, by_callsign, false);
        [server, signaling, web]
    }
}

//! The adapter around `mdns-sd`: announces our services, searches for others, and watches the names
//! that conflicts leave us and the records that strangers make the library keep.
//!
//! The search begins anew every minute: the library forgets what it heard of our kind of service, and
//! everybody who is still there answers. So an age is that of a real answer, and no announcement lives
//! on by asking to be remembered for years.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mdns_sd::{
    DaemonEvent, IfKind, IfPredicate, Metrics, Receiver, ScopedIp, ServiceDaemon, ServiceEvent,
    ServiceInfo,
};
use tokio::time::{Interval, MissedTickBehavior};

use super::Settings;
use super::announcement::{Announcement, SERVER, Service};
use super::reading;
use crate::network::{Names, is_virtual};
use crate::runtime::{Neighbourhood, lock};

/// How often everybody is asked anew.
const SEARCH_EVERY: Duration = Duration::from_secs(60);
/// How often the library looks for new addresses and interfaces.
const LOOK_AT_INTERFACES_EVERY_SECONDS: u32 = 3;
/// How often the library's memory is looked at.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// Most records of others the library may keep; a network of 64 servers and many printers has some
/// hundreds. Beyond it we leave the network for a while, which empties it.
const MOST_RECORDS: i64 = 8_192;
/// Most numbered names; each conflict makes one on each interface.
const MOST_NUMBERED: usize = 16;
/// How long after a new address the server is announced once more, and how often. The library says nothing twice within a
/// second (RFC 6762, 6), and so leaves out a new address that comes right after it said something.
const ANNOUNCE_AGAIN_AFTER: Duration = Duration::from_millis(1_500);
const ANNOUNCE_AGAIN: u32 = 3;
/// The library repeats a goodbye after 120 ms.
const GOODBYES_TAKE: Duration = Duration::from_millis(200);
/// How long the library may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// Why the server cannot be found.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("mDNS does not work here: {0}")]
    Library(#[from] mdns_sd::Error),
    #[error("mDNS has stopped")]
    Stopped,
    #[error("this network is flooded with {0} mDNS records")]
    Flood(i64),
}

/// Our services on the network, and the search for others.
pub(super) struct Presence {
    daemon: ServiceDaemon,
    services: Vec<String>,
    /// The service by which servers find each other: announcing it anew needs no probing.
    unique: Option<ServiceInfo>,
    /// When that is done, and how often still.
    again: Option<(Instant, u32)>,
    hosts: [String; 2],
    numbered: BTreeSet<String>,
    events: Receiver<DaemonEvent>,
    /// None once a flood closed it, until the next search.
    found: Option<Receiver<ServiceEvent>>,
    search: Interval,
    count: Interval,
    /// An answer the library owes us.
    counted: Option<Receiver<Metrics>>,
}

/// What happened.
pub(super) enum Step {
    Found(Option<ServiceEvent>),
    Event(Option<DaemonEvent>),
    Counted(Option<Metrics>),
    Again,
    Search,
    Count,
}

impl Presence {
    pub(super) fn begin(settings: &Settings, announcement: &Announcement) -> Result<Self, Trouble> {
        let daemon = ServiceDaemon::new()?;
        let events = daemon.monitor()?;
        daemon.set_ip_check_interval(LOOK_AT_INTERFACES_EVERY_SECONDS)?;
        use_interfaces(&daemon, settings)?;
        let mut services = Vec::new();
        let mut unique = None;
        for service in announcement.services() {
            let info = info(&service, settings.port)?;
            services.push(info.get_fullname().to_owned());
            if service.unique {
                unique = Some(info.clone());
            }
            daemon.register(info)?;
        }
        let mut count = tokio::time::interval(COUNT_EVERY);
        count.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            daemon,
            services,
            unique,
            again: None,
            hosts: announcement.hosts(),
            numbered: BTreeSet::new(),
            events,
            found: None,
            search: tokio::time::interval(SEARCH_EVERY),
            count,
            counted: None,
        })
    }

    /// Waits for something to happen. Loses nothing when it is dropped.
    pub(super) async fn next(&mut self) -> Step {
        tokio::select! {
            event = self.events.recv_async() => Step::Event(event.ok()),
            found = receive(self.found.as_ref()) => Step::Found(found),
            counted = receive(self.counted.as_ref()) => Step::Counted(counted),
            () = at(self.again.map(|(time, _)| time)) => Step::Again,
            _ = self.search.tick() => Step::Search,
            _ = self.count.tick() => Step::Count,
        }
    }

    /// The library.
    pub(super) fn daemon(&self) -> &ServiceDaemon {
        &self.daemon
    }

    /// Carries out what follows.
    pub(super) fn take(
        &mut self,
        step: Step,
        names: &Names,
        neighbourhood: &Mutex<Neighbourhood>,
    ) -> Result<(), Trouble> {
        match step {
            Step::Found(Some(event)) => take_found(event, neighbourhood),
            Step::Found(None) => {
                tracing::debug!("more announcements than can be read; listening again later");
                self.found = None;
            }
            Step::Event(None) => return Err(Trouble::Stopped),
            Step::Event(Some(event)) => self.take_event(event, names),
            Step::Again => {
                let left = self.again.map_or(0, |(_, left)| left - 1);
                self.again = (left > 0).then(|| (Instant::now() + ANNOUNCE_AGAIN_AFTER, left));
                if let Some(info) = &self.unique {
                    self.daemon.register(info.clone())?;
                }
            }
            Step::Search => {
                // The library answers a stop to the receiver that is dropped here.
                self.daemon.stop_browse(SERVER)?;
                self.found = Some(self.daemon.browse(SERVER)?);
            }
            Step::Count => {
                lock(neighbourhood).expire(Instant::now());
                if self.counted.is_none() {
                    self.counted = self.daemon.get_metrics().ok();
                }
            }
            Step::Counted(metrics) => {
                self.counted = None;
                let records = metrics.map_or(0, |metrics| records(&metrics));
                if records > MOST_RECORDS {
                    return Err(Trouble::Flood(records));
                }
            }
        }
        Ok(())
    }

    fn take_event(&mut self, event: DaemonEvent, names: &Names) {
        match event {
            DaemonEvent::NameChange(change) => {
                let Some(label) = numbered(&change.new_name, &self.hosts) else {
                    return;
                };
                if self.numbered.len() >= MOST_NUMBERED {
                    self.numbered.clear();
                }
                tracing::info!(
                    name = format!("{label}.local"),
                    interface = change.intf_name,
                    "another server has this one's name; it goes by a number there"
                );
                self.numbered.insert(label);
                names.set_numbered(self.numbered.clone());
            }
            DaemonEvent::IpAdd(address) => {
                tracing::info!(%address, "found by others at a new address (mDNS)");
                self.search.reset_immediately();
                self.again = Some((Instant::now() + ANNOUNCE_AGAIN_AFTER, ANNOUNCE_AGAIN));
            }
            DaemonEvent::IpDel(address) => tracing::debug!(%address, "an address is gone (mDNS)"),
            DaemonEvent::Error(error) => tracing::debug!(%error, "mDNS"),
            _ => {}
        }
    }

    /// Says goodbye, and stops.
    pub(super) async fn end(self) {
        for service in &self.services {
            if let Err(error) = self.daemon.unregister(service) {
                tracing::debug!(%error, "no goodbye for {service}");
            }
        }
        tokio::time::sleep(GOODBYES_TAKE).await;
        match self.daemon.shutdown() {
            Ok(stopped) => {
                if tokio::time::timeout(STOP_WITHIN, stopped.recv_async())
                    .await
                    .is_err()
                {
                    tracing::debug!("mDNS does not stop in time");
                }
            }
            Err(error) => tracing::debug!(%error, "mDNS cannot be stopped"),
        }
    }
}

/// The next message, or none once there can be no more; for ever if there is nobody to send one.
async fn receive<T>(from: Option<&Receiver<T>>) -> Option<T> {
    match from {
        Some(from) => from.recv_async().await.ok(),
        None => std::future::pending().await,
    }
}

/// Waits until then; for ever if there is no such time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

fn take_found(event: ServiceEvent, neighbourhood: &Mutex<Neighbourhood>) {
    match event {
        ServiceEvent::ServiceResolved(service) => {
            let addresses = service.get_addresses().iter().map(ScopedIp::to_ip_addr);
            let txt = |key: &str| service.get_property_val(key).flatten();
            let instance = service.get_fullname();
            let mut neighbourhood = lock(neighbourhood);
            match reading::read(service.get_port(), addresses, txt) {
                Ok(sighting) => {
                    if let Err(error) = neighbourhood.hear(instance, sighting, Instant::now()) {
                        tracing::debug!(?instance, %error, "a server is not listed");
                    }
                }
                Err(error) => {
                    neighbourhood.lose(instance);
                    tracing::debug!(?instance, %error, "an announcement is not believed");
                }
            }
        }
        ServiceEvent::ServiceRemoved(_, instance) => lock(neighbourhood).lose(&instance),
        _ => {}
    }
}

fn info(service: &Service, port: u16) -> mdns_sd::Result<ServiceInfo> {
    let Service {
        kind,
        instance,
        host,
        unique,
        txt,
    } = service;
    let info = ServiceInfo::new(kind, instance, host, (), port, txt.as_slice())?;
    let mut info = info.enable_addr_auto();
    info.set_requires_probe(!unique);
    Ok(info)
}

/// Keeps the library to the interfaces that the server may be found on.
pub(super) fn use_interfaces(daemon: &ServiceDaemon, settings: &Settings) -> mdns_sd::Result<()> {
    let settings = settings.clone();
    let unused =
        move |interface: &if_addrs::Interface| !is_used(&settings, &interface.name, interface.ip());
    daemon.disable_interface(IfKind::Predicate(IfPredicate::new(unused)))
}

/// Whether others may find the server by this address of this interface.
fn is_used(settings: &Settings, interface: &str, address: IpAddr) -> bool {
    let named = if settings.interfaces.is_empty() {
        !is_virtual(interface)
    } else {
        settings.interfaces.iter().any(|name| name == interface)
    };
    let bound = match settings.bind {
        Some(IpAddr::V4(bind)) if bind.is_unspecified() => address.is_ipv4(),
        Some(bind) if !bind.is_unspecified() => bind.to_canonical() == address,
        _ => true,
    };
    // Nobody else is on the loopback interface, and so nobody there contests a name.
    named && bound && !address.is_loopback()
}

/// The label of a host name, if it is one of `hosts` with a number: `w1aw-2` of `w1aw-2.local.`.
fn numbered(name: &str, hosts: &[String]) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let label = name.strip_suffix(".local.")?;
    let (host, number) = label.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    (is_number && hosts.iter().any(|own| own == host)).then(|| label.to_owned())
}

/// Records of others that the library keeps.
fn records(metrics: &Metrics) -> i64 {
    let cached = metrics
        .iter()
        .filter(|(name, _)| name.starts_with("cached-"));
    cached.map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(interfaces: &[&str], bind: Option<&str>) -> Settings {
        Settings {
            interfaces: interfaces.iter().map(|&name| name.to_owned()).collect(),
            bind: bind.map(|address| address.parse().unwrap()),
            port: 8080,
        }
    }

    #[test]
    fn interfaces_are_chosen_by_name_and_by_the_address_listened_on() {
        let four: IpAddr = "192.168.1.2".parse().unwrap();
        let six: IpAddr = "fd00::2".parse().unwrap();
        let all = settings(&[], None);
        assert!(is_used(&all, "wlan0", four) && is_used(&all, "eth0", six));
        assert!(!is_used(&all, "lo", "127.0.0.1".parse().unwrap()));
        assert!(!is_used(&all, "docker0", four) && !is_used(&all, "veth1234", six));
        let named = settings(&["eth0", "docker0"], None);
        assert!(is_used(&named, "eth0", four) && is_used(&named, "docker0", four));
        assert!(!is_used(&named, "wlan0", four) && !is_used(&named, "eth", four));
        let bound = settings(&[], Some("192.168.1.2"));
        assert!(is_used(&bound, "eth0", four) && !is_used(&bound, "eth0", six));
        let only_four = settings(&[], Some("0.0.0.0"));
        assert!(is_used(&only_four, "eth0", four) && !is_used(&only_four, "eth0", six));
        let any = settings(&[], Some("::"));
        assert!(is_used(&any, "eth0", four) && is_used(&any, "eth0", six));
    }

    #[test]
    fn a_numbered_name_is_one_of_ours_with_a_number() {
        let hosts = ["w1aw".to_owned(), "ham-server".to_owned()];
        let label = |name| numbered(name, &hosts);
        assert_eq!(label("W1AW-2.local.").as_deref(), Some("w1aw-2"));
        assert_eq!(
            label("ham-server-13.local.").as_deref(),
            Some("ham-server-13")
        );
        for other in [
            "w1aw.local.",
            "ham-server.local.",
            "w1aw-x.local.",
            "w1aw-.local.",
            "k1abc-2.local.",
            "w1aw-2.example.",
        ] {
            assert_eq!(label(other), None, "{other}");
        }
    }

    #[test]
    fn only_records_of_others_are_counted() {
        let metrics = Metrics::from([
            ("cached-ptr".into(), 3),
            ("cached-srv".into(), 4),
            ("browse".into(), 9_999),
        ]);
        assert_eq!(records(&metrics), 7);
    }
}

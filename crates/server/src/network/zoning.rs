//! The zones of this machine's networks while the server runs: the rules, which the owner may change, and the
//! interfaces, which come and go.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Ends;
use super::links::{Links, source_towards};
use super::zones::{Rule, Rules, Verdict};

/// How long what the system told of the interfaces is believed.
const LINKS_LAST: Duration = Duration::from_secs(1);

/// What every connection is judged by.
#[derive(Debug)]
pub struct Zoning {
    settings: Vec<Rule>,
    rules: RwLock<Arc<Rules>>,
    links: RwLock<Option<(Instant, Arc<Links>)>>,
    changed: watch::Sender<()>,
}

impl Zoning {
    /// The rules of the settings, and those the owner made.
    #[must_use]
    pub fn new(settings: Vec<Rule>, owner: &[Rule]) -> Self {
        Self {
            rules: RwLock::new(Arc::new(Rules::new(&settings, owner))),
            settings,
            links: RwLock::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Replaces the rules of the owner. Connections are judged anew.
    pub fn set(&self, owner: &[Rule]) {
        let rules = Arc::new(Rules::new(&self.settings, owner));
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        self.changed.send_replace(());
    }

    /// Tells when connections have to be judged anew.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What counts for a connection.
    #[must_use]
    pub fn of(&self, ends: Ends) -> Verdict {
        self.by(&self.rules(), ends)
    }

    /// What would count by other rules.
    #[must_use]
    pub fn by(&self, rules: &Rules, ends: Ends) -> Verdict {
        let (local, remote) = (ends.local.ip(), ends.remote.ip());
        let here = self.judge(rules, local, remote);
        let Some(client) = ends.client else {
            return here;
        };
        // The way behind the proxy counts as well.
        let beyond = self.judge(rules, local, client);
        if beyond.zone > here.zone {
            beyond
        } else {
            here
        }
    }

    /// What counts between an address of this machine and another's.
    #[must_use]
    pub fn between(&self, local: IpAddr, remote: IpAddr) -> Verdict {
        self.judge(&self.rules(), local, remote)
    }

    fn judge(&self, rules: &Rules, local: IpAddr, remote: IpAddr) -> Verdict {
        let towards = (!local.is_loopback()).then(|| source_towards(remote));
        rules.judge(&self.links(), local, remote, towards.flatten())
    }

    /// The interfaces there are now, or were a moment ago.
    #[must_use]
    pub fn links(&self) -> Arc<Links> {
        let known = self.links.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, links)) = known.as_ref()
            && read.elapsed() < LINKS_LAST
        {
            return Arc::clone(links);
        }
        drop(known);
        let links = Arc::new(Links::read());
        let mut known = self.links.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(&links)));
        links
    }
}

#[cfg(test)]
mod tests {
    use station::Zone;

    use super::*;

    #[test]
    fn a_new_rule_counts_at_once_and_is_told() {
        let zoning = Zoning::new(Vec::new(), &[]);
        let changes = zoning.watch();
        let [local, remote] = ["192.0.2.1", "10.254.254.254"].map(|text| text.parse().unwrap());
        assert_eq!(zoning.between(local, remote).zone, Zone::Part97);
        assert!(!changes.has_changed().unwrap());
        zoning.set(&["10.0.0.0/8=open".parse().unwrap()]);
        assert_eq!(zoning.between(local, remote).zone, Zone::Open);
        assert!(changes.has_changed().unwrap());
    }
}

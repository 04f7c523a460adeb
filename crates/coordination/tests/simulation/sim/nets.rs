//! Nets of a known shape.

use std::time::Duration;

use coordination::Limits;
use coordination::message::Topic;
use station::Zone;

use super::World;
use super::host::{Host, ROOT};
use super::invariants;

/// So many servers that each hear of a few others at random, and all of all through them.
pub(crate) fn mesh(seed: u64, servers: usize, heard: usize) -> World {
    let mut world = World::new(seed);
    for number in 0..servers {
        world.add(Host::new(
            &format!("host-{number}"),
            ROOT,
            Limits::default(),
        ));
        for _ in 0..heard.min(number) {
            let other = world.random.below(number);
            let endpoint = world.hosts[other].endpoint.clone();
            world.hosts[number].hears_of.push(endpoint);
        }
    }
    world
}

/// Servers each of which reaches only the one before and the one after.
pub(crate) fn line(seed: u64, servers: usize) -> World {
    let mut world = mesh(seed, servers, 0);
    for one in 0..servers {
        for other in 0..one {
            if other + 1 == one {
                let endpoint = world.hosts[other].endpoint.clone();
                world.hosts[one].hears_of.push(endpoint);
            } else {
                world.apart.push((one, other));
            }
        }
    }
    world
}

impl World {
    pub(crate) fn start_all(&mut self) {
        for host in 0..self.hosts.len() {
            self.start(host);
        }
    }

    /// Starts everybody, with somebody at each, and waits until all know all.
    pub(crate) fn come_together(&mut self, most: Duration) {
        self.start_all();
        for host in 0..self.hosts.len() {
            self.join(host, Topic::Operators);
        }
        self.must_agree_within(most);
    }

    /// Waits until all agree, and says when they do.
    pub(crate) fn must_agree_within(&mut self, most: Duration) -> Duration {
        let begun = self.now;
        let agreed = self.run_until_holds(most, |world| invariants::agreement(world).is_none());
        assert!(agreed, "{:?} after {most:?}", invariants::agreement(self));
        self.now - begun
    }

    /// The way between two, by host.
    pub(crate) fn way(&self, from: usize, to: usize, within: Zone) -> Option<Vec<usize>> {
        let node = self.hosts[from].node.as_ref()?;
        let way = node.way(self.hosts[to].id, within)?;
        let place = |id| self.hosts.iter().position(|host| host.id == id);
        way.into_iter().map(place).collect()
    }
}

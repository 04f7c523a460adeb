//! Many servers in one process, in a time of their own, by one seed.
//!
//! `World` carries out what the nodes want (this file), moves frames between them (`network`, `wire`) in its own
//! `time`, and notes what goes by (`watch`); `plan` makes things happen by chance; `invariants` says what must
//! hold. Nothing here depends on anything but the seed, so a failure can be seen again.

pub(crate) mod adversary;
pub(crate) mod bench;
pub(crate) mod host;
pub(crate) mod invariants;
pub(crate) mod keys;
pub(crate) mod nets;
mod network;
pub(crate) mod plan;
pub(crate) mod random;
mod time;
mod watch;
pub(crate) mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use coordination::message::{Person, Set, Topic};
use coordination::{Blob, Input, ItemId, LinkId, Node, PersonId, ServerId, Source, Standing};
use sha2::Sha256;
use station::Zone;

use host::{Host, Served};
use random::Random;
use time::Happening;
use watch::Counts;
use wire::{Transport, Weather};

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) now: Duration,
    begin: Instant,
    queue: BTreeMap<(Duration, u64), Happening>,
    happened: u64,
    pub(crate) hosts: Vec<Host>,
    by_endpoint: BTreeMap<String, usize>,
    transports: BTreeMap<u64, Transport>,
    by_link: BTreeMap<(usize, LinkId), (u64, usize)>,
    links: u64,
    pub(crate) random: Random,
    pub(crate) weather: Weather,
    /// Hosts on different sides do not reach each other.
    pub(crate) sides: Vec<u8>,
    /// Pairs without a way between them, whatever the sides.
    pub(crate) apart: Vec<(usize, usize)>,
    /// Pairs whose way crosses amateur frequencies.
    pub(crate) radio: Vec<(usize, usize)>,
    pub(crate) counts: Counts,
    /// When each host is woken next.
    wakes: Vec<Option<Duration>>,
    /// Whether everything that happens is printed.
    pub(crate) log: bool,
    /// A digest of all commands, if it is wanted.
    pub(crate) trace: Option<Sha256>,
    parcels: u64,
    /// How often each record went over each link in each direction, if `watched`.
    pub(crate) went: BTreeMap<(LinkId, ServerId, u64, u64), usize>,
    pub(crate) watched: bool,
    /// Frames across amateur frequencies with a guest in them.
    pub(crate) leaked: usize,
    /// Who sent something on which way to which place of it.
    carried: BTreeSet<(ServerId, Vec<ServerId>, u8)>,
    /// Messages that an honest server passed on although they did not come to it on their way.
    pub(crate) crooked: usize,
    /// What was posted: by whom, to whom, and what.
    pub(crate) posted: BTreeMap<u64, (usize, usize, Blob)>,
    /// Every item that anybody put in.
    pub(crate) items: BTreeMap<(Set, ItemId), Blob>,
    people: u64,
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            // Late enough that clocks may lag behind it.
            now: Duration::from_secs(1),
            begin: Instant::now(),
            queue: BTreeMap::new(),
            happened: 0,
            hosts: Vec::new(),
            by_endpoint: BTreeMap::new(),
            transports: BTreeMap::new(),
            by_link: BTreeMap::new(),
            links: 0,
            random: Random::new(seed),
            weather: Weather::CALM,
            sides: Vec::new(),
            apart: Vec::new(),
            radio: Vec::new(),
            counts: Counts::default(),
            wakes: Vec::new(),
            log: std::env::var_os("HAM_SIM_LOG").is_some(),
            trace: None,
            parcels: 0,
            went: BTreeMap::new(),
            watched: false,
            leaked: 0,
            carried: BTreeSet::new(),
            crooked: 0,
            posted: BTreeMap::new(),
            items: BTreeMap::new(),
            people: 0,
        }
    }

    pub(crate) fn add(&mut self, host: Host) -> usize {
        self.by_endpoint
            .insert(host.endpoint.clone(), self.hosts.len());
        self.hosts.push(host);
        self.sides.push(0);
        self.wakes.push(None);
        self.hosts.len() - 1
    }

    /// What a clock of that host shows.
    pub(crate) fn clock(&self, host: usize) -> Instant {
        self.begin + self.now + self.hosts[host].ahead
    }

    pub(crate) fn start(&mut self, host: usize) {
        let now = self.clock(host);
        let seed = self.seed;
        self.hosts[host].start(seed, now);
        self.wakes[host] = None;
        for endpoint in self.hosts[host].hears_of.clone() {
            let source = Source::Mdns;
            let hint = None;
            self.input(
                host,
                Input::PeerFound {
                    endpoint,
                    source,
                    hint,
                },
            );
        }
        for ((topic, id), person) in self.hosts[host].people.clone() {
            self.input(host, Input::Joined { topic, id, person });
        }
        self.serve(host);
    }

    /// The process ends: its transports break. A host without power breaks nothing; it is just silent.
    pub(crate) fn stop(&mut self, host: usize, silently: bool) {
        self.hosts[host].node = None;
        let ends = self.by_link.range((host, LinkId(0))..(host + 1, LinkId(0)));
        let ends: Vec<(u64, usize)> = ends.map(|(_, &end)| end).collect();
        for (transport, end) in ends {
            self.close_end(transport, end, !silently);
        }
    }

    pub(crate) fn start_later(&mut self, host: usize, after: Duration) {
        self.schedule(after, Happening::Starts { host });
    }

    /// What a host makes of a server changes.
    pub(crate) fn judge(&mut self, host: usize, server: ServerId, standing: Standing) {
        self.input(host, Input::Standing { server, standing });
        self.serve(host);
    }

    pub(crate) fn join(&mut self, host: usize, topic: Topic) {
        self.people += 1;
        let id = PersonId::new(self.people.to_be_bytes());
        let person = Person {
            callsign: "W1AW".to_owned(),
            net: match topic {
                Topic::Operators => format!("net-{}", self.people),
                Topic::Guests => format!("net-guests-{}", self.people),
            },
            login: None,
        };
        self.hosts[host].people.insert((topic, id), person.clone());
        self.input(host, Input::Joined { topic, id, person });
        self.serve(host);
    }

    pub(crate) fn leave(&mut self, host: usize) {
        let people: Vec<_> = self.hosts[host].people.keys().copied().collect();
        if people.is_empty() {
            return;
        }
        let (topic, id) = *self.random.pick(&people);
        self.hosts[host].people.remove(&(topic, id));
        self.input(host, Input::Left { topic, id });
        self.serve(host);
    }

    pub(crate) fn put_item(&mut self, host: usize, set: Set, data: Blob) -> ItemId {
        let id = keys::item_id(data.as_bytes());
        let item = host::described(id, &data);
        self.items.insert((set, id), data.clone());
        let time = host::item_time(&data);
        self.hosts[host].disk.items.insert((set, id), (time, data));
        self.input(host, Input::Held { set, item });
        self.serve(host);
        id
    }

    /// Posts a parcel; gives its tag.
    pub(crate) fn post(&mut self, from: usize, to: usize, within: Zone, length: usize) -> u64 {
        self.parcels += 1;
        let tag = self.parcels;
        let mut body = tag.to_be_bytes().to_vec();
        body.resize(length.max(8), 0);
        let body = Blob::from(body);
        self.posted.insert(tag, (from, to, body.clone()));
        let to = self.hosts[to].id;
        self.input(
            from,
            Input::Post {
                to,
                tag,
                within,
                body,
            },
        );
        self.serve(from);
        tag
    }

    /// A host's clock jumps ahead.
    pub(crate) fn jump(&mut self, host: usize, by: Duration) {
        self.hosts[host].ahead += by;
        self.input(host, Input::Tick);
        self.serve(host);
    }

    pub(crate) fn input(&mut self, host: usize, input: Input) {
        let now = self.clock(host);
        if let Some(node) = &mut self.hosts[host].node {
            node.handle_input(input, now);
        }
    }

    /// Carries out what a node wants, and what follows from that at once.
    fn serve(&mut self, host: usize) {
        let slow = self.weather.slow_work;
        while let Some(command) = self.hosts[host].node.as_mut().and_then(Node::poll) {
            self.note(host, &command);
            match self.hosts[host].serve(command) {
                Served::Nothing => {}
                Served::Answer(input) if slow.is_zero() => self.input(host, input),
                Served::Answer(input) => {
                    let life = self.hosts[host].life;
                    let after = self.random.between(Duration::ZERO, slow);
                    self.schedule(after, Happening::Answer { host, life, input });
                }
                Served::Send(link, frame) => self.send(host, link, frame),
                Served::Close(link) => {
                    if let Some(&(transport, end)) = self.by_link.get(&(host, link)) {
                        self.close_end(transport, end, true);
                    }
                }
                Served::Dial(endpoint) => {
                    let life = self.hosts[host].life;
                    let after = self.weather.latency * 2;
                    self.schedule(
                        after,
                        Happening::Dialed {
                            host,
                            life,
                            endpoint,
                        },
                    );
                }
            }
        }
        let clock = self.clock(host);
        let node = self.hosts[host].node.as_ref();
        if let Some(deadline) = node.and_then(Node::deadline) {
            let life = self.hosts[host].life;
            let after = deadline.saturating_duration_since(clock);
            let at = self.now + after;
            if self.wakes[host].is_none_or(|wake| at < wake) {
                self.wakes[host] = Some(at);
                self.schedule(after, Happening::Wake { host, life });
            }
        }
    }
}

//! Many servers in one process, in a time of their own, by one seed.
//!
//! `World` carries out what the nodes want and moves frames between them; `plan` makes things happen to them by
//! chance; `invariants` says what must hold. Nothing here depends on anything but the seed, so a failure
//! can be seen again.

pub(crate) mod adversary;
pub(crate) mod bench;
pub(crate) mod host;
pub(crate) mod invariants;
pub(crate) mod keys;
pub(crate) mod nets;
pub(crate) mod plan;
pub(crate) mod random;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coordination::message::{Message, Person, Set, Topic};
use coordination::{
    Blob, Command, Frame, Input, ItemId, LinkId, Node, PersonId, Protocol, ServerId, Source,
    Standing,
};
use sha2::{Digest, Sha256};
use station::Zone;

use adversary::Who;
use host::{Host, Served};
use random::Random;
use wire::{End, Transport, Weather, speed};

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
    /// What was posted: by whom, to whom, and what.
    pub(crate) posted: BTreeMap<u64, (usize, usize, Blob)>,
    /// Every item that anybody put in.
    pub(crate) items: BTreeMap<(Set, ItemId), Blob>,
    people: u64,
}

/// What went over all links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
    pub(crate) beats: usize,
    pub(crate) updates: usize,
    pub(crate) routed: usize,
    pub(crate) sets: usize,
    pub(crate) searches: usize,
}

#[expect(clippy::large_enum_variant, reason = "inputs are the most frequent")]
enum Happening {
    /// A node may have something due.
    Wake { host: usize, life: u64 },
    /// A dial reaches its end.
    Dialed {
        host: usize,
        life: u64,
        endpoint: String,
    },
    /// A dial comes to nothing.
    DialFails {
        host: usize,
        life: u64,
        endpoint: String,
    },
    /// A frame arrives.
    Arrives {
        transport: u64,
        end: usize,
        frame: Frame,
    },
    /// A frame has left.
    Written {
        transport: u64,
        end: usize,
        bytes: usize,
    },
    /// The other end is gone.
    Ends { transport: u64, end: usize },
    /// The surroundings have an answer.
    Answer {
        host: usize,
        life: u64,
        input: Input,
    },
    /// A host starts.
    Starts { host: usize },
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

    /// Cuts or breaks every transport between hosts that do not reach each other any more.
    pub(crate) fn divide(&mut self, sides: Vec<u8>, silently: bool) {
        self.sides = sides;
        let divided: Vec<u64> = self
            .transports
            .iter()
            .filter(|(_, one)| !self.reach(one.ends[0].host, one.ends[1].host))
            .map(|(&id, _)| id)
            .collect();
        for id in divided {
            if silently {
                self.transports.get_mut(&id).unwrap().cut = true;
            } else {
                self.break_transport(id);
            }
        }
    }

    pub(crate) fn reach(&self, a: usize, b: usize) -> bool {
        self.sides[a] == self.sides[b]
            && !self.apart.contains(&(a, b))
            && !self.apart.contains(&(b, a))
    }

    /// Both ends of a transport learn that it broke.
    pub(crate) fn break_transport(&mut self, id: u64) {
        for end in 0..2 {
            self.schedule(self.weather.latency, Happening::Ends { transport: id, end });
        }
    }

    /// Every transport between two hosts breaks.
    pub(crate) fn break_all_between(&mut self, a: usize, b: usize) {
        let between = |one: &Transport| {
            let ends = one.ends.each_ref().map(|end| end.host);
            ends == [a, b] || ends == [b, a]
        };
        let ids: Vec<u64> = self
            .transports
            .iter()
            .filter(|(_, one)| between(one))
            .map(|(&id, _)| id)
            .collect();
        for id in ids {
            self.break_transport(id);
        }
    }

    /// What a host makes of a server changes.
    pub(crate) fn judge(&mut self, host: usize, server: ServerId, standing: Standing) {
        self.input(host, Input::Standing { server, standing });
        self.serve(host);
    }

    pub(crate) fn any_transport(&mut self) -> Option<u64> {
        let ids: Vec<u64> = self.transports.keys().copied().collect();
        (!ids.is_empty()).then(|| *self.random.pick(&ids))
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

    /// Lets time pass until then.
    pub(crate) fn run_until(&mut self, end: Duration) {
        while let Some((&(at, _), _)) = self.queue.first_key_value()
            && at <= end
        {
            self.step();
        }
        self.now = self.now.max(end);
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Runs until something holds, for at most so long. True if it does.
    pub(crate) fn run_until_holds(
        &mut self,
        most: Duration,
        holds: impl Fn(&Self) -> bool,
    ) -> bool {
        let end = self.now + most;
        while self.now < end {
            if holds(self) {
                return true;
            }
            let left = end.saturating_sub(self.now);
            self.run_for((most / 100).max(Duration::from_millis(10)).min(left));
        }
        holds(self)
    }

    /// Everything that was done, in brief: the same for the same seed, if `trace` was set.
    pub(crate) fn traced(&self) -> String {
        let digest = self.trace.clone().unwrap_or_default().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
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

    fn step(&mut self) {
        let Some(((at, _), happening)) = self.queue.pop_first() else {
            return;
        };
        self.now = at;
        match happening {
            Happening::Wake { host, life } => {
                if self.wakes[host] == Some(at) && self.hosts[host].life == life {
                    self.wakes[host] = None;
                    self.input(host, Input::Tick);
                    self.serve(host);
                }
            }
            Happening::Dialed {
                host,
                life,
                endpoint,
            } => self.dialed(host, life, &endpoint),
            Happening::DialFails {
                host,
                life,
                endpoint,
            } => {
                if self.hosts[host].life == life {
                    self.input(host, Input::DialFailed { endpoint });
                    self.serve(host);
                }
            }
            Happening::Arrives {
                transport,
                end,
                frame,
            } => self.arrives(transport, end, frame),
            Happening::Written {
                transport,
                end,
                bytes,
            } => {
                if let Some(one) = self.transports.get(&transport)
                    && one.ends[end].open
                {
                    let (host, link) = (one.ends[end].host, one.ends[end].link);
                    self.input(host, Input::Written { link, bytes });
                    self.serve(host);
                }
            }
            Happening::Ends { transport, end } => self.ends(transport, end),
            Happening::Answer { host, life, input } => {
                if self.hosts[host].life == life {
                    self.input(host, input);
                    self.serve(host);
                }
            }
            Happening::Starts { host } => {
                if self.hosts[host].node.is_none() {
                    self.start(host);
                }
            }
        }
    }

    fn schedule(&mut self, after: Duration, happening: Happening) {
        self.happened += 1;
        self.queue
            .insert((self.now + after, self.happened), happening);
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

    fn dialed(&mut self, host: usize, life: u64, endpoint: &str) {
        if self.hosts[host].life != life || self.hosts[host].node.is_none() {
            return;
        }
        let there = self.by_endpoint.get(endpoint).copied();
        let there = there.filter(|&there| self.hosts[there].node.is_some());
        let Some(there) = there.filter(|&there| self.reach(host, there)) else {
            let endpoint = endpoint.to_owned();
            let after = Duration::from_millis(500);
            return self.schedule(
                after,
                Happening::DialFails {
                    host,
                    life,
                    endpoint,
                },
            );
        };
        let radio = self.radio.contains(&(host, there)) || self.radio.contains(&(there, host));
        let zone = if radio { Zone::Part97 } else { Zone::Open };
        let id = self.links;
        let ends = [host, there].map(|host| {
            self.links += 1;
            End {
                host,
                link: LinkId(self.links),
                free_at: self.now,
                last_arrival: self.now,
                open: true,
            }
        });
        for (place, end) in ends.iter().enumerate() {
            self.by_link.insert((end.host, end.link), (id, place));
        }
        let links = ends.each_ref().map(|end| end.link);
        let cut = false;
        self.transports.insert(id, Transport { ends, zone, cut });
        let dialed = [Some(endpoint.to_owned()), None];
        for ((host, link), dialed) in [host, there].into_iter().zip(links).zip(dialed) {
            let protocol = Protocol::Coordinate;
            self.input(
                host,
                Input::LinkUp {
                    link,
                    dialed,
                    zone,
                    protocol,
                },
            );
            self.serve(host);
        }
    }

    fn send(&mut self, host: usize, link: LinkId, frame: Frame) {
        let Some(&(transport, end)) = self.by_link.get(&(host, link)) else {
            return;
        };
        let frames = match self.hosts[host].malice.take() {
            None => vec![frame],
            Some(mut malice) => {
                let one = &self.hosts[host];
                let who = Who {
                    key: &one.key,
                    chain: &one.chain,
                    id: one.id,
                };
                let frames = malice.tamper(&who, link.0, frame, &mut self.random);
                self.hosts[host].malice = Some(malice);
                frames
            }
        };
        for frame in frames {
            self.transmit(transport, end, &frame);
        }
    }

    fn transmit(&mut self, transport: u64, end: usize, frame: &Frame) {
        self.count(frame);
        self.watch(transport, end, frame);
        let weather = self.weather;
        let jitter = self.random.between(Duration::ZERO, weather.jitter);
        let lost = self.random.percent(weather.lost);
        let doubled = self.random.percent(weather.doubled);
        let Some(one) = self.transports.get_mut(&transport) else {
            return;
        };
        let (speed, delay) = speed(one.zone);
        let length = u64::try_from(frame.len()).unwrap();
        let sending = Duration::from_nanos(length * 1_000_000_000 / speed);
        let from = &mut one.ends[end];
        let left = from.free_at.max(self.now) + sending;
        from.free_at = left;
        let mut arrival = left + weather.latency + delay + jitter;
        if !weather.reordered {
            arrival = arrival.max(from.last_arrival);
            from.last_arrival = arrival;
        }
        let bytes = frame.len();
        let after = left.saturating_sub(self.now);
        self.schedule(
            after,
            Happening::Written {
                transport,
                end,
                bytes,
            },
        );
        let after = arrival.saturating_sub(self.now);
        let end = 1 - end;
        for _ in 0..(usize::from(!lost) * (1 + usize::from(doubled))) {
            let frame = frame.clone();
            self.schedule(
                after,
                Happening::Arrives {
                    transport,
                    end,
                    frame,
                },
            );
        }
    }

    fn arrives(&mut self, transport: u64, end: usize, frame: Frame) {
        let Some(one) = self.transports.get(&transport) else {
            return;
        };
        if one.cut || !one.ends[end].open {
            return;
        }
        let (host, link) = (one.ends[end].host, one.ends[end].link);
        if let Some(malice) = &self.hosts[host].malice {
            for answer in malice.overhear(&frame) {
                self.transmit(transport, end, &answer);
            }
        }
        self.input(host, Input::Frame { link, frame });
        self.serve(host);
    }

    /// The node at one end knows no more of a transport; the other end learns it if it is told.
    fn close_end(&mut self, transport: u64, end: usize, told: bool) {
        let Some(one) = self.transports.get_mut(&transport) else {
            return;
        };
        if !std::mem::replace(&mut one.ends[end].open, false) {
            return;
        }
        let here = &one.ends[end];
        self.by_link.remove(&(here.host, here.link));
        // What was sent before arrives before.
        let last = here.last_arrival.max(self.now + self.weather.latency);
        let cut = one.cut;
        if one.ends.iter().all(|end| !end.open) {
            self.transports.remove(&transport);
        } else if told && !cut {
            let end = 1 - end;
            let after = last.saturating_sub(self.now);
            self.schedule(after, Happening::Ends { transport, end });
        }
    }

    fn ends(&mut self, transport: u64, end: usize) {
        let Some(one) = self.transports.get(&transport) else {
            return;
        };
        if !one.ends[end].open {
            return;
        }
        let (host, link) = (one.ends[end].host, one.ends[end].link);
        self.close_end(transport, end, true);
        self.input(host, Input::LinkDown { link });
        self.serve(host);
    }

    fn watch(&mut self, transport: u64, end: usize, frame: &Frame) {
        let Some(one) = self.transports.get(&transport) else {
            return;
        };
        if let (Zone::Part97, Frame::Binary(bytes)) = (one.zone, frame) {
            let mut pieces = bytes.as_bytes().windows(b"guests-".len());
            self.leaked += usize::from(pieces.any(|piece| piece == b"guests-"));
        }
        if !self.watched {
            return;
        }
        if let Some(Message::Update(update)) = read(frame) {
            let record = update.record;
            let key = (
                one.ends[end].link,
                record.server,
                record.boot,
                record.sequence,
            );
            *self.went.entry(key).or_default() += 1;
        }
    }

    fn note(&mut self, host: usize, command: &Command) {
        if self.log {
            let now = self.now.as_secs_f64();
            let said = match command {
                Command::Send { frame, .. } => read(frame),
                _ => None,
            };
            match (command, said) {
                (Command::Send { link, .. }, Some(Message::Beat(_))) => {
                    eprintln!("{now:10.3} host-{host} beats on {}", link.0);
                }
                (Command::Send { link, .. }, Some(said)) => {
                    eprintln!("{now:10.3} host-{host} on {}: {said:?}", link.0);
                }
                _ => eprintln!("{now:10.3} host-{host} {command:?}"),
            }
        }
        if let Some(trace) = &mut self.trace {
            trace.update(host.to_be_bytes());
            trace.update(self.now.as_nanos().to_be_bytes());
            trace.update(format!("{command:?}").as_bytes());
        }
    }

    fn count(&mut self, frame: &Frame) {
        self.counts.frames += 1;
        self.counts.bytes += frame.len();
        let Frame::Binary(bytes) = frame else {
            return;
        };
        // The name of a message is the first text in it.
        let name = bytes.as_bytes().get(2..).unwrap_or_default();
        let is = |word: &str| name.starts_with(word.as_bytes());
        if is("beat") {
            self.counts.beats += 1;
        } else if is("update") {
            self.counts.updates += 1;
        } else if is("routed") {
            self.counts.routed += 1;
        } else if is("digest") || is("versions") || is("want") || is("who") || is("people") {
            self.counts.searches += 1;
        } else if is("have") || is("get") || is("item") || is("absent") || is("reconcile") {
            self.counts.sets += 1;
        }
    }
}

/// What a frame says.
fn read(frame: &Frame) -> Option<Message> {
    match frame {
        Frame::Binary(bytes) => Message::decode(bytes.as_bytes()).ok(),
        Frame::Text(_) => None,
    }
}

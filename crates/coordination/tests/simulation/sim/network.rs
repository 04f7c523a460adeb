//! What is between the hosts: transports that are dialled, carry frames as the weather lets them, break or
//! fall silent.

use std::time::Duration;

use coordination::{Frame, Input, LinkId, Protocol};
use station::Zone;

use super::World;
use super::adversary::Who;
use super::time::Happening;
use super::wire::{End, Transport, speed};

impl World {
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

    /// Who is at the other end of a link.
    pub(crate) fn other_end(&self, host: usize, link: LinkId) -> Option<usize> {
        let (transport, end) = self.by_link.get(&(host, link))?;
        Some(self.transports.get(transport)?.ends[1 - end].host)
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

    pub(crate) fn any_transport(&mut self) -> Option<u64> {
        let ids: Vec<u64> = self.transports.keys().copied().collect();
        (!ids.is_empty()).then(|| *self.random.pick(&ids))
    }

    pub(super) fn dialed(&mut self, host: usize, life: u64, endpoint: &str) {
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

    pub(super) fn send(&mut self, host: usize, link: LinkId, frame: Frame) {
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

    pub(super) fn arrives(&mut self, transport: u64, end: usize, frame: Frame) {
        let Some(one) = self.transports.get(&transport) else {
            return;
        };
        if one.cut || !one.ends[end].open {
            return;
        }
        let (host, link) = (one.ends[end].host, one.ends[end].link);
        if let Some(malice) = &mut self.hosts[host].malice {
            for answer in malice.overhear(link.0, &frame) {
                self.transmit(transport, end, &answer);
            }
        }
        self.input(host, Input::Frame { link, frame });
        self.serve(host);
    }

    /// The node at one end knows no more of a transport; the other end learns it if it is told.
    pub(super) fn close_end(&mut self, transport: u64, end: usize, told: bool) {
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

    pub(super) fn ends(&mut self, transport: u64, end: usize) {
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
}

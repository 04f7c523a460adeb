//! The time of a world: what is to happen, in order, and letting it.

use std::time::Duration;

use coordination::{Frame, Input};

use super::World;

#[expect(clippy::large_enum_variant, reason = "inputs are the most frequent")]
pub(super) enum Happening {
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

    pub(super) fn step(&mut self) {
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
                    self.input(
                        host,
                        Input::Written {
                            link,
                            frames: 1,
                            bytes,
                        },
                    );
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

    pub(super) fn schedule(&mut self, after: Duration, happening: Happening) {
        self.happened += 1;
        self.queue
            .insert((self.now + after, self.happened), happening);
    }
}

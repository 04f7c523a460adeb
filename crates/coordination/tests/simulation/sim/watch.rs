//! What is noted of everything that happens: counts, what must not go over some links, and a trace.

use coordination::message::{Message, Routed};
use coordination::{Command, Frame};
use sha2::Digest;
use station::Zone;

use super::World;

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

impl World {
    /// Everything that was done, in brief: the same for the same seed, if `trace` was set.
    pub(crate) fn traced(&self) -> String {
        let digest = self.trace.clone().unwrap_or_default().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn watch(&mut self, transport: u64, end: usize, frame: &Frame) {
        let Some(one) = self.transports.get(&transport) else {
            return;
        };
        if let (Zone::Part97, Frame::Binary(bytes)) = (one.zone, frame) {
            let mut pieces = bytes.as_bytes().windows(b"guests-".len());
            self.leaked += usize::from(pieces.any(|piece| piece == b"guests-"));
        }
        let sender = one.ends[end].host;
        let said = read(frame);
        if let Some(Message::Routed(routed)) = &said {
            let Routed { way, at, .. } = routed;
            let before = usize::from(*at).checked_sub(2).map(|place| way[place]);
            let came = |before| self.carried.contains(&(before, way.clone(), *at - 1));
            if self.hosts[sender].is_honest() && before.is_some_and(|before| !came(before)) {
                self.crooked += 1;
            }
            self.carried
                .insert((self.hosts[sender].id, way.clone(), *at));
        }
        if !self.watched {
            return;
        }
        if let Some(Message::Update(update)) = said {
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

    pub(super) fn note(&mut self, host: usize, command: &Command) {
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

    pub(super) fn count(&mut self, frame: &Frame) {
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

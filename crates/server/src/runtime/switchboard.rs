//! The hub with its surroundings: connections' queues, randomness, cryptography and the clock.
//!
//! The hub stands behind a plain mutex and not in a task of its own: handling a message takes
//! microseconds, nothing is awaited under the lock, and a frame needs no hop between threads
//! (`docs/decisions`). Queues are filled under the same lock, so every client gets its frames in the
//! order the hub made them. Signatures are made and verified outside it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use signaling::{
    Claimant, ClientId, CloseCode, Command, ConnectionId, Counters, ErrorCode, Hub, Judgement,
    Limits, Owner, Policy, Remote, SessionToken, Shown, Ticket,
};
use station::{Fingerprint, KeyId, Statement, Zone};
use tokio::sync::{Notify, mpsc};

use super::login::{self, Receptionist};
use super::{Histogram, NoRandomness, Outbox, Outgoing, Queues, lock, nonce, origin};
use crate::network::Ends;

/// Every connection's line to the hub.
#[derive(Debug)]
pub struct Switchboard {
    exchange: Mutex<Exchange>,
    receptionist: Receptionist,
    queues: Arc<Queues>,
    random: SystemRandom,
    /// The hub has a deadline earlier than the one waited for.
    sooner: Notify,
}

#[derive(Debug)]
struct Exchange {
    hub: Hub,
    // Boxed, since nodes of a map are half empty.
    lines: BTreeMap<ConnectionId, Box<Far>>,
    /// Connections so far; the next one's name.
    connections: u64,
    /// The deadline that [`Switchboard::keep_time`] waits for.
    alarm: Option<Instant>,
    stopped: bool,
    /// For other servers.
    onward: mpsc::UnboundedSender<Onward>,
}

/// What commands for a connection need.
#[derive(Debug)]
struct Far {
    outbox: Arc<Outbox>,
    ends: Ends,
}

/// One connection to the hub. Dropping it breaks the connection: the session waits for its client.
#[derive(Debug)]
pub struct Line {
    switchboard: Arc<Switchboard>,
    connection: ConnectionId,
    /// What is to be sent to the client.
    pub outbox: Arc<Outbox>,
}

/// What other servers are told and sent. Bounded by the budgets of those who cause it.
#[derive(Debug)]
pub enum Onward {
    /// Somebody is here, or is now as this says.
    Show {
        /// Their session.
        client: ClientId,
        /// Who they are.
        person: Box<Shown>,
    },
    /// Somebody is here no more.
    Hide {
        /// Their session.
        client: ClientId,
    },
    /// A signal for somebody there.
    Forward {
        /// Whose it is.
        from: ClientId,
        /// The server's certificate.
        server: Fingerprint,
        /// The signal.
        signal: String,
        /// The `id` of the sender's frame.
        reply_to: Option<String>,
    },
}

/// The switchboard at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What was done so far.
    pub counters: Counters,
    /// Sessions of operators.
    pub licensed: usize,
    /// Sessions of guests.
    pub unlicensed: usize,
    /// WebSockets, whether or not they are a session's.
    pub connections: usize,
    /// Sessions that wait for their client to come back.
    pub away: usize,
    /// Bytes kept for sessions, over all of them.
    pub kept_bytes: usize,
    /// Frames that wait to be sent, over all WebSockets.
    pub queued_frames: usize,
    /// Their bytes.
    pub queued_bytes: usize,
    /// How long what was sent has waited.
    pub delays: Histogram,
}

/// How to tell the hub the outcome of some cryptography.
type Answer = Box<dyn FnOnce(&mut Hub, Instant)>;

/// Cryptography the hub asked for.
enum Work {
    Challenge(ConnectionId, Box<Claimant>, Ends),
    Verify {
        connection: ConnectionId,
        statement: Statement,
        spki: Vec<u8>,
        signature: String,
    },
}

impl Switchboard {
    /// A switchboard with nobody connected. What other servers are to be told goes to `onward`.
    #[must_use]
    pub fn new(
        receptionist: Receptionist,
        limits: Limits,
        queues: Arc<Queues>,
        onward: mpsc::UnboundedSender<Onward>,
    ) -> Self {
        let hub = Hub::new(limits);
        Self {
            exchange: Mutex::new(Exchange {
                hub,
                lines: BTreeMap::new(),
                connections: 0,
                alarm: None,
                stopped: false,
                onward,
            }),
            receptionist,
            queues,
            random: SystemRandom::new(),
            sooner: Notify::new(),
        }
    }

    /// Says whose server this is from now on.
    pub fn set_owner(&self, owner: Option<Owner>) {
        lock(&self.exchange).hub.set_owner(owner);
    }

    /// Whether candidates that hide an address are followed by what the server sees.
    pub fn set_observed_candidates(&self, wanted: bool) {
        lock(&self.exchange).hub.set_observed_candidates(wanted);
    }

    /// Says which key took which other's place, from now on.
    pub fn set_successors(&self, successors: BTreeMap<KeyId, KeyId>) {
        lock(&self.exchange).hub.set_successors(successors);
    }

    /// Tells everybody concerned that keys have gained or lost trust: their sessions turn at once.
    ///
    /// To be called in the order in which the trust changed, so by whoever holds the lock under which it
    /// does; and after the change, so that a login that looks up who somebody is sees either the new
    /// state or this judgement. Takes no other lock than the hub's.
    pub fn judge(&self, judgements: &[Judgement]) {
        self.drive(|hub, now| hub.judge(judgements, now));
    }

    /// Says what guests may do from now on, and tells everybody, with a sentence why.
    pub fn set_policy(&self, policy: Policy, reason: &str) {
        self.drive(|hub, _| hub.set_policy(policy, reason));
    }

    /// Accepts a connection, which came over a network of that zone. None once the server stops.
    ///
    /// # Errors
    /// [`NoRandomness`] when no ticket can be drawn.
    pub fn connect(self: &Arc<Self>, ends: Ends, zone: Zone) -> Result<Option<Line>, NoRandomness> {
        let ticket = self.draw_ticket()?;
        let outbox = Arc::new(Outbox::new(Arc::clone(&self.queues)));
        let connection = {
            let mut exchange = lock(&self.exchange);
            if exchange.stopped {
                return Ok(None);
            }
            exchange.connections += 1;
            let connection = ConnectionId::new(exchange.connections);
            let outbox = Arc::clone(&outbox);
            let far = Far { outbox, ends };
            exchange.lines.insert(connection, Box::new(far));
            connection
        };
        let origin = origin::of(ends, zone);
        self.drive(|hub, now| hub.connect(connection, ticket, origin, now));
        Ok(Some(Line {
            switchboard: Arc::clone(self),
            connection,
            outbox,
        }))
    }

    /// Whether other servers are told who is here, from now on.
    pub fn coordinate(&self, on: bool) {
        self.drive(|hub, now| hub.coordinate(on, now));
    }

    /// Somebody is at another server, or is now as this says.
    pub fn appear(&self, remote: Remote) {
        self.drive(|hub, now| hub.appear(remote, now));
    }

    /// Somebody is at that server no more.
    pub fn vanish(&self, server: Fingerprint, client: ClientId) {
        self.drive(|hub, now| hub.vanish(server, client, now));
    }

    /// A signal of somebody at that server.
    pub fn receive_from(&self, server: Fingerprint, signal: &str) {
        self.drive(|hub, now| hub.receive_from(server, signal, now));
    }

    /// A signal of somebody here did not get to another server.
    pub fn undelivered(
        &self,
        from: ClientId,
        code: ErrorCode,
        error: &str,
        reply_to: Option<&str>,
    ) {
        self.drive(|hub, _| hub.undelivered(from, code, error, reply_to));
    }

    /// Registered clients: licensed and unlicensed.
    #[must_use]
    pub fn population(&self) -> (usize, usize) {
        lock(&self.exchange).hub.population()
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        lock(&self.exchange).hub.counters().clone()
    }

    /// Who is here, what waits, and what was done so far, all at one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (counters, (licensed, unlicensed), connections, away, kept_bytes) = {
            let hub = &lock(&self.exchange).hub;
            let counters = hub.counters().clone();
            (
                counters,
                hub.population(),
                hub.connections(),
                hub.away(),
                hub.kept(),
            )
        };
        Snapshot {
            counters,
            licensed,
            unlicensed,
            connections,
            away,
            kept_bytes,
            queued_frames: self.queues.frames(),
            queued_bytes: self.queues.bytes(),
            delays: self.queues.delays().histogram(),
        }
    }

    /// Says goodbye to everybody who may not stay, by where their connection comes from.
    pub fn send_away(&self, reason: &str, may_not_stay: impl Fn(Ends) -> bool) {
        let lines: Vec<_> = {
            let exchange = lock(&self.exchange);
            let lines = exchange.lines.iter();
            lines
                .map(|(&connection, far)| (connection, far.ends))
                .collect()
        };
        let leaving = lines.into_iter().filter(|&(_, ends)| may_not_stay(ends));
        let leaving: Vec<_> = leaving.map(|(connection, _)| connection).collect();
        if !leaving.is_empty() {
            self.drive(|hub, now| hub.send_away(&leaving, reason, now));
        }
    }

    /// Says goodbye to everybody and takes nobody new.
    pub fn stop(&self, reason: &str, retry_after: Duration) {
        lock(&self.exchange).stopped = true;
        self.drive(|hub, _| hub.stop(reason, retry_after));
    }

    /// Wakes the hub at its deadlines, for ever.
    pub async fn keep_time(&self) {
        loop {
            let alarm = {
                let mut exchange = lock(&self.exchange);
                exchange.alarm = exchange.hub.deadline();
                exchange.alarm
            };
            match alarm {
                None => self.sooner.notified().await,
                Some(alarm) => tokio::select! {
                    () = self.sooner.notified() => {}
                    () = tokio::time::sleep_until(alarm.into()) => self.drive(Hub::tick),
                },
            }
        }
    }

    /// Tells the hub something and carries out what it wants, until it wants nothing more.
    fn drive(&self, tell: impl FnOnce(&mut Hub, Instant)) {
        let mut work = self.tell(tell);
        while let Some(next) = work.pop() {
            let answer = self.answer(next);
            work.extend(self.tell(answer));
        }
    }

    /// Tells the hub something, and carries out what it wants but for the cryptography.
    fn tell(&self, tell: impl FnOnce(&mut Hub, Instant)) -> Vec<Work> {
        let mut exchange = lock(&self.exchange);
        let now = Instant::now();
        tell(&mut exchange.hub, now);
        let work = exchange.carry_out(now);
        if exchange.is_late() {
            self.sooner.notify_one();
        }
        work
    }

    /// Does the cryptography, and returns how to tell the hub.
    fn answer(&self, work: Work) -> Answer {
        match work {
            Work::Challenge(connection, claimant, ends) => {
                let challenge = self.receptionist.challenge(&claimant, ends, &self.random);
                if let Err(refusal) = &challenge {
                    tracing::debug!(?connection, error = refusal.error, "login refused");
                }
                Box::new(move |hub, now| hub.challenge(connection, challenge, now))
            }
            Work::Verify {
                connection,
                statement,
                spki,
                signature,
            } => {
                let genuine = login::verify(&statement, &spki, &signature);
                tracing::debug!(?connection, genuine, "login proof judged");
                Box::new(move |hub, now| hub.verified(connection, genuine, now))
            }
        }
    }

    fn draw_ticket(&self) -> Result<Ticket, NoRandomness> {
        let mut bits = [0; 8];
        self.random.fill(&mut bits).map_err(|_| NoRandomness)?;
        Ok(Ticket {
            client: ClientId::new(u64::from_le_bytes(bits)),
            token: SessionToken::new(&nonce(&self.random)?),
        })
    }
}

impl Exchange {
    /// Carries out the hub's commands, but for the cryptography, which it returns.
    fn carry_out(&mut self, now: Instant) -> Vec<Work> {
        let mut work = Vec::new();
        while let Some(command) = self.hub.poll() {
            match command {
                Command::Send { connection, frame } => {
                    self.push(connection, Outgoing::Frame(frame), now);
                }
                Command::Show { client, person } => {
                    self.send_onward(Onward::Show { client, person });
                }
                Command::Hide { client } => self.send_onward(Onward::Hide { client }),
                Command::Forward {
                    from,
                    server,
                    signal,
                    reply_to,
                } => self.send_onward(Onward::Forward {
                    from,
                    server,
                    signal,
                    reply_to,
                }),
                Command::Ping { connection } => self.push(connection, Outgoing::Ping, now),
                Command::Close { connection, code } => {
                    if let Some(far) = self.lines.remove(&connection)
                        && far.outbox.push(Outgoing::Close(code), now).is_err()
                    {
                        far.outbox.abandon(code, now);
                    }
                }
                Command::Challenge {
                    connection,
                    claimant,
                } => {
                    if let Some(far) = self.lines.get(&connection) {
                        work.push(Work::Challenge(connection, claimant, far.ends));
                    }
                }
                Command::Verify {
                    connection,
                    statement,
                    spki,
                    signature,
                } => {
                    work.push(Work::Verify {
                        connection,
                        statement,
                        spki,
                        signature,
                    });
                }
            }
        }
        work
    }

    fn send_onward(&self, onward: Onward) {
        // Who takes it ends with the server.
        let _ = self.onward.send(onward);
    }

    /// Whether the hub wants to be woken before the alarm that is set.
    fn is_late(&self) -> bool {
        let sooner = |due: Instant| self.alarm.is_none_or(|alarm| due < alarm);
        self.hub.deadline().is_some_and(sooner)
    }

    fn push(&mut self, connection: ConnectionId, outgoing: Outgoing, now: Instant) {
        let Some(far) = self.lines.get(&connection) else {
            return;
        };
        if far.outbox.push(outgoing, now).is_err() {
            tracing::info!(?connection, "closed: does not read what it is sent");
            far.outbox.abandon(CloseCode::TryAgainLater, now);
            self.lines.remove(&connection);
            self.hub.slow(connection, now);
        }
    }
}

impl Line {
    /// A text frame came.
    pub fn receive(&self, text: &str) {
        self.switchboard
            .drive(|hub, now| hub.receive(self.connection, text, now));
    }

    /// A binary frame came.
    pub fn receive_binary(&self, len: usize) {
        self.switchboard
            .drive(|hub, now| hub.receive_binary(self.connection, len, now));
    }

    /// A frame came that is too large to be read.
    pub fn receive_oversized(&self) {
        self.switchboard
            .drive(|hub, now| hub.receive_oversized(self.connection, now));
    }

    /// The client closes the connection because it leaves.
    pub fn left(&self) {
        self.switchboard
            .drive(|hub, now| hub.left(self.connection, now));
    }

    /// A pong came.
    pub fn answered_ping(&self) {
        self.switchboard
            .drive(|hub, now| hub.answered_ping(self.connection, now));
    }

    /// A ping came.
    pub fn heard(&self) {
        self.switchboard
            .drive(|hub, now| hub.heard(self.connection, now));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.switchboard
            .drive(|hub, now| hub.disconnected(self.connection, now));
        lock(&self.switchboard.exchange)
            .lines
            .remove(&self.connection);
    }
}

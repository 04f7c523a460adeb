//! Times and bounds. The defaults are those of `docs/protocol/coordination.md`.

use std::time::Duration;

use station::Zone;

use crate::budget::Rate;

/// What a node waits for, and how much it lets others cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of links over ordinary networks.
    pub open: LinkLimits,
    /// Of links across amateur frequencies.
    pub part97: LinkLimits,
    /// Links, those that are beginning included. Others are told where else to go.
    pub links: usize,
    /// Servers whose root is unknown here that are kept.
    pub strangers: usize,
    /// Links to such servers: the other places are for those whom somebody vouches for.
    pub stranger_links: usize,
    /// Of these, how many one link may bring.
    pub strangers_each: usize,
    /// Links that are beginning.
    pub handshakes: usize,
    /// Links to servers that know only the plain messages.
    pub plain: usize,
    /// Servers of which a record is kept.
    pub servers: usize,
    /// Bytes of the details of everybody in one roster.
    pub roster_bytes: usize,
    /// Bytes of one record's changes, and of one page of a roster.
    pub page_bytes: usize,
    /// How long a record counts after its server made it.
    pub lifetime: Duration,
    /// After what time a server makes its record anew although nothing changed.
    pub refresh: Duration,
    /// How long changes at home are gathered before a new record tells of them.
    pub gather: Duration,
    /// How often the ways to the others are computed at most.
    pub route: Duration,
    /// How often one server may make a new record, in the long run and at once.
    pub updates: Rate,
    /// Links this node wants to have: with fewer it dials whoever is known.
    pub wanted_links: usize,
    /// Dials under way at once.
    pub dials: usize,
    /// Endpoints remembered.
    pub endpoints: usize,
    /// The first pause before an endpoint is dialled again; doubled each time, up to `redial_most`.
    pub redial_first: Duration,
    /// The longest pause while `redial_tries` last.
    pub redial_most: Duration,
    /// After so many failures the pause is `redial_slow`.
    pub redial_tries: u32,
    /// The pause for an endpoint that keeps failing.
    pub redial_slow: Duration,
    /// Parcels whose receipt is awaited.
    pub parcels: usize,
    /// Ways a parcel is tried on.
    pub parcel_tries: u32,
    /// Servers that are asked at once whether they live.
    pub asks: usize,
    /// Signature checks, signatures and readings of certificates under way.
    pub work: usize,
    /// Items of all sets that are known but not held.
    pub stubs: usize,
    /// Items a peer did not give when asked, remembered for each link.
    pub undelivered: usize,
    /// Offences, beyond those forgiven with time, that end a link.
    pub offences: u32,
    /// In what time one offence is forgiven.
    pub forgive: Duration,
    /// The first pause for a server that misbehaved; doubled each time, up to `pause_most`.
    pub pause_first: Duration,
    /// The longest pause.
    pub pause_most: Duration,
    /// How often a neighbour may come and go before its coming is told later.
    pub flaps: u32,
    /// In what time one coming and going is forgotten.
    pub flap_forget: Duration,
    /// How long a neighbour that comes and goes must stay before it is told of, doubled each time it
    /// goes again.
    pub flap_hold: Duration,
    /// How long to wait before the boot counter is raised a second time, doubled each time.
    pub adopt_again: Duration,
    /// How often the newest records are given to be stored.
    pub remember: Duration,
}

/// What holds for each link of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLimits {
    /// How long nothing is sent before a beat is.
    pub beat: Duration,
    /// How long nothing is heard before the link is given up.
    pub dead: Duration,
    /// How long the handshake may take.
    pub handshake: Duration,
    /// How long a sent parcel's receipt or an answer is awaited before another way is tried.
    pub answer: Duration,
    /// The first pause between two searches for what differs; doubled while nothing is found.
    pub repair_first: Duration,
    /// The longest such pause.
    pub repair_most: Duration,
    /// How long a step of a set's reconciliation or an item is awaited.
    pub set_answer: Duration,
    /// Bytes a second this end sends, and at once.
    pub send: Option<Rate>,
    /// Longest frame sent; longer messages go in parts.
    pub frame: usize,
    /// Bytes given to the transport that are not written yet.
    pub window: usize,
    /// Bytes that may wait in each lane: what is urgent, records, and sets.
    pub waiting: [usize; 3],
    /// Messages a second this end takes, and at once.
    pub messages: Rate,
    /// Bytes a second this end takes, and at once.
    pub bytes: Rate,
    /// Costly work a second that what comes over a link may cause, and at once. A signature check is one
    /// unit.
    pub effort: Rate,
    /// Costly work that messages on ways may cause: of its own, so that a flood of them keeps no record
    /// out.
    pub effort_on_ways: Rate,
    /// Messages on ways that are passed on from this link.
    pub relay_from: Rate,
    /// Messages on ways that are passed on to this link: far less than `messages` and `effort_on_ways`, so
    /// that nobody is blamed for what others send through them, and their own still arrives.
    pub relay_to: Rate,
    /// Items asked for at once.
    pub items: usize,
    /// Longest message of set reconciliation; at least 4096.
    pub step: usize,
}

impl Limits {
    /// What holds for a link of that zone.
    #[must_use]
    pub fn of(&self, zone: Zone) -> &LinkLimits {
        match zone {
            Zone::Open => &self.open,
            Zone::Part97 => &self.part97,
        }
    }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second, burst }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open: LinkLimits {
                beat: secs(1),
                dead: millis(3_500),
                handshake: secs(5),
                answer: secs(1),
                repair_first: secs(2),
                repair_most: secs(60),
                set_answer: secs(20),
                send: None,
                frame: crate::message::MAX_FRAME,
                window: 256 * 1024,
                waiting: [512 * 1024, 4 * 1024 * 1024, 256 * 1024],
                messages: rate(2_000, 20_000),
                bytes: rate(4 * 1024 * 1024, 16 * 1024 * 1024),
                effort: rate(500, 5_000),
                effort_on_ways: rate(1_000, 10_000),
                relay_from: rate(200, 4_000),
                relay_to: rate(400, 8_000),
                items: 64,
                step: 32 * 1024,
            },
            // 9,600 bit/s are 1,200 bytes a second; the rest is for framing, and for the other end.
            part97: LinkLimits {
                beat: secs(15),
                dead: secs(50),
                handshake: secs(60),
                answer: secs(15),
                repair_first: secs(60),
                repair_most: secs(900),
                set_answer: secs(180),
                send: Some(rate(800, 1_600)),
                frame: 400,
                window: 1_600,
                waiting: [64 * 1024, 128 * 1024, 16 * 1024],
                messages: rate(50, 2_000),
                bytes: rate(64 * 1024, 256 * 1024),
                effort: rate(50, 500),
                effort_on_ways: rate(50, 500),
                relay_from: rate(10, 100),
                relay_to: rate(20, 200),
                items: 8,
                step: 4 * 1024,
            },
            links: 64,
            strangers: 64,
            stranger_links: 16,
            strangers_each: 16,
            handshakes: 32,
            plain: 8,
            servers: 2_048,
            roster_bytes: 4 * 1024 * 1024,
            page_bytes: 32 * 1024,
            lifetime: secs(3_600),
            refresh: secs(1_200),
            gather: millis(50),
            route: millis(50),
            updates: rate(4, 40),
            wanted_links: 3,
            dials: 4,
            endpoints: 1_024,
            redial_first: millis(500),
            redial_most: secs(4),
            redial_tries: 8,
            redial_slow: secs(60),
            parcels: 1_024,
            parcel_tries: 4,
            asks: 64,
            work: 16_384,
            stubs: 16_384,
            undelivered: 1_024,
            offences: 10,
            forgive: secs(10),
            pause_first: secs(30),
            pause_most: secs(3_600),
            flaps: 4,
            flap_forget: secs(30),
            flap_hold: secs(2),
            adopt_again: secs(1),
            remember: secs(30),
        }
    }
}

//! From one server to another, through others: sending, passing on, receiving.
//!
//! Who sends a parcel signs it and chooses its way; who receives it signs for it. Without a receipt in time
//! another way is tried, through others than before where that can be. Every server on the way looks only
//! whether the way leads through it and whether the parcel may go on; before one crosses amateur
//! frequencies its sender's signature is verified (47 CFR 97.219(d)).

use std::collections::BTreeMap;
use std::time::Instant;

use station::statement::coordination::Parcel as ParcelStatement;
use station::{Fingerprint, Statement, Zone};

use super::alive::lane;
use super::command::Fate;
use super::input::LinkId;
use super::limits::LinkLimits;
use super::link::Link;
use super::routes::Tried;
use super::window::Arrival;
use super::work::Work;
use super::{Command, Node, Offence, Timer};
use crate::budget::{Meter, Rate};
use crate::bytes::{Blob, BootNonce, ServerId, Signature};
use crate::hash;
use crate::message::routed::MAX_PARCEL;
use crate::message::{Message, Parcel, Payload, Receipt, Routed};

/// Parcels of ours that have no receipt yet.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    numbered: u64,
    sent: BTreeMap<u64, Sent>,
}

#[derive(Debug)]
struct Sent {
    tag: u64,
    to: ServerId,
    parcel: Parcel,
    signed: bool,
    tries: u32,
    tried: Tried,
}

impl Node {
    pub(super) fn post(&mut self, to: ServerId, tag: u64, within: Zone, body: Blob, now: Instant) {
        if body.len() > MAX_PARCEL {
            return self.end_parcel(tag, Fate::TooLong);
        }
        if self.parcels.sent.len() >= self.limits.parcels {
            return self.end_parcel(tag, Fate::Busy);
        }
        if let Err(fate) = self.way_for_parcel(to, within, &mut Tried::default()) {
            return self.end_parcel(tag, fate);
        }
        let Some((fingerprint, to_boot)) = self.receiver(to) else {
            return self.end_parcel(tag, Fate::NotThere);
        };
        self.parcels.numbered += 1;
        let number = self.parcels.numbered;
        let parcel = Parcel {
            from_boot: self.own.boot_nonce,
            to_boot,
            number,
            within,
            body,
            signature: Signature::new([0; 64]),
        };
        let statement = statement(&parcel, self.own.fingerprint, fingerprint);
        if !self.sign(Work::SignParcel(number), statement) {
            return self.end_parcel(tag, Fate::Busy);
        }
        let sent = Sent {
            tag,
            to,
            parcel,
            signed: false,
            tries: 0,
            tried: Tried::default(),
        };
        self.parcels.sent.insert(number, sent);
        // Whatever becomes of the signature, the parcel's fate is told.
        let end = now + self.limits.open.answer * self.limits.parcel_tries;
        self.timers.set(Timer::Retry(number), end);
    }

    pub(super) fn parcel_signed(&mut self, number: u64, signature: Signature, now: Instant) {
        if let Some(sent) = self.parcels.sent.get_mut(&number) {
            sent.parcel.signature = signature;
            sent.signed = true;
            self.dispatch(number, now);
        }
    }

    pub(super) fn retry_parcel(&mut self, number: u64, now: Instant) {
        let tries = self.limits.parcel_tries;
        match self.parcels.sent.get(&number) {
            Some(sent) if sent.signed && sent.tries < tries => self.dispatch(number, now),
            _ => self.finish_parcel(number, Fate::NoReceipt),
        }
    }

    /// Sends a parcel on the next way.
    fn dispatch(&mut self, number: u64, now: Instant) {
        let Some(sent) = self.parcels.sent.get_mut(&number) else {
            return;
        };
        let (to, within, to_boot) = (sent.to, sent.parcel.within, sent.parcel.to_boot);
        let mut tried = std::mem::take(&mut sent.tried);
        let way = self.way_for_parcel(to, within, &mut tried);
        let same_boot = self.receiver(to).is_some_and(|(_, boot)| boot == to_boot);
        let way = match way {
            Ok(way) if same_boot => way,
            Ok(_) => return self.finish_parcel(number, Fate::NotThere),
            Err(fate) => return self.finish_parcel(number, fate),
        };
        let answer = self.limits.of(self.zone_of(&way)).answer;
        let Some(sent) = self.parcels.sent.get_mut(&number) else {
            return;
        };
        sent.tries += 1;
        sent.tried = tried;
        let parcel = sent.parcel.clone();
        self.timers.set(Timer::Retry(number), now + answer);
        self.route(way, Payload::Parcel(parcel), now);
    }

    fn way_for_parcel(
        &self,
        to: ServerId,
        within: Zone,
        tried: &mut Tried,
    ) -> Result<Vec<ServerId>, Fate> {
        if !self.servers.get(to).is_some_and(|known| known.shown) {
            return Err(Fate::NotThere);
        }
        match self.routes.another_way(to, within, tried) {
            Some(way) => Ok(way),
            None if self.routes.reaches(to) => Err(Fate::CrossesPart97),
            None => Err(Fate::NotThere),
        }
    }

    fn receiver(&self, to: ServerId) -> Option<(Fingerprint, BootNonce)> {
        let known = self.servers.get(to)?;
        Some((known.fingerprint, known.record.as_ref()?.body.boot_nonce))
    }

    fn finish_parcel(&mut self, number: u64, fate: Fate) {
        self.timers.clear(Timer::Retry(number));
        if let Some(sent) = self.parcels.sent.remove(&number) {
            self.end_parcel(sent.tag, fate);
        }
    }

    fn end_parcel(&mut self, tag: u64, fate: Fate) {
        self.commands.push_back(Command::Fate { tag, fate });
    }

    /// Something on its way arrived over a link.
    pub(super) fn receive_routed(
        &mut self,
        id: LinkId,
        peer: ServerId,
        routed: Routed,
        now: Instant,
    ) {
        let at = usize::from(routed.at);
        if routed.way[at] != self.own.id || routed.way[at - 1] != peer {
            return self.offend(id, Offence::BadWay, now);
        }
        if at + 1 < routed.way.len() {
            return self.consider_passing_on(id, routed, now);
        }
        match &routed.payload {
            Payload::Ask(nonce) => self.asked(id, &routed, *nonce, now),
            Payload::Alive(alive) => self.answered(id, routed.from(), alive, now),
            Payload::Parcel(_) => self.parcel_arrived(id, routed, now),
            Payload::Receipt(receipt) => self.receipt_arrived(id, routed.from(), receipt, now),
        }
    }

    fn consider_passing_on(&mut self, id: LinkId, routed: Routed, now: Instant) {
        let at = usize::from(routed.at);
        let (before, next) = (routed.way[at - 1], routed.way[at + 1]);
        // Strangers are where ways begin and end.
        let through_stranger = (at > 1 && !self.is_trusted(before))
            || (at + 2 < routed.way.len() && !self.is_trusted(next));
        let zones = [before, next].map(|server| self.link_zone(server));
        let [Some(from_zone), Some(to_zone)] = zones else {
            return;
        };
        if through_stranger {
            return;
        }
        let Payload::Parcel(parcel) = &routed.payload else {
            return self.pass_on(routed, now);
        };
        if from_zone.max(to_zone) > parcel.within {
            return;
        }
        if to_zone == Zone::Open {
            return self.pass_on(routed, now);
        }
        let servers = [routed.from(), routed.to()].map(|server| self.servers.get(server));
        if let [Some(from), Some(to)] = servers {
            let key = from.key.clone();
            let statement = statement(parcel, from.fingerprint, to.fingerprint);
            let signature = parcel.signature;
            if self.spend_on_ways(id, 1, now) {
                let routed = Box::new(routed);
                let work = Work::VerifyTransit { link: id, routed };
                self.verify(work, &key, statement, signature);
            }
        }
    }

    pub(super) fn pass_on(&mut self, mut routed: Routed, now: Instant) {
        let at = usize::from(routed.at);
        let ends = [at - 1, at + 1].map(|place| routed.way.get(place));
        let links = ends.map(|server| self.neighbours.get(server?).copied());
        let [Some(from), Some(to)] = links else {
            return;
        };
        if self.may_relay(from, to, now) {
            routed.at += 1;
            let lane = lane(&routed.payload);
            self.send(to, lane, &Message::Routed(routed), now);
        }
    }

    /// Charges a message that is passed on to both links.
    fn may_relay(&mut self, from: LinkId, to: LinkId, now: Instant) -> bool {
        let limits = self.limits;
        let mut spend = |id, meter: fn(&mut Link) -> &mut Meter, rate: fn(&LinkLimits) -> Rate| {
            let link = self.links.get_mut(&id);
            link.is_some_and(|link| {
                let rate = rate(limits.of(link.zone));
                meter(link).spend(1, rate, now).is_ok()
            })
        };
        spend(
            from,
            |link| &mut link.relay_from,
            |limits| limits.relay_from,
        ) && spend(to, |link| &mut link.relay_to, |limits| limits.relay_to)
    }

    fn link_zone(&self, server: ServerId) -> Option<Zone> {
        let link = self.links.get(self.neighbours.get(&server)?)?;
        Some(link.zone)
    }

    fn parcel_arrived(&mut self, id: LinkId, routed: Routed, now: Instant) {
        let Payload::Parcel(parcel) = &routed.payload else {
            return;
        };
        let Some(known) = self.servers.get(routed.from()) else {
            return;
        };
        let record = known.record.as_ref();
        let from_boot = record.map(|record| record.body.boot_nonce);
        if parcel.to_boot != self.own.boot_nonce || from_boot != Some(parcel.from_boot) {
            return;
        }
        let from = routed.from();
        match self.servers.arrival(from, parcel.from_boot, parcel.number) {
            Arrival::TooLate => {}
            Arrival::Again => self.sign_receipt(id, &routed, now),
            Arrival::New => {
                let key = known.key.clone();
                let statement = statement(parcel, known.fingerprint, self.own.fingerprint);
                let signature = parcel.signature;
                if self.spend_on_ways(id, 2, now) {
                    let routed = Box::new(routed);
                    let work = Work::VerifyParcel { link: id, routed };
                    self.verify(work, &key, statement, signature);
                }
            }
        }
    }

    pub(super) fn parcel_verified(
        &mut self,
        id: LinkId,
        routed: &Routed,
        genuine: bool,
        now: Instant,
    ) {
        let from = routed.from();
        let Payload::Parcel(parcel) = &routed.payload else {
            return;
        };
        if !genuine {
            return;
        }
        match self.servers.arrival(from, parcel.from_boot, parcel.number) {
            Arrival::TooLate => return,
            Arrival::Again => {}
            Arrival::New => {
                self.servers.arrived(from, parcel.from_boot, parcel.number);
                let body = parcel.body.clone();
                self.commands.push_back(Command::Deliver { from, body });
            }
        }
        self.sign_receipt(id, routed, now);
    }

    fn sign_receipt(&mut self, id: LinkId, routed: &Routed, now: Instant) {
        let Payload::Parcel(parcel) = &routed.payload else {
            return;
        };
        let Some(from) = self.servers.get(routed.from()) else {
            return;
        };
        let (from_boot, number) = (parcel.from_boot, parcel.number);
        let statement = Statement::receipt(
            from.fingerprint,
            self.own.fingerprint,
            *from_boot.as_bytes(),
            number,
        );
        if self.spend_on_ways(id, 1, now) {
            let way = routed.way_back();
            let work = Work::SignReceipt {
                link: id,
                way,
                from_boot,
                number,
            };
            self.sign(work, statement);
        }
    }

    pub(super) fn receipt_signed(
        &mut self,
        way: Vec<ServerId>,
        (from_boot, number): (BootNonce, u64),
        signature: Signature,
        now: Instant,
    ) {
        let receipt = Receipt {
            from_boot,
            number,
            signature,
        };
        self.route(way, Payload::Receipt(receipt), now);
    }

    fn receipt_arrived(&mut self, id: LinkId, from: ServerId, receipt: &Receipt, now: Instant) {
        let &Receipt {
            from_boot,
            number,
            signature,
        } = receipt;
        let sent = self.parcels.sent.get(&number);
        let ours = sent.is_some_and(|sent| sent.to == from && sent.parcel.from_boot == from_boot);
        let Some(known) = self.servers.get(from).filter(|_| ours) else {
            return;
        };
        let key = known.key.clone();
        let statement = Statement::receipt(
            self.own.fingerprint,
            known.fingerprint,
            *from_boot.as_bytes(),
            number,
        );
        if self.spend_on_ways(id, 1, now) {
            let work = Work::VerifyReceipt { link: id, number };
            self.verify(work, &key, statement, signature);
        }
    }

    pub(super) fn receipt_verified(&mut self, number: u64, genuine: bool) {
        if genuine {
            self.finish_parcel(number, Fate::Delivered);
        }
    }
}

fn statement(parcel: &Parcel, from: Fingerprint, to: Fingerprint) -> Statement {
    Statement::parcel(&ParcelStatement {
        from,
        to,
        from_boot: *parcel.from_boot.as_bytes(),
        to_boot: *parcel.to_boot.as_bytes(),
        number: parcel.number,
        within: parcel.within,
        body: hash::digest(parcel.body.as_bytes()),
    })
}

//! What verifying the logins of people at other servers may cost.
//!
//! Every server says who is there, each with a proof that takes a signature check to judge, and may say so anew several
//! times a second. So the checks have a budget: one for all servers that are trusted here, and a smaller one for all
//! others, whose names cost nothing to make up. Whose login finds none left waits, and is shown when it was their turn: one
//! of each server after the other, so that a crowd made up at one delays nobody at another for long.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::{Duration, Instant};

use coordination::message::Person;
use coordination::{PersonId, ServerId, Standing};
use signaling::limit::{Meter, Rate};
use tokio::sync::oneshot;

use super::Coordinator;
use super::errands::Errand;
use crate::runtime::lock;

/// Logins verified at servers that are trusted here: at once as many as fifty servers with a hundred people each have, thrice.
const TRUSTED: Rate = Rate::per_second(200, 16_384);

/// The same at all other servers together. One of them has at most a hundred people who log in.
const STRANGERS: Rate = Rate::per_second(20, 512);

/// How often those are looked at who wait.
const TURN: Duration = Duration::from_millis(100);

/// The budgets, and who waits for them.
#[derive(Debug)]
pub(super) struct Logins {
    trusted: Line,
    strangers: Line,
}

/// The people at servers of one standing.
#[derive(Debug)]
struct Line {
    rate: Rate,
    meter: Meter,
    /// No more than are in the rosters that the node keeps.
    waiting: BTreeMap<ServerId, BTreeMap<PersonId, Person>>,
    /// Whose turn was last.
    last: Option<ServerId>,
}

impl Logins {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            trusted: Line::new(TRUSTED, now),
            strangers: Line::new(STRANGERS, now),
        }
    }

    /// Whether somebody's login at a server of that standing may be verified now, before all who wait.
    pub(super) fn may_verify(&mut self, standing: Standing, now: Instant) -> bool {
        let line = self.line(standing);
        line.waiting.is_empty() && line.spend(now)
    }

    /// Somebody's login waits until it is their turn, in the place of what they had before.
    pub(super) fn wait(
        &mut self,
        standing: Standing,
        server: ServerId,
        id: PersonId,
        person: Person,
    ) {
        self.forget(server, id);
        let waiting = &mut self.line(standing).waiting;
        waiting.entry(server).or_default().insert(id, person);
    }

    /// Somebody left, or came with something else.
    pub(super) fn forget(&mut self, server: ServerId, id: PersonId) {
        for line in [&mut self.trusted, &mut self.strangers] {
            if let Some(people) = line.waiting.get_mut(&server) {
                people.remove(&id);
                if people.is_empty() {
                    line.waiting.remove(&server);
                }
            }
        }
    }

    /// A server is there no more.
    pub(super) fn forget_server(&mut self, server: ServerId) {
        for line in [&mut self.trusted, &mut self.strangers] {
            line.waiting.remove(&server);
        }
    }

    /// Whose login is verified next, if one may be now.
    fn next(&mut self, now: Instant) -> Option<(ServerId, PersonId, Person)> {
        let lines = [&mut self.trusted, &mut self.strangers];
        lines.into_iter().find_map(|line| line.next(now))
    }

    fn is_anybody_waiting(&self) -> bool {
        !self.trusted.waiting.is_empty() || !self.strangers.waiting.is_empty()
    }

    fn line(&mut self, standing: Standing) -> &mut Line {
        match standing {
            Standing::Trusted => &mut self.trusted,
            Standing::Stranger | Standing::Blacklisted => &mut self.strangers,
        }
    }
}

impl Line {
    fn new(rate: Rate, now: Instant) -> Self {
        Self {
            rate,
            meter: Meter::new(now),
            waiting: BTreeMap::new(),
            last: None,
        }
    }

    fn spend(&mut self, now: Instant) -> bool {
        self.meter.spend(1, self.rate, now).is_ok()
    }

    fn next(&mut self, now: Instant) -> Option<(ServerId, PersonId, Person)> {
        if self.waiting.is_empty() || !self.spend(now) {
            return None;
        }
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let mut later = self.waiting.range_mut((after, Bound::Unbounded));
        let turn = later.next().map(|(&server, _)| server);
        let server = turn.or_else(|| self.waiting.keys().next().copied())?;
        self.last = Some(server);
        let people = self.waiting.get_mut(&server)?;
        let (id, person) = people.pop_first()?;
        if people.is_empty() {
            self.waiting.remove(&server);
        }
        Some((server, id, person))
    }
}

impl Coordinator {
    /// Has those logins verified that had to wait, for ever.
    pub(super) async fn follow_logins(&self) {
        loop {
            self.delayed.notified().await;
            while lock(&self.logins).is_anybody_waiting() {
                tokio::time::sleep(TURN).await;
                let (done, verified) = oneshot::channel();
                // In turn with who leaves. The worker ends with the server, and then nobody waits.
                let _ = lock(&self.core).urgent.send(Errand::Logins(done));
                let _ = verified.await;
            }
        }
    }

    /// Verifies the logins that waited for their turn. Blocks on the disk.
    pub(super) fn verify_waiting(&self) {
        loop {
            let next = lock(&self.logins).next(Instant::now());
            let Some((server, id, person)) = next else {
                return;
            };
            self.show(server, id, &person);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(number: u8) -> ServerId {
        ServerId::new([number; 16])
    }

    fn id(number: u64) -> PersonId {
        PersonId::new(number.to_be_bytes())
    }

    fn person() -> Person {
        Person {
            callsign: "W1AW".to_owned(),
            net: "net".to_owned(),
            login: None,
        }
    }

    /// Who comes to a server: verified at once, or waits.
    fn comes(
        logins: &mut Logins,
        standing: Standing,
        server: ServerId,
        id: PersonId,
        now: Instant,
    ) -> bool {
        let at_once = logins.may_verify(standing, now);
        if !at_once {
            logins.wait(standing, server, id, person());
        }
        at_once
    }

    #[test]
    fn a_crowd_made_up_at_one_server_costs_its_budget_and_delays_others_by_a_turn() {
        let start = Instant::now();
        let mut logins = Logins::new(start);
        let crowd = (0..5_000).filter(|&number| {
            comes(
                &mut logins,
                Standing::Stranger,
                server(1),
                id(number),
                start,
            )
        });
        assert_eq!(crowd.count(), 512, "at once");
        assert!(!comes(
            &mut logins,
            Standing::Stranger,
            server(9),
            id(1),
            start
        ));
        assert!(
            comes(&mut logins, Standing::Trusted, server(5), id(1), start),
            "trusted servers have a budget of their own"
        );
        assert!(logins.next(start).is_none());

        let soon = start + Duration::from_millis(200);
        let turns = std::iter::from_fn(|| logins.next(soon)).map(|(server, _, _)| server);
        let turns: Vec<ServerId> = turns.collect();
        assert_eq!(turns.len(), 4, "20 a second");
        assert!(turns[..2].contains(&server(9)), "one of each server");
    }

    #[test]
    fn who_leaves_or_comes_anew_waits_no_more_or_once() {
        let start = Instant::now();
        let mut logins = Logins::new(start);
        for _ in 0..512 {
            assert!(logins.may_verify(Standing::Stranger, start));
        }
        for number in [1, 2, 2] {
            logins.wait(Standing::Stranger, server(1), id(number), person());
        }
        // Its root was accepted meanwhile.
        logins.wait(Standing::Trusted, server(1), id(1), person());
        logins.wait(Standing::Stranger, server(2), id(3), person());
        logins.forget(server(1), id(2));
        logins.forget_server(server(2));
        let later = start + Duration::from_secs(1);
        let (of, who, _) = logins.next(later).unwrap();
        assert_eq!((of, who), (server(1), id(1)));
        assert!(logins.next(later).is_none());
        assert!(!logins.is_anybody_waiting());
    }
}

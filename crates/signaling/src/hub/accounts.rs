//! Budgets that several connections share, because they come from one address or prove one key.
//!
//! An account is kept while somebody uses it and until its budget is whole again, so that nobody gets a new
//! one by coming anew. Whoever offends again and again is paused, each time for longer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::Limits;
use crate::limit::{Meter, Rate};

/// The accounts of all addresses, or of all keys.
#[derive(Debug)]
pub(super) struct Accounts<K> {
    open: BTreeMap<K, Account>,
    /// Those nobody uses, by when they are whole again.
    idle: BTreeSet<(Instant, K)>,
}

#[derive(Debug)]
pub(super) struct Account {
    users: usize,
    messages: Meter,
    offences: Meter,
    /// Pauses in a row.
    pauses: u32,
    paused_until: Option<Instant>,
}

impl<K> Default for Accounts<K> {
    fn default() -> Self {
        Self {
            open: BTreeMap::new(),
            idle: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Copy> Accounts<K> {
    /// One more uses the account.
    pub(super) fn enter(&mut self, key: K, now: Instant) {
        self.close_whole(now);
        let account = self.open.entry(key).or_insert_with(|| Account::new(now));
        if account.users == 0 {
            self.idle.remove(&(account.whole_at(), key));
        }
        account.users += 1;
    }

    /// One less uses it.
    pub(super) fn leave(&mut self, key: K, now: Instant) {
        let Some(account) = self.open.get_mut(&key) else {
            return;
        };
        account.users = account.users.saturating_sub(1);
        if account.users > 0 {
            return;
        }
        self.idle.insert((account.whole_at(), key));
        self.close_whole(now);
        if self.idle.len() > MOST_IDLE
            && let Some((_, soonest)) = self.idle.pop_first()
        {
            self.open.remove(&soonest);
        }
    }

    /// How many use it.
    pub(super) fn users(&self, key: K) -> usize {
        self.open.get(&key).map_or(0, |account| account.users)
    }

    /// Charges a message to the account.
    ///
    /// # Errors
    /// The time until it could be charged.
    pub(super) fn charge(&mut self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.open
            .get_mut(&key)
            .map_or(Ok(()), |account| account.messages.spend(1, rate, now))
    }

    /// Somebody who uses the account did what nobody does by mistake so often. Gives the pause that
    /// begins, if one does.
    pub(super) fn offend(&mut self, key: K, limits: &Limits, now: Instant) -> Option<Duration> {
        let account = self.open.get_mut(&key)?;
        account.offences.spend(1, limits.offences, now).err()?;
        let forgotten = |until: Instant| now > until + limits.pause_at_most;
        if account.paused_until.is_none_or(forgotten) {
            account.pauses = 0;
        }
        let longer = 2_u32.saturating_pow(account.pauses);
        let pause = limits
            .pause
            .saturating_mul(longer)
            .min(limits.pause_at_most);
        account.pauses = account.pauses.saturating_add(1);
        account.paused_until = Some(now + pause);
        Some(pause)
    }

    /// How long the account is still paused, if it is.
    pub(super) fn paused(&self, key: K, now: Instant) -> Option<Duration> {
        let until = self.open.get(&key)?.paused_until?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    fn close_whole(&mut self, now: Instant) {
        while let Some(&(whole_at, key)) = self.idle.first()
            && whole_at <= now
        {
            self.idle.pop_first();
            self.open.remove(&key);
        }
    }
}

impl Account {
    fn new(now: Instant) -> Self {
        Self {
            users: 0,
            messages: Meter::new(now),
            offences: Meter::new(now),
            pauses: 0,
            paused_until: None,
        }
    }

    /// When there is nothing left to remember.
    fn whole_at(&self) -> Instant {
        let meters = self.messages.whole_at().max(self.offences.whole_at());
        self.paused_until.map_or(meters, |until| {
            // Long enough for the next pause to be longer than the last.
            meters.max(until + REMEMBERED)
        })
    }
}

/// Accounts that are remembered although nobody uses them.
const MOST_IDLE: usize = 10_000;

/// How long a pause is remembered after it ended and everybody left.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "a starting point for virtual time"
    )]
    fn start() -> Instant {
        Instant::now()
    }

    fn limits() -> Limits {
        Limits {
            offences: Rate::per_minute(60, 2),
            pause: Duration::from_secs(5),
            pause_at_most: Duration::from_secs(30),
            ..Limits::default()
        }
    }

    #[test]
    fn pauses_grow_and_are_forgiven() {
        let (limits, mut now) = (limits(), start());
        let mut accounts = Accounts::default();
        accounts.enter('a', now);
        let mut offend = |now| accounts.offend('a', &limits, now);
        assert_eq!((offend(now), offend(now)), (None, None));
        let pauses: Vec<_> = (0..4).filter_map(|_| offend(now)).collect();
        assert_eq!(pauses, [5, 10, 20, 30].map(Duration::from_secs));
        now += Duration::from_secs(30);
        assert_eq!(accounts.paused('a', now), None);
        assert!(accounts.paused('a', now - Duration::from_secs(1)).is_some());
        now += Duration::from_secs(31);
        let mut offend = |now| accounts.offend('a', &limits, now);
        assert_eq!((offend(now), offend(now)), (None, None));
        assert_eq!(offend(now), Some(Duration::from_secs(5)));
    }

    #[test]
    fn coming_anew_gives_no_new_budget_and_costs_no_memory_for_ever() {
        let rate = Rate::per_minute(60, 2);
        let now = start();
        let mut accounts = Accounts::default();
        let mut refused = 0;
        for _ in 0..3 {
            accounts.enter('a', now);
            refused += u32::from(accounts.charge('a', rate, now).is_err());
            accounts.leave('a', now);
        }
        assert_eq!(refused, 1);
        accounts.enter('b', now + Duration::from_secs(2));
        assert_eq!(accounts.users('a'), 0);
        assert_eq!(accounts.open.len(), 1, "a is whole again and forgotten");
    }
}

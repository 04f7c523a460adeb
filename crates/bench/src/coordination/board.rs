//! Who sees whom, as every server tells it, and since when.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// What all servers say of who is there.
#[derive(Debug)]
pub(crate) struct Board {
    state: RefCell<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Who is at each server.
    here: Vec<Option<String>>,
    /// Whom each server shows besides; nothing while it says nothing.
    views: Vec<Option<BTreeSet<String>>>,
    log: Vec<Seen>,
}

/// Somebody came or went, as one server shows it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    /// Which server showed it.
    pub(crate) by: usize,
    pub(crate) who: String,
    pub(crate) came: bool,
}

impl Board {
    pub(crate) fn new(servers: usize) -> Self {
        Self {
            state: RefCell::new(State {
                here: vec![None; servers],
                views: vec![None; servers],
                log: Vec::new(),
            }),
            changed: Notify::new(),
        }
    }

    /// Who is at a server from now on.
    pub(crate) fn set_here(&self, server: usize, who: Option<String>) {
        self.state.borrow_mut().here[server] = who;
        self.changed.notify_waiters();
    }

    /// Who is at a server.
    pub(crate) fn here(&self, server: usize) -> Option<String> {
        self.state.borrow().here[server].clone()
    }

    /// Everybody a server shows, or that it says nothing.
    pub(crate) fn set_view(&self, server: usize, view: Option<BTreeSet<String>>) {
        let at = Instant::now();
        let state = &mut *self.state.borrow_mut();
        let before = state.views[server].take().unwrap_or_default();
        let new = view.iter().flatten().filter(|who| !before.contains(*who));
        state.log.extend(new.map(|who| Seen {
            at,
            by: server,
            who: who.clone(),
            came: true,
        }));
        state.views[server] = view;
        self.changed.notify_waiters();
    }

    /// A server shows somebody, or does not any more.
    pub(crate) fn saw(&self, server: usize, who: &str, came: bool) {
        let state = &mut *self.state.borrow_mut();
        let view = state.views[server].get_or_insert_default();
        if came {
            view.insert(who.to_owned());
        } else {
            view.remove(who);
        }
        state.log.push(Seen {
            at: Instant::now(),
            by: server,
            who: who.to_owned(),
            came,
        });
        self.changed.notify_waiters();
    }

    /// Begins a log; what was in it is forgotten.
    pub(crate) fn forget_log(&self) {
        self.state.borrow_mut().log.clear();
    }

    /// Since the log began, when each server first showed that somebody came or went.
    pub(crate) fn first_seen(&self, who: &str, came: bool) -> Vec<(usize, Instant)> {
        let state = self.state.borrow();
        let mut first: Vec<(usize, Instant)> = Vec::new();
        for seen in state
            .log
            .iter()
            .filter(|one| one.who == who && one.came == came)
        {
            if first.iter().all(|(by, _)| *by != seen.by) {
                first.push((seen.by, seen.at));
            }
        }
        first
    }

    /// What is missing or too much at the servers of a group: everybody there has to see exactly the others who are there.
    pub(crate) fn wrong(&self, group: &[usize]) -> Vec<String> {
        let state = self.state.borrow();
        let mut wrong = Vec::new();
        for &server in group {
            let Some(view) = &state.views[server] else {
                wrong.push(format!("{server} says nothing"));
                continue;
            };
            if state.here[server].is_none() {
                wrong.push(format!("nobody is at {server}"));
            }
            let others = group.iter().filter(|other| **other != server);
            let there: BTreeSet<&String> = others
                .filter_map(|other| state.here[*other].as_ref())
                .collect();
            let missing = there.iter().filter(|who| !view.contains(**who)).count();
            let stale = view.iter().filter(|who| !there.contains(who)).count();
            if missing + stale > 0 {
                wrong.push(format!(
                    "{server} misses {missing} and shows {stale} who are gone"
                ));
            }
        }
        wrong
    }

    /// Waits until something holds, and says when; nothing when it does not in that time.
    pub(crate) async fn until(
        &self,
        within: Duration,
        holds: impl Fn(&Self) -> bool,
    ) -> Option<Instant> {
        let deadline = Instant::now() + within;
        loop {
            let changed = self.changed.notified();
            if holds(self) {
                return Some(Instant::now());
            }
            timeout_at(deadline, changed).await.ok()?;
        }
    }

    /// Waits until every group sees itself and nobody else.
    pub(crate) async fn agree(&self, within: Duration, groups: &[&[usize]]) -> Option<Instant> {
        self.until(within, |board| {
            groups.iter().all(|group| board.wrong(group).is_empty())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_exact() {
        let board = Board::new(2);
        board.set_here(0, Some("a".to_owned()));
        board.set_here(1, Some("b".to_owned()));
        board.set_view(0, Some(BTreeSet::from(["b".to_owned()])));
        board.set_view(1, None);
        assert_eq!(board.wrong(&[0, 1]), ["1 says nothing"]);
        board.saw(1, "a", true);
        assert!(board.wrong(&[0, 1]).is_empty());
        board.saw(1, "ghost", true);
        assert_eq!(
            board.wrong(&[0, 1]),
            ["1 misses 0 and shows 1 who are gone"]
        );
        assert_eq!(board.wrong(&[0]), ["0 misses 0 and shows 1 who are gone"]);
        board.set_here(0, Some("a2".to_owned()));
        assert_eq!(
            board.wrong(&[1, 0]),
            ["1 misses 1 and shows 2 who are gone"]
        );
    }

    #[test]
    fn what_was_seen_first_counts() {
        let board = Board::new(2);
        board.saw(0, "a", true);
        let first = board.first_seen("a", true);
        board.saw(0, "a", true);
        board.saw(1, "a", false);
        assert_eq!(board.first_seen("a", true), first);
        assert_eq!(board.first_seen("a", false).len(), 1);
        board.forget_log();
        assert!(board.first_seen("a", true).is_empty());
    }
}

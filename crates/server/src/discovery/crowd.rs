//! Asking a crowd of servers who they are: more than are listed, and perhaps made up.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::network::fetch::{self, Place};
use crate::network::links::Links;
use crate::runtime::{Inquiry, Introduction, Neighbourhood, lock};

/// How long an answer is waited for: of a server on this network, and of nobody as long.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked for whom to ask, and at this machine's own networks.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Asks whenever there is a crowd; never ends. The questions end when it is dropped.
pub(super) async fn ask(neighbourhood: &Mutex<Neighbourhood>) {
    let mut changes = lock(neighbourhood).watch();
    let mut asking = JoinSet::new();
    let mut near = (Instant::now(), Links::default());
    loop {
        let now = Instant::now();
        if lock(neighbourhood).is_crowded(now) {
            if near.0 <= now {
                near = (now + LOOK_EVERY, Links::read());
            }
            let due = lock(neighbourhood).ask(|address| near.1.are_next_to(address), now);
            for inquiry in due {
                asking.spawn(introduction(inquiry));
            }
        }
        tokio::select! {
            Some(Ok((inquiry, who))) = asking.join_next() => {
                lock(neighbourhood).introduce(&inquiry, who.as_ref(), Instant::now());
            }
            _ = changes.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn introduction(inquiry: Inquiry) -> (Inquiry, Option<Introduction>) {
    let place = Place::from(inquiry.place);
    let said = timeout(ANSWERED_WITHIN, fetch::introduction(&place)).await;
    (inquiry, said.ok().and_then(Result::ok).flatten())
}

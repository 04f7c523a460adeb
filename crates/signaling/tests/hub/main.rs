//! The hub's rules, one by one, as the protocol description states them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod elsewhere;
mod limits;
mod login;
mod presence;
mod resume;
mod standing;
mod time;

use signaling::{ClientId, Limits};
use support::Room;

fn room() -> Room {
    Room::new(Limits::default())
}

/// An operator and a guest, with nothing unread.
fn operator_and_guest() -> (Room, ClientId, ClientId) {
    let mut room = room();
    let operator = room.operator("W1AW", 1);
    let guest = room.guest();
    room.forget_everything();
    (room, operator, guest)
}

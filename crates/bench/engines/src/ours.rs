//! Our own node, with everything it can do linked in; it has no sockets here, for the server has those anyway.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coordination::{Blob, Frame, Input, Limits, LinkId, Memory, Myself, Node, Protocol};
use station::{Callsign, Zone};

/// Hands every name to the node as if it were a frame, and says what the node wants.
pub(crate) async fn run(
    _: &[String],
    mut names: super::Names,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let myself = Myself {
        callsign: Callsign::parse("N0CALL")?,
        chain: vec![Blob::from(vec![0; 8])],
        key: Arc::from([0_u8; 8].as_slice()),
        endpoints: Vec::new(),
        capabilities: Vec::new(),
    };
    let memory = Memory {
        boot: 1,
        records: Vec::new(),
        servers: Vec::new(),
        items: Vec::new(),
    };
    let mut node = Node::new(Limits::default(), myself, memory, [0; 32], Instant::now());
    let link = LinkId(1);
    let up = Input::LinkUp {
        link,
        dialed: None,
        zone: Zone::Open,
        protocol: Protocol::Coordinate,
    };
    node.handle_input(up, Instant::now());
    loop {
        while let Some(command) = node.poll() {
            println!("{command:?}");
        }
        let due = node.deadline();
        let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(1));
        tokio::select! {
            name = names.next_line() => {
                let Some(name) = name? else { return Ok(()) };
                let frame = Frame::Binary(Blob::from(name.into_bytes()));
                node.handle_input(Input::Frame { link, frame }, Instant::now());
            }
            () = tokio::time::sleep_until(due.into()) => node.handle_input(Input::Tick, Instant::now()),
        }
    }
}

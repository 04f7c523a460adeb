//! What it costs that somebody comes, as the net that they come into grows.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::storm::until_quiet;
use crate::client::{crowd, live, sockets};
use crate::server::Server;
use benchmark::socket::{Socket, frames};

/// People in the net.
pub(crate) const SIZES: [usize; 4] = [1_000, 2_500, 5_000, 10_000];

/// Those who come one after another once the others are there, and the time between them.
pub(crate) const LATE: usize = 100;
pub(crate) const BETWEEN: Duration = Duration::from_millis(50);

/// Time over which it is seen what a crowd costs that does nothing: it is pinged.
const IDLE: Duration = Duration::from_secs(10);

/// What was seen with so many people.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Growth {
    pub(crate) people: usize,
    /// Everybody comes, as fast as the server takes them: with opening their sockets.
    pub(crate) together: Cost,
    /// More come, one after another; their sockets are open.
    pub(crate) late: Cost,
}

/// For each who came: of the server, and over all who were told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Microseconds of its processor.
    pub(crate) microseconds: f64,
    /// Bytes that it sent.
    pub(crate) bytes: f64,
}

pub(crate) async fn measure(server: &Server, people: usize) -> Result<Growth> {
    let before = server.cpu()?;
    let clients = crowd(server, 0..people, people).await?;
    let mut members: Vec<_> = clients.into_iter().map(|client| client.socket).collect();
    until_quiet(&mut members).await?;
    let together = cost(server.cpu()? - before, received(&members), people);

    let (idle, begun) = (server.cpu()?, Instant::now());
    live(members.iter_mut(), IDLE).await?;
    let idle = (server.cpu()? - idle).div_f64(begun.elapsed().as_secs_f64());

    let late = sockets(server, people..people + LATE).await?;
    members.extend(late);
    let sent = received(&members);
    let (before, begun) = (server.cpu()?, Instant::now());
    let (there, late) = members.split_at_mut(people);
    let greeting = server.dialect.greeting("room-0").unwrap_or_default();
    let greeting = frames(&greeting, 1);
    let coming = async {
        for socket in late {
            socket.write(&greeting).await?;
            sleep(BETWEEN).await;
        }
        Ok::<(), anyhow::Error>(())
    };
    // Those who are there read meanwhile.
    let most = BETWEEN * u32::try_from(4 * LATE)?;
    tokio::select! {
        came = timeout(most, coming) => came??,
        ended = live(there.iter_mut(), most) => ended?,
    }
    until_quiet(&mut members).await?;
    let spent = server.cpu()? - before;
    let spent = spent.saturating_sub(idle.mul_f64(begun.elapsed().as_secs_f64()));
    let late = cost(spent, received(&members) - sent, LATE);
    Ok(Growth {
        people,
        together,
        late,
    })
}

fn received(sockets: &[Socket]) -> u64 {
    sockets.iter().map(|socket| socket.received).sum()
}

fn cost(cpu: Duration, bytes: u64, people: usize) -> Cost {
    #[expect(clippy::cast_precision_loss, reason = "far below 2 to the 52nd")]
    let (bytes, people) = (bytes as f64, people as f64);
    Cost {
        microseconds: cpu.as_secs_f64() * 1e6 / people,
        bytes: bytes / people,
    }
}

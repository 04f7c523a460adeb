//! What an idle client costs a server in memory.

use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::client::{crowd, live};
use crate::server::Server;

/// Clients at once.
pub(crate) const SIZES: [usize; 3] = [1_000, 5_000, 10_000];

/// How many share a room. Where presence is told to everybody, ten thousand in one room are no idle clients.
const TOGETHER: usize = 20;

/// Longer than it takes our server to ping who is silent and to let go of what it kept for them.
const SETTLE: Duration = Duration::from_secs(13);

/// Resident memory with so many clients, over that without any.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Idle {
    pub(crate) clients: usize,
    /// Bytes for each.
    pub(crate) each: u64,
}

pub(crate) async fn measure(server: &Server) -> Result<Vec<Idle>> {
    let mut clients = Vec::new();
    let mut seen = Vec::new();
    let alone = server.resident()?;
    for size in SIZES {
        clients.extend(crowd(server, clients.len()..size, TOGETHER).await?);
        let sockets = clients.iter_mut().map(|client| &mut client.socket);
        live(sockets, SETTLE).await?;
        let bytes = server.resident()?.saturating_sub(alone);
        seen.push(Idle {
            clients: size,
            each: bytes / u64::try_from(size)?,
        });
    }
    Ok(seen)
}

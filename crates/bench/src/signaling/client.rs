//! Clients of a server under load: connecting them, and finding out what they are called.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::{join_all, try_join_all};
use tokio::time::timeout;

use crate::server::Server;
use benchmark::socket::{Socket, frames};

/// This machine's address from which the crowd comes.
pub(crate) const CROWD: [u8; 4] = [127, 0, 0, 1];

/// Time a server has to take a client in.
const WITHIN: Duration = Duration::from_secs(30);

/// How many come at once.
const TOGETHER: usize = 64;

/// Somebody who is in.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) socket: Socket,
}

/// Opens a socket, says hello and learns the client's name.
pub(crate) async fn enter(
    server: &Server,
    from: [u8; 4],
    number: usize,
    room: &str,
) -> Result<Client> {
    let dialect = server.dialect;
    let entering = async {
        let path = dialect.path(number, room);
        let mut socket = Socket::connect(from, server.address, &path).await?;
        if let Some(greeting) = dialect.greeting(room) {
            socket.write(&frames(&greeting, 1)).await?;
        }
        let name = socket.until(|text| dialect.name(number, text)).await?;
        Ok(Client { name, socket })
    };
    timeout(WITHIN, entering)
        .await
        .context("the server did not let a client in")?
}

/// The pairs of those numbers, each in a room of its own.
pub(crate) async fn pairs(server: &Server, numbers: Range<usize>) -> Result<Vec<(Client, Client)>> {
    let mut pairs = Vec::new();
    for pair in numbers {
        let room = format!("pair-{pair}");
        let one = enter(server, CROWD, 2 * pair, &room).await?;
        let other = enter(server, CROWD, 2 * pair + 1, &room).await?;
        pairs.push((one, other));
    }
    Ok(pairs)
}

/// The clients of those numbers, some at a time, `together` of them in each room.
pub(crate) async fn crowd(
    server: &Server,
    numbers: Range<usize>,
    together: usize,
) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(numbers.len());
    let numbers: Vec<_> = numbers.collect();
    for some in numbers.chunks(TOGETHER) {
        let entering = some.iter().map(|&number| async move {
            let room = format!("room-{}", number / together);
            enter(server, CROWD, number, &room).await
        });
        clients.extend(try_join_all(entering).await?);
    }
    Ok(clients)
}

/// Opens sockets without a word, some at a time.
pub(crate) async fn sockets(server: &Server, numbers: Range<usize>) -> Result<Vec<Socket>> {
    let mut sockets = Vec::with_capacity(numbers.len());
    let numbers: Vec<_> = numbers.collect();
    for some in numbers.chunks(TOGETHER) {
        let opening = some.iter().map(|&number| async move {
            let path = server.dialect.path(number, "room-0");
            Socket::connect(CROWD, server.address, &path).await
        });
        sockets.extend(try_join_all(opening).await?);
    }
    Ok(sockets)
}

/// Lets clients do for a while what clients always do: read, and answer pings.
pub(crate) async fn live(sockets: impl Iterator<Item = &mut Socket>, time: Duration) -> Result<()> {
    let living = join_all(sockets.map(|socket| async move {
        loop {
            if let Err(error) = socket.texts(|_| {}).await {
                return error;
            }
        }
    }));
    match timeout(time, living).await {
        Err(_) => Ok(()),
        Ok(errors) => Err(errors.into_iter().next().context("nobody is there")?),
    }
}

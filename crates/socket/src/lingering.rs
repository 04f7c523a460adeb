//! A socket that is closed so that the other side learns why.
//!
//! Closing a TCP connection with something unread resets it, and a reset may take away what was sent
//! before: the refusal (RFC 1122, 4.2.2.13). So who was told something, and still sends, is read from a little
//! longer, into nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a closed connection is still read from, and how many bytes at most.
const LINGER: Duration = Duration::from_secs(2);
const MOST_DISCARDED: u64 = 1024 * 1024;

/// Closed connections that are read from at once; further ones are closed as they are.
const MOST_LINGERING: usize = 256;

/// Room for connections that are closed and still read from.
#[derive(Debug, Clone)]
pub struct LingeringRoom(Arc<Semaphore>);

/// How many bytes a connection has brought.
#[derive(Debug, Clone, Default)]
pub struct BytesRead(Arc<AtomicU64>);

impl BytesRead {
    /// So far, with all that encryption adds.
    #[must_use]
    pub fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A client's TCP connection.
#[derive(Debug)]
pub struct Lingering {
    /// None while it is dropped.
    stream: Option<TcpStream>,
    /// Whether the client was told anything.
    told: bool,
    read: BytesRead,
    room: LingeringRoom,
}

impl Default for LingeringRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST_LINGERING)))
    }
}

impl Lingering {
    /// A connection as it was accepted. When it is closed there may be no room left to read from it longer.
    #[must_use]
    pub fn new(stream: TcpStream, room: LingeringRoom) -> Self {
        Self {
            stream: Some(stream),
            told: false,
            read: BytesRead::default(),
            room,
        }
    }

    /// What it has brought.
    #[must_use]
    pub fn read(&self) -> BytesRead {
        self.read.clone()
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = self.stream()?.poll_read(context, buffer);
        let came = buffer.filled().len() - before;
        let came = u64::try_from(came).unwrap_or(u64::MAX);
        self.read.0.fetch_add(came, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.told = true;
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.told = true;
        self.stream()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take().filter(|_| self.told) else {
            return;
        };
        // Whose client closed already, or is gone, has nothing more to come.
        let over = match stream.try_read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        if over {
            return;
        }
        let room = Arc::clone(&self.room.0).try_acquire_owned();
        if let (Ok(room), Ok(runtime)) = (room, Handle::try_current()) {
            runtime.spawn(linger(stream, room));
        }
    }
}

async fn linger(mut stream: TcpStream, _room: OwnedSemaphorePermit) {
    let closing = async {
        stream.shutdown().await?;
        let mut rest = stream.take(MOST_DISCARDED);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    // However it ends, it is over.
    let _ = timeout(LINGER, closing).await;
}

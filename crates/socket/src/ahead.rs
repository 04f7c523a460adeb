//! Reading ahead, with room that all connections share: the stack's.
//!
//! Whoever sends much at once should not cost a call of the system for each message, and whoever is idle, as most
//! connections are, should not keep a buffer for that. So as much is read as is there, and only what the reader has
//! no room for yet is kept, until it takes it: it does so before it waits again.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read at once.
const AT_ONCE: usize = 8 * 1024;

/// A connection that is read ahead.
#[derive(Debug)]
pub struct Ahead<S> {
    inner: S,
    /// What came and was not taken yet.
    left: Vec<u8>,
    /// How much of it was taken.
    taken: usize,
}

impl<S> Ahead<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self {
            inner,
            left: Vec::new(),
            taken: 0,
        }
    }

    fn take(&mut self, buffer: &mut ReadBuf<'_>) {
        let left = self.left.get(self.taken..).unwrap_or_default();
        let now = left.len().min(buffer.remaining());
        buffer.put_slice(left.get(..now).unwrap_or_default());
        self.taken += now;
        if self.taken == self.left.len() {
            self.left = Vec::new();
            self.taken = 0;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Ahead<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left.is_empty() {
            let mut room = [MaybeUninit::<u8>::uninit(); AT_ONCE];
            let mut read = ReadBuf::uninit(&mut room);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut read))?;
            let came = read.filled();
            let (now, later) = came.split_at(came.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.left.extend_from_slice(later);
        } else {
            self.take(buffer);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ahead<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt as _;
    use tokio::runtime::Builder;

    use super::*;

    proptest! {
        /// However much comes at once and is taken at once, it is what came, in order, and nothing is kept of it.
        #[test]
        fn what_comes_is_what_is_read(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20_000), 0..5),
            takes in prop::collection::vec(1_usize..10_000, 1..10),
        ) {
            let came = pieces.concat();
            let mut stream = Ahead::new(came.as_slice());
            let mut read = Vec::new();
            let reading = async {
                for size in takes.iter().cycle() {
                    let mut buffer = vec![0; *size];
                    let count = stream.read(&mut buffer).await.unwrap();
                    if count == 0 {
                        break;
                    }
                    read.extend_from_slice(&buffer[..count]);
                }
            };
            Builder::new_current_thread().build().unwrap().block_on(reading);
            prop_assert_eq!(&read, &came);
            prop_assert_eq!(stream.left.capacity(), 0);
        }
    }
}

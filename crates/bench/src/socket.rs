//! A WebSocket client (RFC 6455) that costs next to nothing, so that the load is the server's: frames are
//! masked once and sent many times, and what arrives is looked at where it lies.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// The mask of every frame. It need not be secret here, and servers have the work of it all the same.
const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Bytes to read at once.
const CHUNK: usize = 16 * 1024;

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// What was read and not yet looked at, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    /// Bytes received so far.
    pub received: u64,
}

/// A frame of the server's: its kind and where its payload lies in the buffer.
struct Frame {
    kind: u8,
    payload: std::ops::Range<usize>,
}

impl Socket {
    /// Opens a WebSocket from one of this machine's addresses.
    ///
    /// # Errors
    /// The server cannot be reached, or does not want a WebSocket.
    pub async fn connect(from: [u8; 4], server: SocketAddr, path: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // Ten thousand ports that wait after they were closed would be missing in the next part.
        socket.set_zero_linger()?;
        socket.bind((from, 0).into())?;
        Self::over(socket.connect(server).await?, server, path).await
    }

    /// Opens a WebSocket over a connection that stands.
    ///
    /// # Errors
    /// The server hangs up, or does not want a WebSocket.
    pub async fn over(mut stream: TcpStream, server: SocketAddr, path: &str) -> Result<Self> {
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut socket = Self {
            stream,
            buffer: Vec::new(),
            start: 0,
            received: 0,
        };
        let end = loop {
            let head = socket.buffer.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(head) = head {
                break head + 4;
            }
            socket.read().await.context("the server hung up")?;
        };
        if !socket.buffer.starts_with(b"HTTP/1.1 101") {
            let head = String::from_utf8_lossy(&socket.buffer);
            bail!(
                "the server answered {}",
                head.lines().next().unwrap_or_default()
            );
        }
        socket.start = end;
        Ok(socket)
    }

    /// Sends frames made by [`frames`].
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn write(&mut self, frames: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(frames).await?)
    }

    /// Says that this is the end (7.4.1, 1000).
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn close(&mut self) -> Result<()> {
        self.write(&frame(CLOSE, &1000_u16.to_be_bytes())).await
    }

    /// Waits for frames and hands every text on. Pings are answered.
    ///
    /// # Errors
    /// The connection is gone, or the server closes it.
    pub async fn texts(&mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        let mut any = false;
        while !any {
            while let Some(Frame { kind, payload }) = self.next_frame() {
                any = true;
                match kind {
                    TEXT => each(&self.buffer[payload]),
                    PING => {
                        let pong = frame(PONG, &self.buffer[payload]);
                        self.stream.write_all(&pong).await?;
                    }
                    CLOSE => {
                        let code = self.buffer[payload].get(..2).map(|two| [two[0], two[1]]);
                        bail!("the server closed with {:?}", code.map(u16::from_be_bytes));
                    }
                    _ => {}
                }
            }
            if !any {
                self.read().await?;
            }
        }
        Ok(())
    }

    /// Waits for a text that means something.
    ///
    /// # Errors
    /// The connection is gone, or the server closes it.
    pub async fn until<T>(&mut self, mut read: impl FnMut(&[u8]) -> Option<T>) -> Result<T> {
        let mut found = None;
        while found.is_none() {
            self.texts(|text| found = found.take().or_else(|| read(text)))
                .await?;
        }
        found.context("nothing was found")
    }

    async fn read(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > 4 * CHUNK {
            self.buffer = Vec::new();
        }
        self.buffer.reserve(CHUNK);
        let count = self.stream.read_buf(&mut self.buffer).await?;
        if count == 0 {
            bail!("the server hung up");
        }
        self.received += u64::try_from(count)?;
        Ok(())
    }

    /// The next whole frame; servers do not mask (5.1).
    fn next_frame(&mut self) -> Option<Frame> {
        let bytes = &self.buffer[self.start..];
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (head, length) = match second & 0x7f {
            126 => (
                4,
                usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
            ),
            127 => {
                let length = bytes.get(2..10)?.try_into().ok()?;
                (10, usize::try_from(u64::from_be_bytes(length)).ok()?)
            }
            length => (2, usize::from(length)),
        };
        bytes.get(..head + length)?;
        let payload = self.start + head..self.start + head + length;
        self.start = payload.end;
        Some(Frame {
            kind: first & 0x0f,
            payload,
        })
    }
}

/// A text as a masked frame, `count` times in a row. It has at most 64 KiB.
#[must_use]
pub fn frames(text: &str, count: usize) -> Vec<u8> {
    frame(TEXT, text.as_bytes()).repeat(count)
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | kind];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap_or_default()),
        long => {
            frame.push(0x80 | 126);
            let long = u16::try_from(long).unwrap_or(u16::MAX);
            frame.extend(long.to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_rfc_6455_shows_it() {
        // 5.7: "Hello" with another mask; here the lengths and the masking are what counts.
        let short = frame(TEXT, b"Hello");
        assert_eq!(short[..2], [0x81, 0x85]);
        let unmasked: Vec<_> = short[6..]
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(a, b)| a ^ b)
            .collect();
        assert_eq!(unmasked, b"Hello");
        let long = frame(TEXT, &[b'a'; 256]);
        assert_eq!(long[..4], [0x81, 0xfe, 1, 0]);
        assert_eq!(frames("Hello", 3).len(), 3 * short.len());
    }
}

//! Listening: the one TCP port, and every connection that comes to it.
//!
//! Connections are served here, and not by axum's own loop, because that has no limit on how long a
//! client may take to send its headers. One port speaks plain HTTP and TLS: the first byte of a
//! connection tells which, and each is served by the same routes. Across amateur frequencies TLS is
//! refused.

mod authority;
mod clock;
mod door;
mod files;
mod meters;
mod peer;
mod permitted;
mod ports;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use station::Zone;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::network::Ends;
use crate::network::zoning::Zoning;

use socket::lingering::{BytesRead, Lingering, LingeringRoom};

pub use authority::AuthorityError;
pub(crate) use authority::FILES as BROWSER_CA_FILES;
pub use clock::Clock;
pub use door::{Door, DoorCounters};
pub use files::within_open_files;
pub use peer::same_user;
pub use ports::{ListenError, Listener};
pub use tls::{Root, Tls, TlsError};

/// Time a client has to send the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// What a TLS connection begins with: a handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// The fatal alert `access_denied` in a record of its own (RFC 8446, 5.1 and 6.2), readable by anybody.
const ACCESS_DENIED: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 49];

/// How long telling that TLS is refused may take.
const REFUSE_WITHIN: Duration = Duration::from_secs(2);

/// Most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// Pause after a failed accept: the usual cause, too many open files, needs time to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What every connection needs.
#[derive(Clone)]
struct Service {
    router: Router,
    tls: Arc<Tls>,
    zoning: Arc<Zoning>,
    stop: CancellationToken,
    connections: TaskTracker,
    lingering: LingeringRoom,
}

impl Listener {
    /// Serves every connection that the door lets in until `stop`, then lets running requests finish.
    pub async fn serve(
        self,
        router: Router,
        tls: Arc<Tls>,
        zoning: Arc<Zoning>,
        door: Arc<Door>,
        stop: CancellationToken,
    ) {
        let connections = TaskTracker::new();
        let accepting = TaskTracker::new();
        let service = Service {
            router,
            tls,
            zoning,
            stop,
            connections: connections.clone(),
            lingering: LingeringRoom::default(),
        };
        for socket in self.sockets {
            accepting.spawn(accept(socket, service.clone(), Arc::clone(&door)));
        }
        accepting.close();
        accepting.wait().await;
        connections.close();
        connections.wait().await;
    }
}

async fn accept(socket: TcpListener, service: Service, door: Arc<Door>) {
    loop {
        let accepted = tokio::select! {
            () = service.stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => {
                let local = stream.local_addr().map_or(remote.ip(), |local| local.ip());
                let Some(place) = door.enter(local, remote.ip(), Instant::now()) else {
                    continue;
                };
                let serving = service.clone().serve(stream, remote);
                service.connections.spawn(async move {
                    tokio::select! {
                        () = serving => {}
                        () = place.wanted() => {
                            tracing::debug!(%remote, "a connection gave way to others");
                        }
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Service {
    async fn serve(self, stream: TcpStream, remote: SocketAddr) {
        // Signals are small and somebody waits for each.
        let Ok(local) = stream.set_nodelay(true).and_then(|()| stream.local_addr()) else {
            return;
        };
        let ends = Ends::new(local, remote);
        let mut first = [0];
        let peeked = timeout(HEAD_WITHIN, stream.peek(&mut first)).await;
        let stream = Lingering::new(stream, self.lingering.clone());
        match peeked {
            // Apart, so that a plain connection does not take the room that a TLS one needs.
            Ok(Ok(1)) if first[0] == TLS_HANDSHAKE => {
                Box::pin(self.serve_tls(stream, ends)).await;
            }
            Ok(Ok(1)) => {
                let read = stream.read();
                self.serve_http(stream, ends, read).await;
            }
            _ => {}
        }
    }

    /// Serves over TLS for as long as the way may be encrypted.
    async fn serve_tls(self, stream: Lingering, ends: Ends) {
        let remote = ends.remote;
        let mut changes = self.zoning.watch();
        let verdict = self.zoning.of(ends);
        if verdict.zone == Zone::Part97 {
            let reason = verdict.reason;
            tracing::info!(%remote, %reason, "TLS refused: it would cross amateur frequencies");
            return refuse_tls(stream).await;
        }
        let Some(acceptor) = self.tls.acceptor() else {
            tracing::debug!(%remote, "TLS refused: the server has no owner yet");
            return;
        };
        let zoning = Arc::clone(&self.zoning);
        let read = stream.read();
        let serving = async move {
            match timeout(HEAD_WITHIN, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.serve_http(stream, ends.over_tls(), read).await,
                Ok(Err(error)) => tracing::debug!(%remote, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%remote, "a TLS handshake took too long"),
            }
        };
        let forbidden = async {
            while changes.changed().await.is_ok() {
                if zoning.of(ends).zone == Zone::Part97 {
                    return;
                }
            }
        };
        tokio::select! {
            () = serving => {}
            () = forbidden => {
                tracing::info!(%remote, "TLS ended: the owner says it crosses amateur frequencies");
            }
        }
    }

    async fn serve_http(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        ends: Ends,
        read: BytesRead,
    ) {
        let router = TowerToHyperService::new(self.router);
        // A layer would do the same, and be laid around every route for every connection.
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ends);
            request.extensions_mut().insert(read.clone());
            router.call(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        // Apart from the task: what a connection needs until it is a WebSocket makes room for what it needs then.
        let mut connection = Box::pin(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(remote = %ends.remote, %error, "a connection ended");
        }
    }
}

/// Says in TLS's own words that it is refused; the reason in ours is at the same address over plain
/// HTTP.
async fn refuse_tls(mut stream: Lingering) {
    if !matches!(
        timeout(REFUSE_WITHIN, stream.write_all(&ACCESS_DENIED)).await,
        Ok(Ok(()))
    ) {
        tracing::debug!("a TLS client did not wait for its refusal");
    }
}

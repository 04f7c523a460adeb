//! Listening: the one TCP port, and every connection that comes to it.
//!
//! Connections are served here, and not by axum's own loop, because that has no limit on how long a
//! client may take to send its headers. One port speaks plain HTTP and TLS: the first byte of a
//! connection tells which, and each is served by the same routes.

mod authority;
mod peer;
mod ports;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::network::Ends;

pub use authority::AuthorityError;
pub(crate) use authority::FILES as BROWSER_CA_FILES;
pub use peer::same_user;
pub use ports::{ListenError, Listener};
pub use tls::{Root, Tls, TlsError};

/// Time a client has to send the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// What a TLS connection begins with: a handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// Pause after a failed accept: the usual cause, too many open files, needs time to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Serves every connection until `stop`, then lets running requests finish.
    pub async fn serve(self, router: Router, tls: Arc<Tls>, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let accepting = TaskTracker::new();
        for socket in self.sockets {
            let (router, stop, connections) = (router.clone(), stop.clone(), connections.clone());
            let tls = Arc::clone(&tls);
            accepting.spawn(async move {
                accept(socket, router, &tls, &stop, &connections).await;
            });
        }
        accepting.close();
        accepting.wait().await;
        connections.close();
        connections.wait().await;
    }
}

async fn accept(
    socket: TcpListener,
    router: Router,
    tls: &Arc<Tls>,
    stop: &CancellationToken,
    connections: &TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => {
                let serving = serve(
                    stream,
                    remote,
                    router.clone(),
                    Arc::clone(tls),
                    stop.clone(),
                );
                connections.spawn(serving);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    remote: SocketAddr,
    router: Router,
    tls: Arc<Tls>,
    stop: CancellationToken,
) {
    // Signals are small and somebody waits for each.
    let Ok(local) = stream.set_nodelay(true).and_then(|()| stream.local_addr()) else {
        return;
    };
    let ends = Ends::new(local, remote);
    let mut first = [0];
    match timeout(HEAD_WITHIN, stream.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        _ => return,
    }
    if first[0] != TLS_HANDSHAKE {
        return serve_http(stream, ends, router, stop).await;
    }
    let Some(acceptor) = tls.acceptor() else {
        tracing::debug!(%remote, "TLS refused: the server has no owner yet");
        return;
    };
    match timeout(HEAD_WITHIN, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => serve_http(stream, ends.over_tls(), router, stop).await,
        Ok(Err(error)) => tracing::debug!(%remote, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%remote, "a TLS handshake took too long"),
    }
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ends: Ends,
    router: Router,
    stop: CancellationToken,
) {
    let router = router.layer(Extension(ends));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(remote = %ends.remote, %error, "a connection ended");
    }
}

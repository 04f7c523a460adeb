//! Listening: the one TCP port, and every connection that comes to it.
//!
//! Connections are served here, and not by axum's own loop, because that has no limit on how long a
//! client may take to send its headers. Another protocol on the same port (TLS) would be told apart
//! in [`Listener::serve`] by a connection's first byte, before HTTP sees it.

mod peer;
mod ports;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::network::Ends;

pub use peer::same_user;
pub use ports::{ListenError, Listener};

/// Time a client has to send the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// Most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// Pause after a failed accept: the usual cause, too many open files, needs time to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Serves every connection until `stop`, then lets running requests finish.
    pub async fn serve(self, router: Router, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let accepting = TaskTracker::new();
        for socket in self.sockets {
            let (router, stop, connections) = (router.clone(), stop.clone(), connections.clone());
            accepting.spawn(async move {
                accept(socket, router, &stop, &connections).await;
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
                connections.spawn(serve(stream, remote, router.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, remote: SocketAddr, router: Router, stop: CancellationToken) {
    // Signals are small and somebody waits for each.
    let Ok(local) = stream.set_nodelay(true).and_then(|()| stream.local_addr()) else {
        return;
    };
    let router = router.layer(Extension(Ends::new(local, remote)));
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
        tracing::debug!(%remote, %error, "a connection ended");
    }
}

//! `ham-server run`: serves until it is told to stop.

use anyhow::Context as _;

use super::announce;
use crate::config::Config;
use crate::logging;
use crate::server::Server;

/// Threads enough for a small computer; an idle one costs memory.
const MOST_THREADS: usize = 4;

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    logging::start(config.log_format, config.verbose);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(MOST_THREADS))
        .enable_all()
        .build()
        .context("the program cannot start its threads")?;
    runtime.block_on(async {
        let stop = stop_requested()?;
        let server = Server::start(config)?;
        announce::announce(config, &server);
        stop.await;
        tracing::info!("stopping");
        server.shutdown().await;
        Ok(())
    })
}

/// Resolves at Ctrl-C, or at SIGTERM where there is one. The handlers are in place on return.
#[cfg(unix)]
fn stop_requested() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_requested() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C cannot be heard; end the process to stop");
            std::future::pending::<()>().await;
        }
    })
}

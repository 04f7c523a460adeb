//! `ham-server run`: serves until it is told to stop, and tells a person at a terminal, or over SSH
//! on a headless Pi, everything they need to begin.

use std::fmt::Write as _;

use anyhow::Context as _;

use crate::config::{Config, LogFormat};
use crate::http::{addresses_as_urls, joining_url};
use crate::logging;
use crate::qr::Code;
use crate::runtime::ClaimState;
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
        announce(config, &server);
        stop.await;
        tracing::info!("stopping");
        server.shutdown().await;
        Ok(())
    })
}

fn announce(config: &Config, server: &Server) {
    let app = server.app();
    let state = app.ownership.state();
    let local = format!("http://localhost:{}", server.port());
    let network = if config.no_lan {
        Vec::new()
    } else {
        addresses_as_urls(server.port())
    };
    tracing::info!(port = server.port(), state = ?state, version = crate::VERSION, "listening");
    if config.log_format == LogFormat::Json {
        return;
    }
    let mut text = String::new();
    let _ = writeln!(text, "\nham-server {} listens.\n", crate::VERSION);
    let _ = writeln!(text, "  On this machine  {local}");
    for address in &network {
        let _ = writeln!(text, "  On the network   {address}");
    }
    if network.is_empty() {
        let reason = if config.no_lan {
            "off (--no-lan)"
        } else {
            "no network address was found"
        };
        let _ = writeln!(text, "  On the network   {reason}");
    }
    let _ = writeln!(text);
    match (state, app.ownership.callsign()) {
        (ClaimState::Unclaimed, _) => {
            let _ = writeln!(
                text,
                "This server has no owner yet. If you are licensed and it is yours, claim it:"
            );
            let _ = writeln!(text, "  here:          open {local}");
            if let Some(address) = network.first() {
                let _ = writeln!(
                    text,
                    "  from elsewhere: ham-server claim --url {address} --callsign CALL --new"
                );
            }
            let _ = writeln!(text, "  claim code:    {}", app.ownership.code());
        }
        (state, owner) => {
            let owner = owner.map(|owner| owner.to_string()).unwrap_or_default();
            let open = if state == ClaimState::Active {
                "open to the network"
            } else {
                "for this machine only"
            };
            let _ = writeln!(text, "This server is {owner}'s, {open}.");
        }
    }
    if let Some(address) = network.first() {
        let url = joining_url(address, app, None);
        if let Ok(code) = Code::new(&url) {
            let _ = write!(text, "\n{}\n{url}\n", code.terminal());
        }
    }
    println!("{text}\nStop with Ctrl-C.");
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

//! What a server prints when it listens: everything a person needs to begin, at a terminal or over
//! SSH on a headless Pi.

use super::words::in_groups;
use crate::config::{Config, LogFormat};
use crate::http::{App, joining_url, network_urls};
use crate::qr::Code;
use crate::runtime::ClaimState;
use crate::server::Server;

/// Tells where the server is and what to do next. In JSON logs, only that it listens.
pub(super) fn announce(config: &Config, server: &Server) {
    let app = server.app();
    let (port, state) = (server.port(), app.ownership.state());
    tracing::info!(port, state = ?state, version = crate::VERSION, "listening");
    if config.log_format == LogFormat::Json {
        return;
    }
    let network = network_urls(app, port, None);
    println!("\nham-server {} listens.\n", crate::VERSION);
    print_addresses(config, app, port, &network);
    println!();
    match app.ownership.callsign() {
        None => print_how_to_claim(app, port, network.first()),
        Some(owner) if state == ClaimState::Active => {
            println!("This server is {owner}'s, open to the network.");
        }
        Some(owner) => {
            println!(
                "This server is {owner}'s, for this machine only. ham-server open lets others in."
            );
        }
    }
    if let Some(address) = network.first() {
        let url = joining_url(address, app, None);
        if let Ok(code) = Code::new(&url) {
            println!("\n{}\n{url}", code.terminal());
        }
    }
    println!("\nStop with Ctrl-C.");
}

fn print_addresses(config: &Config, app: &App, port: u16, network: &[String]) {
    println!("  On this machine  http://localhost:{port}");
    for address in network {
        println!("  On the network   {address}");
    }
    if network.is_empty() {
        let local = config.no_lan || config.bind.is_some_and(|address| address.is_loopback());
        let reason = if local {
            "off: this machine only"
        } else {
            "no network address was found"
        };
        println!("  On the network   {reason}");
    }
    if let (Some(root), Some(secure)) = (app.tls.root(), app.secure_urls(port).first()) {
        println!("  Secure           {secure}, on devices that trust its certificate:");
        println!(
            "                   {}",
            in_groups(&root.fingerprint.to_string())
        );
    }
}

fn print_how_to_claim(app: &App, port: u16, address: Option<&String>) {
    println!("This server has no owner yet. If you are licensed and it is yours, claim it:");
    println!("  Here             open http://localhost:{port}");
    if let Some(address) = address {
        println!("  From elsewhere   ham-server claim --url {address} --callsign CALL --new");
    }
    println!("  Claim code       {}", app.ownership.code());
}

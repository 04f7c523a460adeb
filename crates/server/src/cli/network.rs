//! `ham-server open` and `close`: who may join the server that runs here. `ham-server guest-calls`: what
//! guests may do there.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::client::Client;
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct GuestCalls {
    /// on: guests may call guests. off: they may only answer operators
    switch: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

pub(super) fn set_guest_calls(config: &Config, arguments: &GuestCalls) -> anyhow::Result<()> {
    let client = Client::local(config)?;
    let body = json!({ "guestCalls": arguments.switch == Switch::On });
    client
        .post_as_admin(config, "/api/network", &body)?
        .success()?;
    let what = match arguments.switch {
        Switch::On => "Guests may call each other now, but never over amateur frequencies.",
        Switch::Off => "Guests may read and answer operators' calls now, and start none.",
    };
    println!("{what}");
    Ok(())
}

pub(super) fn set_open(config: &Config, open: bool) -> anyhow::Result<()> {
    let client = Client::local(config)?;
    let body = json!({ "open": open });
    client
        .post_as_admin(config, "/api/network", &body)?
        .success()?;
    if open {
        println!("People on this network may join now.");
    } else {
        println!("This server serves its own machine only now.");
    }
    Ok(())
}

//! `ham-server open` and `ham-server close`: who may join the server that runs here.

use serde_json::json;

use super::client::Client;
use crate::config::Config;

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

//! `ham-server aredn`: what is entered at an AREDN node, and reading the servers in a node's list.

use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Read the servers in a node's list, such as localnode.local.mesh
    #[arg(long, value_name = "NODE")]
    import: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn aredn(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let client = Client::local(config)?;
    let (answer, words): (_, fn(&Value) -> String) = match &arguments.import {
        None => (client.get("/api/aredn")?, entry),
        Some(node) => {
            let body = json!({ "node": node });
            (client.post_as_admin(config, "/api/aredn", &body)?, servers)
        }
    };
    let answer = answer.success()?;
    if arguments.json {
        println!("{answer:#}");
    } else {
        println!("{}", words(&answer));
    }
    Ok(())
}

fn entry(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let none = "this machine (it has no network address now)";
    let address = entry["address"].as_str().unwrap_or(none);
    format!(
        "At your AREDN node, under Local Services, add a host alias and a service:\n\n  \
         Host alias  {host}\n  Address     {address}\n\n  \
         Name        {name}\n  Protocol    http\n  Host        {host}\n  Port        {port}\n  \
         Path        (empty)\n\nIn one line, as nodes keep it:\n\n  {line}",
        host = text("host"),
        name = text("name"),
        port = entry["port"],
        line = text("line"),
    )
}

fn servers(answer: &Value) -> String {
    let servers = answer["servers"].as_array().map_or(&[][..], Vec::as_slice);
    if servers.is_empty() {
        return "The node lists no other ham-server.".to_owned();
    }
    let line = |server: &Value| {
        let callsign = server["callsign"].as_str().unwrap_or("does not answer");
        format!(
            "{callsign:<16}{}",
            server["endpoint"].as_str().unwrap_or_default()
        )
    };
    servers.iter().map(line).collect::<Vec<_>>().join("\n")
}

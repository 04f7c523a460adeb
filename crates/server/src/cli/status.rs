//! `ham-server status`.

use clap::Args;
use serde_json::Value;

use super::client::{Client, not_running};
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn status(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let client = Client::local(config)?;
    // A file left behind by a killed server names a port where nobody answers any more.
    let answer = client
        .get("/api/status")
        .map_err(|error| not_running(config).context(error))?;
    let status = answer.success()?;
    if arguments.json {
        println!("{status:#}");
    } else {
        println!("{}", sentences(&status));
    }
    Ok(())
}

fn sentences(status: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let state = match status["state"].as_str() {
        Some("unclaimed") => "unclaimed: nobody owns it yet".to_owned(),
        Some("claimed") => format!("owned by {}, for this machine only", text(&status["owner"])),
        Some("active") => format!("owned by {}, open to the network", text(&status["owner"])),
        _ => "unknown".to_owned(),
    };
    let seconds = status["uptime"].as_u64().unwrap_or_default();
    let clients = &status["clients"];
    let guests = if status["guestCalls"] == true {
        "may call each other, but never over amateur frequencies"
    } else {
        "may read, and answer operators' calls"
    };
    format!(
        "State    {state}\nAddress  {}\nHere     {} licensed, {} guests\nGuests   {guests}\nLimits   {}\nUp       {} h {:02} min\nVersion  {}",
        text(&status["endpoint"]),
        clients["licensed"],
        clients["unlicensed"],
        limited(&status["limited"]),
        seconds / 3600,
        seconds / 60 % 60,
        text(&status["version"]),
    )
}

/// What the limits refused, and how often.
fn limited(limited: &Value) -> String {
    let count = |name: &str| limited[name].as_u64().unwrap_or_default();
    let scopes: Vec<_> = limited["messages"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(scope, count)| format!("{scope} {count}"))
        .collect();
    let mut said = Vec::new();
    if !scopes.is_empty() {
        said.push(format!("refused by {}", scopes.join(", ")));
    }
    for (name, one, many) in [
        ("closed", "WebSocket closed", "WebSockets closed"),
        ("pauses", "pause", "pauses"),
        (
            "turnedAway",
            "connection turned away",
            "connections turned away",
        ),
        ("displaced", "connection displaced", "connections displaced"),
        ("requests", "request refused", "requests refused"),
    ] {
        match count(name) {
            0 => {}
            1 => said.push(format!("1 {one}")),
            number => said.push(format!("{number} {many}")),
        }
    }
    if said.is_empty() {
        return "nothing was refused since the start".to_owned();
    }
    said.join("; ")
}

//! `ham-server peers`: the other servers, and your decisions about them.

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};
use station::Fingerprint;

use super::client::Client;
use super::words::{print_table, text};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the other servers this one coordinates with, or looks for
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Name a server; it is dialled until you take it off the list
    Add {
        /// Where it is: http://HOST:PORT or https://HOST:PORT
        endpoint: String,
    },
    /// Take a server that you named or imported off the list
    Remove {
        /// Its callsign, its address, or the beginning of its id
        which: String,
    },
    /// Trust the root of a server that nobody you trust vouches for
    Accept {
        /// Its callsign, its address, or the beginning of its id
        which: String,
        /// Its root's fingerprint, as its owner reads it out to you; spaces do not matter
        #[arg(long)]
        fingerprint: Option<String>,
    },
}

pub(super) fn peers(config: &Config, command: &Command) -> anyhow::Result<()> {
    let client = Client::local(config)?;
    match command {
        Command::List { json } => list(&client, *json),
        Command::Add { endpoint } => add(config, &client, endpoint),
        Command::Remove { which } => remove(config, &client, which),
        Command::Accept { which, fingerprint } => {
            accept(config, &client, which, fingerprint.as_deref())
        }
    }
}

fn list(client: &Client, as_json: bool) -> anyhow::Result<()> {
    let listed = client.get("/api/peers")?.success()?;
    if as_json {
        println!("{listed:#}");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = all(&listed)
        .map(|peer| {
            let callsign = peer["callsign"].as_str().unwrap_or("?");
            let id = text(peer, "id").chars().take(SHORT).collect();
            let row = [callsign, state(peer), text(peer, "endpoint")];
            let mut row: Vec<String> = row.map(str::to_owned).into();
            row.push(id);
            row.push(peer["reason"].as_str().unwrap_or_default().to_owned());
            row
        })
        .collect();
    if rows.is_empty() {
        println!("No other server is known. ham-server peers add names one.");
    }
    print_table(&rows);
    let undecided = |peer: &Value| peer["state"] == "unknown" && peer["plain"] != true;
    if all(&listed).any(undecided) {
        println!();
        println!(
            "ham-server peers accept shows what to compare before you trust an unknown server."
        );
    }
    warn(&client.get("/api/peers/warnings")?.success()?);
    Ok(())
}

/// What to know before other servers are believed.
fn warn(warnings: &Value) {
    if !warnings["copy"].is_null() {
        println!();
        println!(
            "Another server runs with this one's key: a copy, or a backup that was restored. Stop one of them."
        );
    }
    for split in all(&warnings["splitLogs"]) {
        println!();
        println!(
            "{} shows different people different histories of what its server issued ({} entries).",
            split["callsign"].as_str().unwrap_or("Somebody"),
            split["checkpoints"][0]["size"]
        );
        println!("The proof, signed by its key {}:", text(split, "keyId"));
        for checkpoint in all(&split["checkpoints"]) {
            println!("  head {}", text(checkpoint, "head"));
        }
    }
}

fn add(config: &Config, client: &Client, endpoint: &str) -> anyhow::Result<()> {
    let body = json!({ "endpoint": endpoint });
    let added = client
        .post_as_admin(config, "/api/peers", &body)?
        .success()?;
    println!("{} is dialled from now on.", text(&added, "endpoint"));
    Ok(())
}

fn remove(config: &Config, client: &Client, which: &str) -> anyhow::Result<()> {
    let peer = find(client, which)?;
    let path = format!("/api/peers/{}", text(&peer, "id"));
    client.delete_as_admin(config, &path)?.success()?;
    println!("It is not dialled any more. A link that stands goes on until it breaks.");
    Ok(())
}

fn accept(
    config: &Config,
    client: &Client,
    which: &str,
    fingerprint: Option<&str>,
) -> anyhow::Result<()> {
    let peer = find(client, which)?;
    let root = &peer["root"];
    let shown = text(root, "fingerprint");
    let Some(fingerprint) = fingerprint else {
        println!("{} at {}", text(&peer, "callsign"), text(&peer, "endpoint"));
        println!(
            "has certificates whose root is {}'s, with the fingerprint",
            text(root, "callsign")
        );
        println!();
        println!("  {}", grouped(shown));
        println!();
        println!(
            "Have its owner read theirs out to you. If it is the same, type it after --fingerprint."
        );
        return Ok(());
    };
    let typed: String = fingerprint.chars().filter(|c| !c.is_whitespace()).collect();
    let Ok(typed) = typed.to_lowercase().parse::<Fingerprint>() else {
        bail!("a fingerprint has 64 digits, 0 to 9 and a to f");
    };
    let body = json!({ "fingerprint": typed });
    let path = format!("/api/peers/{}/accept", text(&peer, "id"));
    client.post_as_admin(config, &path, &body)?.success()?;
    println!(
        "Trusted: {} and whomever they vouch for.",
        text(root, "callsign")
    );
    Ok(())
}

/// The one server that a person means.
fn find(client: &Client, which: &str) -> anyhow::Result<Value> {
    let listed = client.get("/api/peers")?.success()?;
    let fits = |peer: &&Value| {
        // What nobody proved is no name to decide by.
        (peer["plain"] != true && text(peer, "callsign").eq_ignore_ascii_case(which))
            || text(peer, "endpoint") == which.trim_end_matches('/')
            || (which.len() >= 4 && text(peer, "id").starts_with(which))
    };
    let fitting: Vec<&Value> = all(&listed).filter(fits).collect();
    let [peer] = fitting[..] else {
        bail!("{which} names no one server; ham-server peers list shows their ids");
    };
    Ok(peer.clone())
}

fn all(listed: &Value) -> impl Iterator<Item = &Value> {
    listed.as_array().into_iter().flatten()
}

fn state(peer: &Value) -> &'static str {
    if peer["plain"] == true {
        return "linked by plain messages only: nothing of it is proved";
    }
    match text(peer, "state") {
        "linked" if peer["link"] == "part97" => "linked across amateur frequencies",
        "linked" => "linked",
        "reachable" => "reachable through others",
        "unknown" => "unknown: nobody you trust vouches for it",
        "blacklisted" => "blacklisted",
        "gone" => "gone",
        _ => "looked for",
    }
}

/// Digits in groups of four, as people read them out.
fn grouped(fingerprint: &str) -> String {
    let digits: Vec<char> = fingerprint.chars().collect();
    let groups = digits
        .chunks(4)
        .map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}

/// Digits of an id in a list.
const SHORT: usize = 16;

//! What waits for the owner's decision about keys, and the decision.

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::client::Client;
use crate::cli::words::{count, in_groups, text};
use crate::config::Config;

/// Fewest digits of the beginning of a fingerprint.
const FEWEST_DIGITS: usize = 8;

#[derive(Debug, Args)]
pub(in crate::cli) struct Decide {
    /// Let the key of this certificate count: its fingerprint, or at least 8 digits of it. Without it, what
    /// waits is listed
    #[arg(long, value_name = "FINGERPRINT")]
    accept: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A key that counts once it is accepted.
struct Waiting<'a> {
    fingerprint: &'a str,
    callsign: &'a str,
    /// Where the decision goes, and what it is.
    path: &'static str,
    body: Value,
}

pub(super) fn decide(config: &Config, client: &Client, arguments: &Decide) -> anyhow::Result<()> {
    let listed = client.get_as_admin(config, "/api/decisions")?.success()?;
    let Some(named) = &arguments.accept else {
        if arguments.json {
            println!("{listed:#}");
        } else {
            print(&listed);
        }
        return Ok(());
    };
    let waiting = find(&listed, named)?;
    let effect = client
        .post_as_admin(config, waiting.path, &waiting.body)?
        .success()?;
    if arguments.json {
        println!("{effect:#}");
        return Ok(());
    }
    println!(
        "That key is {}'s now. {} trusted that {} not before.",
        waiting.callsign,
        count(&effect["gainCount"], "certificate is", "certificates are"),
        if effect["gainCount"] == 1 {
            "was"
        } else {
            "were"
        },
    );
    Ok(())
}

fn print(listed: &Value) {
    let several = |name: &str| listed[name].as_array().into_iter().flatten();
    let waiting = all(listed);
    let contested: Vec<&Value> = several("contested").collect();
    if waiting.is_empty() && contested.is_empty() {
        println!("No key waits for your decision.");
        return;
    }
    for claimed in contested {
        println!(
            "{}: several keys claim this callsign, and all of them count until you blacklist one",
            text(claimed, "callsign")
        );
        for key in claimed["keys"].as_array().into_iter().flatten() {
            println!("  {}", in_groups(text(key, "fingerprint")));
        }
    }
    for one in &waiting {
        let why = if one.path == SUCCESSOR {
            "one of several keys that claim to follow the same one; none of them counts"
        } else {
            "another key of this callsign is blacklisted; this one does not count"
        };
        println!("{}: {why}\n  {}", one.callsign, in_groups(one.fingerprint));
    }
    if !waiting.is_empty() {
        println!("Ask the person by another way which key is theirs, and accept it with --accept.");
    }
}

/// The one key that a person names by its certificate.
fn find<'a>(listed: &'a Value, named: &str) -> anyhow::Result<Waiting<'a>> {
    let digits: String = named.chars().filter(char::is_ascii_hexdigit).collect();
    let digits = digits.to_ascii_lowercase();
    let mut fits = all(listed);
    fits.retain(|one| digits.len() >= FEWEST_DIGITS && one.fingerprint.starts_with(&digits));
    match (fits.pop(), fits.pop()) {
        (Some(one), None) => Ok(one),
        _ => bail!("{named} names no one key that waits; ham-server certs decide lists them"),
    }
}

/// Every key that waits and has a certificate to be named by.
fn all(listed: &Value) -> Vec<Waiting<'_>> {
    let several = |name: &str| listed[name].as_array().into_iter().flatten();
    let awaiting = several("awaiting").map(|one| Waiting {
        fingerprint: text(one, "fingerprint"),
        callsign: text(one, "callsign"),
        path: ACCEPT_KEY,
        body: json!({ "callsign": one["callsign"], "keyId": one["keyId"] }),
    });
    let disputed = several("disputes").flat_map(|dispute| {
        let successors = dispute["successors"].as_array().into_iter().flatten();
        successors.map(|one| Waiting {
            fingerprint: text(one, "fingerprint"),
            callsign: text(dispute, "callsign"),
            path: SUCCESSOR,
            body: json!({ "old": dispute["old"], "new": one["keyId"] }),
        })
    });
    awaiting.chain(disputed).collect()
}

const ACCEPT_KEY: &str = "/api/decisions/accept-key";
const SUCCESSOR: &str = "/api/decisions/successor";

//! Distrusting somebody here, and withdrawing a certificate everywhere.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pki::p12;
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use station::{Identity, Statement};

use super::who;
use crate::cli::client::Client;
use crate::cli::password::Password;
use crate::cli::words::{confirm, count, text};
use crate::config::Config;

#[derive(Debug, Args)]
pub(in crate::cli) struct Blacklist {
    /// A callsign, a fingerprint, or at least 8 digits of one
    who: String,
    /// What falls: the certificate, every certificate of its key, or its key and everybody below
    #[arg(long, value_enum, default_value_t = Scope::Certificate)]
    scope: Scope,
    /// Why, for yourself to remember
    #[arg(long, default_value = "", value_name = "TEXT")]
    reason: String,
    /// Take it back
    #[arg(long)]
    undo: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    Certificate,
    Key,
    Subtree,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Revoke {
    /// A callsign, a fingerprint, or at least 8 digits of one
    who: String,
    /// The key that signs: the holder's withdraws itself, the issuer's revokes the certificate
    #[arg(long, value_name = "FILE")]
    p12: PathBuf,
    #[command(flatten)]
    password: Password,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn blacklist(
    config: &Config,
    client: &Client,
    arguments: &Blacklist,
) -> anyhow::Result<()> {
    let found = who::find(client, &arguments.who)?;
    let callsign = text(&found, "callsign");
    let scope = match arguments.scope {
        Scope::Certificate => "certificate",
        Scope::Key => "key",
        Scope::Subtree => "subtree",
    };
    let path = format!(
        "/api/certificates/{}/blacklist",
        text(&found, "fingerprint")
    );
    if arguments.undo {
        let path = format!("{path}?scope={scope}");
        let effect = client.delete_as_admin(config, &path)?.success()?;
        println!("{callsign} is not blacklisted any more.");
        println!("{}", gained(&effect));
        return Ok(());
    }
    let preview = format!("{path}/preview?scope={scope}");
    let effect = client.get_as_admin(config, &preview)?.success()?;
    println!("If you blacklist {callsign} ({scope}), {}", lost(&effect));
    if !arguments.yes {
        confirm("", callsign, "--yes")?;
    }
    let body = json!({ "scope": scope, "reason": arguments.reason });
    client.post_as_admin(config, &path, &body)?.success()?;
    println!("{callsign} is blacklisted on this server.");
    Ok(())
}

/// What would be lost, in numbers and with the first names.
fn lost(effect: &Value) -> String {
    if effect["loseCount"] == 0 {
        return "nobody loses trust.".to_owned();
    }
    let certificates = count(
        &effect["loseCount"],
        "certificate loses",
        "certificates lose",
    );
    let keys = count(&effect["keysLost"], "key", "keys");
    let mut names: Vec<&str> = effect["lose"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| text(one, "callsign"))
        .collect();
    names.dedup();
    let more = if names.len() > 12 { ", ..." } else { "" };
    names.truncate(12);
    format!(
        "{certificates} trust, and {keys} would not count here at all: {}{more}.",
        names.join(", ")
    )
}

fn gained(effect: &Value) -> String {
    let certificates = count(&effect["gainCount"], "certificate is", "certificates are");
    format!("{certificates} trusted again.")
}

pub(super) fn revoke(client: &Client, arguments: &Revoke) -> anyhow::Result<()> {
    let found = who::find(client, &arguments.who)?;
    let callsign = text(&found, "callsign");
    let identity = text(&found, "identity");
    let target = Identity::parse(identity)
        .context("its issuer is not known here, so it cannot be named in a tombstone")?;
    let unread = || format!("{} cannot be used", arguments.p12.display());
    let file = std::fs::read(&arguments.p12).with_context(unread)?;
    let password = arguments.password.ask("Password of the .p12 file: ")?;
    let random = SystemRandom::new();
    let file = p12::read(&file, &password, &random).with_context(unread)?;
    let signer = file.key.key_id();
    let own = text(&found, "keyId") == signer.to_string();
    let what = if own {
        format!("This withdraws the key of {callsign} for good, wherever somebody vouches for it.")
    } else {
        format!("This revokes the certificate of {callsign} for good, if that key signed it.")
    };
    if !arguments.yes {
        confirm(
            &format!("{what} There is no taking back."),
            callsign,
            "--yes",
        )?;
    }
    let statement = Statement::tombstone(signer, target)?;
    let body = json!({
        "target": target,
        "signer": signer,
        "signature": file.key.sign(&statement, &random)?,
    });
    let buried = client.post("/api/tombstones", &body)?.success()?;
    match text(&buried, "force") {
        "holder" => println!("The key of {callsign} is withdrawn."),
        "issuer" => println!("The certificate of {callsign} is revoked."),
        _ => println!(
            "Your key is neither the holder's nor the issuer's: it is kept as advice for people to read."
        ),
    }
    Ok(())
}

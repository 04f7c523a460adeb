//! Trust anchors and licence roots, and room below a key.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};

use super::who;
use crate::cli::client::Client;
use crate::cli::password::Password;
use crate::cli::words::{count, in_groups, print_table, short, text};
use crate::config::Config;

#[derive(Debug, Args)]
pub(in crate::cli) struct Trust {
    /// A file with certificates: PEM, DER or .p12. Without it, what is trusted is listed
    #[arg(conflicts_with = "remove")]
    file: Option<PathBuf>,
    /// Accept the certificate of this fingerprint, or of its beginning; may be given several times.
    /// Without it the file is only looked at
    #[arg(long, value_name = "FINGERPRINT", requires = "file")]
    accept: Vec<String>,
    /// A note to remember them by
    #[arg(long, default_value = "", value_name = "TEXT", requires = "file")]
    note: String,
    #[command(flatten)]
    password: Password,
    /// Take an anchor or a licence root away, by its fingerprint or callsign
    #[arg(long, value_name = "WHO")]
    remove: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Cap {
    /// A callsign, a fingerprint, or at least 8 digits of one
    who: String,
    /// Most certificates below the key
    certificates: u32,
}

pub(super) fn trust(config: &Config, client: &Client, arguments: &Trust) -> anyhow::Result<()> {
    if let Some(named) = &arguments.remove {
        return remove(config, client, named);
    }
    match &arguments.file {
        None => list(client, arguments.json),
        Some(file) => accept(config, client, arguments, file),
    }
}

pub(super) fn cap(config: &Config, client: &Client, arguments: &Cap) -> anyhow::Result<()> {
    let found = who::find(client, &arguments.who)?;
    let path = format!("/api/certificates/{}/cap", text(&found, "fingerprint"));
    let most = arguments.certificates;
    let body = json!({ "certificates": most });
    client.post_as_admin(config, &path, &body)?.success()?;
    println!(
        "At most {most} certificates may stand below {}'s key now.",
        text(&found, "callsign")
    );
    Ok(())
}

fn list(client: &Client, as_json: bool) -> anyhow::Result<()> {
    let listed = client.get("/api/anchors")?.success()?;
    if as_json {
        println!("{listed:#}");
        return Ok(());
    }
    println!("Trusted without anybody else's word:");
    let anchors = listed["anchors"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = anchors
        .map(|one| {
            let own = if one["own"] == true { "the owner" } else { "" };
            vec![
                format!("  {}", text(one, "callsign")),
                short(&one["fingerprint"]),
                own.to_owned(),
                text(one, "note").to_owned(),
            ]
        })
        .collect();
    print_table(&rows);
    let roots = listed["licenseRoots"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = roots
        .map(|one| {
            vec![
                format!("  {}", text(one, "subject")),
                short(&one["fingerprint"]),
                text(one, "note").to_owned(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        println!("Roots by which people prove licences:");
        print_table(&rows);
    }
    Ok(())
}

fn accept(
    config: &Config,
    client: &Client,
    arguments: &Trust,
    file: &PathBuf,
) -> anyhow::Result<()> {
    let bytes =
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut body = json!({ "bundle": STANDARD.encode(bytes), "note": arguments.note });
    if let Some(password) = arguments.password.given() {
        body["password"] = password.into();
    }
    let mut answer = client.post_as_admin(config, "/api/anchors", &body)?;
    if answer.body["code"] == "password-needed" {
        body["password"] = arguments
            .password
            .ask("Password of the .p12 file: ")?
            .into();
        answer = client.post_as_admin(config, "/api/anchors", &body)?;
    }
    let looked = answer.success()?;
    if arguments.accept.is_empty() {
        if arguments.json {
            println!("{looked:#}");
        } else {
            print_found(&looked);
        }
        return Ok(());
    }
    body["accept"] = wanted(&looked, &arguments.accept)?;
    let answer = client.post_as_admin(config, "/api/anchors", &body)?;
    let accepted = answer.success()?;
    if arguments.json {
        println!("{accepted:#}");
        return Ok(());
    }
    let added = accepted["added"].as_array().map_or(0, Vec::len);
    println!(
        "{added} accepted. {} trusted now that {} not before.",
        count(
            &accepted["effect"]["gainCount"],
            "certificate is",
            "certificates are"
        ),
        if accepted["effect"]["gainCount"] == 1 {
            "was"
        } else {
            "were"
        },
    );
    if let Some([_, ..]) = accepted["notAdded"].as_array().map(Vec::as_slice) {
        println!("Not accepted, because nobody knows who signed them:");
        for fingerprint in accepted["notAdded"].as_array().into_iter().flatten() {
            println!("  {}", in_groups(fingerprint.as_str().unwrap_or_default()));
        }
    }
    Ok(())
}

fn print_found(looked: &Value) {
    println!("Compare the fingerprints with those that their owners read to you:");
    for one in looked["found"].as_array().into_iter().flatten() {
        let (name, kind) = match text(one, "kind") {
            "station" => (
                text(one, "callsign"),
                "a station: its holder may vouch for others",
            ),
            _ => (
                text(one, "subject"),
                "a foreign root: people prove licences by it",
            ),
        };
        println!(
            "\n{name}, {kind}\n  {}",
            in_groups(text(one, "fingerprint"))
        );
    }
    for one in looked["unread"].as_array().into_iter().flatten() {
        let (which, why) = (text(one, "certificate"), text(one, "error"));
        println!("\nCannot be used: certificate {which}: {why}");
    }
    println!("\nNothing is accepted yet. Accept with --accept and the beginning of a fingerprint.");
}

/// The whole fingerprints of what somebody named by its beginning.
fn wanted(looked: &Value, named: &[String]) -> anyhow::Result<Value> {
    let found = looked["found"].as_array().into_iter().flatten();
    let all: Vec<&str> = found.map(|one| text(one, "fingerprint")).collect();
    let mut wanted = Vec::new();
    for name in named {
        let digits: String = name.chars().filter(char::is_ascii_hexdigit).collect();
        let digits = digits.to_ascii_lowercase();
        let mut fits = all.iter().filter(|one| one.starts_with(&digits));
        match (fits.next(), fits.next()) {
            (Some(one), None) if digits.len() >= 8 => wanted.push(*one),
            _ => bail!(
                "{name} names no one certificate of the file; give at least 8 digits of a fingerprint"
            ),
        }
    }
    Ok(json!(wanted))
}

fn remove(config: &Config, client: &Client, named: &str) -> anyhow::Result<()> {
    let listed = client.get("/api/anchors")?.success()?;
    let digits: String = named.chars().filter(char::is_ascii_hexdigit).collect();
    let digits = digits.to_ascii_lowercase();
    let anchors = listed["anchors"].as_array().into_iter().flatten();
    let roots = listed["licenseRoots"].as_array().into_iter().flatten();
    let fits: Vec<&Value> = anchors
        .chain(roots)
        .filter(|one| {
            text(one, "callsign").eq_ignore_ascii_case(named)
                || digits.len() >= 8 && text(one, "fingerprint").starts_with(&digits)
        })
        .collect();
    let [one] = fits[..] else {
        bail!(
            "{named} names no one trust anchor or licence root; ham-server certs trust lists them"
        );
    };
    let path = format!("/api/anchors/{}", text(one, "fingerprint"));
    let effect = client.delete_as_admin(config, &path)?.success()?;
    println!(
        "Not trusted by itself any more. {} trust.",
        count(
            &effect["loseCount"],
            "certificate loses",
            "certificates lose"
        )
    );
    Ok(())
}

//! Listing, showing and explaining certificates.

use clap::Args;
use serde_json::Value;
use station::Callsign;

use super::who;
use crate::cli::client::Client;
use crate::cli::words::{in_groups, print_table, short, text};

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Of this callsign only
    #[arg(long, value_name = "CALLSIGN")]
    callsign: Option<Callsign>,
    /// Of this status only: trusted, untrusted, blacklisted, revoked, suspended or waiting
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// A callsign, a fingerprint, or at least 8 digits of one
    who: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn list(client: &Client, arguments: &List) -> anyhow::Result<()> {
    let mut path = "/api/certificates?limit=500".to_owned();
    if let Some(callsign) = &arguments.callsign {
        path += &format!("&callsign={callsign}");
    }
    if let Some(status) = &arguments.status {
        let plain = |letter: char| letter.is_ascii_lowercase();
        let status: String = status
            .to_lowercase()
            .chars()
            .filter(|c| plain(*c))
            .collect();
        path += &format!("&status={status}");
    }
    let certificates = client.get_all(&path, None)?;
    if arguments.json {
        println!("{:#}", Value::Array(certificates));
        return Ok(());
    }
    if certificates.is_empty() {
        println!("No such certificate is known here.");
        return Ok(());
    }
    print_table(&certificates.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

pub(super) fn show(client: &Client, arguments: &Show) -> anyhow::Result<()> {
    let details = details(client, &arguments.who)?;
    if arguments.json {
        println!("{details:#}");
        return Ok(());
    }
    let mut rows = vec![
        ("Callsign", whose(&details)),
        ("Status", text(&details, "status").to_owned()),
        ("Licence", vouched(&details)),
        ("Fingerprint", in_groups(text(&details, "fingerprint"))),
        ("Key", in_groups(text(&details, "keyId"))),
    ];
    if let Some(class) = details["licenseClass"].as_str() {
        rows.push(("Class", class.to_owned()));
    }
    if details["anchor"] == true {
        rows.push(("Anchor", "the owner of this server trusts it".to_owned()));
    }
    if let Some(successor) = details["successor"].as_str() {
        rows.push(("Followed by", in_groups(successor)));
    }
    for key in details["contestedBy"].as_array().into_iter().flatten() {
        let key = in_groups(key.as_str().unwrap_or_default());
        rows.push(("Contested by", format!("the key {key}")));
    }
    for advice in details["advice"].as_array().into_iter().flatten() {
        let whose = advice["callsign"].as_str().unwrap_or("somebody");
        rows.push(("Advice", format!("{whose} says that it is dead")));
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    print_table(&rows);
    Ok(())
}

pub(super) fn explain(client: &Client, arguments: &Show) -> anyhow::Result<()> {
    let found = who::find(client, &arguments.who)?;
    let path = format!("/api/certificates/{}/explain", text(&found, "fingerprint"));
    let explained = client.get(&path)?.success()?;
    if arguments.json {
        println!("{explained:#}");
        return Ok(());
    }
    println!("{} is {}.", whose(&found), text(&explained, "status"));
    println!("{}", text(&explained, "sentence"));
    for path in explained["paths"].as_array().into_iter().flatten() {
        println!();
        print_steps(&path["steps"]);
    }
    let blocked = explained["blocked"].as_array();
    if let Some(blocked) = blocked.filter(|blocked| !blocked.is_empty()) {
        println!("\nIn the way:");
        let steps = blocked.iter().map(|one| one["step"].clone()).collect();
        print_steps(&Value::Array(steps));
    }
    if let Some([_, ..]) = explained["roots"].as_array().map(Vec::as_slice) {
        println!("\nRoots above it that nobody here accepted:");
        print_steps(&explained["roots"]);
    }
    Ok(())
}

/// The certificate with everything that is known of it.
fn details(client: &Client, named: &str) -> anyhow::Result<Value> {
    let found = who::find(client, named)?;
    let path = format!("/api/certificates/{}", text(&found, "fingerprint"));
    client.get(&path)?.success()
}

fn print_steps(steps: &Value) {
    let rows: Vec<Vec<String>> = steps
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| {
            let note = if step["anchor"] == true {
                "trust anchor".to_owned()
            } else {
                vouched(step)
            };
            vec![
                format!("  {}", whose(step)),
                short(&step["fingerprint"]),
                note,
            ]
        })
        .collect();
    print_table(&rows);
}

fn row(certificate: &Value) -> Vec<String> {
    let place = if certificate["anchor"] == true {
        "anchor"
    } else {
        ""
    };
    vec![
        whose(certificate),
        text(certificate, "status").to_owned(),
        place.to_owned(),
        vouched(certificate),
        short(&certificate["fingerprint"]),
    ]
}

fn whose(certificate: &Value) -> String {
    let callsign = text(certificate, "callsign");
    if certificate["server"] == true {
        format!("{callsign}'s server")
    } else {
        callsign.to_owned()
    }
}

/// How the licence was checked, and by whom.
fn vouched(certificate: &Value) -> String {
    let by = text(certificate, "vouchedBy");
    match text(certificate, "method") {
        "" => "says nothing of a licence".to_owned(),
        "self-asserted" => "self-asserted".to_owned(),
        _ if by == text(certificate, "callsign") => "self-asserted".to_owned(),
        method => format!("{method} by {by}"),
    }
}

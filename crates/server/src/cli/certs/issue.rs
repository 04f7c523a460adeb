//! Issuing a certificate to somebody whose licence the owner saw, and the log of everything issued.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pki::csr::Csr;
use serde_json::{Value, json};
use station::{Callsign, LicenceClass};

use crate::cli::client::Client;
use crate::cli::words::{ago, print_table, short, text};
use crate::config::Config;

#[derive(Debug, Args)]
pub(in crate::cli) struct Issue {
    /// The person's request for a certificate, PEM or DER
    #[arg(long, value_name = "FILE")]
    csr: PathBuf,
    /// The callsign on the licence that you saw
    #[arg(long, value_name = "CALLSIGN")]
    callsign: Callsign,
    /// The class on it
    #[arg(long, value_name = "CLASS")]
    class: Option<LicenceClass>,
    /// How you saw it
    #[arg(long, value_enum)]
    method: Method,
    /// Where the certificate goes, with those above it [default: print it]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Method {
    /// You met the person and saw the licence.
    InPerson,
    /// You saw a document.
    Document,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Log {
    /// Write the whole log as text, for others to check
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Method {
    /// The word on the wire.
    pub(in crate::cli) fn as_str(self) -> &'static str {
        match self {
            Self::InPerson => "in-person",
            Self::Document => "document",
        }
    }
}

pub(super) fn issue(config: &Config, client: &Client, arguments: &Issue) -> anyhow::Result<()> {
    let unread = || format!("{} cannot be used", arguments.csr.display());
    let file = std::fs::read(&arguments.csr).with_context(unread)?;
    // Looked at here to name what is wrong; the server takes PEM and looks again.
    Csr::from_file(&file).with_context(unread)?;
    let pem = match String::from_utf8(file) {
        Ok(text) if text.contains("-----BEGIN ") => text,
        Ok(text) => as_pem(text.as_bytes()),
        Err(binary) => as_pem(binary.as_bytes()),
    };
    let body = json!({
        "csr": pem,
        "callsign": arguments.callsign,
        "licenseClass": arguments.class,
        "proofOfLicense": { "method": arguments.method.as_str() },
    });
    let issued = client
        .post_as_admin(config, "/api/issue-certificate", &body)?
        .success()?;
    let above = issued["chain"].as_array().into_iter().flatten();
    let pem: String = std::iter::once(&issued["certificate"])
        .chain(above)
        .filter_map(Value::as_str)
        .collect();
    let Some(out) = &arguments.out else {
        print!("{pem}");
        return Ok(());
    };
    std::fs::write(out, pem).with_context(|| format!("{} cannot be written", out.display()))?;
    println!(
        "{}'s certificate is in {}.",
        arguments.callsign,
        out.display()
    );
    Ok(())
}

pub(super) fn log(client: &Client, arguments: &Log) -> anyhow::Result<()> {
    if let Some(file) = &arguments.export {
        let text = client.download("/api/log/export")?;
        std::fs::write(file, &text)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        println!("The log is in {}.", file.display());
        return Ok(());
    }
    let entries = client.get_all("/api/log", Some("entries"))?;
    if arguments.json {
        println!("{:#}", Value::Array(entries));
        return Ok(());
    }
    if entries.is_empty() {
        println!("This server has issued nothing yet.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                entry["index"].to_string(),
                ago(&entry["time"]),
                text(entry, "callsign").to_owned(),
                text(entry, "method").to_owned(),
                short(&entry["certificate"]),
            ]
        })
        .collect();
    print_table(&rows);
    Ok(())
}

/// RFC 7468.
fn as_pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let (mut lines, mut rest) = (String::new(), text.as_str());
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        lines += line;
        lines.push('\n');
        rest = tail;
    }
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{lines}-----END CERTIFICATE REQUEST-----\n")
}

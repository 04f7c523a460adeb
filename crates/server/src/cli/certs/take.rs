//! Certificates in and out of files.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use pki::import;
use serde_json::{Value, json};

use super::who;
use crate::cli::client::Client;
use crate::cli::words::text;
use crate::config::Config;

#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// The file, PEM or DER; the first certificate is the one, the others stand above it
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// A callsign, a fingerprint, or at least 8 digits of one
    who: String,
    /// Where to write it [default: print it]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn add(config: &Config, client: &Client, arguments: &Add) -> anyhow::Result<()> {
    let path = &arguments.file;
    let unread = || format!("{} cannot be used", path.display());
    let file = std::fs::read(path).with_context(unread)?;
    let bundle = import::read(&file, None).with_context(unread)?;
    let (first, above) = bundle
        .stations
        .split_first()
        .context("there is no station's certificate in the file; licence roots go to certs trust")
        .with_context(unread)?;
    let above: Vec<String> = above.iter().map(pki::Certificate::to_pem).collect();
    let body = json!({ "certificate": first.to_pem(), "chain": above });
    let brought = client
        .post_as_admin(config, "/api/certificates", &body)?
        .success()?;
    let status = text(&brought, "status");
    println!("{} is known here now: {status}.", first.callsign());
    if status == "waiting" {
        println!(
            "It counts once the certificate of its issuer comes, if that is before the server stops."
        );
    }
    Ok(())
}

pub(super) fn export(client: &Client, arguments: &Export) -> anyhow::Result<()> {
    let found = who::find(client, &arguments.who)?;
    let path = format!("/api/certificates/{}", text(&found, "fingerprint"));
    let details = client.get(&path)?.success()?;
    let above = details["chain"].as_array().into_iter().flatten();
    let pem: String = std::iter::once(&details["certificate"])
        .chain(above)
        .filter_map(Value::as_str)
        .collect();
    let Some(out) = &arguments.out else {
        print!("{pem}");
        return Ok(());
    };
    std::fs::write(out, pem).with_context(|| format!("{} cannot be written", out.display()))
}

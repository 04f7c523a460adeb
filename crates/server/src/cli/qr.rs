//! `ham-server qr`: the QR code by which others join, in the terminal or as a file.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use super::client::Client;
use crate::config::Config;
use crate::qr::Code;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The net people enter
    #[arg(long, value_name = "NET")]
    net: Option<String>,
    /// Write a picture, .svg or .png, instead of printing
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the joining URL as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn qr(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let info = Client::local(config)?.get("/api/info")?.success()?;
    let address = info["addresses"][0]
        .as_str()
        .context("the server tells no address")?;
    let url = match (info["certFingerprint"].as_str(), arguments.net.as_deref()) {
        (None, _) => bail!("this server has no owner yet: nobody can join. Claim it first"),
        (Some(fingerprint), None) => format!("{address}/#join=1.{fingerprint}"),
        (Some(fingerprint), Some(net)) => {
            let net = signaling::Net::parse(net)?;
            format!("{address}/#join=1.{fingerprint}.{net}")
        }
    };
    if arguments.json {
        println!("{:#}", serde_json::json!({ "url": url }));
        return Ok(());
    }
    let code = Code::new(&url)?;
    let Some(path) = &arguments.out else {
        println!("{}\n{url}", code.terminal());
        return Ok(());
    };
    let picture = match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => code.svg().into_bytes(),
        Some("png") => code.png()?,
        _ => bail!("the file's name must end in .svg or .png"),
    };
    std::fs::write(path, picture).with_context(|| format!("{} cannot be written", path.display()))
}

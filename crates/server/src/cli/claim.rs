//! `ham-server claim`: makes or reads an operator's key, and claims a server for it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args};
use pki::issue::Issuer;
use pki::p12::{self, KeyFile};
use pki::{Certificate, Code, PublicKey, SigningKey, issue};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use station::{Callsign, Grid, LicenceClass, Statement};

use super::client::Client;
use super::password::Password;
use super::words::ask;
use crate::config::Config;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("key").required(true))]
pub(super) struct Arguments {
    /// Your callsign
    #[arg(long, value_name = "CALLSIGN")]
    callsign: Callsign,
    /// The class on your licence, such as Extra or Full
    #[arg(long, value_name = "CLASS")]
    class: Option<LicenceClass>,
    /// Your name or the station's
    #[arg(long)]
    name: Option<String>,
    /// Where the station is, such as FN31pr
    #[arg(long)]
    grid: Option<Grid>,
    /// Make a new key and a certificate for it
    #[arg(long, group = "key")]
    new: bool,
    /// Use the key in this .p12 file
    #[arg(long, group = "key", value_name = "FILE")]
    p12: Option<PathBuf>,
    /// Where the new key goes [default: CALLSIGN.p12 in this folder]
    #[arg(long, requires = "new", value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    password: Password,
    /// The server, when it is not on this machine
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The claim code the server printed when it started
    #[arg(
        long,
        env = "HAM_SERVER_CLAIM_CODE",
        value_name = "CODE",
        hide_env_values = true
    )]
    code: Option<String>,
    /// Keep the server to its own machine for now
    #[arg(long)]
    keep_closed: bool,
}

pub(super) fn claim(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let client = match &arguments.url {
        Some(url) => Client::remote(url),
        None => Client::local(config)?,
    };
    let random = SystemRandom::new();
    let offer = client.get("/api/claim-station")?.success()?;
    if offer["state"] != "unclaimed" {
        bail!("{} has an owner already", client.url());
    }
    let server_key = PublicKey::from_pem(offer["publicKey"].as_str().unwrap_or_default())
        .context("the server shows no key of its own")?;
    let code = claim_code(arguments, &offer)?;
    if let Some(code) = &code {
        check_server(code, &offer, &server_key)?;
    }
    let file = operator(arguments, &random)?;
    let owner = file
        .certificates
        .first()
        .context("the .p12 file holds no certificate")?;
    let issuer = Issuer {
        certificate: owner,
        key: &file.key,
    };
    let server = issue::server_certificate(issuer, &server_key, SystemTime::now(), &random)?;
    let mut request = json!({
        "certificate": owner.to_pem(),
        "chain": file.certificates.iter().skip(1).map(Certificate::to_pem).collect::<Vec<_>>(),
        "serverCertificate": server.to_pem(),
        "station": {
            "callsign": arguments.callsign,
            "metadata": {
                "name": arguments.name,
                "grid": arguments.grid,
                "licenseClass": arguments.class,
            },
        },
        "openToNetwork": !arguments.keep_closed,
    });
    if let Some(code) = &code {
        let nonce = offer["nonce"].as_str().unwrap_or_default();
        let statement = Statement::claim(
            nonce,
            server_key.key_id(),
            owner.key_id(),
            &arguments.callsign,
        )?;
        request["nonce"] = nonce.into();
        request["claimProof"] = code.hmac(&statement).into();
    }
    client.post("/api/claim-station", &request)?.success()?;
    println!("{} is {}'s now.", client.url(), arguments.callsign);
    println!("Its fingerprint: {}", server.fingerprint());
    Ok(())
}

fn claim_code(arguments: &Arguments, offer: &Value) -> anyhow::Result<Option<Code>> {
    if offer["codeRequired"] == false {
        return Ok(None);
    }
    let typed = match &arguments.code {
        Some(code) => code.clone(),
        None => ask(
            "The claim code that the server printed when it started: ",
            "give it with --code",
        )?,
    };
    Ok(Some(Code::parse(&typed)?))
}

/// Nothing is signed for a server that does not know the code it printed.
fn check_server(code: &Code, offer: &Value, server: &PublicKey) -> anyhow::Result<()> {
    let nonce = offer["nonce"].as_str().unwrap_or_default();
    let proof = offer["offerProof"].as_str().unwrap_or_default();
    let statement = Statement::claim_offer(nonce, server.key_id())?;
    code.verify(&statement, proof).ok().context(
        "this server does not know that claim code: either the code was mistyped, or this is not \
         the server that printed it",
    )
}

fn operator(arguments: &Arguments, random: &SystemRandom) -> anyhow::Result<KeyFile> {
    if let Some(path) = &arguments.p12 {
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let password = arguments.password.ask("Password of the .p12 file: ")?;
        return Ok(p12::read(&bytes, &password, random)?);
    }
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| format!("{}.p12", arguments.callsign.base()).into());
    let password = arguments.password.ask("A password for the new key: ")?;
    if password.is_empty() {
        bail!("the key needs a password: whoever has it can be you");
    }
    let key = SigningKey::generate(random)?;
    let class = arguments.class.as_ref();
    let certificate =
        issue::self_signed_operator(&key, &arguments.callsign, class, SystemTime::now(), random)?;
    let file = p12::write(&key, std::slice::from_ref(&certificate), &password)?;
    save_new(&path, &file)?;
    println!(
        "Your new key is in {}. Keep a copy somewhere safe.",
        path.display()
    );
    Ok(KeyFile {
        key,
        certificates: vec![certificate],
    })
}

/// An existing key is never overwritten.
fn save_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| {
        format!(
            "{} cannot be made; name another file with --out",
            path.display()
        )
    })?;
    file.write_all(bytes).and_then(|()| file.sync_all())?;
    Ok(())
}

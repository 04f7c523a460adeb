//! `ham-server reset`: releases the server from its owner.

use anyhow::bail;
use clap::Args;
use ring::rand::SystemRandom;

use super::words::ask;
use crate::config::Config;
use crate::listen::BROWSER_CA_FILES;
use crate::runtime::Ownership;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The owner's callsign, as confirmation; without it you are asked
    #[arg(long, value_name = "CALLSIGN")]
    confirm: Option<String>,
}

pub(super) fn reset(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    // Opened for the owner's name, and closed again before it is changed. A running server holds
    // the database, so this fails while one does.
    let owner = Ownership::open(&config.data_dir, &config.cert_dir, &SystemRandom::new())
        .map(|ownership| ownership.callsign());
    let owner = match owner {
        Ok(owner) => owner,
        // What cannot be used is just what a reset is for; only a running server stands in its way.
        Err(crate::runtime::OwnershipError::Store {
            source: store::StoreError::InUse,
            ..
        }) => {
            bail!("the server is running; stop it first (Ctrl-C, or systemctl stop), then reset it")
        }
        Err(error) => {
            eprintln!("{:#}", anyhow::Error::from(error));
            None
        }
    };
    if let Some(owner) = owner {
        println!("This server is {owner}'s. A reset forgets the owner, every certificate and the");
        println!("server's own key. Codes and links that were shared stop working.");
        let confirmed = match &arguments.confirm {
            Some(typed) => typed.clone(),
            None => ask(
                &format!("Type {owner} to go on: "),
                "confirm with --confirm CALLSIGN",
            )?,
        };
        if !confirmed.trim().eq_ignore_ascii_case(owner.as_str()) {
            bail!(
                "not reset: {:?} is not the owner's callsign",
                confirmed.trim()
            );
        }
    }
    Ownership::reset(&config.data_dir, &config.cert_dir, &BROWSER_CA_FILES)?;
    println!("This server has no owner now. The next start prints a new claim code.");
    Ok(())
}

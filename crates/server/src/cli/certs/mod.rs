//! `ham-server certs`: whom this machine's server trusts, why, and the owner's decisions.

mod advice;
mod check_log;
mod decide;
mod distrust;
mod issue;
mod show;
mod take;
mod trust;
mod who;

pub(super) use issue::Method;

use clap::Subcommand;

use super::client::Client;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the certificates that this server knows
    List(show::List),
    /// Show one certificate
    Show(show::Show),
    /// Say why a certificate is trusted, or why not
    Explain(show::Show),
    /// Bring a certificate in a PEM or DER file, perhaps with those above it
    Add(take::Add),
    /// Issue a certificate to somebody whose licence you saw
    Issue(issue::Issue),
    /// List everything that this server issued, or write it to a file
    Log(issue::Log),
    /// Check a log that some server wrote, without that server
    CheckLog(check_log::CheckLog),
    /// Write a certificate with those above it as PEM
    Export(take::Export),
    /// Distrust a certificate, its key, or its key and everybody below; or take that back
    Blacklist(distrust::Blacklist),
    /// Say whether other servers are told your blacklist, or tell them from now on or no more
    PublishBlacklist(advice::Publish),
    /// List whom other owners distrust, or stop showing one of those words; none is ever applied by itself
    Advice(advice::Advice),
    /// List keys that wait for your decision, or let one of them count
    Decide(decide::Decide),
    /// Withdraw or revoke a certificate for good, with the key that may
    Revoke(distrust::Revoke),
    /// List trust anchors and licence roots; accept them out of a file, or take one away
    Trust(trust::Trust),
    /// Let so many certificates stand below somebody's key
    Cap(trust::Cap),
}

pub(super) fn certs(config: &Config, command: &Command) -> anyhow::Result<()> {
    if let Command::CheckLog(arguments) = command {
        return check_log::check_log(arguments);
    }
    let client = Client::local(config)?;
    match command {
        Command::List(arguments) => show::list(&client, arguments),
        Command::Show(arguments) => show::show(&client, arguments),
        Command::Explain(arguments) => show::explain(&client, arguments),
        Command::Add(arguments) => take::add(config, &client, arguments),
        Command::Issue(arguments) => issue::issue(config, &client, arguments),
        Command::Log(arguments) => issue::log(&client, arguments),
        Command::CheckLog(arguments) => check_log::check_log(arguments),
        Command::Export(arguments) => take::export(&client, arguments),
        Command::Blacklist(arguments) => distrust::blacklist(config, &client, arguments),
        Command::PublishBlacklist(arguments) => advice::publish(config, &client, arguments),
        Command::Advice(arguments) => advice::advice(config, &client, arguments),
        Command::Decide(arguments) => decide::decide(config, &client, arguments),
        Command::Revoke(arguments) => distrust::revoke(&client, arguments),
        Command::Trust(arguments) => trust::trust(config, &client, arguments),
        Command::Cap(arguments) => trust::cap(config, &client, arguments),
    }
}

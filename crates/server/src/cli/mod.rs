//! The command line: what a person types, and what they read.

mod announce;
mod aredn;
mod certs;
mod claim;
mod client;
mod code;
mod completions;
mod network;
mod password;
mod peers;
mod qr;
mod requests;
mod reset;
mod run;
mod status;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Options};

/// A radio amateur's own meeting point: signaling, certificates and the web app, without internet.
#[derive(Debug, Parser)]
#[command(name = "ham-server", version = crate::VERSION, about, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve, until Ctrl-C (this is what happens without a command)
    Run,
    /// Show the state of the server that runs on this machine
    Status(status::Arguments),
    /// Claim a server that has no owner yet
    Claim(claim::Arguments),
    /// Let people on the network join the server that runs on this machine
    Open,
    /// Keep the server that runs on this machine to its own machine
    Close,
    /// Let guests call each other, or no longer, at the server that runs on this machine
    GuestCalls(network::GuestCalls),
    /// Release the server from its owner, on its own machine and while it is stopped
    Reset(reset::Arguments),
    /// Whom the server that runs on this machine trusts, why, and your decisions about it
    #[command(subcommand)]
    Certs(certs::Command),
    /// Make a one-time code by which somebody whose licence you saw gets a certificate
    Code(code::Arguments),
    /// Who waits for your decision about a certificate
    #[command(subcommand)]
    Requests(requests::Command),
    /// The other servers this one coordinates with, and your decisions about them
    #[command(subcommand)]
    Peers(peers::Command),
    /// Show the QR code by which others join
    Qr(qr::Arguments),
    /// Show what to enter at an AREDN node, or read the servers in a node's list
    Aredn(aredn::Arguments),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
}

/// Runs the program. Exit codes: 0 done, 1 failed, 2 wrong usage.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence: what failed, and the causes behind it.
            eprintln!("ham-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<()> {
    let config = || Config::resolve(cli.options);
    match cli.command.unwrap_or(Command::Run) {
        Command::Run => run::run(&config()?),
        Command::Status(arguments) => status::status(&config()?, &arguments),
        Command::Claim(arguments) => claim::claim(&config()?, &arguments),
        Command::Open => network::set_open(&config()?, true),
        Command::Close => network::set_open(&config()?, false),
        Command::GuestCalls(arguments) => network::set_guest_calls(&config()?, &arguments),
        Command::Reset(arguments) => reset::reset(&config()?, &arguments),
        Command::Certs(command) => certs::certs(&config()?, &command),
        Command::Code(arguments) => code::code(&config()?, &arguments),
        Command::Requests(command) => requests::requests(&config()?, &command),
        Command::Peers(command) => peers::peers(&config()?, &command),
        Command::Qr(arguments) => qr::qr(&config()?, &arguments),
        Command::Aredn(arguments) => aredn::aredn(&config()?, &arguments),
        Command::Completions(arguments) => {
            completions::completions(&arguments);
            Ok(())
        }
    }
}

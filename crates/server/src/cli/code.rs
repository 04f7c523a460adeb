//! `ham-server code`: one-time codes by which one person each gets a certificate.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use station::{Callsign, LicenceClass};

use super::client::Client;
use super::words::{ago, print_table, text};
use crate::config::Config;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    /// Whom the certificate will be for: the callsign on the licence that you saw
    #[arg(long, value_name = "CALLSIGN")]
    callsign: Option<Callsign>,
    /// The class on it
    #[arg(long, value_name = "CLASS", requires = "callsign")]
    class: Option<LicenceClass>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the codes that nobody has used
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a code worthless
    Remove {
        /// Its id, or the callsign it is for
        which: String,
    },
}

pub(super) fn code(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let client = Client::local(config)?;
    match &arguments.command {
        Some(Command::List { json }) => list(config, &client, *json),
        Some(Command::Remove { which }) => remove(config, &client, which),
        None => make(config, &client, arguments),
    }
}

fn make(config: &Config, client: &Client, arguments: &Arguments) -> anyhow::Result<()> {
    let Some(callsign) = &arguments.callsign else {
        bail!(
            "whom is the code for? Name the callsign on the licence that you saw with --callsign"
        );
    };
    let body = json!({ "callsign": callsign, "licenseClass": arguments.class });
    let made = client
        .post_as_admin(config, "/api/codes", &body)?
        .success()?;
    if arguments.json {
        println!("{made:#}");
        return Ok(());
    }
    println!("{}", text(&made, "code"));
    println!();
    println!("Give it to {callsign}, and to nobody else: it makes one certificate, once.");
    println!("It is not shown again. ham-server code remove {callsign} takes it back.");
    Ok(())
}

fn list(config: &Config, client: &Client, as_json: bool) -> anyhow::Result<()> {
    let listed = client.get_as_admin(config, "/api/codes")?.success()?;
    if as_json {
        println!("{listed:#}");
        return Ok(());
    }
    let codes = listed["codes"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = codes
        .map(|code| {
            vec![
                text(code, "callsign").to_owned(),
                text(code, "licenseClass").to_owned(),
                ago(&code["createdAt"]),
                text(code, "id").to_owned(),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("No code is open.");
    }
    print_table(&rows);
    Ok(())
}

fn remove(config: &Config, client: &Client, which: &str) -> anyhow::Result<()> {
    let listed = client.get_as_admin(config, "/api/codes")?.success()?;
    let codes = listed["codes"].as_array().into_iter().flatten();
    let fits = |code: &&Value| {
        text(code, "id") == which || text(code, "callsign").eq_ignore_ascii_case(which)
    };
    let fitting: Vec<&Value> = codes.filter(fits).collect();
    let [code] = fitting[..] else {
        bail!("{which} names no one open code; ham-server code list shows their ids");
    };
    let path = format!("/api/codes/{}", text(code, "id"));
    client.delete_as_admin(config, &path)?.success()?;
    println!("The code for {} is worthless now.", text(code, "callsign"));
    Ok(())
}

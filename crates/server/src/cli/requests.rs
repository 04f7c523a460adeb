//! `ham-server requests`: who waits for the owner to decide about a certificate.

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};
use station::LicenceClass;

use super::certs::Method;
use super::client::Client;
use super::words::{ago, in_groups, text};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the requests that wait
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Issue the certificate: you saw the licence
    Approve {
        /// The request's id, or the callsign it is for
        which: String,
        /// How you saw the licence, where it is not as the request says
        #[arg(long, value_enum)]
        method: Option<Method>,
        /// The class on it, where it is not as the request says
        #[arg(long, value_name = "CLASS")]
        class: Option<LicenceClass>,
    },
    /// Refuse
    Refuse {
        /// The request's id, or the callsign it is for
        which: String,
        /// Why, for the applicant to read
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(super) fn requests(config: &Config, command: &Command) -> anyhow::Result<()> {
    let client = Client::local(config)?;
    let listed = client.get_as_admin(config, "/api/requests")?.success()?;
    match command {
        Command::List { json: true } => println!("{listed:#}"),
        Command::List { json: false } => print(&listed),
        Command::Approve {
            which,
            method,
            class,
        } => {
            let request = find(&listed, which)?;
            let path = format!("/api/requests/{}/approve", text(request, "id"));
            let method = method.map(Method::as_str);
            let body = json!({ "method": method, "licenseClass": class });
            client.post_as_admin(config, &path, &body)?.success()?;
            let callsign = text(request, "callsign");
            println!("{callsign} has a certificate now, and finds it where they asked.");
        }
        Command::Refuse { which, reason } => {
            let request = find(&listed, which)?;
            let path = format!("/api/requests/{}/refuse", text(request, "id"));
            let body = json!({ "reason": reason });
            client.post_as_admin(config, &path, &body)?.success()?;
            println!("{} reads why you refused.", text(request, "callsign"));
        }
    }
    Ok(())
}

fn print(listed: &Value) {
    let requests = listed["requests"].as_array();
    if requests.is_none_or(Vec::is_empty) {
        println!("Nobody waits for you.");
    }
    for request in requests.into_iter().flatten() {
        let class = request["licenseClass"].as_str();
        let class = class.map_or_else(String::new, |class| format!(", {class}"));
        println!(
            "{}{class}  {}  {}",
            text(request, "callsign"),
            text(request, "method"),
            ago(&request["createdAt"])
        );
        println!("  Why it waits  {}", text(request, "why"));
        if let Some(note) = request["note"].as_str() {
            println!(
                "  They write    {}",
                note.replace('\n', "\n                ")
            );
        }
        println!("  Their key     {}", in_groups(text(request, "keyId")));
        println!("  Id            {}", text(request, "id"));
    }
}

/// The one request that a person names.
fn find<'a>(listed: &'a Value, which: &str) -> anyhow::Result<&'a Value> {
    let requests = listed["requests"].as_array().into_iter().flatten();
    let fits = |request: &&Value| {
        text(request, "id") == which || text(request, "callsign").eq_ignore_ascii_case(which)
    };
    let fitting: Vec<&Value> = requests.filter(fits).collect();
    match fitting[..] {
        [one] => Ok(one),
        _ => bail!(
            "{which} names no one request that waits; ham-server requests list shows their ids"
        ),
    }
}

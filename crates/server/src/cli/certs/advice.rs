//! Blacklists between owners: publishing this one, and reading what others advise.

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::cli::client::Client;
use crate::cli::words::text;
use crate::config::Config;

#[derive(Debug, Args)]
pub(in crate::cli) struct Publish {
    /// on: everybody who links to this server is told whom you distrust and why. off: they are told that it counts no more.
    /// Without it, says what holds
    switch: Option<Switch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Advice {
    /// Do not show this one again: its id, or at least 8 digits of it
    #[arg(long, value_name = "ID", conflicts_with = "json")]
    dismiss: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn publish(config: &Config, client: &Client, arguments: &Publish) -> anyhow::Result<()> {
    let published = match arguments.switch {
        None => client.get_as_admin(config, "/api/blacklist")?.success()?["published"] == true,
        Some(switch) => {
            let body = json!({ "published": switch == Switch::On });
            let answer = client.post_as_admin(config, "/api/blacklist", &body)?;
            answer.success()?["published"] == true
        }
    };
    let what = if published {
        "Other servers are told your blacklist, with your reasons. They decide for themselves."
    } else {
        "Your blacklist stays on this server."
    };
    println!("{what}");
    Ok(())
}

pub(super) fn advice(config: &Config, client: &Client, arguments: &Advice) -> anyhow::Result<()> {
    let listed = client
        .get_as_admin(config, "/api/blacklist/advice")?
        .success()?;
    if let Some(named) = &arguments.dismiss {
        let one = find(&listed, named)?;
        let path = format!("/api/blacklist/advice/{}", text(&one, "id"));
        client.delete_as_admin(config, &path)?.success()?;
        println!("Not shown again: {}", sentence(&one));
        return Ok(());
    }
    if arguments.json {
        println!("{listed:#}");
        return Ok(());
    }
    let mut undecided = false;
    for one in all(&listed) {
        println!("{}", sentence(one));
        let id: String = text(one, "id").chars().take(SHORT).collect();
        match (&one["fingerprint"], one["own"] == true) {
            (_, true) => println!("  It is about your own key, or this server's.  id {id}"),
            (Value::String(fingerprint), _) => {
                undecided = true;
                println!("  certificate {fingerprint}  id {id}");
            }
            _ => println!("  Nobody here ever saw that certificate.  id {id}"),
        }
    }
    match &listed["leftOut"] {
        left_out if *left_out == 0 => {}
        left_out => println!("{left_out} more are not kept: their lists are too long."),
    }
    if all(&listed).next().is_none() {
        println!("No other owner advises you to distrust anybody.");
    }
    if undecided {
        println!();
        println!(
            "Nothing of it counts here until you decide so: ham-server certs blacklist shows what that would change."
        );
    }
    Ok(())
}

/// Who says what of whom, and why.
fn sentence(advice: &Value) -> String {
    let by = &advice["by"];
    let name = by["callsign"].as_str().unwrap_or("Somebody");
    let worth = match (by["verified"] == true, by["server"].is_null()) {
        (true, _) => "",
        (false, false) => " (nobody you trust vouches for that server)",
        (false, true) => " (unproven)",
    };
    let whom = advice["callsign"].as_str().unwrap_or("somebody");
    let scope = match text(advice, "scope") {
        "key" => ", with every certificate of the key",
        "subtree" => ", with everybody below",
        _ => "",
    };
    let reason = match text(advice, "reason") {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{name}{worth} distrusts {whom}{scope}{reason}")
}

/// The one piece of advice that a person means.
fn find(listed: &Value, named: &str) -> anyhow::Result<Value> {
    let fits = |one: &&Value| named.len() >= 8 && text(one, "id").starts_with(named);
    let fitting: Vec<&Value> = all(listed).filter(fits).collect();
    let [one] = fitting[..] else {
        bail!("{named} names no one piece of advice; ham-server certs advice shows their ids");
    };
    Ok(one.clone())
}

fn all(listed: &Value) -> impl Iterator<Item = &Value> {
    listed["advice"].as_array().into_iter().flatten()
}

/// Digits of an id in a list.
const SHORT: usize = 16;

//! Naming a certificate: by its fingerprint, by the beginning of it, or by a callsign.

use anyhow::bail;
use serde_json::Value;
use station::Callsign;

use crate::cli::client::Client;
use crate::cli::words::{short, text};

/// Fewest digits of the beginning of a fingerprint.
const FEWEST_DIGITS: usize = 8;

/// The certificate that a person names, as the server lists it. A callsign means the person's
/// certificate, and the trusted one where there is one; blanks and colons in a fingerprint do not
/// matter.
pub(super) fn find(client: &Client, who: &str) -> anyhow::Result<Value> {
    let digits: String = who
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, ':' | '-'))
        .collect::<String>()
        .to_ascii_lowercase();
    let hex = digits.chars().all(|digit| digit.is_ascii_hexdigit());
    if hex && digits.len() == 64 {
        return client
            .get(&format!("/api/certificates/{digits}"))?
            .success();
    }
    if let Ok(callsign) = Callsign::parse(who) {
        let theirs = by_callsign(client, &callsign)?;
        if let Some(found) = only(theirs, who)? {
            return Ok(found);
        }
    }
    if hex && (FEWEST_DIGITS..64).contains(&digits.len()) {
        let all = client.get_all("/api/certificates?limit=500", None)?;
        let begins = |one: &Value| text(one, "fingerprint").starts_with(&digits);
        if let Some(found) = only(all.into_iter().filter(begins).collect(), who)? {
            return Ok(found);
        }
    }
    bail!(
        "this server knows no certificate of {who}; name a callsign, a fingerprint, or at least \
         {FEWEST_DIGITS} digits of one (ham-server certs list shows them)"
    )
}

fn by_callsign(client: &Client, callsign: &Callsign) -> anyhow::Result<Vec<Value>> {
    let path = format!("/api/certificates?limit=500&callsign={callsign}");
    let mut theirs = client.get_all(&path, None)?;
    theirs.retain(|one| one["server"] == false);
    if theirs.iter().any(|one| one["status"] == "trusted") {
        theirs.retain(|one| one["status"] == "trusted");
    }
    Ok(theirs)
}

/// The one that was found, if it is one.
fn only(mut found: Vec<Value>, who: &str) -> anyhow::Result<Option<Value>> {
    if found.len() > 1 {
        let list: Vec<String> = found
            .iter()
            .map(|one| {
                let status = text(one, "status");
                format!("  {}  {status}", short(&one["fingerprint"]))
            })
            .collect();
        bail!(
            "several certificates fit {who}; name one by its fingerprint:\n{}",
            list.join("\n")
        );
    }
    Ok(found.pop())
}

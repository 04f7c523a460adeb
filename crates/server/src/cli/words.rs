//! How commands show things to people, and ask them.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// A fingerprint as two people read it to each other.
pub(super) fn in_groups(fingerprint: &str) -> String {
    let (mut groups, mut rest) = (Vec::new(), fingerprint);
    while let Some((group, tail)) = rest.split_at_checked(4) {
        groups.push(group);
        rest = tail;
    }
    groups.join(" ")
}

/// The beginning of a fingerprint: enough to tell certificates apart and to name one.
pub(super) fn short(fingerprint: &Value) -> String {
    let fingerprint = fingerprint.as_str().unwrap_or_default();
    in_groups(fingerprint.get(..16).unwrap_or(fingerprint))
}

/// A member that is a text; nothing for null.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Prints rows with their columns below each other.
pub(super) fn print_table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        let line: Vec<String> = cells.collect();
        println!("{}", line.join("  ").trim_end());
    }
}

/// What the person types. Where nobody can, `instead` says what to do.
pub(super) fn ask(question: &str, instead: &str) -> anyhow::Result<String> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        bail!("nobody can be asked here: {instead}");
    }
    print!("{question}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    input
        .lock()
        .read_line(&mut line)
        .context("no answer could be read")?;
    Ok(line)
}

/// Goes on only when the person types the expected word. `flag` confirms without asking.
pub(super) fn confirm(question: &str, expected: &str, flag: &str) -> anyhow::Result<()> {
    let instead = format!("confirm with {flag}");
    let line = ask(&format!("{question} Type {expected} to go on: "), &instead)?;
    if !line.trim().eq_ignore_ascii_case(expected) {
        bail!("nothing was done: {:?} is not {expected}", line.trim());
    }
    Ok(())
}

/// How long ago a time in seconds since 1970 was, by this machine's clock.
pub(super) fn ago(seconds: &Value) -> String {
    let then = UNIX_EPOCH + Duration::from_secs(seconds.as_u64().unwrap_or(0));
    let Ok(since) = SystemTime::now().duration_since(then) else {
        return "just now".to_owned();
    };
    let minutes = since.as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1..120 => format!("{minutes} min ago"),
        120..2880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}

/// One or many, in words.
pub(super) fn count(number: &Value, one: &str, many: &str) -> String {
    match number.as_u64() {
        Some(1) => format!("1 {one}"),
        number => format!("{} {many}", number.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_come_in_groups_of_four() {
        assert_eq!(in_groups("0123456789ab"), "0123 4567 89ab");
    }
}

//! What was measured, as a page for people.

use std::fmt::Write as _;

use crate::dialect::Dialect;
use crate::measure::growth::{BETWEEN, LATE};
use crate::measure::idle::SIZES;
use crate::measure::storm::CROWD;
use crate::measure::throughput::UNDER_WAY;
use crate::results::Results;

const HEAD: &str = "\
# Signaling under load

![Messages a CPU second and memory, beside others](signaling.svg)

Written by `cargo xtask bench signaling`: release builds on loopback, in a network of its own whose TCP is `reno`, each server
alone on one core, the generator on another, in turn in the same run. What they stand beside is a bare relay on the same library (axum):
it looks names up and passes frames on as they are, without JSON, without checks, with 4 KiB read buffers
(`crates/bench/src/bin/bare-relay.rs`). By itself it sends each frame as everybody writes it with axum, and so
flushes each; the one that batches has one flush for everything that waits, and is the limit of what the library
can do. One machine plays the whole crowd, so our limits are raised by `--limit` (`crates/bench/src/signaling/server.rs`); they are
counted all the same.
The clients are guests whom the owner lets call each other.
";

/// The whole page, in Markdown.
pub(crate) fn page(results: &Results) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "\nMeasured on {}.", results.machine);
    for dialect in &results.not_run {
        let _ = writeln!(
            page,
            "\n{dialect} was not run: it could not be installed here."
        );
    }
    throughput(&mut page, results);
    latency(&mut page, results);
    memory(&mut page, results);
    storm(&mut page, results);
    growth(&mut page, results);
    flood(&mut page, results);
    page
}

fn throughput(page: &mut String, results: &Results) {
    if results.throughput.is_empty() {
        return;
    }
    page.push_str(
        "\n## Messages in a second of the server's processor\n\n\
         Fifty pairs send offers of 600 bytes to and fro; each pair has one under way, or sixteen. The median of \
         sixty turns of a tenth of a second, which the servers take one after the other. The generator never sleeps, so that no server pays for waking it. Ratios are to the bare relay, \
         and to the one that batches.\n\n\
         | | one under way | bare | batching | sixteen under way | bare | batching |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for (dialect, seen) in &results.throughput {
        let _ = write!(page, "| {dialect} |");
        for under_way in UNDER_WAY {
            match seen.get(&under_way) {
                Some(one) => {
                    let _ = write!(page, " {} |", thousands(one.per_cpu_second));
                    for beside in [Dialect::Bare, Dialect::Batching] {
                        match results.ratio(*dialect, beside, under_way) {
                            Some(ratio) => drop(write!(page, " {ratio:.2} |")),
                            None => page.push_str(" |"),
                        }
                    }
                }
                None => page.push_str(" | | |"),
            }
        }
        page.push('\n');
    }
    page.push_str("\nAimed at: 0.8 of the bare relay with one under way, 0.7 with sixteen.\n");
}

fn latency(page: &mut String, results: &Results) {
    if results.latency.is_empty() {
        return;
    }
    page.push_str(
        "\n## Latency at half load\n\n\
         Milliseconds from sending to arrival, sent at a fixed rate whatever became of those before: half of what \
         each relays itself with one message under way, and half of what the slowest relays.\n\n\
         | | rate | p50 | p99 | max | at the same rate for all: rate | p50 | p99 | max |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (dialect, half) in &results.latency {
        let _ = write!(page, "| {dialect} |");
        for seen in [half.own, half.common] {
            let _ = write!(
                page,
                " {} | {:.2} | {:.2} | {:.2} |",
                thousands(seen.rate),
                seen.p50,
                seen.p99,
                seen.max
            );
        }
        page.push('\n');
    }
    page.push_str("\nAimed at: p99 under 5 ms.\n");
}

fn memory(page: &mut String, results: &Results) {
    if results.idle.is_empty() {
        return;
    }
    page.push_str(
        "\n## Memory of an idle client\n\n\
         Resident memory over that of the server without clients, for each client, in KiB. Twenty share a net (or a \
         room); they are registered, silent, and answer pings.\n\n| |",
    );
    for size in SIZES {
        let _ = write!(page, " {} clients |", thousands(count(size)));
    }
    page.push_str("\n|---|---:|---:|---:|\n");
    for (dialect, seen) in &results.idle {
        let _ = write!(page, "| {dialect} |");
        for one in seen {
            let _ = write!(page, " {:.1} |", in_kib(one.each));
        }
        page.push('\n');
    }
    page.push_str("\nAimed at: not above the bare relay at 5,000 and 10,000.\n");
}

fn storm(page: &mut String, results: &Results) {
    if results.storm.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "\n## {} people come into one net at once\n\n\
         Seconds of the server's processor. Ours tells opening the sockets from joining; with the others who connects \
         is in. PeerServer and the bare relay tell nobody of anybody: theirs is the cost of connecting. Each came five times into \
         a fresh server, in turn; the run in the middle is shown.\n\n\
         | | connecting | joining | together | sent | presence |\n|---|---:|---:|---:|---:|---|\n",
        thousands(count(CROWD)),
    );
    for (dialect, seen) in &results.storm {
        let separate = |seconds: f64| {
            if *dialect == Dialect::HamServer {
                format!("{seconds:.3}")
            } else {
                String::new()
            }
        };
        let _ = writeln!(
            page,
            "| {dialect} | {} | {} | {:.3} | {:.1} MB | {} |",
            separate(seen.connecting),
            separate(seen.joining),
            seen.connecting + seen.joining,
            seen.megabytes,
            if dialect.has_presence() { "yes" } else { "no" },
        );
    }
    if let Some((cpu, megabytes)) = results
        .storm
        .get(&Dialect::HamServer)
        .and_then(|seen| seen.reading)
    {
        let _ = writeln!(
            page,
            "\nIn such a crowd ours names a few of those who came and says that there are more. When every client then \
             reads the whole list, which the app does within ten seconds, that is {cpu:.2} s and {megabytes:.0} MB on top."
        );
    }
    page.push_str("\nAimed at: joining under 0.1 s.\n");
}

fn growth(page: &mut String, results: &Results) {
    if results.growth.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "\n## A net that grows\n\n\
         What it costs ham-server that somebody comes into a net, for each who comes: microseconds of its processor, and \
         bytes sent to all together. First everybody comes as fast as the server takes them (with opening the sockets); then \
         {LATE} more, one every {} ms, whose sockets are open and for whom the cost of pinging the crowd is taken off.\n\n\
         | people in the net | together: µs | bytes | one after another: µs | bytes |\n|---:|---:|---:|---:|---:|\n",
        BETWEEN.as_millis(),
    );
    for seen in &results.growth {
        let _ = writeln!(
            page,
            "| {} | {:.0} | {} | {:.0} | {} |",
            thousands(count(seen.people)),
            seen.together.microseconds,
            thousands(seen.together.bytes),
            seen.late.microseconds,
            thousands(seen.late.bytes),
        );
    }
    page.push_str(
        "\nAimed at: what somebody costs who comes with a crowd does not rise with the crowd. Who comes later is told to every \
         member, together with all who came meanwhile; that rises with the net, but a net's members are told at most 20,000 \
         names a second all together.\n",
    );
}

fn flood(page: &mut String, results: &Results) {
    if results.flood.is_empty() {
        return;
    }
    page.push_str(
        "\n## One client floods\n\n\
         Milliseconds that offers of forty other pairs take, 120 offers a second, before and while one client sends \
         offers as fast as it can.\n\n\
         | | p50 before | p99 before | p50 during | p99 during | max during |\n|---|---:|---:|---:|---:|---:|\n",
    );
    let limited = results
        .limited
        .map(|seen| ("ham-server, with its limits".to_owned(), seen));
    let all = results.flood.iter().map(|(dialect, seen)| {
        let what = if *dialect == Dialect::HamServer {
            format!("{dialect}, limits raised: everything is passed on")
        } else {
            dialect.to_string()
        };
        (what, *seen)
    });
    for (what, seen) in all.chain(limited) {
        let _ = writeln!(
            page,
            "| {what} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
            seen.before.p50, seen.before.p99, seen.during.p50, seen.during.p99, seen.during.max
        );
    }
    page.push_str("\nAimed at: p99 not above 10 ms.\n");
}

impl Results {
    /// Messages a CPU second, as a part of what another server reaches.
    pub(crate) fn ratio(&self, dialect: Dialect, beside: Dialect, under_way: usize) -> Option<f64> {
        let of = |dialect| {
            let seen = self.throughput.get(&dialect)?.get(&under_way)?;
            Some(seen.per_cpu_second)
        };
        Some(of(dialect)? / of(beside)?)
    }
}

pub(crate) fn in_kib(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1024.0
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// A whole number with commas.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(999.0), "999");
    }

    #[test]
    fn what_was_not_measured_is_not_on_the_page() {
        let results = Results {
            not_run: vec![Dialect::Matchbox],
            ..Results::default()
        };
        let page = page(&results);
        assert!(page.contains("matchbox_server was not run"));
        assert!(!page.contains("## "));
    }
}

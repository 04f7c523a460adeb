//! What was measured, as a page for people.

use std::fmt::Write as _;

use crate::results::Results;
use crate::trial::{Seen, Spread, Times, as_f64};

const HEAD: &str = "\
# What coordination costs

Written by `cargo xtask bench coordination`.
";

const PROCESSES: &str = "
## Between real processes

Release builds, each in a network namespace of its own with a cable to a bridge, all on one machine. At each server
somebody is logged in over a WebSocket, who shows whom that server shows: nothing is asked, everything is told. All know
all when every server shows exactly those who are at the others at that moment, and nobody who was there before. *In a line*: the
outer two are on different networks and have no link. *Mesh*: each is named three others, so that the net has that many
links; mDNS is off. Links are TLS. Data folders are in memory,
for all would wait for one disk otherwise. Times are median / max.
";

/// The whole page, in Markdown.
pub(crate) fn page(results: &Results) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "\nMeasured on {}.", results.machine);
    if !results.ours.is_empty() {
        page.push_str(PROCESSES);
        let columns: Vec<(String, &Seen)> = results
            .ours
            .iter()
            .map(|(size, seen)| {
                let shape = if *size == 3 { "in a line" } else { "mesh" };
                (format!("{size}, {shape}"), seen)
            })
            .collect();
        table(&mut page, &columns);
    }
    lan(&mut page, results);
    slow(&mut page, results);
    zenoh(&mut page, results);
    if !results.simulation.is_empty() {
        page.push_str(
            "\n## In the simulation\n\n\
             Real nodes, frames as on the wire, time that does not pass by itself. Bytes are of frames, without what \
             WebSocket, TLS, TCP and IP add. Computing is of one core and counts only this process; signatures are hashes \
             there, so a real server has its own besides (about 50 µs each).\n\n",
        );
        page.push_str(results.simulation.trim());
        page.push_str(
            "\n\nWhat grows faster than the net: every server asks every other once whether it lives, through the servers \
             in between. At 500 servers (`cargo xtask simulate`) that is half of all frames.\n",
        );
    }
    page
}

/// One column for each net.
fn table(page: &mut String, columns: &[(String, &Seen)]) {
    let row = |page: &mut String, what: &str, aim: &str, cell: &dyn Fn(&Seen) -> String| {
        let _ = write!(page, "| {what} |");
        for (_, seen) in columns {
            let _ = write!(page, " {} |", cell(seen));
        }
        let _ = writeln!(page, " {aim} |");
    };
    page.push_str("\n| |");
    for (name, _) in columns {
        let _ = write!(page, " {name} |");
    }
    page.push_str(" aimed at |\n|---|");
    page.push_str(&"---:|".repeat(columns.len()));
    page.push_str("---|\n");
    row(page, "links", "", &|seen| seen.links.to_string());
    row(
        page,
        "started for the first time, all know all after",
        "",
        &|seen| seconds(&vec![seen.cold]),
    );
    row(page, "of a processor for that, each server", "", &|seen| {
        format!("{:.0} ms", seen.cold_processor)
    });
    row(
        page,
        "somebody comes, shown everywhere after",
        "100 ms / 1 s",
        &|seen| delay(seen.came),
    );
    row(
        page,
        "somebody goes, shown nowhere after",
        "100 ms / 1 s",
        &|seen| delay(seen.went),
    );
    row(
        page,
        "a process dies, noticed everywhere after",
        "0.5 s",
        &|seen| delay(seen.death),
    );
    row(
        page,
        "it is started again, all know all after",
        "5 s",
        &|seen| seconds(&seen.returned),
    );
    row(
        page,
        "a cable is cut, noticed everywhere after",
        "4 s",
        &|seen| delay(seen.cut),
    );
    row(page, "it is mended, all know all after", "", &|seen| {
        seconds(&seen.mended)
    });
    row(
        page,
        "the net parts, each half knows itself only after",
        "",
        &|seen| seconds(&seen.parted),
    );
    row(
        page,
        "and is whole again, all know all after",
        "",
        &|seen| seconds(&seen.merged),
    );
    row(
        page,
        "all killed and started at once, all know all after",
        "always within 5 s",
        &|seen| seconds(&seen.all_at_once),
    );
    row(
        page,
        "each killed and started in turn, after the last",
        "always within 5 s",
        &|seen| seconds(&seen.one_by_one),
    );
    row(
        page,
        "at rest, bytes a second on each link, both ways",
        "",
        &|seen| format!("{:.0}", seen.idle.bytes),
    );
    row(page, "at rest, of a processor, each server", "", &|seen| {
        format!("{:.2} %", seen.idle.processor / 10.0)
    });
    row(page, "resident, median / max", "", &|seen| {
        format!("{:.1} / {:.1} MB", seen.idle.memory[0], seen.idle.memory[1])
    });
}

fn lan(page: &mut String, results: &Results) {
    let Some(found) = &results.lan else { return };
    let _ = write!(
        page,
        "\n## Found on a network\n\n\
         Two servers run and announce themselves by mDNS, a third starts; nobody was named anybody. Milliseconds from the start \
         of its process, {} times.\n\n\
         | | median | max | aimed at |\n|---|---:|---:|---|\n",
        found.listed.of
    );
    for (what, spread, aim) in [
        ("another lists it", found.listed, "1,000"),
        ("it has links to both", found.linked, "1,000"),
        (
            "somebody is logged in there, all know all",
            found.together,
            "",
        ),
    ] {
        let never = never(spread);
        let _ = writeln!(
            page,
            "| {what} | {:.0} | {:.0}{never} | {aim} |",
            spread.median, spread.max
        );
    }
}

fn slow(page: &mut String, results: &Results) {
    if results.slow.is_empty() {
        return;
    }
    page.push_str(
        "\n## Across 9,600 bit/s\n\n\
         Two servers with 10,000 certificates each, across amateur frequencies (nothing encrypted, everything signed), by a \
         cable that carries 9,600 bit/s (`tc tbf`). Bytes are both ways, with everything down to Ethernet. Meanwhile \
         somebody comes and goes at one end all the time: seconds until the other end shows them, median / max. Calls do not cross \
         such links at all; what people there wait for is who is there.\n\n\
         | certificates that differ | both have all after | bytes | somebody comes, meanwhile | when nothing else goes on | the link stood |\n\
         |---|---:|---:|---:|---:|---|\n",
    );
    for seen in results.slow.values() {
        let _ = writeln!(
            page,
            "| {0} and {0} | {1} | {2} | {3} | {4} | {5} |",
            seen.differ,
            seconds(&vec![seen.seconds]),
            seen.bytes,
            delay(seen.meanwhile),
            delay(seen.afterwards),
            if seen.stood { "yes" } else { "no" },
        );
    }
}

fn zenoh(page: &mut String, results: &Results) {
    let Some(zenoh) = &results.zenoh else { return };
    page.push_str(
        "\n## Beside zenoh\n\n\
         The same with routers of zenoh 1.10.2 (`crates/bench/engines`): the same net of links, a liveliness token in the place of \
         somebody and a liveliness subscriber in the place of their list, plain TCP and no signatures. Links are given up \
         after 3.5 s and dialled again after 0.5 to 4 s, as ours are; zenoh's own defaults are slower. What it shows for too long it \
         shows to subscribers that were there: it tells them that somebody went, then once more that they came, and never again that \
         they went. Whoever subscribes anew sees the truth.\n",
    );
    let mut columns = vec![("zenoh".to_owned(), zenoh)];
    if let Some(ours) = results.ours.get(&zenoh.servers) {
        columns.insert(0, ("ham-server".to_owned(), ours));
    }
    table(page, &columns);
    if let Some([nothing, ours, theirs]) = results.binaries {
        let adds = |with: u64| {
            let bytes = usize::try_from(with.saturating_sub(nothing)).unwrap_or(usize::MAX);
            as_f64(bytes) / 1e6
        };
        let _ = writeln!(
            page,
            "\nWhat each adds to a release program that has tokio already: our node {:.2} MB (its WebSockets and TLS are there \
             for browsers anyway), zenoh with nothing but its TCP transport {:.2} MB. The memory of ours is of whole servers, \
             with the web app and all; that of zenoh's routers of nothing else.",
            adds(ours),
            adds(theirs)
        );
    }
    let ours = results.ours.get(&zenoh.servers).is_some_and(complete);
    let reached = match (ours, complete(zenoh)) {
        (true, true) => "both reached here",
        (true, false) => "only ours reached here",
        (false, true) => "only zenoh reached here",
        (false, false) => "neither reached every time here",
    };
    let _ = writeln!(
        page,
        "\nWhat matters most, that everybody is shown and nobody who is gone, whatever is restarted in whatever order, {reached}. Where it \
         is ahead: it tells sooner that somebody came (ours gathers what changes at home for up to 50 ms, and checks every record and login \
         before anybody is shown), and it starts sooner (with ours each server asks each other whether it lives). Both are within what was \
         aimed at. If a net should start sooner: a server could count as there once two of its neighbours, each over a link of its own, name its \
         boot nonce in records of theirs, and be asked only where they disagree."
    );
}

/// Whether everything came about that was waited for.
fn complete(seen: &Seen) -> bool {
    let lists = [
        &seen.returned,
        &seen.mended,
        &seen.parted,
        &seen.merged,
        &seen.all_at_once,
        &seen.one_by_one,
    ];
    lists.into_iter().flatten().all(Option::is_some)
}

fn delay(spread: Spread) -> String {
    let one = |milliseconds: f64| {
        if milliseconds < 1_000.0 {
            format!("{milliseconds:.0} ms")
        } else {
            format!("{:.1} s", milliseconds / 1_000.0)
        }
    };
    let never = never(spread);
    format!("{} / {}{never}", one(spread.median), one(spread.max))
}

fn never(spread: Spread) -> String {
    match spread.never {
        0 => String::new(),
        never => format!(", {never} of {} never", never + spread.of),
    }
}

/// The middle one and the largest of a few, and how many never came about.
fn seconds(times: &Times) -> String {
    let came: Vec<f64> = times.iter().copied().flatten().collect();
    let missing = times.len() - came.len();
    let median = benchmark::figures::median(came.iter().copied());
    let max = came.iter().copied().fold(f64::NAN, f64::max);
    match (came.len(), missing) {
        (0, 0) => "·".to_owned(),
        (0, _) => "never".to_owned(),
        (1, 0) => format!("{max:.1} s"),
        (_, 0) => format!("{median:.1} / {max:.1} s"),
        (_, _) => format!(
            "{median:.1} / {max:.1} s, {missing} of {} never",
            times.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_came_about_is_said() {
        assert_eq!(
            seconds(&vec![Some(1.0), Some(2.0), Some(1.5)]),
            "1.5 / 2.0 s"
        );
        assert_eq!(seconds(&vec![Some(1.0), None]), "1.0 / 1.0 s, 1 of 2 never");
        assert_eq!(seconds(&vec![None]), "never");
        let spread = Spread {
            median: 40.0,
            max: 1_500.0,
            of: 9,
            never: 1,
        };
        assert_eq!(delay(spread), "40 ms / 1.5 s, 1 of 10 never");
    }

    #[test]
    fn what_was_not_measured_is_not_on_the_page() {
        assert!(!page(&Results::default()).contains("## "));
    }
}

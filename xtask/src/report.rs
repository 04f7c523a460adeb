//! How many tests ran: read from what the test programs print, and shown as one table.

use std::fmt;

/// How the tests of a suite ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Counts {
    pub(crate) const PASS: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
    pub(crate) const FAIL: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
    };
    pub(crate) const SKIP: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 1,
    };

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    fn total(self) -> u32 {
        self.passed + self.failed + self.skipped
    }

    /// The verdict over a test program that printed these counts and ended like this. A program
    /// may fail without a failed test (it did not compile), and "nothing failed" means nothing
    /// when nothing ran.
    pub(crate) fn with_exit(self, success: bool) -> Self {
        if (!success && self.failed == 0) || self.total() == 0 {
            self.plus(Self::FAIL)
        } else {
            self
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// Which test program's words to look for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialect {
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; ...`, once for each test binary.
    Cargo,
    /// `Tests  1 failed | 3 passed | 2 skipped (6)`, once.
    Vitest,
    /// `# pass 3` or `ℹ pass 3` and its siblings, once.
    Node,
}

impl Dialect {
    /// Takes in one line of output.
    pub(crate) fn read(self, line: &str, counts: &mut Counts) {
        let line = without_colours(line);
        let line = line.trim();
        match self {
            Self::Cargo => {
                if let Some(rest) = line.strip_prefix("test result:") {
                    *counts = counts.plus(Counts {
                        passed: before(rest, "passed"),
                        failed: before(rest, "failed"),
                        skipped: before(rest, "ignored"),
                    });
                }
            }
            Self::Vitest => {
                if let Some(rest) = line.strip_prefix("Tests ") {
                    *counts = Counts {
                        passed: before(rest, "passed"),
                        failed: before(rest, "failed"),
                        skipped: before(rest, "skipped") + before(rest, "todo"),
                    };
                }
            }
            Self::Node => {
                let words: Vec<&str> = line.split_whitespace().collect();
                let ["#" | "ℹ", what, number] = words[..] else {
                    return;
                };
                let Ok(number) = number.parse::<u32>() else {
                    return;
                };
                // The summary comes in this order, so `fail` starts the sum that `cancelled` ends.
                match what {
                    "pass" => counts.passed = number,
                    "fail" => counts.failed = number,
                    "cancelled" => counts.failed += number,
                    "skipped" => counts.skipped = number,
                    "todo" => counts.skipped += number,
                    _ => {}
                }
            }
        }
    }
}

/// The number that stands before a word: 3 in `1 failed | 3 passed`.
fn before(text: &str, word: &str) -> u32 {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    words
        .windows(2)
        .find(|pair| pair[1] == word)
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((head, tail)) = rest.split_once('\x1b') {
        plain.push_str(head);
        rest = tail.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

/// What became of each suite, in the order they ran.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    suite: &'static str,
    /// None for what is named but does not count.
    counts: Option<Counts>,
    note: String,
}

impl Report {
    pub(crate) fn counted(&mut self, suite: &'static str, counts: Counts, note: String) {
        self.rows.push(Row {
            suite,
            counts: Some(counts),
            note,
        });
    }

    pub(crate) fn named(&mut self, suite: &'static str, note: String) {
        self.rows.push(Row {
            suite,
            counts: None,
            note,
        });
    }

    pub(crate) fn total(&self) -> Counts {
        self.rows
            .iter()
            .filter_map(|row| row.counts)
            .fold(Counts::default(), Counts::plus)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14}{:>8}{:>8}{:>9}",
            "suite", "passed", "failed", "skipped"
        )?;
        for Row {
            suite,
            counts,
            note,
        } in &self.rows
        {
            match counts {
                Some(Counts {
                    passed,
                    failed,
                    skipped,
                }) => {
                    write!(f, "{suite:<14}{passed:>8}{failed:>8}{skipped:>9}")?;
                }
                None => write!(f, "{suite:<14}{:>8}{:>8}{:>9}", "-", "-", "-")?,
            }
            let gap = if note.is_empty() { "" } else { "   " };
            writeln!(f, "{gap}{note}")?;
        }
        writeln!(f, "\n{}", self.total())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dialect: Dialect, output: &str) -> Counts {
        let mut counts = Counts::default();
        for line in output.lines() {
            dialect.read(line, &mut counts);
        }
        counts
    }

    fn counts(passed: u32, failed: u32, skipped: u32) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn cargo_results_add_up() {
        let output = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: \x1b[31mFAILED\x1b[0m. 4 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(read(Dialect::Cargo, output), counts(6, 3, 1));
    }

    #[test]
    fn vitest_names_only_what_happened() {
        let output = " Test Files  1 failed | 3 passed (4)\n      Tests  1 failed | 3 passed | 2 skipped (6)\n";
        assert_eq!(read(Dialect::Vitest, output), counts(3, 1, 2));
        let output = "\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m16 passed\x1b[39m\x1b[22m\x1b[90m (16)\x1b[39m";
        assert_eq!(read(Dialect::Vitest, output), counts(16, 0, 0));
    }

    #[test]
    fn node_speaks_tap_and_spec() {
        let tap =
            "# tests 6\n# suites 0\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n";
        assert_eq!(read(Dialect::Node, tap), counts(3, 2, 1));
        let spec = "ℹ tests 2\nℹ pass 2\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\n";
        assert_eq!(read(Dialect::Node, spec), counts(2, 0, 0));
    }

    #[test]
    fn nothing_run_is_no_success() {
        assert_eq!(Counts::default().with_exit(true), Counts::FAIL);
        assert_eq!(counts(5, 0, 0).with_exit(false), counts(5, 1, 0));
        assert_eq!(counts(5, 2, 0).with_exit(false), counts(5, 2, 0));
        assert_eq!(counts(5, 0, 1).with_exit(true), counts(5, 0, 1));
    }

    #[test]
    fn the_last_line_stands_alone() {
        let mut report = Report::default();
        report.counted("rust", counts(5, 0, 0), String::new());
        report.counted("e2e", Counts::SKIP, "no chromium".to_owned());
        report.named("deny", "not installed".to_owned());
        assert!(
            report
                .to_string()
                .ends_with("\n5 passed, 0 failed, 1 skipped\n")
        );
    }
}

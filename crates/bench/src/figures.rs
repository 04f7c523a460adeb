//! Figures of several rounds, the machine they are of, and the page they are shown on.

use std::path::Path;
use std::{fs, io};

/// The one in the middle; not a number when there is none.
#[must_use]
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The processor.
#[must_use]
pub fn machine() -> String {
    let described = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = described
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    format!("{}, {model}", std::env::consts::OS)
}

/// Prints a page, and writes it where it is kept.
///
/// # Errors
/// When it cannot be written.
pub fn publish(page: &str, file: &Path) -> io::Result<()> {
    println!("\n{page}");
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_bad_round() {
        assert!((median([3.0, 900.0, 2.0].into_iter()) - 3.0).abs() < f64::EPSILON);
    }
}

//! What the programs are started with: files by name, and what is to be measured.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// `--NAME FILE` and the names of parts, in any order.
#[derive(Debug)]
pub struct Arguments {
    files: BTreeMap<String, PathBuf>,
    parts: Vec<String>,
    usage: &'static str,
}

impl Arguments {
    /// Reads what was typed.
    ///
    /// # Errors
    /// `usage`, when a name has no file.
    pub fn read(mut words: impl Iterator<Item = String>, usage: &'static str) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut parts = Vec::new();
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some(name) => {
                    let file = words.next().context(usage)?;
                    files.insert(name.to_owned(), PathBuf::from(file));
                }
                None => parts.push(word),
            }
        }
        Ok(Self {
            files,
            parts,
            usage,
        })
    }

    /// A file that may be named.
    pub fn file(&mut self, name: &str) -> Option<PathBuf> {
        self.files.remove(name)
    }

    /// A file that must be named.
    ///
    /// # Errors
    /// The usage, when it is not.
    pub fn required(&mut self, name: &str) -> Result<PathBuf> {
        self.file(name).context(self.usage)
    }

    /// The parts, once all files are taken.
    ///
    /// # Errors
    /// The usage, when a file was named that nobody took.
    pub fn parts(mut self) -> Result<Vec<String>> {
        match self.files.pop_first() {
            Some((unknown, _)) => bail!("--{unknown} is unknown. {}", self.usage),
            None => Ok(self.parts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Arguments> {
        Arguments::read(words.iter().map(ToString::to_string), "usage")
    }

    #[test]
    fn files_and_parts_may_be_mixed_and_nothing_is_passed_over() {
        let mut typed = read(&["idle", "--page", "a.md", "storm"]).unwrap();
        assert_eq!(typed.required("page").unwrap(), PathBuf::from("a.md"));
        assert_eq!(typed.required("results").unwrap_err().to_string(), "usage");
        assert_eq!(typed.parts().unwrap(), ["idle", "storm"]);
        assert!(read(&["--page"]).is_err());
        let unknown = read(&["--pgae", "a.md"]).unwrap().parts();
        assert_eq!(unknown.unwrap_err().to_string(), "--pgae is unknown. usage");
    }
}

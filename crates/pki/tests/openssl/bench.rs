//! OpenSSL's command, in a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder to run `openssl` in.
pub(crate) struct Bench(TempDir);

impl Bench {
    /// None, with a line that says so, where OpenSSL is missing.
    pub(crate) fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            println!("optional suite not run: openssl missing");
            return None;
        }
        Some(Self(TempDir::new().unwrap()))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn read_text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn try_run(&self, line: &str) -> Output {
        let mut command = Command::new("openssl");
        command
            .args(line.split_whitespace())
            .current_dir(self.0.path());
        command.output().unwrap()
    }

    /// What `openssl` printed, on both outputs.
    pub(crate) fn run(&self, line: &str) -> String {
        let output = self.try_run(line);
        let text =
            [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned());
        assert!(output.status.success(), "openssl {line}: {}", text.concat());
        text.concat()
    }
}

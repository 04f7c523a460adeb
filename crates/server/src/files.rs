//! Files with secrets: whole or not at all after a crash, and readable by their user only.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file anew, mode 0600 on Unix, and puts it in the place of an old one.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let unfinished = path.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

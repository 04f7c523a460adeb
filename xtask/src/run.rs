//! Running other programs: from the project's root, in a clean environment, with their output shown
//! while they work.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The project's root folder.
pub(crate) fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

/// A program to be started in the project's root.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    // `cargo run` describes xtask to us in these. Handed on, they would tell build scripts that
    // watch their environment that something changed, and everything would be compiled anew.
    for (key, _) in std::env::vars_os() {
        let Some(key) = key.to_str() else { continue };
        let ours = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        if key == "CARGO" || ours.iter().any(|prefix| key.starts_with(prefix)) {
            command.env_remove(key);
        }
    }
    command
}

/// `cargo` with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program("cargo");
    command.args(arguments);
    command
}

/// `npm` with these arguments, in the web app's folder.
pub(crate) fn npm(arguments: &[&str]) -> Command {
    let mut command = program("npm");
    command.args(arguments).current_dir(root().join("web"));
    command
}

/// Whether a program of this name is on the path.
pub(crate) fn installed(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|dir| dir.join(name).is_file()))
}

/// Runs a program whose output is shown as it comes, and hands each line of its standard output on.
pub(crate) fn watch(command: &mut Command, mut line: impl FnMut(&str)) -> Result<ExitStatus> {
    announce(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let output = child.stdout.take().context("the program has no output")?;
    let mut shown = std::io::stdout().lock();
    for read in BufReader::new(output).split(b'\n') {
        let read = read?;
        shown.write_all(&read)?;
        shown.write_all(b"\n")?;
        line(&String::from_utf8_lossy(&read));
    }
    drop(shown);
    Ok(child.wait()?)
}

/// Runs a program that has to succeed.
pub(crate) fn must(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// What a program prints, which has to succeed. Its complaints are shown.
pub(crate) fn output(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let mut stdin = child.stdin.take().context("the program has no input")?;
    let input = input.to_owned();
    // From a thread of its own: a program that answers before it has read everything must not stop us.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    // A program that fails early stops reading; its status says more than the broken pipe.
    let written = writer.join().unwrap_or(Ok(()));
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    written.with_context(|| format!("`{}` did not read its input", shown(command)))?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Cargo's own description of the workspace.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value> {
    let mut command = cargo(&["metadata", "--format-version=1"]);
    Ok(serde_json::from_str(&output(command.args(arguments), "")?)?)
}

/// Where cargo puts the server when it builds with this profile.
pub(crate) fn server_binary(profile: &str) -> Result<PathBuf> {
    let metadata = metadata(&["--no-deps"])?;
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo names no target folder")?;
    let name = format!("ham-server{}", std::env::consts::EXE_SUFFIX);
    Ok(Path::new(target).join(profile).join(name))
}

fn announce(command: &Command) {
    println!("    $ {}", shown(command));
}

fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

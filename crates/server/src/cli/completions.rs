//! `ham-server completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn completions(arguments: &Arguments) {
    let mut command = super::Cli::command();
    clap_complete::generate(
        arguments.shell,
        &mut command,
        "ham-server",
        &mut std::io::stdout(),
    );
}

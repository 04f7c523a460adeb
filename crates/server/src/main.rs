//! `ham-server`: what a radio amateur starts when the internet is gone.

use std::process::ExitCode;

fn main() -> ExitCode {
    ham_server::cli::main()
}

//! The password of a .p12 file: given, or typed by the person.

use std::io::IsTerminal as _;

use anyhow::bail;
use clap::Args;

/// The flag of every command that reads a .p12 file.
#[derive(Debug, Args)]
pub(super) struct Password {
    /// The .p12 file's password; without it you are asked where one is needed
    #[arg(
        long = "password",
        env = "HAM_SERVER_P12_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    given: Option<String>,
}

impl Password {
    /// The one given.
    pub(super) fn given(&self) -> Option<&str> {
        self.given.as_deref()
    }

    /// The one given, or what the person types.
    pub(super) fn ask(&self, question: &str) -> anyhow::Result<String> {
        match &self.given {
            Some(password) => Ok(password.clone()),
            None if std::io::stdin().is_terminal() => Ok(rpassword::prompt_password(question)?),
            None => bail!("give the password in HAM_SERVER_P12_PASSWORD"),
        }
    }
}

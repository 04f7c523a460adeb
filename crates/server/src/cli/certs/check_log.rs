//! Checking a server's issuance log, as anybody can who was given it: no server has to run for it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use pki::log::export::Export;
use pki::{Certificate, import};

use crate::cli::words::in_groups;

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckLog {
    /// The log, as `certs log --export` or the app wrote it
    log: PathBuf,
    /// The certificate of the server whose log it is
    #[arg(long, value_name = "FILE")]
    by: PathBuf,
    /// An earlier log of the same server, which this one has to continue
    #[arg(long, value_name = "FILE")]
    kept: Option<PathBuf>,
    /// Certificates, which have to be in the log where that server signed them
    #[arg(long, value_name = "FILE")]
    issued: Option<PathBuf>,
}

pub(super) fn check_log(arguments: &CheckLog) -> anyhow::Result<()> {
    let log = read(&arguments.log)?;
    let by = certificates(&arguments.by)?;
    let signer = |certificate: &&Certificate| certificate.key_id() == log.checkpoint.server;
    let Some(server) = by.iter().find(signer) else {
        bail!(
            "no certificate in {} has the key of the server that signed this log",
            arguments.by.display()
        );
    };
    let verify = |log: &Export, path: &Path| {
        let error = || format!("{} is no whole log of that server", path.display());
        log.verify(server.public_key()).with_context(error)
    };
    verify(&log, &arguments.log)?;
    println!(
        "The log is whole: {} issued by the server of {}.",
        counted(log.entries.len()),
        server.callsign()
    );
    if let Some(path) = &arguments.kept {
        let kept = read(path)?;
        verify(&kept, path)?;
        log.agrees_with(&kept).with_context(|| {
            format!(
                "this server showed different logs; keep {} and {}, which together prove it",
                path.display(),
                arguments.log.display()
            )
        })?;
        println!("It agrees with {}.", path.display());
    }
    if let Some(path) = &arguments.issued {
        let held = certificates(path)?;
        let hidden = held
            .iter()
            .find(|certificate| log.hides(certificate, server.public_key()));
        if let Some(hidden) = hidden {
            bail!(
                "{}'s certificate is signed by this server and not in its log; keep it with the log\n  {}",
                hidden.callsign(),
                in_groups(&hidden.fingerprint().to_string())
            );
        }
        println!(
            "Of the certificates in {}, it has all that the server signed.",
            path.display()
        );
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Export> {
    let unread = || format!("{} cannot be read as a log", path.display());
    let text = std::fs::read_to_string(path).with_context(unread)?;
    Export::from_text(&text).with_context(unread)
}

fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let unread = || format!("{} cannot be used", path.display());
    let file = std::fs::read(path).with_context(unread)?;
    Ok(import::read(&file, None).with_context(unread)?.stations)
}

fn counted(entries: usize) -> String {
    match entries {
        1 => "1 certificate".to_owned(),
        more => format!("{more} certificates"),
    }
}

//! What the checks need besides Rust. On Debian, as root, what is missing is installed; elsewhere it
//! is named.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::run;

/// The oldest Node.js the web app's tools run on.
const NODE: (u32, u32) = (20, 19);

/// Something a suite cannot run without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Node.js and npm. Without them not even the server can be built, since it holds the web app.
    Node,
    /// A real browser.
    Chromium,
    /// `openssl`, a foreign judge of the certificates we make.
    Openssl,
    /// `certutil`, which makes a browser trust a certificate.
    Certutil,
    /// `zbarimg`, which reads the QR codes we draw as a phone would.
    Zbar,
    /// Avahi and its tools, a foreign judge of our mDNS.
    Avahi,
    /// `certtool`, a foreign judge of certificates that is not OpenSSL.
    Certtool,
    /// `iptables`, which makes a network that blocks things.
    Iptables,
    /// `nginx`, a reverse proxy in front of a server.
    Nginx,
    /// Network namespaces: hosts on one machine.
    Namespaces,
}

impl Need {
    /// The program to look for and the Debian package that holds it.
    fn package(self) -> Option<(&'static str, &'static str)> {
        match self {
            // Debian 12's Node is too old to be worth installing.
            Self::Node => None,
            Self::Chromium => Some(("chromium", "chromium")),
            Self::Openssl => Some(("openssl", "openssl")),
            Self::Certutil => Some(("certutil", "libnss3-tools")),
            Self::Zbar => Some(("zbarimg", "zbar-tools")),
            Self::Avahi => Some(("avahi-browse", "avahi-utils")),
            Self::Certtool => Some(("certtool", "gnutls-bin")),
            Self::Iptables => Some(("iptables", "iptables")),
            Self::Nginx => Some(("nginx", "nginx-light")),
            Self::Namespaces => Some(("ip", "iproute2")),
        }
    }

    /// Why a suite with this need cannot run, if it cannot.
    pub(crate) fn missing(self) -> Option<String> {
        match self.package() {
            Some((program, _)) if !run::installed(program) => {
                return Some(format!("{program} is not installed"));
            }
            _ => {}
        }
        match self {
            Self::Node => node().err().map(|error| error.to_string()),
            Self::Namespaces if !namespaces() => {
                Some("this user may not make network namespaces".to_owned())
            }
            _ => None,
        }
    }
}

/// Installs what is missing where that can be done; fails where nothing useful can run without it.
pub(crate) fn provide(needs: &[Need]) -> Result<()> {
    if needs.contains(&Need::Node) {
        node()?;
    }
    let packages: Vec<&str> = needs
        .iter()
        .filter_map(|need| need.package())
        .filter(|(program, _)| !run::installed(program))
        .map(|(_, package)| package)
        .collect();
    if packages.is_empty() || !is_root() || !run::installed("apt-get") {
        return Ok(());
    }
    run::must(run::program("apt-get").args(["update", "--quiet"]))?;
    run::must(
        run::program("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(packages),
    )
}

/// Checks that Node.js is recent enough and that npm is there.
fn node() -> Result<()> {
    let wanted = format!(
        "Node.js {}.{} or newer with npm is needed to build the web app: see https://nodejs.org",
        NODE.0, NODE.1
    );
    if !run::installed("node") || !run::installed("npm") {
        bail!("{wanted}");
    }
    let version = run::output(run::program("node").arg("--version"), "")?;
    let version = version.trim();
    if older_than(version, NODE) {
        bail!("{wanted} (found {version})");
    }
    Ok(())
}

fn older_than(version: &str, (major, minor): (u32, u32)) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (major, minor)
}

/// Root makes them; anybody else makes them inside a user namespace, where the kernel allows that.
fn namespaces() -> bool {
    let flags = if is_root() { "-n" } else { "-Urn" };
    Command::new("unshare")
        .args([flags, "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether this user may do everything here.
pub(crate) fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(older_than("v18.20.4", NODE));
        assert!(older_than("v20.9.0", NODE));
        assert!(!older_than("v20.19.0", NODE));
        assert!(!older_than("v22.1.0", NODE));
    }
}

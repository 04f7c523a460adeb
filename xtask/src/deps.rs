//! What the checks need besides Rust. On Debian, as root, what is missing is installed; elsewhere it
//! is named.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fmt, fs};

use anyhow::{Result, bail};

use crate::run;

/// The oldest Node.js the web app's tools run on.
const NODE: (u32, u32) = (20, 19);

/// Where libraries are: there, or in a folder of theirs that is named after the kind of machine.
const LIBRARIES: [&str; 4] = ["/usr/lib", "/usr/lib64", "/lib", "/lib64"];

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
    /// nss-mdns, by which programs that know nothing of mDNS find names through Avahi.
    NssMdns,
    /// `certtool`, a foreign judge of certificates that is not OpenSSL.
    Certtool,
    /// `iptables`, which makes a network that blocks things.
    Iptables,
    /// `nginx`, a reverse proxy in front of a server.
    Nginx,
    /// Network namespaces: hosts on one machine.
    Namespaces,
}

/// What shows that a package is installed.
#[derive(Clone, Copy, Debug)]
enum Sign {
    /// A program on the path.
    Program(&'static str),
    /// A library where the linker finds it.
    Library(&'static str),
}

impl Need {
    /// What to look for and the Debian package that holds it.
    fn package(self) -> Option<(Sign, &'static str)> {
        use Sign::{Library, Program};
        Some(match self {
            // Debian 12's Node is too old to be worth installing.
            Self::Node => return None,
            Self::Chromium => (Program("chromium"), "chromium"),
            Self::Openssl => (Program("openssl"), "openssl"),
            Self::Certutil => (Program("certutil"), "libnss3-tools"),
            Self::Zbar => (Program("zbarimg"), "zbar-tools"),
            Self::Avahi => (Program("avahi-browse"), "avahi-utils"),
            Self::NssMdns => (Library("libnss_mdns4_minimal.so.2"), "libnss-mdns"),
            Self::Certtool => (Program("certtool"), "gnutls-bin"),
            Self::Iptables => (Program("iptables"), "iptables"),
            Self::Nginx => (Program("nginx"), "nginx-light"),
            Self::Namespaces => (Program("ip"), "iproute2"),
        })
    }

    /// Why a suite with this need cannot run, if it cannot.
    pub(crate) fn missing(self) -> Option<String> {
        match self.package() {
            Some((sign, _)) if !sign.is_there() => return Some(format!("{sign} is not installed")),
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

impl Sign {
    fn is_there(self) -> bool {
        match self {
            Self::Program(name) => run::installed(name),
            Self::Library(name) => LIBRARIES.iter().any(|folder| {
                let folder = Path::new(folder);
                folder.join(name).is_file() || below(folder).any(|one| one.join(name).is_file())
            }),
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Program(name) | Self::Library(name)) = self;
        f.write_str(name)
    }
}

/// What is in a folder; nothing if there is none.
fn below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Installs what is missing where that can be done; fails where nothing useful can run without it.
pub(crate) fn provide(needs: &[Need]) -> Result<()> {
    if needs.contains(&Need::Node) {
        node()?;
    }
    let packages: Vec<&str> = needs
        .iter()
        .filter_map(|need| need.package())
        .filter(|(sign, _)| !sign.is_there())
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
    fn programs_and_libraries_are_looked_for_where_they_are() {
        assert!(Sign::Program("id").is_there() && Sign::Library("libc.so.6").is_there());
        let missing = Sign::Library("libnss_of_nobody.so.2");
        assert!(!missing.is_there() && !Sign::Program("libc.so.6").is_there());
        assert_eq!(missing.to_string(), "libnss_of_nobody.so.2");
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(older_than("v18.20.4", NODE));
        assert!(older_than("v20.9.0", NODE));
        assert!(!older_than("v20.19.0", NODE));
        assert!(!older_than("v22.1.0", NODE));
    }
}

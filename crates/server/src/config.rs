//! Settings: what the flags, the environment and `ham-server.toml` say, and what follows from it.
//!
//! [`Options`] is what was typed, with everything optional; [`Config`] is resolved and complete. A
//! flag wins over `HAM_SERVER_*`, that over the file, that over the default. Unknown keys are errors.
//! What everybody may cost stands in [`limits`], and what a single value may be in [`values`].

pub mod limits;
pub mod values;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::network::Reach;
use crate::network::zones::Rule;

pub use limits::Limits;
pub use values::{Network, Own44Net, Probe};

/// The settings file's name in the data directory.
pub const FILE_NAME: &str = "ham-server.toml";

/// Certificates in an hour, where nothing else is said: what an owner can look at.
const ISSUE_PER_HOUR: u32 = 10;

/// Settings as typed.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// TCP port to listen on, this one or none [default: 8080, or the next that is free]
    #[arg(long, global = true, env = "HAM_SERVER_PORT", value_name = "N")]
    pub port: Option<u16>,

    /// Address to listen on [default: all of this machine's]
    #[arg(long, global = true, env = "HAM_SERVER_BIND", value_name = "ADDR")]
    pub bind: Option<IpAddr>,

    /// Folder for everything the server remembers
    #[arg(long, global = true, env = "HAM_SERVER_DATA_DIR", value_name = "DIR")]
    #[serde(skip)]
    pub data_dir: Option<PathBuf>,

    /// Folder for the server's private key [default: the data folder]
    #[arg(long, global = true, env = "HAM_SERVER_CERT_DIR", value_name = "DIR")]
    pub cert_dir: Option<PathBuf>,

    /// Serve this machine only
    #[arg(long, global = true, env = "HAM_SERVER_NO_LAN", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL")]
    pub no_lan: Option<bool>,

    /// Network interface to be found on by mDNS; may be given several times [default: all real ones]
    #[arg(
        long = "interface",
        global = true,
        env = "HAM_SERVER_INTERFACES",
        value_name = "NAME",
        value_delimiter = ','
    )]
    #[serde(default)]
    pub interfaces: Vec<String>,

    /// Do not announce this server on the network, nor look for others
    #[arg(long, global = true, env = "HAM_SERVER_NO_MDNS", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL")]
    pub no_mdns: Option<bool>,

    /// Do not add to a call's candidates the address that the server sees of their sender; without it calls
    /// fail where multicast is blocked
    #[arg(long, global = true, env = "HAM_SERVER_NO_OBSERVED_CANDIDATES", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL")]
    pub no_observed_candidates: Option<bool>,

    /// A further name this server is reached by, such as a proxy's; may be given several times
    #[arg(
        long = "host-name",
        global = true,
        env = "HAM_SERVER_HOST_NAMES",
        value_name = "NAME",
        value_delimiter = ','
    )]
    #[serde(default)]
    pub host_names: Vec<String>,

    /// What a network counts as, open or part97 (amateur frequencies, where nothing may be encrypted):
    /// wlan1=part97 or 10.54.3.88/29=open; may be given several times [default: guessed by the address]
    #[arg(
        long = "zone",
        global = true,
        env = "HAM_SERVER_ZONES",
        value_name = "NETWORK=ZONE",
        value_delimiter = ','
    )]
    #[serde(default)]
    pub zones: Vec<Rule>,

    /// Your own network of 44net, such as 44.30.1.0/24, to be covered by the certificate for browsers, which is made
    /// when the server is claimed; may be given several times. Where it crosses no amateur frequencies, say so
    /// with --zone, too
    #[arg(
        long = "own-44net",
        global = true,
        env = "HAM_SERVER_OWN_44NET",
        value_name = "NETWORK",
        value_delimiter = ','
    )]
    #[serde(default)]
    pub own_44net: Vec<Own44Net>,

    /// Somebody of your choice, HOST:PORT, who answers when there is internet; a connection is opened every
    /// ten seconds [default: nobody is ever called]
    #[arg(
        long,
        global = true,
        env = "HAM_SERVER_INTERNET_PROBE",
        value_name = "HOST:PORT"
    )]
    pub internet_probe: Option<Probe>,

    /// Most certificates that the server issues in an hour [default: 10]
    #[arg(
        long,
        global = true,
        env = "HAM_SERVER_ISSUE_PER_HOUR",
        value_name = "N"
    )]
    pub issue_per_hour: Option<u32>,

    /// An address or network (192.168.1.5, 10.0.0.0/8) whose word is taken for where a request comes from
    /// (X-Forwarded-For); may be given several times
    #[arg(
        long = "trusted-proxy",
        global = true,
        env = "HAM_SERVER_TRUSTED_PROXIES",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    #[serde(default)]
    pub trusted_proxies: Vec<Network>,

    /// A limit other than the default, by its name in the [limits] section of the settings file; may be
    /// given several times
    #[arg(
        long = "limit",
        global = true,
        env = "HAM_SERVER_LIMITS",
        value_name = "NAME=N",
        value_delimiter = ','
    )]
    #[serde(skip)]
    pub typed_limits: Vec<String>,

    /// The file's limits.
    #[arg(skip)]
    #[serde(default)]
    pub limits: toml::Table,

    /// Settings file [default: ham-server.toml in the data folder, if there is one]
    #[arg(long, global = true, env = "HAM_SERVER_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// How log lines are written, to standard error [default: text]
    #[arg(
        long,
        global = true,
        env = "HAM_SERVER_LOG_FORMAT",
        value_name = "FORMAT"
    )]
    pub log_format: Option<LogFormat>,

    /// Log more
    #[arg(long, global = true, env = "HAM_SERVER_VERBOSE", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL")]
    pub verbose: Option<bool>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings, complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub port: PortChoice,
    /// On which address; none means all.
    pub bind: Option<IpAddr>,
    /// Whether only this machine is served.
    pub no_lan: bool,
    /// Interfaces for mDNS, by name; none means all real ones.
    pub interfaces: Vec<String>,
    /// Whether mDNS is switched off.
    pub no_mdns: bool,
    /// Whether candidates keep their senders' addresses to themselves.
    pub no_observed_candidates: bool,
    /// Everything the server remembers.
    pub data_dir: PathBuf,
    /// The server's private key.
    pub cert_dir: PathBuf,
    /// Names beside the server's own.
    pub host_names: Vec<String>,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<Network>,
    /// What everybody may cost.
    pub limits: Limits,
    /// What networks count as.
    pub zones: Vec<Rule>,
    /// The owner's own networks of 44net.
    pub own_44net: Vec<Own44Net>,
    /// Who is called to learn whether there is internet.
    pub internet_probe: Option<Probe>,
    /// Most certificates that the server issues in an hour.
    pub issue_per_hour: u32,
    /// How to log.
    pub log_format: LogFormat,
    /// Whether to log more.
    pub verbose: bool,
}

/// Which TCP port to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// This one or none. 0 lets the system choose.
    Only(u16),
    /// The first free of the ports clients look at.
    Usual,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named by `--config` is missing or unreadable.
    #[error("the settings file {path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not TOML, or says something this program does not know.
    #[error("the settings file {path} is not understood: {problem}")]
    NotUnderstood {
        /// The file.
        path: PathBuf,
        /// Where and what.
        problem: String,
    },
    /// A limit is not one, or not a number it can have.
    #[error("a limit is not understood: {0}")]
    Limit(String),
    /// The system tells no place for data.
    #[error("this account has no folder for data; name one with --data-dir")]
    NoDataDir,
}

impl Config {
    /// Completes what was typed with the file and the defaults.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be used or there is no place for data.
    pub fn resolve(typed: Options) -> Result<Self, ConfigError> {
        let data_dir = match typed.data_dir {
            Some(folder) => folder,
            None => usual_data_dir().ok_or(ConfigError::NoDataDir)?,
        };
        let file = match typed.config {
            Some(path) => read(&path)?,
            None => match read(&data_dir.join(FILE_NAME)) {
                Err(ConfigError::Unreadable { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    Options::default()
                }
                read => read?,
            },
        };
        Ok(Self {
            port: typed
                .port
                .or(file.port)
                .map_or(PortChoice::Usual, PortChoice::Only),
            bind: typed.bind.or(file.bind),
            no_lan: typed.no_lan.or(file.no_lan).unwrap_or(false),
            interfaces: either(typed.interfaces, file.interfaces),
            no_mdns: typed.no_mdns.or(file.no_mdns).unwrap_or(false),
            no_observed_candidates: typed
                .no_observed_candidates
                .or(file.no_observed_candidates)
                .unwrap_or(false),
            cert_dir: typed
                .cert_dir
                .or(file.cert_dir)
                .unwrap_or_else(|| data_dir.clone()),
            data_dir,
            host_names: either(typed.host_names, file.host_names),
            trusted_proxies: either(typed.trusted_proxies, file.trusted_proxies),
            limits: Limits::resolve(file.limits, &typed.typed_limits)?,
            zones: either(typed.zones, file.zones),
            own_44net: either(typed.own_44net, file.own_44net),
            internet_probe: typed.internet_probe.or(file.internet_probe),
            issue_per_hour: typed
                .issue_per_hour
                .or(file.issue_per_hour)
                .unwrap_or(ISSUE_PER_HOUR),
            log_format: typed.log_format.or(file.log_format).unwrap_or_default(),
            verbose: typed.verbose.or(file.verbose).unwrap_or(false),
        })
    }

    /// Which of this machine's addresses the server listens on.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach {
            bind: self.bind,
            no_lan: self.no_lan,
        }
    }

    /// Whether the server announces itself and looks for others, once its owner opened it. One that
    /// serves this machine only does not.
    #[must_use]
    pub fn is_discoverable(&self) -> bool {
        let loopback = self.bind.is_some_and(|address| address.is_loopback());
        !self.no_mdns && !self.no_lan && !loopback
    }
}

/// A list that was typed replaces the file's.
fn either<T>(typed: Vec<T>, file: Vec<T>) -> Vec<T> {
    if typed.is_empty() { file } else { typed }
}

/// The service manager's folder where there is one, else the account's.
fn usual_data_dir() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("STATE_DIRECTORY") {
        return Some(folder.into());
    }
    let folders = directories::ProjectDirs::from("", "", "ham-server")?;
    Some(folders.data_local_dir().to_owned())
}

fn read(path: &Path) -> Result<Options, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::NotUnderstood {
        path: path.to_owned(),
        problem: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(data_dir: &Path) -> Options {
        Options {
            data_dir: Some(data_dir.to_owned()),
            ..Options::default()
        }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let defaults = Config::resolve(typed(folder.path())).unwrap();
        assert_eq!(defaults.port, PortChoice::Usual);
        assert_eq!(defaults.cert_dir, folder.path());

        let text =
            "port = 9000\nno-lan = true\nlog-format = \"json\"\nhost-names = [\"a.example\"]";
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let from_file = Config::resolve(typed(folder.path())).unwrap();
        assert_eq!(from_file.port, PortChoice::Only(9000));
        assert!(from_file.no_lan);
        assert_eq!(from_file.log_format, LogFormat::Json);
        assert_eq!(from_file.host_names, ["a.example"]);

        let flags = Options {
            port: Some(1),
            no_lan: Some(false),
            ..typed(folder.path())
        };
        let resolved = Config::resolve(flags).unwrap();
        assert_eq!(
            (resolved.port, resolved.no_lan),
            (PortChoice::Only(1), false)
        );
    }

    #[test]
    fn who_serves_this_machine_only_is_not_announced() {
        let folder = tempfile::tempdir().unwrap();
        let resolve = |options: Options| {
            let data_dir = Some(folder.path().to_owned());
            Config::resolve(Options {
                data_dir,
                ..options
            })
            .unwrap()
        };
        let bound = |address: &str| Options {
            bind: Some(address.parse().unwrap()),
            ..Options::default()
        };
        assert!(resolve(Options::default()).is_discoverable());
        assert!(resolve(bound("0.0.0.0")).is_discoverable());
        assert!(!resolve(bound("127.0.0.1")).is_discoverable());
        assert!(!resolve(bound("::1")).is_discoverable());
        let no_lan = Options {
            no_lan: Some(true),
            ..Options::default()
        };
        assert!(!resolve(no_lan).is_discoverable());
        let text = "no-mdns = true\ninterfaces = [\"wlan0\", \"eth0\"]";
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let from_file = resolve(Options::default());
        assert!(!from_file.is_discoverable());
        assert_eq!(from_file.interfaces, ["wlan0", "eth0"]);
        let flags = Options {
            no_mdns: Some(false),
            interfaces: vec!["wlan1".into()],
            ..Options::default()
        };
        let resolved = resolve(flags);
        assert!(resolved.is_discoverable());
        assert_eq!(resolved.interfaces, ["wlan1"]);
    }

    #[test]
    fn proxies_and_limits_are_settings_too() {
        let folder = tempfile::tempdir().unwrap();
        let text = "trusted-proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\n[limits]\nconnections = 7";
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let config = Config::resolve(typed(folder.path())).unwrap();
        assert_eq!(config.limits.connections.get(), 7);
        let trusted = |config: &Config, address: &str| {
            let address = address.parse().unwrap();
            config
                .trusted_proxies
                .iter()
                .any(|one| one.contains(address))
        };
        assert!(trusted(&config, "127.0.0.1") && trusted(&config, "10.9.8.7"));
        assert!(!trusted(&config, "127.0.0.2"));
        let flags = Options {
            trusted_proxies: vec!["fd00::/8".parse().unwrap()],
            typed_limits: vec!["connections=8".into()],
            ..typed(folder.path())
        };
        let config = Config::resolve(flags).unwrap();
        assert!(trusted(&config, "fd00::1") && !trusted(&config, "127.0.0.1"));
        assert_eq!(config.limits.connections.get(), 8);
        for wrong in [
            "trusted-proxies = [\"somewhere\"]",
            "[limits]\nconections = 7",
        ] {
            fs::write(folder.path().join(FILE_NAME), wrong).unwrap();
            Config::resolve(typed(folder.path())).unwrap_err();
        }
    }

    #[test]
    fn zones_are_read_where_they_are_typed() {
        let folder = tempfile::tempdir().unwrap();
        let text = "zones = [\"wlan1=part97\", \"10.54.3.90/29=open\"]";
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let resolved = Config::resolve(typed(folder.path())).unwrap();
        let subjects: Vec<_> = resolved
            .zones
            .iter()
            .map(|rule| format!("{} {}", rule.subject, rule.zone))
            .collect();
        assert_eq!(subjects, ["wlan1 part97", "10.54.3.88/29 open"]);
        fs::write(folder.path().join(FILE_NAME), "zones = [\"wlan1\"]").unwrap();
        let error = Config::resolve(typed(folder.path())).unwrap_err();
        assert!(error.to_string().contains("wlan1=part97"), "{error}");
    }

    #[test]
    fn what_the_file_says_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "prot = 9000").unwrap();
        let error = Config::resolve(typed(folder.path())).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `prot`"),
            "{error}"
        );
        let missing = Options {
            config: Some("/no/such.toml".into()),
            ..typed(folder.path())
        };
        let error = Config::resolve(missing).unwrap_err();
        assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
    }
}

//! The composition root: every part of a running server, put together here and nowhere else.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, io};

use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use store::StoreError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::discovery::{self, Discovery};
use crate::http::{self, App};
use crate::link::Dialer;
use crate::listen::{self, Clock, Door, ListenError, Listener, Tls, TlsError};
use crate::network::Names;
use crate::network::zoning::Zoning;
use crate::runtime::authority::issuing::Issuing;
use crate::runtime::coordination::Surroundings;
use crate::runtime::login::Receptionist;
use crate::runtime::{
    AdminKey, Attempts, Authority, Checks, Connectivity, Coordinator, Neighbourhood, Nonces,
    Ownership, OwnershipError, Questions, Queues, Switchboard, resolver,
};

/// What a running server leaves in its data folder, for the commands on the same machine.
const RUNNING_FILE: &str = "running.json";

/// Time open connections get at a stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// How often the addresses are looked at.
const FOLLOW_ADDRESSES: Duration = Duration::from_secs(5);

/// When clients may come back after a stop: most stops are restarts.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// A server that listens. Dropping it without [`Server::shutdown`] stops it without goodbyes.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    port: u16,
    data_dir: PathBuf,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    timekeeper: JoinHandle<()>,
    discovery: Option<Discovery>,
    renewing: JoinHandle<()>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its key or its claim cannot be used.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// The certificates it knows cannot be read.
    #[error("the certificates in the database cannot be read")]
    Authority(#[source] StoreError),
    /// How much it issued lately cannot be read.
    #[error("the issuance log in the database cannot be read")]
    Log(#[source] StoreError),
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Browsers could not be served securely.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Other servers could not be dialled over TLS.
    #[error("other servers cannot be reached securely")]
    Dialer(#[source] tokio_rustls::rustls::Error),
    /// What the owner said of the networks cannot be read.
    #[error("what the owner said of the networks' zones cannot be read")]
    Zones(#[source] StoreError),
    /// The commands on this machine could not be told where it is.
    #[error("{0} cannot be written to")]
    Running(PathBuf, #[source] io::Error),
}

/// Where a running server is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Its TCP port.
    pub port: u16,
    /// The URL that reaches it on this machine.
    pub url: String,
}

impl Server {
    /// Opens what the server remembers, listens, and serves.
    ///
    /// # Errors
    /// [`StartError`], with nothing left running.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let started = Instant::now();
        let random = SystemRandom::new();
        let ownership = Arc::new(Ownership::open(
            &config.data_dir,
            &config.cert_dir,
            &random,
        )?);
        let authority = Authority::open(ownership.store()).map_err(StartError::Authority)?;
        let authority = Arc::new(authority);
        let listener = Listener::bind(config)?;
        let port = listener.port();
        let admin = AdminKey::make(&config.data_dir, &random)
            .map_err(|error| StartError::Running(config.data_dir.clone(), error))?;
        let tls = Arc::new(Tls::new(
            config.cert_dir.clone(),
            config.reach(),
            config.own_44net.iter().map(|own| own.network()).collect(),
            Clock::open(&config.data_dir),
        )?);
        let names = Arc::new(Names::new(&config.host_names));
        let owners_zones = ownership.zone_rules().map_err(StartError::Zones)?;
        let zoning = Arc::new(Zoning::new(config.zones.clone(), &owners_zones));
        let checks = Arc::new(Checks::default());
        let receptionist = Receptionist::new(
            Arc::clone(&ownership),
            Arc::clone(&authority),
            Arc::clone(&checks),
            Arc::clone(&names),
        );
        let limits = listen::within_open_files(config.limits.clone());
        let queued = usize::try_from(limits.queued_bytes.get()).unwrap_or(usize::MAX);
        let queues = Arc::new(Queues::new(queued));
        let (onward, for_others) = mpsc::unbounded_channel();
        let switchboard = Arc::new(Switchboard::new(
            receptionist,
            limits.of_hub(),
            queues,
            onward,
        ));
        let door = Arc::new(Door::new(&limits, config.trusted_proxies.clone()));
        switchboard.set_owner(ownership.owner());
        switchboard.set_observed_candidates(!config.no_observed_candidates);
        switchboard.set_policy(ownership.policy(), "the server starts");
        // Not to keep alive who keeps the authority alive.
        let sessions = Arc::downgrade(&switchboard);
        authority.tell(move |changed| {
            if let Some(switchboard) = sessions.upgrade() {
                switchboard.set_successors(changed.successors);
                switchboard.judge(&changed.judgements);
            }
        });
        let (resolver, questions) = resolver();
        let probe = config.internet_probe.as_ref();
        let connectivity = Connectivity::new(probe.map(|probe| probe.as_str().to_owned()));
        let connectivity = Arc::new(connectivity);
        let issuing = Issuing::open(
            Arc::clone(&ownership),
            Arc::clone(&authority),
            config.issue_per_hour,
        )
        .map_err(StartError::Log)?;
        let neighbourhood = Arc::new(Mutex::new(Neighbourhood::default()));
        let (coordinator, inbox, dials) = Coordinator::new(Surroundings {
            ownership: Arc::clone(&ownership),
            authority: Arc::clone(&authority),
            switchboard: Arc::clone(&switchboard),
            zoning: Arc::clone(&zoning),
            neighbourhood: Arc::clone(&neighbourhood),
            reach: config.reach(),
            port,
        });
        let dialer = Dialer::new(
            Arc::clone(&coordinator),
            Arc::clone(&zoning),
            resolver.clone(),
        )
        .map_err(StartError::Dialer)?;
        let app = Arc::new(App {
            ownership,
            authority,
            switchboard: Arc::clone(&switchboard),
            coordinator: Arc::clone(&coordinator),
            admin,
            tls: Arc::clone(&tls),
            door: Arc::clone(&door),
            nonces: Nonces::default(),
            issuing,
            attempts: Attempts::default(),
            checks,
            neighbourhood,
            resolver,
            connectivity: Arc::clone(&connectivity),
            names,
            zoning: Arc::clone(&zoning),
            random,
            started,
            reach: config.reach(),
            observed_candidates: !config.no_observed_candidates,
            limits,
            sockets: TaskTracker::new(),
        });
        let host = config
            .bind
            .filter(|ip| !ip.is_unspecified())
            .map_or_else(|| "localhost".to_owned(), crate::network::url_host);
        let running = Running {
            pid: std::process::id(),
            port,
            url: format!("http://{host}:{port}"),
        };
        running.write(&config.data_dir)?;
        app.renew_certificate();
        let renewing = tokio::spawn(renew(Arc::clone(&app)));
        let stop = CancellationToken::new();
        let router = http::router(Arc::clone(&app));
        let serving = tokio::spawn(listener.serve(router, tls, zoning, door, stop.clone()));
        let timekeeper = tokio::spawn(async move {
            tokio::join!(
                switchboard.keep_time(),
                connectivity.follow(),
                coordinator.run(inbox, for_others),
                dialer.run(dials),
            );
        });
        let discovery = config
            .is_discoverable()
            .then(|| start_discovery(config, port, &app, questions));
        let data_dir = config.data_dir.clone();
        Ok(Self {
            app,
            port,
            data_dir,
            stop,
            serving,
            timekeeper,
            discovery,
            renewing,
        })
    }

    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What its handlers see.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Says goodbye to everybody, lets running requests finish for a few seconds, and stops.
    pub async fn shutdown(self) {
        self.app
            .switchboard
            .stop("the server is stopping", RETRY_AFTER);
        self.app.coordinator.end();
        self.stop.cancel();
        self.app.sockets.close();
        let Self {
            serving,
            timekeeper,
            discovery,
            renewing,
            app,
            ..
        } = self;
        let goodbye = async {
            if let Some(discovery) = discovery {
                discovery.shutdown().await;
            }
        };
        let abort = serving.abort_handle();
        let finished = async {
            app.sockets.wait().await;
            let _ = serving.await;
        };
        let (finished, ()) = tokio::join!(tokio::time::timeout(STOP_WITHIN, finished), goodbye);
        if finished.is_err() {
            tracing::info!("some connections did not end in time");
            abort.abort();
        }
        timekeeper.abort();
        renewing.abort();
        Running::remove(&self.data_dir);
    }
}

fn start_discovery(config: &Config, port: u16, app: &App, questions: Questions) -> Discovery {
    let settings = discovery::Settings {
        interfaces: config.interfaces.clone(),
        bind: config.bind,
        port,
    };
    Discovery::start(
        settings,
        Arc::clone(&app.ownership),
        Arc::clone(&app.names),
        Arc::clone(&app.neighbourhood),
        questions,
    )
}

/// Follows the machine's addresses: a browser that comes by a new one finds it in the certificate.
async fn renew(app: Arc<App>) {
    let mut rounds = tokio::time::interval(FOLLOW_ADDRESSES);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let app = Arc::clone(&app);
        let renewed = tokio::task::spawn_blocking(move || app.renew_certificate()).await;
        if let Err(error) = renewed {
            tracing::error!(%error, "the certificate for browsers could not be renewed");
        }
    }
}

impl Running {
    /// The server that says it uses this data folder, whether or not it still runs.
    #[must_use]
    pub fn read(data_dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(data_dir.join(RUNNING_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn write(&self, data_dir: &Path) -> Result<(), StartError> {
        let path = data_dir.join(RUNNING_FILE);
        let trouble = |error| StartError::Running(path.clone(), error);
        let text = serde_json::to_string(self).map_err(|error| trouble(error.into()))?;
        fs::write(&path, text).map_err(trouble)
    }

    fn remove(data_dir: &Path) {
        if let Err(error) = fs::remove_file(data_dir.join(RUNNING_FILE)) {
            tracing::debug!(%error, "{RUNNING_FILE} could not be removed");
        }
    }
}

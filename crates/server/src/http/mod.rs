//! HTTP: the routes, and what holds for all of them.
//!
//! Every request passes the same gate first ([`guard`]): its Host must be this server's, and a write
//! or a WebSocket from a page must come from this server's own pages. Errors are problem documents
//! ([`problem`]). `docs/protocol/http.md` is the public description.

mod aredn;
mod authority;
mod claim;
mod coordinate;
mod diagnose;
mod forwarded;
mod guard;
mod local_servers;
mod metrics;
mod network;
#[cfg(feature = "schema")]
mod openapi;
mod peers;
mod problem;
mod sharing;
mod signal;
mod signed;
mod status;
mod text;
mod toll;
mod trust;
mod web;
mod zones;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware;
use axum::routing::{delete, get, post};
use ring::rand::SystemRandom;
use station::Zone;
use tokio_util::task::TaskTracker;
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::config;
use crate::listen::{Door, Tls};
use crate::network::zoning::Zoning;
use crate::network::{Names, Reach};
use crate::runtime::authority::issuing::Issuing;
use crate::runtime::{
    AdminKey, Attempts, Authority, Checks, Connectivity, Coordinator, Neighbourhood, Nonces,
    Ownership, Resolver, Switchboard,
};

#[cfg(feature = "schema")]
pub use openapi::openapi;
pub(crate) use sharing::{joining_url, network_urls};

/// What every handler may use.
#[derive(Debug)]
pub struct App {
    /// Whose server this is.
    pub ownership: Arc<Ownership>,
    /// Whom it believes.
    pub authority: Arc<Authority>,
    /// Everybody connected.
    pub switchboard: Arc<Switchboard>,
    /// This server among the others.
    pub coordinator: Arc<Coordinator>,
    /// The secret of the commands on this machine.
    pub admin: AdminKey,
    /// TLS for browsers.
    pub tls: Arc<Tls>,
    /// Who may connect, and which proxies are believed.
    pub door: Arc<Door>,
    /// Nonces given out.
    pub nonces: Nonces,
    /// Who makes certificates.
    pub issuing: Issuing,
    /// What failed lately, by where it came from.
    pub attempts: Attempts,
    /// Signature checks that strangers caused lately.
    pub checks: Arc<Checks>,
    /// The other servers on this network.
    pub neighbourhood: Arc<Mutex<Neighbourhood>>,
    /// Asks the network for addresses.
    pub resolver: Resolver,
    /// Whether there seems to be internet.
    pub connectivity: Arc<Connectivity>,
    /// This server's own names.
    pub names: Arc<Names>,
    /// What may cross which network.
    pub zoning: Arc<Zoning>,
    /// The system's randomness.
    pub random: SystemRandom,
    /// When the server started.
    pub started: Instant,
    /// Which addresses the server listens on.
    pub reach: Reach,
    /// Whether callers are told each other's addresses where browsers hide them.
    pub observed_candidates: bool,
    /// What everybody may cost.
    pub limits: config::Limits,
    /// Connections that outlive their request, to be waited for at a stop.
    pub sockets: TaskTracker,
}

impl App {
    /// The secure URLs of this server, the stable name first.
    pub(crate) fn secure_urls(&self, port: u16) -> Vec<String> {
        self.tls.urls(port, |address| {
            self.zoning.between(address, address).zone == Zone::Open
        })
    }

    /// Brings the certificate for browsers up to date: with the owner, and with the addresses and
    /// names there are now. Blocks on the disk.
    pub fn renew_certificate(&self) {
        let claim = self.ownership.claim();
        let owner = claim
            .as_ref()
            .map(|claim| (claim.owner.callsign(), claim.server.not_before()));
        match self.tls.refresh(owner, &self.names.numbered()) {
            Ok(true) => tracing::info!("the certificate for browsers is renewed"),
            Ok(false) => {}
            Err(error) => {
                let error = anyhow::Error::from(error);
                tracing::error!("browsers have no secure address: {error:#}");
            }
        }
    }
}

/// Most bytes of a request body.
const MAX_BODY: usize = 256 * 1024;

/// Scripts and styles only from this server; connections also to servers elsewhere on the network.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' ws: wss: http: https:; \
    object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Every route of the server.
pub fn router(app: Arc<App>) -> Router {
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    Router::new()
        .route("/healthz", get(status::health))
        .route("/metrics", get(metrics::metrics))
        .route("/api/status", get(status::status))
        .route("/api/info", get(status::info))
        .route("/api/claim-station", get(claim::offer).post(claim::claim))
        .route("/api/local-servers", get(local_servers::list))
        .route("/api/diagnose", get(diagnose::diagnose))
        .route("/api/nonce", get(network::nonce))
        .route("/api/network", post(network::network))
        .route("/api/zones", get(zones::list).post(zones::set))
        .route("/api/aredn", get(aredn::entry).post(aredn::import))
        .route("/api/qr.svg", get(sharing::svg))
        .route("/api/qr.png", get(sharing::png))
        .route("/trust", get(trust::page))
        .route("/trust/ca.crt", get(trust::certificate))
        .route("/trust/ham-server.mobileconfig", get(trust::profile))
        .route("/signal", get(signal::upgrade))
        .route("/ws/signal", get(signal::upgrade))
        .route("/api/peers", get(peers::list).post(peers::add))
        .route("/api/peers/warnings", get(peers::warnings))
        .route("/api/peers/catalogs", get(peers::catalogs))
        .route("/api/peers/{id}", delete(peers::remove))
        .route("/api/peers/{id}/accept", post(peers::accept))
        .route("/coordinate", get(coordinate::upgrade))
        .route("/ws/coordinate", get(coordinate::upgrade))
        .merge(authority::routes())
        .fallback(web::asset)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(cors())
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            guard::check,
        ))
        .layer(header(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "no-referrer"))
        .layer(header(header::CACHE_CONTROL, "no-store"))
        .with_state(app)
}

/// Anybody's page may read what everybody may read.
fn cors() -> CorsLayer {
    let named = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::DELETE, Method::OPTIONS])
        .allow_headers([
            header::CONTENT_TYPE,
            named("content-digest"),
            named("signature"),
            named("signature-input"),
        ])
        .expose_headers([header::LINK, header::RETRY_AFTER, named("ham-nonce")])
}

//! TLS for browsers on the same port: the server's side of it, with a leaf for the names and
//! addresses it has now.
//!
//! The leaf follows the machine: when an address comes or goes, or the leaf grows old, a new one is
//! made, and connections that are open keep theirs.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use ipnet::Ipv4Net;
use ring::digest;
use station::{Callsign, Fingerprint};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

use super::authority::{Authority, AuthorityError, Leaf};
use super::clock::Clock;
use crate::aredn;
use crate::network::{Reach, url_host};

/// The server's TLS. Nothing is served over it until there is an owner.
#[derive(Debug)]
pub struct Tls {
    acceptor_config: Arc<ServerConfig>,
    resolver: Arc<Resolver>,
    folder: PathBuf,
    reach: Reach,
    /// Networks of 44net that the browser CA may sign for.
    amateur: Vec<Ipv4Net>,
    clock: Clock,
    /// One refresh at a time: two that both found no CA would each make one over the other's files.
    refreshing: Mutex<()>,
}

/// What browsers are asked to trust, as a file.
#[derive(Debug, Clone)]
pub struct Root {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// SHA-256 of it.
    pub fingerprint: Fingerprint,
    /// The networks of 44net that it vouches for, beside private ones.
    pub amateur: Vec<Ipv4Net>,
}

#[derive(Debug, Default)]
struct Resolver(RwLock<Option<Current>>);

#[derive(Debug)]
struct Current {
    authority: Authority,
    leaf: Leaf,
    certified: Arc<CertifiedKey>,
    names: BTreeSet<String>,
    addresses: Vec<IpAddr>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The browser CA cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The TLS library refuses what was made.
    #[error("the certificate for browsers cannot be used")]
    Rustls(#[from] rustls::Error),
}

impl Tls {
    /// TLS whose browser CA is kept in `folder`, for the addresses of `reach`. A CA that is made anew may also sign
    /// for `amateur` networks.
    ///
    /// # Errors
    /// [`TlsError::Rustls`] when the library cannot be set up.
    pub fn new(
        folder: PathBuf,
        reach: Reach,
        amateur: Vec<Ipv4Net>,
        clock: Clock,
    ) -> Result<Self, TlsError> {
        let resolver = Arc::new(Resolver::default());
        let certificates: Arc<dyn ResolvesServerCert> = Arc::<Resolver>::clone(&resolver);
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_cert_resolver(certificates);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor_config: Arc::new(config),
            resolver,
            folder,
            reach,
            amateur,
            clock,
            refreshing: Mutex::new(()),
        })
    }

    /// Brings the certificate up to date: makes the CA when there is an owner for the first time,
    /// and a leaf when names or addresses changed. Without an owner there is no TLS. Blocks on the
    /// disk. True if anything changed. `owner` comes with the time their clock showed when they
    /// claimed the server: it is later than that now, whatever this machine's clock says.
    ///
    /// # Errors
    /// [`TlsError`]; what was there before goes on.
    pub fn refresh(
        &self,
        owner: Option<(&Callsign, SystemTime)>,
        numbered: &BTreeSet<String>,
    ) -> Result<bool, TlsError> {
        let _alone = self
            .refreshing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some((owner, claimed)) = owner else {
            let mut current = self.resolver.write();
            return Ok(current.take().is_some());
        };
        let now = self.clock.now(claimed);
        let names = host_names(owner, numbered);
        let addresses = self.reach.addresses();
        let unchanged = |current: &Current| {
            current.names == names
                && current.addresses == addresses
                && !current.leaf.is_out_of_date(now)
        };
        if self.resolver.read().as_ref().is_some_and(unchanged) {
            return Ok(false);
        }
        let authority = Authority::open(&self.folder, owner, &self.amateur, now)?;
        let first = self.resolver.read().is_none();
        let permitted = |network: &&Ipv4Net| authority.permitted.network(**network);
        if first && let Some(network) = self.amateur.iter().find(|one| !permitted(one)) {
            tracing::warn!(
                "addresses of {network} get no secure address: the certificate that devices trust was made without \
                 that network. To have it made anew, and every device trust it anew, remove the three browser-* files in {}",
                self.folder.display()
            );
        }
        let leaf = authority.leaf(&names, &addresses, now)?;
        let key = provider::sign::any_supported_type(&leaf.key)?;
        let certified = Arc::new(CertifiedKey::new(leaf.chain.clone(), key));
        *self.resolver.write() = Some(Current {
            authority,
            leaf,
            certified,
            names,
            addresses,
        });
        Ok(true)
    }

    /// What accepts a handshake; none without an owner.
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        let ready = self.resolver.read().is_some();
        ready.then(|| TlsAcceptor::from(Arc::clone(&self.acceptor_config)))
    }

    /// The root certificate to install; none without an owner.
    #[must_use]
    pub fn root(&self) -> Option<Root> {
        self.resolver.read().as_ref().map(|current| {
            let der = current.authority.root.to_vec();
            let mut fingerprint = [0; 32];
            fingerprint.copy_from_slice(digest::digest(&digest::SHA256, &der).as_ref());
            Root {
                der,
                fingerprint: Fingerprint::new(fingerprint),
                amateur: current.authority.permitted.amateur().collect(),
            }
        })
    }

    /// The secure URLs of this server, the stable name first; of addresses, those that `may_encrypt`.
    #[must_use]
    pub fn urls(&self, port: u16, may_encrypt: impl Fn(IpAddr) -> bool) -> Vec<String> {
        let current = self.resolver.read();
        let Some(current) = current.as_ref() else {
            return Vec::new();
        };
        let permitted = &current.authority.permitted;
        let names = current.names.iter();
        let names = names.filter(|name| name.ends_with(".local") && permitted.name(name));
        // The owner's callsign before the name every server shares.
        let mut names: Vec<_> = names.cloned().collect();
        names.sort_by_key(|name| name.starts_with("ham-server"));
        let addresses = current.addresses.iter().copied();
        let addresses =
            addresses.filter(|address| permitted.address(*address) && may_encrypt(*address));
        let addresses = addresses.map(url_host);
        names
            .into_iter()
            .chain(addresses)
            .map(|host| format!("https://{host}:{port}"))
            .collect()
    }
}

impl Resolver {
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Option<Current>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Option<Current>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Resolver {
    /// Whatever name the client asks for: there is one certificate, and the client judges it.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.read()
            .as_ref()
            .map(|current| Arc::clone(&current.certified))
    }
}

fn host_names(owner: &Callsign, numbered: &BTreeSet<String>) -> BTreeSet<String> {
    let plain = [owner.base().to_ascii_lowercase(), "ham-server".to_owned()];
    let labels = plain.iter().chain(numbered);
    let names = labels.flat_map(|label| [format!("{label}.local"), format!("{label}.local.mesh")]);
    let on_mesh = format!("{}.local.mesh", aredn::host_label(owner));
    names.chain([on_mesh]).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn refreshes_at_the_same_time_make_one_authority() {
        let folder = tempfile::tempdir().unwrap();
        let owner = Callsign::parse("W1AW").unwrap();
        let clock = Clock::open(folder.path());
        let tls = Tls::new(
            folder.path().to_owned(),
            Reach::default(),
            Vec::new(),
            clock,
        )
        .unwrap();
        let refresh = || {
            tls.refresh(Some((&owner, SystemTime::UNIX_EPOCH)), &BTreeSet::new())
                .unwrap()
        };
        let made = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(refresh)).collect();
            let made = threads.into_iter().map(|thread| thread.join().unwrap());
            made.filter(|made| *made).count()
        });
        assert_eq!(made, 1);
        let kept = fs::read(folder.path().join("browser-root.pem")).unwrap();
        let kept = CertificateDer::from_pem_slice(&kept).unwrap();
        assert_eq!(tls.root().unwrap().der, kept.to_vec());
    }
}

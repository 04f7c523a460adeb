//! The browser CA: a root and an intermediate of this server's own, so that browsers trust its TLS.
//!
//! It has nothing to do with operators' certificates, and cannot harm who installs its root. Both
//! certificates carry critical name constraints (RFC 5280, 4.2.1.10): this server's own names under
//! `local` and `local.mesh`, and private address ranges; no site of the internet. The root's key
//! signs the intermediate and is then gone. This is the one place where a certificate ends: leaves
//! live at most 397 days, because browsers accept no longer ones.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use ipnet::Ipv4Net;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType, SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use station::Callsign;

use super::clock::built;
use super::permitted::Permitted;
use crate::aredn;
use crate::files;

const KEY_FILE: &str = "browser-intermediate.key";
const INTERMEDIATE_FILE: &str = "browser-intermediate.pem";
const ROOT_FILE: &str = "browser-root.pem";

/// What the server keeps of its CA; the root's key is not among it. The root is written last, so
/// that what is there is whole.
pub(crate) const FILES: [&str; 3] = [KEY_FILE, INTERMEDIATE_FILE, ROOT_FILE];

/// How many servers of one name the constraints foresee: `w1aw-2.local` and so on.
const MOST_NUMBERED: u32 = 9;

/// The networks that are every house's own (RFC 1918, RFC 3927).
const PRIVATE: [Ipv4Net; 4] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a leaf lives in all, one day of which is for clocks that are slow.
const LEAF_LIFE: Duration = DAY.saturating_mul(397);

/// This server's browser CA, ready to sign leaves.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) root: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    pub(super) permitted: Permitted,
}

/// A TLS certificate with its chain and key.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) made: SystemTime,
}

/// Why there is no browser CA, or no leaf.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Its files cannot be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error(
        "{0} is damaged; remove the three browser-* files beside it, and browsers must trust the server anew"
    )]
    Damaged(PathBuf),
    /// A certificate cannot be made.
    #[error("a certificate for browsers cannot be made")]
    Made(#[from] rcgen::Error),
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] crate::runtime::NoRandomness),
}

impl Authority {
    /// The CA kept in this folder, or a new one there, which may also sign for `amateur` networks.
    ///
    /// # Errors
    /// [`AuthorityError`] when its files cannot be used.
    pub(super) fn open(
        folder: &Path,
        owner: &Callsign,
        amateur: &[Ipv4Net],
        now: SystemTime,
    ) -> Result<Self, AuthorityError> {
        match fs::metadata(folder.join(ROOT_FILE)) {
            Ok(_) => Self::read(folder, owner, now),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::make(folder, owner, amateur, now)
            }
            Err(source) => Err(AuthorityError::File {
                path: folder.join(ROOT_FILE),
                source,
            }),
        }
    }

    fn read(folder: &Path, owner: &Callsign, now: SystemTime) -> Result<Self, AuthorityError> {
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|source| AuthorityError::File { path, source })
        };
        let damaged = |name: &str| AuthorityError::Damaged(folder.join(name));
        let certificate = |name: &str| {
            CertificateDer::from_pem_slice(text(name)?.as_bytes()).map_err(|_| damaged(name))
        };
        let key = KeyPair::from_pem(&text(KEY_FILE)?).map_err(|_| damaged(KEY_FILE))?;
        let root = certificate(ROOT_FILE)?;
        let permitted = Permitted::of(&root).ok_or_else(|| damaged(ROOT_FILE))?;
        // Of these parameters, only the name and the key get into leaves.
        let named = authority("intermediate", owner, 0, constraints(owner, &[]), now)?;
        Ok(Self {
            root,
            intermediate: certificate(INTERMEDIATE_FILE)?,
            issuer: Issuer::new(named, key),
            permitted,
        })
    }

    fn make(
        folder: &Path,
        owner: &Callsign,
        amateur: &[Ipv4Net],
        now: SystemTime,
    ) -> Result<Self, AuthorityError> {
        let constraints = constraints(owner, amateur);
        let root_key = KeyPair::generate()?;
        let root = authority("root", owner, 1, constraints.clone(), now)?;
        let root_certificate = root.self_signed(&root_key)?;
        let key = KeyPair::generate()?;
        let intermediate = authority("intermediate", owner, 0, constraints, now)?;
        let signed = intermediate.signed_by(&key, &Issuer::new(root, root_key))?;
        let contents = [key.serialize_pem(), signed.pem(), root_certificate.pem()];
        for (name, content) in FILES.into_iter().zip(contents) {
            let path = folder.join(name);
            files::write_secret(&path, content.as_bytes())
                .map_err(|source| AuthorityError::File { path, source })?;
        }
        let root = CertificateDer::from(root_certificate);
        let damaged = || AuthorityError::Damaged(folder.join(ROOT_FILE));
        Ok(Self {
            permitted: Permitted::of(&root).ok_or_else(damaged)?,
            root,
            intermediate: signed.into(),
            issuer: Issuer::new(intermediate, key),
        })
    }

    /// Makes a leaf for the host names and addresses; those outside the constraints are left out.
    pub(super) fn leaf(
        &self,
        names: &BTreeSet<String>,
        addresses: &[IpAddr],
        made: SystemTime,
    ) -> Result<Leaf, AuthorityError> {
        let mut leaf = params("ham-server", made)?;
        leaf.not_after = (made - DAY + LEAF_LIFE).into();
        leaf.use_authority_key_identifier_extension = true;
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        for name in names.iter().filter(|name| self.permitted.name(name)) {
            leaf.subject_alt_names
                .push(SanType::DnsName(name.as_str().try_into()?));
        }
        let addresses = addresses.iter().copied();
        for address in addresses.filter(|address| self.permitted.address(*address)) {
            leaf.subject_alt_names.push(SanType::IpAddress(address));
        }
        let key = KeyPair::generate()?;
        let signed = leaf.signed_by(&key, &self.issuer)?;
        Ok(Leaf {
            chain: vec![signed.into(), self.intermediate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            made,
        })
    }
}

impl Leaf {
    /// Whether two thirds of its life are over, or it has not begun by a clock that was set back.
    pub(super) fn is_out_of_date(&self, now: SystemTime) -> bool {
        match now.duration_since(self.made) {
            Ok(age) => age > LEAF_LIFE * 2 / 3,
            Err(ahead) => ahead.duration() >= DAY,
        }
    }
}

/// A CA certificate under the constraints, with `below` CA certificates under it. It is as old as this program: what a
/// wrong clock says at the claim must not decide from when on devices trust it.
fn authority(
    role: &str,
    owner: &Callsign,
    below: u8,
    constraints: NameConstraints,
    now: SystemTime,
) -> Result<CertificateParams, AuthorityError> {
    let name = format!("ham-server {} {role}", owner.base());
    let mut params = params(&name, built().min(now))?;
    // RFC 5280, 4.1.2.5: no expiry. What ends is the leaf.
    params.not_after = rcgen::date_time_ymd(9999, 12, 31) + (DAY - Duration::from_secs(1));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = below == 0;
    params.name_constraints = Some(constraints);
    Ok(params)
}

fn params(name: &str, now: SystemTime) -> Result<CertificateParams, AuthorityError> {
    let mut serial = [0; 16];
    let random = SystemRandom::new();
    random
        .fill(&mut serial)
        .map_err(|_| crate::runtime::NoRandomness)?;
    // Positive, and not zero.
    serial[0] = serial[0] & 0x3f | 0x40;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = (now - DAY).into();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn constraints(owner: &Callsign, amateur: &[Ipv4Net]) -> NameConstraints {
    let names = labels(owner)
        .into_iter()
        .flat_map(|label| [format!("{label}.local"), format!("{label}.local.mesh")])
        .map(GeneralSubtree::DnsName);
    let v4 = PRIVATE.iter().chain(amateur);
    let v4 = v4.map(|net| (IpAddr::V4(net.network()), net.prefix_len()));
    let v6 = [
        (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
        (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    ];
    let v6 = v6.map(|(address, prefix)| (IpAddr::V6(address), prefix));
    let subnets = v4.chain(v6).map(|(address, prefix)| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
    });
    NameConstraints {
        permitted_subtrees: names.chain(subnets).collect(),
        excluded_subtrees: Vec::new(),
    }
}

/// The first labels of names this server may have, numbered ones and the one on AREDN networks included.
fn labels(owner: &Callsign) -> BTreeSet<String> {
    let plain = [owner.base().to_ascii_lowercase(), "ham-server".to_owned()];
    let numbered = |label: String| {
        (1..=MOST_NUMBERED).map(move |number| match number {
            1 => label.clone(),
            _ => format!("{label}-{number}"),
        })
    };
    let labels = plain.into_iter().flat_map(numbered);
    labels.chain([aredn::host_label(owner)]).collect()
}

#[cfg(test)]
mod tests {
    use der::Decode as _;

    use super::*;

    fn open(folder: &Path, amateur: &[&str], now: SystemTime) -> Result<Authority, AuthorityError> {
        let owner = Callsign::parse("F/W1AW").unwrap();
        let amateur: Vec<_> = amateur.iter().map(|text| text.parse().unwrap()).collect();
        Authority::open(folder, &owner, &amateur, now)
    }

    #[test]
    fn it_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let made = open(folder.path(), &[], now).unwrap();
        let kept = open(folder.path(), &[], now).unwrap();
        assert_eq!(made.root, kept.root);
        assert_eq!(made.permitted, kept.permitted);
        let names = BTreeSet::from(["w1aw.local".to_owned(), "example.com".to_owned()]);
        let leaf = kept
            .leaf(&names, &["192.168.1.9".parse().unwrap()], now)
            .unwrap();
        assert_eq!(leaf.chain.len(), 2);
        assert!(!leaf.is_out_of_date(now) && !leaf.is_out_of_date(now - DAY / 2));
        assert!(leaf.is_out_of_date(now + DAY * 300));
        // The clock had been wrong, and was set back.
        assert!(leaf.is_out_of_date(now - DAY * 300));
        fs::write(folder.path().join(KEY_FILE), "gone").unwrap();
        let error = open(folder.path(), &[], now).unwrap_err();
        assert!(matches!(error, AuthorityError::Damaged(_)), "{error}");
    }

    #[test]
    fn a_clock_that_is_wrong_at_the_claim_does_not_date_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let made = open(folder.path(), &[], SystemTime::now() + DAY * 3_650).unwrap();
        let root = x509_cert::Certificate::from_der(&made.root).unwrap();
        let from = root.tbs_certificate().validity().not_before;
        assert!(from.to_system_time() < SystemTime::now());
    }

    #[test]
    fn only_its_own_names_and_private_addresses_are_vouched_for() {
        let folder = tempfile::tempdir().unwrap();
        let amateur = "44.30.1.0/24";
        let own = open(folder.path(), &[amateur], SystemTime::now()).unwrap();
        // Settings of later change nothing.
        let kept = open(folder.path(), &["44.31.0.0/16"], SystemTime::now()).unwrap();
        assert_eq!(own.permitted, kept.permitted);
        let address = |text: &str| kept.permitted.address(text.parse().unwrap());
        for yes in [
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "fd00::1",
            "fe80::1",
            "44.30.1.7",
        ] {
            assert!(address(yes), "{yes}");
        }
        for no in [
            "8.8.8.8",
            "44.0.0.1",
            "44.31.0.1",
            "172.32.0.1",
            "127.0.0.1",
            "2001:db8::1",
            "::1",
        ] {
            assert!(!address(no), "{no}");
        }
        assert!(kept.permitted.network(amateur.parse().unwrap()));
        assert!(!kept.permitted.network("44.30.0.0/16".parse().unwrap()));
        for yes in [
            "w1aw.local",
            "ham-server-9.local.mesh",
            "w1aw-ham-server.local.mesh",
        ] {
            assert!(kept.permitted.name(yes), "{yes}");
        }
        for no in [
            "w1aw-10.local",
            "example.com",
            "local",
            "k1abc.local",
            "x.w1aw.local",
        ] {
            assert!(!kept.permitted.name(no), "{no}");
        }
    }
}

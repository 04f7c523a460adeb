//! What strangers may cost beside signature checks ([`Budget`](crate::budget::Budget)): places for what nobody trusted vouches for.

use station::KeyId;

/// How much a [`TrustGraph`](super::TrustGraph) holds. Full means that a newcomer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most signature checks for one certificate on one arrival: as many keys of its issuer's name
    /// are tried, the likeliest first.
    pub checks_per_certificate: usize,
    /// Certificates whose issuer is unknown.
    pub waiting: Share,
    /// Certificates that are well signed by keys nobody here trusts.
    pub untrusted: Share,
    /// Untrusted keys under one subject name, so that a name cannot be crowded.
    pub untrusted_keys_per_name: usize,
    /// Certificates below one key that a trust anchor vouches for. The owner can raise it
    /// ([`TrustGraph::raise_cap`](super::TrustGraph::raise_cap)).
    pub below_one_key: usize,
}

/// How a pool of places is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Places in all.
    pub total: usize,
    /// Of these, places that only trusted origins take.
    pub reserved: usize,
    /// Most places charged to one link, one origin or one root.
    pub each: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            checks_per_certificate: 32,
            waiting: Share {
                total: 512,
                reserved: 128,
                each: 64,
            },
            untrusted: Share {
                total: 8192,
                reserved: 2048,
                each: 1024,
            },
            untrusted_keys_per_name: 16,
            below_one_key: 20_000,
        }
    }
}

/// Where a certificate came from, in the caller's own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The owner brought it: no share is charged.
    Owner,
    /// Somebody else did.
    Stranger {
        /// The connection or server that handed it over.
        link: u64,
        /// The server or person that first announced it.
        origin: u64,
        /// Whether that origin is trusted here, and may use the reserved share.
        trusted: bool,
    },
}

/// A place for what is not trusted could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The link has its share.
    #[error("this link has used up its places for certificates that nobody trusted vouches for")]
    Link,
    /// The origin has its share.
    #[error("this origin has used up its places for certificates that nobody trusted vouches for")]
    Origin,
    /// The root above the certificate has its share.
    #[error("the root {0} has used up its places for certificates that nobody trusted vouches for")]
    Root(KeyId),
    /// Everything is taken, and no link holds more than this one.
    #[error("there is no place left for certificates that nobody trusted vouches for")]
    Total,
}

//! Single-use nonces: given out, good for five minutes, taken back once.
//!
//! Anybody may ask, so there is a bound; and whoever asks for many takes the places of their own, not
//! those of others, who could sign nothing meanwhile.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ring::rand::SystemRandom;
use signaling::AddressGroup;

use super::shares::Shares;
use super::{NoRandomness, lock, nonce};

/// How long a nonce is good.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Nonces out at once. Then the group of addresses that has the most loses its oldest.
const MOST: usize = 4_096;

/// The nonces that are out.
#[derive(Debug)]
pub struct Nonces(Mutex<Out>);

#[derive(Debug)]
struct Out {
    /// With when they were given out.
    good: HashMap<String, Instant>,
    /// By whom they were given to. May still name nonces that came back.
    names: Shares<AddressGroup, String>,
}

impl Default for Nonces {
    fn default() -> Self {
        Self(Mutex::new(Out {
            good: HashMap::new(),
            names: Shares::new(MOST),
        }))
    }
}

impl Nonces {
    /// Gives out a nonce to somebody of this group of addresses. Anybody may bring it back.
    ///
    /// # Errors
    /// [`NoRandomness`] when the system gives none.
    pub fn give(
        &self,
        random: &SystemRandom,
        to: AddressGroup,
        now: Instant,
    ) -> Result<String, NoRandomness> {
        let nonce = nonce(random)?;
        let mut out = lock(&self.0);
        if let Some(gone) = out.names.push(to, nonce.clone()) {
            out.good.remove(&gone);
        }
        out.good.insert(nonce.clone(), now);
        Ok(nonce)
    }

    /// Takes a nonce back. True the first time, in time.
    pub fn take(&self, nonce: &str, now: Instant) -> bool {
        let given = lock(&self.0).good.remove(nonce);
        given.is_some_and(|given| now.saturating_duration_since(given) < LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn group(number: u32) -> AddressGroup {
        AddressGroup::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn a_nonce_works_once_and_in_time() {
        let (nonces, random, now) = (Nonces::default(), SystemRandom::new(), Instant::now());
        let nonce = nonces.give(&random, group(1), now).unwrap();
        assert!(crate::runtime::is_nonce(&nonce));
        assert!(nonces.take(&nonce, now));
        assert!(!nonces.take(&nonce, now));
        let late = nonces.give(&random, group(1), now).unwrap();
        assert!(!nonces.take(&late, now + LIFETIME));
        assert!(!nonces.take("made up", now));
    }

    #[test]
    fn a_flood_costs_bounded_memory_and_takes_nobody_elses_nonce() {
        let (nonces, random, now) = (Nonces::default(), SystemRandom::new(), Instant::now());
        let owners = nonces.give(&random, group(1), now).unwrap();
        let first = nonces.give(&random, group(2), now).unwrap();
        for _ in 0..MOST {
            nonces.give(&random, group(2), now).unwrap();
        }
        // Many addresses are no help either, while each has more than the owner.
        for number in 0..MOST {
            let from = group(3 + u32::try_from(number % 200).unwrap());
            nonces.give(&random, from, now).unwrap();
        }
        assert!(!nonces.take(&first, now));
        assert!(nonces.take(&owners, now));
        assert!(lock(&nonces.0).good.len() <= MOST);
        assert_eq!(lock(&nonces.0).names.take().len(), MOST);
    }
}

//! Single-use nonces: given out, good for five minutes, taken back once.

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ring::rand::SystemRandom;

use super::{NoRandomness, lock, nonce};

/// How long a nonce is good.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Nonces out at once; asking for more makes the oldest worthless.
const MOST: usize = 4_096;

/// The nonces that are out.
#[derive(Debug, Default)]
pub struct Nonces(Mutex<Out>);

#[derive(Debug, Default)]
struct Out {
    /// By age; may still name nonces that came back.
    queue: VecDeque<(Instant, String)>,
    good: HashSet<String>,
}

impl Nonces {
    /// Gives out a nonce.
    ///
    /// # Errors
    /// [`NoRandomness`] when the system gives none.
    pub fn give(&self, random: &SystemRandom, now: Instant) -> Result<String, NoRandomness> {
        let nonce = nonce(random)?;
        let mut out = lock(&self.0);
        out.expire(now);
        out.good.insert(nonce.clone());
        out.queue.push_back((now, nonce.clone()));
        Ok(nonce)
    }

    /// Takes a nonce back. True the first time, in time.
    pub fn take(&self, nonce: &str, now: Instant) -> bool {
        let mut out = lock(&self.0);
        out.expire(now);
        out.good.remove(nonce)
    }
}

impl Out {
    fn expire(&mut self, now: Instant) {
        while let Some((given, nonce)) = self.queue.front() {
            if now.duration_since(*given) < LIFETIME && self.queue.len() < MOST {
                return;
            }
            self.good.remove(nonce);
            self.queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_works_once_and_in_time() {
        let (nonces, random, now) = (Nonces::default(), SystemRandom::new(), Instant::now());
        let nonce = nonces.give(&random, now).unwrap();
        assert!(crate::runtime::is_nonce(&nonce));
        assert!(nonces.take(&nonce, now));
        assert!(!nonces.take(&nonce, now));
        let late = nonces.give(&random, now).unwrap();
        assert!(!nonces.take(&late, now + LIFETIME));
        assert!(!nonces.take("made up", now));
    }

    #[test]
    fn a_flood_costs_bounded_memory() {
        let (nonces, random, now) = (Nonces::default(), SystemRandom::new(), Instant::now());
        let first = nonces.give(&random, now).unwrap();
        for _ in 0..MOST {
            nonces.give(&random, now).unwrap();
        }
        assert!(!nonces.take(&first, now));
        assert!(lock(&nonces.0).queue.len() <= MOST);
    }
}

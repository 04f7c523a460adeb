//! `[limits]`: what everybody together, and each one, may cost. All of it in one place.
//!
//! Each limit can be set in the settings file, by `--limit NAME=N` and by `HAM_SERVER_LIMITS`. What may come
//! at once follows from the sustained rate and is not set apart.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use signaling::limit::Rate;

use super::ConfigError;

/// Limits, complete.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// WebSockets, and sessions that wait for their client, at once.
    pub connections: NonZeroU32,
    /// Of these, from one address (IPv6: one network of 64 bits).
    pub address_connections: NonZeroU32,
    /// Connections at once that are no WebSocket yet, handshakes included.
    pub requests: NonZeroU32,
    /// Of these, from one address.
    pub address_requests: NonZeroU32,
    /// HTTP requests from one address; twenty times as many at once.
    pub address_requests_per_second: NonZeroU32,
    /// Time for a request to come whole and be answered.
    pub request_seconds: NonZeroU32,
    /// New connections from one address; ten times as many at once.
    pub address_arrivals_per_second: NonZeroU32,
    /// Messages on one WebSocket; as many at once.
    pub messages_per_minute: NonZeroU32,
    /// Bytes on one WebSocket; as many at once.
    pub bytes_per_second: NonZeroU32,
    /// WebSocket pings and pongs on one WebSocket; half as many at once.
    pub pings_per_minute: NonZeroU32,
    /// Offers on one WebSocket; as many at once.
    pub offers_per_minute: NonZeroU32,
    /// Changes of nets on one WebSocket; half as many at once.
    pub moves_per_minute: NonZeroU32,
    /// Messages of all sessions of one key; as many at once.
    pub identity_messages_per_minute: NonZeroU32,
    /// Messages of all WebSockets from one address; as many at once.
    pub address_messages_per_minute: NonZeroU32,
    /// Signals in one net; twice as many at once.
    pub net_signals_per_second: NonZeroU32,
    /// Sessions that enter one net; ten times as many at once.
    pub net_arrivals_per_second: NonZeroU32,
    /// Failed logins, and WebSockets closed for what they did, from one address; as many at once.
    pub failures_per_minute: NonZeroU32,
    /// The first pause of an address that failed too often; each next one is twice as long.
    pub pause_seconds: NonZeroU32,
    /// The longest.
    pub longest_pause_seconds: NonZeroU32,
    /// Bytes that wait to be sent, over all WebSockets.
    pub queued_bytes: NonZeroU32,
    /// Bytes kept for sessions that wait for their client, over all of them.
    pub kept_bytes: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        const fn n(n: u32) -> NonZeroU32 {
            match NonZeroU32::new(n) {
                Some(n) => n,
                None => NonZeroU32::MIN,
            }
        }
        Self {
            connections: n(10_000),
            address_connections: n(256),
            requests: n(1_024),
            address_requests: n(64),
            address_requests_per_second: n(100),
            request_seconds: n(60),
            address_arrivals_per_second: n(50),
            messages_per_minute: n(100),
            bytes_per_second: n(1_000_000),
            pings_per_minute: n(120),
            offers_per_minute: n(30),
            moves_per_minute: n(20),
            identity_messages_per_minute: n(300),
            address_messages_per_minute: n(3_000),
            net_signals_per_second: n(5_000),
            net_arrivals_per_second: n(1_000),
            failures_per_minute: n(10),
            pause_seconds: n(5),
            longest_pause_seconds: n(15 * 60),
            queued_bytes: n(64 * 1024 * 1024),
            kept_bytes: n(64 * 1024 * 1024),
        }
    }
}

impl Limits {
    /// The file's table with what was typed (`NAME=N`) put over it.
    pub(super) fn resolve(mut table: toml::Table, typed: &[String]) -> Result<Self, ConfigError> {
        for setting in typed {
            let (name, number) = setting
                .split_once('=')
                .and_then(|(name, number)| Some((name, number.parse::<u32>().ok()?)))
                .ok_or_else(|| ConfigError::Limit(format!("{setting} is not NAME=N")))?;
            table.insert(name.to_owned(), i64::from(number).into());
        }
        Self::deserialize(table).map_err(|error| ConfigError::Limit(error.message().to_owned()))
    }

    /// What of this the hub holds its clients to.
    #[must_use]
    pub fn of_hub(&self) -> signaling::Limits {
        let count = |n: NonZeroU32| usize::try_from(n.get()).unwrap_or(usize::MAX);
        let seconds = |n: NonZeroU32| Duration::from_secs(n.get().into());
        let a_minute = |n: NonZeroU32| Rate::per_minute(n.get(), n.get());
        let half_at_once = |n: NonZeroU32| Rate::per_minute(n.get(), n.get().div_ceil(2));
        let a_second =
            |n: NonZeroU32, times: u32| Rate::per_second(n.get(), n.get().saturating_mul(times));
        signaling::Limits {
            sessions: count(self.connections),
            address_connections: count(self.address_connections),
            messages: a_minute(self.messages_per_minute),
            bytes: a_second(self.bytes_per_second, 1),
            controls: half_at_once(self.pings_per_minute),
            offers: a_minute(self.offers_per_minute),
            moves: half_at_once(self.moves_per_minute),
            identity_messages: a_minute(self.identity_messages_per_minute),
            address_messages: a_minute(self.address_messages_per_minute),
            net_signals: a_second(self.net_signals_per_second, 2),
            net_arrivals: a_second(self.net_arrivals_per_second, 10),
            offences: a_minute(self.failures_per_minute),
            pause: seconds(self.pause_seconds),
            pause_at_most: seconds(self.longest_pause_seconds),
            kept_in_all: count(self.kept_bytes),
            ..signaling::Limits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_protocol_description() {
        let ours = format!("{:?}", Limits::default().of_hub());
        assert_eq!(ours, format!("{:?}", signaling::Limits::default()));
    }

    #[test]
    fn what_is_typed_wins_over_the_file_and_wrong_names_are_said() {
        let file: toml::Table = toml::from_str("connections = 5\noffers-per-minute = 7").unwrap();
        let typed = ["connections=6".to_owned()];
        let limits = Limits::resolve(file.clone(), &typed).unwrap();
        assert_eq!(
            (limits.connections.get(), limits.offers_per_minute.get()),
            (6, 7)
        );
        for (wrong, said) in [
            ("conections=6", "unknown field `conections`"),
            ("connections=0", "nonzero"),
            ("connections=many", "NAME=N"),
            ("connections", "NAME=N"),
        ] {
            let error = Limits::resolve(file.clone(), &[wrong.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(said), "{wrong}: {error}");
        }
    }
}

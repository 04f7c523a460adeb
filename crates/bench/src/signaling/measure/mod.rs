//! What is measured: each part alone, on every server in turn.

pub(crate) mod flood;
pub(crate) mod growth;
pub(crate) mod idle;
pub(crate) mod latency;
pub(crate) mod storm;
pub(crate) mod throughput;

/// Pairs who signal to each other.
pub(crate) const PAIRS: usize = 50;

/// A session description of 600 bytes.
pub(crate) fn sdp() -> String {
    let line = "a=candidate:1 1 udp 2113937151 192.168.1.100 54321 typ host\r\n";
    line.repeat(10)[..600].to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_session_description_has_600_bytes() {
        assert_eq!(super::sdp().len(), 600);
    }
}

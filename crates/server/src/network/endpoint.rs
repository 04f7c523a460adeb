//! Where a server is, as the owner or another server writes it: `https://192.168.1.7:8080`.

use std::net::IpAddr;
use std::str::FromStr;

use super::split_authority;

/// Most bytes of an endpoint.
const MAX_LEN: usize = 256;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether it is reached over TLS, where that is allowed.
    pub tls: bool,
    /// A name or an address, an IPv6 one without brackets; in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A text names no place where a server could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a server's address is http://HOST:PORT or https://HOST:PORT, without a path")]
pub struct EndpointError;

impl Endpoint {
    /// The address, if it is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// `HOST:PORT` as it stands in a URL.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.address() {
            Some(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// The URL of its WebSocket for servers.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/coordinate", self.authority())
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError)?;
        let (tls, usual_port) = match scheme {
            "http" | "ws" => (false, 80),
            "https" | "wss" => (true, 443),
            _ => return Err(EndpointError),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_authority(authority).ok_or(EndpointError)?;
        let literal = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let port = port.unwrap_or(usual_port);
        let plausible = match literal {
            Some(literal) => literal
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_ipv6()),
            None => host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')),
        };
        if text.len() > MAX_LEN || port == 0 || !plausible {
            return Err(EndpointError);
        }
        Ok(Self {
            tls,
            host: literal.unwrap_or(host).to_ascii_lowercase(),
            port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_hosts_and_ports() {
        let url = |text: &str| text.parse::<Endpoint>().map(|one| one.url("ws"));
        assert_eq!(
            url("http://192.168.1.7:8080").unwrap(),
            "ws://192.168.1.7:8080/coordinate"
        );
        assert_eq!(
            url("https://[fd00::1]:9/").unwrap(),
            "ws://[fd00::1]:9/coordinate"
        );
        assert_eq!(
            url("http://W1AW.local").unwrap(),
            "ws://w1aw.local:80/coordinate"
        );
        assert!("https://a".parse::<Endpoint>().unwrap().tls);
        for wrong in [
            "",
            "192.168.1.7:8080",
            "ftp://a",
            "http://",
            "http://a:0",
            "http://a:70000",
            "http://a/path",
            "http://user@a",
            "http://a b",
            "http://[a]",
            "http://[192.168.1.7]",
            "http://a\r\nHost: b",
        ] {
            assert_eq!(url(wrong), Err(EndpointError), "{wrong:?}");
        }
        assert_eq!(
            url(&format!("http://{}", "a".repeat(300))),
            Err(EndpointError)
        );
    }
}

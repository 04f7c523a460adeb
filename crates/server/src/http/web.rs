//! The web app, out of the binary: compressed once when it was built, cached by browsers for ever
//! where the name tells the version, and asked about each time where it does not.

use std::io::Read as _;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

use super::problem::{self, Problem};

/// One file of the web app.
struct Asset {
    /// From the root: `/index.html`.
    path: &'static str,
    /// Whether `bytes` are compressed.
    gzip: bool,
    /// The entity tag, quoted.
    tag: &'static str,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Files under here carry the hash of their content in their name.
const IMMUTABLE: &str = "/assets/";

/// Answers every path that is nobody else's.
pub(super) async fn asset(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return problem::method_not_allowed().await.into_response();
    }
    let path = if uri.path() == "/" {
        "/index.html"
    } else {
        uri.path()
    };
    match ASSETS.binary_search_by(|asset| asset.path.cmp(path)) {
        Ok(found) => ASSETS[found].response(&headers),
        Err(_) => Problem::not_found().into_response(),
    }
}

impl Asset {
    fn response(&self, request: &HeaderMap) -> Response {
        let caching = if self.path.starts_with(IMMUTABLE) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let common = [
            (header::ETAG, HeaderValue::from_static(self.tag)),
            (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        let known = request
            .get(header::IF_NONE_MATCH)
            .and_then(|tags| tags.to_str().ok());
        if known.is_some_and(|tags| tags.split(',').any(|tag| same_tag(tag, self.tag))) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let content_type = [(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.media_type()),
        )];
        if !self.gzip {
            return (common, content_type, self.bytes).into_response();
        }
        if accepts_gzip(request) {
            let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
            return (common, content_type, encoding, self.bytes).into_response();
        }
        let mut plain = Vec::new();
        match GzDecoder::new(self.bytes).read_to_end(&mut plain) {
            Ok(_) => (common, content_type, plain).into_response(),
            Err(error) => Problem::internal(&error).into_response(),
        }
    }

    fn media_type(&self) -> &'static str {
        match self.path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("json") => "application/json",
            Some("webmanifest") => "application/manifest+json",
            Some("txt") => "text/plain; charset=utf-8",
            Some("wasm") => "application/wasm",
            _ => "application/octet-stream",
        }
    }
}

/// Caches may have weakened the tag (RFC 9110, 8.8.3.2).
fn same_tag(asked: &str, tag: &str) -> bool {
    let asked = asked.trim();
    asked == "*" || asked.strip_prefix("W/").unwrap_or(asked) == tag
}

/// RFC 9110, 12.5.3, as far as one encoding needs it: named, or any, and not weighted zero.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter();
    let codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut any = false;
    for coding in codings {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        let wanted = weight.parse::<f32>().is_ok_and(|weight| weight > 0.0);
        match name.trim() {
            "gzip" => return wanted,
            "*" => any = wanted,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        for yes in ["gzip", "deflate, gzip;q=0.5", "*", "br, gzip, *;q=0"] {
            assert!(accepts_gzip(&accepting(yes)), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *"] {
            assert!(!accepts_gzip(&accepting(no)), "{no}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_starts_with_a_page() {
        assert!(ASSETS.is_sorted_by_key(|asset| asset.path));
        let page = ASSETS.iter().find(|asset| asset.path == "/index.html");
        assert!(page.is_some_and(|page| page.media_type().starts_with("text/html")));
    }
}

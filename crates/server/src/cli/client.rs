//! Asking a server: the one on this machine, or another's by its URL.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use pki::SignatureBase;
use pki::request::content_digest;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::config::Config;
use crate::runtime::AdminKey;
use crate::server::Running;

/// Time a server has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Most bytes of an answer.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// A server to ask.
#[derive(Debug)]
pub(super) struct Client {
    url: String,
}

/// What it answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    /// The address of the next page.
    next: Option<String>,
}

/// The status, the address of the next page, and the body.
type Fetched = (StatusCode, Option<String>, Bytes);

impl Client {
    /// The server that uses this data folder.
    pub(super) fn local(config: &Config) -> anyhow::Result<Self> {
        let running = Running::read(&config.data_dir).ok_or_else(|| not_running(config))?;
        Ok(Self { url: running.url })
    }

    /// A server by its URL, as a person types it.
    pub(super) fn remote(url: &str) -> Self {
        let url = url.trim_end_matches('/');
        let url = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        Self { url }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask(Method::GET, path, &[], Bytes::new())
    }

    /// A file that everybody may have.
    pub(super) fn download(&self, path: &str) -> anyhow::Result<Bytes> {
        let (status, _, body) = self.fetch(Method::GET, path, &[], Bytes::new())?;
        if !status.is_success() {
            bail!("the server answered {status}");
        }
        Ok(body)
    }

    /// Every item of a list that comes in pages; `name` is the list's member, if it is one.
    pub(super) fn get_all(&self, path: &str, name: Option<&str>) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let mut answer = self.get(&path)?;
            next = answer.next.take();
            let mut body = answer.success()?;
            let page = match name {
                Some(name) => body[name].take(),
                None => body,
            };
            match page {
                Value::Array(page) => items.extend(page),
                _ => bail!("the answer is not from a ham-server"),
            }
        }
        Ok(items)
    }

    /// Posts what only the owner may ask, with the secret of this machine's server.
    pub(super) fn post_as_admin(
        &self,
        config: &Config,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<Answer> {
        self.as_admin(config, &Method::POST, path, serde_json::to_vec(body)?)
    }

    /// Gets what only the owner may read.
    pub(super) fn get_as_admin(&self, config: &Config, path: &str) -> anyhow::Result<Answer> {
        self.as_admin(config, &Method::GET, path, Vec::new())
    }

    /// Deletes what only the owner may delete.
    pub(super) fn delete_as_admin(&self, config: &Config, path: &str) -> anyhow::Result<Answer> {
        self.as_admin(config, &Method::DELETE, path, Vec::new())
    }

    fn as_admin(
        &self,
        config: &Config,
        method: &Method,
        path: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<Answer> {
        let secret = AdminKey::read(&config.data_dir).with_context(|| {
            format!(
                "the secret in {} cannot be read; are you its user?",
                config.data_dir.display()
            )
        })?;
        let offer = self.get("/api/nonce")?.success()?;
        let text = |name: &str| offer[name].as_str().unwrap_or_default();
        let digest = content_digest(&body);
        let target = format!("{}{path}", self.url);
        let mut components = vec![("@method", method.as_str()), ("@target-uri", &target)];
        if !body.is_empty() {
            components.push(("content-digest", &digest));
        }
        let names: Vec<_> = components
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let parameters = format!(
            r#"({});created={};nonce="{}";keyid="admin";alg="hmac-sha256";tag="{}""#,
            names.join(" "),
            // For the record only; a clock that is before 1970 records 0.
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            text("nonce"),
            text("tag"),
        );
        let base = SignatureBase::new(&components, &parameters)?;
        let signature = format!("sig1=:{}:", STANDARD.encode(secret.sign(&base)));
        let mut headers = vec![
            ("signature-input", format!("sig1={parameters}")),
            ("signature", signature),
        ];
        if !body.is_empty() {
            headers.push(("content-digest", digest));
        }
        self.ask(method.clone(), path, &headers, body.into())
    }

    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> anyhow::Result<Answer> {
        self.ask(Method::POST, path, &[], serde_json::to_vec(body)?.into())
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let (status, next, body) = self.fetch(method, path, headers, body)?;
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).context("the answer is not from a ham-server")?
        };
        Ok(Answer { status, body, next })
    }

    fn fetch(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> anyhow::Result<Fetched> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let asking = ask(method, format!("{}{path}", self.url), headers, body);
        let within = async { tokio::time::timeout(ANSWER_WITHIN, asking).await };
        match runtime.block_on(within) {
            Ok(answer) => answer.with_context(|| format!("{} cannot be asked", self.url)),
            Err(_) => bail!("{} does not answer; is the address right?", self.url),
        }
    }
}

impl Answer {
    /// The body of a success; else the sentence of the problem document.
    pub(super) fn success(self) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let error = self.body["error"].as_str().map(str::to_owned);
        Err(anyhow!(error.unwrap_or_else(|| format!(
            "the server answered {}",
            self.status
        ))))
    }
}

/// For commands that found nobody.
pub(super) fn not_running(config: &Config) -> anyhow::Error {
    anyhow!(
        "no server runs with the data folder {}; start one with ham-server",
        config.data_dir.display()
    )
}

async fn ask(
    method: Method,
    url: String,
    headers: &[(&'static str, String)],
    body: Bytes,
) -> anyhow::Result<Fetched> {
    let uri: Uri = url.parse().context("this is not a URL")?;
    if uri.scheme_str() != Some("http") {
        bail!("the address must begin with http://");
    }
    let authority = uri.authority().context("the URL names no host")?.clone();
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
        .await
        .context("nobody listens there")?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, authority.as_str())
        .header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(body))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let next = response.headers().get(header::LINK).and_then(next_page);
    let body = Limited::new(response.into_body(), MAX_ANSWER)
        .collect()
        .await;
    let body = body
        .map_err(|error| anyhow!("the answer cannot be read: {error}"))?
        .to_bytes();
    driver.abort();
    Ok((status, next, body))
}

/// The address in `Link: <...>; rel="next"` (RFC 8288), as this program's servers write it.
fn next_page(link: &HeaderValue) -> Option<String> {
    let (address, relation) = link.to_str().ok()?.strip_prefix('<')?.split_once('>')?;
    (relation == "; rel=\"next\"").then(|| address.to_owned())
}

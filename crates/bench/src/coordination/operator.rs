//! Operators: their keys, and what their browsers would send.

use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::issue::{self, Issuer, Vouched};
use pki::{Certificate, PublicKey, SignatureBase, SigningKey};
use ring::digest;
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use station::licence::VouchMethod;
use station::statement::Login;
use station::{Callsign, Statement};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a browser draws for each login; here it is always the same.
const NONCE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A licensed person.
#[derive(Debug)]
pub(crate) struct Operator {
    callsign: Callsign,
    key: SigningKey,
    certificate: Certificate,
    /// The certificates above theirs.
    chain: Vec<String>,
    random: SystemRandom,
}

impl Operator {
    /// One whom nobody vouches for.
    pub(crate) fn new(callsign: &str) -> Result<Self> {
        let random = SystemRandom::new();
        let callsign = Callsign::parse(callsign)?;
        let key = SigningKey::generate(&random)?;
        let now = SystemTime::now();
        let certificate = issue::self_signed_operator(&key, &callsign, None, now, &random)?;
        Ok(Self {
            callsign,
            key,
            certificate,
            chain: Vec::new(),
            random,
        })
    }

    /// Another, for whom this one vouches.
    pub(crate) fn vouch_for(&self, callsign: &str) -> Result<Self> {
        let other = Self::new(callsign)?;
        let certificate = self.issue(&other.callsign, &other.key.public_key())?;
        Ok(Self {
            certificate,
            chain: vec![self.certificate.to_pem()],
            ..other
        })
    }

    /// Certificates of people with made-up callsigns, whose keys nobody keeps.
    pub(crate) fn issue_many(&self, numbers: std::ops::Range<usize>) -> Result<Vec<Certificate>> {
        let key = SigningKey::generate(&self.random)?.public_key();
        numbers
            .map(|number| self.issue(&Callsign::parse(&callsign(number))?, &key))
            .collect()
    }

    fn issue(&self, callsign: &Callsign, key: &PublicKey) -> Result<Certificate> {
        let vouched = Vouched {
            callsign,
            class: None,
            method: VouchMethod::InPerson,
        };
        let now = SystemTime::now();
        Ok(issue::operator_certificate(
            self.issuer(),
            key,
            &vouched,
            now,
            &self.random,
        )?)
    }

    fn issuer(&self) -> Issuer<'_> {
        Issuer {
            certificate: &self.certificate,
            key: &self.key,
        }
    }

    /// Their certificate.
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The body of a claim for the server that made this offer.
    pub(crate) fn claim(&self, offer: &Value) -> Result<Value> {
        let server = PublicKey::from_pem(text(offer, "publicKey")?)?;
        let now = SystemTime::now();
        let certificate = issue::server_certificate(self.issuer(), &server, now, &self.random)?;
        Ok(json!({
            "certificate": self.certificate.to_pem(),
            "chain": self.chain,
            "serverCertificate": certificate.to_pem(),
            "station": { "callsign": self.callsign, "metadata": {} },
            "openToNetwork": true,
        }))
    }

    /// The first message of a login at the server with this URL.
    pub(crate) fn register(&self, url: &str) -> String {
        let message = json!({
            "type": "REGISTER",
            "callsign": self.callsign,
            "certificate": self.certificate.to_pem(),
            "chain": self.chain,
            "nonce": NONCE,
            "url": url,
        });
        message.to_string()
    }

    /// The answer to the server's challenge.
    pub(crate) fn authenticate(&self, challenge: &Value, url: &str) -> Result<String> {
        let server = challenge["serverProof"]["chain"][0].as_str();
        let server = Certificate::from_pem(server.context("the server shows no certificate")?)?;
        let login = Login {
            client_nonce: NONCE,
            server_nonce: text(challenge, "nonce")?,
            server: server.fingerprint(),
            client: Some(self.certificate.fingerprint()),
            url,
        };
        let statement = Statement::client_proof(&login)?;
        let signature = self.key.sign(&statement, &self.random)?;
        Ok(json!({ "type": "AUTHENTICATE", "signature": signature }).to_string())
    }

    /// A request signed by them (RFC 9421), with a nonce that the server gave.
    pub(crate) fn signed_post(
        &self,
        authority: &str,
        path: &str,
        offer: &Value,
        body: &Value,
    ) -> Result<Vec<u8>> {
        let body = body.to_string();
        let digest = digest::digest(&digest::SHA256, body.as_bytes());
        let digest = format!("sha-256=:{}:", STANDARD.encode(digest));
        let target = format!("http://{authority}{path}");
        let components = [
            ("@method", "POST"),
            ("@target-uri", target.as_str()),
            ("content-digest", digest.as_str()),
        ];
        let parameters = format!(
            "(\"@method\" \"@target-uri\" \"content-digest\");created=1;nonce=\"{}\";keyid=\"{}\";\
             alg=\"ecdsa-p256-sha256\";tag=\"{}\"",
            text(offer, "nonce")?,
            self.certificate.fingerprint(),
            text(offer, "tag")?,
        );
        let base = SignatureBase::new(&components, &parameters)?;
        let signature = STANDARD.encode(self.key.sign_request(&base, &self.random)?);
        let headers = format!(
            "Signature-Input: sig1={parameters}\r\nSignature: sig1=:{signature}:\r\n\
             Content-Digest: {digest}\r\n"
        );
        Ok(request("POST", authority, path, &headers, &body))
    }
}

/// A callsign for each number.
pub(crate) fn callsign(number: usize) -> String {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
    let [first, second, third] = [number / 6_760, number / 260 % 26, number / 10 % 26].map(letter);
    format!("K{}{first}{second}{third}", number % 10)
}

/// A request without anything special.
pub(crate) fn request(
    method: &str,
    authority: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends a request and reads the JSON of an answer that is good.
pub(crate) async fn exchange(mut stream: TcpStream, request: &[u8]) -> Result<Value> {
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.context("the server did not answer")? + 4);
    if !head.starts_with(b"HTTP/1.1 2") {
        bail!("the server answered: {}", String::from_utf8_lossy(&answer));
    }
    Ok(serde_json::from_slice(body)?)
}

/// A member that is text.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    let member = value[name].as_str();
    member.with_context(|| format!("the server's answer has no {name}: {value}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_number_has_a_callsign_of_its_own() {
        let all: BTreeSet<String> = (0..20_000).map(callsign).collect();
        assert_eq!(all.len(), 20_000);
        assert!(all.iter().all(|callsign| Callsign::parse(callsign).is_ok()));
    }
}

//! The secure address: TLS on the same port, and what the browser CA can and cannot sign.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::json;
use support::signed::signed_request;
use support::{DEADLINE, Operator, Response, TestServer, exchange, sign_challenge};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, rustls};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn one_port_speaks_http_and_https() {
    let server = claimed().await;
    let name = format!("w1aw.local:{}", server.server.port());
    let request = format!("GET /api/info HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    let mut stream = dial(&server, "w1aw.local").await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // rustls reports a connection that ends without close_notify; the answer is whole by its length.
    let _ = stream.read_to_end(&mut answer).await;
    let info = Response::parse(&answer).json();
    assert_eq!(info["signalingUrl"], format!("wss://{name}/signal"));
    assert_eq!(info["secure"]["urls"][0], format!("https://{name}"));
    let plain = server.get("/api/info").await.json();
    assert!(plain["signalingUrl"].as_str().unwrap().starts_with("ws://"));
    assert_eq!(plain["secure"], info["secure"]);
    assert_eq!(
        server.get("/trust").await.header("location"),
        Some("/#/trust")
    );
    let der = server.get("/trust/ca.crt").await;
    assert_eq!(
        der.header("content-type"),
        Some("application/x-x509-ca-cert")
    );
    assert_eq!(der.body, root(&server).to_vec());
    let profile = server.get("/trust/ham-server.mobileconfig").await;
    assert!(profile.body.starts_with(b"<?xml"));
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_logs_in_over_tls_and_the_scheme_is_part_of_the_proof() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    assert_eq!(server.claim(&owner).await.status, 200);
    let port = server.server.port();
    let (secure, plain) = (
        format!("wss://w1aw.local:{port}/signal"),
        format!("ws://w1aw.local:{port}/signal"),
    );
    let stream = dial(&server, "w1aw.local").await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(&plain, stream)
        .await
        .unwrap();
    for (url, outcome) in [(&plain, "wrong-url"), (&secure, "CHALLENGE")] {
        let register = json!({
            "type": "REGISTER",
            "callsign": "W1AW",
            "certificate": owner.certificate.to_pem(),
            "nonce": support::NONCE,
            "url": url,
        });
        let answer = ask(&mut socket, &register).await;
        let said = if answer["type"] == "ERROR" {
            &answer["code"]
        } else {
            &answer["type"]
        };
        assert_eq!(said, outcome, "{url}");
        if outcome == "CHALLENGE" {
            let signature = sign_challenge(&owner, &answer, url);
            let proof = json!({ "type": "AUTHENTICATE", "signature": signature });
            assert_eq!(ask(&mut socket, &proof).await["role"], "licensed");
        }
    }
    drop(socket);
    server.server.shutdown().await;
}

/// The owner asks for a code here and there: within the machine, through something that hands it on, over TLS.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_shown_where_nobody_else_reads_it() {
    let (server, owner) = (TestServer::start(), Operator::new("W1AW"));
    assert_eq!(server.claim(&owner).await.status, 200);
    let of = json!({ "callsign": "K1ABC" });
    let ask = async |origin: String| {
        let offer = server.get("/api/nonce").await.json();
        signed_request(&origin, &offer, &owner, "POST", "/api/codes", Some(&of))
    };
    let handed_on = |request: Vec<u8>| {
        let request = String::from_utf8(request).unwrap();
        let by = "\r\nX-Forwarded-For: 192.168.1.9\r\nConnection: close\r\n";
        request
            .replacen("\r\nConnection: close\r\n", by, 1)
            .into_bytes()
    };
    let plainly =
        async |request: Vec<u8>| Response::parse(&exchange(&server.authority(), &request).await);
    let securely = async |request: Vec<u8>| {
        let mut stream = dial(&server, "w1aw.local").await.unwrap();
        stream.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        // The answer is whole by its length, also without close_notify.
        let _ = stream.read_to_end(&mut answer).await;
        Response::parse(&answer)
    };

    let plain = format!("http://{}", server.authority());
    let within = plainly(ask(plain.clone()).await).await;
    assert_eq!(within.status, 201, "{within:?}");
    let refused = plainly(handed_on(ask(plain.clone()).await)).await;
    assert_eq!(refused.problem(), (403, "insecure-connection".into()));

    let secure = format!("https://w1aw.local:{}", server.server.port());
    let over_tls = securely(ask(secure.clone()).await).await;
    assert_eq!(over_tls.status, 201, "{over_tls:?}");
    assert!(over_tls.json()["code"].is_string());
    let over_tls = securely(handed_on(ask(secure).await)).await;
    assert_eq!(over_tls.status, 201, "{over_tls:?}");
    let elsewhere = securely(ask(plain).await).await;
    assert_eq!(elsewhere.problem(), (401, "bad-signature".into()));

    let listed = server
        .signed(&owner, "GET", "/api/codes", None)
        .await
        .json();
    let listed = listed["codes"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    let shown = listed.iter().any(|code| !code["code"].is_null());
    assert!(!shown, "a code is shown once");
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_owner_there_is_no_tls_and_garbage_disturbs_nobody() {
    let server = TestServer::start();
    let authority = server.authority();
    let hello = [0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x00];
    assert!(exchange(&authority, &hello).await.is_empty(), "closed");
    assert_eq!(
        server.get("/trust/ca.crt").await.problem(),
        (404, "unclaimed".into())
    );
    assert_eq!(server.get("/api/info").await.json()["secure"], json!(null));

    assert_eq!(server.claim(&Operator::new("W1AW")).await.status, 200);
    let mut half_open = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(&authority).await.unwrap();
        stream.write_all(&hello[..5]).await.unwrap();
        half_open.push(stream);
    }
    let garbage: Vec<u8> = (0..50).map(|byte| byte * 5 + 3).collect();
    exchange(&authority, &[hello.as_slice(), &garbage].concat()).await;
    exchange(&authority, &[garbage.as_slice(), b"\r\n\r\n"].concat()).await;
    assert!(dial(&server, "w1aw.local").await.is_ok());
    assert_eq!(server.get("/healthz").await.status, 200);
    drop(half_open);
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_for_this_servers_names_only() {
    let server = claimed().await;
    for wrong in ["example.com", "k1abc.local", "local"] {
        let error = dial(&server, wrong).await.unwrap_err();
        assert!(
            error.to_string().contains("not valid for name"),
            "{wrong}: {error}"
        );
    }
    let before = root(&server);
    let server = server.restart().await;
    assert_eq!(root(&server), before, "the root is made once");
    assert!(dial(&server, "ham-server.local").await.is_ok());
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renewing_the_certificate_under_load_loses_no_connection() {
    let server = Arc::new(claimed().await);
    let first = dial(&server, "w1aw.local").await.unwrap();
    let before = leaf(&first);
    let (stop, _) = tokio::sync::watch::channel(false);
    let visitors: Vec<_> = (0..16)
        .map(|_| {
            let (server, stopped) = (Arc::clone(&server), stop.subscribe());
            tokio::spawn(async move {
                let mut answers = 0;
                let mut lasting = dial(&server, "w1aw.local").await.unwrap();
                while !*stopped.borrow() {
                    healthy(&server, &mut lasting).await;
                    let mut fresh = dial(&server, "w1aw.local").await.unwrap();
                    healthy(&server, &mut fresh).await;
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    let app = server.server.app();
    for round in 2..=9 {
        app.names.set_numbered([format!("w1aw-{round}")].into());
        let app = Arc::clone(app);
        tokio::task::spawn_blocking(move || app.renew_certificate())
            .await
            .unwrap();
        let renewed = dial(&server, &format!("w1aw-{round}.local")).await;
        assert!(renewed.is_ok(), "{renewed:?}");
    }
    stop.send_replace(true);
    for visitor in visitors {
        assert!(visitor.await.unwrap() > 0);
    }
    // The oldest connection of all still has its certificate, and works.
    let mut first = first;
    healthy(&server, &mut first).await;
    assert_eq!(leaf(&first), before);
    let server = Arc::into_inner(server).unwrap();
    server.server.shutdown().await;
}

/// Foreign judges: what the intermediate signs outside its constraints is refused.
#[tokio::test(flavor = "multi_thread")]
async fn openssl_refuses_what_the_browser_ca_may_not_sign() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("optional suite not run: openssl missing");
        return;
    }
    let server = claimed().await;
    let folder = server.folder.path();
    let ca = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (ca_root, ca_intermediate) = (ca("browser-root.pem"), ca("browser-intermediate.pem"));
    let text = openssl(folder, &["x509", "-in", &ca_root, "-noout", "-text"]).unwrap();
    assert!(text.contains("Name Constraints: critical"), "{text}");
    assert!(text.contains("CA:TRUE, pathlen:1"), "{text}");
    for (name, judged) in [
        ("DNS:w1aw.local", true),
        ("DNS:w1aw-2.local.mesh", true),
        ("DNS:w1aw-ham-server.local.mesh", true),
        ("IP:192.168.7.7", true),
        ("IP:fd00::7", true),
        ("DNS:example.com", false),
        ("DNS:k1abc.local", false),
        ("IP:8.8.8.8", false),
        ("IP:44.1.2.3", false),
    ] {
        let request = [
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "leaf.key",
            "-subj",
            "/CN=leaf",
            "-out",
            "leaf.csr",
        ];
        openssl(folder, &request).unwrap();
        std::fs::write(folder.join("leaf.ext"), format!("subjectAltName={name}\n")).unwrap();
        let sign = [
            "x509",
            "-req",
            "-in",
            "leaf.csr",
            "-CA",
            &ca_intermediate,
            "-CAkey",
            "browser-intermediate.key",
            "-days",
            "30",
            "-extfile",
            "leaf.ext",
            "-out",
            "leaf.pem",
        ];
        openssl(folder, &sign).unwrap();
        let verify = [
            "verify",
            "-x509_strict",
            "-CAfile",
            &ca_root,
            "-untrusted",
            &ca_intermediate,
            "leaf.pem",
        ];
        assert_eq!(openssl(folder, &verify).is_ok(), judged, "{name}");
    }
    // Browsers take leaves of at most 397 days.
    let shown = Command::new("sh")
        .args(["-c", &format!(
            "openssl s_client -connect {} -servername w1aw.local </dev/null 2>/dev/null | openssl x509 -noout -checkend {}",
            server.authority(), 397 * 24 * 3600
        )])
        .output()
        .unwrap();
    assert!(!shown.status.success(), "it lives longer: {shown:?}");
    #[cfg(unix)]
    for name in ["browser-intermediate.key", "server.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    server.server.shutdown().await;
}

async fn claimed() -> TestServer {
    let server = TestServer::start();
    assert_eq!(server.claim(&Operator::new("W1AW")).await.status, 200);
    server
}

fn root(server: &TestServer) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(server.folder.path().join("browser-root.pem")).unwrap()
}

/// The certificate a connection was made with.
fn leaf(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    let certificates = stream.get_ref().1.peer_certificates().unwrap();
    certificates[0].to_vec()
}

/// One request on a connection that stays open.
async fn healthy(server: &TestServer, stream: &mut TlsStream<TcpStream>) {
    let port = server.server.port();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: w1aw.local:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nok\n") {
        let mut part = [0; 1024];
        let reading = tokio::time::timeout(DEADLINE, stream.read(&mut part));
        let read = reading.await.expect("an answer in time").unwrap();
        assert_ne!(read, 0, "the connection ended");
        answer.extend(&part[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}

/// A TLS connection as a device that trusts the root makes it.
async fn dial(server: &TestServer, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root(server)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.authority()).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    tokio::time::timeout(DEADLINE, connecting)
        .await
        .expect("a handshake in time")
}

async fn ask<S>(
    socket: &mut tokio_tungstenite::WebSocketStream<S>,
    message: &serde_json::Value,
) -> serde_json::Value
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    use futures_util::{SinkExt as _, StreamExt as _};
    socket
        .send(Message::text(message.to_string()))
        .await
        .unwrap();
    let answer = tokio::time::timeout(DEADLINE, socket.next())
        .await
        .expect("an answer in time");
    serde_json::from_str(answer.unwrap().unwrap().to_text().unwrap()).unwrap()
}

fn openssl(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

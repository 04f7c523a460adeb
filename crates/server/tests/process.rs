//! The program as people start it: its command line, its output, and what a sudden death leaves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pki::{Certificate, Code, PublicKey};
use serde_json::{Value, json};
use support::applying::{Applying, code, open_codes};
use support::signed::signed_request;
use support::{DEADLINE, Operator, Response, TestServer, exchange, try_exchange};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The program running as a server. Killed when dropped.
struct Process {
    child: Child,
    port: u16,
    /// What it printed until it listened.
    printed: String,
}

impl Process {
    fn start(folder: &Path) -> Self {
        let mut child = program(folder)
            .args(["--port", "0", "--no-lan"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut printed = String::new();
        for line in lines {
            printed.push_str(&line);
            printed.push('\n');
            if line.starts_with("Stop with") {
                break;
            }
        }
        let running = std::fs::read(folder.join("running.json"))
            .unwrap_or_else(|error| panic!("it does not run ({error}); it printed:\n{printed}"));
        let running: Value = serde_json::from_slice(&running).unwrap();
        let port = running["port"].as_u64().unwrap().try_into().unwrap();
        Self {
            child,
            port,
            printed,
        }
    }

    fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    async fn get(&self, path: &str) -> Value {
        let authority = self.authority();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        Response::parse(&exchange(&authority, request.as_bytes()).await).json()
    }

    /// kill -9.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ham-server"));
    command.arg("--data-dir").arg(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HAM_SERVER_")) {
        command.env_remove(name);
    }
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn from_the_start_to_the_reset_by_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key = folder.path().join("w1aw.p12");
    let key_file = key.to_str().unwrap();
    let status = run(&data, &["status"]);
    assert_eq!(status.status.code(), Some(1));
    assert!(
        said(&status).contains("no server runs"),
        "{}",
        said(&status)
    );

    let server = Process::start(&data);
    for shown in [
        "no owner yet",
        "Claim code",
        &format!("http://localhost:{}", server.port),
    ] {
        assert!(
            server.printed.contains(shown),
            "{shown} in\n{}",
            server.printed
        );
    }
    let other = run(&data, &["--port", "0", "--no-lan"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(
        said(&other).contains("another ham-server"),
        "{}",
        said(&other)
    );
    let taken = run(
        &folder.path().join("other"),
        &["--port", &server.port.to_string(), "--no-lan"],
    );
    assert_eq!(taken.status.code(), Some(1));
    assert!(
        said(&taken).contains("taken by another program"),
        "{}",
        said(&taken)
    );

    let password = ["--password", "correct horse"];
    let new = [
        "claim",
        "--callsign",
        "w1aw",
        "--grid",
        "FN31pr",
        "--new",
        "--out",
        key_file,
    ];
    let claimed = run(&data, &[&new[..], &password].concat());
    assert!(claimed.status.success(), "{}", said(&claimed));
    assert_eq!(server.get("/api/info").await["callsign"], "W1AW");
    let again = run(&data, &[&new[..], &password].concat());
    assert!(
        said(&again).contains("has an owner already"),
        "{}",
        said(&again)
    );
    let status = run(&data, &["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(
        (&status["state"], &status["owner"]),
        (&"active".into(), &"W1AW".into())
    );
    let joining: Value = serde_json::from_slice(&run(&data, &["qr", "--json"]).stdout).unwrap();
    assert!(
        joining["url"].as_str().unwrap().contains("/#join=1."),
        "{joining}"
    );

    assert!(run(&data, &["close"]).status.success());
    assert_eq!(server.get("/api/status").await["state"], "claimed");
    let open = run(&data, &["open"]);
    assert!(said(&open).contains("may join now"), "{}", said(&open));
    assert_eq!(server.get("/api/status").await["state"], "active");
    for (switch, allowed) in [("on", true), ("off", false)] {
        assert!(run(&data, &["guest-calls", switch]).status.success());
        assert_eq!(server.get("/api/status").await["guestCalls"], allowed);
        let told = said(&run(&data, &["status"]));
        assert_eq!(told.contains("may call each other"), allowed, "{told}");
    }
    assert_eq!(run(&data, &["guest-calls"]).status.code(), Some(2));

    let running = run(&data, &["reset", "--confirm", "W1AW"]);
    assert!(
        said(&running).contains("stop it first"),
        "{}",
        said(&running)
    );
    server.kill();
    let gone = run(&data, &["status"]);
    assert!(said(&gone).contains("no server runs"), "{}", said(&gone));
    let mistyped = run(&data, &["reset", "--confirm", "K1ABC"]);
    assert_eq!(mistyped.status.code(), Some(1));
    let reset = run(&data, &["reset", "--confirm", "w1aw"]);
    assert!(reset.status.success(), "{}", said(&reset));

    let server = Process::start(&data);
    assert_eq!(server.get("/api/status").await["state"], "unclaimed");
    let from_file = ["claim", "--callsign", "W1AW", "--p12", key_file];
    let wrong = run(&data, &[&from_file[..], &["--password", "wrong"]].concat());
    assert!(said(&wrong).contains("password"), "{}", said(&wrong));
    let claimed = run(&data, &[&from_file[..], &password].concat());
    assert!(claimed.status.success(), "{}", said(&claimed));
    assert_eq!(server.get("/api/info").await["callsign"], "W1AW");
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["dance"]).status.code(), Some(2));
    assert_eq!(
        run(folder.path(), &["claim", "--callsign", "W1AW-7", "--new"])
            .status
            .code(),
        Some(2)
    );
    assert_eq!(run(folder.path(), &["--port", "x"]).status.code(), Some(2));
    std::fs::write(folder.path().join("ham-server.toml"), "colour = \"blue\"").unwrap();
    let unknown = run(folder.path(), &["status"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        said(&unknown).contains("unknown field `colour`"),
        "{}",
        said(&unknown)
    );
    assert!(said(&run(folder.path(), &["completions", "bash"])).contains("ham-server"));
}

/// A server that dies at any moment of being claimed is afterwards unclaimed or claimed, and a claim
/// that was acknowledged holds.
#[tokio::test]
async fn kill_9_while_claiming_leaves_all_or_nothing() {
    let owner = Operator::new("W1AW");
    let (mut unclaimed, mut claimed) = (0, 0);
    let begun = Instant::now();
    // At least this many rounds, and on until both outcomes were seen.
    for round in 0_u32.. {
        if round >= 20 && unclaimed > 0 && claimed > 0 {
            break;
        }
        assert!(
            begun.elapsed() < 6 * DEADLINE,
            "{unclaimed} unclaimed, {claimed} claimed"
        );
        let folder = tempfile::tempdir().unwrap();
        let acknowledged = claim_and_kill(&owner, &folder, round).await;
        let server = Process::start(folder.path());
        let info = server.get("/api/info").await;
        match info["state"].as_str().unwrap() {
            "unclaimed" => {
                assert!(!acknowledged, "an acknowledged claim is lost");
                assert_eq!(
                    (&info["callsign"], &info["certFingerprint"]),
                    (&Value::Null, &Value::Null)
                );
                unclaimed += 1;
            }
            "active" => {
                assert_eq!(info["callsign"], "W1AW");
                assert_eq!(info["station"]["grid"], "FN31pr");
                assert!(info["certFingerprint"].is_string());
                claimed += 1;
            }
            other => panic!("{other}"),
        }
    }
}

/// Starts a server, sends it a claim, and kills it a moment later; each round at another moment.
async fn claim_and_kill(owner: &Operator, folder: &TempDir, round: u32) -> bool {
    let server = Process::start(folder.path());
    let body = owner
        .claim(&server.get("/api/claim-station").await)
        .to_string();
    let authority = server.authority();
    let request = format!(
        "POST /api/claim-station HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let claiming = tokio::spawn(async move { try_exchange(&authority, request.as_bytes()).await });
    // From at once to 19 ms later, in small steps: before, within and after the transaction. The
    // wait is the moment chosen, not a hope that something is done by then.
    let moment = Duration::from_micros(u64::from(round % 20) * 1_000);
    let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
    server.kill();
    // Killed early, it does not even take the connection.
    let answer = claiming.await.unwrap().unwrap_or_default();
    answer.starts_with(b"HTTP/1.1 200")
}

/// An issuance is a code that is used up, a certificate and an entry of the log: all three or none, and
/// who was told of it has it.
#[tokio::test(flavor = "multi_thread")]
async fn kill_9_while_issuing_loses_nothing_acknowledged_and_leaves_no_half() {
    const ROUNDS: usize = 16;
    const EACH: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("ham-server.toml"),
        "issue-per-hour = 1000",
    )
    .unwrap();
    let (server, owner) = (TestServer::start_in(folder), Operator::new("W1AW"));
    server.claim(&owner).await;
    let mut codes = Vec::new();
    for at in 0..ROUNDS * EACH {
        let somebody = Applying::new(&format!("K{}AB{}", at % 10, letter(at / 10)));
        let of = json!({ "callsign": somebody.callsign });
        codes.push((code(&server, &owner, &of).await.0, somebody));
    }
    let folder = server.stop().await;
    let mut acknowledged = Vec::new();
    for (round, codes) in codes.chunks(EACH).enumerate() {
        // From at once to 28 ms later; in the last round once everybody was answered.
        let moment = Duration::from_millis(2 * u64::try_from(round).unwrap());
        let moment = (round + 1 < ROUNDS).then_some(moment);
        acknowledged.extend(issue_and_kill(folder.path(), codes, moment).await);
    }
    assert!(acknowledged.len() >= EACH, "{acknowledged:?}");

    let server = TestServer::start_in(folder);
    let offer = server.get("/api/claim-station").await.json();
    let key = PublicKey::from_pem(offer["publicKey"].as_str().unwrap()).unwrap();
    let log = server.log().await;
    assert_eq!(log.verify(&key), Ok(()));
    let logged: Vec<String> = log
        .entries
        .iter()
        .map(|entry| entry.issued.certificate.to_string())
        .collect();
    for fingerprint in &acknowledged {
        assert!(logged.contains(fingerprint), "{fingerprint} is lost");
    }
    for fingerprint in &logged {
        let shown = server
            .get(&format!("/api/certificates/{fingerprint}"))
            .await;
        assert_eq!(shown.json()["status"], "trusted", "{shown:?}");
    }
    let held = server.get("/api/certificates?limit=500").await.json();
    // The owner's and the server's were not issued here.
    assert_eq!(held.as_array().unwrap().len(), logged.len() + 2);
    let open = open_codes(&server, &owner).await;
    assert_eq!(open + logged.len(), codes.len());
    println!(
        "{} issued, {} of them told",
        logged.len(),
        acknowledged.len()
    );
    server.server.shutdown().await;
}

fn letter(at: usize) -> char {
    char::from(b'A' + u8::try_from(at % 26).unwrap())
}

/// Starts a server, lets everybody with a code apply at once, and kills it a moment later, or when
/// all of them were answered. Gives the certificates that they got.
async fn issue_and_kill(
    folder: &Path,
    codes: &[(Code, Applying)],
    moment: Option<Duration>,
) -> Vec<String> {
    let server = Process::start(folder);
    let mut applications = JoinSet::new();
    for (code, somebody) in codes {
        let nonce = server.get("/api/nonce").await;
        let proof = somebody.by_code_with(nonce["nonce"].as_str().unwrap(), code);
        let body = somebody.body(&proof).to_string();
        let authority = server.authority();
        let request = format!(
            "POST /api/issue-certificate HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        applications.spawn(async move { try_exchange(&authority, request.as_bytes()).await });
    }
    let answers = match moment {
        None => applications.join_all().await,
        Some(moment) => {
            let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
            server.kill();
            applications.join_all().await
        }
    };
    let issued = answers
        .into_iter()
        .map(Result::unwrap_or_default)
        .filter(|answer| answer.starts_with(b"HTTP/1.1 201"));
    issued
        .filter_map(|answer| {
            let body = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
            let body: Value = serde_json::from_slice(&answer[body..]).ok()?;
            let certificate = Certificate::from_pem(body["certificate"].as_str()?).unwrap();
            Some(certificate.fingerprint().to_string())
        })
        .collect()
}

/// A server that dies at any moment of admitting certificates knows afterwards every one that it
/// acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn kill_9_while_admitting_loses_nothing_acknowledged() {
    let (owner, folder) = (Operator::new("W1AW"), tempfile::tempdir().unwrap());
    let server = TestServer::start_in(folder);
    server.claim(&owner).await;
    let folder = server.stop().await;
    let owner = Arc::new(owner);
    let mut known = Vec::new();
    for round in 0..8_u64 {
        let server = Process::start(folder.path());
        let (acknowledged, mut acknowledgements) = mpsc::unbounded_channel();
        let bringing = tokio::spawn(bring_on(
            server.authority(),
            Arc::clone(&owner),
            acknowledged,
        ));
        // It dies a moment after it acknowledged something; each round at another moment.
        let first = tokio::time::timeout(DEADLINE, acknowledgements.recv()).await;
        known.push(first.unwrap().expect("something is acknowledged"));
        let moment = Duration::from_millis(round * 7);
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
        server.kill();
        bringing.await.unwrap();
        while let Some(fingerprint) = acknowledgements.recv().await {
            known.push(fingerprint);
        }
        let server = Process::start(folder.path());
        for fingerprint in &known {
            let shown = server
                .get(&format!("/api/certificates/{fingerprint}"))
                .await;
            assert_eq!(shown["status"], "trusted", "round {round}: {shown}");
        }
        server.kill();
    }
    println!("killed 8 times, {} certificates acknowledged", known.len());
}

/// Brings certificates until the server is gone. Tells the fingerprint of each that was acknowledged.
async fn bring_on(
    authority: String,
    owner: Arc<Operator>,
    acknowledged: mpsc::UnboundedSender<String>,
) {
    loop {
        let nonce =
            format!("GET /api/nonce HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        let Some(offer) = answered(&authority, nonce.as_bytes()).await else {
            return;
        };
        let who = owner.vouch_for("K1ABC");
        let body = json!({ "certificate": who.certificate.to_pem() });
        let path = "/api/certificates";
        let origin = format!("http://{authority}");
        let request = signed_request(&origin, &offer, &owner, "POST", path, Some(&body));
        let Some(summary) = answered(&authority, &request).await else {
            return;
        };
        assert_eq!(summary["status"], "trusted", "{summary}");
        acknowledged.send(who.fingerprint()).unwrap();
    }
}

/// A whole answer of a server that may be gone.
async fn answered(authority: &str, request: &[u8]) -> Option<Value> {
    let answer = try_exchange(authority, request).await.ok()?;
    let body = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    serde_json::from_slice(&answer[body..]).ok()
}

/// Whatever is printed and logged in all detail, while keys and codes are made and used.
#[tokio::test]
async fn no_secret_is_ever_printed() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let folder = tempfile::tempdir().unwrap();
    let (data, printed) = (folder.path().join("data"), folder.path().join("printed"));
    let file = std::fs::File::create(&printed).unwrap();
    let mut child = program(&data)
        .args(["--port", "0", "--no-lan", "--verbose"])
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + DEADLINE;
    while !data.join("running.json").exists() {
        assert!(Instant::now() < deadline, "it does not start");
        tokio::task::yield_now().await;
    }
    let key = folder.path().join("w1aw.p12");
    let claim = [
        "claim",
        "--callsign",
        "w1aw",
        "--new",
        "--password",
        "correct horse",
    ];
    let out = ["--out", key.to_str().unwrap()];
    let claimed = run(&data, &[&claim[..], &out].concat());
    assert!(claimed.status.success(), "{}", said(&claimed));
    let made = said(&run(&data, &["code", "--callsign", "K1ABC"]));
    let code = made.lines().next().unwrap().to_owned();
    child.kill().unwrap();
    child.wait().unwrap();

    let printed = std::fs::read_to_string(&printed).unwrap();
    assert!(printed.contains("an issue code was made"), "{printed}");
    let mut secrets = vec!["correct horse".to_owned(), code.replace('-', ""), code];
    for file in std::fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|end| end != "key") {
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        match String::from_utf8(content) {
            Ok(pem) if pem.contains("PRIVATE KEY") => {
                let lines = pem.lines().filter(|line| !line.starts_with("-----"));
                secrets.extend(lines.map(str::to_owned));
            }
            Ok(text) => secrets.push(text),
            Err(binary) => {
                let bytes = binary.into_bytes();
                let hex = bytes.iter().map(|byte| format!("{byte:02x}"));
                secrets.extend([STANDARD.encode(&bytes), hex.collect()]);
            }
        }
    }
    assert!(secrets.len() > 6, "{}", secrets.len());
    for secret in secrets {
        assert!(!printed.contains(&secret), "{secret} in {printed}");
    }
}

#[tokio::test]
async fn sigterm_ends_it_politely() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::start(folder.path());
    let pid = server.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let deadline = Instant::now() + DEADLINE;
    let code = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status.code();
        }
        assert!(Instant::now() < deadline, "it does not stop");
        tokio::task::yield_now().await;
    };
    assert_eq!(code, Some(0));
    assert!(!folder.path().join("running.json").exists());
}

/// The test server and the program are the same server.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_claims_over_the_network_with_the_code() {
    let server = TestServer::start();
    let code = server.server.app().ownership.code().to_string();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", server.authority());
    let key = folder.path().join("key.p12");
    let arguments = [
        "claim",
        "--url",
        &url,
        "--callsign",
        "W1AW",
        "--new",
        "--password",
        "secret",
    ];
    let out = ["--out", key.to_str().unwrap(), "--code", &code];
    let claimed = run(folder.path(), &[&arguments[..], &out].concat());
    assert!(claimed.status.success(), "{}", said(&claimed));
    assert_eq!(server.get("/api/info").await.json()["callsign"], "W1AW");
    server.server.shutdown().await;
}

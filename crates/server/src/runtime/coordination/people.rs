//! People: those here are told to other servers, those there are judged and shown here, and signals between
//! them go from hub to hub.
//!
//! Whoever is at another server comes with their certificate and the proof they gave there. This server verifies
//! the proof, takes the certificate in like anybody's, and shows them as its own trust graph judges.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coordination::message::people::Login as LoginProof;
use coordination::message::{Person, Topic};
use coordination::{Blob, Fate, Input, Nonce, PersonId, ServerId, Signature, Standing};
use pki::Certificate;
use signaling::message::PeerServer;
use signaling::{ClientId, ErrorCode, Identity, Net, Proof, Remote, Shown};
use station::statement::Login;
use station::{Callsign, Fingerprint, Statement, Zone};
use tokio::sync::mpsc;

use super::errands::Origin;
use super::logins::Logins;
use super::{Coordinator, lock};
use crate::runtime::Onward;
use crate::runtime::authority::Bringing;

/// Signals whose fate is awaited, and who is where.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Signals so far; the next one's name.
    signals: u64,
    /// Whose a signal is, and the `id` of their frame.
    waiting: BTreeMap<u64, (ClientId, Option<String>)>,
    /// Who was shown of whom, with the server's certificate.
    there: BTreeMap<ServerId, (Fingerprint, BTreeSet<ClientId>)>,
}

impl Coordinator {
    /// Tells other servers of people here and passes their signals on, for ever.
    pub(super) async fn follow_people(&self, mut onward: mpsc::UnboundedReceiver<Onward>) {
        let mut here = BTreeMap::new();
        while let Some(next) = onward.recv().await {
            match next {
                Onward::Show { client, person } => {
                    let topic = topic(&person);
                    let before = here.insert(client, topic);
                    if let Some(before) = before.filter(|before| *before != topic) {
                        self.leaves(before, client);
                    }
                    let (id, person) = (id_of(client), told(*person));
                    self.tell(Input::Joined { topic, id, person });
                }
                Onward::Hide { client } => {
                    if let Some(topic) = here.remove(&client) {
                        self.leaves(topic, client);
                    }
                }
                Onward::Forward {
                    from,
                    server,
                    signal,
                    reply_to,
                } => self.post(from, server, signal, reply_to),
            }
        }
        std::future::pending::<()>().await;
    }

    fn leaves(&self, topic: Topic, client: ClientId) {
        let id = id_of(client);
        self.tell(Input::Left { topic, id });
    }

    fn post(&self, from: ClientId, server: Fingerprint, signal: String, reply_to: Option<String>) {
        let tag = {
            let mut people = lock(&self.people);
            people.signals += 1;
            let tag = people.signals;
            people.waiting.insert(tag, (from, reply_to));
            tag
        };
        if lock(&self.core).node.is_none() {
            return self.fate(tag, Fate::NotThere);
        }
        self.tell(Input::Post {
            to: server.into(),
            tag,
            // What is signaled leads to an encrypted call.
            within: Zone::Open,
            body: Blob::from(signal.into_bytes()),
        });
    }

    /// What became of a signal.
    pub(super) fn fate(&self, tag: u64, fate: Fate) {
        let Some((from, reply_to)) = lock(&self.people).waiting.remove(&tag) else {
            return;
        };
        let (code, error) = match fate {
            Fate::Delivered => return,
            Fate::NotThere => (
                ErrorCode::UnknownTarget,
                "their server cannot be reached now",
            ),
            Fate::NoReceipt => (
                ErrorCode::UnknownTarget,
                "their server did not answer; it may be gone",
            ),
            Fate::CrossesPart97 => (
                ErrorCode::Part97,
                "calls are encrypted, and every way to their server crosses amateur frequencies, \
                 which may carry nothing encrypted",
            ),
            Fate::TooLong => (
                ErrorCode::TooLarge,
                "this is too long to be passed on to another server",
            ),
            Fate::Busy => (
                ErrorCode::TargetBusy,
                "too much is under way to other servers; try again in a moment",
            ),
        };
        let switchboard = &self.around.switchboard;
        switchboard.undelivered(from, code, error, reply_to.as_deref());
    }

    /// A message of another server: a signal of somebody there.
    pub(super) fn deliver(&self, from: ServerId, body: &Blob) {
        let server = lock(&self.core).fingerprint_of(from);
        if let (Some(server), Ok(text)) = (server, std::str::from_utf8(body.as_bytes())) {
            self.around.switchboard.receive_from(server, text);
        }
    }

    /// Somebody is at another server. Who logged in there is shown when their login may be verified. Blocks on the disk.
    pub(super) fn joined(&self, server: ServerId, id: PersonId, person: Person) {
        let standing = self.standing_of(server).unwrap_or(Standing::Stranger);
        let mut logins = lock(&self.logins);
        if person.login.is_some() && !logins.may_verify(standing, Instant::now()) {
            logins.wait(standing, server, id, person);
            drop(logins);
            return self.delayed.notify_one();
        }
        logins.forget(server, id);
        drop(logins);
        self.show(server, id, &person);
    }

    fn standing_of(&self, server: ServerId) -> Option<Standing> {
        let core = lock(&self.core);
        let mut servers = core.node.iter().flat_map(coordination::Node::servers);
        Some(servers.find(|known| known.id == server)?.standing)
    }

    /// Shows somebody at another server, as their login proves. Blocks on the disk.
    pub(super) fn show(&self, server: ServerId, id: PersonId, person: &Person) {
        let known = {
            let core = lock(&self.core);
            let mut servers = core.node.iter().flat_map(coordination::Node::servers);
            let known = servers.find(|known| known.id == server);
            known.map(|known| {
                let there = PeerServer {
                    id: known.fingerprint,
                    callsign: known.callsign.clone(),
                };
                (there, known.standing)
            })
        };
        let (Some((there, standing)), Ok(net)) = (known, Net::parse(&person.net)) else {
            return;
        };
        let client = client_of(id);
        let mut remote = Remote {
            client,
            server: there,
            callsign: person.callsign.clone(),
            net,
            identity: None,
        };
        lock(&self.people)
            .there
            .entry(server)
            .or_insert_with(|| (remote.server.id, BTreeSet::new()))
            .1
            .insert(client);
        let switchboard = &self.around.switchboard;
        let Some(login) = &person.login else {
            return switchboard.appear(remote);
        };
        let Some((certificate, callsign)) = proven(login, remote.server.id, &person.callsign)
        else {
            tracing::debug!(%server, callsign = %person.callsign, "a login at another server proves nothing");
            return;
        };
        let authority = &self.around.authority;
        let allowed = || standing == Standing::Trusted || self.may_write_down_another();
        if authority.recall(&certificate, &[]).is_none() && allowed() {
            let group = super::errands::charged_for(&certificate);
            let from = Origin {
                group,
                server: Some((server, standing)),
            };
            let brought = authority.bring(&certificate, &[], from.bringer(), group);
            if let Err(error) = brought {
                tracing::debug!(%error, "the certificate of somebody at another server is not taken");
            }
        }
        let key = certificate.key_id();
        // Under the graph's lock, so that whatever changes their worth comes after this.
        authority.look_at(&key, &callsign, |standing| {
            remote.callsign = callsign.to_string();
            remote.identity = Some(Identity {
                callsign: callsign.clone(),
                key,
                fingerprint: certificate.fingerprint(),
                licence_class: standing.class,
                trusted: standing.trusted,
                // It comes along with what they sign.
                chain: [].into(),
            });
            switchboard.appear(remote);
        });
    }

    /// Somebody at a server that is trusted here, if their certificate is not known yet and their login proves something.
    pub(super) fn unknown_person(&self, server: ServerId, person: &Person) -> Option<Bringing> {
        let login = person.login.as_ref()?;
        let (fingerprint, standing) = {
            let core = lock(&self.core);
            let mut servers = core.node.iter().flat_map(coordination::Node::servers);
            let known = servers.find(|known| known.id == server)?;
            (known.fingerprint, known.standing)
        };
        let certificate = Certificate::from_der(login.certificate.as_bytes()).ok()?;
        let unknown = self.around.authority.recall(&certificate, &[]).is_none();
        let allowed = || lock(&self.logins).may_verify(standing, Instant::now());
        if standing != Standing::Trusted || !unknown || !allowed() {
            return None;
        }
        let (certificate, _) = proven(login, fingerprint, &person.callsign)?;
        let group = super::errands::charged_for(&certificate);
        let from = Origin {
            group,
            server: Some((server, standing)),
        };
        Some(Bringing {
            certificate,
            chain: Vec::new(),
            bringer: from.bringer(),
            from: group,
        })
    }

    /// Somebody is at another server no more.
    pub(super) fn left(&self, server: ServerId, id: PersonId) {
        let client = client_of(id);
        lock(&self.logins).forget(server, id);
        let fingerprint = {
            let mut people = lock(&self.people);
            let there = people.there.get_mut(&server);
            there.and_then(|(fingerprint, clients)| clients.remove(&client).then_some(*fingerprint))
        };
        if let Some(fingerprint) = fingerprint {
            self.around.switchboard.vanish(fingerprint, client);
        }
    }

    /// A server is there no more, and neither is anybody who was.
    pub(super) fn server_down(&self, server: ServerId) {
        lock(&self.logins).forget_server(server);
        let there = lock(&self.people).there.remove(&server);
        let Some((fingerprint, clients)) = there else {
            return;
        };
        for client in clients {
            self.around.switchboard.vanish(fingerprint, client);
        }
    }

    /// There are no other servers for now.
    pub(super) fn forget_people(&self) {
        *lock(&self.people) = People::default();
        *lock(&self.logins) = Logins::new(Instant::now());
        self.around.switchboard.coordinate(false);
    }
}

fn topic(person: &Shown) -> Topic {
    if person.licensed && person.proof.is_some() {
        Topic::Operators
    } else {
        Topic::Guests
    }
}

/// Somebody here, as other servers are told.
fn told(person: Shown) -> Person {
    let operator = topic(&person) == Topic::Operators;
    let login = person.proof.filter(|_| operator);
    Person {
        callsign: person.callsign,
        net: person.net.to_string(),
        login: login.and_then(|proof| login_of(&proof)),
    }
}

/// A login as it goes over links. The statement's lines are: what it is for, both nonces, both certificates,
/// the URL.
fn login_of(proof: &Proof) -> Option<LoginProof> {
    let mut lines = proof.statement.as_str().lines().skip(1);
    let mut nonce = || {
        let bytes = URL_SAFE_NO_PAD.decode(lines.next()?).ok()?;
        Some(Nonce::new(bytes.try_into().ok()?))
    };
    let (client_nonce, server_nonce) = (nonce()?, nonce()?);
    let signature = URL_SAFE_NO_PAD.decode(&proof.signature).ok()?;
    Some(LoginProof {
        certificate: Certificate::from_pem(&proof.certificate).ok()?.der().into(),
        client_nonce,
        server_nonce,
        url: lines.nth(2)?.to_owned(),
        signature: Signature::new(signature.try_into().ok()?),
    })
}

/// Whose login at that server it is, if it proves that.
fn proven(
    login: &LoginProof,
    server: Fingerprint,
    callsign: &str,
) -> Option<(Certificate, Callsign)> {
    let certificate = Certificate::from_der(login.certificate.as_bytes()).ok()?;
    let [client_nonce, server_nonce] = [login.client_nonce, login.server_nonce]
        .map(|nonce| URL_SAFE_NO_PAD.encode(nonce.as_bytes()));
    let statement = Statement::client_proof(&Login {
        client_nonce: &client_nonce,
        server_nonce: &server_nonce,
        server,
        client: Some(certificate.fingerprint()),
        url: &login.url,
    });
    let signature = URL_SAFE_NO_PAD.encode(login.signature.as_bytes());
    let genuine = certificate
        .public_key()
        .verify(&statement.ok()?, &signature)
        .is_ok();
    let shown = Callsign::parse(callsign).ok()?;
    let own = certificate.callsign().base() == shown.base() && !certificate.is_server();
    (genuine && own).then_some((certificate, shown))
}

fn id_of(client: ClientId) -> PersonId {
    PersonId::new(client.bits().to_be_bytes())
}

fn client_of(id: PersonId) -> ClientId {
    ClientId::new(u64::from_be_bytes(*id.as_bytes()))
}

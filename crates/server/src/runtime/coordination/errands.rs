//! What the node wants done that needs the disk, the trust graph or the hub: in order, off the threads that
//! serve sockets.

use std::sync::Arc;
use std::time::Instant;

use coordination::message::plain::PlainCertificate;
use coordination::message::{Set, SignedRecord};
use coordination::{
    Blob, Command, Event, Examined, Fate, Input, ItemId, LinkId, Node, ServerId, Signature,
    Standing, Token,
};
use pki::Certificate;
use pki::graph::{TrustGraph, Verdict};
use signaling::AddressGroup;
use signaling::limit::Rate;
use store::ServerRecord;
use tokio::sync::{mpsc, oneshot};

use super::{Coordinator, sets};
use crate::runtime::authority::{Bringer, Bringing};
use crate::runtime::lock;

/// Most certificates in a server's chain.
const MOST_IN_CHAIN: usize = 32;

/// Servers and people, for whom nobody here vouches, whose certificates are written down.
const UNVOUCHED: Rate = Rate::per_second(1, 64);

/// Something to do for the node.
#[derive(Debug)]
pub(super) enum Errand {
    Examine(Token, Vec<Blob>),
    Load(Token, Set, ItemId),
    Admit {
        token: Token,
        from: Origin,
        set: Set,
        id: ItemId,
        data: Blob,
    },
    Describe(Token, ItemId),
    AdmitPlain(Origin, PlainCertificate),
    RememberBoot(u64),
    Remember(Vec<SignedRecord>),
    Deliver(ServerId, Blob),
    Fate(u64, Fate),
    Event(Event),
    /// Verifies the logins that waited, and says that it is done.
    Logins(oneshot::Sender<()>),
    /// Says that everything before it is done.
    CatchUp(oneshot::Sender<()>),
}

/// Who hands something over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    /// From where.
    pub(super) group: AddressGroup,
    /// Which server, if that is proved, and what it is worth here.
    pub(super) server: Option<(ServerId, Standing)>,
}

impl Errand {
    /// What a command of the sets asks for; none for a command of another kind.
    pub(super) fn for_sets(
        command: Command,
        origin: impl Fn(LinkId) -> Option<Origin>,
    ) -> Option<Self> {
        Some(match command {
            Command::Load { token, set, id } => Self::Load(token, set, id),
            Command::Admit {
                token,
                link,
                set,
                id,
                data,
            } => Self::Admit {
                token,
                from: origin(link)?,
                set,
                id,
                data,
            },
            Command::Describe { token, id } => Self::Describe(token, id),
            Command::AdmitPlain { link, certificate } => {
                Self::AdmitPlain(origin(link)?, certificate)
            }
            Command::Remember { records } => Self::Remember(records),
            _ => return None,
        })
    }
}

/// Does what comes in, one after the other, for ever.
pub(super) async fn work(
    coordinator: &Arc<Coordinator>,
    mut errands: mpsc::UnboundedReceiver<Errand>,
) {
    let mut batch = Vec::new();
    while errands.recv_many(&mut batch, BATCH).await > 0 {
        let todo = std::mem::take(&mut batch);
        let coordinator = Arc::clone(coordinator);
        let done = tokio::task::spawn_blocking(move || {
            coordinator.take_in_together(&todo);
            for errand in todo {
                coordinator.run_errand(errand);
            }
        });
        if let Err(error) = done.await {
            tracing::error!(%error, "something for another server was not done");
        }
    }
    std::future::pending::<()>().await;
}

impl Coordinator {
    /// Takes the certificates of several errands in at once, so that the disk is waited for once. Each errand then finds its
    /// own there.
    fn take_in_together(&self, errands: &[Errand]) {
        let brought: Vec<Bringing> = errands
            .iter()
            .filter_map(|errand| match errand {
                Errand::Admit {
                    from,
                    set: Set::Certificates,
                    data,
                    ..
                } => Some(Bringing {
                    certificate: Certificate::from_der(data.as_bytes()).ok()?,
                    chain: Vec::new(),
                    bringer: from.bringer(),
                    from: from.group,
                }),
                Errand::AdmitPlain(from, brought) => {
                    let (certificate, chain) = sets::read_plain(brought)?;
                    Some(Bringing {
                        certificate,
                        chain,
                        bringer: Bringer::Holder,
                        from: from.group,
                    })
                }
                Errand::Event(Event::Joined { server, person, .. }) => {
                    self.unknown_person(*server, person)
                }
                _ => None,
            })
            .collect();
        if brought.len() > 1
            && let Err(error) = self.around.authority.bring_together(&brought)
        {
            tracing::warn!(%error, "what other servers brought could not be stored");
        }
    }

    fn run_errand(&self, errand: Errand) {
        match errand {
            Errand::Examine(token, chain) => {
                let server = self.examine(&chain);
                self.tell(Input::Examined { token, server });
            }
            Errand::Load(token, set, id) => {
                let data = self.load_item(set, id);
                self.tell(Input::Loaded { token, data });
            }
            Errand::Admit {
                token,
                from,
                set,
                id,
                data,
            } => {
                let outcome = self.admit_item(from, set, id, &data);
                self.tell(Input::Admitted { token, outcome });
            }
            Errand::Describe(token, id) => {
                let certificate = self.describe_certificate(id);
                self.tell(Input::Described { token, certificate });
            }
            Errand::AdmitPlain(from, certificate) => self.admit_plain(from, &certificate),
            Errand::RememberBoot(boot) => {
                let kept = lock(&self.around.ownership.store()).set_boot(boot);
                if let Err(error) = kept {
                    tracing::warn!(%error, "the count of starts could not be stored");
                }
            }
            Errand::Remember(records) => {
                let records: Vec<_> = records.iter().map(remembered).collect();
                let kept = lock(&self.around.ownership.store()).keep_server_records(&records);
                if let Err(error) = kept {
                    tracing::warn!(%error, "other servers' records could not be stored");
                }
            }
            Errand::Deliver(from, body) => self.deliver(from, &body),
            Errand::Fate(tag, fate) => self.fate(tag, fate),
            Errand::Event(event) => self.happened(event),
            // Whoever waits for either may be gone.
            Errand::Logins(done) => {
                self.verify_waiting();
                let _ = done.send(());
            }
            Errand::CatchUp(caught_up) => drop(caught_up.send(())),
        }
    }

    /// Whose certificates these are, each signed by the next, and what this server makes of the first.
    fn examine(&self, chain: &[Blob]) -> Option<Examined> {
        if chain.len() > MOST_IN_CHAIN {
            return None;
        }
        let (server, above) = read(chain)?;
        let mut below = &server;
        let signed = above.iter().all(|one| {
            let by_it = below.issuer() == one.subject() && below.is_signed_by(one.public_key());
            below = one;
            by_it
        });
        if !server.is_server() || above.is_empty() || !signed {
            return None;
        }
        let mut standing = self.standing(&server);
        let allowed = || self.is_vouched_for(&above) || self.may_write_down_another();
        if standing == Standing::Stranger && allowed() {
            self.take_in(&server, &above);
            standing = self.standing(&server);
        }
        Some(Examined {
            callsign: server.callsign().clone(),
            key: Arc::from(server.public_key().spki().as_slice()),
            standing,
        })
    }

    /// Whether one of these keys is trusted here.
    fn is_vouched_for(&self, above: &[Certificate]) -> bool {
        let trusted = |graph: &TrustGraph, one: &Certificate| {
            !graph.trusted_certificates(&one.key_id()).is_empty()
        };
        let authority = &self.around.authority;
        authority.look(|graph| above.iter().any(|one| trusted(graph, one)))
    }

    /// Whether the certificates of one more are written down for whom nobody here vouches. Anybody may come with new
    /// ones as often as they like; beyond this they are shown all the same, and what they cost the disk keeps nobody's
    /// call waiting.
    pub(super) fn may_write_down_another(&self) -> bool {
        lock(&self.unvouched)
            .spend(1, UNVOUCHED, Instant::now())
            .is_ok()
    }

    /// Takes a server's certificates in. Blocks on the disk.
    pub(super) fn take_in(&self, server: &Certificate, above: &[Certificate]) {
        let from = charged_for(above.last().unwrap_or(server));
        let authority = &self.around.authority;
        if let Err(error) = authority.bring(server, above, Bringer::Holder, from) {
            tracing::debug!(%error, "another server's certificates were not taken in");
        }
    }

    /// What the trust graph makes of another server.
    pub(super) fn standing(&self, server: &Certificate) -> Standing {
        let fingerprint = server.fingerprint();
        match self
            .around
            .authority
            .look(|graph| graph.verdict(&fingerprint))
        {
            Verdict::Trusted => Standing::Trusted,
            Verdict::Dead(_) => Standing::Blacklisted,
            Verdict::Untrusted | Verdict::Waiting | Verdict::Unknown => Standing::Stranger,
        }
    }

    /// Judges every server anew, because trust changed.
    pub(super) fn judge_servers(&self) {
        let known: Vec<(ServerId, Standing, Vec<Blob>)> = {
            let core = lock(&self.core);
            let servers = core.node.iter().flat_map(Node::servers);
            let known = servers.map(|one| (one.id, one.standing, one.chain.to_vec()));
            known.collect()
        };
        for (server, before, chain) in known {
            let Some((certificate, above)) = read(&chain) else {
                continue;
            };
            // Whoever is above it may be trusted only now.
            if before == Standing::Stranger && self.is_vouched_for(&above) {
                self.take_in(&certificate, &above);
            }
            let standing = self.standing(&certificate);
            if standing != before {
                self.tell(Input::Standing { server, standing });
            }
        }
    }

    /// Something happened among the servers.
    fn happened(&self, event: Event) {
        match event {
            Event::Linked { server, .. } => {
                // Until somebody hears it, nothing is told: most servers are alone most of the time.
                self.around.switchboard.coordinate(true);
                tracing::info!(%server, "a link to another server stands");
            }
            Event::Unlinked { server, .. } => {
                tracing::info!(%server, "a link to another server ended");
            }
            Event::Refused {
                endpoint,
                server,
                refusal,
                by_them,
            } => {
                let reason = refusal.sentence();
                tracing::debug!(
                    ?endpoint,
                    ?server,
                    by_them,
                    reason,
                    "no link to another server"
                );
            }
            Event::Joined {
                server, id, person, ..
            } => self.joined(server, id, person),
            Event::Left { server, id, .. } => self.left(server, id),
            Event::ServerDown { server } => {
                tracing::info!(%server, "another server is there no more");
                self.server_down(server);
            }
            Event::Stranger {
                fingerprint,
                callsign,
                ..
            } => {
                tracing::info!(%fingerprint, %callsign, "a server came whose root is unknown here");
            }
            Event::Clone => {
                self.note_copy();
                tracing::error!(
                    "another server runs with this one's key: a copy or a restored backup"
                );
            }
            Event::Misconduct {
                server,
                offence,
                ended,
            } => tracing::info!(%server, ?offence, ended, "another server misbehaved"),
            Event::SplitLog { log, size, heads } => {
                tracing::warn!(%log, size, ?heads, "an issuance log has two histories");
            }
            other => tracing::debug!(event = ?other, "coordination"),
        }
    }
}

/// A server's certificate, and those above it.
fn read(chain: &[Blob]) -> Option<(Certificate, Vec<Certificate>)> {
    let mut chain = chain
        .iter()
        .map(|one| Certificate::from_der(one.as_bytes()).ok());
    let server = chain.next()??;
    Some((server, chain.collect::<Option<_>>()?))
}

/// Whom the places for a server's certificates are charged to: the key at their end, so that one root
/// fills no more than one share, over whichever link it comes.
pub(super) fn charged_for(root: &Certificate) -> AddressGroup {
    let bytes = *root.key_id().as_bytes();
    let mut half = [0; 16];
    half[..8].copy_from_slice(&bytes[..8]);
    AddressGroup::of(std::net::Ipv6Addr::from(half).into())
}

fn remembered(record: &SignedRecord) -> ServerRecord {
    ServerRecord {
        server: *record.server.as_bytes(),
        boot: record.boot,
        sequence: record.sequence,
        body: record.body.as_bytes().to_vec(),
        signature: *record.signature.as_bytes(),
    }
}

/// A record as it was before it was stored.
pub(super) fn recalled(record: ServerRecord) -> SignedRecord {
    SignedRecord {
        server: ServerId::new(record.server),
        boot: record.boot,
        sequence: record.sequence,
        body: record.body.into(),
        signature: Signature::new(record.signature),
    }
}

/// Errands done in one go.
const BATCH: usize = 64;

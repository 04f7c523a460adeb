//! Trust anchors, and roots that prove licences: what the owner brings in a file and takes away.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::Certificate;
use pki::foreign::ForeignCertificate;
use pki::import::{self, Bundle, Unread};
use serde::{Deserialize, Serialize};
use station::{Callsign, Fingerprint, KeyId};

use super::{App, Effect, decision_problem, fingerprint, off_the_serving_threads};
#[cfg(feature = "schema")]
use crate::http::openapi::{Operation, Paths};
use crate::http::problem::Problem;
use crate::http::signed::ByOwner;
use crate::http::text::sentence;
use crate::runtime::authority::{Anchor, Root};

/// Most characters of a note.
const MAX_NOTE: usize = 500;

/// `GET /api/anchors`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Anchors"))]
pub(in crate::http) struct Answer {
    /// Whom the owner trusts without anybody else's word.
    anchors: Vec<AnchorInfo>,
    /// Foreign roots by which people prove licences. They vouch for nobody.
    license_roots: Vec<LicenseRoot>,
}

/// A trust anchor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct AnchorInfo {
    /// Its certificate.
    fingerprint: Fingerprint,
    /// Its holder.
    callsign: Callsign,
    /// Its holder's key.
    key_id: KeyId,
    /// What the owner wrote beside it.
    note: String,
    /// Whether it is the owner's own, which stays.
    own: bool,
}

/// A foreign root by which people prove licences.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LicenseRoot {
    /// The certificate.
    fingerprint: Fingerprint,
    /// Its subject, as text.
    subject: String,
    /// What the owner wrote beside it.
    note: String,
}

/// `POST /api/anchors`, signed by the owner.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AnchorsRequest"))]
pub(in crate::http) struct Submission {
    /// A file: the text of a PEM file, or any file in base64. DER and .p12 are read too.
    bundle: String,
    /// A .p12 file's password.
    password: Option<String>,
    /// To be written beside what is accepted; at most 500 characters.
    #[serde(default)]
    note: String,
    /// Which of them to accept; without it the file is only looked at.
    accept: Option<Vec<Fingerprint>>,
}

/// What is in a file. Nothing of it is stored.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AnchorsFound"))]
pub(in crate::http) struct Found {
    /// What can be accepted.
    found: Vec<Candidate>,
    /// What cannot.
    unread: Vec<Unusable>,
}

/// A certificate that can be accepted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AnchorCandidate"))]
struct Candidate {
    /// The certificate.
    fingerprint: Fingerprint,
    /// What it would be.
    kind: Kind,
    /// A station's callsign.
    callsign: Option<Callsign>,
    /// A foreign certificate's subject, as text.
    subject: Option<String>,
    /// Whether it names itself as its issuer.
    self_signed: bool,
}

/// What a certificate in a file can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AnchorKind"))]
enum Kind {
    /// A station's: a trust anchor, whose holder may vouch.
    Station,
    /// A foreign one: a root that proves licences.
    LicenseRoot,
}

/// A certificate that cannot be accepted.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AnchorUnusable"))]
struct Unusable {
    /// Its place in the file, from 1, or its subject.
    certificate: String,
    /// Why, as a sentence.
    error: String,
}

/// What was accepted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AnchorsAccepted"))]
pub(in crate::http) struct Accepted {
    /// Certificates that are anchors or licence roots now.
    added: Vec<Fingerprint>,
    /// Stations' certificates that cannot be anchors, because whoever signed them is not known.
    not_added: Vec<Fingerprint>,
    /// What changed.
    effect: Effect,
}

pub(in crate::http) async fn list(State(app): State<Arc<App>>) -> Json<Answer> {
    let own = own_anchor(&app);
    let anchors = app.authority.anchors().into_iter();
    let roots = app.authority.licence_roots().into_iter();
    Json(Answer {
        anchors: anchors.map(|anchor| AnchorInfo::of(anchor, own)).collect(),
        license_roots: roots.map(LicenseRoot::from).collect(),
    })
}

pub(in crate::http) async fn add(
    State(app): State<Arc<App>>,
    ByOwner(submission): ByOwner<Submission>,
) -> Result<Response, Problem> {
    let note = sentence(&submission.note, "a note", MAX_NOTE)?;
    off_the_serving_threads(&app, move |app| {
        let bundle = read(&submission)?;
        let Some(wanted) = submission.accept else {
            return Ok(Json(Found::of(&bundle)).into_response());
        };
        let accepted = accept(app, &bundle, &wanted, &note)?;
        tracing::info!(
            added = accepted.added.len(),
            "the owner accepted trust anchors or licence roots"
        );
        Ok((StatusCode::CREATED, Json(accepted)).into_response())
    })
    .await
}

pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    ByOwner(()): ByOwner<()>,
) -> Result<Json<Effect>, Problem> {
    let named = fingerprint(&named)?;
    off_the_serving_threads(&app, move |app| {
        let effect = app.authority.dismiss(&named, own_anchor(app));
        let effect = effect.map_err(decision_problem)?;
        tracing::info!(%named, "the owner took a trust anchor or a licence root away");
        Ok(Json(Effect::from(&effect)))
    })
    .await
}

fn own_anchor(app: &App) -> Option<Fingerprint> {
    app.ownership.claim().map(|claim| claim.owner.fingerprint())
}

fn read(submission: &Submission) -> Result<Bundle, Problem> {
    let bad = |error: String| Problem::new(StatusCode::BAD_REQUEST, "bad-bundle", error);
    let file = if submission.bundle.contains("-----BEGIN ") {
        submission.bundle.clone().into_bytes()
    } else {
        let text: String = submission.bundle.split_whitespace().collect();
        STANDARD
            .decode(text)
            .map_err(|_| bad("the bundle is neither PEM nor base64".to_owned()))?
    };
    import::read(&file, submission.password.as_deref()).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        let text = format!("{error}{}", cause.unwrap_or_default());
        match error {
            import::ImportError::PasswordNeeded => {
                Problem::new(StatusCode::BAD_REQUEST, "password-needed", text)
            }
            _ => bad(text),
        }
    })
}

fn accept(
    app: &App,
    bundle: &Bundle,
    wanted: &[Fingerprint],
    note: &str,
) -> Result<Accepted, Problem> {
    let (stations, others): (Vec<Certificate>, Vec<Certificate>) = bundle
        .stations
        .iter()
        .cloned()
        .partition(|one| wanted.contains(&one.fingerprint()));
    let foreign: Vec<ForeignCertificate> = bundle
        .foreign
        .iter()
        .filter(|one| one.may_issue() && wanted.contains(&one.fingerprint()))
        .cloned()
        .collect();
    if let Some(missing) = wanted.iter().find(|wanted| {
        !stations.iter().any(|one| one.fingerprint() == **wanted)
            && !foreign.iter().any(|one| one.fingerprint() == **wanted)
    }) {
        let error = format!("the file holds nothing to accept with the fingerprint {missing}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad-bundle", error));
    }
    let accepted = app.authority.accept(&stations, &others, &foreign, note);
    let accepted = accepted.map_err(|error| Problem::internal(&error))?;
    Ok(Accepted {
        effect: Effect::from(&accepted.effect),
        added: accepted.added,
        not_added: accepted.unsigned,
    })
}

impl AnchorInfo {
    fn of(anchor: Anchor, own: Option<Fingerprint>) -> Self {
        let Anchor { certificate, note } = anchor;
        Self {
            fingerprint: certificate.fingerprint(),
            callsign: certificate.callsign().clone(),
            key_id: certificate.key_id(),
            note,
            own: own == Some(certificate.fingerprint()),
        }
    }
}

impl From<Root> for LicenseRoot {
    fn from(root: Root) -> Self {
        Self {
            fingerprint: root.certificate.fingerprint(),
            subject: root.certificate.subject_text().to_owned(),
            note: root.note,
        }
    }
}

impl Found {
    fn of(bundle: &Bundle) -> Self {
        let stations = bundle.stations.iter().map(Candidate::station);
        let (roots, others): (Vec<_>, Vec<_>) =
            bundle.foreign.iter().partition(|one| one.may_issue());
        let powerless = others.into_iter().map(|one| Unusable {
            certificate: one.subject_text().to_owned(),
            error: "it does not let its holder issue certificates, so it is no root".to_owned(),
        });
        Self {
            found: stations
                .chain(roots.into_iter().map(Candidate::licence_root))
                .collect(),
            unread: bundle
                .unread
                .iter()
                .map(Unusable::from)
                .chain(powerless)
                .collect(),
        }
    }
}

impl Candidate {
    fn station(certificate: &Certificate) -> Self {
        Self {
            fingerprint: certificate.fingerprint(),
            kind: Kind::Station,
            callsign: Some(certificate.callsign().clone()),
            subject: None,
            self_signed: certificate.is_self_issued(),
        }
    }

    fn licence_root(certificate: &ForeignCertificate) -> Self {
        Self {
            fingerprint: certificate.fingerprint(),
            kind: Kind::LicenseRoot,
            callsign: None,
            subject: Some(certificate.subject_text().to_owned()),
            self_signed: certificate.is_self_issued(),
        }
    }
}

impl From<&Unread> for Unusable {
    fn from(unread: &Unread) -> Self {
        Self {
            certificate: unread.place.to_string(),
            error: format!(
                "it is no station's: {}; and no licence root: {}",
                unread.station, unread.foreign
            ),
        }
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let list = Operation::new("The trust anchors, and the roots that prove licences")
        .answers::<Answer>(paths, 200, "Both");
    paths.add("get", "/api/anchors", list);
    let add = Operation::new("Look into a file, or accept what is in it; signed by the owner")
        .takes::<Submission>(paths)
        .answers::<Found>(paths, 200, "What is in the file")
        .answers::<Accepted>(paths, 201, "What was accepted")
        .refuses(paths, &[400, 401, 403]);
    paths.add("post", "/api/anchors", add);
    let remove = Operation::new("Take an anchor or a licence root away; signed by the owner")
        .answers::<Effect>(paths, 200, "What changed")
        .refuses(paths, &[401, 403, 404, 409]);
    paths.add("delete", "/api/anchors/{fingerprint}", remove);
}

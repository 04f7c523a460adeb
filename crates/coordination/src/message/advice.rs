//! What the plain messages carry that nobody has to believe: whom another owner distrusts, and which files
//! another server hands out.
//!
//! It is read leniently, because whoever sends it may not be one of our own: an entry that makes no sense is
//! passed over, like a member that nobody knows. What comes out is bounded, and safe to show to a person.

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use station::{Callsign, Fingerprint, Identity, KeyId};

/// Most entries of a blacklist, over all its pages, that a server publishes.
pub const MAX_DISTRUSTED: usize = 512;

/// Most characters of a reason, as it is published and as it is kept.
pub const MAX_REASON: usize = 200;

/// Most bytes of a file's path in a catalog, and of what else describes it.
const MAX_PATH: usize = 128;
const MAX_WORD: usize = 96;

/// Whom the owner of a server distrusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Distrust {
    /// What it is about.
    pub scope: DistrustScope,
    /// A certificate: the one that is meant, or one of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// What the certificate is known by, for [`DistrustScope::Certificate`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The key, for the other two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// Whose it is, as the sender says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callsign: Option<Callsign>,
    /// Why, in the owner's words: [`readable`], and at most [`MAX_REASON`] characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How far a decision reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DistrustScope {
    /// The one certificate.
    #[default]
    Certificate,
    /// Every certificate of its key.
    Key,
    /// Its key and every key below.
    Subtree,
}

/// What a server hands out. What else its catalog says is nothing that anybody here acts on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// The files.
    #[serde(deserialize_with = "files")]
    pub entries: Vec<CatalogEntry>,
}

/// A file that a server hands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CatalogEntry {
    /// Its path there: letters, digits and `._+-/`, nowhere `..`.
    pub path: String,
    /// Its hash, as the sender writes it; empty if it does not say.
    pub hash: String,
    /// Its bytes.
    pub size: u64,
    /// Its media type; empty if it does not say.
    pub content_type: String,
}

/// A text with nothing in it that hides, turns or breaks what stands beside it: no control characters, no marks
/// of direction, none without a width; blanks of all kinds are one blank. At most so many characters.
#[must_use]
pub fn readable(text: &str, most: usize) -> String {
    let mut clean = String::new();
    let mut kept = 0;
    let mut blank = false;
    for letter in text.chars() {
        if letter.is_whitespace() {
            blank = kept > 0;
            continue;
        }
        if is_unseen(letter) {
            continue;
        }
        if kept + usize::from(blank) >= most {
            // What is cut says so.
            clean.pop();
            clean.push('…');
            break;
        }
        if std::mem::take(&mut blank) {
            clean.push(' ');
            kept += 1;
        }
        clean.push(letter);
        kept += 1;
    }
    clean
}

/// Controls, and what Unicode calls format characters and the like (general categories Cc, Cf, Cs, Co).
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{10ffff}')
}

/// A blacklist: what in it makes sense.
pub(super) fn blacklist<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Distrust>, D::Error> {
    let entries: Vec<Lenient<SaidDistrust>> = Vec::deserialize(from)?;
    let made = entries.into_iter().filter_map(Lenient::value);
    Ok(made.filter_map(SaidDistrust::check).collect())
}

/// The entries of a catalog that make sense.
fn files<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<CatalogEntry>, D::Error> {
    let entries: Vec<Lenient<SaidFile>> = Vec::deserialize(from)?;
    let made = entries.into_iter().filter_map(Lenient::value);
    Ok(made.filter_map(SaidFile::check).collect())
}

/// Something that may be of another form than is known here.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Read(T),
    Unread(IgnoredAny),
}

impl<T> Lenient<T> {
    fn value(self) -> Option<T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Unread(_) => None,
        }
    }
}

/// An entry of a blacklist as it came.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "")]
struct SaidDistrust {
    #[serde(default)]
    scope: DistrustScope,
    fingerprint: Option<Lenient<Fingerprint>>,
    identity: Option<Lenient<Identity>>,
    key_id: Option<Lenient<KeyId>>,
    callsign: Option<Lenient<Callsign>>,
    reason: Option<Lenient<String>>,
}

impl SaidDistrust {
    /// Nothing where it is not said who is meant.
    fn check(self) -> Option<Distrust> {
        let said = Distrust {
            scope: self.scope,
            fingerprint: self.fingerprint.and_then(Lenient::value),
            identity: self.identity.and_then(Lenient::value),
            key_id: self.key_id.and_then(Lenient::value),
            callsign: self.callsign.and_then(Lenient::value),
            reason: self.reason.and_then(Lenient::value).unwrap_or_default(),
        };
        let named = match said.scope {
            DistrustScope::Certificate => said.identity.is_some(),
            DistrustScope::Key | DistrustScope::Subtree => said.key_id.is_some(),
        };
        (named || said.fingerprint.is_some()).then(|| Distrust {
            reason: readable(&said.reason, MAX_REASON),
            ..said
        })
    }
}

/// A file of a catalog as it came.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SaidFile {
    path: String,
    #[serde(default)]
    hash: String,
    size: u64,
    #[serde(default)]
    content_type: String,
}

impl SaidFile {
    fn check(self) -> Option<CatalogEntry> {
        let Self {
            path,
            hash,
            size,
            content_type,
        } = self;
        let of = |text: &str, most, others: &str| {
            let fits = |letter: char| letter.is_ascii_alphanumeric() || others.contains(letter);
            text.len() <= most && text.chars().all(fits)
        };
        let fits = of(&path, MAX_PATH, "._+-/")
            && !path.is_empty()
            && !path.split('/').any(|part| part == "..")
            && of(&hash, MAX_WORD, ":_+-/=")
            && of(&content_type, MAX_WORD, "._+-/;= ");
        fits.then_some(CatalogEntry {
            path,
            hash,
            size,
            content_type,
        })
    }
}

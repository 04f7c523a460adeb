//! The issuance log: everything a server ever issued, so that it cannot quietly deny or slip in a
//! certificate.
//!
//! An [`Entry`] is a text of a few lines. It names the head before it, and its own head is the
//! SHA-256 of that text; so a head stands for the whole log up to it. A [`Checkpoint`] is the
//! server's signed word on how long its log is and what its head is. Who keeps two of them can check
//! that the entries between lead from one to the other, and prove it where a server showed different
//! people different logs. `docs/protocol/certificates.md` has the text's lines, also of a whole log
//! ([`export`]).

pub mod export;

use std::borrow::Borrow;
use std::str::FromStr;

use ring::rand::SecureRandom;
use station::licence::VouchMethod;
use station::statement::FieldError;
use station::{Callsign, Digest, Fingerprint, Identity, KeyId, LicenceClass, Statement};

use crate::certificate::Admitted;
use crate::key::{KeyError, SigningKey};
use crate::licence::{exact_callsign, exact_class};
use crate::public_key::PublicKey;
use crate::sha256;

/// Most bytes of one entry's text.
pub const MAX_ENTRY_LEN: usize = 1024;

/// How far a log goes: the number of its entries and the head of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// How many entries there are.
    pub size: u64,
    /// SHA-256 of the last entry's text; all zeros when there is none.
    pub head: Digest,
}

/// What was issued, and on what grounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// When, in seconds since 1970 by the server's clock.
    pub time: u64,
    /// The certificate's label.
    pub certificate: Fingerprint,
    /// What the certificate is known by.
    pub identity: Identity,
    /// The key in it.
    pub holder: KeyId,
    /// Whose it is.
    pub callsign: Callsign,
    /// The class in it, if any.
    pub class: Option<LicenceClass>,
    /// How the licence was checked.
    pub method: VouchMethod,
    /// SHA-256 of what was shown for it, where something was.
    pub evidence: Option<Digest>,
}

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place: 0 for the first.
    pub index: u64,
    /// What was issued.
    pub issued: Issued,
    /// The head before it.
    pub previous: Digest,
}

/// A server's signed word on its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The server's key.
    pub server: KeyId,
    /// How far the log went.
    pub tip: Tip,
    /// The key's signature of the `checkpoint` statement: r‖s, base64url.
    pub signature: String,
}

/// Why a log, an entry or a checkpoint is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Not the lines of an entry.
    #[error("the text is not an entry of an issuance log")]
    Malformed,
    /// The certificate says nothing of a licence: nobody issued it on anybody's behalf.
    #[error("the certificate says nothing of a licence")]
    NoLicence,
    /// The next entry has another place.
    #[error("entry {expected} of the log is missing")]
    Gap {
        /// The place that comes next.
        expected: u64,
    },
    /// The entry names another head than that of the entries before it.
    #[error("entry {index} of the log does not follow the entries before it")]
    Broken {
        /// Its place.
        index: u64,
    },
    /// The entries lead to another head than the checkpoint says.
    #[error("the log's entries do not lead to what the server signed")]
    NotTheHead,
    /// The checkpoint that should come later says that the log was shorter.
    #[error("the log became shorter")]
    Shorter,
    /// The checkpoints are not of one server.
    #[error("the checkpoints are of different servers")]
    OtherServer,
    /// The checkpoint is not signed by the key it names.
    #[error("the checkpoint is not signed by the server's key")]
    Signature,
}

/// Why no checkpoint was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The statement could not be written.
    #[error("the checkpoint cannot be written as a statement")]
    Field(#[from] FieldError),
    /// The key could not sign.
    #[error("the signing key failed")]
    Key(#[from] KeyError),
}

impl Tip {
    /// The tip of a log without entries.
    pub const EMPTY: Self = Self {
        size: 0,
        head: Digest::new([0; 32]),
    };

    /// The entry that comes next, and the tip after it.
    #[must_use]
    pub fn append(self, issued: Issued) -> (Entry, Self) {
        let entry = Entry {
            index: self.size,
            issued,
            previous: self.head,
        };
        let tip = entry.tip();
        (entry, tip)
    }

    /// The tip after this entry, which must be the next.
    ///
    /// # Errors
    /// [`LogError::Gap`] or [`LogError::Broken`] when it is not.
    pub fn follow(self, entry: &Entry) -> Result<Self, LogError> {
        if entry.index != self.size {
            return Err(LogError::Gap {
                expected: self.size,
            });
        }
        if entry.previous != self.head {
            return Err(LogError::Broken { index: entry.index });
        }
        Ok(entry.tip())
    }
}

impl Issued {
    /// What there is to log of a certificate that was just issued.
    ///
    /// # Errors
    /// [`LogError::NoLicence`] when it says nothing of a licence.
    pub fn of(
        certificate: &Admitted,
        time: u64,
        evidence: Option<Digest>,
    ) -> Result<Self, LogError> {
        let licence = certificate.licence().ok_or(LogError::NoLicence)?;
        Ok(Self {
            time,
            certificate: certificate.fingerprint(),
            identity: certificate.identity(),
            holder: certificate.key_id(),
            callsign: licence.callsign.clone(),
            class: licence.class.clone(),
            method: licence.method,
            evidence,
        })
    }
}

impl Entry {
    /// The text: lines joined by LF, none at the end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let issued = &self.issued;
        let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
        [
            FIRST_LINE.to_owned(),
            self.index.to_string(),
            issued.time.to_string(),
            issued.certificate.to_string(),
            issued.identity.to_string(),
            issued.holder.to_string(),
            issued.callsign.to_string(),
            or_none(issued.class.as_ref().map(ToString::to_string)),
            issued.method.to_string(),
            or_none(issued.evidence.map(|evidence| evidence.to_string())),
            self.previous.to_string(),
        ]
        .join("\n")
    }

    /// Reads the text: only what [`Entry::to_text`] writes.
    ///
    /// # Errors
    /// [`LogError::Malformed`] for anything else.
    pub fn from_text(text: &str) -> Result<Self, LogError> {
        if text.len() > MAX_ENTRY_LEN {
            return Err(LogError::Malformed);
        }
        let mut lines = text.split('\n');
        let mut next = || lines.next().ok_or(LogError::Malformed);
        if next()? != FIRST_LINE {
            return Err(LogError::Malformed);
        }
        let entry = Self {
            index: read(next()?)?,
            issued: Issued {
                time: read(next()?)?,
                certificate: read(next()?)?,
                identity: read(next()?)?,
                holder: read(next()?)?,
                callsign: exact_callsign(next()?).ok_or(LogError::Malformed)?,
                class: match next()? {
                    NONE => None,
                    class => Some(exact_class(class).map_err(|_| LogError::Malformed)?),
                },
                method: method(next()?)?,
                evidence: match next()? {
                    NONE => None,
                    digest => Some(read(digest)?),
                },
            },
            previous: read(next()?)?,
        };
        // Numbers such as 01 and lines that follow would be read and not written again.
        if lines.next().is_some() || entry.to_text() != text {
            return Err(LogError::Malformed);
        }
        Ok(entry)
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn head(&self) -> Digest {
        Digest::new(sha256(&[self.to_text().as_bytes()]))
    }

    fn tip(&self) -> Tip {
        Tip {
            size: self.index.saturating_add(1),
            head: self.head(),
        }
    }
}

impl Checkpoint {
    /// Signs how far the log goes.
    ///
    /// # Errors
    /// [`CheckpointError`] when the key fails.
    pub fn sign(
        tip: Tip,
        server: &SigningKey,
        random: &dyn SecureRandom,
    ) -> Result<Self, CheckpointError> {
        let statement = Statement::checkpoint(server.key_id(), tip.size, tip.head)?;
        Ok(Self {
            server: server.key_id(),
            tip,
            signature: server.sign(&statement, random)?,
        })
    }

    /// Checks that the server's key signed it: one signature check.
    ///
    /// # Errors
    /// [`LogError::Signature`] for another key or signature.
    pub fn verify(&self, server: &PublicKey) -> Result<(), LogError> {
        let statement = Statement::checkpoint(self.server, self.tip.size, self.tip.head);
        let statement = statement.map_err(|_| LogError::Signature)?;
        let signed = server.verify(&statement, &self.signature).is_ok();
        if signed && server.key_id() == self.server {
            Ok(())
        } else {
            Err(LogError::Signature)
        }
    }

    /// Checks that these entries, all of those between the two, lead from the earlier checkpoint to
    /// this one. Both must have been verified.
    ///
    /// # Errors
    /// [`LogError`] with what does not fit.
    pub fn continues(
        &self,
        earlier: &Self,
        between: impl IntoIterator<Item = impl Borrow<Entry>>,
    ) -> Result<(), LogError> {
        if self.server != earlier.server {
            return Err(LogError::OtherServer);
        }
        if self.tip.size < earlier.tip.size {
            return Err(LogError::Shorter);
        }
        let mut entries = between.into_iter();
        let tip = entries.try_fold(earlier.tip, |tip, entry| tip.follow(entry.borrow()))?;
        if tip.size < self.tip.size {
            return Err(LogError::Gap { expected: tip.size });
        }
        if tip == self.tip {
            Ok(())
        } else {
            Err(LogError::NotTheHead)
        }
    }

    /// Whether the two prove that the server showed different logs: one size, two heads. Both must
    /// have been verified.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        self.server == other.server
            && self.tip.size == other.tip.size
            && self.tip.head != other.tip.head
    }
}

fn read<T: FromStr>(text: &str) -> Result<T, LogError> {
    text.parse().map_err(|_| LogError::Malformed)
}

fn method(word: &str) -> Result<VouchMethod, LogError> {
    let mut methods = VouchMethod::ALL.into_iter();
    methods
        .find(|method| method.as_str() == word)
        .ok_or(LogError::Malformed)
}

/// What stands where nothing is said.
const NONE: &str = "-";
const FIRST_LINE: &str = "ham-server-log/1";

#[cfg(test)]
mod tests;

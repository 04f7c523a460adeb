//! A whole log as a text that anybody can keep and check.
//!
//! The texts of all entries and of a checkpoint at the end, with an empty line between them and a line
//! feed after the last. A text that was cut off has no checkpoint.

use station::{Digest, KeyId};

use super::{Checkpoint, Entry, LogError, Tip, read};
use crate::certificate::Certificate;
use crate::public_key::PublicKey;

/// What stands between two texts.
pub const BETWEEN: &str = "\n\n";

/// A log as somebody exported it; nothing of it is checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Every entry.
    pub entries: Vec<Entry>,
    /// The server's word on them.
    pub checkpoint: Checkpoint,
}

impl Export {
    /// Reads a text.
    ///
    /// # Errors
    /// [`LogError::Malformed`] where an entry or the checkpoint is none, or is missing.
    pub fn from_text(text: &str) -> Result<Self, LogError> {
        let text = text.strip_suffix('\n').ok_or(LogError::Malformed)?;
        let mut texts: Vec<&str> = text.split(BETWEEN).collect();
        let checkpoint = texts.pop().ok_or(LogError::Malformed)?;
        Ok(Self {
            checkpoint: Checkpoint::from_text(checkpoint)?,
            entries: texts
                .into_iter()
                .map(Entry::from_text)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Checks that the server signed this log and no other: one signature check.
    ///
    /// # Errors
    /// [`LogError`] with what does not fit.
    pub fn verify(&self, server: &PublicKey) -> Result<(), LogError> {
        self.checkpoint.verify(server)?;
        let empty = Checkpoint {
            server: self.checkpoint.server,
            tip: Tip::EMPTY,
            signature: String::new(),
        };
        self.checkpoint.continues(&empty, &self.entries)
    }

    /// Checks that of two logs of one server, both verified, the longer goes on where the shorter
    /// ends.
    ///
    /// # Errors
    /// [`LogError`] when they do not fit: together they prove that the server showed different logs.
    pub fn agrees_with(&self, other: &Self) -> Result<(), LogError> {
        let size = |export: &Self| export.checkpoint.tip.size;
        let (earlier, later) = if size(self) <= size(other) {
            (self, other)
        } else {
            (other, self)
        };
        let more = later.entries.get(earlier.entries.len()..);
        let more = more.ok_or(LogError::Gap {
            expected: earlier.checkpoint.tip.size,
        })?;
        later.checkpoint.continues(&earlier.checkpoint, more)
    }

    /// Whether the server signed this certificate and its log, which was verified, does not have it:
    /// one signature check.
    #[must_use]
    pub fn hides(&self, certificate: &Certificate, server: &PublicKey) -> bool {
        let by_server = certificate.admit(server);
        by_server.is_some_and(|admitted| {
            let mut entries = self.entries.iter();
            entries.all(|entry| entry.issued.identity != admitted.identity())
        })
    }
}

impl Checkpoint {
    /// The text: lines joined by LF, none at the end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self {
            server,
            tip: Tip { size, head },
            signature,
        } = self;
        format!("{FIRST_LINE}\n{server}\n{size}\n{head}\n{signature}")
    }

    /// Reads the text: only what [`Checkpoint::to_text`] writes.
    ///
    /// # Errors
    /// [`LogError::Malformed`] for anything else.
    pub fn from_text(text: &str) -> Result<Self, LogError> {
        let lines: Vec<&str> = text.split('\n').collect();
        let [FIRST_LINE, server, size, head, signature] = lines[..] else {
            return Err(LogError::Malformed);
        };
        let checkpoint = Self {
            server: read::<KeyId>(server)?,
            tip: Tip {
                size: read(size)?,
                head: read::<Digest>(head)?,
            },
            signature: signature.to_owned(),
        };
        if checkpoint.to_text() == text {
            Ok(checkpoint)
        } else {
            Err(LogError::Malformed)
        }
    }
}

const FIRST_LINE: &str = "ham-server-checkpoint/1";

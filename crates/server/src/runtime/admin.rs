//! The secret by which commands on this machine act as the owner: a file only its user can read,
//! new at each start.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use pki::SignatureBase;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// The secret's file in the data folder, mode 0600.
pub(super) const ADMIN_FILE: &str = "admin.key";

/// The secret.
#[derive(Debug)]
pub struct AdminKey(hmac::Key);

impl AdminKey {
    /// Makes a new secret and writes it for the commands to read.
    ///
    /// # Errors
    /// What the system says, also when it gives no random bytes.
    pub fn make(data_dir: &Path, random: &SystemRandom) -> io::Result<Self> {
        let mut secret = [0; 32];
        random
            .fill(&mut secret)
            .map_err(|_| io::Error::other(super::NoRandomness))?;
        let path = data_dir.join(ADMIN_FILE);
        // Not the old file with its old mode and perhaps an old reader.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?.write_all(&secret)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    /// Reads the secret of the server that runs here.
    ///
    /// # Errors
    /// What the system says: none runs, or it is another user's.
    pub fn read(data_dir: &Path) -> io::Result<Self> {
        let secret = fs::read(data_dir.join(ADMIN_FILE))?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    /// Signs a request.
    #[must_use]
    pub fn sign(&self, base: &SignatureBase) -> Vec<u8> {
        hmac::sign(&self.0, base.as_bytes()).as_ref().to_vec()
    }

    /// Whether a request was signed with this secret.
    #[must_use]
    pub fn verify(&self, base: &SignatureBase, signature: &[u8]) -> bool {
        hmac::verify(&self.0, base.as_bytes(), signature).is_ok()
    }
}

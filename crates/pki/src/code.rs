//! One-time codes: what a person reads from the server's console to prove they stand beside it, or
//! hears from the owner to get a certificate.
//!
//! A code is 80 random bits and is never sent: both sides key an HMAC with it
//! (`docs/protocol/statements.md`).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SecureRandom;
use station::Statement;
use zeroize::Zeroizing;

use crate::key::KeyError;

/// Characters of a code: 80 bits in base32.
pub const CODE_LEN: usize = 16;

/// A one-time code. `Display` shows it, in groups of four; `Debug` does not.
#[derive(Clone)]
pub struct Code(Zeroizing<[u8; CODE_LEN]>);

/// A text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code has 16 of the letters A to Z and the digits 2 to 7, such as ABCD-EFGH-IJKL-2345")]
pub struct CodeError;

/// A proof was not made with this code over that statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof was not made with this code")]
pub struct WrongCode;

impl Code {
    /// Makes a new code.
    ///
    /// # Errors
    /// [`KeyError::Random`] when the system gives no random bytes.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, KeyError> {
        let mut code = Zeroizing::new([0; CODE_LEN]);
        random.fill(&mut *code).map_err(|_| KeyError::Random)?;
        // Five bits of each byte: as uniform as the byte, and 16 of them are the 80 bits.
        code.iter_mut()
            .for_each(|byte| *byte = ALPHABET[usize::from(*byte & 0x1f)]);
        Ok(Self(code))
    }

    /// Reads a code as a person types it: case, blanks and dashes are forgiven.
    ///
    /// # Errors
    /// [`CodeError`] when it cannot be one.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let mut code = Zeroizing::new([0; CODE_LEN]);
        let mut typed = text
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-');
        for place in code.iter_mut() {
            let letter = typed.next().ok_or(CodeError)?.to_ascii_uppercase();
            *place = if ALPHABET.contains(&letter) {
                letter
            } else {
                return Err(CodeError);
            };
        }
        if typed.next().is_some() {
            Err(CodeError)
        } else {
            Ok(Self(code))
        }
    }

    /// The proof of knowing the code: HMAC-SHA-256 over the statement, base64url without padding.
    #[must_use]
    pub fn hmac(&self, statement: &Statement) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key(), statement.as_bytes()))
    }

    /// Checks the other side's proof, in constant time.
    ///
    /// # Errors
    /// [`WrongCode`] for any other text, code or statement.
    pub fn verify(&self, statement: &Statement, proof: &str) -> Result<(), WrongCode> {
        let proof = URL_SAFE_NO_PAD.decode(proof).map_err(|_| WrongCode)?;
        hmac::verify(&self.key(), statement.as_bytes(), &proof).map_err(|_| WrongCode)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &*self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in self.0.iter().enumerate() {
            let dash = if place > 0 && place % 4 == 0 { "-" } else { "" };
            write!(f, "{dash}{}", char::from(*letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(not shown)")
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Base32 of RFC 4648, 6.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use station::statement::issuing::Applicant;
    use station::{Callsign, KeyId};

    use super::*;

    #[test]
    fn the_proofs_are_those_of_the_shared_vectors() {
        let vectors: serde_json::Value = serde_json::from_str(include_str!(
            "../../../docs/protocol/vectors/statements.json"
        ))
        .unwrap();
        let mut checked = 0;
        for case in vectors["cases"].as_array().unwrap() {
            let Some(code) = case["code"].as_str() else {
                continue;
            };
            let field = |name: &str| case["fields"][name].as_str().unwrap();
            let id = |name: &str| KeyId::parse(field(name)).unwrap();
            let nonce = field("nonce");
            let statement = match case["context"].as_str().unwrap() {
                "claim-offer" => Statement::claim_offer(nonce, id("server")),
                "claim" => {
                    let callsign = Callsign::parse(field("callsign")).unwrap();
                    Statement::claim(nonce, id("server"), id("operator"), &callsign)
                }
                "issue" => {
                    let callsign = Callsign::parse(field("callsign")).unwrap();
                    let class = case["fields"]["class"].as_str();
                    let class = class.map(|class| class.parse().unwrap());
                    let applicant = Applicant {
                        key: id("key"),
                        callsign: &callsign,
                        class: class.as_ref(),
                    };
                    Statement::issue(nonce, applicant)
                }
                "issued" => Statement::issued(nonce, field("certificate").parse().unwrap()),
                other => panic!("no code takes part in {other}"),
            };
            let (code, statement) = (Code::parse(code).unwrap(), statement.unwrap());
            assert_eq!(code.hmac(&statement), case["hmac"].as_str().unwrap());
            checked += 1;
        }
        assert_eq!(checked, 5);
    }

    #[test]
    fn is_read_as_it_is_shown_and_typed() {
        let code = Code::generate(&SystemRandom::new()).unwrap();
        let shown = code.to_string();
        assert_eq!(shown.len(), CODE_LEN + 3);
        let typed = shown.to_lowercase().replace('-', " - ");
        for text in [shown.as_str(), typed.as_str(), &shown.replace('-', "")] {
            assert_eq!(Code::parse(text).unwrap().to_string(), shown);
        }
        let (short, long) = (&shown[..18], format!("{shown}A"));
        for wrong in [
            "",
            short,
            long.as_str(),
            "ABCD-EFGH-IJKL-2341",
            "ÄBCD-EFGH-IJKL-2345",
        ] {
            assert_eq!(Code::parse(wrong).err(), Some(CodeError), "{wrong}");
        }
        assert!(!format!("{code:?}").contains(&shown[..4]));
    }

    #[test]
    fn another_code_or_statement_proves_nothing() {
        let random = SystemRandom::new();
        let [code, other] = [(); 2].map(|()| Code::generate(&random).unwrap());
        let [one, two] = ["a", "b"].map(|nonce| Statement::claim_offer(nonce, KeyId::new([7; 32])));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(code.verify(&one, &code.hmac(&one)), Ok(()));
        let padded = code.hmac(&one) + "=";
        for wrong in [code.hmac(&two), other.hmac(&one), String::new(), padded] {
            assert_eq!(code.verify(&one, &wrong), Err(WrongCode));
        }
    }
}

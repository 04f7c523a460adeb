//! Signature bases of HTTP requests: what is signed of a request, as text (RFC 9421, 2.5).
//!
//! Which components a signature covers is decided where requests are read; here they become the
//! bytes that a key signs. Of HTTP nothing else is known but the headers that carry a signature
//! ([`RequestSignature`]).

mod headers;

use std::fmt::Write as _;

pub use self::headers::{
    HeaderError, LABEL, MAX_COMPONENTS, MAX_HEADER_LEN, RequestSignature, content_digest,
    is_digest_of,
};

/// The text that an HTTP message signature is made over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureBase(String);

/// A component cannot stand in a signature base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signed part of a request has a line break")]
pub struct ComponentError;

impl SignatureBase {
    /// Builds the base. `components` are names as they are signed (`@method`, `content-digest`) with
    /// their values, in the order of `parameters`, which is the member of Signature-Input as sent:
    /// `("@method" "content-digest");created=1618884473;keyid="..."`.
    ///
    /// # Errors
    /// [`ComponentError`] for a line break, which would forge a component (RFC 9421, 2.1).
    pub fn new(components: &[(&str, &str)], parameters: &str) -> Result<Self, ComponentError> {
        let mut text = String::new();
        for (name, value) in components
            .iter()
            .chain(&[("@signature-params", parameters)])
        {
            if name.contains(['\n', '\r', '"']) || value.contains(['\n', '\r']) {
                return Err(ComponentError);
            }
            if !text.is_empty() {
                text.push('\n');
            }
            let _ = write!(text, "\"{name}\": {value}");
        }
        Ok(Self(text))
    }

    /// The bytes to sign or to verify.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ring::hmac;
    use ring::rand::SystemRandom;

    use super::*;
    use crate::{PublicKey, SigningKey};

    /// RFC 9421, B.2.5.
    #[test]
    fn the_base_is_the_one_of_the_rfc() {
        let parameters =
            r#"("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#;
        let components = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("@authority", "example.com"),
            ("content-type", "application/json"),
        ];
        let base = SignatureBase::new(&components, parameters).unwrap();
        let secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret).unwrap());
        let signature = STANDARD.encode(hmac::sign(&key, base.as_bytes()));
        assert_eq!(signature, "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
    }

    /// RFC 9421, B.2.4, with the key of B.1.3.
    #[test]
    fn the_signature_of_the_rfc_verifies() {
        let key = PublicKey::from_pem(
            "-----BEGIN PUBLIC KEY-----\n\
             MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n\
             w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n\
             -----END PUBLIC KEY-----\n",
        )
        .unwrap();
        let digest = "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:";
        let components = [
            ("@status", "200"),
            ("content-type", "application/json"),
            ("content-digest", digest),
            ("content-length", "23"),
        ];
        let parameters = r#"("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256""#;
        let base = SignatureBase::new(&components, parameters).unwrap();
        let signature = "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==";
        let signature = STANDARD.decode(signature).unwrap();
        assert!(key.verify_request(&base, &signature).is_ok());
        let other = SignatureBase::new(&components[1..], parameters).unwrap();
        assert!(key.verify_request(&other, &signature).is_err());
    }

    #[test]
    fn what_a_key_signs_it_verifies() {
        let random = SystemRandom::new();
        let key = SigningKey::generate(&random).unwrap();
        let base = SignatureBase::new(&[("@method", "POST")], "(\"@method\")").unwrap();
        let signature = key.sign_request(&base, &random).unwrap();
        assert!(key.public_key().verify_request(&base, &signature).is_ok());
        assert!(
            key.public_key()
                .verify_request(&base, &signature[..63])
                .is_err()
        );
    }

    #[test]
    fn a_line_break_forges_nothing() {
        assert_eq!(
            SignatureBase::new(&[("@method", "GET\nx")], "()"),
            Err(ComponentError)
        );
        assert_eq!(SignatureBase::new(&[], "()\r"), Err(ComponentError));
    }
}

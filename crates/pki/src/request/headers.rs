//! The headers of a signed request: Signature-Input and Signature (RFC 9421, 4), Content-Digest (RFC
//! 9530).
//!
//! One shape is accepted: a single signature under the label `sig1`, with the parameters that
//! `docs/protocol/http.md` names. Whether its nonce, its tag and its key are right is for whoever
//! asked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sfv::{BareItem, Dictionary, InnerList, Item, List, ListEntry, Parser};

use crate::sha256;

/// The one label looked at.
pub const LABEL: &str = "sig1";

/// Most bytes of one of these headers.
pub const MAX_HEADER_LEN: usize = 4096;

/// Most parts of a request that one signature covers.
pub const MAX_COMPONENTS: usize = 8;

/// What a signature says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSignature {
    /// The names of the parts it covers, in order.
    pub components: Vec<String>,
    /// The nonce that the server gave.
    pub nonce: String,
    /// Who signed: a certificate's fingerprint, or `admin`.
    pub key: String,
    /// How: `ecdsa-p256-sha256` or `hmac-sha256`.
    pub algorithm: String,
    /// Which server it is meant for.
    pub tag: String,
    /// The member of Signature-Input as sent, which is part of what is signed.
    pub parameters: String,
    /// The signature.
    pub bytes: Vec<u8>,
}

/// The headers do not hold one signature of the accepted shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not in the form that is read here")]
pub struct HeaderError;

impl RequestSignature {
    /// Reads Signature-Input and Signature.
    ///
    /// # Errors
    /// [`HeaderError`] for anything but one signature `sig1`, over parts without parameters of their
    /// own, with `nonce`, `keyid`, `alg` and `tag`.
    pub fn read(input: &str, signature: &str) -> Result<Self, HeaderError> {
        if input.len() > MAX_HEADER_LEN || signature.len() > MAX_HEADER_LEN {
            return Err(HeaderError);
        }
        // What follows the label is one inner list, so no second member hides behind it.
        let parameters = input.trim().strip_prefix(LABEL).ok_or(HeaderError)?;
        let parameters = parameters.strip_prefix('=').ok_or(HeaderError)?;
        let list: List = Parser::new(parameters).parse().map_err(|_| HeaderError)?;
        let [ListEntry::InnerList(InnerList { items, params })] = &list[..] else {
            return Err(HeaderError);
        };
        if items.len() > MAX_COMPONENTS {
            return Err(HeaderError);
        }
        let text = |name: &str| -> Result<String, HeaderError> {
            let text = params.get(name).and_then(BareItem::as_string);
            Ok(text.ok_or(HeaderError)?.as_str().to_owned())
        };
        Ok(Self {
            components: items.iter().map(component).collect::<Result<_, _>>()?,
            nonce: text("nonce")?,
            key: text("keyid")?,
            algorithm: text("alg")?,
            tag: text("tag")?,
            parameters: parameters.to_owned(),
            bytes: bytes(signature)?,
        })
    }
}

/// The name of a covered part. Names with parameters mean other things than they seem to.
fn component(item: &Item) -> Result<String, HeaderError> {
    let name = item.bare_item.as_string().ok_or(HeaderError)?;
    if item.params.is_empty() {
        Ok(name.as_str().to_owned())
    } else {
        Err(HeaderError)
    }
}

/// The one member of Signature.
fn bytes(signature: &str) -> Result<Vec<u8>, HeaderError> {
    let members: Dictionary = Parser::new(signature).parse().map_err(|_| HeaderError)?;
    let (Some(ListEntry::Item(item)), 1) = (members.get(LABEL), members.len()) else {
        return Err(HeaderError);
    };
    let bytes = item.bare_item.as_byte_sequence().ok_or(HeaderError)?;
    Ok(bytes.to_vec())
}

/// Whether a Content-Digest, a dictionary of digests of which `sha-256` is read, is this body's.
#[must_use]
pub fn is_digest_of(header: &str, body: &[u8]) -> bool {
    if header.len() > MAX_HEADER_LEN {
        return false;
    }
    let Ok(digests) = Parser::new(header).parse::<Dictionary>() else {
        return false;
    };
    let Some(ListEntry::Item(item)) = digests.get("sha-256") else {
        return false;
    };
    item.bare_item.as_byte_sequence() == Some(&sha256(&[body])[..])
}

/// The Content-Digest of a body.
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(sha256(&[body])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INPUT: &str = r#"("@method" "@target-uri" "content-digest");created=1618884473;nonce="n0";keyid="ab";alg="ecdsa-p256-sha256";tag="ham-server/-""#;

    fn read(input: &str, signature: &str) -> Result<RequestSignature, HeaderError> {
        RequestSignature::read(input, signature)
    }

    #[test]
    fn reads_the_one_shape() {
        let found = read(&format!("  sig1={INPUT} "), "sig1=:AQID:").unwrap();
        assert_eq!(
            found.components,
            ["@method", "@target-uri", "content-digest"]
        );
        assert_eq!((found.nonce.as_str(), found.key.as_str()), ("n0", "ab"));
        assert_eq!(found.algorithm, "ecdsa-p256-sha256");
        assert_eq!(
            (found.tag.as_str(), &found.bytes[..]),
            ("ham-server/-", &[1, 2, 3][..])
        );
        assert_eq!(found.parameters, INPUT);
    }

    #[test]
    fn every_other_shape_is_refused() {
        let good = format!("sig1={INPUT}");
        for input in [
            String::new(),
            INPUT.to_owned(),
            format!("sig2={INPUT}"),
            format!("{good}, sig2={INPUT}"),
            format!("{good}, {good}"),
            format!("{good}, {INPUT}"),
            format!("sig1={INPUT}x"),
            good.replace(
                "(\"@method\" \"@target-uri\" \"content-digest\")",
                "\"@method\"",
            ),
            good.replace("\"@method\"", "\"@method\";req"),
            good.replace("\"@method\"", "method"),
            good.replace("\"@method\"", &"\"a\" ".repeat(MAX_COMPONENTS)),
            good.replace(";nonce=\"n0\"", ""),
            good.replace("nonce=\"n0\"", "nonce=n0"),
            good.replace(";keyid=\"ab\"", ""),
            good.replace(";alg=\"ecdsa-p256-sha256\"", ""),
            good.replace(";tag=\"ham-server/-\"", ""),
            format!("{good};x=\"{}\"", "x".repeat(MAX_HEADER_LEN)),
        ] {
            assert_eq!(read(&input, "sig1=:AQID:"), Err(HeaderError), "{input}");
        }
        for signature in [
            "",
            "sig1",
            "sig1=\"AQID\"",
            "sig2=:AQID:",
            "sig1=:AQID:, sig2=:AQID:",
            "sig1=:A:",
        ] {
            assert_eq!(read(&good, signature), Err(HeaderError), "{signature}");
        }
    }

    #[test]
    fn a_digest_is_one_bodys() {
        let digest = content_digest(b"{}");
        assert!(is_digest_of(&digest, b"{}") && !is_digest_of(&digest, b"{ }"));
        assert!(is_digest_of(&format!("sha-512=:AQID:, {digest}"), b"{}"));
        for wrong in [
            "",
            "sha-256",
            "sha-256=:AQID:",
            "sha-256=(:AQID:)",
            "sha-512=:AQID:",
        ] {
            assert!(!is_digest_of(wrong, b"{}"), "{wrong}");
        }
        assert!(!is_digest_of(
            &format!("{digest}{}", " ".repeat(MAX_HEADER_LEN)),
            b"{}"
        ));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(input in ".{0,200}", signature in ".{0,60}", cut in 0usize..150) {
            let _ = read(&format!("sig1={input}"), &signature);
            let cut = INPUT.get(..cut).unwrap_or(INPUT);
            let _ = read(&format!("sig1={cut}{input}"), "sig1=:AQID:");
            let _ = is_digest_of(&input, b"");
        }
    }
}

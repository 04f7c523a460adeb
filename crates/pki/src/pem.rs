//! PEM, RFC 7468: one object under one label.

use der::pem::{Decoder, Error as PemFault, LineEnding, decode_label, encode_string};

/// Most bytes of one PEM text: the largest certificate, base64, and room for explanatory text.
pub(crate) const MAX_PEM_LEN: usize = 32 * 1024;

/// Why a text is not the PEM that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// Larger than any certificate or key.
    #[error("the PEM text is larger than 32 KiB")]
    TooLarge,
    /// Another kind of object.
    #[error("the PEM text has no {expected} in it")]
    Label {
        /// The label looked for, such as `CERTIFICATE`.
        expected: &'static str,
    },
    /// Two objects, where one is meant.
    #[error("the PEM text holds more than one object")]
    MoreThanOne,
    /// Not PEM: a boundary is missing or the base64 is broken.
    #[error("the text is not well-formed PEM")]
    Malformed,
}

/// The bytes of the one object in `text`, which must be a `label`. Lines may have any one width.
pub(crate) fn decode(text: &str, label: &'static str) -> Result<Vec<u8>, PemError> {
    if text.len() > MAX_PEM_LEN {
        return Err(PemError::TooLarge);
    }
    if text.matches(BEGIN).nth(1).is_some() {
        return Err(PemError::MoreThanOne);
    }
    // RFC 7468, 2: blanks around the object are no part of it.
    let text = text.trim_end().as_bytes();
    match decode_label(text) {
        Ok(found) if found == label => {}
        Ok(_) => return Err(PemError::Label { expected: label }),
        Err(_) => return Err(PemError::Malformed),
    }
    let body = || -> Result<Vec<u8>, PemFault> {
        let mut body = Vec::new();
        Decoder::new_detect_wrap(text)?.decode_to_end(&mut body)?;
        Ok(body)
    };
    body().map_err(|_| PemError::Malformed)
}

/// The objects of a text, one after the other, each from its first boundary to its last. What stands
/// between them is passed over.
pub(crate) fn objects(text: &str) -> impl Iterator<Item = Result<&str, PemError>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let object = &rest[rest.find(BEGIN)?..];
        let end = object.find(END).and_then(|end| {
            let label = end + END.len();
            Some(label + object[label..].find(DASHES)? + DASHES.len())
        });
        let Some(end) = end else {
            rest = "";
            return Some(Err(PemError::Malformed));
        };
        rest = &object[end..];
        Some(Ok(&object[..end]))
    })
}

/// `der` under `label`, in lines of 64 characters that end in LF.
pub(crate) fn encode(label: &'static str, der: &[u8]) -> String {
    // Fails only for a label that is not ASCII or a size beyond the address space.
    #[expect(
        clippy::expect_used,
        reason = "labels are our constants, sizes are limited"
    )]
    encode_string(label, LineEnding::LF, der).expect("a constant label and bounded bytes")
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_line_width_and_forgives_blanks_around() {
        let text = encode("CERTIFICATE", &[7; 100]);
        assert_eq!(decode(&text, "CERTIFICATE"), Ok(vec![7; 100]));
        let windows = format!("\r\nsubject=W1AW\r\n{}\r\n \n", text.replace('\n', "\r\n"));
        assert_eq!(decode(&windows, "CERTIFICATE"), Ok(vec![7; 100]));
        let body = text.replace("-----BEGIN CERTIFICATE-----", "");
        let body = body
            .replace("-----END CERTIFICATE-----", "")
            .replace('\n', "");
        let one_line = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----");
        assert_eq!(decode(&one_line, "CERTIFICATE"), Ok(vec![7; 100]));
    }

    #[test]
    fn finds_every_object_of_a_text() {
        let [one, two] = [[1; 60], [2; 60]].map(|der| encode("CERTIFICATE", &der));
        let text = format!("from a friend\n{one}\r\n# and\n{two}the end\n-----\n");
        let found: Vec<_> = objects(&text).map(Result::unwrap).collect();
        assert_eq!(found, [one.trim_end(), two.trim_end()]);
        assert_eq!(objects("").count(), 0);
        let cut = format!("{one}{}", &two[..two.len() - 4]);
        let found: Vec<_> = objects(&cut).collect();
        assert_eq!(found, [Ok(one.trim_end()), Err(PemError::Malformed)]);
        for cut in ["-----BEGIN ", "-----BEGIN A-----\n-----END "] {
            let found: Vec<_> = objects(cut).collect();
            assert_eq!(found, [Err(PemError::Malformed)]);
        }
    }

    #[test]
    fn refuses_what_is_not_one_object_of_the_kind() {
        let text = encode("CERTIFICATE", &[7; 100]);
        let expected = "PRIVATE KEY";
        assert_eq!(decode(&text, expected), Err(PemError::Label { expected }));
        assert_eq!(
            decode(&text.repeat(2), "CERTIFICATE"),
            Err(PemError::MoreThanOne)
        );
        assert_eq!(decode(&text[..90], "CERTIFICATE"), Err(PemError::Malformed));
        assert_eq!(decode("", "CERTIFICATE"), Err(PemError::Malformed));
        assert_eq!(
            decode(&format!("{text}more"), "CERTIFICATE"),
            Err(PemError::Malformed)
        );
        let large = "x".repeat(MAX_PEM_LEN + 1);
        assert_eq!(decode(&large, "CERTIFICATE"), Err(PemError::TooLarge));
    }
}

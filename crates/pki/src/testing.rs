//! What tests of several modules build their oddities from.

/// A tag, the length in as few bytes as DER allows, and the content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = match content.len() {
        0..0x80 => length[7..].to_vec(),
        0x80..0x100 => [&[0x81], &length[7..]].concat(),
        0x100..0x1_0000 => [&[0x82], &length[6..]].concat(),
        _ => [&[0x83], &length[5..]].concat(),
    };
    [&[tag], &length[..], content].concat()
}

/// Sets in sets, deeper than a stack would bear that went down with them.
pub(crate) fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| tlv(0x31, &inner))
}

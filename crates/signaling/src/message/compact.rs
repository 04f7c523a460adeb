//! Signals in the form in which browsers write them, read by hand: nearly all that a busy server hears.
//!
//! `JSON.stringify` writes no white space and escapes only what it must, which no part of a signal but its SDP has. What
//! has that form is looked through once, and the SDP, most of it, is only looked for what no JSON string may have. Whatever
//! is unusual in any way is left to the general reader, which has the last word on what is a message and what is not:
//! [`decode`] reads nothing that it would not, and reads it as it would.

use std::borrow::Cow;
use std::str::FromStr;

use super::MAX_REPLY_ID;
use super::client::{
    Answer, CallStatement, Candidate, ClientMessage, Frame, IceCandidate, Offer,
    SessionDescription, Verbatim,
};

/// Reads an offer, an answer or a candidate. None for everything else, and for what is unusual.
pub(super) fn decode(text: &str) -> Option<Frame<'_>> {
    let mut signal = Signal::default();
    let mut reader = Reader { text, at: 0 };
    reader.object(|reader, name| match name {
        "type" => set(&mut signal.kind, reader.string()?),
        "id" => set(&mut signal.id, reader.string()?),
        "target" => set(&mut signal.target, reader.string()?),
        "offer" => set(&mut signal.offer, reader.description()?),
        "answer" => set(&mut signal.answer, reader.description()?),
        "candidate" => set(&mut signal.candidate, reader.candidate()?),
        "statement" => set(&mut signal.statement, reader.statement()?),
        _ => None,
    })?;
    let ended = reader.at == text.len();
    ended.then(|| signal.message())?
}

/// The members that signals have.
#[derive(Default)]
struct Signal<'a> {
    kind: Option<&'a str>,
    id: Option<&'a str>,
    target: Option<&'a str>,
    offer: Option<SessionDescription<'a>>,
    answer: Option<SessionDescription<'a>>,
    candidate: Option<Candidate<'a>>,
    statement: Option<CallStatement<'a>>,
}

impl<'a> Signal<'a> {
    fn message(self) -> Option<Frame<'a>> {
        let target = Cow::Borrowed(self.target?);
        let message = match self.kind? {
            "OFFER" => ClientMessage::Offer(Offer {
                target,
                offer: self.offer?,
                statement: self.statement,
            }),
            "ANSWER" => ClientMessage::Answer(Answer {
                target,
                answer: self.answer?,
                statement: self.statement,
            }),
            "ICE_CANDIDATE" => ClientMessage::IceCandidate(IceCandidate {
                target,
                candidate: self.candidate?,
            }),
            _ => return None,
        };
        let short = self.id.is_none_or(|id| id.len() <= MAX_REPLY_ID);
        short.then(|| Frame {
            id: self.id.map(Cow::Borrowed),
            message: Ok(message),
        })
    }
}

/// Sets a member, which may come only once.
fn set<T>(member: &mut Option<T>, value: T) -> Option<()> {
    member.replace(value).is_none().then_some(())
}

/// How far a text was read.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<u8> {
        let next = self.text.as_bytes().get(self.at).copied();
        self.at += 1;
        next
    }

    /// Reads what has to come.
    fn skip(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// Reads on to an end that was found.
    fn take_to(&mut self, end: usize) -> Option<&'a str> {
        let taken = self.text.get(self.at..end);
        self.at = end;
        taken
    }

    /// Reads an object; `member` reads the value of each name.
    fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.skip(b'{')?;
        loop {
            let name = self.string()?;
            self.skip(b':')?;
            member(self, name)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// A string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        self.skip(b'"')?;
        let left = self.text.as_bytes().get(self.at..)?;
        let ends = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < b' ';
        let length = left.iter().position(ends)?;
        let string = self.take_to(self.at + length)?;
        self.skip(b'"')?;
        Some(string)
    }

    /// A string as it is written.
    fn verbatim(&mut self) -> Option<Verbatim<'a>> {
        let begin = self.at;
        self.skip(b'"')?;
        let left = self.text.as_bytes().get(self.at..)?;
        let length = string_length(left)?;
        self.at = begin;
        Some(Verbatim::new(self.take_to(begin + length + 2)?))
    }

    /// What `read` reads, or `null`.
    fn nullable<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        let left = self.text.as_bytes().get(self.at..)?;
        if left.starts_with(b"null") {
            self.at += b"null".len();
            return Some(None);
        }
        read(self).map(Some)
    }

    fn number<T: FromStr>(&mut self) -> Option<T> {
        let left = self.text.as_bytes().get(self.at..)?;
        let length = left.iter().position(|byte| !byte.is_ascii_digit())?;
        let digits = self.take_to(self.at + length)?;
        // JSON knows no zeros before a number.
        let begins_well = digits.len() == 1 || !digits.starts_with('0');
        digits.parse().ok().filter(|_| begins_well)
    }

    fn description(&mut self) -> Option<SessionDescription<'a>> {
        let (mut kind, mut sdp) = (None, None);
        self.object(|reader, name| match name {
            "type" => set(&mut kind, reader.string()?),
            "sdp" => set(&mut sdp, reader.verbatim()?),
            _ => None,
        })?;
        Some(SessionDescription {
            kind: kind?.into(),
            sdp: sdp?,
        })
    }

    fn candidate(&mut self) -> Option<Candidate<'a>> {
        let (mut candidate, mut mid, mut index, mut fragment) = (None, None, None, None);
        self.object(|reader, name| match name {
            "candidate" => set(&mut candidate, reader.string()?),
            "sdpMid" => set(&mut mid, reader.nullable(Self::string)?),
            "sdpMLineIndex" => set(&mut index, reader.nullable(Self::number)?),
            "usernameFragment" => set(&mut fragment, reader.nullable(Self::string)?),
            _ => None,
        })?;
        Some(Candidate {
            candidate: candidate?.into(),
            sdp_mid: mid.flatten().map(str::to_owned),
            sdp_m_line_index: index.flatten(),
            username_fragment: fragment.flatten().map(str::to_owned),
        })
    }

    fn statement(&mut self) -> Option<CallStatement<'a>> {
        let (mut call_id, mut counter, mut to, mut signature, mut keyid) =
            (None, None, None, None, None);
        self.object(|reader, name| match name {
            "callId" => set(&mut call_id, reader.string()?),
            "counter" => set(&mut counter, reader.number()?),
            "to" => set(&mut to, reader.string()?),
            "signature" => set(&mut signature, reader.string()?),
            "keyid" => set(&mut keyid, reader.string()?),
            _ => None,
        })?;
        Some(CallStatement {
            call_id: call_id?.into(),
            counter: counter?,
            to: to?.into(),
            signature: signature?.into(),
            keyid: keyid?.into(),
        })
    }
}

/// The length of a string that begins here, behind its quote. None if it has no end, or anything but text (RFC 8259, 7) and
/// the ends of its lines.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += plain_length(text.get(at..)?);
        match text.get(at..)? {
            [b'"', ..] => return Some(at),
            // As a rule both ends of a line stand there.
            [b'\\', b'r', b'\\', b'n', ..] => at += 4,
            [b'\\', b'r' | b'n', ..] => at += 2,
            _ => return None,
        }
    }
}

/// How many bytes come before the first quote, backslash or control character, looked at eight at a time.
fn plain_length(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            // The first byte is the lowest.
            return place * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let plain = |&byte: &u8| byte != b'"' && byte != b'\\' && byte >= b' ';
    text.len() - rest.len() + rest.iter().take_while(|byte| plain(byte)).count()
}

/// The highest bit of every byte that is a quote, a backslash or a control character. Bytes above the lowest of these may be
/// marked for nothing.
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // With this bit turned the quote is next to the control characters.
    const TURNED: u8 = 0x02;
    // The highest bit of a byte that was below is borrowed from.
    let below = |word: u64, least: u8| word.wrapping_sub(ONES * u64::from(least)) & !word;
    let quote_or_control = below(word ^ (ONES * u64::from(TURNED)), (b'"' ^ TURNED) + 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    (quote_or_control | backslash) & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::message::client;

    const SDP: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:xy/z\r\n";

    /// What is read by hand is what the general reader reads. Whether it was read.
    fn agrees(text: &str) -> bool {
        let read = decode(text);
        if let Some(frame) = &read {
            let general = client::decode_any(text);
            assert_eq!(format!("{frame:?}"), format!("{general:?}"), "{text}");
        }
        read.is_some()
    }

    fn statement() -> Value {
        json!({ "callId": "c", "counter": 1, "to": "k", "signature": "s", "keyid": "f" })
    }

    fn offer() -> String {
        let offer = format!(r#"{{"type":"offer","sdp":{}}}"#, json!(SDP));
        format!(r#"{{"type":"OFFER","target":"0123456789abcdef","offer":{offer}}}"#)
    }

    fn signed_offer() -> String {
        offer().replacen("}}", &format!("}},\"statement\":{}}}", statement()), 1)
    }

    #[test]
    fn what_browsers_write_is_read_by_hand() {
        let answer = json!({ "type": "answer", "sdp": SDP });
        let candidate = json!({
            "candidate": "candidate:1 1 udp 2113937151 0f2.local 54400 typ host",
            "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "x",
        });
        let end = json!({ "candidate": "", "sdpMid": null, "sdpMLineIndex": 10, "usernameFragment": null });
        for signal in [
            json!({ "type": "ANSWER", "id": "q", "target": "W1AW", "answer": answer }),
            json!({ "type": "ICE_CANDIDATE", "target": "W1AW", "candidate": candidate }),
            json!({ "type": "ICE_CANDIDATE", "target": "W1AW", "candidate": end }),
        ] {
            assert!(agrees(&signal.to_string()), "{signal}");
        }
        for offer in [offer(), signed_offer()] {
            assert!(agrees(&offer), "{offer}");
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_general_reader() {
        let usual = offer();
        for (from, to) in [
            ("OFFER", "ANSWER"),
            ("OFFER", "OFFERS"),
            ("OFFER", "OFF\\u0045R"),
            ("{", "{ "),
            ("}}", "}} "),
            ("}}", "}}}"),
            ("}}", "},\"new\":1}"),
            ("}}", "},\"answer\":null}"),
            ("}}", "},\"type\":\"PING\"}"),
            ("}}", "},\"statement\":{}}"),
            ("}}", "}"),
            ("}}", "}}\0"),
            ("\"sdp\"", "\"type\":\"x\",\"sdp\""),
            ("v=0", "v=0\\u00e9"),
            ("v=0", "v=0\\x"),
            ("v=0", "v=0\\\\"),
            ("v=0", "v=0\\\""),
            ("v=0", "v=0\\t"),
            ("v=0", "v=0\t"),
            ("v=0", "v=0\\"),
            ("v=0", "v=0\""),
        ] {
            let text = usual.replacen(from, to, 1);
            assert_ne!(text, usual);
            assert!(!agrees(&text), "{text}");
        }
        let long = format!("}},\"id\":\"{}\"}}", "x".repeat(MAX_REPLY_ID + 1));
        assert!(!agrees(&usual.replacen("}}", &long, 1)));
        for number in [
            "01",
            "-1",
            "1.0",
            "1e3",
            "18446744073709551616",
            "",
            "null",
            "1",
        ] {
            let counter = format!("\"counter\":{number}");
            let text = signed_offer().replacen("\"counter\":1", &counter, 1);
            assert_eq!(agrees(&text), number == "1", "{text}");
        }
    }

    #[test]
    fn no_text_without_an_end_is_read() {
        let usual = offer();
        for end in 0..usual.len() {
            assert!(!agrees(usual.get(..end).unwrap_or_default()));
        }
    }

    #[test]
    fn what_ends_plain_text_is_seen_wherever_it_is() {
        let ends = |byte| byte == b'"' || byte == b'\\' || byte < b' ';
        for length in 1..30 {
            for at in 0..length {
                for byte in 0..=255 {
                    for others in [0xff, 0x80, b' ', b'!', b'#', b'[', b']', 0x7f] {
                        let mut text = vec![others; length];
                        text[at] = byte;
                        let plain = if ends(byte) { at } else { length };
                        assert_eq!(plain_length(&text), plain, "{byte} at {at} of {length}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_what_the_general_reader_reads(
            kind in prop::sample::select(vec!["OFFER", "ANSWER", "ICE_CANDIDATE", "PING"]),
            strings: [String; 3],
            number: u64,
            members in prop::collection::btree_set(0_usize..7, 0..7),
        ) {
            let [target, sdp, other] = strings;
            let description = json!({ "type": other, "sdp": sdp });
            let candidate = json!({ "candidate": other, "sdpMid": sdp, "sdpMLineIndex": number % 70_000 });
            let mut signed = statement();
            signed["counter"] = number.into();
            let all = [
                ("id", json!(other)),
                ("target", json!(target)),
                ("offer", description.clone()),
                ("answer", description),
                ("candidate", candidate),
                ("statement", signed),
                ("new", json!([null, { "type": 1 }])),
            ];
            let mut text = format!("{{\"type\":{}", json!(kind));
            for member in members {
                let (name, value) = &all[member];
                text.push_str(&format!(",{}:{value}", json!(name)));
            }
            agrees(&(text + "}"));
        }

        /// Any byte put in anywhere, or left out.
        #[test]
        fn nothing_broken_is_read(at in 0_usize..400, byte: u8, length in 0_usize..3) {
            let mut bytes = signed_offer().into_bytes();
            let at = at % bytes.len();
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, [byte]);
            if let Ok(text) = std::str::from_utf8(&bytes) {
                agrees(text);
            }
        }

        #[test]
        fn escapes_are_known_or_left(sdp in r#"[ "\\/rntbfu0-9a-f]{0,20}"#) {
            let text = offer().replacen("v=0", &sdp, 1);
            agrees(&text);
        }
    }
}

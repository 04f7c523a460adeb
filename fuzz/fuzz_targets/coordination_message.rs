//! Whatever another server sends, decoding it ends in a message or a reason, and a message that was decoded says
//! the same when it is encoded again.

#![no_main]

use coordination::Blob;
use coordination::message::plain::PlainMessage;
use coordination::message::{Body, Message, Person};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = Message::decode(bytes) {
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }
    let blob = Blob::from(bytes);
    if let Ok(body) = Body::decode(&blob) {
        assert_eq!(Body::decode(&body.encode()), Ok(body));
    }
    if let Ok(person) = Person::decode(&blob) {
        assert_eq!(Person::decode(&person.encode()), Ok(person));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(message) = PlainMessage::decode(text)
    {
        assert_eq!(PlainMessage::decode(&message.encode()), Ok(message));
    }
});

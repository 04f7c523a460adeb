use proptest::prelude::*;
use serde_json::json;
use station::Zone;

use super::plain::{PlainCertificate, PlainMessage};
use super::*;
use crate::bytes::{BootNonce, ItemId, Nonce, PersonId, Signature};

fn server(number: u8) -> ServerId {
    ServerId::new([number; 16])
}

fn body() -> Body {
    Body {
        boot_nonce: BootNonce::new([1; 8]),
        endpoints: vec!["http://10.1.2.3:8080".to_owned()],
        capabilities: vec!["signaling".to_owned()],
        open: vec![server(2), server(3)],
        part97: vec![server(4)],
        operators: Head::new([5; 16]),
        guests: Head::new([6; 16]),
    }
}

fn update() -> Update {
    Update {
        record: SignedRecord {
            server: server(1),
            boot: 7,
            sequence: 8,
            body: body().encode(),
            signature: Signature::new([9; 64]),
        },
        age: 10,
        changes: vec![Change {
            topic: Topic::Operators,
            from: Head::new([0; 16]),
            joined: vec![(PersonId::new([11; 8]), Blob::from(&b"details"[..]))],
            left: vec![PersonId::new([12; 8])],
        }],
    }
}

fn routed(way: &[u8], at: u8) -> Message {
    Message::Routed(Routed {
        way: way.iter().copied().map(server).collect(),
        at,
        payload: Payload::Ask(Nonce::new([13; 32])),
    })
}

#[test]
fn what_is_written_is_read_again() {
    for message in [
        Message::Hello(Hello {
            version: VERSION,
            nonce: Nonce::new([1; 32]),
            zone: Zone::Part97,
            chain: vec![Blob::from(&b"certificate"[..])],
        }),
        Message::Update(update()),
        routed(&[1, 2, 3], 1),
        Message::Want(Want::default()),
        Message::Get(Get {
            set: Set::Certificates,
            session: Some(3),
            items: vec![ItemId::new([4; 32])],
        }),
    ] {
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }
    assert_eq!(Body::decode(&body().encode()), Ok(body()));
}

#[test]
fn the_bytes_are_those_of_the_shared_vectors() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!(
        "../../../../docs/protocol/vectors/coordination.json"
    ))
    .unwrap();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    let frame = |name: &str| vectors["frames"][name].as_str().unwrap();
    let beat = Beat {
        records: 1,
        sets: u64::MAX,
    };
    assert_eq!(hex(&Message::Beat(beat).encode()), frame("beat"));
    assert_eq!(hex(&Message::Update(update()).encode()), frame("update"));
    assert_eq!(hex(&routed(&[1, 2, 3], 1).encode()), frame("ask"));
    let summary = format!("{:016x}", update().record.summary());
    assert_eq!(summary, vectors["summary"].as_str().unwrap());
}

#[test]
fn a_frame_holds_one_message_and_nothing_else() {
    let mut frame = Message::Want(Want::default()).encode();
    frame.push(0);
    assert_eq!(Message::decode(&frame), Err(DecodeError::Trailing(1)));
    frame.truncate(frame.len() - 2);
    assert!(matches!(
        Message::decode(&frame),
        Err(DecodeError::Malformed(_))
    ));
    let long = vec![0; MAX_FRAME + 1];
    assert!(matches!(
        Message::decode(&long),
        Err(DecodeError::TooLong { .. })
    ));
}

#[test]
fn a_way_is_short_and_never_comes_back() {
    let long: Vec<u8> = (0..18).collect();
    for (way, at) in [
        (&[1][..], 0),
        (&[1, 2], 0),
        (&[1, 2], 2),
        (&[1, 2, 1], 1),
        (&long, 3),
    ] {
        let frame = routed(way, at).encode();
        let refused = matches!(Message::decode(&frame), Err(DecodeError::OutOfBounds(_)));
        assert!(refused, "{way:?} {at}");
    }
}

#[test]
fn a_body_is_bounded_and_in_order() {
    let refused = |change: &dyn Fn(&mut Body)| {
        let mut body = body();
        change(&mut body);
        matches!(
            Body::decode(&body.encode()),
            Err(DecodeError::OutOfBounds(_))
        )
    };
    assert!(refused(&|body| body.open.reverse()));
    assert!(refused(&|body| body.open.push(server(3))));
    assert!(refused(&|body| body.endpoints[0] = "x".repeat(257)));
    assert!(refused(&|body| body.capabilities = vec![String::new(); 17]));
    let many = (0..129_u8).map(server).collect::<Vec<_>>();
    assert!(refused(&|body| body.open.clone_from(&many)));
}

#[test]
fn a_later_version_may_add_members() {
    #[derive(Serialize)]
    struct Later {
        n: BootNonce,
        o: Head,
        u: Head,
        z: &'static str,
    }
    let body = codec::encode(&Later {
        n: BootNonce::new([1; 8]),
        o: Head::new([2; 16]),
        u: Head::new([3; 16]),
        z: "something new",
    });
    assert!(Body::decode(&body.into()).is_ok());
}

#[test]
fn a_name_that_is_neither_callsign_nor_guest_is_no_person() {
    let person = |callsign: &str| Person {
        callsign: callsign.to_owned(),
        net: "main".to_owned(),
        login: None,
    };
    for named in ["W1AW", "GUEST"] {
        assert!(Person::decode(&person(named).encode()).is_ok());
    }
    assert!(Person::decode(&person("<script>").encode()).is_err());
}

#[test]
fn the_plain_messages_are_those_of_the_contract() {
    let text = r#"{"type":"PEER_ANNOUNCE","server":{"callsign":"W1AW","endpoint":"http://h:8080",
        "capabilities":["signaling"],"later":1},"more":2}"#;
    let read = PlainMessage::decode(text).unwrap();
    let written: serde_json::Value = serde_json::from_str(&read.encode()).unwrap();
    assert_eq!(
        written,
        json!({"type": "PEER_ANNOUNCE", "server":
            {"callsign": "W1AW", "endpoint": "http://h:8080", "capabilities": ["signaling"]}})
    );
    assert!(PlainMessage::decode(r#"{"type":"PEER_LEFT"}"#).is_err());
}

#[test]
fn what_is_long_is_paged() {
    let certificate = |number: usize| PlainCertificate {
        fingerprint: number.to_string(),
        certificate: "x".repeat(3_000),
        chain: Vec::new(),
    };
    let frames = PlainMessage::certificates((0..100).map(certificate).collect());
    let mut seen = Vec::new();
    for frame in &frames {
        match PlainMessage::decode(frame).unwrap() {
            PlainMessage::CertSync { certificates } => {
                seen.extend(certificates.into_iter().map(|one| one.fingerprint));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(frames.len() < 10, "pages are full");
    assert_eq!(seen, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_chain_that_fits_into_no_frame_is_left_out() {
    let frames = PlainMessage::certificates(vec![PlainCertificate {
        fingerprint: "f".to_owned(),
        certificate: "c".to_owned(),
        chain: vec!["x".repeat(MAX_FRAME)],
    }]);
    let [frame] = frames.as_slice() else {
        panic!("{} frames", frames.len());
    };
    assert!(PlainMessage::decode(frame).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Message::decode(&bytes);
        let _ = Body::decode(&bytes.clone().into());
        let _ = Person::decode(&bytes.into());
    }

    #[test]
    fn a_spoiled_frame_is_read_or_refused(at in 0_usize..10_000, byte: u8) {
        let mut frame = Message::Update(update()).encode();
        let at = at % frame.len();
        frame[at] = byte;
        if let Ok(read) = Message::decode(&frame) {
            prop_assert!(Message::decode(&read.encode()).is_ok());
        }
    }
}

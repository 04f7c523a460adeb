use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::call::{Call, Receiver};
use super::coordination::{Link, Parcel};
use super::issuing::Applicant;
use super::*;
use crate::Zone;
use crate::digest::DigestError;
use crate::licence::{LicenceClass, VouchMethod};

#[test]
fn the_bytes_are_those_of_the_shared_vectors() {
    let vectors: Value = serde_json::from_str(include_str!(
        "../../../../docs/protocol/vectors/statements.json"
    ))
    .unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        let context = case["context"].as_str().unwrap();
        let made = Case(&case["fields"]).statement(context);
        let expected = case["statement"].as_str().unwrap();
        assert_eq!(made.unwrap().as_str(), expected, "{context}");
    }
    assert_eq!(cases.len(), 20);
}

#[test]
fn servers_sign_the_bytes_of_the_shared_vectors() {
    let vectors: Value = serde_json::from_str(include_str!(
        "../../../../docs/protocol/vectors/coordination.json"
    ))
    .unwrap();
    let cases = vectors["statements"].as_array().unwrap();
    for case in cases {
        let context = case["context"].as_str().unwrap();
        let made = Case(&case["fields"]).between_servers(context);
        assert_eq!(made.as_str(), case["statement"].as_str().unwrap());
    }
    assert_eq!(cases.len(), 5);
}

#[test]
fn a_field_cannot_forge_another() {
    let server = KeyId::new([0; 32]);
    let made = Statement::claim_offer("a\nb", server);
    assert_eq!(made, Err(FieldError::ControlCharacter));
    assert_eq!(Statement::claim_offer("", server), Err(FieldError::Length));
    let long = "x".repeat(MAX_FIELD_LEN + 1);
    assert_eq!(
        Statement::claim_offer(&long, server),
        Err(FieldError::Length)
    );
}

/// The fields of one vector, read as their types.
struct Case<'a>(&'a Value);

impl Case<'_> {
    fn statement(&self, context: &str) -> Result<Statement, FieldError> {
        let (callsign, class) = (self.callsign(), self.class());
        let applicant = || Applicant {
            key: self.digest("key"),
            callsign: callsign.as_ref().unwrap(),
            class: class.as_ref(),
        };
        match context {
            "server-proof" => Statement::server_proof(&self.login()),
            "client-proof" => Statement::client_proof(&self.login()),
            "claim-offer" => Statement::claim_offer(self.text("nonce"), self.digest("server")),
            "claim" => Statement::claim(
                self.text("nonce"),
                self.digest("server"),
                self.digest("operator"),
                callsign.as_ref().unwrap(),
            ),
            "issue" => Statement::issue(self.text("nonce"), applicant()),
            "issued" => Statement::issued(self.text("nonce"), self.digest("certificate")),
            "lotw" => Statement::lotw(self.digest("server"), self.text("nonce"), applicant()),
            "endorse" => Statement::endorse(applicant(), self.method()),
            "checkpoint" => Statement::checkpoint(
                self.digest("server"),
                self.number("size"),
                self.digest("head"),
            ),
            "trust-bundle" => Statement::trust_bundle(
                self.digest("server"),
                self.number("timestamp"),
                self.digest("listing"),
            ),
            "offer" => Statement::offer(&self.call(callsign.as_ref().unwrap())),
            "answer" => Statement::answer(
                &self.call(callsign.as_ref().unwrap()),
                self.digest("offered"),
            ),
            "call-confirm" => Statement::call_confirm(self.digest("offer"), self.digest("answer")),
            "tombstone" => Statement::tombstone(self.digest("signer"), self.digest("target")),
            "rekey" => Statement::rekey(&Rekey {
                old: self.digest("old"),
                new: self.digest("new"),
                callsign: callsign.unwrap(),
                generation: self.text("generation").parse().unwrap(),
            }),
            other => panic!("no such context here: {other}"),
        }
    }

    fn between_servers(&self, context: &str) -> Statement {
        match context {
            "link" => Statement::link(&Link {
                nonces: [&self.bytes("dialerNonce"), &self.bytes("acceptorNonce")],
                servers: [self.digest("dialer"), self.digest("acceptor")],
                zone: self.zone("zone"),
                version: self.number("version"),
            }),
            "record" => Statement::record(
                self.digest("server"),
                self.number("boot"),
                self.number("sequence"),
                self.digest("body"),
            ),
            "alive" => Statement::alive(
                self.digest("server"),
                &self.bytes("nonce"),
                self.bytes("bootNonce"),
            ),
            "parcel" => Statement::parcel(&Parcel {
                from: self.digest("from"),
                to: self.digest("to"),
                from_boot: self.bytes("fromBoot"),
                to_boot: self.bytes("toBoot"),
                number: self.number("number"),
                within: self.zone("within"),
                body: self.digest("body"),
            }),
            "receipt" => Statement::receipt(
                self.digest("from"),
                self.digest("to"),
                self.bytes("fromBoot"),
                self.number("number"),
            ),
            other => panic!("no such context here: {other}"),
        }
    }

    fn zone(&self, name: &str) -> Zone {
        serde_json::from_value(self.0[name].clone()).unwrap()
    }

    fn bytes<const N: usize>(&self, name: &str) -> [u8; N] {
        let bytes = URL_SAFE_NO_PAD.decode(self.text(name)).unwrap();
        bytes.try_into().unwrap()
    }

    fn login(&self) -> Login<'_> {
        Login {
            client_nonce: self.text("clientNonce"),
            server_nonce: self.text("serverNonce"),
            server: self.digest("server"),
            client: Fingerprint::parse(self.text("client")).ok(),
            url: self.text("url"),
        }
    }

    fn call<'a>(&'a self, callsign: &'a Callsign) -> Call<'a> {
        let receiver = self.text("receiver");
        Call {
            id: self.text("callId"),
            counter: self.number("counter"),
            sender: self.digest("sender"),
            callsign,
            receiver: match receiver.strip_prefix("guest:") {
                Some(guest) => Receiver::Guest(guest),
                None => Receiver::Operator(KeyId::parse(receiver).unwrap()),
            },
            sdp: self.digest("sdp"),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap()
    }

    fn digest<T: std::str::FromStr<Err = DigestError>>(&self, name: &str) -> T {
        self.text(name).parse().unwrap()
    }

    fn callsign(&self) -> Option<Callsign> {
        Callsign::parse(self.text("callsign")).ok()
    }

    fn class(&self) -> Option<LicenceClass> {
        LicenceClass::parse(self.text("class")).ok()
    }

    fn method(&self) -> VouchMethod {
        let word = self.text("method");
        let found = VouchMethod::ALL.into_iter().find(|m| m.as_str() == word);
        found.unwrap()
    }
}

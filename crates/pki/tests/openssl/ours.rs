//! Our certificates and key files, and theirs.

use std::time::{Duration, SystemTime};

use pki::issue::{self, Issuer};
use pki::p12::{self, P12Error};
use pki::{Certificate, KeyError, PublicKey, SigningKey};
use ring::rand::SystemRandom;
use station::{Callsign, LicenceClass};

use crate::bench::Bench;

struct Station {
    key: SigningKey,
    operator: Certificate,
    server: Certificate,
}

fn station(call: &str) -> Station {
    let (random, now) = (SystemRandom::new(), made());
    let key = SigningKey::generate(&random).unwrap();
    let call = Callsign::parse(call).unwrap();
    let class = LicenceClass::parse("Extra").unwrap();
    let operator = issue::self_signed_operator(&key, &call, Some(&class), now, &random).unwrap();
    let server = SigningKey::generate(&random).unwrap().public_key();
    let owner = Issuer {
        certificate: &operator,
        key: &key,
    };
    let server = issue::server_certificate(owner, &server, now, &random).unwrap();
    Station {
        key,
        operator,
        server,
    }
}

/// Late in 2023: openssl judges dates, and this one has passed.
fn made() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

#[test]
fn openssl_verifies_our_certificates() {
    let Some(bench) = Bench::new() else { return };
    let station = station("W1AW");
    bench.write("operator.pem", station.operator.to_pem());
    bench.write("server.pem", station.server.to_pem());
    let strict = "-x509_strict -check_ss_sig -CAfile operator.pem";
    assert!(
        bench
            .run(&format!("verify {strict} operator.pem"))
            .contains("OK")
    );
    assert!(
        bench
            .run(&format!("verify {strict} server.pem"))
            .contains("OK")
    );
}

#[test]
fn openssl_shows_every_field() {
    let Some(bench) = Bench::new() else { return };
    let station = station("W1AW");
    bench.write("operator.pem", station.operator.to_pem());
    let text = bench.run("x509 -in operator.pem -noout -text -fingerprint -sha256");
    for part in [
        "Version: 3",
        "Signature Algorithm: ecdsa-with-SHA256",
        "CN = W1AW",
        "Not After : Dec 31 23:59:59 9999 GMT",
        "CA:TRUE",
        "Certificate Sign",
        "1.2.840.113556.1.8000.2554.37032.47686.17048.20168.44507.12235074.8805687",
        "NIST CURVE: P-256",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let fingerprint = station.operator.fingerprint().to_string();
    assert!(text.to_lowercase().replace(':', "").contains(&fingerprint));

    bench.write("operator.der", station.operator.der());
    let text = bench.run("asn1parse -inform DER -in operator.der");
    assert!(text.contains(":W1AW") && !text.contains("error"), "{text}");
}

#[test]
fn openssl_reads_our_key_files() {
    let Some(bench) = Bench::new() else { return };
    let station = station("W1AW");
    bench.write("key.pem", station.key.to_pem().as_bytes());
    assert!(
        bench
            .run("pkey -in key.pem -check -noout")
            .contains("valid")
    );
    bench.write("public.pem", station.key.public_key().to_pem());
    assert_eq!(
        bench.run("pkey -in key.pem -pubout"),
        bench.read_text("public.pem")
    );

    let file = p12::write(
        &station.key,
        std::slice::from_ref(&station.operator),
        "seventy-three",
    )
    .unwrap();
    bench.write("key.p12", file);
    let text = bench.run("pkcs12 -info -in key.p12 -passin pass:seventy-three -nodes");
    for part in [
        "MAC: sha256, Iteration 100000",
        "PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256",
        "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC",
        &station.operator.to_pem(),
        &station.key.to_pem(),
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn we_read_openssls_keys_and_certificates() {
    let Some(bench) = Bench::new() else { return };
    let random = SystemRandom::new();
    bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
    bench.run("pkey -in key.pem -pubout -out public.pem");
    let key = SigningKey::from_pem(&bench.read_text("key.pem"), &random).unwrap();
    assert_eq!(
        PublicKey::from_pem(&bench.read_text("public.pem")),
        Ok(key.public_key())
    );

    bench.run("req -x509 -new -key key.pem -subj /CN=W1AW -utf8 -sha256 -days 1 -out own.pem");
    bench.run("x509 -in own.pem -text -out text.pem");
    let certificate = Certificate::from_pem(&bench.read_text("own.pem")).unwrap();
    assert!(certificate.is_self_signed() && certificate.may_issue());
    assert_eq!(certificate.public_key(), &key.public_key());
    assert_eq!(
        Certificate::from_pem(&bench.read_text("text.pem")),
        Ok(certificate)
    );

    bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem");
    bench.run("genpkey -algorithm ED25519 -out ed25519.pem");
    for other in ["p384.pem", "ed25519.pem"] {
        let found = SigningKey::from_pem(&bench.read_text(other), &random);
        assert_eq!(found.err(), Some(KeyError::NotP256), "{other}");
    }
}

#[test]
fn we_read_openssls_p12_files_old_and_new() {
    let Some(bench) = Bench::new() else { return };
    let random = SystemRandom::new();
    let station = station("W1AW");
    // Without its public half the key is found by its certificate.
    bench.write("whole.pem", station.key.to_pem().as_bytes());
    bench.run("ec -in whole.pem -no_public -out half-sec1.pem");
    bench.run("pkcs8 -topk8 -nocrypt -in half-sec1.pem -out half.pem");
    bench.write("operator.pem", station.operator.to_pem());
    bench.write("server.pem", station.server.to_pem());
    for (key, options) in [
        ("whole.pem", ""),
        ("half.pem", ""),
        (
            "whole.pem",
            "-keypbe AES-128-CBC -certpbe AES-128-CBC -macalg sha512",
        ),
        ("whole.pem", "-nomac"),
        ("whole.pem", "-legacy"),
        (
            "whole.pem",
            "-legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-40",
        ),
    ] {
        let line = format!(
            "pkcs12 -export -inkey {key} -in operator.pem -certfile server.pem -out made.p12 \
             -passout pass:73 {options}"
        );
        if options.contains("-legacy") && !bench.try_run(&line).status.success() {
            println!("optional suite not run: openssl has no legacy provider");
            continue;
        }
        bench.run(&line);
        let found = p12::read(&bench.read("made.p12"), "73", &random).unwrap();
        assert_eq!(found.key.public_key(), station.key.public_key(), "{line}");
        assert!(found.certificates.iter().eq([&station.operator]), "{line}");
        let wrong = p12::read(&bench.read("made.p12"), "74", &random).err();
        // Without a MAC, what a wrong password makes of the file may also be no PKCS#12 at all.
        let expected = [Some(P12Error::WrongPassword), Some(P12Error::Malformed)];
        assert!(
            expected[..if options == "-nomac" { 2 } else { 1 }].contains(&wrong),
            "{line}"
        );
    }
}

//! Requests for certificates.

use pki::{Csr, CsrError, SigningKey, csr};
use ring::rand::SystemRandom;
use station::Callsign;

use crate::bench::Bench;

#[test]
fn openssl_verifies_our_requests() {
    let Some(bench) = Bench::new() else { return };
    let random = SystemRandom::new();
    let key = SigningKey::generate(&random).unwrap();
    let made = csr::make(&key, &Callsign::parse("K1ABC").unwrap(), &random).unwrap();
    bench.write("request.pem", made);
    let text = bench.run("req -in request.pem -verify -noout -text");
    for part in ["verify OK", "Version: 1", "CN = K1ABC", "ecdsa-with-SHA256"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    bench.write("public.pem", key.public_key().to_pem());
    let public = bench.run("req -in request.pem -pubkey -noout");
    assert_eq!(public, bench.read_text("public.pem"));
}

#[test]
fn we_read_openssls_requests_and_nothing_they_ask_for() {
    let Some(bench) = Bench::new() else { return };
    let random = SystemRandom::new();
    bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
    let key = SigningKey::from_pem(&bench.read_text("key.pem"), &random).unwrap();
    let plain = "req -new -key key.pem -subj /C=US/O=Club/CN=k1abc/emailAddress=k1abc@example.org";
    let greedy = "-addext basicConstraints=critical,CA:FALSE,pathlen:0 -addext 1.2.3.4=critical,DER:0500 \
                  -addext subjectAltName=DNS:example.org -addext keyUsage=digitalSignature";
    for options in ["", "-sha256 -newhdr", greedy] {
        bench.run(&format!("{plain} {options} -out request.pem"));
        let csr = Csr::from_file(&bench.read("request.pem")).unwrap();
        assert_eq!(*csr.public_key(), key.public_key(), "{options}");
        assert_eq!(csr.callsign().map(Callsign::as_str), Some("K1ABC"));
        bench.run("req -in request.pem -outform DER -out request.der");
        assert_eq!(Csr::from_file(&bench.read("request.der")), Ok(csr));
    }
    bench.run(&format!("{plain} -sha384 -out request.pem"));
    let read = Csr::from_file(&bench.read("request.pem"));
    assert_eq!(read, Err(CsrError::SignatureAlgorithm));
    bench.run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem");
    bench.run(&format!("{plain} -out request.pem"));
    let read = Csr::from_file(&bench.read("request.pem"));
    assert_eq!(read, Err(CsrError::Key));
}

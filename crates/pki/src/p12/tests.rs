use ring::rand::SystemRandom;

use super::*;
use crate::issue::tests::Person;

#[test]
fn a_file_gives_back_what_was_written() {
    let (root, random) = (Person::new("K1ABC"), SystemRandom::new());
    let holder = root.vouch("W1AW");
    let chain = [holder.certificate.clone(), root.certificate.clone()];
    let file = write(&holder.key, &chain, "Straße 73").unwrap();
    let found = read(&file, "Straße 73", &random).unwrap();
    assert_eq!(found.certificates, chain);
    assert_eq!(found.key.to_pkcs8(), holder.key.to_pkcs8());
    for wrong in ["", "strasse 73"] {
        assert_eq!(
            read(&file, wrong, &random).err(),
            Some(P12Error::WrongPassword)
        );
    }
}

#[test]
fn only_the_keys_own_certificate_may_come_first() {
    let (one, two) = (Person::new("W1AW"), Person::new("K1ABC"));
    let wrong = Err(P12Error::NotTheKeys);
    assert_eq!(write(&one.key, &[], "x"), wrong);
    assert_eq!(
        write(&one.key, &[two.certificate.clone(), one.certificate], "x"),
        wrong
    );
}

#[test]
fn broken_files_are_refused() {
    let (person, random) = (Person::new("W1AW"), SystemRandom::new());
    let file = write(&person.key, &[person.certificate], "x").unwrap();
    assert_eq!(read(&[], "x", &random).err(), Some(P12Error::Malformed));
    assert_eq!(read(b"junk", "x", &random).err(), Some(P12Error::Malformed));
    let large = vec![0x30; MAX_FILE_LEN + 1];
    assert_eq!(read(&large, "x", &random).err(), Some(P12Error::TooLarge));
    for length in [1, 10, file.len() / 2, file.len() - 1] {
        assert!(read(&file[..length], "x", &random).is_err());
    }
    for place in (0..file.len()).step_by(file.len() / 12) {
        let mut changed = file.clone();
        changed[place] ^= 0x40;
        assert!(read(&changed, "x", &random).is_err(), "byte {place}");
    }
}

use super::*;
use crate::issue::tests::{Person, new_key};

fn certificates(people: &[&Person]) -> Vec<Certificate> {
    people
        .iter()
        .map(|person| person.certificate.clone())
        .collect()
}

#[test]
fn a_path_leads_to_an_anchor_in_any_order_of_what_is_presented() {
    let root = Person::new("W1AW");
    let middle = root.vouch("K1ABC");
    let leaf = middle.vouch("K2DEF");
    let anchors = certificates(&[&Person::new("K9XYZ"), &root]);
    let trust = |length| {
        Ok(Trust {
            anchor: root.certificate.fingerprint(),
            length,
        })
    };
    assert_eq!(verify(&root.certificate, &[], &anchors), trust(0));
    assert_eq!(verify(&middle.certificate, &[], &anchors), trust(1));
    let server = root.server(&new_key().public_key());
    assert_eq!(verify(&server, &[], &anchors), trust(1));
    for presented in [[&middle, &root], [&root, &middle], [&leaf, &middle]] {
        let presented = certificates(&presented);
        assert_eq!(verify(&leaf.certificate, &presented, &anchors), trust(2));
    }
    assert_eq!(
        verify(&leaf.certificate, &[], &anchors),
        Err(Untrusted::NoPath)
    );
    assert_eq!(
        verify(&leaf.certificate, &certificates(&[&middle]), &[]),
        Err(Untrusted::NoPath)
    );
}

#[test]
fn a_namesake_of_the_anchor_is_not_the_anchor() {
    let (anchor, namesake) = (Person::new("W1AW"), Person::new("W1AW"));
    let leaf = namesake.vouch("K1ABC");
    let anchors = certificates(&[&anchor]);
    let presented = certificates(&[&namesake, &anchor]);
    assert_eq!(
        verify(&leaf.certificate, &presented, &anchors),
        Err(Untrusted::NoPath)
    );
    assert_eq!(
        verify(&namesake.certificate, &presented, &anchors),
        Err(Untrusted::NoPath)
    );
}

#[test]
fn who_may_not_issue_leads_nowhere() {
    let root = Person::new("W1AW");
    for constraints in [&b"\x30\x00"[..], b"\x30\x06\x01\x01\xff\x02\x01\x03"] {
        let mut end = Person::new("K1ABC");
        let forged = root.forge("K1ABC", &end.key.public_key(), |odd| {
            odd.extension("2.5.29.19", true, constraints);
        });
        let leaf = end.vouch("K2DEF");
        end.certificate = Certificate::from_der(&forged).unwrap();
        let (presented, anchors) = (certificates(&[&end]), certificates(&[&root]));
        assert!(verify(&end.certificate, &[], &anchors).is_ok());
        let verdict = verify(&leaf.certificate, &presented, &anchors);
        assert_eq!(verdict, Err(Untrusted::NoPath));
    }
}

#[test]
fn the_work_is_bounded_and_circles_end() {
    let (one, two) = (Person::new("K1ABC"), Person::new("K2DEF"));
    let circle = [
        one.issue("K2DEF", &two.key.public_key()),
        two.issue("K1ABC", &one.key.public_key()),
    ];
    let anchors = certificates(&[&Person::new("W1AW")]);
    assert_eq!(
        verify(&circle[0], &circle, &anchors),
        Err(Untrusted::NoPath)
    );

    let root = Person::new("W1AW");
    let namesakes: Vec<_> = (0..40).map(|_| Person::new("W1AW").certificate).collect();
    let leaf = root.vouch("K3GHI");
    assert_eq!(
        verify(&leaf.certificate, &namesakes, &anchors),
        Err(Untrusted::TooCostly)
    );
    // The flood does not hide the anchor itself.
    let found = verify(&leaf.certificate, &namesakes, &certificates(&[&root]));
    assert_eq!(found.map(|trust| trust.length), Ok(1));
}

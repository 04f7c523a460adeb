//! Bringing sets together: what it costs, and whom it keeps waiting.

use std::time::Duration;

use coordination::message::Set;
use coordination::{Blob, Event, Fate};
use station::Zone;

use crate::sim::World;
use crate::sim::host::UNWANTED;
use crate::sim::invariants;
use crate::sim::nets::{line, mesh};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Something of the length of a certificate.
fn certificate(number: usize) -> Blob {
    let mut data = format!("item {number} ").into_bytes();
    data.resize(700, u8::try_from(number % 251).unwrap());
    data.into()
}

/// Two servers with so many certificates, of which so many differ on each side.
fn two_with(certificates: usize, differ: usize) -> World {
    let mut world = line(21, 2);
    for number in 0..certificates + differ {
        if number >= differ {
            world.put_item(0, Set::Certificates, certificate(number));
        }
        if number < certificates {
            world.put_item(1, Set::Certificates, certificate(number));
        }
    }
    world
}

#[test]
fn ten_differences_in_ten_thousand_cost_little_more_than_themselves() {
    for (differ, most) in [(10, 50_000), (100, 250_000)] {
        let mut world = two_with(10_000, differ);
        world.start_all();
        world.must_agree_within(secs(10));
        let bytes = world.counts.bytes;
        println!("{differ} differences: {bytes} bytes; all certificates would be 7,000,000");
        assert!(bytes < most, "{bytes} bytes");
    }
}

#[test]
fn on_a_slow_link_sets_come_together_and_nobody_waits_for_them() {
    let mut world = two_with(150, 100);
    world.radio.push((0, 1));
    world.start_all();
    let met = world.run_until_holds(secs(200), |world| {
        invariants::agree_on_servers(world).is_none()
    });
    assert!(met);
    assert!(
        invariants::agree_on_sets(&world).is_some(),
        "it has hardly begun"
    );
    let mut slowest = Duration::ZERO;
    while invariants::agree_on_sets(&world).is_some() {
        let tag = world.post(0, 1, Zone::Part97, 200);
        let posted = world.now;
        let arrived = world.run_until_holds(secs(20), |world| {
            world.hosts[0].saw.fates.get(&tag) == Some(&Fate::Delivered)
        });
        assert!(arrived, "{:?}", world.hosts[0].saw.fates.get(&tag));
        slowest = slowest.max(world.now - posted);
        world.run_for(secs(5));
        assert!(
            world.now < secs(1_200),
            "{:?}",
            invariants::agree_on_sets(&world)
        );
    }
    println!(
        "100 certificates each way after {:?}; a message there and back took {slowest:?}",
        world.now
    );
    assert!(slowest < secs(5), "{slowest:?}");
}

#[test]
fn what_somebody_puts_in_is_everywhere_soon() {
    for set in Set::ALL {
        let mut world = line(22, 6);
        world.come_together(secs(10));
        world.put_item(0, set, Blob::from(&b"something new"[..]));
        world.must_agree_within(Duration::from_millis(300));
    }
}

#[test]
fn what_was_declined_is_not_offered_again() {
    let mut world = mesh(23, 4, 3);
    world.come_together(secs(10));
    let data = Blob::from([UNWANTED, b" by everybody else"].concat());
    world.put_item(0, Set::Certificates, data);
    world.run_for(secs(60));
    let offered: Vec<_> = world.hosts[1..]
        .iter()
        .map(|host| host.saw.admitted)
        .collect();
    assert!(offered.iter().sum::<usize>() <= 3, "{offered:?}");
    assert_eq!(invariants::quiet_is_quiet(&mut world, secs(60)), None);
}

/// The first has something, the middle does not want it and so cannot give it to the last.
#[test]
fn what_a_neighbour_does_not_give_is_not_asked_for_again() {
    let mut world = line(24, 3);
    world.come_together(secs(10));
    world.put_item(0, Set::Certificates, Blob::from(UNWANTED));
    world.run_for(secs(200));
    assert_eq!(invariants::quiet_is_quiet(&mut world, secs(60)), None);
    world.stop(2, false);
    world.start(2);
    world.run_for(secs(200));
    assert_eq!(invariants::quiet_is_quiet(&mut world, secs(60)), None);
}

#[test]
fn who_has_no_room_now_gets_it_later() {
    let mut world = line(25, 2);
    world.come_together(secs(10));
    world.hosts[1].full = true;
    world.put_item(0, Set::Certificates, certificate(1));
    world.run_for(secs(1));
    assert!(invariants::agree_on_sets(&world).is_some());
    world.hosts[1].full = false;
    world.must_agree_within(secs(10));
}

#[test]
fn two_heads_of_one_log_are_noticed_by_everybody() {
    let mut world = mesh(26, 5, 3);
    world.come_together(secs(10));
    world.put_item(0, Set::Checkpoints, Blob::from(&b"checkpoint 7 1"[..]));
    world.put_item(1, Set::Checkpoints, Blob::from(&b"checkpoint 8 3"[..]));
    world.run_for(secs(5));
    let split = |world: &World, host: usize| {
        let mut events = world.hosts[host].saw.events.iter();
        events.any(|event| matches!(event, Event::SplitLog { size: 7, .. }))
    };
    assert!((0..5).all(|host| !split(&world, host)));
    world.put_item(4, Set::Checkpoints, Blob::from(&b"checkpoint 7 2"[..]));
    world.run_for(secs(5));
    assert!((0..5).all(|host| split(&world, host)));
}

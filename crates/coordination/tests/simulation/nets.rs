//! Nets of a known shape and size: how they come together, fall apart and heal.
//!
//! Times are virtual: they say how many turns a thing takes, not how fast the code is.

use std::time::Duration;

use coordination::message::{Refusal, Topic};
use coordination::{Event, Fate};
use station::Zone;

use crate::sim::World;
use crate::sim::invariants;
use crate::sim::nets::{line, mesh};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn two_ends_of_a_line_meet_through_the_middle() {
    let mut world = line(1, 3);
    world.come_together(secs(5));
    assert_eq!(world.way(0, 2, Zone::Open), Some(vec![0, 1, 2]));
    let tag = world.post(0, 2, Zone::Open, 600);
    world.run_for(secs(1));
    assert_eq!(world.hosts[0].saw.fates.get(&tag), Some(&Fate::Delivered));
    assert_eq!(invariants::parcels_arrive_once(&world), None);
}

#[test]
fn a_long_line_comes_together() {
    let mut world = line(2, 12);
    world.come_together(secs(20));
    let tag = world.post(0, 11, Zone::Open, 600);
    world.run_for(secs(1));
    assert_eq!(world.hosts[0].saw.fates.get(&tag), Some(&Fate::Delivered));
}

#[test]
fn what_must_not_cross_amateur_frequencies_does_not() {
    let mut world = line(3, 3);
    world.radio.push((1, 2));
    world.come_together(secs(300));
    world.join(0, Topic::Guests);
    let call = world.post(0, 2, Zone::Open, 100);
    let text = world.post(0, 2, Zone::Part97, 100);
    world.run_for(secs(60));
    let fates = &world.hosts[0].saw.fates;
    assert_eq!(fates.get(&call), Some(&Fate::CrossesPart97));
    assert_eq!(fates.get(&text), Some(&Fate::Delivered));
    assert_eq!(world.hosts[1].sees_people(world.hosts[0].id).len(), 2);
    assert_eq!(world.hosts[2].sees_people(world.hosts[0].id).len(), 1);
    assert_eq!(invariants::guests_stay_off_the_air(&world), None);
}

#[test]
fn a_call_goes_around_amateur_frequencies_where_it_can() {
    let mut world = mesh(4, 4, 3);
    world.radio.push((0, 3));
    world.apart.push((1, 3));
    world.come_together(secs(300));
    assert_eq!(world.way(0, 3, Zone::Open), Some(vec![0, 2, 3]));
    let call = world.post(0, 3, Zone::Open, 100);
    world.run_for(secs(5));
    assert_eq!(world.hosts[0].saw.fates.get(&call), Some(&Fate::Delivered));
}

#[test]
fn a_death_and_a_cut_are_noticed() {
    let mut world = mesh(5, 10, 3);
    world.come_together(secs(10));
    world.stop(4, false);
    let dead = world.hosts[4].id;
    let gone = |world: &World| {
        let mut running = world.hosts.iter().filter(|host| host.node.is_some());
        running.all(|host| !host.sees().contains(&dead))
    };
    assert!(
        world.run_until_holds(Duration::from_millis(500), gone),
        "a process"
    );
    world.hosts[4].people.clear();
    world.start_later(4, Duration::ZERO);
    world.must_agree_within(secs(10));
    world.stop(4, true);
    assert!(world.run_until_holds(secs(4), gone), "a silent cut");
}

#[test]
fn parts_that_were_apart_become_one_again() {
    let mut world = mesh(6, 20, 4);
    world.come_together(secs(10));
    let sides = (0..20).map(|host| u8::from(host % 3 == 0)).collect();
    world.divide(sides, true);
    world.run_for(secs(30));
    let one = world.hosts[0].sees().len();
    let other = world.hosts[1].sees().len();
    assert_eq!((one, other), (6, 12), "each side sees itself");
    for host in 0..20 {
        world.join(host, Topic::Guests);
        world.leave(host);
    }
    world.divide(vec![0; 20], false);
    world.must_agree_within(secs(75));
}

#[test]
fn fifty_come_together_and_survive_restarts() {
    let mut world = mesh(7, 50, 6);
    world.watched = true;
    world.come_together(secs(5));
    for host in 0..50 {
        world.stop(host, false);
        world.start_later(host, Duration::from_millis(20));
    }
    world.run_for(Duration::from_millis(30));
    world.must_agree_within(secs(5));
    for host in 0..50 {
        world.stop(host, false);
        world.start_later(host, Duration::ZERO);
        world.run_for(Duration::from_millis(100));
    }
    world.must_agree_within(secs(5));
    assert_eq!(invariants::records_do_not_go_around(&world, 3), None);
    assert_eq!(invariants::the_honest_are_not_blamed(&world), None);
    world.run_for(secs(10));
    let quiet = invariants::quiet_is_quiet(&mut world, secs(10));
    assert_eq!(quiet, None);
}

/// As on machines with little time for each: signatures take a while, and the next is restarted while the last one's
/// coming is still on its way.
#[test]
fn thirty_survive_restarts_in_turn_while_work_is_slow() {
    let millis = Duration::from_millis;
    for (seed, slow, between) in [(15, 20, 60), (24, 20, 60), (4, 100, 180), (1, 500, 100)] {
        let mut world = mesh(seed, 30, 3);
        world.come_together(secs(5));
        world.weather.slow_work = millis(slow);
        for host in 0..30 {
            world.stop(host, false);
            world.hosts[host].people.clear();
            world.start_later(host, millis(15));
            world.run_for(millis(between));
            world.join(host, Topic::Operators);
        }
        world.must_agree_within(secs(5));
        assert_eq!(invariants::the_honest_are_not_blamed(&world), None);
        let refused = |event: &Event| {
            let bad = Refusal::BadMessage;
            matches!(event, Event::Refused { refusal, .. } if *refusal == bad)
        };
        let mut hosts = world.hosts.iter();
        assert!(!hosts.any(|host| host.saw.events.iter().any(refused)));
    }
}

/// What somebody's coming costs in a net of fifty: about as many frames as there are links, and once over
/// each.
#[test]
fn somebody_coming_is_told_once_over_each_link() {
    let mut world = mesh(8, 50, 6);
    world.come_together(secs(5));
    world.run_for(secs(10));
    let links: usize = world
        .hosts
        .iter()
        .map(|host| host.node.as_ref().unwrap().links().count())
        .sum();
    let before = world.counts.clone();
    world.join(0, Topic::Operators);
    let spread = world.run_until_holds(Duration::from_millis(100), |world| {
        invariants::agreement(world).is_none()
    });
    assert!(spread, "{:?}", invariants::agreement(&world));
    world.run_for(secs(1));
    let updates = world.counts.updates - before.updates;
    assert!(
        updates <= links,
        "{updates} updates over {links} ends of links"
    );
    assert_eq!(world.counts.searches, before.searches);
}

/// `cargo xtask simulate` makes them five hundred.
#[test]
fn hundreds_come_together() {
    let servers = std::env::var("HAM_SIM_SERVERS").map_or(200, |number| number.parse().unwrap());
    let mut world = mesh(9, servers, 3);
    world.watched = true;
    world.come_together(secs(10));
    assert_eq!(invariants::records_do_not_go_around(&world, 3), None);
    assert_eq!(invariants::budgets_hold(&world), None);
    assert_eq!(invariants::the_honest_are_not_blamed(&world), None);
}

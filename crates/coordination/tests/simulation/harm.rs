//! What those cannot do who mean harm, and what accidents do not lead to.

use std::collections::BTreeMap;
use std::time::Duration;

use coordination::message::Topic;
use coordination::{Event, Fate, Standing};
use station::Zone;

use crate::sim::World;
use crate::sim::adversary::Malice;
use crate::sim::host::{Host, ROOT};
use crate::sim::invariants;
use crate::sim::nets::{line, mesh};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A net of honest servers and one that is not, which everybody hears of.
fn with(malice: Malice, honest: usize) -> World {
    let mut world = mesh(11, honest + 1, honest);
    let everybody = world.hosts[..honest]
        .iter()
        .map(|host| host.endpoint.clone());
    world.hosts[honest].hears_of = everybody.collect();
    world.hosts[honest].malice = Some(malice);
    world
}

fn honest_agree(world: &mut World, most: Duration) {
    world.must_agree_within(most);
    assert_eq!(invariants::nothing_is_forged(world), None);
    assert_eq!(invariants::budgets_hold(world), None);
}

#[test]
fn a_flood_of_records_costs_a_bounded_number_of_checks() {
    let mut world = with(Malice::Flooder { sequence: 0 }, 5);
    world.come_together(secs(10));
    world.run_for(secs(10));
    let before: usize = world.hosts[..5].iter().map(|host| host.saw.verified).sum();
    world.run_for(secs(60));
    let after: usize = world.hosts[..5].iter().map(|host| host.saw.verified).sum();
    let most = 5 * (60 * 4 + 40 + 60);
    assert!(
        after - before <= most,
        "{} checks in a minute",
        after - before
    );
    honest_agree(&mut world, secs(10));
    let tag = world.post(0, 4, Zone::Open, 500);
    world.run_for(secs(1));
    assert_eq!(world.hosts[0].saw.fates.get(&tag), Some(&Fate::Delivered));
}

#[test]
fn invented_servers_take_few_places_and_are_not_passed_on() {
    let invented = BTreeMap::new();
    let mut world = with(Malice::Inventor { invented }, 3);
    // Only the first is told the inventions.
    world.apart.extend([(1, 3), (2, 3)]);
    world.come_together(secs(20));
    world.run_for(secs(60));
    let strangers = |host: &Host| {
        let node = host.node.as_ref().unwrap();
        let strangers = node
            .servers()
            .filter(|one| one.standing == Standing::Stranger);
        strangers.count()
    };
    let limits = world.hosts[0].limits;
    assert_eq!(strangers(&world.hosts[0]), limits.strangers_each);
    assert_eq!(strangers(&world.hosts[1]), 0);
    honest_agree(&mut world, secs(10));
}

/// Six servers send thousands of questions a second through one honest server to another.
#[test]
fn who_passes_a_flood_on_is_not_blamed_and_calls_still_arrive() {
    let mut world = mesh(20, 8, 1);
    for harmful in 2..8 {
        let ways = BTreeMap::new();
        world.hosts[harmful].malice = Some(Malice::Chatterer { each: 1_000, ways });
        world.hosts[harmful].hears_of = vec![world.hosts[0].endpoint.clone()];
        for other in 1..harmful {
            world.apart.push((other, harmful));
        }
    }
    world.come_together(secs(20));
    world.run_for(secs(60));
    assert_eq!(invariants::the_honest_are_not_blamed(&world), None);
    let signed = world.hosts[1].saw.signed;
    world.run_for(secs(10));
    let signed = world.hosts[1].saw.signed - signed;
    assert!(
        signed < 10 * 400 + 100,
        "{signed} signatures in ten seconds"
    );
    world.join(0, Topic::Operators);
    let tag = world.post(0, 1, Zone::Open, 500);
    world.must_agree_within(secs(5));
    assert_eq!(world.hosts[0].saw.fates.get(&tag), Some(&Fate::Delivered));
}

#[test]
fn a_black_hole_is_gone_around() {
    let mut world = mesh(12, 5, 5);
    world.hosts[4].malice = Some(Malice::BlackHole);
    // Between the first and the second there are one server that passes things on, and one that does not.
    world.apart.extend([(0, 1), (0, 3), (1, 3)]);
    world.come_together(secs(20));
    let tags: Vec<u64> = (0..20).map(|_| world.post(0, 1, Zone::Open, 100)).collect();
    world.run_for(secs(10));
    for tag in tags {
        assert_eq!(world.hosts[0].saw.fates.get(&tag), Some(&Fate::Delivered));
    }
    assert_eq!(invariants::parcels_arrive_once(&world), None);
}

#[test]
fn forged_receipts_and_parcels_are_worth_nothing() {
    let mut world = line(13, 3);
    world.hosts[1].malice = Some(Malice::Forger);
    world.start_all();
    world.run_for(secs(120));
    let tags: Vec<u64> = (0..20).map(|_| world.post(0, 2, Zone::Open, 100)).collect();
    world.run_for(secs(30));
    let fates: Vec<_> = tags
        .iter()
        .map(|tag| world.hosts[0].saw.fates.get(tag))
        .collect();
    assert!(fates.iter().all(Option::is_some), "every fate is told");
    assert_eq!(invariants::parcels_arrive_once(&world), None);
    assert_eq!(invariants::nothing_is_forged(&world), None);
}

/// Who has lost its memory of what arrived is not the one that a repeated parcel is for.
#[test]
fn a_parcel_that_is_repeated_after_a_restart_does_not_arrive_again() {
    let mut world = line(27, 3);
    world.hosts[1].malice = Some(Malice::Replayer { heard: Vec::new() });
    world.start_all();
    world.run_for(secs(20));
    for _ in 0..20 {
        world.post(0, 2, Zone::Open, 100);
    }
    world.run_for(secs(5));
    assert_eq!(world.hosts[2].saw.delivered.len(), 20);
    world.stop(2, false);
    world.start(2);
    world.run_for(secs(120));
    assert_eq!(invariants::parcels_arrive_once(&world), None);
}

/// Somebody goes on telling of a server that is gone, with its own last record. Who was there when it was
/// believes that for a while; who starts anew asks.
#[test]
fn the_dead_do_not_come_back_for_who_starts_anew() {
    let mut world = mesh(14, 4, 4);
    let dead = world.hosts[1].id;
    world.hosts[3].malice = Some(Malice::Undertaker { dead });
    world.come_together(secs(20));
    world.stop(1, false);
    world.stop(0, false);
    world.run_for(secs(5));
    world.start(0);
    world.run_for(secs(60));
    let known = world.hosts[0].node.as_ref().unwrap().way(dead, Zone::Open);
    assert!(known.is_some(), "there seems to be a way");
    assert!(!world.hosts[0].sees().contains(&dead), "but nobody answers");
}

#[test]
fn who_lost_its_memory_learns_where_it_was() {
    for others_restart in [false, true] {
        let mut world = mesh(15, 6, 4);
        world.come_together(secs(10));
        for _ in 0..3 {
            world.stop(2, false);
            world.start(2);
            world.must_agree_within(secs(10));
        }
        world.run_for(secs(40));
        world.stop(2, false);
        world.run_for(secs(5));
        world.hosts[2].disk.boot = 0;
        world.hosts[2].disk.records.clear();
        if others_restart {
            // Now only what is on their disks shows that there was a later boot.
            for other in [0, 1, 3, 4, 5] {
                world.stop(other, false);
                world.start(other);
            }
        }
        world.start(2);
        world.must_agree_within(secs(20));
        assert!(world.hosts[2].disk.boot > 4);
    }
}

/// It makes a record of the same version anew, of which everybody keeps the other: whichever end dials, it hears of that one.
#[test]
fn who_lost_its_memory_right_after_its_first_record_is_reached_again() {
    for seed in 0..20 {
        let mut world = line(seed, 2);
        // Both times it has been alone for a while before it meets the other.
        world.apart.push((0, 1));
        world.start_all();
        world.run_for(secs(5));
        world.apart.clear();
        world.must_agree_within(secs(20));
        let forgetful = usize::from(seed % 2 == 1);
        world.stop(forgetful, false);
        world.hosts[forgetful].disk.boot = 0;
        world.hosts[forgetful].disk.records.clear();
        world.apart.push((0, 1));
        world.start(forgetful);
        world.run_for(secs(5));
        world.apart.clear();
        world.run_for(secs(20));
        world.must_agree_within(secs(10));
        for (from, to) in [(0, 1), (1, 0)] {
            let tag = world.post(from, to, Zone::Open, 50);
            world.run_for(secs(1));
            let fate = world.hosts[from].saw.fates.get(&tag);
            assert_eq!(fate, Some(&Fate::Delivered), "seed {seed}, {from} to {to}");
        }
    }
}

#[test]
fn a_clone_is_noticed_and_does_not_stir_up_everybody() {
    let mut world = mesh(16, 5, 4);
    let twin = Host::new("host-4", ROOT, world.hosts[4].limits);
    let twin = Host {
        endpoint: "http://twin:8080".to_owned(),
        ..twin
    };
    let twin = world.add(twin);
    // The twins do not meet.
    world.apart.push((4, twin));
    let neighbour = world.hosts[0].endpoint.clone();
    world.hosts[twin].hears_of.push(neighbour);
    for host in 0..5 {
        world.start(host);
    }
    world.run_for(secs(10));
    world.start(twin);
    world.run_for(secs(120));
    let noticed = |host: &Host| host.saw.events.contains(&Event::Clone);
    assert!(noticed(&world.hosts[4]) || noticed(&world.hosts[twin]));
    let before = world.counts.updates;
    world.run_for(secs(600));
    let each_minute = (world.counts.updates - before) / 10;
    assert!(each_minute < 200, "{each_minute} updates a minute");
}

#[test]
fn a_link_that_comes_and_goes_is_told_of_ever_later() {
    let mut world = mesh(17, 10, 3);
    world.come_together(secs(10));
    let before = world.counts.updates;
    for _ in 0..60 {
        world.break_all_between(0, 1);
        world.run_for(secs(1));
    }
    let updates = world.counts.updates - before;
    world.must_agree_within(secs(90));
    let links: usize = world
        .hosts
        .iter()
        .map(|host| host.node.as_ref().unwrap().links().count())
        .sum();
    assert!(
        updates < 40 * links,
        "{updates} updates over {links} ends of links in a minute"
    );
}

#[test]
fn whom_the_owner_blacklists_is_gone_for_the_owner_only() {
    let mut world = mesh(18, 4, 4);
    world.come_together(secs(10));
    let other = world.hosts[3].id;
    world.hosts[0].blacklisted.push("host-3".to_owned());
    world.judge(0, other, Standing::Blacklisted);
    world.run_for(secs(5));
    assert!(!world.hosts[0].sees().contains(&other));
    assert!(world.hosts[1].sees().contains(&other));
    world.join(3, Topic::Operators);
    world.run_for(secs(5));
    assert!(world.hosts[0].sees_people(other).is_empty());
    assert_eq!(world.hosts[1].sees_people(other).len(), 2);
    world.hosts[0].blacklisted.clear();
    world.judge(0, other, Standing::Trusted);
    world.must_agree_within(secs(200));
}

/// A server whose root is unknown here is seen and reached; nothing goes through it, and nobody passes on
/// what it says.
#[test]
fn strangers_are_ends_and_never_in_the_middle() {
    let mut world = line(19, 4);
    let limits = world.hosts[2].limits;
    let stranger = Host::new("host-2", "elsewhere", limits);
    let hears_of = world.hosts[2].hears_of.clone();
    world.hosts[2] = Host {
        hears_of,
        malice: Some(Malice::BlackHole),
        ..stranger
    };
    world.start_all();
    world.run_for(secs(30));
    let [first, second, third, last] = [0, 1, 2, 3].map(|host| world.hosts[host].id);
    assert!(
        world.hosts[1].sees().contains(&third),
        "its neighbour sees it"
    );
    assert!(
        !world.hosts[0].sees().contains(&third),
        "nobody passes it on"
    );
    assert!(
        !world.hosts[1].sees().contains(&last),
        "nothing goes through it"
    );
    assert!(world.hosts[0].sees().contains(&second) && world.hosts[1].sees().contains(&first));
    let tag = world.post(1, 2, Zone::Open, 100);
    world.run_for(secs(2));
    assert_eq!(world.hosts[1].saw.fates.get(&tag), Some(&Fate::Delivered));
    // Once the owner decides to trust it, everybody hears of it.
    world.judge(1, third, Standing::Trusted);
    world.judge(0, third, Standing::Trusted);
    world.run_for(secs(30));
    assert!(world.hosts[0].sees().contains(&third));
}

//! Afternoons by chance: servers come and go, the network breaks and heals, some mean harm; then it becomes
//! quiet.

use std::time::Duration;

use coordination::message::{Set, Topic};
use coordination::{Blob, Limits};
use station::Zone;

use super::World;
use super::adversary::Malice;
use super::host::{Host, ROOT, UNWANTED};
use super::invariants;
use super::random::Random;
use super::wire::Weather;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A world in which nothing has started yet: honest servers first, in a line of those that surely can
/// reach each other, then the others.
pub(crate) fn world(seed: u64) -> World {
    let mut world = World::new(seed);
    let mut random = Random::new(seed ^ 0x5eed);
    let honest = 2 + random.below(6);
    let harmful = if random.percent(40) {
        1 + random.below(2)
    } else {
        0
    };
    populate(&mut world, honest, harmful, &mut random);
    for one in 1..honest + harmful {
        // Whoever is honest hears of another honest one.
        let known = random.below(one.min(honest));
        hear(&mut world, one, known, &mut random);
        for other in 0..one {
            if random.percent(40) {
                hear(&mut world, one, other, &mut random);
            } else if other + 1 != one && other != known && random.percent(40) {
                world.apart.push((one, other));
            }
        }
    }
    if random.percent(20) {
        for one in 1..honest {
            if random.percent(30) {
                world.radio.push((one, random.below(one)));
            }
        }
    }
    if random.percent(8) {
        add_twin(&mut world, honest, &mut random);
    }
    world.weather = weather(&mut random);
    world.random = random;
    world
}

/// A world of many, and of one for every ten of them who means harm.
pub(crate) fn crowd(seed: u64, honest: usize) -> World {
    let mut world = World::new(seed);
    let mut random = Random::new(seed ^ 0x5eed);
    populate(&mut world, honest, honest / 10, &mut random);
    for one in 1..world.hosts.len() {
        let known = random.below(one.min(honest));
        for other in [known, random.below(one), random.below(one)] {
            hear(&mut world, one, other, &mut random);
        }
    }
    world.weather = weather(&mut random);
    world.random = random;
    world
}

fn populate(world: &mut World, honest: usize, harmful: usize, random: &mut Random) {
    for number in 0..honest + harmful {
        let name = format!("host-{number}");
        let mut host = Host::new(&name, ROOT, Limits::default());
        if number >= honest {
            let malice = Some(Malice::any(random));
            if random.percent(30) {
                host = Host::new(&name, "nobody's root", Limits::default());
            }
            host.malice = malice;
        }
        world.add(host);
    }
}

/// A copy of an honest server, from a backup before its first start, that runs elsewhere until it becomes quiet.
fn add_twin(world: &mut World, honest: usize, random: &mut Random) {
    let original = random.below(honest);
    let name = world.hosts[original].key.0.clone();
    let mut twin = Host::new(&name, ROOT, Limits::default());
    twin.endpoint = "http://twin:8080".to_owned();
    twin.twin = true;
    let twin = world.add(twin);
    let known = random.below(honest);
    hear(world, twin, known, random);
}

fn hear(world: &mut World, one: usize, other: usize, random: &mut Random) {
    let (one, other) = if random.percent(50) {
        (one, other)
    } else {
        (other, one)
    };
    let endpoint = world.hosts[other].endpoint.clone();
    world.hosts[one].hears_of.push(endpoint);
}

fn weather(random: &mut Random) -> Weather {
    let millis =
        |most, random: &mut Random| random.between(Duration::ZERO, Duration::from_millis(most));
    let rough = random.percent(50);
    Weather {
        latency: Duration::from_millis(1) + millis(50, random),
        jitter: if rough {
            millis(100, random)
        } else {
            Duration::ZERO
        },
        lost: if rough { random.below(10) } else { 0 },
        doubled: if rough { random.below(10) } else { 0 },
        reordered: rough && random.percent(50),
        slow_work: if random.percent(50) {
            millis(20, random)
        } else {
            Duration::ZERO
        },
    }
}

/// A whole afternoon by one seed. Gives what did not hold.
pub(crate) fn afternoon(seed: u64) -> Result<(), String> {
    run(&mut world(seed))
}

/// A whole afternoon in a world.
pub(crate) fn run(world: &mut World) -> Result<(), String> {
    let alone = world.hosts.iter().all(|host| !host.twin);
    let harmless = alone && world.hosts.iter().all(Host::is_honest);
    world.watched = harmless;
    let orderly = world.weather.doubled == 0 && !world.weather.reordered;
    for host in 0..world.hosts.len() {
        let after = world.random.between(Duration::ZERO, secs(5));
        world.start_later(host, after);
    }
    let many = world.hosts.len() >= MANY;
    progress(world, format_args!("{:?}", world.weather));
    let happenings = if many {
        // Where everybody hears of everything, each change costs the square of how many they are. Everything happens all the same.
        2 * KINDS.len()
    } else {
        // Among more than a few more happens, but not without end.
        let busy = (world.hosts.len() / 10).clamp(1, 5);
        world.random.below(40) * busy
    };
    for happening in 0..happenings {
        let pause = world.random.between(Duration::ZERO, secs(4));
        world.run_for(pause);
        // In steps of four what was divided is whole again after some other things, not at once.
        let kind = many.then_some(happening * 4 % KINDS.len());
        let what = happen(world, kind);
        progress(world, format_args!("{what} ({happening} of {happenings})"));
    }
    calm(world);
    progress(world, format_args!("it is quiet"));
    let radio = !world.radio.is_empty();
    let patience = match (radio, alone) {
        (true, _) => secs(2_400),
        // Who found its counter overtaken raises it ever more slowly.
        (false, false) => secs(600),
        (false, true) => secs(300),
    };
    if !world.run_until_holds(patience, |world| invariants::agreement(world).is_none()) {
        let problem = invariants::agreement(world).unwrap_or_default();
        return Err(format!(
            "no agreement after {patience:?} of quiet: {problem}"
        ));
    }
    progress(world, format_args!("all agree"));
    everybody_can_be_reached(world)?;
    progress(world, format_args!("all can be reached"));
    if harmless && !radio {
        world.run_for(secs(150));
        if let Some(problem) = invariants::quiet_is_quiet(world, secs(20)) {
            return Err(problem);
        }
    }
    // Who means harm goes on, so links come and go.
    if !world.run_until_holds(patience, |world| invariants::agreement(world).is_none()) {
        let problem = invariants::agreement(world).unwrap_or_default();
        return Err(format!("agreement was lost: {problem}"));
    }
    let always = [
        invariants::nothing_is_forged(world),
        invariants::parcels_arrive_once(world),
        invariants::budgets_hold(world),
        invariants::records_cost_their_budget(world),
        invariants::links_lead_to_whom_they_say(world),
        invariants::ways_are_kept_to(world),
        invariants::guests_stay_off_the_air(world),
        invariants::records_do_not_go_around(world, 8),
        invariants::the_honest_are_not_blamed(world).filter(|_| orderly),
    ];
    match always.into_iter().flatten().next() {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// From so many servers on an afternoon takes minutes.
const MANY: usize = 200;

/// Says how far it is, where that takes long.
fn progress(world: &World, what: std::fmt::Arguments<'_>) {
    if world.hosts.len() >= MANY {
        let (now, frames) = (world.now.as_secs(), world.counts.frames);
        eprintln!("after {now} s and {frames} frames: {what}");
    }
}

/// What may happen, some of it oftener.
const KINDS: [&str; 11] = [
    "somebody comes",
    "somebody comes",
    "somebody comes",
    "somebody leaves",
    "something is put into a set",
    "a parcel is posted",
    "a server starts anew",
    "the net is divided",
    "the net is whole",
    "a link breaks",
    "a clock jumps",
];

/// One thing happens: of that kind, or of any. Says what.
fn happen(world: &mut World, kind: Option<usize>) -> &'static str {
    if world.log {
        eprintln!("{:10.3} something happens", world.now.as_secs_f64());
    }
    let regular = world.hosts.iter().filter(|host| !host.twin).count();
    let host = world.random.below(regular);
    let running = world.hosts[host].node.is_some();
    let kind = kind.unwrap_or_else(|| world.random.below(KINDS.len()));
    match kind {
        0..=2 if running => {
            let topic = *world.random.pick(&Topic::ALL);
            world.join(host, topic);
        }
        3 if running => world.leave(host),
        4 if running => put_something(world, host),
        5 if running => {
            let to = world.random.below(regular);
            if to != host {
                world.post(host, to, Zone::Open, 100);
            }
        }
        6 if running => restart(world, host),
        7 => {
            let sides = world.hosts.len();
            let sides = (0..sides)
                .map(|_| u8::from(world.random.percent(50)))
                .collect();
            let silently = world.random.percent(50);
            world.divide(sides, silently);
        }
        8 => {
            let all = vec![0; world.hosts.len()];
            world.divide(all, false);
        }
        9 => {
            if let Some(transport) = world.any_transport() {
                world.break_transport(transport);
            }
        }
        10 => {
            let by = [secs(1), secs(30), secs(4_000), secs(100_000)];
            let by = *world.random.pick(&by);
            world.jump(host, by);
        }
        _ => return "nothing",
    }
    KINDS[kind]
}

fn put_something(world: &mut World, host: usize) {
    if !world.hosts[host].is_honest() {
        return;
    }
    let set = *world.random.pick(&Set::ALL);
    let number = world.random.number().to_be_bytes();
    let kind = if world.random.percent(20) {
        UNWANTED
    } else {
        b"item"
    };
    world.put_item(host, set, Blob::from([kind, &number].concat()));
}

fn restart(world: &mut World, host: usize) {
    let silently = world.random.percent(50);
    world.stop(host, silently);
    let one = &mut world.hosts[host];
    match world.random.below(10) {
        // A backup from long ago is put in place.
        0 => one.disk.boot = one.disk.boot.saturating_sub(3),
        1 => {
            one.disk.boot = 0;
            one.disk.records.clear();
            // What nobody else had is lost with it.
            let lost = std::mem::take(&mut one.disk.items);
            let elsewhere = |key| {
                let others = world.hosts.iter();
                others
                    .filter(|host| host.is_honest())
                    .any(|host| host.disk.items.contains_key(key))
            };
            let gone: Vec<_> = lost
                .keys()
                .filter(|key| !elsewhere(*key))
                .copied()
                .collect();
            for key in gone {
                world.items.remove(&key);
            }
        }
        _ => {}
    }
    // Who was there has to come again.
    if world.random.percent(50) {
        world.hosts[host].people.clear();
    }
    let after = world.random.between(Duration::from_millis(10), secs(10));
    world.start_later(host, after);
}

/// Nothing happens any more, but who means harm goes on.
fn calm(world: &mut World) {
    let all = vec![0; world.hosts.len()];
    world.divide(all, false);
    world.weather = Weather::CALM;
    let twin = world.hosts.iter().position(|host| host.twin);
    if let Some(twin) = twin {
        // By now it has started.
        world.run_for(secs(5));
        world.stop(twin, false);
    }
    // Until the last silent cut was noticed it only seems quiet.
    let Limits { open, part97, .. } = Limits::default();
    let slowest = if world.radio.is_empty() { open } else { part97 };
    world.run_for(slowest.dead + secs(10));
    for host in 0..world.hosts.len() {
        if world.hosts[host].node.is_none() && !world.hosts[host].twin {
            world.start_later(host, Duration::ZERO);
        }
    }
}

/// To how many others each posts at most.
const SOME: usize = 16;

/// Everybody posts to everybody, or to some. All of it arrives where a way leads through honest servers only; of the rest
/// the fate is told.
fn everybody_can_be_reached(world: &mut World) -> Result<(), String> {
    let parts = invariants::honest_parts(world, Zone::Part97);
    let mut tags = Vec::new();
    for (&from, part) in &parts {
        let mut others: Vec<_> = parts.iter().filter(|(to, _)| **to != from).collect();
        while others.len() > SOME {
            let one = world.random.below(others.len());
            others.swap_remove(one);
        }
        for (&to, other) in others {
            let tag = world.post(from, to, Zone::Part97, 50);
            tags.push((from, tag, part == other));
        }
    }
    let missing = |world: &World| {
        let missing = tags.iter().find(|(from, tag, must)| {
            let fate = world.hosts[*from].saw.fates.get(tag);
            fate != Some(&coordination::Fate::Delivered) && (*must || fate.is_none())
        });
        missing.copied()
    };
    world.run_until_holds(secs(120), |world| missing(world).is_none());
    match missing(world) {
        None => Ok(()),
        Some((from, tag, _)) => {
            let to = world.posted[&tag].1;
            let fate = world.hosts[from].saw.fates.get(&tag);
            Err(format!(
                "a parcel from host-{from} to host-{to} did not arrive: {fate:?}"
            ))
        }
    }
}

//! What must hold. Each function gives what does not, in words.

use std::collections::{BTreeMap, BTreeSet};

use coordination::message::Topic;
use coordination::{Event, Fate, Node, ServerId};
use station::Zone;

use super::World;
use super::host::{FORGED, Host, UNWANTED};

/// Every honest server that runs is seen by every other, and no honest one that does not run.
pub(crate) fn agree_on_servers(world: &World) -> Option<String> {
    let honest: BTreeSet<ServerId> = honest(world).map(|(_, host)| host.id).collect();
    let there: BTreeSet<ServerId> = running(world).map(|(_, host)| host.id).collect();
    running(world).find_map(|(_, host)| {
        let sees: BTreeSet<ServerId> = host.sees().intersection(&honest).copied().collect();
        let mut others = there.clone();
        others.remove(&host.id);
        let missing: Vec<_> = others
            .difference(&sees)
            .map(|id| name(world, *id))
            .collect();
        let extra: Vec<_> = sees
            .difference(&others)
            .map(|id| name(world, *id))
            .collect();
        (sees != others).then(|| format!("{} misses {missing:?}, sees {extra:?}", host.key.0))
    })
}

/// Who is at an honest server is known at every other: operators everywhere, and guests wherever a way
/// leads that crosses no amateur frequencies. Where none leads now, one may have led before.
pub(crate) fn agree_on_people(world: &World) -> Option<String> {
    let parts = honest_parts(world, Zone::Open);
    running(world).find_map(|(at, host)| {
        running(world).find_map(|(of, other)| {
            let mut expected: BTreeSet<_> = other.people.keys().copied().collect();
            let mut sees = host.sees_people(other.id);
            if parts[&at] != parts[&of] && sees.is_subset(&expected) {
                sees.retain(|(topic, _)| *topic == Topic::Operators);
                expected.retain(|(topic, _)| *topic == Topic::Operators);
            }
            (sees != expected).then(|| {
                let [sees, expected] = [sees.len(), expected.len()];
                format!(
                    "{} sees {sees} people at {}, not {expected}",
                    host.key.0, other.key.0
                )
            })
        })
    })
}

/// Whatever anybody put into a set and is wanted is held everywhere.
pub(crate) fn agree_on_sets(world: &World) -> Option<String> {
    running(world).find_map(|(_, host)| {
        let lacks = world.items.iter().filter(|(key, data)| {
            let wanted = !data.as_bytes().starts_with(UNWANTED);
            wanted && !host.disk.items.contains_key(key)
        });
        let lacks = lacks.count();
        (lacks > 0).then(|| format!("{} lacks {lacks} items", host.key.0))
    })
}

/// All three.
pub(crate) fn agreement(world: &World) -> Option<String> {
    agree_on_servers(world)
        .or_else(|| agree_on_people(world))
        .or_else(|| agree_on_sets(world))
}

/// Nothing was taken for true at an honest server that nobody made: no parcel, no person, no item.
pub(crate) fn nothing_is_forged(world: &World) -> Option<String> {
    let ids: BTreeMap<ServerId, usize> = honest(world).map(|(at, host)| (host.id, at)).collect();
    honest(world).find_map(|(_, host)| {
        for (from, body) in &host.saw.delivered {
            let posted = world.posted.values().any(|(sender, to, what)| {
                let [sender, to] = [sender, to].map(|one| world.hosts[*one].id);
                sender == *from && to == host.id && what == body
            });
            if !posted {
                return Some(format!("{} got a parcel nobody posted", host.key.0));
            }
        }
        for event in &host.saw.events {
            if let Event::Joined { server, person, .. } = event
                && ids.contains_key(server)
                && !person.net.starts_with("net-")
            {
                return Some(format!("{} was told of {person:?}", host.key.0));
            }
        }
        let mut items = host.disk.items.values();
        let forged = items.any(|(_, data)| data.as_bytes().starts_with(FORGED));
        forged.then(|| format!("{} holds a forged item", host.key.0))
    })
}

/// A parcel arrives once at most, and has arrived if its sender was told so.
pub(crate) fn parcels_arrive_once(world: &World) -> Option<String> {
    world.posted.iter().find_map(|(tag, (from, to, body))| {
        let sender = &world.hosts[*from];
        if !sender.is_honest() || !world.hosts[*to].is_honest() {
            return None;
        }
        let arrived = |host: &Host| {
            let parcels = host.saw.delivered.iter();
            parcels.filter(|(_, what)| what == body).count()
        };
        let id = world.hosts[*to].id;
        let receivers = world.hosts.iter().filter(|host| host.id == id);
        let times: usize = receivers.map(arrived).sum();
        let told = sender.saw.fates.get(tag) == Some(&Fate::Delivered);
        let wrong = times > 1 || (told && times == 0);
        wrong.then(|| format!("parcel {tag} arrived {times} times, fate told: {told}"))
    })
}

/// No honest server counts as one that misbehaves.
pub(crate) fn the_honest_are_not_blamed(world: &World) -> Option<String> {
    let ids: BTreeSet<ServerId> = honest(world).map(|(_, host)| host.id).collect();
    honest(world).find_map(|(_, host)| {
        host.saw.events.iter().find_map(|event| match event {
            Event::Misconduct {
                server, offence, ..
            } if ids.contains(server) => Some(format!(
                "{} blames {}: {}",
                host.key.0,
                name(world, *server),
                offence.sentence()
            )),
            _ => None,
        })
    })
}

/// What one can cause is bounded: servers, strangers, links.
pub(crate) fn budgets_hold(world: &World) -> Option<String> {
    honest(world).find_map(|(_, host)| {
        let node = host.node.as_ref()?;
        let strangers = node
            .servers()
            .filter(|server| server.standing == coordination::Standing::Stranger)
            .count();
        let [servers, links] = [node.servers().count(), node.links().count()];
        let limits = &host.limits;
        let most_links = limits.links + limits.handshakes + limits.dials;
        let over = strangers > limits.strangers || servers > limits.servers || links > most_links;
        over.then(|| {
            let name = &host.key.0;
            format!("{name} keeps {servers} servers, {strangers} strangers, {links} links")
        })
    })
}

/// No server makes another verify more records than it may make.
pub(crate) fn records_cost_their_budget(world: &World) -> Option<String> {
    honest(world).find_map(|(at, host)| {
        let running = world.clock(at).saturating_duration_since(host.started?);
        let updates = host.limits.updates;
        let sustained = running.as_millis() * u128::from(updates.per_second) / 1_000;
        let most = u128::from(updates.burst) + sustained + 1;
        let mut others = host
            .saw
            .records
            .iter()
            .filter(|(key, _)| ***key != *host.key.public());
        let (key, times) = others.find(|(_, times)| u128::try_from(**times).unwrap() > most)?;
        let [name, of] = [&host.key.0, &String::from_utf8_lossy(key).into_owned()];
        Some(format!(
            "{name} verified {times} records of {of} in {running:?}"
        ))
    })
}

/// A link that stands leads to whom it says.
pub(crate) fn links_lead_to_whom_they_say(world: &World) -> Option<String> {
    running(world).find_map(|(at, host)| {
        host.node.iter().flat_map(Node::links).find_map(|link| {
            let said = link.server?;
            let there = &world.hosts[world.other_end(at, link.id)?];
            let says = name(world, said);
            (there.id != said).then(|| format!("{} takes {} for {says}", host.key.0, there.key.0))
        })
    })
}

/// Nobody passes on what did not come to them on its way.
pub(crate) fn ways_are_kept_to(world: &World) -> Option<String> {
    let crooked = world.crooked;
    (crooked > 0).then(|| format!("{crooked} messages went on that were not on their way"))
}

/// No name of a guest ever crossed amateur frequencies.
pub(crate) fn guests_stay_off_the_air(world: &World) -> Option<String> {
    let leaked = world.leaked;
    (leaked > 0).then(|| format!("{leaked} frames with guests crossed amateur frequencies"))
}

/// No record goes over a link more often than so in one direction. For a world that is watched.
pub(crate) fn records_do_not_go_around(world: &World, most: usize) -> Option<String> {
    let often = world.went.iter().find(|(_, times)| **times > most);
    often.map(|((link, server, boot, sequence), times)| {
        let server = name(world, *server);
        format!(
            "record {boot}.{sequence} of {server} went {times} times over link {}",
            link.0
        )
    })
}

/// While nothing happens nothing is said but that everybody lives. For a world where nobody misbehaves.
pub(crate) fn quiet_is_quiet(world: &mut World, time: std::time::Duration) -> Option<String> {
    let before = world.counts.clone();
    world.run_for(time);
    let after = &world.counts;
    let said = after.frames - before.frames;
    let beats = after.beats - before.beats;
    (said != beats).then(|| {
        let [updates, routed] = [after.updates - before.updates, after.routed - before.routed];
        let [sets, searches] = [after.sets - before.sets, after.searches - before.searches];
        format!(
            "{said} frames in quiet, of these {beats} beats, {updates} updates, {routed} routed, \
             {sets} about sets, {searches} searches"
        )
    })
}

fn honest(world: &World) -> impl Iterator<Item = (usize, &Host)> {
    let hosts = world.hosts.iter().enumerate();
    hosts.filter(|(_, host)| host.is_honest())
}

fn running(world: &World) -> impl Iterator<Item = (usize, &Host)> {
    honest(world).filter(|(_, host)| host.node.is_some())
}

/// For each honest host the lowest one that links within a zone, between honest hosts, join it to.
pub(crate) fn honest_parts(world: &World, within: Zone) -> BTreeMap<usize, usize> {
    let places: BTreeMap<ServerId, usize> =
        running(world).map(|(at, host)| (host.id, at)).collect();
    let mut parts: BTreeMap<usize, usize> = running(world).map(|(at, _)| (at, at)).collect();
    loop {
        let mut changed = false;
        for (at, host) in running(world) {
            let links = host.node.iter().flat_map(Node::links);
            for link in links.filter(|link| link.zone <= within) {
                let Some(&other) = link.server.and_then(|server| places.get(&server)) else {
                    continue;
                };
                let lowest = parts[&at].min(parts[&other]);
                changed |= parts[&at] != lowest || parts[&other] != lowest;
                parts.insert(at, lowest);
                parts.insert(other, lowest);
            }
        }
        if !changed {
            return parts;
        }
    }
}

fn name(world: &World, id: ServerId) -> String {
    let host = world.hosts.iter().find(|host| host.id == id);
    host.map_or_else(|| id.to_string(), |host| host.key.0.clone())
}

//! What is listed of what is announced, whoever announces it.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn sighting(callsign: &str, number: usize) -> Sighting {
    let authority = format!("192.168.1.{number}:8080");
    Sighting {
        callsign: Callsign::parse(callsign).unwrap(),
        endpoint: format!("http://{authority}"),
        signaling_url: format!("ws://{authority}/signal"),
        capabilities: vec!["signaling".into()],
        fp: Some(format!("{number:016x}")),
    }
}

fn callsigns(neighbourhood: &Neighbourhood, now: Instant) -> Vec<String> {
    let list = neighbourhood.list(now);
    list.iter()
        .map(|known| known.sighting.callsign.to_string())
        .collect()
}

#[test]
fn servers_come_and_go() {
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let mut neighbourhood = Neighbourhood::default();
    neighbourhood.begin(&format!("{:016x}", 9));
    neighbourhood
        .hear("own", sighting("W1AW", 9), start)
        .unwrap();
    assert!(callsigns(&neighbourhood, start).is_empty(), "not itself");

    neighbourhood
        .hear("b", sighting("N0XYZ", 2), start)
        .unwrap();
    neighbourhood
        .hear("a", sighting("K1ABC", 1), start)
        .unwrap();
    assert_eq!(callsigns(&neighbourhood, start), ["K1ABC", "N0XYZ"]);
    neighbourhood.lose("b");
    assert_eq!(callsigns(&neighbourhood, start), ["K1ABC"]);

    neighbourhood
        .hear("a", sighting("K1ABC", 1), after(100))
        .unwrap();
    assert_eq!(neighbourhood.list(after(101))[0].heard, after(100));
    assert_eq!(callsigns(&neighbourhood, after(239)), ["K1ABC"]);
    assert!(callsigns(&neighbourhood, after(240)).is_empty());
    // A kill is noticed within the promised 150 seconds.
    assert!(FORGOTTEN_AFTER < Duration::from_secs(150));
}

#[test]
fn imported_servers_stay_until_the_next_import_and_are_shown_once() {
    let start = Instant::now();
    let later = start + Duration::from_secs(3_600);
    let mut neighbourhood = Neighbourhood::default();
    neighbourhood.import(vec![sighting("K1ABC", 1), sighting("N0XYZ", 2)], start);
    neighbourhood.begin("");
    neighbourhood.clear();
    assert_eq!(callsigns(&neighbourhood, later), ["K1ABC", "N0XYZ"]);
    assert_eq!(neighbourhood.list(later)[0].source, Source::Manual);
    neighbourhood
        .hear("a", sighting("K1ABC", 1), later)
        .unwrap();
    assert_eq!(callsigns(&neighbourhood, later), ["K1ABC", "N0XYZ"]);
    assert_eq!(neighbourhood.list(later)[0].source, Source::Mdns);
    let many = (0..100).map(|number| sighting("W2XYZ", number));
    neighbourhood.import(many.collect(), later);
    assert_eq!(neighbourhood.list(later).len(), MOST_IMPORTED);
}

#[test]
fn one_certificate_under_two_names_is_two_servers() {
    let now = Instant::now();
    let mut neighbourhood = Neighbourhood::default();
    neighbourhood.hear("a", sighting("K1ABC", 1), now).unwrap();
    let mut forged = sighting("K1ABC", 1);
    forged.endpoint = "http://192.168.1.66:8080".into();
    neighbourhood.hear("b", forged, now).unwrap();
    assert_eq!(
        neighbourhood.list(now).len(),
        2,
        "a forger replaces nobody under another name"
    );
}

/// A made-up server at an address of the same network as the honest ones, or of any other.
fn lie(number: usize, address: impl Into<IpAddr>) -> Sighting {
    let authority = SocketAddr::new(address.into(), 8080);
    Sighting {
        endpoint: format!("http://{authority}"),
        signaling_url: format!("ws://{authority}/signal"),
        ..sighting("N0XYZ", 100_000 + number)
    }
}

/// An address of another network, of nobody.
fn made_up(number: usize) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + u32::try_from(number).unwrap())
}

fn on_this_network(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(four) if four.octets()[..3] == [192, 168, 1])
}

/// Asks until nobody is left to be asked now; `there` is who is really at a place. How many were asked.
fn ask_all(
    neighbourhood: &mut Neighbourhood,
    there: impl Fn(SocketAddr) -> Option<Introduction>,
    now: Instant,
) -> usize {
    let mut asked = 0;
    loop {
        let due = neighbourhood.ask(on_this_network, now);
        if due.is_empty() {
            return asked;
        }
        asked += due.len();
        for inquiry in due {
            let who = there(inquiry.place);
            neighbourhood.introduce(&inquiry, who.as_ref(), now);
        }
    }
}

fn introduction(said: &Sighting) -> Introduction {
    Introduction {
        callsign: said.callsign.clone(),
        fp: said.fp.clone(),
    }
}

#[test]
fn who_comes_after_a_flood_is_listed_once_asked() {
    let now = Instant::now();
    let mut neighbourhood = Neighbourhood::default();
    neighbourhood.begin("");
    for number in 0..1_000 {
        let address = made_up(number);
        neighbourhood
            .hear(&format!("lie {number}"), lie(number, address), now)
            .unwrap();
    }
    let honest = sighting("K1ABC", 7);
    neighbourhood.hear("honest", honest.clone(), now).unwrap();
    assert_eq!(neighbourhood.list(now).len(), MOST);

    let first = neighbourhood.ask(on_this_network, now);
    let place = place_of(&honest.endpoint).unwrap();
    assert_eq!(first.len(), 32, "a bounded number at once");
    assert_eq!(first[0].place, place, "first at this machine's networks");
    assert!(neighbourhood.ask(on_this_network, now).is_empty());
    for inquiry in first {
        let who = (inquiry.place == place).then(|| introduction(&honest));
        neighbourhood.introduce(&inquiry, who.as_ref(), now);
    }
    assert!(callsigns(&neighbourhood, now).contains(&"K1ABC".to_owned()));
    let asked = ask_all(&mut neighbourhood, |_| None, now);
    assert_eq!(asked, 1_001 - 32, "everybody once");
    assert_eq!(callsigns(&neighbourhood, now), ["K1ABC"]);
    let later = now + Duration::from_secs(60);
    assert_eq!(
        neighbourhood.ask(on_this_network, later).len(),
        32,
        "and again"
    );
}

#[test]
fn who_answers_on_many_ports_takes_one_turn_of_all() {
    let now = Instant::now();
    let mut neighbourhood = Neighbourhood::default();
    neighbourhood.begin("");
    let at = |address: &str, port: usize| {
        let authority = format!("{address}:{port}");
        Sighting {
            endpoint: format!("http://{authority}"),
            ..sighting("N0XYZ", port)
        }
    };
    for port in 1..=500 {
        let name = format!("many {port}");
        neighbourhood
            .hear(&name, at("192.168.1.66", port), now)
            .unwrap();
    }
    for number in 1..=5 {
        let name = format!("honest {number}");
        neighbourhood
            .hear(&name, sighting("K1ABC", number), now)
            .unwrap();
    }
    let there = |place: SocketAddr| {
        let IpAddr::V4(four) = place.ip() else {
            return None;
        };
        let number = usize::from(four.octets()[3]);
        Some(introduction(&match number {
            66 => sighting("N0XYZ", place.port().into()),
            _ => sighting("K1ABC", number),
        }))
    };
    ask_all(&mut neighbourhood, there, now);
    let listed = callsigns(&neighbourhood, now);
    assert_eq!(listed.len(), MOST);
    assert_eq!(
        listed
            .iter()
            .filter(|callsign| *callsign == "K1ABC")
            .count(),
        5
    );
}

#[test]
fn who_lies_about_somebody_elses_address_is_found_out_there() {
    let now = Instant::now();
    let mut neighbourhood = Neighbourhood::default();
    neighbourhood.begin("");
    let honest = sighting("K1ABC", 7);
    for number in 0..200 {
        neighbourhood
            .hear(&format!("lie {number}"), lie(number, [192, 168, 1, 7]), now)
            .unwrap();
    }
    neighbourhood.hear("honest", honest.clone(), now).unwrap();
    ask_all(&mut neighbourhood, |_| Some(introduction(&honest)), now);
    let list = neighbourhood.list(now);
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].sighting, honest);
    // What is said anew is asked anew; an answer to what was said before does not count for it.
    neighbourhood
        .hear("lie 1", lie(1_000, [192, 168, 1, 8]), now)
        .unwrap();
    let due = neighbourhood.ask(on_this_network, now);
    assert_eq!(due.len(), 1);
    let elsewhere = lie(1_001, [192, 168, 1, 9]);
    neighbourhood.hear("lie 1", elsewhere.clone(), now).unwrap();
    neighbourhood.introduce(&due[0], Some(&introduction(&elsewhere)), now);
    assert!(
        !neighbourhood
            .list(now)
            .iter()
            .any(|known| known.source == Source::Mdns
                && known.sighting == elsewhere
                && neighbourhood.known["lie 1"].answer == Answer::Given)
    );
}

#[test]
fn imported_servers_are_taken_off_by_their_place() {
    let now = Instant::now();
    let mut neighbourhood = Neighbourhood::default();
    neighbourhood.import(vec![sighting("K1ABC", 1), sighting("N0XYZ", 2)], now);
    let first = sighting("K1ABC", 1).endpoint;
    neighbourhood.take_off(|known| known.sighting.endpoint == first);
    assert_eq!(callsigns(&neighbourhood, now), ["N0XYZ"]);
}

/// Whatever can happen. Servers with numbers below [`HONEST`] are honest, one at each address; all others are announced
/// by somebody who has one machine and makes up the rest.
#[derive(Debug, Clone)]
enum Step {
    Honest(usize),
    Lie { name: usize, address: u8, port: u16 },
    Flood(usize),
    Lose(usize),
    Wait(u64),
    Ask,
}

const HONEST: usize = 8;
/// Where the liar's machine is; it answers whatever it announced there.
const LIAR: u8 = 200;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..HONEST).prop_map(Step::Honest),
        6 => (0..400_usize, any::<u8>(), 1..100_u16)
            .prop_map(|(name, address, port)| Step::Lie { name, address, port }),
        2 => (0..400_usize).prop_map(Step::Flood),
        1 => (0..400_usize).prop_map(Step::Lose),
        1 => (0..90_u64).prop_map(Step::Wait),
        3 => Just(Step::Ask),
    ];
    prop::collection::vec(step, 0..120)
}

/// Who is really at a place.
fn really_there(place: SocketAddr) -> Option<Introduction> {
    let IpAddr::V4(four) = place.ip() else {
        return None;
    };
    let number = four.octets()[3];
    match usize::from(number) {
        1..HONEST if place.port() == 8080 => Some(introduction(&sighting("K1ABC", number.into()))),
        _ if number == LIAR => Some(introduction(&lie_at(number, place.port()))),
        _ => None,
    }
}

fn lie_at(address: u8, port: u16) -> Sighting {
    let authority = format!("192.168.1.{address}:{port}");
    Sighting {
        endpoint: format!("http://{authority}"),
        ..sighting("N0XYZ", 1_000 + usize::from(port))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever one host announces and answers: what is kept, listed and asked at once is bounded, only who was heard
    /// lately is listed, and whoever is honest and was heard is listed as soon as nobody is left to be asked.
    #[test]
    fn nobody_honest_is_shut_out(steps in steps()) {
        let mut now = Instant::now();
        let mut neighbourhood = Neighbourhood::default();
        neighbourhood.begin(&format!("{:016x}", 0));
        let mut honest = BTreeMap::<usize, Instant>::new();
        for step in steps {
            match step {
                Step::Honest(number) => {
                    neighbourhood.hear(&format!("honest {number}"), sighting("K1ABC", number), now).unwrap();
                    honest.insert(number, now);
                }
                Step::Lie { name, address, port } => {
                    let said = lie_at(address, port);
                    neighbourhood.hear(&format!("lie {name}"), said, now).unwrap();
                }
                Step::Flood(first) => for number in first..first + 100 {
                    let address = [10, 0, 0, u8::try_from(number % 256).unwrap()];
                    neighbourhood.hear(&format!("lie {number}"), lie(number, address), now).unwrap();
                },
                Step::Lose(name) => neighbourhood.lose(&format!("lie {name}")),
                Step::Wait(seconds) => now += Duration::from_secs(seconds),
                Step::Ask => {
                    let due = neighbourhood.ask(on_this_network, now);
                    prop_assert!(due.len() <= 32);
                    for inquiry in due {
                        let who = really_there(inquiry.place);
                        neighbourhood.introduce(&inquiry, who.as_ref(), now);
                    }
                }
            }
            honest.retain(|_, heard| now.duration_since(*heard) < FORGOTTEN_AFTER);
            let list = neighbourhood.list(now);
            prop_assert!(list.len() <= MOST && neighbourhood.known.len() <= MOST_HEARD);
            prop_assert!(list.iter().all(|known| now.duration_since(known.heard) < FORGOTTEN_AFTER));
        }
        ask_all(&mut neighbourhood, really_there, now);
        let list = neighbourhood.list(now);
        for number in honest.keys() {
            prop_assert!(list.iter().any(|known| known.sighting == sighting("K1ABC", *number)), "{number}");
        }
    }
}

#[test]
fn beyond_all_bounds_those_asked_in_vain_give_way() {
    let now = Instant::now();
    let mut neighbourhood = Neighbourhood::default();
    neighbourhood.begin("");
    let say = |neighbourhood: &mut Neighbourhood, number: usize| {
        let address = made_up(number);
        neighbourhood.hear(&format!("lie {number}"), lie(number, address), now)
    };
    for number in 0..MOST_HEARD {
        say(&mut neighbourhood, number).unwrap();
    }
    assert_eq!(say(&mut neighbourhood, MOST_HEARD), Err(NotKept::Full));
    ask_all(&mut neighbourhood, |_| None, now);
    for number in MOST_HEARD..2 * MOST_HEARD {
        say(&mut neighbourhood, number).unwrap();
    }
    assert_eq!(neighbourhood.known.len(), MOST_HEARD);
    assert_eq!(say(&mut neighbourhood, 2 * MOST_HEARD), Err(NotKept::Full));
}

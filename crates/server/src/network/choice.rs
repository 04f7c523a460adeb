//! Which of this machine's addresses to tell somebody first: the one that works where they are.
//!
//! Pure: it is told what the machine's interfaces are ([`Links`]) and what leads where.

use std::net::IpAddr;

use super::links::Links;

/// What counts when addresses are put in order.
#[derive(Debug)]
pub struct Choice<'a> {
    /// This machine's interfaces.
    pub links: &'a Links,
    /// The address of this machine that the caller came to; none within this machine.
    pub came_to: Option<IpAddr>,
    /// The address by which this machine reaches everybody, if there is one: the network where most people are.
    pub way_out: Option<IpAddr>,
}

impl Choice<'_> {
    /// The best first: the address the caller came to, others of that network, those that may be encrypted before those
    /// across amateur frequencies, those of the network that leads out, and then as they were.
    #[must_use]
    pub fn order(
        &self,
        mut addresses: Vec<IpAddr>,
        crosses_radio: impl Fn(IpAddr) -> bool,
    ) -> Vec<IpAddr> {
        addresses.sort_by_cached_key(|address| {
            (
                self.came_to != Some(*address),
                !self.share_interface(self.came_to, *address),
                crosses_radio(*address),
                !self.share_interface(self.way_out, *address),
            )
        });
        addresses
    }

    fn share_interface(&self, one: Option<IpAddr>, other: IpAddr) -> bool {
        let on = |address: IpAddr| {
            self.links
                .iter()
                .filter(move |link| link.address.addr() == address)
                .map(|link| &link.interface)
        };
        one.is_some_and(|one| on(one).any(|name| on(other).any(|its| its == name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Pi on the house's Wi-Fi, with a cable to an AREDN node and an access point of its own.
    fn order(came_to: Option<&str>, way_out: Option<&str>) -> Vec<String> {
        let links = Links::new([
            ("eth0", "10.54.3.90/29"),
            ("wlan0", "192.168.1.5/24"),
            ("wlan0", "fd00::5/64"),
            ("wlan0", "fe80::5/64"),
            ("wlan1", "192.168.9.1/24"),
        ]);
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        let choice = Choice {
            links: &links,
            came_to: came_to.map(parse),
            way_out: way_out.map(parse),
        };
        let all = ["10.54.3.90", "192.168.1.5", "192.168.9.1", "fd00::5"].map(parse);
        let ordered = choice.order(all.into(), |address| address == parse("10.54.3.90"));
        ordered.iter().map(IpAddr::to_string).collect()
    }

    #[test]
    fn whoever_asks_is_told_the_address_of_their_own_network_first() {
        let first = |came_to| order(Some(came_to), Some("192.168.1.5")).remove(0);
        for own in ["10.54.3.90", "192.168.1.5", "192.168.9.1", "fd00::5"] {
            assert_eq!(first(own), own);
        }
        // A link-local address means nothing in a URL: another one of that interface does.
        assert_eq!(first("fe80::5"), "192.168.1.5");
    }

    #[test]
    fn at_the_machine_the_network_that_leads_out_comes_first_and_amateur_radio_last() {
        assert_eq!(
            order(None, Some("192.168.9.1")),
            ["192.168.9.1", "192.168.1.5", "fd00::5", "10.54.3.90"]
        );
        assert_eq!(
            order(None, Some("10.54.3.90")).last().unwrap(),
            "10.54.3.90"
        );
        assert_eq!(
            order(None, None),
            ["192.168.1.5", "192.168.9.1", "fd00::5", "10.54.3.90"]
        );
    }
}

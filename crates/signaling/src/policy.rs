//! What a session may do: the one place that decides it.
//!
//! | | guest | operator |
//! |---|---|---|
//! | list, listen, move between nets | yes | yes |
//! | answer who calls, send candidates in a call | yes | yes |
//! | renegotiate in a call it answered | yes | yes |
//! | start a call with a guest | if the owner allows it | yes |
//! | start a call with an operator | no | yes |
//! | any call with somebody reached over amateur frequencies | no | no |
//!
//! The last line holds for everybody, because calls between browsers are always encrypted.

use crate::message::Role;
use crate::origin::Zone;

/// What the owner decides about guests. The default is the least: read, and answer who calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// Guests may call each other, on the open network.
    pub guest_calls: bool,
}

impl Policy {
    /// Whether the one may start a call with the other.
    #[must_use]
    pub fn may_start_call(self, caller: Role, callee: Role) -> bool {
        match (caller, callee) {
            (Role::Licensed, _) => true,
            (Role::Unlicensed, Role::Unlicensed) => self.guest_calls,
            (Role::Unlicensed, Role::Licensed) => false,
        }
    }

    /// Whether calls between the two may be signaled at all.
    #[must_use]
    pub fn may_meet(self, one: Zone, other: Zone) -> bool {
        one == Zone::Open && other == Zone::Open
    }

    /// Whether guests in this zone may call each other: what they are told.
    #[must_use]
    pub fn guest_calls_in(self, zone: Zone) -> bool {
        self.guest_calls && zone == Zone::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_start_calls_with_guests_only_and_only_if_allowed() {
        let (strict, lenient) = (Policy::default(), Policy { guest_calls: true });
        let table = [
            (Role::Licensed, Role::Licensed, true, true),
            (Role::Licensed, Role::Unlicensed, true, true),
            (Role::Unlicensed, Role::Unlicensed, false, true),
            (Role::Unlicensed, Role::Licensed, false, false),
        ];
        for (caller, callee, by_default, if_allowed) in table {
            assert_eq!(strict.may_start_call(caller, callee), by_default);
            assert_eq!(lenient.may_start_call(caller, callee), if_allowed);
        }
    }

    #[test]
    fn nobody_calls_across_amateur_frequencies() {
        let lenient = Policy { guest_calls: true };
        assert!(lenient.may_meet(Zone::Open, Zone::Open));
        assert!(!lenient.may_meet(Zone::Open, Zone::Part97));
        assert!(!lenient.may_meet(Zone::Part97, Zone::Part97));
        assert!(!lenient.guest_calls_in(Zone::Part97));
    }
}

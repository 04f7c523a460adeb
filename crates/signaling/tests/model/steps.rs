//! What can happen.

use proptest::prelude::*;

use crate::NETS;

/// One thing that happens; `who` and `whom` are picked among the connected, modulo their number.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Connect,
    Guest {
        who: usize,
    },
    Operator {
        who: usize,
        key: u8,
        genuine: bool,
        trusted: bool,
    },
    /// The server's opinion of a key changes, or does not.
    Judge {
        key: u8,
        trusted: bool,
    },
    /// The owner decides about guests, or decides the same again.
    Policy {
        guest_calls: bool,
    },
    Offer {
        who: usize,
        whom: usize,
    },
    /// An offer to W1AW, whoever that is.
    OfferByCallsign {
        who: usize,
    },
    Answer {
        who: usize,
        whom: usize,
    },
    Candidate {
        who: usize,
        whom: usize,
    },
    Join {
        who: usize,
        net: usize,
    },
    /// Reads the next page of the list, if there is one to read.
    Page {
        who: usize,
    },
    Garbage {
        who: usize,
        text: String,
    },
    Pass {
        millis: u64,
    },
    Disconnect {
        who: usize,
    },
    Drop {
        who: usize,
    },
    /// Comes back on a new connection, whether or not the old one broke, without having seen the last
    /// few frames.
    Resume {
        who: usize,
        unseen: usize,
        genuine: bool,
    },
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let one = 0..64_usize;
    let two = (0..64_usize, 0..64_usize);
    prop_oneof![
        3 => Just(Step::Connect),
        3 => one.clone().prop_map(|who| Step::Guest { who }),
        3 => (one.clone(), key(), any::<bool>(), any::<bool>())
            .prop_map(|(who, key, genuine, trusted)| Step::Operator { who, key, genuine, trusted }),
        3 => (key(), any::<bool>()).prop_map(|(key, trusted)| Step::Judge { key, trusted }),
        1 => any::<bool>().prop_map(|guest_calls| Step::Policy { guest_calls }),
        2 => one.clone().prop_map(|who| Step::OfferByCallsign { who }),
        6 => two.clone().prop_map(|(who, whom)| Step::Offer { who, whom }),
        6 => two.clone().prop_map(|(who, whom)| Step::Answer { who, whom }),
        6 => two.prop_map(|(who, whom)| Step::Candidate { who, whom }),
        2 => (one.clone(), 0..NETS.len()).prop_map(|(who, net)| Step::Join { who, net }),
        3 => one.clone().prop_map(|who| Step::Page { who }),
        4 => (1..300_u64).prop_map(|millis| Step::Pass { millis }),
        1 => (one.clone(), ".{0,40}").prop_map(|(who, text)| Step::Garbage { who, text }),
        2 => one.clone().prop_map(|who| Step::Disconnect { who }),
        2 => one.clone().prop_map(|who| Step::Drop { who }),
        4 => (one, 0..4_usize, prop::bool::weighted(0.8))
            .prop_map(|(who, unseen, genuine)| Step::Resume { who, unseen, genuine }),
    ]
}

/// Who is here from the start, so that there is somebody to talk to.
pub(crate) fn crew() -> Vec<Step> {
    let operator = |who| Step::Operator {
        who,
        key: 1,
        genuine: true,
        trusted: true,
    };
    vec![
        Step::Connect,
        Step::Connect,
        Step::Connect,
        operator(0),
        operator(1),
        Step::Guest { who: 2 },
    ]
}

/// Keys of the operators, who are all called W1AW.
pub(crate) fn key() -> impl Strategy<Value = u8> {
    1..3_u8
}

impl Step {
    /// Who must be connected for this to happen.
    pub(crate) fn who(&self) -> Option<usize> {
        match *self {
            Self::Connect
            | Self::Pass { .. }
            | Self::Resume { .. }
            | Self::Judge { .. }
            | Self::Policy { .. } => None,
            Self::Guest { who }
            | Self::Operator { who, .. }
            | Self::Offer { who, .. }
            | Self::OfferByCallsign { who }
            | Self::Answer { who, .. }
            | Self::Candidate { who, .. }
            | Self::Join { who, .. }
            | Self::Page { who }
            | Self::Garbage { who, .. }
            | Self::Disconnect { who }
            | Self::Drop { who } => Some(who),
        }
    }
}

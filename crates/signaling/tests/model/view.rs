//! What one client believes, kept from what it was told as the protocol description says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use signaling::ClientId;

use crate::nets::peers_changed;

/// The people a client believes in its net, each with whether they are licensed, and where its list
/// goes on.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) people: BTreeMap<ClientId, bool>,
    pub(crate) next: Option<String>,
    /// Somebody came or left who was not named.
    pub(crate) outdated: bool,
    /// Frames seen since `REGISTERED`.
    pub(crate) seen: usize,
    /// Of these, those the hub knows to have arrived, by the last resume.
    pub(crate) arrived: usize,
}

/// What a message is called among the expected ones.
pub(crate) fn name(message: &Value) -> String {
    match message["type"].as_str().unwrap() {
        "ERROR" => message["code"].as_str().unwrap().to_owned(),
        "PEERS_CHANGED" => {
            let (joined, left) = (peer_ids(&message["joined"]), ids(&message["left"]));
            peers_changed(&joined, &left, message["more"] == true)
        }
        kind => kind.to_owned(),
    }
}

pub(crate) fn id(value: &Value) -> ClientId {
    value.as_str().unwrap().parse().unwrap()
}

pub(crate) fn ids(list: &Value) -> BTreeSet<ClientId> {
    list.as_array().unwrap().iter().map(id).collect()
}

/// Who somebody is, and whether they are licensed.
pub(crate) fn licence(peer: &Value) -> Option<(ClientId, bool)> {
    Some((id(&peer["id"]), peer["hasLicense"].as_bool()?))
}

pub(crate) fn licences(list: &Value) -> Vec<(ClientId, bool)> {
    let peers = list.as_array().unwrap().iter();
    peers.filter_map(licence).collect()
}

pub(crate) fn peer_ids(list: &Value) -> BTreeSet<ClientId> {
    let peers = list.as_array().unwrap().iter();
    peers.map(|peer| id(&peer["id"])).collect()
}

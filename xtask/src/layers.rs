//! Which crate may use which, and which room of the server may not know another.
//!
//! Arrows point only downward. The protocol crates never import each other and stay pure: their
//! dependency trees hold no runtime, no web server and no database. Inside the server the rooms
//! `http`, `link`, `discovery` and `tnc` meet only in `runtime`.
//!
//! Rooms are checked by reading the text for `crate::ROOM`, written alone or in braces. A path that
//! reaches a room by another name (`super::super`, a re-export) is not seen; it would not survive a
//! review either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::run;

/// Each crate of ours and the crates of ours it may use, tests and build scripts included.
const ARROWS: &[(&str, &[&str])] = &[
    ("station", &[]),
    ("pki", &["station"]),
    ("signaling", &["station"]),
    ("coordination", &["station"]),
    ("radio", &["station"]),
    ("socket", &[]),
    ("store", &["station", "pki"]),
    (
        "ham-server",
        &[
            "station",
            "pki",
            "signaling",
            "coordination",
            "radio",
            "socket",
            "store",
        ],
    ),
    ("bench", &["station", "pki"]),
    ("xtask", &[]),
];

/// Crates without I/O, and what must not come with any of their dependencies.
const PURE: &[&str] = &["station", "pki", "signaling", "coordination", "radio"];
const IMPURE: &[&str] = &["tokio", "axum", "rusqlite"];

/// The server's rooms that do not know each other.
const ROOMS: &[&str] = &["http", "link", "discovery", "tnc"];

pub(crate) fn main() -> Result<()> {
    let mut violations = check(&run::metadata(&[])?);
    violations.extend(check_rooms(&run::root().join("crates/server/src"))?);
    if violations.is_empty() {
        println!("every arrow points downward");
        return Ok(());
    }
    for violation in &violations {
        println!("{violation}");
    }
    bail!("{} forbidden arrows", violations.len());
}

/// What `cargo metadata` shows that the table forbids, one sentence each.
fn check(metadata: &Value) -> Vec<String> {
    let names: BTreeMap<&str, &str> = list(&metadata["packages"])
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let name = |id: &str| names.get(id).copied().unwrap_or("?").to_owned();
    let ours: BTreeSet<&str> = list(&metadata["workspace_members"])
        .filter_map(Value::as_str)
        .collect();
    let graph = Graph::new(&metadata["resolve"]["nodes"]);

    let mut violations = Vec::new();
    for &id in &ours {
        let from = name(id);
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == from) else {
            violations.push(format!(
                "{from} has no place in the table of xtask/src/layers.rs"
            ));
            continue;
        };
        for to in graph.uses(id).filter(|to| ours.contains(to)).map(name) {
            if !allowed.contains(&to.as_str()) {
                violations.push(format!("{from} must not use {to}"));
            }
        }
        if PURE.contains(&from.as_str()) {
            for path in graph.paths_to(id, |id| IMPURE.contains(&name(id).as_str())) {
                let path: Vec<String> = path.into_iter().map(name).collect();
                violations.push(format!("{from} is pure, but: {}", path.join(" -> ")));
            }
        }
    }
    violations
}

/// Who depends on whom, by package id.
struct Graph<'a> {
    arrows: BTreeMap<&'a str, Vec<Arrow<'a>>>,
}

struct Arrow<'a> {
    to: &'a str,
    /// Part of the program, not only of its tests or its build script.
    normal: bool,
}

impl<'a> Graph<'a> {
    fn new(nodes: &'a Value) -> Self {
        let arrow = |dependency: &'a Value| {
            let normal = list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
            Some(Arrow {
                to: dependency["pkg"].as_str()?,
                normal,
            })
        };
        let arrows = list(nodes)
            .filter_map(|node| Some((node["id"].as_str()?, &node["deps"])))
            .map(|(id, dependencies)| (id, list(dependencies).filter_map(arrow).collect()))
            .collect();
        Self { arrows }
    }

    fn from(&self, id: &str) -> impl Iterator<Item = &Arrow<'a>> {
        self.arrows.get(id).into_iter().flatten()
    }

    fn uses(&self, id: &str) -> impl Iterator<Item = &'a str> {
        self.from(id).map(|arrow| arrow.to)
    }

    /// One path by normal dependencies to each package that is looked for.
    fn paths_to(&self, start: &'a str, found: impl Fn(&str) -> bool) -> Vec<Vec<&'a str>> {
        let mut paths = Vec::new();
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![vec![start]];
        while let Some(path) = open.pop() {
            let Some(&last) = path.last() else { continue };
            if found(last) {
                paths.push(path);
                continue;
            }
            for arrow in self.from(last).filter(|arrow| arrow.normal) {
                if seen.insert(arrow.to) {
                    open.push([path.as_slice(), &[arrow.to]].concat());
                }
            }
        }
        paths
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn check_rooms(source: &Path) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for room in ROOMS {
        for file in rust_files(source, room)? {
            for other in rooms_used(&std::fs::read_to_string(&file)?) {
                if other != *room {
                    let file = file.strip_prefix(source).unwrap_or(&file).display();
                    violations.push(format!("{file} must not use the room {other}"));
                }
            }
        }
    }
    Ok(violations)
}

/// A room is `NAME.rs`, the folder `NAME`, or both.
fn rust_files(source: &Path, room: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let file = source.join(room).with_extension("rs");
    if file.is_file() {
        files.push(file);
    }
    let mut folders = vec![source.join(room)];
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The rooms that a source text names by `crate::ROOM` or in `crate::{...}`.
fn rooms_used(text: &str) -> BTreeSet<&'static str> {
    // Comments may speak of other rooms.
    let code: String = text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .collect();
    code.split("crate::")
        .skip(1)
        .flat_map(first_names)
        .collect()
}

/// The rooms among the names that a path begins with: one, or several in braces.
fn first_names(path: &str) -> Vec<&'static str> {
    let Some(group) = path.trim_start().strip_prefix('{') else {
        return room(path).into_iter().collect();
    };
    let mut depth = 0;
    let mut names = Vec::new();
    let mut start = 0;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            ',' if depth == 0 => {
                names.extend(room(&group[start..at]));
                start = at + 1;
            }
            '}' if depth == 0 => {
                names.extend(room(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

fn room(path: &str) -> Option<&'static str> {
    let name = path
        .trim_start()
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()?;
    ROOMS.iter().find(|room| **room == name).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace of these crates; an arrow's kind is "normal", "dev" or "build".
    fn workspace(members: &[&str], arrows: &[(&str, &str, &str)]) -> Value {
        let everybody: BTreeSet<&str> = members
            .iter()
            .copied()
            .chain(arrows.iter().flat_map(|(a, b, _)| [*a, *b]))
            .collect();
        let kind = |kind: &str| {
            if kind == "normal" {
                Value::Null
            } else {
                json!(kind)
            }
        };
        let dependencies = |from: &str| -> Vec<Value> {
            arrows
                .iter()
                .filter(|(a, _, _)| *a == from)
                .map(|(_, to, k)| json!({"pkg": to, "dep_kinds": [{"kind": kind(k)}]}))
                .collect()
        };
        json!({
            "packages": everybody.iter().map(|n| json!({"id": n, "name": n})).collect::<Vec<_>>(),
            "workspace_members": members,
            "resolve": {"nodes": everybody
                .iter()
                .map(|name| json!({"id": name, "deps": dependencies(name)}))
                .collect::<Vec<_>>()},
        })
    }

    #[test]
    fn arrows_downward_are_fine() {
        let metadata = workspace(
            &[
                "station",
                "pki",
                "store",
                "signaling",
                "ham-server",
                "xtask",
            ],
            &[
                ("pki", "station", "normal"),
                ("pki", "ring", "normal"),
                ("store", "pki", "normal"),
                ("store", "rusqlite", "normal"),
                ("signaling", "station", "normal"),
                ("signaling", "tokio", "dev"),
                ("ham-server", "store", "normal"),
                ("ham-server", "signaling", "normal"),
                ("ham-server", "tokio", "normal"),
            ],
        );
        assert_eq!(check(&metadata), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_upward_or_sideways_is_named() {
        let metadata = workspace(
            &["station", "pki", "signaling", "ham-server"],
            &[
                ("signaling", "pki", "dev"),
                ("station", "ham-server", "normal"),
            ],
        );
        assert_eq!(
            check(&metadata),
            [
                "signaling must not use pki",
                "station must not use ham-server"
            ]
        );
    }

    #[test]
    fn a_pure_crate_with_a_runtime_is_named_with_the_way_it_came() {
        let metadata = workspace(
            &["signaling", "store"],
            &[
                ("signaling", "helper", "normal"),
                ("helper", "tokio", "normal"),
                ("store", "rusqlite", "normal"),
            ],
        );
        assert_eq!(
            check(&metadata),
            ["signaling is pure, but: signaling -> helper -> tokio"]
        );
    }

    #[test]
    fn a_crate_without_a_place_is_named() {
        let violations = check(&workspace(&["newcomer"], &[]));
        assert_eq!(
            violations,
            ["newcomer has no place in the table of xtask/src/layers.rs"]
        );
    }

    #[test]
    fn rooms_are_found_alone_and_in_braces() {
        let used = |text| rooms_used(text).into_iter().collect::<Vec<_>>();
        assert_eq!(used("use crate::link::Link;"), ["link"]);
        assert_eq!(
            used("use crate::{\n    runtime::{Runtime, http},\n    tnc,\n};"),
            ["tnc"]
        );
        assert_eq!(used("fn f() { crate::discovery::start() }"), ["discovery"]);
        assert_eq!(
            used("use crate::https; use crate::runtime; // not crate::link"),
            [""; 0]
        );
    }
}

//! The graph against a naive model, in floods, and in single steps.

mod blacklist;
mod disjoint;
mod flood;
mod limbo;
mod listing;
mod model;
mod property;
mod scale;
mod statements;
mod steps;
mod vectors;
mod world;

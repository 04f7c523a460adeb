//! A client's socket, whatever is said over it.
//!
//! [`lingering`] is the TCP connection: it counts what comes, and closes so that the other side learns why.
//! [`websocket`] is what most connections become, read [`ahead`]. Every signal goes through both, so this crate is built for speed;
//! it knows neither messages nor people.

pub mod ahead;
pub mod lingering;
pub mod websocket;

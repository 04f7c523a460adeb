//! Nets of servers that can be measured alike: processes, a machine for each, and somebody at every one.

use std::rc::Rc;

use anyhow::Result;

use crate::board::Board;
use crate::lab::Lab;

/// Servers in a net, with one person at each, who comes as soon as their server can take them.
pub(crate) trait Net {
    /// How many servers there are, running or not.
    fn size(&self) -> usize;

    fn lab(&self) -> &Lab;

    /// Who sees whom.
    fn board(&self) -> &Rc<Board>;

    /// Starts a server's process.
    fn start(&mut self, server: usize) -> Result<()>;

    /// Kills it, and returns when it is gone.
    fn kill(&mut self, server: usize) -> Result<()>;

    /// Waits until a server that was started takes connections.
    async fn listening(&self, server: usize) -> Result<()>;

    /// The person at a server goes or comes, and says when the server had all that it needed to tell others.
    async fn person(&mut self, server: usize, there: bool) -> Result<tokio::time::Instant>;

    /// A running server's process.
    fn process(&self, server: usize) -> Option<u32>;
}

/// Pairs of servers that know where the other is: a ring, and two chords from each, so that everybody has six links and
/// nobody is far.
pub(crate) fn mesh(size: usize) -> Vec<(usize, usize)> {
    let far = [1, size / 7, size / 3];
    let pairs = (0..size).flat_map(|from| far.map(|step| (from, (from + step) % size)));
    let mut pairs: Vec<_> = pairs
        .filter(|(from, to)| from != to)
        .map(|(from, to)| (from.min(to), from.max(to)))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mesh_is_partial() {
        assert_eq!(mesh(50).len(), 150);
        assert_eq!(mesh(10).len(), 20, "a step of one, twice");
    }
}

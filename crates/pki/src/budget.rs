//! What strangers may cost in signature checks.

/// Signature checks that may still be spent. The caller makes one for a request, a link or a
/// second, as it sees fit; nothing here refills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    left: usize,
}

impl Budget {
    /// A budget of so many checks.
    #[must_use]
    pub const fn new(checks: usize) -> Self {
        Self { left: checks }
    }

    /// Checks left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Takes one check, if one is left.
    pub(crate) fn take(&mut self) -> bool {
        let some = self.left > 0;
        self.left -= usize::from(some);
        some
    }
}

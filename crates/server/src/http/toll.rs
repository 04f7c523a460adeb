//! What requests from outside may cost: signature checks, and patience where they fail.

use std::time::Instant;

use signaling::Sharing;

use super::App;
use super::problem::Problem;

/// Takes signature checks from what somebody there may cause.
///
/// # Errors
/// The problem to answer with.
pub(super) fn checks(app: &App, from: Sharing, checks: usize) -> Result<(), Problem> {
    let taken = app.checks.take(from, checks, Instant::now());
    taken.map_err(|wait| {
        let error = "too many signatures to check from your part of the network; wait a moment";
        Problem::too_many(error, wait)
    })
}

/// What a search of the trust graph counts as, in signature checks: little as a rule, and in a dense web of
/// thousands more than this.
const SEARCH: usize = 8;

/// Takes a search of the trust graph from what somebody there may cause.
///
/// # Errors
/// The problem to answer with.
pub(super) fn search(app: &App, from: Sharing) -> Result<(), Problem> {
    let taken = app.checks.take(from, SEARCH, Instant::now());
    taken.map_err(|wait| {
        let error = "too many certificates to explain to your part of the network; wait a moment";
        Problem::too_many(error, wait)
    })
}

/// Counts what the sender did wrong. Who failed too often is told to wait instead of why.
pub(super) fn failed(app: &App, from: Sharing, problem: Problem) -> Problem {
    let now = Instant::now();
    if !problem.is_callers_fault() {
        return problem;
    }
    app.attempts.failed(from.group, now);
    match app.attempts.may_try(from.group, now) {
        Ok(()) => problem,
        Err(wait) => Problem::too_many(TOO_MANY_FAILURES, wait),
    }
}

/// Does what anybody may ask for, unless too much of it failed lately, and counts whether it fails.
///
/// # Errors
/// What `work` gives, or that the sender must wait.
pub(super) fn counted<T>(
    app: &App,
    from: Sharing,
    work: impl FnOnce() -> Result<T, Problem>,
) -> Result<T, Problem> {
    let waits = app.attempts.may_try(from.group, Instant::now());
    waits.map_err(|wait| Problem::too_many(TOO_MANY_FAILURES, wait))?;
    work().map_err(|problem| failed(app, from, problem))
}

const TOO_MANY_FAILURES: &str =
    "too many attempts from your part of the network failed; wait a while";

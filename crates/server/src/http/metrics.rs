//! `/metrics`: what the server does in numbers, as Prometheus reads it (text format 0.0.4).
//!
//! The numbers tell who floods how well it works, and of people when they come and go. They are for programs on
//! the server's own machine: never for somebody behind a proxy, never for a page in a browser.

use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

use super::App;
use super::guard::was_forwarded;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use crate::VERSION;
use crate::listen::DoorCounters;
use crate::network::Ends;
use crate::runtime::{Histogram, Snapshot};

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let from_a_page = headers.contains_key(header::ORIGIN);
    if !ends.loopback() || was_forwarded(&headers) || app.names.behind_proxy() || from_a_page {
        let error = "only programs on the server's own machine may read this";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "own-machine-only",
            error,
        ));
    }
    let page = page(
        &app.switchboard.snapshot(),
        app.door.counters(),
        app.started.elapsed(),
    );
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], page))
}

fn page(here: &Snapshot, door: DoorCounters, up: Duration) -> String {
    let mut page = Page::default();
    let counters = &here.counters;
    page.gauge("build_info", "The version.")
        .value(&[("version", VERSION)], 1);
    page.gauge("uptime_seconds", "Since the start.")
        .value(&[], up.as_secs());
    page.gauge("sessions", "Sessions here, by role.")
        .value(&[("role", "licensed")], here.licensed)
        .value(&[("role", "unlicensed")], here.unlicensed);
    page.gauge(
        "sessions_away",
        "Sessions that wait for their client to come back.",
    )
    .value(&[], here.away);
    page.gauge("connections", "WebSockets open.")
        .value(&[], here.connections);
    page.counter(
        "sessions_begun_total",
        "Sessions begun, by who proved a key and who did not.",
    )
    .value(&[("by", "operator")], counters.operators)
    .value(&[("by", "guest")], counters.guests);
    page.counter(
        "sessions_resumed_total",
        "Sessions gone on with after their connection broke.",
    )
    .value(&[], counters.resumed);
    page.counter("received_total", "Text frames that came.")
        .value(&[], counters.received);
    page.counter("relayed_total", "Signals passed on, by type.")
        .value(&[("type", "offer")], counters.offers)
        .value(&[("type", "answer")], counters.answers)
        .value(&[("type", "candidate")], counters.candidates);
    let mut refused = page.counter("refused_total", "Frames answered by an error, by its code.");
    for (code, &count) in &counters.refused {
        refused.value(&[("code", &code.word())], count);
    }
    let mut limited = page.counter("limited_total", "Times that a budget was empty, by whose.");
    for (scope, &count) in &counters.limited {
        limited.value(&[("scope", scope.as_str())], count);
    }
    let mut closed = page.counter("closed_total", "Connections closed by the server, by code.");
    for (code, &count) in &counters.closed {
        closed.value(&[("code", &code.number().to_string())], count);
    }
    page.counter(
        "slow_readers_total",
        "Connections closed because nobody read what they were sent.",
    )
    .value(&[], counters.slow);
    page.counter("failed_logins_total", "Logins that failed.")
        .value(&[], counters.failed_logins);
    page.counter("pauses_total", "Pauses given to addresses.")
        .value(&[], counters.pauses);
    page.gauge("queued_frames", "Frames that wait to be sent.")
        .value(&[], here.queued_frames);
    page.gauge("queued_bytes", "Bytes that wait to be sent.")
        .value(&[], here.queued_bytes);
    page.gauge(
        "kept_bytes",
        "Bytes kept for sessions whose client may come back.",
    )
    .value(&[], here.kept_bytes);
    page.gauge("door_places", "Connections that are no WebSocket yet.")
        .value(&[], door.taken);
    page.counter(
        "door_total",
        "Connections that came, by what became of them at the door.",
    )
    .value(&[("fate", "admitted")], door.admitted)
    .value(&[("fate", "turned_away")], door.turned_away)
    .value(&[("fate", "displaced")], door.displaced);
    page.counter(
        "requests_refused_total",
        "Requests refused, because too many came from their address.",
    )
    .value(&[], door.refused);
    page.histogram(
        "delivery_seconds",
        "From when the server has something for a client until the system has taken it.",
        &here.delays,
    );
    page.0
}

/// The text so far.
#[derive(Default)]
struct Page(String);

/// A metric whose values are being written.
struct Metric<'a> {
    page: &'a mut String,
    name: &'static str,
}

impl Page {
    fn gauge(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.metric(name, "gauge", help)
    }

    fn counter(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.metric(name, "counter", help)
    }

    fn histogram(&mut self, name: &'static str, help: &str, seen: &Histogram) {
        self.metric(name, "histogram", help);
        let Self(page) = self;
        let ends = seen
            .up_to
            .iter()
            .map(|&(end, count)| (end.as_secs_f64().to_string(), count));
        for (end, count) in ends.chain([("+Inf".to_owned(), seen.count)]) {
            let _ = writeln!(page, "ham_server_{name}_bucket{{le=\"{end}\"}} {count}");
        }
        let _ = writeln!(page, "ham_server_{name}_sum {}", seen.sum.as_secs_f64());
        let _ = writeln!(page, "ham_server_{name}_count {}", seen.count);
    }

    fn metric(&mut self, name: &'static str, kind: &str, help: &str) -> Metric<'_> {
        let Self(page) = self;
        let _ = writeln!(
            page,
            "# HELP ham_server_{name} {help}\n# TYPE ham_server_{name} {kind}"
        );
        Metric { page, name }
    }
}

impl Metric<'_> {
    /// Adds a value. Labels are words of our own, which need no escapes.
    fn value(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        let labels = match &labels[..] {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.page, "ham_server_{}{labels} {value}", self.name);
        self
    }
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    let metrics =
        Operation::new("Numbers for Prometheus, for programs on the server's own machine")
            .answers_file("Metrics in the text format", "text/plain")
            .refuses(paths, &[403]);
    paths.add("get", "/metrics", metrics);
}

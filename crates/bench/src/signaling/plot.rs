//! What was measured, as a picture: bars for throughput and for memory.

use std::fmt::Write as _;

use crate::dialect::Dialect;
use crate::measure::idle::SIZES;
use crate::measure::throughput::UNDER_WAY;
use crate::report::in_kib;
use crate::results::Results;

const WIDTH: f64 = 760.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 210.0;
const LONGEST: f64 = 440.0;
const BAR: f64 = 18.0;
const ROW: f64 = 24.0;
const TITLE: f64 = 40.0;

/// One bar: whose, how long beside the others, and what stands behind it.
struct Bar {
    dialect: Dialect,
    value: f64,
    words: String,
}

pub(crate) fn svg(results: &Results) -> String {
    let mut groups = Vec::new();
    for under_way in UNDER_WAY {
        let bar = |dialect: &Dialect| {
            let value = results.ratio(*dialect, Dialect::Bare, under_way)?;
            let words = format!("{value:.2}");
            Some(Bar {
                dialect: *dialect,
                value,
                words,
            })
        };
        let title = format!(
            "Messages a CPU second beside the bare relay, {under_way} under way in each pair"
        );
        groups.push((
            title,
            results
                .throughput
                .keys()
                .filter_map(bar)
                .collect::<Vec<_>>(),
        ));
    }
    for (place, size) in SIZES.into_iter().enumerate() {
        let bars = results.idle.iter().filter_map(|(dialect, seen)| {
            let value = in_kib(seen.get(place)?.each);
            let words = format!("{value:.1} KiB");
            Some(Bar {
                dialect: *dialect,
                value,
                words,
            })
        });
        groups.push((
            format!("Memory of an idle client, {size} clients"),
            bars.collect(),
        ));
    }
    draw(&groups)
}

fn draw(groups: &[(String, Vec<Bar>)]) -> String {
    let (mut y, mut body) = (8.0, String::new());
    for (title, bars) in groups.iter().filter(|(_, bars)| !bars.is_empty()) {
        y += TITLE;
        let _ = writeln!(
            body,
            r#"<text x="16" y="{:.0}" class="title">{title}</text>"#,
            y - 12.0
        );
        let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        for Bar {
            dialect,
            value,
            words,
        } in bars
        {
            let length = (value / longest * LONGEST).max(1.0);
            let class = if *dialect == Dialect::HamServer {
                "ours"
            } else {
                "other"
            };
            let text = y + BAR - 5.0;
            let _ = writeln!(
                body,
                r#"<text x="{:.0}" y="{text:.0}" class="name">{dialect}</text><rect x="{LEFT}" y="{y:.0}" width="{length:.1}" height="{BAR}" class="{class}"/><text x="{:.1}" y="{text:.0}">{words}</text>"#,
                LEFT - 8.0,
                LEFT + length + 8.0,
            );
            y += ROW;
        }
    }
    let height = y + 16.0;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" width="{WIDTH}" height="{height:.0}" role="img" aria-label="Throughput and memory of signaling servers">
<style>text {{ font: 13px sans-serif; fill: #1b1f23 }} .title {{ font-weight: bold }} .name {{ text-anchor: end }} .ours {{ fill: #0b6bcb }} .other {{ fill: #9aa4ad }}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
{body}</svg>
"##
    )
}

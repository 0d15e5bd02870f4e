//! Some minutes in the life of two replicas, as the dashboard shows them: `scripts/dashboard` draws docs/dashboard.svg of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hickory_proto::rr::RecordType;

use super::load::Load;
use super::panels::{Dashboard, Panel};
use super::world::World;
use crate::support::prometheus::{Prometheus, Series};

/// The panels that are drawn, in this order.
const DRAWN: [&str; 10] = [
    "Queries by listener",
    "Queries by response code",
    "Quantiles of these times",
    "From a change to an answer",
    "Stale for, by replica",
    "Answers that may be stale",
    "Failures of the API server",
    "Difference between replicas",
    "Files refused, by replica",
    "CPU",
];

/// Queries a second, for each of three servers in turn.
const CALM: u32 = 600;
const BURST: u32 = 4000;

/// What happens, in seconds since the beginning.
const BURSTS: (f64, f64) = (30.0, 45.0);
/// The first replica does not reach the API server.
const ALONE: (f64, f64) = (65.0, 125.0);
/// Its settings file has a mistake.
const MISTAKEN: (f64, f64) = (85.0, 105.0);
const END: f64 = 150.0;

/// Where what is drawn goes: a directory.
const PLACE: &str = "MESHDNS_PLOTS";

#[test]
#[ignore = "a story of minutes, told for scripts/dashboard"]
fn is_drawn() {
    let place =
        PathBuf::from(std::env::var_os(PLACE).unwrap_or_else(|| panic!("{PLACE} names no directory")));
    let (world, dashboard) = (World::start(), Dashboard::read());
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/meshdns.rules.yaml");
    let prometheus = Prometheus::start(&world.instances()[..2], &rules);
    happens(&world, &prometheus);
    let mut said = String::new();
    for (number, title) in (1..).zip(DRAWN) {
        let panel = dashboard.panel(title);
        let lines = lines(&panel, &prometheus);
        assert!(!lines.is_empty(), "{title} shows nothing");
        std::fs::write(place.join(format!("{number}.dat")), points(&lines, prometheus.begun())).unwrap();
        let (log, steps) = (
            panel.drawn("/scaleDistribution/type") == "log",
            panel.drawn("/lineInterpolation") == "stepAfter",
        );
        let stacked = is_stacked(&panel);
        writeln!(
            said,
            "title[{number}] = \"{title}\"; unit[{number}] = \"{}\"; how[{number}] = \"{}\"",
            panel.unit(),
            if stacked {
                "stacked"
            } else if log {
                "log"
            } else if steps {
                "steps"
            } else {
                "lines"
            }
        )
        .unwrap();
    }
    let spans = [("burst", BURSTS), ("away", ALONE), ("mistake", MISTAKEN)];
    for (name, (from, to)) in spans {
        writeln!(said, "{name}_from = {from}; {name}_to = {to}").unwrap();
    }
    std::fs::write(
        place.join("panels.gnuplot"),
        format!(
            "panels = {0}; end = {END}\narray title[{0}]; array unit[{0}]; array how[{0}]\n{said}",
            DRAWN.len()
        ),
    )
    .unwrap();
}

/// The story.
fn happens(world: &World, prometheus: &Prometheus) {
    let question = |name: &str, kind| (format!("{}.", world.name(name)), kind);
    let questions = [
        question("web", RecordType::A),
        question("web", RecordType::AAAA),
        question("web", RecordType::A),
        question("missing", RecordType::A),
    ];
    let load = Load::start(&[world.first.dns, world.second.dns, world.front], &questions, CALM);
    let settings = std::fs::read_to_string(&world.first.settings).unwrap();
    let write = |text: &str| std::fs::write(&world.first.settings, text).unwrap();
    let until = |second: f64| {
        while prometheus.age() < second {
            world.change();
            std::thread::sleep(Duration::from_millis(500));
        }
    };
    until(BURSTS.0);
    load.set(BURST);
    until(BURSTS.1);
    load.set(CALM);
    until(ALONE.0);
    world.proxy.part();
    until(MISTAKEN.0);
    write(&format!("{settings}ttl: {{default: 4000}}\n"));
    until(MISTAKEN.1);
    write(&settings);
    until(ALONE.1);
    world.proxy.rejoin();
    until(END);
}

/// What a panel draws: names and series, those that are nothing but zero left out where there are others.
fn lines(panel: &Panel<'_>, prometheus: &Prometheus) -> Vec<(String, Series)> {
    let mut lines: Vec<(String, Series)> = Vec::new();
    for target in panel.targets() {
        lines.extend(target.asked(prometheus).into_iter().map(|series| (target.legend(&series), series)));
    }
    let says = |series: &Series| series.samples.iter().any(|(_, value)| value.is_finite() && *value != 0.0);
    if lines.iter().any(|(_, series)| says(series)) {
        lines.retain(|(_, series)| says(series));
    }
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    if is_stacked(panel) {
        stack(&mut lines);
    }
    lines
}

fn is_stacked(panel: &Panel<'_>) -> bool {
    panel.drawn("/stacking/mode") == "normal"
}

/// Puts each line on those before it, and the highest first, so that each is drawn over what is behind it.
fn stack(lines: &mut [(String, Series)]) {
    for upper in 1..lines.len() {
        let (below, rest) = lines.split_at_mut(upper);
        let below = &below[upper - 1].1.samples;
        for (at, value) in &mut rest[0].1.samples {
            let under = below.iter().find(|(when, _)| (when - *at).abs() < 0.5);
            *value += under.map_or(0.0, |(_, value)| *value);
        }
    }
    lines.reverse();
}

/// A block for each line: its name, then seconds since the beginning and value.
fn points(lines: &[(String, Series)], begun: f64) -> String {
    let mut text = String::new();
    for (name, series) in lines {
        writeln!(text, "\"{name}\"").unwrap();
        for (at, value) in &series.samples {
            writeln!(text, "{:.1} {value}", at - begun).unwrap();
        }
        text += "\n\n";
    }
    text
}

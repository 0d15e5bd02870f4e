//! The dashboard as it is written, and its queries as Grafana sends them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::prometheus::{Prometheus, Series};

/// What `$__rate_interval` is where scrapes are a second apart and the graph is not so wide that its points are further apart: four scrapes.
const RATE_INTERVAL: &str = "4s";

/// The dashboard.
pub(super) struct Dashboard(pub(super) Value);

/// A panel that shows something.
pub(super) struct Panel<'d> {
    dashboard: &'d Dashboard,
    pub(super) json: &'d Value,
}

/// A query of a panel.
#[derive(Clone, Copy)]
pub(super) struct Target<'d> {
    dashboard: &'d Dashboard,
    pub(super) json: &'d Value,
}

/// Where it is.
pub(super) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana/meshdns.json")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value:#}"))
}

impl Dashboard {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(&std::fs::read_to_string(path()).unwrap()).unwrap())
    }

    /// Rows and panels as they stand below each other; what a row that is closed has inside comes after it.
    pub(super) fn all(&self) -> Vec<&Value> {
        let all = self.0["panels"].as_array().unwrap().iter();
        all.flat_map(|panel| std::iter::once(panel).chain(panel["panels"].as_array().into_iter().flatten()))
            .collect()
    }

    /// The panels that show something.
    pub(super) fn panels(&self) -> Vec<Panel<'_>> {
        let shows = |json: &&Value| json["type"] != "row";
        self.all().into_iter().filter(shows).map(|json| Panel { dashboard: self, json }).collect()
    }

    pub(super) fn panel(&self, title: &str) -> Panel<'_> {
        let found = self.panels().into_iter().find(|panel| panel.title() == title);
        found.unwrap_or_else(|| panic!("no panel {title}"))
    }

    /// The variables that stand above it.
    pub(super) fn variables(&self) -> &[Value] {
        self.0["templating"]["list"].as_array().unwrap()
    }

    /// A query as Grafana sends it while all values of every variable are chosen, and the time shown is that since the start of this Prometheus.
    pub(super) fn filled(&self, query: &str, prometheus: &Prometheus) -> String {
        let range = format!("{}s", prometheus.age().ceil());
        let filled = query.replace("$__rate_interval", RATE_INTERVAL).replace("$__range", &range);
        let filled = self.variables().iter().fold(filled, |filled, variable| {
            let value = variable["allValue"].as_str().unwrap_or_default();
            filled.replace(&format!("${}", text(variable, "name")), value)
        });
        assert!(!filled.contains('$'), "{query} has a variable that there is not: {filled}");
        filled
    }
}

impl<'d> Panel<'d> {
    pub(super) fn title(&self) -> &'d str {
        text(self.json, "title")
    }

    pub(super) fn targets(&self) -> Vec<Target<'d>> {
        let targets =
            self.json["targets"].as_array().unwrap_or_else(|| panic!("{} asks nothing", self.title()));
        targets.iter().map(|json| Target { dashboard: self.dashboard, json }).collect()
    }

    /// What its values are in; of a heatmap, its vertical axis.
    pub(super) fn unit(&self) -> &'d str {
        let axis = &self.json["options"]["yAxis"];
        text(if axis.is_object() { axis } else { &self.json["fieldConfig"]["defaults"] }, "unit")
    }

    /// A setting of how it draws lines.
    pub(super) fn drawn(&self, pointer: &str) -> &'d Value {
        self.json["fieldConfig"]["defaults"]["custom"].pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Where its links lead to.
    pub(super) fn links(&self) -> impl Iterator<Item = &'d str> {
        self.json["links"].as_array().into_iter().flatten().map(|link| text(link, "url"))
    }
}

impl Target<'_> {
    pub(super) fn expr(&self) -> &str {
        text(self.json, "expr")
    }

    /// What it gives: now, or for each second since this Prometheus was started, as it says itself.
    pub(super) fn asked(&self, prometheus: &Prometheus) -> Vec<Series> {
        let query = self.dashboard.filled(self.expr(), prometheus);
        if self.json["instant"] == true { prometheus.instant(&query) } else { prometheus.since_start(&query) }
    }

    /// What the legend calls these.
    pub(super) fn legend(&self, series: &Series) -> String {
        series.labels.iter().fold(text(self.json, "legendFormat").to_owned(), |legend, (label, value)| {
            legend.replace(&format!("{{{{{label}}}}}"), value)
        })
    }
}

//! Services in words, for explanations.

use std::net::IpAddr;

use super::part::Part;
use super::{Step, Topic, Weight};
use crate::catalog::{LeftOut, ServiceKind, ServiceUnit};
use crate::model::{Kind, dotted};

/// So many of a kind are told of.
const TOLD: usize = 5;

impl Part<'_> {
    /// Why a name of a service that is there does not exist.
    pub(super) fn absence(&self, noun: Kind) -> Step {
        let (endpoints, object) = (self.unit.listed(), format!("{} {}", noun.as_str(), self.unit.name));
        // An endpoint that only lacks the service's name is there under its own.
        let endpoints = if self.before == 1 { &self.unit.endpoints } else { endpoints };
        let label = |index| String::from_utf8_lossy(self.name.label(index));
        let waiting = match endpoints.left_out() {
            [] => String::new(),
            some => format!(" ({})", told(some.iter())),
        };
        let headless = matches!(self.unit.kind, ServiceKind::Headless);
        let (text, weight) = match (&self.unit.kind, self.before) {
            (ServiceKind::Alias { .. }, _) => {
                (format!("{object} is an alias: nothing is below its name"), Weight::Cause)
            }
            (ServiceKind::Headless, _) if endpoints.is_empty() => {
                (format!("{object} is headless and has no ready endpoint{waiting}"), Weight::Cause)
            }
            (_, 1) if headless && !waiting.is_empty() => {
                (format!("{object} has no ready endpoint called {}{waiting}", label(0)), Weight::Cause)
            }
            (_, 1) => {
                (format!("{object} has no ready endpoint called {}{waiting}", label(0)), Weight::Absent)
            }
            (_, 2) => {
                let mut ports: Vec<String> = self
                    .every_port()
                    .map(|port| format!("_{}._{}", port.name, port.protocol.to_ascii_lowercase()))
                    .collect();
                ports.sort_unstable();
                ports.dedup();
                ports.truncate(10);
                let text =
                    format!("{object} has no port {}.{}; it has {}", label(0), label(1), ports.join(", "));
                (text, Weight::Absent)
            }
            (_, before) => (format!("{object} has no names with {before} labels in front"), Weight::Absent),
        };
        Step::of(Topic::Name, text).about(noun, &self.unit.name).weighing(weight)
    }
}

/// What a service is answered with.
pub(super) fn in_words(unit: &ServiceUnit) -> String {
    let endpoints = || {
        let set = &unit.endpoints;
        let slices: Vec<&str> = set.slices().iter().take(TOLD).map(|slice| &*slice.name).collect();
        if slices.is_empty() {
            return "no endpoint slices".to_owned();
        }
        let more = if set.slices().len() > TOLD { ", ..." } else { "" };
        let stand_ins =
            if set.stand_ins && !set.is_empty() { " (none is ready, terminating ones stand in)" } else { "" };
        let mut text = format!("{} endpoints{stand_ins} in {}{more}", set.iter().count(), slices.join(", "));
        let mut tell = |what: &str, entries: &mut dyn Iterator<Item = &LeftOut>| {
            let mut entries = entries.peekable();
            if entries.peek().is_some() {
                text.push_str(&format!("; {what}: {}", told(entries)));
            }
        };
        tell("left out", &mut set.left_out().iter());
        tell("only under their own names", &mut unit.unlisted());
        text
    };
    match &unit.kind {
        ServiceKind::Hidden(reason) => format!("has no names: {}", reason.as_str()),
        ServiceKind::Alias { text, .. } => format!("is an alias (ExternalName) of {}", dotted(text)),
        ServiceKind::Headless => format!("answers with its endpoints: {}", endpoints()),
        ServiceKind::ClusterIps { .. } => {
            let addresses: Vec<String> = unit.cluster_ips().iter().map(IpAddr::to_string).collect();
            match addresses.len() {
                0 => "has no cluster IP yet".to_owned(),
                _ => format!("has the cluster IP {} and {}", addresses.join(", "), endpoints()),
            }
        }
    }
}

/// Endpoints that are left out, and why.
fn told<'e>(mut left_out: impl Iterator<Item = &'e LeftOut>) -> String {
    let in_words =
        |entry: &LeftOut| format!("{} at {} is {}", entry.label(), entry.address, entry.why.as_str());
    let first: Vec<String> = left_out.by_ref().take(TOLD).map(in_words).collect();
    let more = match left_out.count() {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    format!("{}{more}", first.join(", "))
}

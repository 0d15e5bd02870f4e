//! The API server as a source: a real control plane, and what becomes of its objects.

mod churn;
mod clock;
mod faults;
mod lies;
mod restart;
mod rolling;
mod source;
mod witness;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::support::dig::{data, dig};
use crate::support::kube::{ADMIN, ControlPlane, Identity, until};
use crate::support::process::Meshdns;

/// A meshdns that watches an API server.
pub(crate) struct Served {
    pub(crate) meshdns: Meshdns,
}

impl Served {
    /// It may do everything; `more` are further settings. Waits until it is ready.
    pub(crate) fn start(plane: &ControlPlane, more: &str) -> Self {
        let mut this = Self::begin(plane, &ADMIN, more);
        this.meshdns.wait_until_ready();
        this
    }

    /// As somebody, and without waiting.
    pub(crate) fn begin(plane: &ControlPlane, identity: &Identity, more: &str) -> Self {
        Self::begin_with(plane, identity, "", more)
    }

    /// With further settings of the source.
    pub(crate) fn begin_with(plane: &ControlPlane, identity: &Identity, source: &str, more: &str) -> Self {
        Self::with_kubeconfig(&plane.kubeconfig(identity), source, more)
    }

    /// With a kubeconfig file that need not be there.
    pub(crate) fn with_kubeconfig(kubeconfig: &Path, source: &str, more: &str) -> Self {
        Self::begin_by(&mut Command::new(env!("CARGO_BIN_EXE_meshdns")), kubeconfig, source, more)
    }

    /// Started by a command that takes the arguments of meshdns.
    pub(crate) fn begin_by(command: &mut Command, kubeconfig: &Path, source: &str, more: &str) -> Self {
        let mut text = String::from("zones: [cluster.local]\n");
        writeln!(text, "sources: {{kubernetes: {{kubeconfig: \"{}\", {source}}}}}", kubeconfig.display())
            .unwrap();
        text.push_str(more);
        Self { meshdns: Meshdns::begin(command, &text, &[]) }
    }

    /// The values of all metrics that begin so.
    pub(crate) fn metrics(&self, beginning: &str) -> Vec<f64> {
        let page = self.meshdns.page("/metrics");
        let lines = page.lines().filter(|line| line.starts_with(beginning));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect()
    }

    /// Waits until the answer has this status and these data, in any order.
    pub(crate) fn becomes(&self, name: &str, kind: &str, status: &str, expected: &[&str]) {
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        until(&format!("{name} {kind} {status} {expected:?}"), || {
            let reply = dig(self.meshdns.dns, [name, kind]);
            (reply.status == status && data(&reply.answer) == expected).then_some(())
        });
    }
}

/// Rules that let these resources be watched.
pub(crate) fn rules(resources: &[&str]) -> String {
    let resources = resources.join(", ");
    format!("[{{apiGroups: [\"*\"], resources: [{resources}], verbs: [list, watch]}}]")
}

/// Everything that the source may want to watch.
pub(crate) fn everything() -> String {
    rules(&[
        "namespaces",
        "services",
        "endpointslices",
        "pods",
        "serviceentries",
        "workloadentries",
        "serviceimports",
    ])
}

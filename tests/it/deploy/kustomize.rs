//! The manifests for kustomize: they are what the chart renders to, and a real API server takes them.

use std::path::PathBuf;
use std::process::Command;

use super::chart::{Release, folder};
use crate::support::kube::ControlPlane;
use crate::support::peer::Peer;

static KUSTOMIZE: Peer = Peer::new("kustomize", "MESHDNS_KUSTOMIZE");

/// With this variable they are written anew instead of being compared.
const WRITE: &str = "MESHDNS_WRITE_MANIFESTS";

const MODES: [&str; 3] = ["deployment", "sidecar", "daemonset"];

fn directory(mode: &str) -> PathBuf {
    folder().join("../../kustomize").join(mode)
}

/// The files that come from the chart, and what they should be.
fn rendered(mode: &str) -> Vec<(&'static str, String)> {
    let release = |plain| Release::named("meshdns", "meshdns", &format!("{{mode: {mode}, plain: {plain}}}"));
    let objects = release(true).text;
    // Helm says of each object which template it is from.
    let lines = objects.lines().filter(|line| !line.starts_with("# Source: "));
    let objects: String = lines.map(|line| format!("{line}\n")).collect();
    let whole = release(false);
    let corefile = if mode == "sidecar" { "Corefile" } else { "meshdns.server" };
    vec![
        ("meshdns.yaml", objects),
        ("settings.yaml", whole.file("meshdns", "meshdns.yaml").to_owned()),
        (corefile, whole.file("meshdns-corefile", corefile).to_owned()),
    ]
}

#[test]
fn they_are_what_the_chart_renders_to() {
    for mode in MODES {
        for (file, content) in rendered(mode) {
            let path = directory(mode).join(file);
            if std::env::var_os(WRITE).is_some() {
                std::fs::write(&path, content).unwrap();
                continue;
            }
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(written == content, "{} is not what the chart renders to: set {WRITE}=1", path.display());
        }
    }
}

#[test]
fn the_api_server_takes_them() {
    let plane = ControlPlane::shared();
    for mode in MODES {
        let output = Command::new(KUSTOMIZE.path()).arg("build").arg(directory(mode)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        // A namespace of the test's own takes the place of theirs.
        let namespace = plane.namespace("kustomize");
        let (theirs, ours) = ("namespace: meshdns\n", format!("namespace: {}\n", namespace.name));
        assert!(text.contains(theirs));
        let documents = text.split("\n---\n").filter(|document| !document.contains("kind: Namespace\n"));
        let text = documents.collect::<Vec<_>>().join("\n---\n").replace(theirs, &ours);
        plane.api().try_apply_strictly(&text).unwrap_or_else(|error| panic!("{mode}: {error}\n{text}"));
        plane.api().delete_all(&text);
    }
}

//! Blocks in the form in which each platform takes them.
//!
//! AKS imports the keys of `coredns-custom` that end in `.server` (its Corefile: `import custom/*.server`). The EKS add-on takes the
//! whole Corefile as `corefile` of its configuration values. kube-dns reads `stubDomains`, a JSON object of lists, of its own ConfigMap
//! (kubernetes/dns `pkg/dns/config/config.go`).

use std::collections::BTreeMap;

use super::block::{Block, Upstreams};
use super::keys::Keys;
use super::{Platform, Wanted};

/// How every text of ours begins that somebody else may have to tell from others.
pub const MARK: &str = "# Written by `meshdns corefile`";

/// What to apply.
pub(super) fn printed(wanted: &Wanted<'_>, keys: &Keys, blocks: &[Block], upstreams: &Upstreams) -> String {
    match wanted.platform {
        Platform::CoreDns | Platform::Kubeadm | Platform::NodeLocal => corefile(wanted, blocks),
        Platform::Aks => config_map("coredns-custom", "meshdns.server", &corefile(wanted, blocks)),
        Platform::Eks => {
            let whole = whole(wanted.before.unwrap_or_default(), blocks);
            format!("{:#}\n", serde_json::json!({ "corefile": whole }))
        }
        Platform::Gke | Platform::KubeDns => {
            let zones = keys.zones.iter().chain(&keys.hosts);
            let stubs: BTreeMap<String, &[String]> =
                zones.map(|zone| (zone.written(), &upstreams.words[..])).collect();
            config_map("kube-dns", "stubDomains", &format!("{:#}\n", serde_json::json!(stubs)))
        }
    }
}

fn corefile(wanted: &Wanted<'_>, blocks: &[Block]) -> String {
    let mut text = format!("{MARK} --for {}.\n", wanted.platform.as_str());
    blocks.iter().for_each(|block| text.push_str(&format!("\n{block}")));
    text
}

/// A Corefile with blocks behind those that it has.
pub(super) fn whole(before: &str, blocks: &[Block]) -> String {
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    blocks.iter().fold(format!("{before}{end}"), |text, block| format!("{text}\n{block}"))
}

/// A ConfigMap of `kube-system` with one key.
fn config_map(name: &str, key: &str, value: &str) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: kube-system\ndata:\n  {key}: |\n"
    );
    for line in value.lines() {
        text.push_str(if line.is_empty() { "" } else { "    " });
        text.push_str(line);
        text.push('\n');
    }
    text
}

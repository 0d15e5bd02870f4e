//! Words of NodeLocal DNSCache's Corefile that an operator has to replace before it is used, and nobody did.
//!
//! Rules: node-cache puts addresses in the place of the other words by itself (kubernetes/dns `cmd/node-cache/app/configmap.go`).

use super::Seen;
use super::finding::ReportedFinding;
use crate::corefile::Zone;
use crate::model::ZoneKind;

/// Stands for the domain of the cluster.
const DOMAIN: &str = "__PILLAR__DNS__DOMAIN__";

/// A finding for each server block with that word for a zone: it is a name like any other to CoreDNS.
pub(super) fn check(seen: &Seen<'_>, findings: &mut Vec<ReportedFinding>) {
    let is_placeholder = |zone: &Zone| zone.written().eq_ignore_ascii_case(DOMAIN);
    for server in seen.corefiles.iter().flat_map(|corefile| &corefile.servers) {
        let Some(key) = server.keys.iter().find(|key| is_placeholder(&key.zone)) else { continue };
        let forward = seen.zones.iter().find(|(_, kind)| *kind == ZoneKind::Cluster);
        let domain = forward.map_or_else(|| "cluster.local".to_owned(), |(zone, _)| zone.written());
        findings.push(ReportedFinding::new(
            server.place(),
            format!(
                "`{DOMAIN}` is a name like any other to CoreDNS: the domain of the cluster is to stand there"
            ),
            format!("in place of line {}", server.place().line),
            vec![format!("{domain}:{} {{", key.port)],
        ));
    }
}

//! `zones` and `kubernetes.clusterSetZones`.
//!
//! Rules: a zone is a name (RFC 1035 §2.3.4 sizes) or a range of addresses, which stands for the reverse zones that
//! cover it; no zone twice, in whichever spelling; without any zone only `catchAll` has something to answer.

use super::overrides::Overrides;
use super::report::{Place, Placed, Report};
use super::section::Section;
use crate::model::{Cidr, Name, Zone, ZoneKind, Zones};

/// What an item of `zones` is, for messages.
const ZONE: &str = "a name or a range of addresses";

/// `zones`, as written.
pub(super) struct Written(Option<Vec<Placed<Vec<Name>>>>);

impl Written {
    /// Reads `zones` of the root section.
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        Self(root.take("zones").and_then(|field| field.list(ZONE, zone)))
    }

    /// What flags say replaces what was written; zones of cluster sets are added.
    pub(super) fn complete(
        self,
        report: &Report,
        overrides: &Overrides,
        cluster_set: Vec<Placed<Name>>,
        catch_all: bool,
    ) -> Zones {
        let given = report.flags("--zone", &overrides.zones, zone).or(self.0);
        let none = given.as_ref().is_none_or(Vec::is_empty) && cluster_set.is_empty();
        if none && !catch_all && !report.knows(&["zones", "--zone", "kubernetes.clusterSetZones", "catchAll"])
        {
            report.add_missing(
                "zones",
                "at least one zone is expected, such as [cluster.local], or catchAll: true",
            );
        }
        let mut all: Vec<Zone> = Vec::new();
        let mut add = |name: Name, kind: ZoneKind, place: &Place| {
            match all.iter_mut().find(|known| known.name == name) {
                // As in a Corefile, a zone of cluster sets may be listed among all zones too.
                Some(known) if known.kind != kind => known.kind = kind,
                Some(_) => report.add(place, &format!("zone {name} is given twice")),
                None => all.push(Zone { name, kind }),
            }
        };
        for Placed { value, place } in given.into_iter().flatten() {
            value.into_iter().for_each(|name| add(name, ZoneKind::Cluster, &place));
        }
        for Placed { value, place } in cluster_set {
            add(value, ZoneKind::ClusterSet, &place);
        }
        Zones::new(all).expect("each name was added once")
    }
}

/// A zone of `zones`: its name, or the names that cover its range of addresses.
fn zone(text: &str) -> Result<Vec<Name>, String> {
    if text.contains('/') {
        Cidr::parse(text).map(|range| range.zones()).map_err(|error| error.to_string())
    } else {
        Name::parse(text).map(|name| vec![name]).map_err(|error| error.to_string())
    }
}

/// A zone of `clusterSetZones`: a name that is no reverse zone.
pub(super) fn cluster_set_zone(text: &str) -> Result<Name, String> {
    let name = Name::parse(text).map_err(|error| error.to_string())?;
    let mut reverse = ["in-addr.arpa", "ip6.arpa"].into_iter().filter_map(|zone| Name::parse(zone).ok());
    if reverse.any(|zone| name.is_within(&zone)) {
        return Err(format!("`{text}` is a reverse zone: it belongs into zones"));
    }
    Ok(name)
}

//! Zone-scoped names of headless services: `ZONE.pin._zone.S.N.svc.Z` and `ZONE.prefer._zone.S.N.svc.Z`.
//!
//! Rules: CoreDNS plugin/kubernetes (zonal names, 1.14.7). ZONE may span labels and is compared with the topology
//! zone of each endpoint without regard to case. `pin` gives those endpoints, possibly none; `prefer` gives those,
//! or all when there are none. Off unless `kubernetes.zonalNames` is set.

use super::part::Part;
use super::{Found, kind};
use crate::catalog::{Catalog, Entry};

/// The outcome for a zone-scoped name, or `None` when the name is not one.
pub(super) fn find(catalog: &Catalog, part: &Part<'_>) -> Option<Found> {
    let before = part.before;
    if !catalog.policy.zonal_names || part.imported || before == 0 || part.name.label(before - 1) != b"_zone"
    {
        return None;
    }
    let prefer = match before.checked_sub(2).map(|index| part.name.label(index)) {
        None | Some(b"pin") => false,
        Some(b"prefer") => true,
        Some(_) => return Some(Found::Missing),
    };
    let endpoints = part.unit.listed();
    if endpoints.is_empty() {
        return Some(Found::Pending);
    }
    if before < 3 {
        return Some(Found::Nothing);
    }
    let wanted: Vec<&[u8]> = (0..before - 2).map(|index| part.name.label(index)).collect();
    let wanted = wanted.join(&b'.');
    let inside: Vec<&Entry> = endpoints
        .iter()
        .filter(|entry| {
            endpoints.zone(entry).is_some_and(|zone| zone.as_bytes().eq_ignore_ascii_case(&wanted))
        })
        .collect();
    if !matches!(part.kind, kind::A | kind::AAAA | kind::SRV) {
        return Some(Found::Nothing);
    }
    let found = if inside.is_empty() && prefer {
        part.select(endpoints, endpoints.iter(), None)
    } else {
        part.select(endpoints, inside, None)
    };
    Some(found.unwrap_or(Found::Nothing))
}

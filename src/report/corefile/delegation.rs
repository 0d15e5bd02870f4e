//! Zones of ours that do not come to us, and the plugins that keep them.

use super::Seen;
use super::finding::{ReportedFinding, listed};
use super::suggest::{grpc_address, home, server_block};
use crate::corefile::{Corefile, End, Grpc, Misfit, Place, Route, Zone};

/// Findings about `grpc` and about who is asked before it, then about zones that nobody delegates.
pub(super) fn check(seen: &Seen<'_>, findings: &mut Vec<ReportedFinding>) {
    for grpc in seen.corefiles.iter().flat_map(|corefile| &corefile.servers).filter_map(|s| s.grpc.as_ref()) {
        upstreams(seen, grpc, findings);
    }
    let hidden = hidden(seen, findings);
    lost(seen, &hidden, findings);
    unknown(seen, findings);
}

/// Upstreams that `grpc` cannot ask, and zones that it does not see.
fn upstreams(seen: &Seen<'_>, grpc: &Grpc, findings: &mut Vec<ReportedFinding>) {
    for (upstream, misfit) in &grpc.misfits {
        let (message, address) = match misfit {
            Misfit::Name => (
                format!(
                    "CoreDNS does not start, because `grpc` asks addresses only, and `{upstream}` is a name and no file"
                ),
                "the ClusterIP of that Service".to_owned(),
            ),
            Misfit::Scheme => {
                let plain = upstream.split_once("://").map_or(upstream.as_str(), |(_, plain)| plain);
                (
                    format!(
                        "every query fails, because `grpc` takes an address without a scheme, and `{upstream}` has one"
                    ),
                    plain.to_owned(),
                )
            }
        };
        let to = grpc.to.iter().map(|known| match (known == upstream, misfit) {
            (false, _) => known.clone(),
            (true, Misfit::Scheme) => address.clone(),
            (true, Misfit::Name) => "10.96.0.53:8053".to_owned(),
        });
        let line = format!("grpc {} {}", grpc.from.written(), to.collect::<Vec<_>>().join(" "));
        let change = match misfit {
            Misfit::Name => format!("in place of line {}, with {address}", grpc.place.line),
            Misfit::Scheme => format!("in place of line {}", grpc.place.line),
        };
        findings.push(ReportedFinding::new(&grpc.place, message, change, vec![line]));
    }
    if let Some(written) = &grpc.cut {
        let first = grpc.from.written();
        findings.push(ReportedFinding::new(
            &grpc.place,
            format!("`grpc {written}` stands for several reverse zones, of which CoreDNS takes the first only, {first}"),
            format!("in place of line {}: the keys of the server block say which names come to it", grpc.place.line),
            vec![format!("grpc . {}", grpc_address(seen))],
        ));
    }
}

/// Plugins that answer names of which `grpc` in the same block is never asked; the zones of ours among these.
fn hidden(seen: &Seen<'_>, findings: &mut Vec<ReportedFinding>) -> Vec<Zone> {
    let mut found: Vec<(&Grpc, End<'_>, Vec<Zone>)> = Vec::new();
    for ways in &seen.ways {
        let routes = || ways.iter().map(|way| &way.route);
        for route in routes().filter(|route| !route.leads_to_meshdns()) {
            let Some(grpc) = route.hops.last().and_then(|hop| hop.server.grpc.as_ref()) else { continue };
            let of_ours = seen.kind(&route.name).is_some();
            let asked =
                |other: &&Route<'_>| other.leads_to_meshdns() && std::ptr::eq(last(other), last(route));
            if !grpc.takes(&route.name) || (!of_ours && routes().any(|other| asked(&other))) {
                continue;
            }
            let known = found
                .iter_mut()
                .find(|(of, end, _)| std::ptr::eq(*of, grpc) && place(end) == place(&route.end));
            match known {
                Some((_, _, zones)) => zones.push(route.name.clone()),
                None => found.push((grpc, route.end, vec![route.name.clone()])),
            }
        }
    }
    for (grpc, end, zones) in &mut found {
        if zones.len() > 1 {
            zones.retain(|zone| !zone.is_root());
        }
        let names = listed(&zones.iter().map(Zone::written).collect::<Vec<_>>());
        let (plugin, at, change, lines) = match end {
            End::Forwarded(forward) => (
                "forward",
                &forward.place,
                format!("into the block of `forward` at line {}", forward.place.line),
                vec![format!("except {}", words(zones.iter().filter(|zone| !zone.is_root())))],
            ),
            End::Answered(filter) => (
                filter.plugin,
                &filter.place,
                format!("into the block of `{}` at line {}", filter.plugin, filter.place.line),
                vec![format!("fallthrough {}", words(zones.iter()))],
            ),
            End::Meshdns(_) | End::Nobody => continue,
        };
        let (change, lines) = match lines[0].strip_suffix("except ") {
            None => (change, lines),
            // Everything: then it is not the names that are wrong, but the block.
            Some(_) => (
                "with the zones that meshdns is to answer, into the block of `forward`".to_owned(),
                vec!["except cluster.local".to_owned()],
            ),
        };
        findings.push(ReportedFinding::new(
            at,
            format!(
                "`{plugin}` answers every name of {names} before `grpc` at {} is asked, because CoreDNS runs it first \
                 wherever the two stand in the file",
                grpc.place
            ),
            change,
            lines,
        ));
    }
    found.into_iter().flat_map(|(_, _, zones)| zones).collect()
}

/// Zones of the settings from which no name comes to us.
fn lost(seen: &Seen<'_>, hidden: &[Zone], findings: &mut Vec<ReportedFinding>) {
    let mut found: Vec<(Option<&Route<'_>>, Vec<Zone>)> = Vec::new();
    for (zone, _) in &seen.zones {
        let ways: Vec<&Route<'_>> = seen.routes().filter(|route| route.name == *zone).collect();
        if hidden.contains(zone) || ways.iter().any(|route| route.leads_to_meshdns()) {
            continue;
        }
        let way = ways.first().copied();
        let same = |other: &Option<&Route<'_>>| match (other, way) {
            (Some(other), Some(way)) => {
                std::ptr::eq(last(other), last(way)) && place(&other.end) == place(&way.end)
            }
            (None, None) => true,
            _ => false,
        };
        match found.iter_mut().find(|(other, _)| same(other)) {
            Some((_, zones)) => zones.push(zone.clone()),
            None => found.push((way, vec![zone.clone()])),
        }
    }
    let Some(first) = seen.corefiles.iter().next() else { return };
    for (way, zones) in found {
        let reverse = zones.iter().all(Zone::is_reverse);
        let kind = match (reverse, zones.len()) {
            (true, 1) => "the reverse zone",
            (true, _) => "the reverse zones",
            (false, 1) => "the zone",
            (false, _) => "the zones",
        };
        let names = listed(&zones.iter().map(Zone::written).collect::<Vec<_>>());
        let subject = format!("no name of {kind} {names} comes to meshdns");
        let (at, message, corefile) = told(&subject, way, first);
        let near = way.map(|way| near(&way.end)).unwrap_or_default();
        let (change, lines) = if near.is_empty() {
            (home(corefile), server_block(seen, corefile, way.map(last), &zones))
        } else {
            let options = near.iter().flat_map(|asked| {
                [format!("--corefile FILE (the Corefile of {asked})"), format!("--meshdns-at {asked}")]
            });
            (
                "if a CoreDNS answers there, or if meshdns does, say so to `check`".to_owned(),
                options.collect(),
            )
        };
        findings.push(ReportedFinding::new(&at, message, change, lines));
    }
}

/// Addresses that may be those of a CoreDNS or of ours.
fn near(end: &End<'_>) -> Vec<String> {
    let End::Forwarded(forward) = end else { return Vec::new() };
    forward.to.iter().filter(|upstream| upstream.is_near()).map(ToString::to_string).collect()
}

/// Where names go instead, and which Corefile should send them on.
fn told<'c>(subject: &str, way: Option<&Route<'c>>, first: &'c Corefile) -> (Place, String, &'c Corefile) {
    let Some(way) = way else {
        let top = Place { file: first.file.clone(), line: 1 };
        return (top, format!("{subject}: no server block takes them, so CoreDNS refuses them"), first);
    };
    let (corefile, server) =
        way.hops.last().map_or((first, way.hops[0].server), |hop| (hop.corefile, hop.server));
    let (at, message) = match &way.end {
        End::Answered(filter) => (&filter.place, format!("{subject}: `{}` answers them", filter.plugin)),
        End::Forwarded(forward) => {
            let asked = listed(&forward.to.iter().map(ToString::to_string).collect::<Vec<_>>());
            (&forward.place, format!("{subject}: `forward` asks {asked} for them"))
        }
        End::Nobody | End::Meshdns(_) => {
            (server.place(), format!("{subject}: no plugin of this server block takes them"))
        }
    };
    (at.clone(), message, corefile)
}

/// Reverse zones that come to us and that the settings lack.
fn unknown(seen: &Seen<'_>, findings: &mut Vec<ReportedFinding>) {
    for route in seen.routes().filter(|route| route.leads_to_meshdns()) {
        let zone = &route.name;
        if seen.settings.catch_all || !zone.is_reverse() || seen.kind(zone).is_some() {
            continue;
        }
        let at = place(&route.end).unwrap_or_else(|| route.hops[0].server.place());
        let message = format!(
            "meshdns is asked for the reverse zone {} and does not have it, so most of its names are REFUSED",
            zone.written()
        );
        let new = ReportedFinding::new(
            at,
            message,
            "into `zones` of the settings of meshdns".to_owned(),
            vec![format!("- {}", zone.written())],
        );
        if !findings.contains(&new) {
            findings.push(new);
        }
    }
}

/// The last server block of a way.
fn last<'c>(route: &Route<'c>) -> &'c crate::corefile::Server {
    route.hops.last().unwrap_or(&route.hops[0]).server
}

/// The plugin at the end of a way.
fn place<'e>(end: &'e End<'_>) -> Option<&'e Place> {
    match end {
        End::Meshdns(through) => Some(through.place()),
        End::Answered(filter) => Some(&filter.place),
        End::Forwarded(forward) => Some(&forward.place),
        End::Nobody => None,
    }
}

fn words<'z>(zones: impl Iterator<Item = &'z Zone>) -> String {
    zones.map(Zone::written).collect::<Vec<_>>().join(" ")
}

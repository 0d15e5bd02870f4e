//! What becomes of declared hosts with the Corefiles that are there.

use serde::Serialize;

use super::declared::DeclaredHost;
use super::keys::{is_covered, is_too_wide};
use super::{Fate, Wanted};
use crate::corefile::{Corefiles, End, Place, Route, Zone};
use crate::report::corefile::listed;

/// So many hosts are named in a sentence.
const NAMED: usize = 4;

/// Why a host is not where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Gap {
    /// Nobody sends it to meshdns.
    Undelegated,
    /// Another plugin answers or asks somebody else first.
    Shadowed,
    /// Names come along that meshdns has no answer for, or would.
    TooMuch,
    /// A server block has its key already.
    Taken,
}

/// Something that does not come to meshdns, or should not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedGap {
    /// What it is.
    pub gap: Gap,
    /// The file; none when no Corefile has it.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    /// The hosts that it is about, as objects write them.
    pub hosts: Vec<String>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// What would mend it.
    pub change: Option<String>,
}

impl ReportedGap {
    /// About these hosts; `message` says what they do, or is a whole sentence where there are none.
    pub(super) fn new(
        gap: Gap,
        place: Option<&Place>,
        hosts: &[&DeclaredHost],
        message: String,
        change: Option<String>,
    ) -> Self {
        let named = match hosts {
            [] => String::new(),
            [only] => format!("{} of {} ", only.written(), only.objects),
            several => {
                let mut words: Vec<String> = several.iter().take(NAMED).map(|host| host.written()).collect();
                if several.len() > NAMED {
                    words.push(format!("{} more", several.len() - NAMED));
                }
                format!("{} ", listed(&words))
            }
        };
        Self {
            gap,
            file: place.map(|place| place.file.to_string()),
            line: place.map(|place| place.line),
            hosts: hosts.iter().map(|host| host.written()).collect(),
            message: if named.is_empty() { message } else { named + &message },
            change,
        }
    }
}

/// The ways of a name from the blocks that clients ask and that have it.
fn ways<'c>(corefiles: &'c Corefiles, name: &Zone) -> Vec<Route<'c>> {
    let starts = corefiles.starts().into_iter().filter(|start| corefiles.comes_to(*start, name));
    starts.map(|start| corefiles.route(start, name)).collect()
}

/// Whether a name gets to meshdns.
pub(super) fn comes_to_us(corefiles: &Corefiles, name: &Zone) -> bool {
    ways(corefiles, name).iter().any(Route::leads_to_meshdns)
}

/// Findings about hosts that are not led to us, and about blocks that lead too much; notes about who answers first.
pub(super) fn check(wanted: &Wanted<'_>, findings: &mut Vec<ReportedGap>, notes: &mut Vec<String>) {
    if wanted.corefiles.iter().next().is_none() {
        return;
    }
    not_led(wanted, findings);
    led_too_much(wanted, findings);
    left_to_others(wanted, findings);
    answered_in_part(wanted, notes);
}

/// Zones and hosts with one fate.
struct Lost<'h> {
    gap: Gap,
    place: Option<Place>,
    what: String,
    change: Option<String>,
    zones: Vec<Zone>,
    hosts: Vec<&'h DeclaredHost>,
}

fn not_led(wanted: &Wanted<'_>, findings: &mut Vec<ReportedGap>) {
    let mut found: Vec<Lost<'_>> = Vec::new();
    let is_told =
        |name: &Zone| findings.iter().any(|known| known.gap == Gap::Taken && known.hosts == [name.written()]);
    let mut add = |asked: &Zone, zone: Option<Zone>, host: Option<_>| {
        let ways = ways(wanted.corefiles, asked);
        if ways.iter().any(Route::leads_to_meshdns) || is_told(asked) {
            return;
        }
        let (gap, place, what, change) = told(ways.first());
        let same = |lost: &&mut Lost<'_>| lost.place == place && lost.what == what;
        match found.iter_mut().find(same) {
            Some(lost) => {
                lost.zones.extend(zone);
                lost.hosts.extend(host);
            }
            None => {
                let (zones, hosts) = (zone.into_iter().collect(), host.into_iter().collect());
                found.push(Lost { gap, place, what, change, zones, hosts });
            }
        }
    };
    for zone in wanted.settings.zones.iter().map(|zone| Zone::from(&zone.name)) {
        add(&zone, Some(zone.clone()), None);
    }
    for host in wanted.declared.wanted().filter(|host| !is_too_wide(wanted, host)) {
        add(&host.asked(), None, Some(host));
    }
    for Lost { gap, place, what, change, zones, hosts } in found {
        if !zones.is_empty() {
            let names: Vec<String> = zones.iter().map(Zone::written).collect();
            let message = format!("no name of {} comes to meshdns: {what}", listed(&names));
            findings.push(ReportedGap::new(gap, place.as_ref(), &[], message, change.clone()));
        }
        if !hosts.is_empty() {
            let verb = if hosts.len() == 1 { "does" } else { "do" };
            let message = format!("{verb} not come to meshdns: {what}");
            findings.push(ReportedGap::new(gap, place.as_ref(), &hosts, message, change));
        }
    }
}

/// What becomes of a name instead.
fn told(way: Option<&Route<'_>>) -> (Gap, Option<Place>, String, Option<String>) {
    let Some(way) = way else {
        return (
            Gap::Undelegated,
            None,
            "no server block takes them, so CoreDNS refuses them".to_owned(),
            None,
        );
    };
    let server = way.hops.last().unwrap_or(&way.hops[0]).server;
    let hidden = server.grpc.as_ref().is_some_and(|grpc| grpc.takes(&way.name));
    let gap = if hidden { Gap::Shadowed } else { Gap::Undelegated };
    let before = if hidden { " before `grpc` is asked" } else { "" };
    match way.end {
        End::Forwarded(forward) => {
            let asked: Vec<String> = forward.to.iter().map(ToString::to_string).collect();
            let change = "a block of their own for them, as it is printed, or `except` with their names in this `forward` and `grpc` behind it";
            (
                gap,
                Some(forward.place.clone()),
                format!("`forward` asks {}{before}", listed(&asked)),
                Some(change.to_owned()),
            )
        }
        End::Answered(filter) => (
            Gap::Shadowed,
            Some(filter.place.clone()),
            format!("`{}` answers{before}", filter.plugin),
            Some(format!(
                "a block of their own for them, as it is printed, or `fallthrough` for `{}`",
                filter.plugin
            )),
        ),
        End::Nobody | End::Meshdns(_) => (
            Gap::Undelegated,
            Some(server.place().clone()),
            "no plugin of this server block takes them".to_owned(),
            None,
        ),
    }
}

/// Blocks that send us more than what is declared.
fn led_too_much(wanted: &Wanted<'_>, findings: &mut Vec<ReportedGap>) {
    let settings = wanted.settings;
    let ours: Vec<Zone> = settings.zones.iter().map(|zone| Zone::from(&zone.name)).collect();
    for start in wanted.corefiles.starts() {
        for zone in wanted.corefiles.zones_of(start, &[]) {
            let known = zone.is_root() || zone.is_reverse() || ours.iter().any(|ours| ours.holds(&zone));
            let route = wanted.corefiles.route(start, &zone);
            let End::Meshdns(through) = route.end else { continue };
            if known || settings.catch_all || wanted.declared.wanted().any(|host| host.name == zone) {
                continue;
            }
            let below: Vec<&DeclaredHost> =
                wanted.declared.wanted().filter(|host| zone.holds(&host.name)).collect();
            let names: Vec<String> = below.iter().map(|host| host.name.written()).collect();
            let written = zone.written();
            let (message, change) = match names.is_empty() {
                true => (
                    format!(
                        "all of {written} comes to meshdns, which has no host in it: every name is REFUSED"
                    ),
                    format!("take {written} out"),
                ),
                false => (
                    format!("all of {written} comes to meshdns, which refuses what is not declared in it"),
                    format!("in place of {written}: {}", names.join(" ")),
                ),
            };
            let gap = ReportedGap {
                hosts: names,
                ..ReportedGap::new(Gap::TooMuch, Some(through.place()), &[], message, Some(change))
            };
            if !findings.contains(&gap) {
                findings.push(gap);
            }
        }
    }
}

/// Plugins that answer some questions about hosts before these come to us.
fn answered_in_part(wanted: &Wanted<'_>, notes: &mut Vec<String>) {
    for host in wanted.declared.wanted() {
        for way in ways(wanted.corefiles, &host.asked()).iter().filter(|way| way.leads_to_meshdns()) {
            for filter in &way.before {
                let what = match &filter.only {
                    Some(partly) if partly.matching => "names that match",
                    Some(partly) if partly.kind != "ANY" => &format!("{} questions", partly.kind),
                    _ => "names that it has",
                };
                let note = format!(
                    "{}: `{}` answers {what} before meshdns is asked: look whether {} is among them",
                    filter.place,
                    filter.plugin,
                    host.written()
                );
                let same = |known: &String| known.starts_with(&format!("{}:", filter.place));
                if !notes.iter().any(same) {
                    notes.push(note);
                }
            }
        }
    }
}

/// Hosts that are left to others, and come to us all the same.
fn left_to_others(wanted: &Wanted<'_>, findings: &mut Vec<ReportedGap>) {
    for host in &wanted.declared.hosts {
        let Fate::Left(reason) = &host.fate else { continue };
        if is_covered(wanted, host) {
            continue;
        }
        let told = findings.iter().any(|gap| gap.gap == Gap::TooMuch && gap.hosts == [host.written()]);
        let ways = ways(wanted.corefiles, &host.asked());
        let Some(way) = ways.iter().find(|way| way.leads_to_meshdns()).filter(|_| !told) else { continue };
        let server = way.hops.last().unwrap_or(&way.hops[0]).server;
        findings.push(ReportedGap::new(
            Gap::TooMuch,
            Some(server.place()),
            &[host],
            format!("is left to others ({reason}), and comes to meshdns: clients get no address of it"),
            None,
        ));
    }
}

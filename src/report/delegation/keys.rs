//! Which names are keys: zones of the settings, and the fewest hosts that hold all others.

use super::coverage::{Gap, ReportedGap, comes_to_us};
use super::declared::DeclaredHost;
use super::{Fate, Platform, Wanted};
use crate::corefile::{Key, Transport, Zone};

/// The keys of blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Zones of the settings.
    pub(super) zones: Vec<Zone>,
    /// Hosts outside of them.
    pub(super) hosts: Vec<Zone>,
}

impl Keys {
    /// All that are wanted and not there yet.
    pub(super) fn of(wanted: &Wanted<'_>, findings: &mut Vec<ReportedGap>, notes: &mut Vec<String>) -> Self {
        let zones: Vec<Zone> = wanted.settings.zones.iter().map(|zone| Zone::from(&zone.name)).collect();
        let (too_wide, rest): (Vec<_>, Vec<_>) =
            wanted.declared.wanted().partition(|host| is_too_wide(wanted, host));
        let outside: Vec<&DeclaredHost> =
            rest.into_iter().filter(|host| !zones.iter().any(|zone| zone.holds(&host.name))).collect();
        findings.extend(too_wide.iter().map(|host| refused(host)));
        let hosts = fewest(outside.iter().map(|host| host.name.clone()).collect());
        tell_suffixes(&outside, &hosts, notes);
        tell_denied(wanted, &[&zones[..], &hosts].concat(), findings);
        tell_unnamed_addresses(wanted, notes);
        let mut keys = Self { zones, hosts };
        keys.leave_to_the_platform(wanted, notes);
        if wanted.corefiles.iter().next().is_some() && !wanted.platform.has_stub_domains() {
            for zones in [&mut keys.zones, &mut keys.hosts] {
                zones.retain(|zone| !comes_to_us(wanted.corefiles, zone));
                zones.retain(|zone| is_free(wanted, zone, findings));
            }
        }
        keys
    }

    /// Leaves out what the platform keeps for itself.
    fn leave_to_the_platform(&mut self, wanted: &Wanted<'_>, notes: &mut Vec<String>) {
        if !wanted.platform.is_plain() {
            return;
        }
        let domain = Zone::from(&wanted.cluster_domain);
        let mut left = Vec::new();
        for zones in [&mut self.zones, &mut self.hosts] {
            zones.retain(|zone| {
                let stays = !domain.holds(zone) && !zone.is_reverse();
                left.extend((!stays).then(|| zone.written()));
                stays
            });
        }
        if left.is_empty() {
            return;
        }
        notes.push(match wanted.platform {
            Platform::NodeLocal => format!(
                "{}: node caches send these to the cluster's DNS, which sends them on (`--for kubeadm` and others)",
                left.join(" ")
            ),
            _ => format!(
                "{}: kube-dns keeps these for itself, so they do not come to meshdns; hosts in them cannot be reached this way",
                left.join(" ")
            ),
        });
    }
}

/// Whether a wildcard stands for all that there is below a top level, or everywhere. A zone of the settings says that this is meant.
pub(super) fn is_too_wide(wanted: &Wanted<'_>, host: &DeclaredHost) -> bool {
    let is_meant = || wanted.settings.zones.iter().any(|zone| Zone::from(&zone.name).holds(&host.name));
    host.wildcard && host.name.to_string().matches('.').count() <= 1 && !is_meant()
}

fn refused(host: &DeclaredHost) -> ReportedGap {
    let suffix = host.name.written();
    ReportedGap::new(
        Gap::TooMuch,
        None,
        &[host],
        format!("would take every name below `{suffix}` from your resolvers: no block is printed for it"),
        Some(format!("if `{suffix}` is yours, put it into `zones` of the settings")),
    )
}

/// The names that no other one holds, in order.
fn fewest(mut names: Vec<Zone>) -> Vec<Zone> {
    names.sort_by_key(|name| (name.to_string().len(), name.clone()));
    let mut found: Vec<Zone> = Vec::new();
    for name in names {
        if !found.iter().any(|known| known.holds(&name)) {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// The suffix of a wildcard is a name too, which nobody may have meant.
fn tell_suffixes(outside: &[&DeclaredHost], hosts: &[Zone], notes: &mut Vec<String>) {
    for host in outside.iter().filter(|host| host.wildcard && hosts.contains(&host.name)) {
        let suffix = &host.name;
        if !outside.iter().any(|other| !other.wildcard && other.name == *suffix) {
            notes.push(format!(
                "{}, for {} of {}, takes the name `{}` itself along, which is then answered as empty",
                suffix.written(),
                host.written(),
                host.objects,
                suffix.written()
            ));
        }
    }
}

/// Hosts that are left to others, and come to us by a key all the same.
fn tell_denied(wanted: &Wanted<'_>, keys: &[Zone], findings: &mut Vec<ReportedGap>) {
    for host in &wanted.declared.hosts {
        let Fate::Left(reason) = &host.fate else { continue };
        let Some(key) = keys.iter().find(|key| key.holds(&host.name)) else { continue };
        if is_covered(wanted, host) {
            continue;
        }
        findings.push(ReportedGap::new(
            Gap::TooMuch,
            None,
            &[host],
            format!(
                "is left to others ({reason}), and {} takes it along: clients get no address of it",
                key.written()
            ),
            Some(
                "give it an answer by `serviceEntries` or the annotation meshdns.io/answer, or narrower keys"
                    .to_owned(),
            ),
        ));
    }
}

/// Whether a wildcard is answered in its place.
pub(super) fn is_covered(wanted: &Wanted<'_>, host: &DeclaredHost) -> bool {
    let mut wildcards = wanted.declared.wanted().filter(|other| other.wildcard);
    wildcards.any(|wildcard| wildcard.name != host.name && wildcard.name.holds(&host.name))
}

/// Addresses that the mesh gave and that have no names, because no zone holds these.
fn tell_unnamed_addresses(wanted: &Wanted<'_>, notes: &mut Vec<String>) {
    for range in &wanted.settings.service_entries.ranges {
        let given = |host: &&DeclaredHost| {
            host.automatic.iter().any(|ip| {
                ip.is_ipv4() == range.network().is_ipv4() && (range.network()..=range.last()).contains(ip)
            })
        };
        let has =
            |zone: &crate::model::Name| wanted.settings.zones.iter().any(|known| zone.is_within(&known.name));
        if let Some(host) = wanted.declared.wanted().find(given)
            && !range.zones().iter().all(has)
        {
            notes.push(format!(
                "addresses of {range}, such as that of {}, have no names: put {range} into `zones` of the settings",
                host.written()
            ));
        }
    }
}

/// Whether no block of the Corefile has a key already, for whomever it is.
fn is_free(wanted: &Wanted<'_>, zone: &Zone, findings: &mut Vec<ReportedGap>) -> bool {
    let same = |key: &&Key| key.zone == *zone && key.transport == Transport::Dns;
    let servers = wanted.home().into_iter().flat_map(|corefile| &corefile.servers);
    let Some(key) = servers.flat_map(|server| &server.keys).find(same) else { return true };
    let gap = ReportedGap::new(
        Gap::Taken,
        Some(&key.place),
        &[],
        format!(
            "{} is a key of this server block, which does not send it to meshdns: CoreDNS takes no second one",
            zone.written()
        ),
        Some("put `grpc` into this block, or take the key out".to_owned()),
    );
    findings.push(ReportedGap { hosts: vec![zone.written()], ..gap });
    false
}

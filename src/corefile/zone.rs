//! Zones as Corefiles have them: any text that is a domain name, not only names of hosts.

use std::fmt;

use crate::model::{Cidr, CidrError, Name, reverse_address};

/// A name in lower case with its final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone(String);

impl Zone {
    /// The root.
    pub fn root() -> Self {
        Self(".".to_owned())
    }

    /// A name that is known to be one.
    pub(super) fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        Self(if text.ends_with('.') { text } else { text + "." })
    }

    /// What an argument of a plugin stands for: a name without scheme and port, or the reverse zones of a range.
    pub(super) fn of_argument(text: &str) -> Vec<Self> {
        let (_, text) = super::key::Transport::split(text);
        split_port(text).map(|(zones, _)| zones).unwrap_or_default()
    }

    /// Whether `other` is this name or below it.
    pub fn holds(&self, other: &Zone) -> bool {
        let Some(before) = other.0.strip_suffix(self.0.as_str()) else { return self.is_root() };
        self.is_root() || before.is_empty() || before.ends_with('.')
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    /// Whether it is below `in-addr.arpa` or `ip6.arpa`, or one of these.
    pub fn is_reverse(&self) -> bool {
        ["in-addr.arpa.", "ip6.arpa."].iter().any(|apex| Self((*apex).to_owned()).holds(self))
    }

    /// As people write it: a range for a reverse zone, a name without its final dot for another.
    pub fn written(&self) -> String {
        let name = self.0.strip_suffix('.').filter(|name| !name.is_empty()).unwrap_or(&self.0);
        let range = || {
            let parsed = Name::parse(&self.0).ok()?;
            let (first, _) = reverse_address(parsed.wire())?;
            let parts = parsed.labels().count().checked_sub(2).filter(|count| *count > 0)?;
            Some(format!("{first}/{}", parts * if first.is_ipv4() { 8 } else { 4 }))
        };
        range().unwrap_or_else(|| name.to_owned())
    }

    /// As the key of a server block: as people write it, but for ranges that CoreDNS refuses as keys.
    pub fn key(&self, port: u16) -> String {
        let written = self.written();
        format!("{}:{port}", if is_refused_range(&written) { self.to_string() } else { written })
    }

    /// How long it is: among zones that hold a name, the longest is taken.
    pub(super) fn length(&self) -> usize {
        if self.is_root() { 0 } else { self.0.len() }
    }
}

/// Whether a name is in one of these zones.
pub(super) fn within(zones: &[Zone], name: &Zone) -> bool {
    zones.iter().any(|zone| zone.holds(name))
}

impl From<&Name> for Zone {
    fn from(name: &Name) -> Self {
        Self::of(&name.to_string())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether CoreDNS refuses this range: one of IPv6 that begins with `:` or `0`.
fn is_refused_range(text: &str) -> bool {
    text.contains(':') && text.starts_with([':', '0'])
}

/// Takes a port off a zone and a range apart into reverse zones, as CoreDNS's `plugin.SplitHostPort`.
pub(super) fn split_port(text: &str) -> Result<(Vec<Zone>, Option<i64>), String> {
    let (mut zone, mut port) = (text, None);
    match text.rsplit_once(':') {
        Some((_, "")) => return Err(format!("`{text}` ends with a colon, and no port follows")),
        None if text.is_empty() => return Err("the key is empty".to_owned()),
        Some((before, digits)) => {
            if let Ok(number) = digits.parse() {
                (zone, port) = (before, Some(number));
            }
        }
        None => {}
    }
    if zone.len() > 255 {
        return Err(format!("`{zone}` has {} octets: a zone has at most 255", zone.len()));
    }
    if !is_domain_name(zone) {
        return Err(format!("`{zone}` is not a domain name"));
    }
    let range = match Cidr::parse(zone) {
        // CoreDNS takes any address of the range.
        Err(CidrError::HostBits { network, prefix, .. }) => Cidr::parse(&format!("{network}/{prefix}")),
        other => other,
    };
    let Ok(range) = range else { return Ok((vec![Zone::of(zone)], port)) };
    if is_refused_range(zone) {
        return Err(format!("`{zone}` is a range that CoreDNS refuses: it begins with `{}`", &zone[..1]));
    }
    Ok((range.zones().iter().map(Zone::from).collect(), port))
}

/// Whether CoreDNS takes a text for a domain name (`dns.IsDomainName` of miekg/dns): labels of at most 63 octets, none empty.
/// Escapes are not looked into; a label with one is as long as it is written.
pub(super) fn is_domain_name(text: &str) -> bool {
    if text == "." {
        return true;
    }
    let labels = text.strip_suffix('.').unwrap_or(text);
    !labels.is_empty()
        && labels.len() <= 254
        && labels.split('.').all(|label| (1..=63).contains(&label.len()))
        && !labels.ends_with('\\')
}

//! The zones we answer for, forward and reverse.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Name;
use super::name::{labels, suffix_at};

/// What a zone holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZoneKind {
    /// Services, pods and mesh hosts.
    Cluster,
    /// Services imported from other clusters.
    ClusterSet,
    /// Addresses, below `in-addr.arpa` or `ip6.arpa`.
    Reverse,
}

/// A zone we are authoritative for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its apex.
    pub name: Name,
    /// What it holds.
    pub kind: ZoneKind,
}

/// All zones, ready to find the one that a name belongs to.
#[derive(Clone, Debug)]
pub struct Zones {
    /// Longest apex first, so that the first match is the closest.
    by_length: Vec<Zone>,
    /// As configured, each once.
    in_order: Vec<Zone>,
}

/// Why a set of zones cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZonesError {
    /// The same zone twice.
    #[error("zone {0} is given twice")]
    Duplicate(Name),
}

impl Zones {
    /// Takes zones in their configured order. Names below `in-addr.arpa` and `ip6.arpa` are reverse zones whatever
    /// kind they come with.
    pub fn new(zones: impl IntoIterator<Item = Zone>) -> Result<Self, ZonesError> {
        let mut in_order: Vec<Zone> = Vec::new();
        for mut zone in zones {
            if is_reverse(&zone.name) {
                zone.kind = ZoneKind::Reverse;
            }
            if in_order.iter().any(|known| known.name == zone.name) {
                return Err(ZonesError::Duplicate(zone.name));
            }
            in_order.push(zone);
        }
        let mut by_length = in_order.clone();
        by_length.sort_by_key(|zone| std::cmp::Reverse(zone.name.wire().len()));
        Ok(Self { by_length, in_order })
    }

    /// The zone with the longest apex that `name` (lower-case wire form) lies in, and where that apex begins in it.
    pub fn find(&self, name: &[u8]) -> Option<(&Zone, usize)> {
        self.by_length.iter().find_map(|zone| Some((zone, suffix_at(name, &zone.name)?)))
    }

    /// The first forward zone: PTR targets of services lie in it.
    pub fn first_forward(&self) -> Option<&Zone> {
        self.in_order.iter().find(|zone| zone.kind == ZoneKind::Cluster)
    }

    /// All of them, in configured order.
    pub fn iter(&self) -> impl Iterator<Item = &Zone> {
        self.in_order.iter()
    }
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

/// Why a text is not a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// No slash, or what stands around it is not an address and a number.
    #[error("`{0}` is not a range of addresses such as 10.0.0.0/8 or 2001:db8::/32")]
    Syntax(String),
    /// More bits than the family has.
    #[error("`{text}` has a prefix of more than {bits} bits")]
    LongPrefix {
        /// The text.
        text: String,
        /// Bits of its family.
        bits: u8,
    },
    /// Bits set outside the prefix.
    #[error("`{text}` has bits set outside its prefix; the range is {network}/{prefix}")]
    HostBits {
        /// The text.
        text: String,
        /// The address with those bits cleared.
        network: IpAddr,
        /// The prefix length.
        prefix: u8,
    },
}

impl Cidr {
    /// Reads `address/prefix`.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let syntax = || CidrError::Syntax(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(syntax)?;
        let address: IpAddr = address.parse().map_err(|_| syntax())?;
        let prefix: u8 = prefix.parse().map_err(|_| syntax())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if prefix > bits {
            return Err(CidrError::LongPrefix { text: text.to_owned(), bits });
        }
        let network = mask(address, prefix);
        if network != address {
            return Err(CidrError::HostBits { text: text.to_owned(), network, prefix });
        }
        Ok(Self { network, prefix })
    }

    /// Its first address, with no bits set outside the prefix.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// Its last address.
    pub fn last(&self) -> IpAddr {
        match self.network {
            IpAddr::V4(a) => {
                let host = u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V4((u32::from(a) | host).into())
            }
            IpAddr::V6(a) => {
                let host = u128::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V6((u128::from(a) | host).into())
            }
        }
    }

    /// Whether the two have an address in common.
    pub fn overlaps(&self, other: &Cidr) -> bool {
        let same = self.network.is_ipv4() == other.network.is_ipv4();
        same && self.network <= other.last() && other.network <= self.last()
    }

    /// The reverse zones that cover the range: one on an octet (IPv6: nibble) boundary, several between boundaries.
    pub fn zones(&self) -> Vec<Name> {
        let step = if self.network.is_ipv4() { 8 } else { 4 };
        let rounded = self.prefix.div_ceil(step) * step;
        (0..1u32 << (rounded - self.prefix))
            .map(|index| {
                let address = match self.network {
                    IpAddr::V4(network) => IpAddr::V4(Ipv4Addr::from(
                        u32::from(network) | index.checked_shl(32 - u32::from(rounded)).unwrap_or(0),
                    )),
                    IpAddr::V6(network) => IpAddr::V6(Ipv6Addr::from(
                        u128::from(network)
                            | u128::from(index).checked_shl(128 - u32::from(rounded)).unwrap_or(0),
                    )),
                };
                reverse_prefix(address, rounded)
            })
            .collect()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// `address` with everything behind the prefix cleared.
fn mask(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            IpAddr::V4((u32::from(a) & u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)).into())
        }
        IpAddr::V6(a) => {
            IpAddr::V6((u128::from(a) & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)).into())
        }
    }
}

/// The reverse name of an address.
pub fn reverse_name(address: IpAddr) -> Name {
    reverse_prefix(address, if address.is_ipv4() { 32 } else { 128 })
}

/// The reverse name of the first `prefix` bits, a multiple of 8 (IPv6: 4).
fn reverse_prefix(address: IpAddr, prefix: u8) -> Name {
    let mut wire = Vec::with_capacity(74);
    match address {
        IpAddr::V4(a) => {
            for octet in a.octets()[..usize::from(prefix / 8)].iter().rev() {
                let text = octet.to_string();
                wire.push(text.len() as u8);
                wire.extend_from_slice(text.as_bytes());
            }
            wire.extend_from_slice(b"\x07in-addr\x04arpa\0");
        }
        IpAddr::V6(a) => {
            for index in (0..usize::from(prefix / 4)).rev() {
                let nibble = (a.octets()[index / 2] >> (4 * (1 - index % 2))) & 15;
                wire.extend_from_slice(&[1, b"0123456789abcdef"[usize::from(nibble)]]);
            }
            wire.extend_from_slice(b"\x03ip6\x04arpa\0");
        }
    }
    Name::from_wire(&wire)
}

fn is_reverse(name: &Name) -> bool {
    let mut from_right: Vec<&[u8]> = name.labels().collect();
    from_right.reverse();
    matches!(from_right.as_slice(), [b"arpa", b"in-addr" | b"ip6", ..])
}

/// The addresses that a reverse name (lower-case wire form) stands for, first and last: one address for a whole
/// name, a range for a shortened one, `None` for a name that is no reverse name. Octets have no leading zeros.
pub fn reverse_address(name: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let mut parts: Vec<&[u8]> = labels(name).collect();
    let (arpa, family) = (parts.pop()?, parts.pop()?);
    if arpa != b"arpa" {
        return None;
    }
    parts.reverse();
    match family {
        b"in-addr" if parts.len() <= 4 => {
            let (mut low, mut high) = ([0u8; 4], [255u8; 4]);
            for (at, part) in parts.iter().enumerate() {
                low[at] = decimal_octet(part)?;
                high[at] = low[at];
            }
            Some((IpAddr::from(low), IpAddr::from(high)))
        }
        b"ip6" if parts.len() <= 32 => {
            let (mut low, mut high) = (0u128, u128::MAX);
            for (at, part) in parts.iter().enumerate() {
                let &[digit] = *part else { return None };
                let nibble = u128::from(char::from(digit).to_digit(16)?);
                let shift = 124 - 4 * at as u32;
                low |= nibble << shift;
                high &= !((15 - nibble) << shift);
            }
            Some((Ipv6Addr::from(low).into(), Ipv6Addr::from(high).into()))
        }
        _ => None,
    }
}

fn decimal_octet(text: &[u8]) -> Option<u8> {
    if text.is_empty() || text.len() > 3 || (text.len() > 1 && text[0] == b'0') {
        return None;
    }
    text.iter().try_fold(0u8, |value, &digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(text: &str, kind: ZoneKind) -> Zone {
        Zone { name: Name::parse(text).unwrap(), kind }
    }

    #[test]
    fn the_closest_zone_takes_the_name() {
        let zones =
            Zones::new([zone("local", ZoneKind::Cluster), zone("cluster.local", ZoneKind::Cluster)]).unwrap();
        let found = |text: &str| {
            let name = Name::parse(text).unwrap();
            zones.find(name.wire()).map(|(zone, at)| (zone.name.to_string(), at))
        };
        assert_eq!(found("a.cluster.local"), Some(("cluster.local.".into(), 2)));
        assert_eq!(found("xcluster.local"), Some(("local.".into(), 9)));
        assert_eq!(found("example.org"), None);
    }

    #[test]
    fn names_below_arpa_are_reverse_zones() {
        let zones = Zones::new([zone("10.in-addr.arpa", ZoneKind::Cluster)]).unwrap();
        assert_eq!(zones.iter().next().unwrap().kind, ZoneKind::Reverse);
        assert!(zones.first_forward().is_none());
    }

    #[test]
    fn ranges_become_zones() {
        let zones = |text: &str| -> Vec<String> {
            Cidr::parse(text).unwrap().zones().iter().map(Name::to_string).collect()
        };
        assert_eq!(zones("240.240.0.0/16"), ["240.240.in-addr.arpa."]);
        assert_eq!(zones("10.0.0.0/7"), ["10.in-addr.arpa.", "11.in-addr.arpa."]);
        assert_eq!(zones("0.0.0.0/0"), ["in-addr.arpa."]);
        assert_eq!(zones("2001:2::/48"), ["0.0.0.0.2.0.0.0.1.0.0.2.ip6.arpa."]);
        assert_eq!(zones("fd00::/8"), ["d.f.ip6.arpa."]);
        assert_eq!(zones("fc00::/7"), ["c.f.ip6.arpa.", "d.f.ip6.arpa."]);
        assert_eq!(zones("192.0.2.1/32"), ["1.2.0.192.in-addr.arpa."]);
    }

    #[test]
    fn a_bad_range_says_why() {
        let error = |text: &str| Cidr::parse(text).unwrap_err().to_string();
        assert!(error("10.0.0.0").contains("not a range"));
        assert!(error("10.0.0.0/33").contains("32 bits"));
        assert!(error("10.1.0.0/8").contains("10.0.0.0/8"));
    }

    #[test]
    fn ranges_know_their_ends() {
        let range = |text: &str| Cidr::parse(text).unwrap();
        assert_eq!(range("240.240.0.0/16").last().to_string(), "240.240.255.255");
        assert_eq!(range("2001:2::/48").last().to_string(), "2001:2:0:ffff:ffff:ffff:ffff:ffff");
        assert_eq!(range("192.0.2.1/32").last(), range("192.0.2.1/32").network());
        assert_eq!(range("0.0.0.0/0").last().to_string(), "255.255.255.255");
        assert!(range("10.0.0.0/8").overlaps(&range("10.255.0.0/16")));
        assert!(!range("10.0.0.0/9").overlaps(&range("10.128.0.0/9")));
        assert!(!range("0.0.0.0/0").overlaps(&range("::/0")));
    }

    #[test]
    fn reverse_names_read_back() {
        let read = |text: &str| reverse_address(Name::parse(text).unwrap().wire());
        assert_eq!(
            read("1.0.0.10.in-addr.arpa"),
            Some(("10.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap()))
        );
        assert_eq!(
            read("10.in-addr.arpa"),
            Some(("10.0.0.0".parse().unwrap(), "10.255.255.255".parse().unwrap()))
        );
        assert_eq!(read("01.0.0.10.in-addr.arpa"), None);
        assert_eq!(read("256.0.0.10.in-addr.arpa"), None);
        assert_eq!(read("1.1.0.0.10.in-addr.arpa"), None);
        assert_eq!(
            read("d.f.ip6.arpa"),
            Some(("fd00::".parse().unwrap(), "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap()))
        );
    }

    proptest! {
        #[test]
        fn every_address_survives_its_reverse_name(v4: u32, v6: u128) {
            for address in [IpAddr::from(Ipv4Addr::from(v4)), IpAddr::from(Ipv6Addr::from(v6))] {
                prop_assert_eq!(reverse_address(reverse_name(address).wire()), Some((address, address)));
            }
        }
    }
}

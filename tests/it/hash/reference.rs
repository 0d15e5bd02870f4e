//! The computation done the plain way: everything, anew, step by step as istiod does it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use meshdns::model::{Resolution, ServiceEntry};

/// Namespace and host as written.
pub(super) type Key = (String, String);

/// The first slot that a key tries.
pub(super) fn hash(namespace: &str, host: &str) -> u32 {
    let mut hash: u32 = 2_166_136_261;
    for octet in format!("{namespace}/{host}").bytes() {
        hash ^= u32::from(octet);
        hash = hash.wrapping_mul(16_777_619);
    }
    hash
}

/// The addresses of every key; those that got none are missing.
pub(super) fn addresses<'e>(
    entries: impl IntoIterator<Item = &'e ServiceEntry>,
) -> BTreeMap<Key, (Ipv4Addr, Ipv6Addr)> {
    let mut services: Vec<(i64, &str, &str)> = Vec::new();
    for entry in entries {
        if entry.resolution == Resolution::None || entry.declares_addresses {
            continue;
        }
        for host in entry.hosts.iter().filter(|host| !host.wildcard) {
            services.push((entry.created, &host.text, &entry.name.namespace));
        }
    }
    services.sort_unstable();
    services.truncate(65_024);

    let mut slots: Vec<Option<Key>> = vec![None; 65_024];
    for (_, host, namespace) in services {
        let s = hash(namespace, host);
        let mut slot = s % 65_024;
        let step = 65_011 - s % 65_011;
        let mut n: u32 = 0;
        while slots[slot as usize].is_some() {
            n += 1;
            assert!(n < 1 << 24, "{namespace}/{host} walks for ever");
            slot = s.wrapping_add(n.wrapping_mul(step)) % 65_023;
        }
        slots[slot as usize] = Some((namespace.to_owned(), host.to_owned()));
    }

    let mut found = BTreeMap::new();
    let mut shift = 0;
    for (slot, key) in slots.into_iter().enumerate() {
        let Some(key) = key else { continue };
        let mut x = slot + 1 + shift;
        if x % 255 == 0 {
            shift += 1;
            x += 1;
        }
        let (row, column) = (x / 255, x % 255);
        let v4 = Ipv4Addr::new(240, 240, u8::try_from(row).unwrap(), u8::try_from(column).unwrap());
        let digits = if row == 0 { format!("{column:x}") } else { format!("{row:x}{column:x}") };
        let v6 = format!("2001:2::f0f0:{digits}").parse().unwrap();
        found.entry(key).or_insert((v4, v6));
    }
    found
}

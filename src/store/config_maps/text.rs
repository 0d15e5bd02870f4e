//! A shard as text, format 1: the values of a ConfigMap's `data`.
//!
//! `header`: `revision N`, then `ranges` with all of them, and `complete` when it is. `rows`: one line for each host with
//! namespace, host, origin, since and until when (Unix seconds; `-`: in use), IPv4 and IPv6 address (`-`: none), an address
//! of another slice with `@` and its ticket. `reserved`: address, ticket, namespace, host. `fences`: shard, ticket. Lines
//! are in order, end with a line feed, and have one blank between words. In names, `%` and two hexadecimal digits stand
//! for octets up to 32, 127 and the percent sign. `checksum`: FNV-1a, 64 bit, of the other four values in that
//! order, each followed by an octet 0, in hexadecimal.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::net::IpAddr;
use std::sync::Arc;

use super::shard::{Held, Reservation, Shard};
use crate::allocate::{Assigned, HostKey, Origin, Row};
use crate::model::Cidr;

/// The keys of what the checksum covers, in its order.
const KEYS: [&str; 4] = ["header", "rows", "reserved", "fences"];
const CHECKSUM: &str = "checksum";

/// Writes a shard down.
pub(super) fn encode(shard: &Shard) -> BTreeMap<String, String> {
    let mut header = format!("revision {}\nranges", shard.revision);
    shard.ranges.iter().for_each(|range| put(&mut header, format_args!(" {range}")));
    header.push_str(if shard.complete { "\ncomplete\n" } else { "\n" });
    let (mut rows, mut reserved, mut fences) = (String::new(), String::new(), String::new());
    for (key, held) in shard.rows() {
        let Row { addresses, origin, since, freed } = held.row;
        let [v4, v6] = [addresses.v4.map(IpAddr::V4), addresses.v6.map(IpAddr::V6)].map(|address| {
            address.map_or_else(dash, |address| match held.ticket(address) {
                0 => address.to_string(),
                ticket => format!("{address}@{ticket}"),
            })
        });
        let freed = freed.map_or_else(dash, |freed| freed.to_string());
        put(&mut rows, format_args!("{} {} {since} {freed} {v4} {v6}\n", named(key), origin.as_str()));
    }
    for (address, Reservation { key, ticket }) in &shard.reserved {
        put(&mut reserved, format_args!("{address} {ticket} {}\n", named(key)));
    }
    for (number, fence) in shard.fences() {
        put(&mut fences, format_args!("{number} {fence}\n"));
    }
    let mut data: BTreeMap<String, String> =
        KEYS.map(str::to_owned).into_iter().zip([header, rows, reserved, fences]).collect();
    data.insert(CHECKSUM.to_owned(), checksum(&data));
    data
}

/// Reads a shard back; an error says what is wrong with it.
pub(super) fn decode(data: &BTreeMap<String, String>) -> Result<Shard, String> {
    let [header, rows, reserved, fences] = KEYS.map(|key| data.get(key).ok_or(key));
    let missing = |key: &str| format!("`{key}` is missing in its data");
    let (header, rows) = (header.map_err(missing)?, rows.map_err(missing)?);
    let (reserved, fences) = (reserved.map_err(missing)?, fences.map_err(missing)?);
    if data.get(CHECKSUM).ok_or_else(|| missing(CHECKSUM))? != &checksum(data) {
        return Err("its checksum does not fit: it was edited, or only part of it was restored".to_owned());
    }
    let mut shard = Shard::default();
    for line in header.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let bad = || format!("its header says `{line}`");
        match word {
            "revision" => shard.revision = rest.parse().map_err(|_| bad())?,
            "ranges" => {
                let ranges = rest.split_whitespace().map(Cidr::parse).collect::<Result<_, _>>();
                shard.ranges = ranges.map_err(|_| bad())?;
            }
            "complete" => shard.complete = true,
            _ => return Err(bad()),
        }
    }
    for line in rows.lines() {
        let bad = || format!("the row `{line}` makes no sense");
        let (key, held) = row(line).ok_or_else(bad)?;
        if shard.rows().contains_key(&key) {
            return Err(format!("{key} has two rows"));
        }
        if !shard.put(&Arc::new(key), held) {
            return Err(format!("an address of the row `{line}` has another host"));
        }
    }
    for line in reserved.lines() {
        let (address, reservation) =
            reservation(line).ok_or_else(|| format!("the reservation `{line}` makes no sense"))?;
        shard.reserved.insert(address, reservation);
    }
    for line in fences.lines() {
        let (number, fence) = fence(line).ok_or_else(|| format!("the fence `{line}` makes no sense"))?;
        shard.raise_fence(number, fence);
    }
    Ok(shard)
}

fn row(line: &str) -> Option<(HostKey, Held)> {
    let words: Vec<&str> = line.split(' ').collect();
    let &[namespace, host, origin, since, freed, v4, v6] = words.as_slice() else { return None };
    let origin = Origin::ALL.into_iter().find(|known| known.as_str() == origin)?;
    let freed = if freed == "-" { None } else { Some(freed.parse().ok()?) };
    let (mut addresses, mut tickets) = (Assigned::default(), [0; 2]);
    for (family, word) in [v4, v6].into_iter().enumerate().filter(|(_, word)| *word != "-") {
        let (address, ticket) = word.split_once('@').unwrap_or((word, "0"));
        let address: IpAddr = address.parse().ok()?;
        if usize::from(address.is_ipv6()) != family {
            return None;
        }
        addresses.set(address);
        tickets[family] = ticket.parse().ok()?;
    }
    let row = Row { addresses, origin, since: since.parse().ok()?, freed };
    (!addresses.is_empty()).then_some((key(namespace, host)?, Held { row, tickets }))
}

fn reservation(line: &str) -> Option<(IpAddr, Reservation)> {
    let words: Vec<&str> = line.split(' ').collect();
    let &[address, ticket, namespace, host] = words.as_slice() else { return None };
    let ticket = ticket.parse().ok().filter(|ticket| *ticket != 0)?;
    Some((address.parse().ok()?, Reservation { key: Arc::new(key(namespace, host)?), ticket }))
}

fn fence(line: &str) -> Option<(usize, u64)> {
    let (number, fence) = line.split_once(' ')?;
    Some((number.parse().ok()?, fence.parse().ok()?))
}

fn key(namespace: &str, host: &str) -> Option<HostKey> {
    HostKey::parse(&unescaped(namespace)?, &unescaped(host)?).ok()
}

fn named(key: &HostKey) -> String {
    format!("{} {}", escaped(&key.namespace), escaped(&key.host()))
}

fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '\0'..=' ' | '%' | '\x7f' => put(&mut text, format_args!("%{:02x}", u32::from(letter))),
            _ => text.push(letter),
        }
    }
    text
}

fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let octet = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        name.push(char::from(octet));
        name.push_str(part.get(2..)?);
    }
    Some(name)
}

fn checksum(data: &BTreeMap<String, String>) -> String {
    let values = KEYS.iter().filter_map(|key| data.get(*key));
    let octets = values.flat_map(|value| value.bytes().chain([0]));
    let sum = octets.fold(0xcbf2_9ce4_8422_2325, |sum: u64, octet| {
        (sum ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{sum:016x}")
}

fn dash() -> String {
    "-".to_owned()
}

fn put(text: &mut String, more: impl Display) {
    // Writing to memory does not fail.
    let _ = write!(text, "{more}");
}

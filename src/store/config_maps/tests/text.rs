//! What is written is read back, and nothing else.

use std::collections::BTreeMap;

use super::*;
use crate::store::config_maps::shard::{Held, Reservation};
use crate::store::config_maps::text::{decode, encode};

fn shard() -> Shard {
    let mut shard = Shard::new(57, Vec::new(), true);
    shard.ranges = ["240.240.0.0/16", "2001:2::/48"].map(|range| Cidr::parse(range).unwrap()).into();
    let both = row(&["240.240.0.3".parse().unwrap(), "2001:2::3".parse().unwrap()], 1_700_000_000);
    assert!(shard.put(&key("api.example.com"), Held { row: both, tickets: [0, 31] }));
    let freed = Row { freed: Some(1_700_000_500), ..row(&["240.240.0.4".parse().unwrap()], 12) };
    assert!(shard.put(&key("*.example.com"), Held { row: freed, tickets: [0, 0] }));
    let strange = Arc::new(HostKey::parse("a b%\nc", "x.example").unwrap());
    assert!(shard.put(&strange, Held { row: row(&["2001:2::9".parse().unwrap()], 1), tickets: [0, 0] }));
    let reservation = Reservation { key: key("far.example"), ticket: 40 };
    shard.reserved.insert("240.240.0.9".parse().unwrap(), reservation);
    shard.raise_fence(12, 8);
    shard
}

#[test]
fn the_format_is_this_one() {
    let data = encode(&shard());
    let expected = [
        ("checksum", data["checksum"].as_str()),
        ("fences", "12 8\n"),
        ("header", "revision 57\nranges 240.240.0.0/16 2001:2::/48\ncomplete\n"),
        ("reserved", "240.240.0.9 40 shop far.example\n"),
        (
            "rows",
            "a%20b%25%0ac x.example own 1 - - 2001:2::9\nshop *.example.com own 12 1700000500 240.240.0.4 -\n\
             shop api.example.com own 1700000000 - 240.240.0.3 2001:2::3@31\n",
        ),
    ];
    let found: Vec<(&str, &str)> = data.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut found_sorted = found.clone();
    found_sorted.sort_unstable();
    let mut rows: Vec<&str> = data["rows"].lines().collect();
    rows.sort_unstable();
    let mut expected_rows: Vec<&str> = expected[4].1.lines().collect();
    expected_rows.sort_unstable();
    assert_eq!(rows, expected_rows);
    assert_eq!(found_sorted[..4], expected[..4]);
    assert_eq!(decode(&data), Ok(shard()));
}

#[test]
fn every_edit_is_noticed() {
    let data = encode(&shard());
    for name in ["header", "rows", "reserved", "fences", "checksum"] {
        let mut edited = data.clone();
        edited.get_mut(name).unwrap().push('\n');
        assert!(decode(&edited).unwrap_err().contains("checksum does not fit"), "{name}");
        edited.remove(name);
        assert_eq!(decode(&edited), Err(format!("`{name}` is missing in its data")));
    }
    // Text that moves from one value to the next is an edit too.
    let moved: BTreeMap<String, String> = BTreeMap::from([
        ("header".into(), format!("{}{}", data["header"], data["rows"])),
        ("rows".into(), String::new()),
        ("reserved".into(), data["reserved"].clone()),
        ("fences".into(), data["fences"].clone()),
        ("checksum".into(), data["checksum"].clone()),
    ]);
    assert!(decode(&moved).is_err());
}

#[test]
fn a_full_shard_is_far_from_the_limit_of_a_config_map() {
    let mut shard = Shard::default();
    for number in 0..1022u32 {
        let host = format!("{number}.{}example.com", "a-label-of-some-length.".repeat(2));
        let addresses = [
            IpAddr::from((0xf0f0_0000 + number).to_be_bytes()),
            IpAddr::from(u128::from(number).to_be_bytes()),
        ];
        assert!(shard.put(&key(&host), Held { row: row(&addresses, 1_700_000_000), tickets: [0, 0] }));
    }
    let octets: usize = encode(&shard).values().map(String::len).sum();
    assert!(octets < 160_000, "{octets}");
    assert!(shard.octets() >= octets, "{} is told instead of {octets}", shard.octets());
}

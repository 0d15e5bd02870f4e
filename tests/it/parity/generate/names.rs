//! Namespaces and hosts that sets are made of.

use crate::support::random::Random;

/// A namespace and a host in it.
pub(super) type Place = (&'static str, &'static str);

pub(super) const NAMESPACES: [&str; 6] = ["default", "shop", "data", "team-blue", "staging", "payments"];

/// Hosts as people write them. No two differ in letter case only: of such a pair, a sidecar knows one, and which one is
/// left to chance. Those inside `cluster.local` are in the namespace `shop`, where Services may have the same name.
const HOSTS: [&str; 20] = [
    "api.example.com",
    "db.example.com",
    "cache.example.com",
    "Pay.Example.COM",
    "a.b.c.example.org",
    "example.org",
    "single",
    "xn--bcher-kva.example",
    "*.wild.example",
    "*.eu.wild.example",
    "x.eu.wild.example",
    "*.Upper.example",
    "*.example.net",
    "mesh.cluster.local",
    "*.mesh.cluster.local",
    "web.shop.svc.cluster.local",
    "db.shop.svc.cluster.local",
    "nothing.shop.svc.cluster.local",
    "*.shop.svc.cluster.local",
    "p-0.db.shop.svc.cluster.local",
];

/// Where the hash allocator puts two names into one slot: whoever comes first stays, the other goes on.
const COLLISIONS: [&[Place]; 6] = [
    &[
        ("staging", "export.search.apac.example.com"),
        ("staging", "mirror-archive.eu1.example.com"),
        ("staging", "billing-97.vault.svc.test"),
    ],
    &[("default", "pair64703.corp.example"), ("payments", "wrap185516.corp.example")],
    &[
        ("ml-train", "render-2.render.svc.test"),
        ("ml-train", "search.search.lab.svc.test"),
        ("default", "auth-quota.eu1.corp.example"),
        ("payments", "search4934.svc.test"),
    ],
    &[
        ("squad-90", "twinenjbgqgvnkxgtuyntrubf.example.org"),
        ("squad-393", "twinenjbgqgvnkxgtuyntrubf.example.org"),
    ],
    &[("reporting", "mirror-quota.us-east.cloud.example.net"), ("staging", "relay-69.tiles.example.com")],
    &[("default", "relay.search.lab.db.internal"), ("staging", "auth.export.us-east.example.com")],
];

/// The ends of the hash allocator's range, and slots whose row ends there: the next host, and all after it, move on by
/// one. The last rows of a set come after such a slot. Two names in the last one share an IPv6 address.
const ROWS: [&[Place]; 5] = [
    &[
        ("default", "node128772.edge.example.com"),
        ("default", "node29798.edge.example.com"),
        ("default", "node67065.edge.example.com"),
    ],
    &[
        ("warehouse", "relay-7.export.cloud.example.net"),
        ("team-blue", "vault5287.cloud.example.net"),
        ("staging", "export.export.us-east.example.com"),
    ],
    &[
        ("team-blue", "export.metrics.apac.db.internal"),
        ("ml-train", "render2008.example.org"),
        ("staging", "tiles-catalog.eu1.example.org"),
        ("shop", "mirror-cache.apac.db.internal"),
    ],
    &[
        ("payments", "mail-render.eu1.cloud.example.net"),
        ("reporting", "feeds-relay.apac.example.org"),
        ("warehouse", "render9078.example.org"),
        ("warehouse", "mail.cache.apac.svc.test"),
    ],
    &[("iot-hub", "cache-11.mail.corp.example"), ("iot-hub", "quota1627.corp.example")],
];

/// The namespaces of a set, and the places in them that the hash allocator finds hard.
pub(super) fn namespaces(random: &mut Random, with_hard_places: bool) -> (Vec<&'static str>, Vec<Place>) {
    let hard = match (with_hard_places, random.percent(50), random.percent(50)) {
        (true, true, true) => random.pick(&COLLISIONS).to_vec(),
        (true, true, false) => random.pick(&ROWS).to_vec(),
        _ => Vec::new(),
    };
    let mut namespaces: Vec<&str> = hard.iter().map(|(namespace, _)| *namespace).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let others: Vec<&str> = NAMESPACES.into_iter().filter(|name| !namespaces.contains(name)).collect();
    let missing = random.between(2, 5).saturating_sub(namespaces.len());
    namespaces.extend(random.sample(&others, missing));
    (namespaces, hard)
}

/// The few hosts that the entries of a set share.
pub(super) fn hosts(random: &mut Random) -> Vec<&'static str> {
    let count = random.between(4, 10);
    random.sample(&HOSTS, count)
}

/// The slot in which the hash allocator looks first (32-bit FNV-1a of namespace, slash and host; 65,024 slots).
pub(super) fn slot(namespace: &str, host: &str) -> u32 {
    let key = [namespace, "/", host].concat();
    let hash =
        key.bytes().fold(2_166_136_261_u32, |hash, octet| (hash ^ u32::from(octet)).wrapping_mul(16_777_619));
    hash % 65_024
}

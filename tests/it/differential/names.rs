//! The names that are asked for: every form, for every object, right and wrong.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use serde_json::Value;

use super::question::{Question, kind};
use super::variant::Variant;
use super::world::{Key, World, dashed, endpoint_names, key, label_of, ports, texts};
use crate::support::random::Random;

/// Names that every zone has or might have, below the zone.
const FIXED: [&str; 22] = [
    "",
    "svc",
    "pod",
    "dns-version",
    "ns.dns",
    "dns",
    "www.ns.dns",
    "x.dns",
    "www.dns-version",
    "hostmaster",
    "apex.dns",
    "*",
    "any",
    "node",
    "x.svc",
    "x.pod",
    "svc.svc",
    "pod.svc",
    "svc.pod",
    "pod.pod",
    "*.svc",
    "_tcp.svc",
];
/// The same below a reverse zone.
const FIXED_REVERSE: [&str; 24] = [
    "svc",
    "pod",
    "shop.svc",
    "web.shop.svc",
    "1.0.244.10.svc",
    "shop.pod",
    "0",
    "256",
    "010",
    "10",
    "10.10",
    "x.10",
    "256.96.10",
    "1.2.3.4.5",
    "1.1.96.010",
    "01.1.96.10",
    "0xa.1.96.10",
    "f",
    "F.F",
    "0.d.f",
    "g.d.f",
    "00.d.f",
    "d.f",
    "example",
];
/// Labels in front of any service.
const PARTS: [&str; 36] = [
    "nothing",
    "*",
    "any",
    "_",
    "_tcp",
    "tcp",
    "_udp",
    "_sctp",
    "_http",
    "*.*",
    "any.any",
    "_any._any",
    "*._tcp",
    "_http.*",
    "_http._tcp",
    "http.tcp",
    "_http.tcp",
    "_._tcp",
    "_._",
    "_http._",
    "__http._tcp",
    "_http.__tcp",
    "_nothing._tcp",
    "_http._nothing",
    "_dns._udp",
    "_http._tcp.nothing",
    "a.b.c.d",
    "eu-1.pin._zone",
    "eu-2.prefer._zone",
    "EU.central-2.pin._zone",
    "mars.pin._zone",
    "mars.prefer._zone",
    "eu-1.near._zone",
    "pin._zone",
    "_zone",
    "eu-1.pin.zone",
];
const TYPES: [u16; 4] = [kind::A, kind::AAAA, kind::SRV, kind::PTR];

/// So many of the questions at such names are asked, and a tenth as many as at others.
const FIXED_AT_LEAST: usize = 250;

/// Names with what they are about.
#[derive(Default)]
struct Names(Vec<(String, Option<Key>)>);

/// Questions of a variant: some at names that every zone has, `count` at those of objects.
pub(super) fn questions(world: &World, variant: &Variant, count: usize) -> Vec<Question> {
    let mut random = Random::new(world.seed ^ variant.name.len() as u64);
    let fixed = variant.zones().into_iter().flat_map(fixed);
    let fixed = fixed.flat_map(|name| kind::ALL.map(|kind| Question::plain(&name, kind)));
    let mut questions = random.sample(&fixed.collect::<Vec<_>>(), FIXED_AT_LEAST + count / 10);
    let mut names = Names::default();
    names.of_services(world, &mut random);
    names.of_imports(world, variant, &mut random);
    names.of_namespaces(world);
    names.of_pods(world, &mut random);
    names.reverse(world, &mut random);
    let mut rest = Vec::new();
    for (name, about) in names.0 {
        let mut kinds: BTreeSet<u16> = BTreeSet::from([random.pick(&kind::ALL), random.pick(&kind::ALL)]);
        kinds.extend(match name.ends_with(".arpa") {
            true => vec![kind::PTR],
            false => TYPES[..3].to_vec(),
        });
        for kind in kinds {
            rest.push(Question { about: about.clone(), ..Question::plain(&name, kind) });
        }
    }
    rest.retain(|question| question.can_be_asked() && variant.zone_of(&question.lower()).is_some());
    questions.extend(random.sample(&rest, count));
    questions.retain(Question::can_be_asked);
    let dressed = questions.into_iter().map(|question| question.dressed(&mut random));
    dressed.chain(always(variant)).collect()
}

/// Questions that are always asked, put plainly: rules depend on them.
fn always(variant: &Variant) -> Vec<Question> {
    let servers = variant.zones().into_iter().map(|zone| Question::plain(zone, kind::NS));
    let crowd = Question::plain("crowd.data.svc.cluster.local", kind::SRV).over_tcp();
    servers.chain([crowd]).collect()
}

fn fixed(zone: &str) -> Vec<String> {
    let reverse = if zone.ends_with(".arpa") { &FIXED_REVERSE[..] } else { &[] };
    FIXED
        .iter()
        .chain(reverse)
        .map(|name| format!("{name}.{zone}").trim_start_matches('.').to_owned())
        .collect()
}

impl Names {
    fn add(&mut self, name: String, about: &Key) {
        self.0.push((name, Some(about.clone())));
    }

    fn of_services(&mut self, world: &World, random: &mut Random) {
        let mut keys: BTreeSet<Key> = world.services.keys().cloned().collect();
        // Slices may be there without their service.
        let named = world.slices.values().filter_map(|slice| {
            Some((key(slice).0, label_of(slice, "kubernetes.io/service-name")?.to_owned()))
        });
        keys.extend(named);
        for about in &keys {
            let (namespace, name) = about;
            let service = format!("{name}.{namespace}.svc.cluster.local");
            self.add(service.clone(), about);
            self.add(format!("{name}.{namespace}.pod.cluster.local"), about);
            self.add(format!("{name}.svc.cluster.local"), about);
            self.add(format!("{name}.{namespace}.cluster.local"), about);
            self.add(format!("{name}.{namespace}.svc.clusterset.local"), about);
            self.add(format!("not-{name}.{namespace}.svc.cluster.local"), about);
            self.add(format!("{name}.not-{namespace}.svc.cluster.local"), about);
            let slices: Vec<&Value> = world.slices_of("kubernetes.io/service-name", about).collect();
            let own = world.services.get(about).map_or(&Value::Null, |service| &service["spec"]["ports"]);
            let below = parts(own, &slices, random);
            for part in below {
                self.add(format!("{part}.{service}"), about);
            }
        }
    }

    fn of_imports(&mut self, world: &World, variant: &Variant, random: &mut Random) {
        if !variant.cluster_set {
            return;
        }
        for (about, import) in &world.imports {
            let (namespace, name) = about;
            let service = format!("{name}.{namespace}.svc.clusterset.local");
            self.add(service.clone(), about);
            self.add(format!("{name}.{namespace}.svc.cluster.local"), about);
            let slices: Vec<&Value> =
                world.slices_of("multicluster.kubernetes.io/service-name", about).collect();
            for cluster in ["blue", "green", "red", "_blue", "tcp"] {
                self.add(format!("{cluster}.{service}"), about);
                self.add(format!("10-244-0-1.{cluster}.{service}"), about);
            }
            for slice in &slices {
                let cluster =
                    label_of(slice, "multicluster.kubernetes.io/source-cluster").unwrap_or_default();
                for label in endpoint_labels(slice) {
                    self.add(format!("{label}.{cluster}.{service}"), about);
                    self.add(format!("x.{label}.{cluster}.{service}"), about);
                }
            }
            for part in parts(&import["spec"]["ports"], &slices, random) {
                self.add(format!("{part}.{service}"), about);
            }
        }
    }

    fn of_namespaces(&mut self, world: &World) {
        let names = world.namespaces.keys().map(String::as_str).chain(["gone", "nowhere", "*", "any"]);
        for name in names {
            for zone in ["cluster.local", "clusterset.local", "10.in-addr.arpa"] {
                for form in ["svc", "pod", "node"] {
                    self.0.push((format!("{name}.{form}.{zone}"), None));
                }
                self.0.push((format!("{name}.{zone}"), None));
                for pod in [
                    "10-1-2-3",
                    "10-1-2-03",
                    "1-2-3",
                    "1-2-3-4-5",
                    "fd00--1",
                    "--1",
                    "--",
                    "1-2--3-4",
                    "a-b",
                    "fd00--10-1-2-3",
                    "--ffff-a01-203",
                ] {
                    self.0.push((format!("{pod}.{name}.pod.{zone}"), None));
                }
            }
        }
    }

    fn of_pods(&mut self, world: &World, random: &mut Random) {
        for (about, pod) in &world.pods {
            let namespace = &about.0;
            for address in texts_of(&pod["status"]["podIPs"], "ip") {
                let name = format!("{}.{namespace}.pod.cluster.local", dashed(address));
                if let Ok(address) = address.parse::<Ipv6Addr>() {
                    let groups = address.segments().map(|group| format!("{group:x}")).join("-");
                    self.add(format!("{groups}.{namespace}.pod.cluster.local"), about);
                }
                let other = random.pick(&world.namespaces.keys().collect::<Vec<_>>());
                self.add(format!("{}.{other}.pod.cluster.local", dashed(address)), about);
                self.add(format!("{}.{namespace}.svc.cluster.local", dashed(address)), about);
                for before in ["x", "_http._tcp", "x.y", "x.y.z"] {
                    self.add(format!("{before}.{name}"), about);
                }
                self.add(
                    format!("{}.{namespace}.pod.cluster.local", address.replace(['.', ':'], "-")),
                    about,
                );
                self.add(name, about);
                self.0.push((reversed(address.parse().unwrap()), Some(about.clone())));
            }
            self.add(format!("{}.{namespace}.pod.cluster.local", about.1), about);
            self.add(format!("db-0.web.{namespace}.svc.cluster.local"), about);
        }
    }

    fn reverse(&mut self, world: &World, random: &mut Random) {
        let mut addresses: Vec<(IpAddr, Key)> = Vec::new();
        for (about, service) in world.services.iter().chain(&world.imports) {
            let ips = texts(&service["spec"]["clusterIPs"]).chain(texts(&service["spec"]["ips"]));
            addresses.extend(ips.filter_map(|text| Some((text.parse().ok()?, about.clone()))));
        }
        for (about, slice) in &world.slices {
            let owner = label_of(slice, "kubernetes.io/service-name").unwrap_or(&about.1);
            let about = (about.0.clone(), owner.to_owned());
            let endpoints = slice["endpoints"].as_array().into_iter().flatten();
            let texts = endpoints.flat_map(|endpoint| texts(&endpoint["addresses"]));
            addresses.extend(texts.filter_map(|text| Some((text.parse().ok()?, about.clone()))));
        }
        addresses.sort_unstable();
        for (address, about) in addresses {
            let name = reversed(address);
            if random.percent(10) {
                // Above, and below.
                let labels: Vec<&str> = name.split('.').collect();
                let from = random.between(1, labels.len() - 3);
                self.add(labels[from..].join("."), &about);
                self.add(format!("x.{name}"), &about);
                self.add(format!("1.2.{name}"), &about);
            }
            if let (IpAddr::V4(address), true) = (address, random.percent(10)) {
                self.add(reversed(IpAddr::V6(address.to_ipv6_mapped())), &about);
            }
            self.add(name, &about);
        }
        for number in 0..40 {
            let unknown = Ipv6Addr::from(0xfd00_0099 << 96 | random.between(0, 1 << 40) as u128);
            self.0.push((reversed(IpAddr::V6(unknown)), None));
            self.0.push((format!("{number}.77.244.10.in-addr.arpa"), None));
        }
    }
}

/// Labels in front of a service with these ports and slices: endpoints, ports and protocols, and what is none of them.
fn parts(own: &Value, slices: &[&Value], random: &mut Random) -> BTreeSet<String> {
    // Not all of them each time, or they would be most of what is asked.
    let mut parts: BTreeSet<String> = random.sample(&PARTS, 12).into_iter().map(str::to_owned).collect();
    for of in std::iter::once(own).chain(slices.iter().map(|slice| &slice["ports"])) {
        for (name, protocol) in ports(of) {
            parts.insert(format!("_{name}._{protocol}"));
            parts.insert(format!("_{protocol}"));
            parts.insert(format!("{name}.{protocol}"));
            parts.insert(format!("_{name}._{}", random.pick(&["tcp", "udp", "sctp"])));
        }
    }
    let labels: Vec<String> = slices.iter().flat_map(|slice| endpoint_labels(slice)).collect();
    for label in random.sample(&labels, 6) {
        parts.insert(format!("_http._tcp.{label}"));
        parts.insert(format!("x.{label}"));
        parts.insert(label);
    }
    parts.retain(|part| part.split('.').all(|label| !label.is_empty()));
    parts
}

/// What the endpoints of a slice are called, or could be.
fn endpoint_labels(slice: &Value) -> Vec<String> {
    let mut labels = BTreeSet::new();
    for endpoint in slice["endpoints"].as_array().into_iter().flatten() {
        labels.extend(endpoint_names(endpoint, false));
        labels.extend(endpoint_names(endpoint, true));
        labels.extend(texts(&endpoint["addresses"]).map(dashed));
    }
    labels.into_iter().collect()
}

fn texts_of<'o>(list: &'o Value, field: &'o str) -> impl Iterator<Item = &'o str> {
    list.as_array().into_iter().flatten().filter_map(move |item| item[field].as_str())
}

/// The name that has the PTR records of an address.
pub(super) fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles =
                address.octets().into_iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
            format!("{}ip6.arpa", nibbles.collect::<String>())
        }
    }
}

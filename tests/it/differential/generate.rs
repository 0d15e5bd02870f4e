//! Clusters made of a seed: what an API server takes, and little of it tidy.
//!
//! Services of all types, slices as controllers and people write them, aliases that lead on, to nowhere and in circles,
//! pods in every phase, imported services, namespaces that are going or gone. Nothing is made of it by controllers: slices are
//! written as those would.

mod aliases;
mod imports;
mod pods;
mod services;
mod slices;

use serde_json::{Value, json};

use crate::support::kube::{NAMESPACES, Resource};
use crate::support::random::Random;

/// The longest label.
pub(super) const LONGEST: &str = "longest-of-all-names-that-fit-into-one-label-of-the-dns-63-long";
/// A namespace that is deleted and still there.
pub(super) const LEAVING: &str = "leaving";
/// A namespace that is gone, with objects left in it.
pub(super) const GONE: &str = "gone";
/// Namespaces that are hard to tell from something else, and ordinary ones.
pub(super) const NAMED: [&str; 14] = [
    "default",
    "shop",
    "data",
    "svc",
    "pod",
    "tcp",
    "any",
    "0-digits",
    "10-244-0-1",
    "dns",
    "a",
    LONGEST,
    LEAVING,
    GONE,
];

/// How much there is of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) namespaces: usize,
    pub(super) services: usize,
    pub(super) pods: usize,
    pub(super) imports: usize,
}

/// An object to be created.
pub(super) struct Planned {
    pub(super) resource: Resource,
    pub(super) object: Value,
    /// Its status, which is written after it.
    pub(super) status: Option<Value>,
    /// It is deleted then, and stays because something holds it.
    pub(super) leaves: bool,
}

/// A cluster in the making.
pub(super) struct Builder {
    random: Random,
    namespaces: Vec<String>,
    planned: Vec<Planned>,
    /// How many addresses of services were given.
    cluster_ips: u32,
    /// How many names were given, so that none is given twice.
    names: usize,
}

/// The objects of this seed, in an order in which they can be created: namespaces first.
pub(super) fn cluster(seed: u64, size: Size) -> Vec<Planned> {
    let mut builder = Builder::new(seed);
    builder.namespaces(size.namespaces);
    services::special(&mut builder);
    aliases::chains(&mut builder);
    builder.fill(size);
    builder.planned
}

/// More objects for a cluster of this seed and as many namespaces, of other names and addresses.
pub(super) fn more(seed: u64, size: Size) -> Vec<Planned> {
    let mut builder = Builder::new(!seed);
    builder.namespaces(size.namespaces);
    builder.namespaces.retain(|name| ![LEAVING, GONE].contains(&name.as_str()));
    builder.planned.clear();
    (builder.names, builder.cluster_ips) = (50_000, 10_000);
    builder.fill(size);
    builder.planned
}

impl Builder {
    fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        Self { random, namespaces: Vec::new(), planned: Vec::new(), cluster_ips: 0, names: 0 }
    }

    fn fill(&mut self, size: Size) {
        for _ in 0..size.services {
            let namespace = self.namespace();
            services::any(self, &namespace);
        }
        for _ in 0..size.pods {
            let namespace = self.namespace();
            pods::pod(self, &namespace);
        }
        for _ in 0..size.imports {
            let namespace = self.namespace();
            imports::import(self, &namespace);
        }
    }

    fn namespaces(&mut self, count: usize) {
        let more = NAMED.len()..count.max(NAMED.len());
        let names = NAMED.iter().map(ToString::to_string).chain(more.map(|number| format!("team-{number}")));
        self.namespaces = names.collect();
        for name in self.namespaces.clone() {
            let dns = self.random.pick(&["yes", "yes", "no"]);
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"dns": dns}}});
            // The API server makes `default` itself.
            if name != "default" {
                self.planned.push(Planned { resource: NAMESPACES, object, status: None, leaves: false });
            }
        }
    }

    /// One of the namespaces; the first ones have more in them than others.
    fn namespace(&mut self) -> String {
        let some = if self.random.percent(40) { 5.min(self.namespaces.len()) } else { self.namespaces.len() };
        self.namespaces[self.random.between(0, some - 1)].clone()
    }

    /// Adds an object under this name.
    fn add(&mut self, resource: Resource, namespace: &str, name: &str, mut object: Value) -> &mut Planned {
        object["metadata"]["namespace"] = json!(namespace);
        object["metadata"]["name"] = json!(name);
        object["metadata"]["labels"]["tier"] = json!(self.random.pick(&["front", "front", "back"]));
        self.planned.push(Planned { resource, object, status: None, leaves: false });
        self.planned.last_mut().unwrap()
    }

    /// A name that was not given yet; most begin with this.
    fn name(&mut self, beginning: &str) -> String {
        self.names += 1;
        match self.random.between(0, 39) {
            // As long as a name may be.
            0 => {
                let tail = format!("-{}", self.names);
                format!("{}{tail}", &LONGEST[..63 - tail.len()])
            }
            // It may not begin with a digit, unless the API server is so kind.
            1 => format!("{}-{beginning}", self.names),
            _ => format!("{beginning}-{}", self.names),
        }
    }

    /// An IPv4 address for a service, or an IPv6 one.
    fn cluster_ip(&mut self, family: &str) -> String {
        self.cluster_ips += 1;
        let (high, low) = (self.cluster_ips / 250 + 1, self.cluster_ips % 250 + 1);
        match family {
            "IPv4" => format!("10.96.{high}.{low}"),
            _ => format!("fd00:10:96::{high:x}{low:02x}"),
        }
    }

    /// An address for an endpoint or a pod: few enough that some are given twice.
    fn address(&mut self, family: &str) -> String {
        let number = self.random.between(1, 400);
        match (family, self.random.between(0, 59)) {
            ("IPv4", 0) => format!("10.96.1.{}", number % 250 + 1),
            ("IPv4", _) => format!("10.244.{}.{}", number / 200, number % 200 + 1),
            ("FQDN", 0..30) => format!("db-{}.example.net", number % 5),
            ("FQDN", 30..40) => "six.example".to_owned(),
            ("FQDN", 40..50) => "web.shop.svc.cluster.local".to_owned(),
            ("FQDN", _) => "nothing.shop.svc.cluster.local".to_owned(),
            // Ends with colons.
            (_, 0 | 1) => format!("fd00:{:x}::", number % 4 + 1),
            (_, 2 | 3) => format!("fd00:10:244:1:2:3:4:{number:x}"),
            (_, 6) => format!("fd00:10:96::1{:02x}", number % 250),
            _ => format!("fd00:10:244::{number:x}"),
        }
    }
}

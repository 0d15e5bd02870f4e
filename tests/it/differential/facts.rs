//! What a question is about, read from the objects: as much as the expected differences need to know.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;

use super::names::reversed;
use super::question::{Question, kind};
use super::reply::{Line, Reply};
use super::servers::Pair;
use super::variant::{Pods, Variant};
use super::world::{
    Key, World, cluster_ips, endpoint_names, is_alias, is_headless, key, label_of, ports, ready, texts,
};

/// A variant's view of the objects.
pub(super) struct Facts<'w> {
    pub(super) world: &'w World,
    pub(super) pair: &'w Pair,
    pub(super) variant: &'static Variant,
    /// Addresses that have a reverse name, with the names that they lead to in `cluster.local`.
    pub(super) pointers: BTreeMap<IpAddr, BTreeSet<String>>,
    /// Reverse names that stand above one of those.
    above: BTreeSet<String>,
    /// Addresses of endpoints in slices that name no service.
    unowned: BTreeSet<IpAddr>,
}

/// A question with what it is about.
pub(super) struct Context<'f> {
    pub(super) facts: &'f Facts<'f>,
    pub(super) question: &'f Question,
    pub(super) name: String,
    pub(super) zone: &'static str,
    /// In lower case, those before the zone.
    pub(super) labels: Vec<String>,
    /// What the plugin says to [`Context::in_lower_case`] or [`Context::unfiltered`].
    pub(super) otherwise: Option<&'f Reply>,
}

/// A service or import that a name belongs to.
pub(super) struct Named<'f> {
    pub(super) key: Key,
    pub(super) object: &'f Value,
    /// The labels before its own.
    pub(super) before: &'f [String],
    pub(super) imported: bool,
}

impl<'w> Facts<'w> {
    pub(super) fn new(world: &'w World, pair: &'w Pair) -> Self {
        let mut facts = Self {
            world,
            pair,
            variant: pair.variant,
            pointers: BTreeMap::new(),
            above: BTreeSet::new(),
            unowned: BTreeSet::new(),
        };
        let unowned =
            world.slices.values().filter(|slice| label_of(slice, "kubernetes.io/service-name").is_none());
        let addresses = unowned.flat_map(ready).flat_map(|endpoint| texts(&endpoint["addresses"]));
        facts.unowned = addresses.filter_map(|address| address.parse().ok()).collect();
        let services =
            world.services.values().filter(|service| facts.serves(&key(service)) && !is_alias(service));
        let services: Vec<&Value> = services.filter(|service| !facts.is_ignored(service)).collect();
        for service in &services {
            for ip in cluster_ips(service) {
                let (namespace, name) = key(service);
                facts.pointers.insert(ip, BTreeSet::from([format!("{name}.{namespace}.svc.cluster.local.")]));
            }
        }
        let owned: BTreeSet<IpAddr> = facts.pointers.keys().copied().collect();
        for service in services {
            let (namespace, name) = key(service);
            for endpoint in facts.slices(&key(service), false).into_iter().flat_map(ready) {
                for address in texts(&endpoint["addresses"]) {
                    let Ok(ip) = address.parse() else { continue };
                    if !owned.contains(&ip) {
                        let label = facts.label(endpoint, address);
                        let target = format!("{label}.{name}.{namespace}.svc.cluster.local.");
                        facts.pointers.entry(ip).or_default().insert(target);
                    }
                }
            }
        }
        for ip in facts.pointers.keys() {
            let name = reversed(*ip);
            let mut rest = name.as_str();
            while let Some((_, above)) = rest.split_once('.') {
                if !facts.above.insert(above.to_owned()) {
                    break;
                }
                rest = above;
            }
        }
        facts
    }

    /// What is known of a question.
    pub(super) fn context<'f>(&'f self, question: &'f Question, otherwise: Option<&'f Reply>) -> Context<'f> {
        let name = question.lower();
        let zone = self.variant.zone_of(&name).expect("names are asked for in zones");
        let labels = name[..name.len() - zone.len()].split('.').filter(|label| !label.is_empty());
        let labels = labels.map(str::to_owned).collect();
        Context { facts: self, question, zone, labels, name, otherwise }
    }

    /// Whether a Service is there and let through.
    pub(super) fn serves(&self, key: &Key) -> bool {
        self.variant.serves_namespace(self.world, &key.0)
            && self.world.services.get(key).is_some_and(|service| self.variant.takes(service))
    }

    /// Whether a service is left out because it has no ready endpoint.
    fn is_ignored(&self, service: &Value) -> bool {
        let mut endpoints = self.slices(&key(service), false).into_iter().flat_map(ready);
        self.variant.ignore_empty && !is_headless(service) && endpoints.next().is_none()
    }

    /// Whether a slice that names no service has the address.
    pub(super) fn is_unowned(&self, address: IpAddr) -> bool {
        self.unowned.contains(&address)
    }

    /// The slices of a service or an import that are let through.
    pub(super) fn slices(&self, key: &Key, imported: bool) -> Vec<&'w Value> {
        if self.variant.no_endpoints {
            return Vec::new();
        }
        let label = match imported {
            true => "multicluster.kubernetes.io/service-name",
            false => "kubernetes.io/service-name",
        };
        self.world.slices_of(label, key).filter(|slice| self.variant.takes(slice)).collect()
    }

    /// What we call an endpoint at one of its addresses.
    pub(super) fn label(&self, endpoint: &Value, address: &str) -> String {
        let names = endpoint_names(endpoint, self.variant.pod_names);
        let own =
            (endpoint["hostname"].is_string() || names.len() == 1).then(|| names.first().cloned()).flatten();
        let address = address.parse().map_or(address.to_owned(), |ip: IpAddr| ip.to_string());
        match own.filter(|name| !name.contains('.') && !is_dashed(name, endpoint)) {
            Some(name) => name,
            None => super::world::dashed(&address),
        }
    }

    /// Whether a reverse name stands above one that exists.
    pub(super) fn is_above(&self, name: &str) -> bool {
        self.above.contains(name)
    }

    /// The address that the plugin reads a reverse name as: a mapped one as IPv4, and up to three labels before it are skipped.
    pub(super) fn misread(name: &str) -> Option<IpAddr> {
        let labels: Vec<&str> =
            name.strip_suffix(".ip6.arpa").map_or(Vec::new(), |labels| labels.split('.').collect());
        let skipped = if (33..36).contains(&labels.len()) { labels.len() - 32 } else { 0 };
        let rest = name.splitn(skipped + 1, '.').last()?;
        Self::address_of(rest).map(|address| address.to_canonical())
    }

    /// The address of a reverse name, if it is one in full.
    pub(super) fn address_of(name: &str) -> Option<IpAddr> {
        let address: IpAddr = if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
            let octets: Vec<&str> = labels.rsplit('.').collect();
            octets.join(".").parse().ok()?
        } else {
            let labels: Vec<&str> = name.strip_suffix(".ip6.arpa")?.rsplit('.').collect();
            let groups: Vec<String> = labels.chunks(4).map(<[&str]>::concat).collect();
            groups.join(":").parse().ok()?
        };
        (reversed(address) == name).then_some(address)
    }
}

fn is_dashed(name: &str, endpoint: &Value) -> bool {
    texts(&endpoint["addresses"]).any(|address| super::world::dashed(address) == name)
}

impl<'f> Context<'f> {
    /// The labels before the zone.
    pub(super) fn labels(&self) -> Vec<&str> {
        self.labels.iter().map(String::as_str).collect()
    }

    /// The same question in lower case, where the plugin has another answer to it.
    pub(super) fn in_lower_case(&self) -> Option<Question> {
        let of_server = match self.labels()[..] {
            [] => self.question.kind == kind::NS,
            ["ns", "dns"] => true,
            _ => false,
        };
        let differs = of_server && self.zone_as_asked() != format!("{}.", self.zone);
        differs.then(|| Question { name: self.name.clone(), ..self.question.clone() })
    }

    /// The same question, for a plugin without a selector of namespaces.
    pub(super) fn unfiltered(&self) -> Option<Question> {
        (self.facts.pair.unfiltered.is_some() && self.named().is_some_and(|named| named.imported))
            .then(|| self.question.clone())
    }

    /// The SOA of the zone as negative answers to the question have it.
    pub(super) fn soa(&self) -> Line {
        Line::soa(&self.zone_as_asked(), self.facts.variant.ttl)
    }

    pub(super) fn is_reverse(&self) -> bool {
        self.zone.ends_with(".arpa")
    }

    /// The zone in the letter case of the question, with a final dot.
    pub(super) fn zone_as_asked(&self) -> String {
        format!("{}.", &self.question.name[self.question.name.len() - self.zone.len()..])
    }

    /// The address of a pod of the namespace, if the name says it in another spelling.
    pub(super) fn pod_in_other_spelling(&self) -> Option<IpAddr> {
        let [.., pod, namespace, "pod"] = self.labels()[..] else { return None };
        let text = pod.replace('-', ":");
        let address: IpAddr = text.parse().ok()?;
        let is_it =
            |pod: &Value| pod["status"]["podIP"] == address.to_string() && self.facts.variant.takes(pod);
        let mut pods = self.facts.world.pods.iter().filter(|(key, _)| key.0 == namespace);
        let verified = self.facts.variant.pods == Pods::Verified;
        (verified && text != address.to_string() && pods.any(|(_, pod)| is_it(pod))).then_some(address)
    }

    /// The namespace of a name that is one: `N.svc` or, if there are pod names, `N.pod`.
    pub(super) fn is_known_namespace(&self) -> bool {
        match self.labels()[..] {
            [name, "svc"] => self.facts.variant.serves_namespace(self.facts.world, name),
            [name, "pod"] => {
                self.facts.variant.pods != Pods::Disabled
                    && self.facts.variant.serves_namespace(self.facts.world, name)
            }
            _ => false,
        }
    }

    /// The service or import that the name is, or lies below.
    pub(super) fn named(&'f self) -> Option<Named<'f>> {
        let count = self.labels.len();
        if self.is_reverse() || count < 3 || self.labels[count - 1] != "svc" {
            return None;
        }
        let key = (self.labels[count - 2].clone(), self.labels[count - 3].clone());
        let imported = self.zone == "clusterset.local";
        let (facts, before) = (self.facts, &self.labels[..count - 3]);
        let object = if imported {
            let served = facts.variant.serves_namespace(facts.world, &key.0);
            facts.world.imports.get(&key).filter(|_| served)?
        } else {
            facts.world.services.get(&key).filter(|_| facts.serves(&key))?
        };
        Some(Named { key, object, before, imported })
    }
}

impl Named<'_> {
    pub(super) fn is_headless(&self) -> bool {
        if self.imported { self.object["spec"]["type"] == "Headless" } else { is_headless(self.object) }
    }

    /// Its ready endpoints, with the slices that they are in.
    pub(super) fn endpoints<'w>(&self, facts: &Facts<'w>) -> Vec<(&'w Value, &'w Value)> {
        let slices = facts.slices(&self.key, self.imported).into_iter();
        slices.flat_map(|slice| ready(slice).map(move |endpoint| (slice, endpoint))).collect()
    }

    /// Whether it is an import that has addresses and no ports.
    pub(super) fn lacks_ports(&self) -> bool {
        self.imported
            && !self.is_headless()
            && self.object["spec"]["ports"].as_array().is_none_or(Vec::is_empty)
    }

    /// Whether the name itself exists: that of an alias or of endpoints, or one with addresses and ports.
    pub(super) fn exists(&self, facts: &Facts<'_>) -> bool {
        let ignored = facts.variant.ignore_empty && !self.is_headless() && self.endpoints(facts).is_empty();
        !is_alias(self.object) && !self.lacks_ports() && !ignored
    }

    /// Whether an endpoint that becomes ready may make the name, where it does not exist.
    pub(super) fn may_come(&self, facts: &Facts<'_>) -> bool {
        if facts.variant.no_endpoints || is_alias(self.object) || self.lacks_ports() {
            return false;
        }
        let zonal = facts.variant.zonal && !self.imported && self.is_headless();
        let empty = self.endpoints(facts).is_empty();
        match self.before {
            [] => empty && (self.is_headless() || facts.variant.ignore_empty),
            [zone] if zonal && zone == "_zone" => empty,
            [.., directive, zone]
                if zonal && zone == "_zone" && ["pin", "prefer"].contains(&&**directive) =>
            {
                empty
            }
            [one] if self.is_headless() => !one.starts_with('_') || self.may_have_port("", one, facts),
            [_, _] if self.is_headless() && self.names_cluster() => true,
            [port, protocol] if self.is_headless() => self.may_have_port(port, protocol, facts),
            _ if self.is_waited_for(facts) => true,
            [protocol] => empty && facts.variant.ignore_empty && has_port(&self.own_ports(), "", protocol),
            [port, protocol] => {
                empty && facts.variant.ignore_empty && has_port(&self.own_ports(), port, protocol)
            }
            _ => false,
        }
    }

    /// Whether two labels are those of an endpoint and its cluster.
    fn names_cluster(&self) -> bool {
        self.imported && self.before.len() == 2 && !self.before.iter().any(|label| label.starts_with('_'))
    }

    fn own_ports(&self) -> Vec<(String, String)> {
        ports_or_none(&self.object["spec"]["ports"])
    }

    /// Whether endpoints may have such a port: the service has it or says nothing of ports, or some slice has it.
    fn may_have_port(&self, port: &str, protocol: &str, facts: &Facts<'_>) -> bool {
        let own = self.own_ports();
        let silent = own.iter().all(|(name, of)| name.is_empty() && of.is_empty());
        let bare = protocol.strip_prefix('_').unwrap_or(protocol);
        has_port(&own, port, protocol)
            || facts
                .slices(&self.key, self.imported)
                .into_iter()
                .any(|slice| has_port(&ports_or_none(&slice["ports"]), port, protocol))
            || silent && ["", "tcp", "udp", "sctp"].contains(&bare)
    }

    /// Whether an endpoint that is there and not ready is called so.
    fn is_waited_for(&self, facts: &Facts<'_>) -> bool {
        let cluster = match self.before {
            [_] if !self.imported => None,
            [_, cluster] if self.names_cluster() => Some(cluster.as_str()),
            _ => return false,
        };
        let slices = facts.slices(&self.key, self.imported).into_iter().filter(|slice| {
            let of = label_of(slice, "multicluster.kubernetes.io/source-cluster");
            cluster.is_none_or(|cluster| of.is_some_and(|of| of.eq_ignore_ascii_case(cluster)))
        });
        let all = slices.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
        let mut left_out = all.filter(|endpoint| endpoint["conditions"]["ready"] == false);
        left_out.any(|endpoint| {
            texts(&endpoint["addresses"])
                .any(|address| facts.label(endpoint, address).eq_ignore_ascii_case(&self.before[0]))
        })
    }

    /// Whether there are names below it that say a topology zone.
    pub(super) fn is_zonal(&self, facts: &Facts<'_>) -> bool {
        facts.variant.zonal && !self.imported && self.is_headless() && !self.endpoints(facts).is_empty()
    }

    /// The addresses of ready endpoints that are asked for, with their slices: all, those of one endpoint, with one
    /// port or in one topology zone.
    pub(super) fn asked<'w>(&self, facts: &Facts<'w>) -> Vec<(&'w Value, &'w str)> {
        let called = |endpoint: &Value, address: &str| match self.before {
            [label] => {
                let names = endpoint_names(endpoint, facts.variant.pod_names);
                let alone = endpoint["hostname"].is_string() || names.len() == 1;
                if alone { names.contains(label) } else { super::world::dashed(address) == *label }
            }
            _ => true,
        };
        let with_port = |slice: &Value| match self.before {
            [port, protocol] => has_port(&ports_or_none(&slice["ports"]), port, protocol),
            [.., _, label] => facts.variant.zonal && label == "_zone",
            _ => true,
        };
        let endpoints = self.endpoints(facts).into_iter().filter(|(slice, _)| with_port(slice));
        let mut addresses: Vec<_> = endpoints
            .flat_map(|(slice, endpoint)| {
                texts(&endpoint["addresses"]).map(move |address| (slice, endpoint, address))
            })
            .filter(|(_, endpoint, address)| called(endpoint, address))
            .collect();
        if let [zone @ .., directive, _] = self.before
            && !zone.is_empty()
        {
            let zone = zone.join(".");
            let inside = |endpoint: &Value| {
                endpoint["zone"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(&zone))
            };
            if directive == "pin" || addresses.iter().any(|(_, endpoint, _)| inside(endpoint)) {
                addresses.retain(|(_, endpoint, _)| inside(endpoint));
            }
        }
        addresses.into_iter().map(|(slice, _, address)| (slice, address)).collect()
    }

    /// Protocols of its ports: of its own, or those of the slices with a ready endpoint. No port is one without protocol.
    pub(super) fn protocols(&self, facts: &Facts<'_>) -> BTreeSet<String> {
        let protocols =
            |of: &Value| ports_or_none(of).into_iter().map(|(_, protocol)| protocol).collect::<Vec<_>>();
        if self.is_headless() {
            self.endpoints(facts).into_iter().flat_map(|(slice, _)| protocols(&slice["ports"])).collect()
        } else {
            protocols(&self.object["spec"]["ports"]).into_iter().collect()
        }
    }
}

/// Whether one of some ports has the name and the protocol of two labels; an empty one asks for any.
fn has_port(ports: &[(String, String)], port: &str, protocol: &str) -> bool {
    let part = |label: &str, is: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        label.is_empty() || label == is
    };
    ports.iter().any(|(name, of)| part(port, name) && part(protocol, of))
}

/// Names and protocols of ports; without any, those of the port that then stands for none.
fn ports_or_none(of: &Value) -> Vec<(String, String)> {
    let all: Vec<_> = ports(of).collect();
    if all.is_empty() { vec![(String::new(), String::new())] } else { all }
}

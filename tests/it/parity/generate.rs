//! Clusters made of a seed: what people write and what they should not, as far as Istio takes it.
//!
//! Namespaces, Services of every type with slices and pods, WorkloadEntries and ServiceEntries that share few hosts, so
//! that they meet: in one entry, in one namespace, in several, in one second and not, with names of Services.
//!
//! Left out, because istiod itself does not always give one answer: hosts that differ in letter case only, and a
//! WorkloadEntry and a Pod of one name, of which it may lose one (it files both under namespace and name).

mod entry;
mod kubernetes;
mod names;
mod workload;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use self::names::Place;
use crate::support::istiod::Mode;
use crate::support::random::Random;

/// The objects of a cluster.
pub(crate) struct Set {
    /// What it is made of.
    pub(crate) seed: u64,
    mode: Mode,
    /// Its namespaces; not all are objects of their own.
    pub(crate) namespaces: Vec<&'static str>,
    objects: Vec<Value>,
}

impl Set {
    /// The set of this seed, for clusters where addresses are allocated like this.
    pub(crate) fn generate(seed: u64, mode: Mode) -> Self {
        let mut random = Random::new(seed);
        let (namespaces, hard) = names::namespaces(&mut random, mode == Mode::Hash);
        let hosts = names::hosts(&mut random);
        let size = random.between(5, 40).max(2 * namespaces.len());
        let mut builder = Builder { random, namespaces, hosts, objects: Vec::new(), count: BTreeMap::new() };
        builder.fill(size, &hard);
        Self { seed, mode, namespaces: builder.namespaces, objects: builder.objects }
    }

    /// All objects as YAML documents.
    pub(crate) fn documents(&self) -> String {
        let documents: Vec<String> = self.objects.iter().map(|object| format!("{object:#}")).collect();
        documents.join("\n---\n")
    }

    /// The objects of this kind.
    pub(crate) fn of_kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// Whether two names that the hash allocator gives addresses to begin in one slot. Istio since 1.30 processes them in
    /// random order, so their addresses, and those that they displace, are not always the same.
    pub(crate) fn collides(&self) -> bool {
        let mut slots: BTreeMap<u32, (&str, &str)> = BTreeMap::new();
        let entries = self.of_kind("ServiceEntry").filter(|entry| {
            entry["spec"]["addresses"].is_null()
                && !matches!(entry["spec"]["resolution"].as_str(), None | Some("NONE"))
        });
        entries
            .flat_map(|entry| {
                entry["spec"]["hosts"].as_array().into_iter().flatten().map(move |host| (entry, host))
            })
            .any(|(entry, host)| {
                let (namespace, host) = (text(&entry["metadata"]["namespace"]), text(host));
                let is_new = !host.starts_with('*');
                is_new
                    && *slots.entry(names::slot(namespace, host)).or_insert((namespace, host))
                        != (namespace, host)
            })
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# seed {}, {:?}, {} objects", self.seed, self.mode, self.objects.len())?;
        f.write_str(&self.documents())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("generated objects have texts here")
}

/// A set in the making.
struct Builder {
    random: Random,
    namespaces: Vec<&'static str>,
    hosts: Vec<&'static str>,
    objects: Vec<Value>,
    /// How many names or addresses of each kind are given.
    count: BTreeMap<String, usize>,
}

impl Builder {
    fn fill(&mut self, size: usize, hard: &[Place]) {
        for namespace in self.namespaces.clone() {
            if self.random.percent(70) {
                let object =
                    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
                self.objects.push(object);
            }
        }
        for (namespace, host) in hard {
            entry::bare(self, namespace, host);
        }
        while self.objects.len() < size {
            let namespace = self.random.pick(&self.namespaces.clone());
            match self.random.between(0, 9) {
                0 | 1 if self.objects.len() + 6 < size => kubernetes::service(self, namespace),
                2 => kubernetes::lone_pod(self, namespace),
                3 => workload::workload_entry(self, namespace),
                _ => entry::entry(self, namespace),
            }
        }
    }

    /// Adds an object under this name, created at one of few times.
    fn add(&mut self, mut object: Value, namespace: &str, name: &str) {
        let second = self.random.pick(&["00", "00", "00", "01", "30"]);
        object["metadata"]["namespace"] = json!(namespace);
        object["metadata"]["name"] = json!(name);
        object["metadata"]["creationTimestamp"] = json!(format!("2026-01-01T00:00:{second}Z"));
        self.objects.push(object);
    }

    /// The object that was added last.
    fn last(&mut self) -> &mut Value {
        self.objects.last_mut().expect("one was added")
    }

    fn has(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let is_it = |object: &Value| {
            object["kind"] == kind
                && object["metadata"]["namespace"] == namespace
                && object["metadata"]["name"] == name
        };
        self.objects.iter().any(is_it)
    }

    /// A name that begins so and was not given yet in this namespace.
    fn fresh(&mut self, beginning: &str, namespace: &str) -> String {
        format!("{beginning}-{}", self.next(&format!("{beginning} in {namespace}")) - 1)
    }

    /// An address that begins with this and was not given yet: two octets of IPv4, or the first part of IPv6 up to the
    /// double colon.
    fn address(&mut self, beginning: &str) -> String {
        let number = self.next(beginning);
        if beginning.contains(':') {
            format!("{beginning}:{number:x}")
        } else {
            format!("{beginning}.0.{number}")
        }
    }

    fn next(&mut self, of: &str) -> usize {
        let count = self.count.entry(of.to_owned()).or_default();
        *count += 1;
        *count
    }
}

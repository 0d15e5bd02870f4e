//! What all sources said so far, and which units a change touches.
//!
//! A **unit** is what changes together: one Service with its slices, one ServiceImport with its slices, one pod
//! address, one ServiceEntry host with all entries that name it, one namespace. [`Inventory::apply`] folds a change
//! in and returns exactly the units that have to be compiled anew; the cost is that of the change.
//!
//! An object that is said again as it was touches nothing.
//!
//! Where two sources know an object of the same kind, namespace and name, the one with the lower number wins.

mod by_host;
mod intake;
mod layer;
mod unit_key;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

pub use intake::Fields;
pub use unit_key::UnitKey;

use crate::model::{
    Change, EndpointSlice, Key, Kind, Name, Namespace, Object, ObjectName, Pod, Service, ServiceEntry,
    ServiceImport, TableRow, Ttl, WorkloadEntry,
};
use intake::Intake;
use layer::Layer;

/// The number of the source whose objects are the rows of istiod's name table.
pub const TABLE: u8 = 2;

/// Everything that is known, source by source.
#[derive(Debug, Default)]
pub struct Inventory {
    layers: BTreeMap<u8, Layer>,
    intake: Intake,
}

/// Which address families the cluster hands out, as far as its Services show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FamiliesSeen {
    /// Some Service has an IPv4 cluster IP.
    pub v4: bool,
    /// Some Service has an IPv6 cluster IP.
    pub v6: bool,
}

impl Inventory {
    /// Empty; of the objects that come it keeps no fields but these.
    pub fn keeping(fields: Fields) -> Self {
        Self { layers: BTreeMap::new(), intake: Intake::new(fields) }
    }

    /// Folds one change of one source in and says which units it touches.
    pub fn apply(&mut self, source: u8, change: Change) -> BTreeSet<UnitKey> {
        let mut touched = BTreeSet::new();
        let before = (self.families_seen(), self.knows_table());
        self.fold(source, change, &mut touched);
        if (self.families_seen(), self.knows_table()) != before {
            touched.extend(self.layers.values().flat_map(Layer::host_keys));
        }
        touched
    }

    /// Every unit that something is known of.
    pub fn units(&self) -> BTreeSet<UnitKey> {
        let mut units = BTreeSet::new();
        self.layers.values().for_each(|layer| layer.touch_all(&mut units));
        units
    }

    /// Whether labels of objects are kept.
    pub fn keeps_labels(&self) -> bool {
        self.intake.keeps_labels()
    }

    fn fold(&mut self, source: u8, change: Change, touched: &mut BTreeSet<UnitKey>) {
        match change {
            Change::Replace(objects) => {
                let old = self.layers.remove(&source).unwrap_or_default();
                let mut fresh = Layer::default();
                for mut object in objects {
                    self.intake.take(&mut object);
                    fresh.upsert(object, &old, touched);
                }
                old.touch_all(touched);
                old.touch_endpoint_names(touched);
                let namespaces: BTreeSet<Arc<str>> =
                    old.workload_namespaces().chain(fresh.workload_namespaces()).map(Arc::from).collect();
                self.layers.insert(source, fresh);
                self.touch_namespaces(touched);
                for namespace in namespaces {
                    self.touch_selecting(source, &namespace, touched);
                }
            }
            Change::Upsert(mut object) => {
                self.intake.take(&mut object);
                let key = object.key();
                if self.layers.get(&source).is_some_and(|layer| layer.has(&object)) {
                    return;
                }
                self.layers.entry(source).or_default().upsert(object, &Layer::default(), touched);
                self.touch_others(source, &key, touched);
            }
            Change::Remove(key) => {
                if let Some(layer) = self.layers.get_mut(&source) {
                    layer.remove(&key, touched);
                }
                self.touch_others(source, &key, touched);
            }
            Change::Retain { kind, namespace, names } => {
                let layer = self.layers.entry(source).or_default();
                for key in layer.missing_in(kind, namespace.as_deref(), &names) {
                    self.fold(source, Change::Remove(key), touched);
                }
            }
            Change::Batch(changes) => {
                for change in changes {
                    self.fold(source, change, touched);
                }
            }
        }
    }

    /// What an object decides about objects of other kinds and sources.
    fn touch_others(&self, source: u8, key: &Key, touched: &mut BTreeSet<UnitKey>) {
        match key.kind {
            Kind::Namespace => self.touch_namespace(&key.name.name, touched),
            Kind::Pod | Kind::WorkloadEntry => self.touch_selecting(source, &key.name.namespace, touched),
            _ => {}
        }
    }

    /// Workloads of one source may be selected by entries of another. Its own entries were touched by labels.
    fn touch_selecting(&self, source: u8, namespace: &str, touched: &mut BTreeSet<UnitKey>) {
        for (_, layer) in self.layers.iter().filter(|(other, _)| **other != source) {
            layer.touch_all_selecting(namespace, touched);
        }
    }

    /// A namespace that comes, goes or changes its labels decides about everything in it.
    fn touch_namespace(&self, namespace: &str, touched: &mut BTreeSet<UnitKey>) {
        for layer in self.layers.values() {
            layer.touch_namespace(namespace, touched);
        }
    }

    /// After a replacement: objects of other sources may live in namespaces that came or went.
    fn touch_namespaces(&self, touched: &mut BTreeSet<UnitKey>) {
        let namespaces: Vec<Arc<str>> = touched
            .iter()
            .filter_map(|key| match key {
                UnitKey::Namespace(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        for namespace in namespaces {
            self.touch_namespace(&namespace, touched);
        }
    }

    /// The namespace of that name.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.layers.values().find_map(|layer| layer.namespaces.get(name))
    }

    /// The Service of that name.
    pub fn service(&self, name: &ObjectName) -> Option<&Service> {
        self.layers.values().find_map(|layer| layer.services.get(name).map(AsRef::as_ref))
    }

    /// The ServiceImport of that name.
    pub fn import(&self, name: &ObjectName) -> Option<&ServiceImport> {
        self.layers.values().find_map(|layer| layer.imports.get(name))
    }

    /// All slices of a Service, by slice name.
    pub fn slices(&self, service: &ObjectName) -> Vec<&EndpointSlice> {
        self.joined(|layer| layer.slices_of(service))
    }

    /// All slices of a ServiceImport, by slice name.
    pub fn imported_slices(&self, import: &ObjectName) -> Vec<&EndpointSlice> {
        self.joined(|layer| layer.imported_slices_of(import))
    }

    fn joined<'a, I>(&'a self, slices: impl Fn(&'a Layer) -> I) -> Vec<&'a EndpointSlice>
    where
        I: Iterator<Item = &'a EndpointSlice>,
    {
        let mut by_name: BTreeMap<&ObjectName, &EndpointSlice> = BTreeMap::new();
        for layer in self.layers.values() {
            for slice in slices(layer) {
                by_name.entry(&slice.name).or_insert(slice);
            }
        }
        by_name.into_values().collect()
    }

    /// Pods of a namespace that have this primary address.
    pub fn pods_at(&self, namespace: &str, address: IpAddr) -> Vec<&Pod> {
        self.layers.values().flat_map(|layer| layer.pods_at(namespace, address)).collect()
    }

    /// All entries that name a host, by name.
    pub fn entries_of(&self, host: &Name, wildcard: bool) -> Vec<&ServiceEntry> {
        let mut found: Vec<&ServiceEntry> = Vec::new();
        for layer in self.layers.values() {
            let alone = found.is_empty();
            found.extend(layer.entries_of(host, wildcard));
            if !alone {
                // Stable: of two with one name the first is that of the lower number.
                found.sort_by_key(|entry| &entry.name);
                found.dedup_by_key(|entry| &entry.name);
            }
        }
        found
    }

    /// The ServiceEntry of that name.
    pub fn entry(&self, name: &ObjectName) -> Option<&ServiceEntry> {
        self.layers.values().find_map(|layer| layer.entries.get(name))
    }

    /// All entries, source by source; where two sources know one, it comes twice.
    pub fn entries(&self) -> impl Iterator<Item = &ServiceEntry> {
        self.layers.values().flat_map(Layer::entries)
    }

    /// Objects with a TTL of their own, and that.
    pub fn with_ttl(&self) -> impl Iterator<Item = (Key, Ttl)> {
        self.layers.values().flat_map(Layer::with_ttl)
    }

    /// The pods of a namespace that have names, by name.
    pub fn pods_in(&self, namespace: &str) -> Vec<&Pod> {
        self.layers.values().flat_map(|layer| layer.pods_in(namespace)).collect()
    }

    /// The WorkloadEntries of a namespace, by name.
    pub fn workloads_in(&self, namespace: &str) -> Vec<&WorkloadEntry> {
        self.layers.values().flat_map(|layer| layer.workloads_in(namespace)).collect()
    }

    /// Whether proxies look a name up because it is an endpoint of an entry or a workload.
    pub fn is_endpoint(&self, name: &Name) -> bool {
        self.layers.values().any(|layer| layer.is_endpoint(name))
    }

    /// Whether istiod's name table is known, be it empty.
    pub fn knows_table(&self) -> bool {
        self.layers.contains_key(&TABLE)
    }

    /// The row of istiod's name table for a host.
    pub fn row_of(&self, host: &Name, wildcard: bool) -> Option<&TableRow> {
        self.layers.values().find_map(|layer| layer.row_of(host, wildcard))
    }

    /// Address families of the cluster IPs that are known.
    pub fn families_seen(&self) -> FamiliesSeen {
        FamiliesSeen {
            v4: self.layers.values().any(|layer| layer.with_v4 > 0),
            v6: self.layers.values().any(|layer| layer.with_v6 > 0),
        }
    }

    /// The next objects of one source behind a key, in the order of keys, at most `count`: what comes or goes between two
    /// pages is in the rest or is not. Costs what the page costs.
    pub fn page(&self, source: u8, after: Option<&Key>, count: usize) -> Vec<Object> {
        self.layers.get(&source).map(|layer| layer.page(after, count)).unwrap_or_default()
    }

    /// How many objects of a kind are known.
    pub fn count(&self, kind: Kind) -> usize {
        self.layers.values().map(|layer| layer.count(kind)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Host, Labels, Resolution};

    fn selecting() -> Object {
        Object::ServiceEntry(ServiceEntry {
            written: None,
            name: ObjectName::new("shop", "db"),
            labels: Labels::default(),
            hosts: vec![Host::parse("db.example").unwrap()],
            declares_addresses: false,
            addresses: Vec::new(),
            ports: Vec::new(),
            resolution: Resolution::Static,
            endpoints: Vec::new(),
            selector: Some(Labels::from_iter([("app", "db")])),
            answer: None,
            ttl: None,
            export_to: Vec::new(),
            created: 0,
            assigned: Vec::new(),
        })
    }

    fn pod(label: &str) -> Object {
        Object::Pod(Pod {
            name: ObjectName::new("shop", "db-0"),
            labels: Labels::from_iter([("app", label)]),
            address: Some("10.0.0.1".parse().unwrap()),
            ready: true,
            finished: false,
            terminating: false,
        })
    }

    #[test]
    fn what_is_said_again_touches_nothing() {
        let mut inventory = Inventory::default();
        for object in [selecting(), pod("db")] {
            assert!(!inventory.apply(1, Change::Upsert(object.clone())).is_empty());
            assert!(inventory.apply(1, Change::Upsert(object.clone())).is_empty(), "{object:?}");
            assert!(
                !inventory.apply(0, Change::Upsert(object)).is_empty(),
                "another source says it for the first time"
            );
        }
    }

    #[test]
    fn what_nobody_asks_for_touches_nothing() {
        let service = |label: &str| {
            Object::Service(Service {
                written: None,
                name: ObjectName::new("shop", "web"),
                labels: Labels::from_iter([("app", label)]),
                addressing: crate::model::Addressing::Headless,
                ports: [].into(),
                selects_pods: true,
                ttl: None,
            })
        };
        for (labels, touches) in [(false, false), (true, true)] {
            let mut inventory = Inventory::keeping(Fields { labels, ..Fields::default() });
            assert!(!inventory.apply(1, Change::Upsert(service("web"))).is_empty());
            assert_eq!(!inventory.apply(1, Change::Upsert(service("shop"))).is_empty(), touches);
        }
    }

    #[test]
    fn what_a_complete_list_lacks_is_gone() {
        let mut inventory = Inventory::default();
        let named = |namespace: &str, name: &str| {
            let Object::Pod(pod) = pod("db") else { unreachable!() };
            Object::Pod(Pod { name: ObjectName::new(namespace, name), ..pod })
        };
        let pods = [named("bank", "a"), named("shop", "a"), named("shop", "b")];
        inventory.apply(1, Change::Batch(pods.into_iter().map(Change::Upsert).collect()));
        inventory.apply(1, Change::Upsert(selecting()));
        let retain = |namespace: Option<&str>, names: &[ObjectName]| Change::Retain {
            kind: Kind::Pod,
            namespace: namespace.map(Box::from),
            names: names.iter().cloned().collect(),
        };
        let left = |inventory: &Inventory| -> Vec<String> {
            let pods = ["bank", "shop"].into_iter().flat_map(|namespace| inventory.pods_in(namespace));
            pods.map(|pod| pod.name.to_string()).collect()
        };
        let touched = inventory.apply(1, retain(Some("shop"), &[ObjectName::new("shop", "b")]));
        assert_eq!(left(&inventory), ["bank/a", "shop/b"]);
        assert!(touched.iter().any(|unit| matches!(unit, UnitKey::Host { .. })), "{touched:?}");
        inventory.apply(0, retain(None, &[]));
        assert_eq!(left(&inventory).len(), 2, "what another source lists is no matter of ours");
        inventory.apply(1, retain(None, &[ObjectName::new("bank", "a")]));
        assert_eq!(left(&inventory), ["bank/a"]);
        assert_eq!(inventory.count(Kind::ServiceEntry), 1);
    }

    #[test]
    fn workloads_of_one_source_touch_the_entries_of_another() {
        let host = UnitKey::Host { name: Name::parse("db.example").unwrap(), wildcard: false };
        let mut inventory = Inventory::default();
        inventory.apply(0, Change::Replace(vec![selecting()]));
        for change in [
            Change::Upsert(pod("db")),
            Change::Upsert(pod("web")),
            Change::Remove(pod("web").key()),
            Change::Replace(vec![pod("db")]),
            Change::Replace(Vec::new()),
        ] {
            assert!(inventory.apply(1, change.clone()).contains(&host), "{change:?}");
        }
    }
}

//! What one source said so far.

mod page;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::Bound;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::UnitKey;
use super::by_host::ByHost;
use crate::model::{
    Addressing, EndpointSlice, Host, Key, Kind, Labels, Name, Namespace, Object, ObjectName, Pod, Resolution,
    Service, ServiceEntry, ServiceImport, TableRow, Target, Ttl, WorkloadEntry,
};

/// The slices of each owner, in order.
type Owned = BTreeMap<ObjectName, Vec<ObjectName>>;

/// The objects of one source, in the order of their keys, with the indexes that compiling needs.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) namespaces: BTreeMap<Arc<str>, Namespace>,
    /// Boxed, like slices: the nodes of the maps have room for more than is in them.
    pub(super) services: BTreeMap<ObjectName, Box<Service>>,
    pub(super) imports: BTreeMap<ObjectName, ServiceImport>,
    slices: BTreeMap<ObjectName, Box<EndpointSlice>>,
    slices_by_service: Owned,
    slices_by_import: Owned,
    pods: BTreeMap<ObjectName, Pod>,
    pods_by_address: BTreeMap<(Arc<str>, IpAddr), BTreeSet<ObjectName>>,
    pub(super) entries: BTreeMap<ObjectName, ServiceEntry>,
    entries_by_host: ByHost<ObjectName>,
    /// Entries with a workloadSelector.
    selecting: BTreeSet<ObjectName>,
    /// The names that proxies look up because they are endpoints, each with how often it is one.
    endpoint_names: HashMap<Name, usize, RandomState>,
    workloads: BTreeMap<ObjectName, WorkloadEntry>,
    rows: BTreeMap<Box<str>, TableRow>,
    rows_by_host: ByHost<Box<str>>,
    /// How many Services have a cluster IP of each family.
    pub(super) with_v4: usize,
    pub(super) with_v6: usize,
}

impl Layer {
    /// Takes an object in. `before` is what this layer replaces, for what depends on having been known.
    pub(super) fn upsert(&mut self, object: Object, before: &Layer, touched: &mut BTreeSet<UnitKey>) {
        match object {
            Object::Namespace(namespace) => {
                touched.insert(UnitKey::Namespace(namespace.name.clone()));
                self.namespaces.insert(namespace.name.clone(), namespace);
            }
            Object::Service(mut service) => {
                // Its text is there already, once.
                if let Some((known, _)) = self.slices_by_service.get_key_value(&service.name) {
                    service.name = known.clone();
                }
                touched.insert(UnitKey::Service(service.name.clone()));
                self.count_families(&service, true);
                if let Some(old) = self.services.insert(service.name.clone(), Box::new(service)) {
                    self.count_families(&old, false);
                }
            }
            Object::EndpointSlice(slice) => self.upsert_slice(slice, touched),
            Object::Pod(pod) => self.upsert_pod(pod, before, touched),
            Object::ServiceImport(import) => {
                touched.insert(UnitKey::Import(import.name.clone()));
                self.imports.insert(import.name.clone(), import);
            }
            Object::ServiceEntry(entry) => {
                self.remove_entry(&entry.name, touched);
                self.count_endpoints(endpoint_names(&entry), true, touched);
                if entry.selector.is_some() {
                    self.selecting.insert(entry.name.clone());
                }
                for host in &entry.hosts {
                    touched.insert(host_key(host));
                    self.entries_by_host.insert(&host.name, host.wildcard, entry.name.clone());
                }
                self.entries.insert(entry.name.clone(), entry);
            }
            Object::WorkloadEntry(workload) => {
                self.remove_workload(&workload.name, touched);
                self.touch_selecting(&workload.name.namespace, &workload.labels, touched);
                self.count_endpoints(target_name(&workload.target), true, touched);
                self.workloads.insert(workload.name.clone(), workload);
            }
            Object::TableRow(row) => {
                self.remove_row(&row.host.text, touched);
                touched.insert(host_key(&row.host));
                self.rows_by_host.insert(&row.host.name, row.host.wildcard, row.host.text.clone());
                self.rows.insert(row.host.text.clone(), row);
            }
        }
    }

    /// Whether it has exactly this object.
    pub(super) fn has(&self, object: &Object) -> bool {
        match object {
            Object::Namespace(new) => self.namespaces.get(&new.name) == Some(new),
            Object::Service(new) => self.services.get(&new.name).is_some_and(|known| **known == *new),
            Object::EndpointSlice(new) => self.slices.get(&new.name).is_some_and(|known| **known == *new),
            Object::Pod(new) => self.pods.get(&new.name) == Some(new),
            Object::ServiceImport(new) => self.imports.get(&new.name) == Some(new),
            Object::ServiceEntry(new) => self.entries.get(&new.name) == Some(new),
            Object::WorkloadEntry(new) => self.workloads.get(&new.name) == Some(new),
            Object::TableRow(new) => self.rows.get(&new.host.text) == Some(new),
        }
    }

    /// The objects of a kind that are not among these.
    pub(super) fn missing_in(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        names: &BTreeSet<ObjectName>,
    ) -> Vec<Key> {
        let gone = |name: &&ObjectName| {
            namespace.is_none_or(|only| *name.namespace == *only) && !names.contains(*name)
        };
        let key = |name: &ObjectName| Key { kind, name: name.clone() };
        let without_namespace = |name: &str| ObjectName::new("", name);
        match kind {
            Kind::Namespace => {
                let names = self.namespaces.keys().map(|name| without_namespace(name));
                names.filter(|name| gone(&name)).map(|name| key(&name)).collect()
            }
            Kind::Service => self.services.keys().filter(gone).map(key).collect(),
            Kind::EndpointSlice => self.slices.keys().filter(gone).map(key).collect(),
            Kind::Pod => self.pods.keys().filter(gone).map(key).collect(),
            Kind::ServiceImport => self.imports.keys().filter(gone).map(key).collect(),
            Kind::ServiceEntry => self.entries.keys().filter(gone).map(key).collect(),
            Kind::WorkloadEntry => self.workloads.keys().filter(gone).map(key).collect(),
            Kind::TableRow => {
                let names = self.rows.keys().map(|name| without_namespace(name));
                names.filter(|name| gone(&name)).map(|name| key(&name)).collect()
            }
        }
    }

    /// A pod that is finished has no names, nor has one that is first seen while it is being deleted.
    fn upsert_pod(&mut self, pod: Pod, before: &Layer, touched: &mut BTreeSet<UnitKey>) {
        let known = self.pods.contains_key(&pod.name) || before.pods.contains_key(&pod.name);
        self.remove_pod(&pod.name, touched);
        if pod.finished || (pod.terminating && !known) {
            return;
        }
        self.touch_selecting(&pod.name.namespace, &pod.labels, touched);
        if let Some(address) = pod.address {
            touched.insert(UnitKey::Pod { namespace: pod.name.namespace.clone(), address });
            self.pods_by_address
                .entry((pod.name.namespace.clone(), address))
                .or_default()
                .insert(pod.name.clone());
        }
        self.pods.insert(pod.name.clone(), pod);
    }

    pub(super) fn remove(&mut self, key: &Key, touched: &mut BTreeSet<UnitKey>) {
        match key.kind {
            Kind::Namespace => {
                self.namespaces.remove(&key.name.name);
                touched.insert(UnitKey::Namespace(key.name.name.clone()));
            }
            Kind::Service => {
                if let Some(old) = self.services.remove(&key.name) {
                    self.count_families(&old, false);
                }
                touched.insert(UnitKey::Service(key.name.clone()));
            }
            Kind::EndpointSlice => self.remove_slice(&key.name, touched),
            Kind::Pod => self.remove_pod(&key.name, touched),
            Kind::ServiceImport => {
                self.imports.remove(&key.name);
                touched.insert(UnitKey::Import(key.name.clone()));
            }
            Kind::ServiceEntry => self.remove_entry(&key.name, touched),
            Kind::WorkloadEntry => self.remove_workload(&key.name, touched),
            Kind::TableRow => self.remove_row(&key.name.name, touched),
        }
    }

    fn upsert_slice(&mut self, mut slice: EndpointSlice, touched: &mut BTreeSet<UnitKey>) {
        self.remove_slice(&slice.name, touched);
        for (index, owner) in owners(&slice).collect::<Vec<_>>() {
            touched.insert(index.unit(&owner));
            // Its text is there already, once.
            let owner = self.services.get_key_value(&owner).map_or(owner, |(known, _)| known.clone());
            if matches!(index, Index::Service) {
                slice.service = Some(owner.name.clone());
            }
            let names = self.owned(index).entry(owner).or_default();
            if let Err(at) = names.binary_search(&slice.name) {
                // As a rule there is one.
                names.reserve_exact(usize::from(names.is_empty()));
                names.insert(at, slice.name.clone());
            }
        }
        self.slices.insert(slice.name.clone(), Box::new(slice));
    }

    fn remove_slice(&mut self, name: &ObjectName, touched: &mut BTreeSet<UnitKey>) {
        let Some(old) = self.slices.remove(name) else { return };
        for (index, owner) in owners(&old) {
            touched.insert(index.unit(&owner));
            if let Some(names) = self.owned(index).get_mut(&owner) {
                if let Ok(at) = names.binary_search(name) {
                    names.remove(at);
                }
                if names.is_empty() {
                    self.owned(index).remove(&owner);
                }
            }
        }
    }

    fn remove_pod(&mut self, name: &ObjectName, touched: &mut BTreeSet<UnitKey>) {
        let Some(old) = self.pods.remove(name) else { return };
        self.touch_selecting(&name.namespace, &old.labels, touched);
        if let Some(address) = old.address {
            let at = (name.namespace.clone(), address);
            forget(&mut self.pods_by_address, &at, name);
            touched.insert(UnitKey::Pod { namespace: at.0, address });
        }
    }

    fn remove_entry(&mut self, name: &ObjectName, touched: &mut BTreeSet<UnitKey>) {
        let Some(old) = self.entries.remove(name) else { return };
        self.selecting.remove(name);
        self.count_endpoints(endpoint_names(&old), false, touched);
        for host in &old.hosts {
            self.entries_by_host.remove(&host.name, host.wildcard, name);
            touched.insert(host_key(host));
        }
    }

    fn remove_workload(&mut self, name: &ObjectName, touched: &mut BTreeSet<UnitKey>) {
        let Some(old) = self.workloads.remove(name) else { return };
        self.touch_selecting(&name.namespace, &old.labels, touched);
        self.count_endpoints(target_name(&old.target), false, touched);
    }

    /// The hosts of the entries of a namespace that select such labels.
    fn touch_selecting(&self, namespace: &str, labels: &Labels, touched: &mut BTreeSet<UnitKey>) {
        let from = ObjectName::new(namespace, "");
        let within = |name: &&ObjectName| *name.namespace == *namespace;
        for name in self.selecting.range(from..).take_while(within) {
            let Some(entry) = self.entries.get(name) else { continue };
            if entry.selector.as_ref().is_some_and(|selector| labels.contains_all(selector)) {
                touched.extend(entry.hosts.iter().map(host_key));
            }
        }
    }

    /// The hosts of all entries of a namespace that select workloads: for workloads that another source tells of.
    pub(super) fn touch_all_selecting(&self, namespace: &str, touched: &mut BTreeSet<UnitKey>) {
        let from = ObjectName::new(namespace, "");
        let within = |name: &&ObjectName| *name.namespace == *namespace;
        let entries =
            self.selecting.range(from..).take_while(within).filter_map(|name| self.entries.get(name));
        touched.extend(entries.flat_map(|entry| entry.hosts.iter().map(host_key)));
    }

    /// The namespaces that have workloads.
    pub(super) fn workload_namespaces(&self) -> impl Iterator<Item = &str> {
        self.pods.keys().chain(self.workloads.keys()).map(|name| &*name.namespace)
    }

    /// The hosts of this name, if proxies look it up because of what is here.
    pub(super) fn touch_endpoint_names(&self, touched: &mut BTreeSet<UnitKey>) {
        let key = |name: &Name| UnitKey::Host { name: name.clone(), wildcard: false };
        touched.extend(self.endpoint_names.keys().map(key));
    }

    /// Counts names that proxies look up, and touches the host of each that becomes one or ceases to be one.
    fn count_endpoints<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a Name>,
        added: bool,
        touched: &mut BTreeSet<UnitKey>,
    ) {
        for name in names {
            let count = self.endpoint_names.entry(name.clone()).or_default();
            let before = *count;
            *count = if added { before + 1 } else { before.saturating_sub(1) };
            let now = *count;
            if (before == 0) != (now == 0) {
                touched.insert(UnitKey::Host { name: name.clone(), wildcard: false });
            }
            if now == 0 {
                self.endpoint_names.remove(name);
            }
        }
    }

    fn remove_row(&mut self, text: &str, touched: &mut BTreeSet<UnitKey>) {
        let Some(old) = self.rows.remove(text) else { return };
        self.rows_by_host.remove(&old.host.name, old.host.wildcard, &old.host.text);
        touched.insert(host_key(&old.host));
    }

    fn count_families(&mut self, service: &Service, added: bool) {
        let Addressing::ClusterIps(addresses) = &service.addressing else { return };
        let step = |count: &mut usize| *count = if added { *count + 1 } else { count.saturating_sub(1) };
        if addresses.iter().any(IpAddr::is_ipv4) {
            step(&mut self.with_v4);
        }
        if addresses.iter().any(IpAddr::is_ipv6) {
            step(&mut self.with_v6);
        }
    }

    /// Every unit that anything here belongs to.
    pub(super) fn touch_all(&self, touched: &mut BTreeSet<UnitKey>) {
        touched.extend(self.namespaces.keys().map(|name| UnitKey::Namespace(name.clone())));
        touched.extend(self.services.keys().map(|name| UnitKey::Service(name.clone())));
        touched.extend(self.slices_by_service.keys().map(|name| UnitKey::Service(name.clone())));
        touched.extend(self.imports.keys().map(|name| UnitKey::Import(name.clone())));
        touched.extend(self.slices_by_import.keys().map(|name| UnitKey::Import(name.clone())));
        touched.extend(
            self.pods_by_address
                .keys()
                .map(|(namespace, address)| UnitKey::Pod { namespace: namespace.clone(), address: *address }),
        );
        touched.extend(self.host_keys());
    }

    pub(super) fn host_keys(&self) -> impl Iterator<Item = UnitKey> {
        self.entries_by_host.units().chain(self.rows_by_host.units())
    }

    /// Every unit whose existence hangs on a namespace.
    pub(super) fn touch_namespace(&self, namespace: &str, touched: &mut BTreeSet<UnitKey>) {
        let from = ObjectName::new(namespace, "");
        let within = |name: &&ObjectName| *name.namespace == *namespace;
        let start = Bound::Included(&from);
        let services = self.services.range::<ObjectName, _>((start, Bound::Unbounded)).map(|(name, _)| name);
        touched.extend(services.take_while(within).map(|name| UnitKey::Service(name.clone())));
        let imports = self.imports.range::<ObjectName, _>((start, Bound::Unbounded)).map(|(name, _)| name);
        touched.extend(imports.take_while(within).map(|name| UnitKey::Import(name.clone())));
        let pods = self.pods.range::<ObjectName, _>((start, Bound::Unbounded));
        touched.extend(pods.take_while(|(name, _)| within(name)).filter_map(|(name, pod)| {
            Some(UnitKey::Pod { namespace: name.namespace.clone(), address: pod.address? })
        }));
    }

    pub(super) fn slices_of(&self, service: &ObjectName) -> impl Iterator<Item = &EndpointSlice> {
        self.named_slices(self.slices_by_service.get(service))
    }

    pub(super) fn imported_slices_of(&self, import: &ObjectName) -> impl Iterator<Item = &EndpointSlice> {
        self.named_slices(self.slices_by_import.get(import))
    }

    fn named_slices(&self, names: Option<&Vec<ObjectName>>) -> impl Iterator<Item = &EndpointSlice> {
        names.into_iter().flatten().filter_map(|name| self.slices.get(name).map(AsRef::as_ref))
    }

    pub(super) fn pods_at(&self, namespace: &str, address: IpAddr) -> impl Iterator<Item = &Pod> {
        let names = self.pods_by_address.get(&(namespace.into(), address));
        names.into_iter().flatten().filter_map(|name| self.pods.get(name))
    }

    pub(super) fn entries_of(&self, host: &Name, wildcard: bool) -> impl Iterator<Item = &ServiceEntry> {
        self.entries_by_host.get(host, wildcard).filter_map(|name| self.entries.get(name))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &ServiceEntry> {
        self.entries.values()
    }

    /// Objects with a TTL of their own, and that.
    pub(super) fn with_ttl(&self) -> impl Iterator<Item = (Key, Ttl)> {
        let key = |kind, name: &ObjectName| Key { kind, name: name.clone() };
        let services = self.services.values();
        let services =
            services.filter_map(move |service| Some((key(Kind::Service, &service.name), service.ttl?)));
        let entries = self.entries.values();
        services
            .chain(entries.filter_map(move |entry| Some((key(Kind::ServiceEntry, &entry.name), entry.ttl?))))
    }

    pub(super) fn pods_in(&self, namespace: &str) -> impl Iterator<Item = &Pod> {
        let pods = self.pods.range(ObjectName::new(namespace, "")..);
        pods.map(|(_, pod)| pod).take_while(move |pod| *pod.name.namespace == *namespace)
    }

    pub(super) fn workloads_in(&self, namespace: &str) -> impl Iterator<Item = &WorkloadEntry> {
        let workloads = self.workloads.range(ObjectName::new(namespace, "")..);
        workloads.map(|(_, workload)| workload).take_while(move |w| *w.name.namespace == *namespace)
    }

    pub(super) fn is_endpoint(&self, name: &Name) -> bool {
        self.endpoint_names.contains_key(name)
    }

    /// The row of istiod's name table for a host. Of rows that differ in letter case alone the first counts.
    pub(super) fn row_of(&self, host: &Name, wildcard: bool) -> Option<&TableRow> {
        self.rows.get(self.rows_by_host.get(host, wildcard).next()?)
    }

    pub(super) fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Namespace => self.namespaces.len(),
            Kind::Service => self.services.len(),
            Kind::EndpointSlice => self.slices.len(),
            Kind::Pod => self.pods.len(),
            Kind::ServiceImport => self.imports.len(),
            Kind::ServiceEntry => self.entries.len(),
            Kind::WorkloadEntry => self.workloads.len(),
            Kind::TableRow => self.rows.len(),
        }
    }

    fn owned(&mut self, index: Index) -> &mut Owned {
        match index {
            Index::Service => &mut self.slices_by_service,
            Index::Import => &mut self.slices_by_import,
        }
    }
}

fn host_key(host: &Host) -> UnitKey {
    UnitKey::Host { name: host.name.clone(), wildcard: host.wildcard }
}

/// The names that proxies look up to reach the endpoints of an entry.
fn endpoint_names(entry: &ServiceEntry) -> impl Iterator<Item = &Name> {
    let looked_up = matches!(entry.resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    entry.endpoints.iter().filter(move |_| looked_up).filter_map(target_name)
}

fn target_name(target: &Target) -> Option<&Name> {
    if let Target::Host { name, .. } = target { Some(name) } else { None }
}

/// The two kinds of objects that own slices.
#[derive(Clone, Copy)]
enum Index {
    Service,
    Import,
}

impl Index {
    fn unit(self, owner: &ObjectName) -> UnitKey {
        match self {
            Index::Service => UnitKey::Service(owner.clone()),
            Index::Import => UnitKey::Import(owner.clone()),
        }
    }
}

fn owners(slice: &EndpointSlice) -> impl Iterator<Item = (Index, ObjectName)> {
    let owner = |name: &str| ObjectName::new(slice.name.namespace.clone(), name);
    let service = slice.service.as_ref().map(|name| (Index::Service, owner(name)));
    let import = slice.import.as_ref().map(|import| (Index::Import, owner(&import.service)));
    service.into_iter().chain(import)
}

fn forget<K: Ord>(index: &mut BTreeMap<K, BTreeSet<ObjectName>>, at: &K, name: &ObjectName) {
    if let Some(names) = index.get_mut(at) {
        names.remove(name);
        if names.is_empty() {
            index.remove(at);
        }
    }
}

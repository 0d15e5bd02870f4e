//! A source's objects in pages, so that whoever copies all of them holds up nobody for long.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::Layer;
use crate::model::{Key, Kind, Object};

impl Layer {
    /// The objects behind a key, in the order of keys, at most `count`.
    pub(in crate::inventory) fn page(&self, after: Option<&Key>, count: usize) -> Vec<Object> {
        let mut page = Vec::new();
        for kind in Kind::ALL {
            let after = match after {
                Some(key) if key.kind > kind => continue,
                Some(key) if key.kind == kind => Some(&key.name),
                _ => None,
            };
            let (text, left) = (after.map(|name| &name.name), count - page.len());
            let row = after.map(|name| Box::from(&*name.name));
            match kind {
                Kind::Namespace => add(&mut page, &self.namespaces, text, left, Object::Namespace),
                Kind::Service => add(&mut page, &self.services, after, left, |one| Object::Service(*one)),
                Kind::EndpointSlice => {
                    add(&mut page, &self.slices, after, left, |one| Object::EndpointSlice(*one));
                }
                Kind::Pod => add(&mut page, &self.pods, after, left, Object::Pod),
                Kind::ServiceImport => add(&mut page, &self.imports, after, left, Object::ServiceImport),
                Kind::ServiceEntry => add(&mut page, &self.entries, after, left, Object::ServiceEntry),
                Kind::WorkloadEntry => add(&mut page, &self.workloads, after, left, Object::WorkloadEntry),
                Kind::TableRow => add(&mut page, &self.rows, row.as_ref(), left, Object::TableRow),
            }
        }
        page
    }
}

fn add<K: Ord, T: Clone>(
    page: &mut Vec<Object>,
    all: &BTreeMap<K, T>,
    after: Option<&K>,
    count: usize,
    object: fn(T) -> Object,
) {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    let behind = all.range::<K, _>((start, Bound::Unbounded)).map(|(_, one)| object(one.clone()));
    page.extend(behind.take(count));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use crate::inventory::Inventory;
    use crate::model::{
        Addressing, Change, EndpointSlice, Host, Key, Labels, Namespace, Object, ObjectName, Pod, Registry,
        Resolution, Service, ServiceEntry, ServiceImport, TableRow, Target, WorkloadEntry,
    };

    /// One object of each kind, called so.
    fn object(kind: usize, namespace: &str, name: &str) -> Object {
        let (name, labels) = (ObjectName::new(namespace, name), Labels::default());
        let host = Host::parse(&format!("{}.{}.example", name.name, name.namespace)).unwrap();
        match kind {
            0 => Object::Namespace(Namespace { name: name.name, labels }),
            1 => Object::Service(Service {
                written: None,
                name,
                labels,
                addressing: Addressing::Headless,
                ports: [].into(),
                selects_pods: false,
                ttl: None,
            }),
            2 => Object::EndpointSlice(EndpointSlice {
                written: None,
                name,
                labels,
                service: None,
                import: None,
                ports: [].into(),
                endpoints: Vec::new(),
                mirrored: false,
            }),
            3 => Object::Pod(Pod {
                name,
                labels,
                address: None,
                ready: true,
                finished: false,
                terminating: false,
            }),
            4 => Object::ServiceImport(ServiceImport {
                written: None,
                name,
                labels,
                addresses: None,
                ports: Vec::new(),
            }),
            5 => Object::ServiceEntry(ServiceEntry {
                written: None,
                name,
                labels,
                hosts: vec![host],
                declares_addresses: false,
                addresses: Vec::new(),
                ports: Vec::new(),
                resolution: Resolution::Static,
                endpoints: Vec::new(),
                selector: None,
                answer: None,
                ttl: None,
                export_to: Vec::new(),
                created: 0,
                assigned: Vec::new(),
            }),
            6 => Object::WorkloadEntry(WorkloadEntry {
                name,
                labels,
                target: Target::Unanswerable,
                healthy: true,
            }),
            _ => Object::TableRow(TableRow { host, addresses: Vec::new(), registry: Registry::External }),
        }
    }

    fn any() -> impl Strategy<Value = Object> {
        (0usize..8, 0u8..3, 0u8..12).prop_map(|(kind, namespace, name)| {
            object(kind, &format!("ns-{namespace}"), &format!("o-{name}"))
        })
    }

    /// All pages of such a size.
    fn walked(inventory: &Inventory, source: u8, count: usize) -> Vec<Object> {
        let (mut all, mut after) = (Vec::new(), None::<Key>);
        loop {
            let page = inventory.page(source, after.as_ref(), count);
            assert!(page.len() <= count);
            let Some(last) = page.last() else { return all };
            after = Some(last.key());
            all.extend(page);
        }
    }

    proptest! {
        #[test]
        fn pages_have_every_object_once_in_order(
            objects in proptest::collection::vec(any(), 0..80),
            others in proptest::collection::vec(any(), 0..9),
            count in 1usize..20,
        ) {
            let mut inventory = Inventory::default();
            inventory.apply(1, Change::Replace(objects.clone()));
            inventory.apply(3, Change::Replace(others));
            let sorted: BTreeMap<Key, Object> =
                objects.into_iter().map(|object| (object.key(), object)).collect();
            prop_assert_eq!(walked(&inventory, 1, count), sorted.into_values().collect::<Vec<_>>());
            prop_assert!(inventory.page(2, None, count).is_empty());
            prop_assert!(inventory.page(1, None, 0).is_empty());
        }
    }

    #[test]
    fn what_comes_and_goes_between_pages_is_there_or_not() {
        let mut inventory = Inventory::default();
        let service = |name| object(1, "shop", name);
        inventory.apply(1, Change::Replace(["b", "d", "f"].map(service).into()));
        let last = inventory.page(1, None, 1)[0].key();
        assert_eq!(last, service("b").key());
        // The key itself may be gone, and what comes before it is not told of any more.
        for gone in ["b", "d"] {
            inventory.apply(1, Change::Remove(service(gone).key()));
        }
        for new in ["a", "c"] {
            inventory.apply(1, Change::Upsert(service(new)));
        }
        assert_eq!(inventory.page(1, Some(&last), 9), ["c", "f"].map(service));
        // Whatever else replaces everything.
        inventory.apply(1, Change::Replace(vec![object(0, "any", "shop"), service("x")]));
        assert_eq!(inventory.page(1, Some(&last), 9), [service("x")]);
    }
}

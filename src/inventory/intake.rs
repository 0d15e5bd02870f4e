//! What is kept of objects: texts that many of them have are kept once, and what nobody will ask for is not kept.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::{EndpointSlice, Object, ObjectName, Port, Service};

/// Fewer values than these are never looked through for some that nobody has any more.
const FEW: usize = 64;

/// Fields that are only asked for under some settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Labels of Services and slices.
    pub labels: bool,
    /// The pods of endpoints.
    pub endpoint_pods: bool,
}

impl Default for Fields {
    /// All of them.
    fn default() -> Self {
        Self { labels: true, endpoint_pods: true }
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |is_kept| if is_kept { "with" } else { "without" };
        write!(f, "{} labels, {} pods of endpoints", with(self.labels), with(self.endpoint_pods))
    }
}

/// Makes objects small before they are kept.
#[derive(Debug, Default)]
pub(super) struct Intake {
    fields: Fields,
    texts: Shared<str>,
    ports: Shared<[Port]>,
}

impl Intake {
    pub(super) fn new(fields: Fields) -> Self {
        Self { fields, ..Self::default() }
    }

    pub(super) fn keeps_labels(&self) -> bool {
        self.fields.labels
    }

    pub(super) fn take(&mut self, object: &mut Object) {
        match object {
            Object::Service(service) => self.service(service),
            Object::EndpointSlice(slice) => self.slice(slice),
            Object::Pod(pod) => self.namespace(&mut pod.name),
            Object::ServiceImport(import) => self.namespace(&mut import.name),
            Object::ServiceEntry(entry) => self.namespace(&mut entry.name),
            Object::WorkloadEntry(workload) => self.namespace(&mut workload.name),
            Object::Namespace(_) | Object::TableRow(_) => {}
        }
    }

    fn service(&mut self, service: &mut Service) {
        self.namespace(&mut service.name);
        self.ports.share(&mut service.ports);
        if !self.fields.labels {
            service.labels = Default::default();
        }
    }

    fn slice(&mut self, slice: &mut EndpointSlice) {
        self.namespace(&mut slice.name);
        self.ports.share(&mut slice.ports);
        if !self.fields.labels {
            slice.labels = Default::default();
        }
        slice.endpoints.shrink_to_fit();
        for endpoint in &mut slice.endpoints {
            if let Some(zone) = &mut endpoint.zone {
                self.texts.share(zone);
            }
            if !self.fields.endpoint_pods {
                endpoint.target = None;
            }
        }
    }

    fn namespace(&mut self, name: &mut ObjectName) {
        self.texts.share(&mut name.namespace);
    }
}

/// Values of which there is one each. Those that nobody has any more are forgotten from time to time.
#[derive(Debug)]
struct Shared<T: ?Sized> {
    values: HashSet<Arc<T>, RandomState>,
    /// With so many it is time.
    enough: usize,
}

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self { values: HashSet::default(), enough: FEW }
    }
}

impl<T: Hash + Eq + ?Sized> Shared<T> {
    /// Puts the one that is known in place of an equal one.
    fn share(&mut self, value: &mut Arc<T>) {
        if let Some(known) = self.values.get(value) {
            value.clone_from(known);
            return;
        }
        if self.values.len() >= self.enough {
            self.values.retain(|value| Arc::strong_count(value) > 1);
            self.enough = FEW.max(self.values.len() * 2);
        }
        self.values.insert(value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_become_one_and_are_forgotten_when_nobody_has_them() {
        let mut texts = Shared::<str>::default();
        let (mut a, mut b): (Arc<str>, Arc<str>) = ("shop".into(), "shop".into());
        texts.share(&mut a);
        texts.share(&mut b);
        assert!(Arc::ptr_eq(&a, &b));
        for number in 0..100 * FEW {
            texts.share(&mut number.to_string().into());
        }
        assert!(texts.values.len() <= 2 * FEW, "{} are kept", texts.values.len());
        let mut c: Arc<str> = "shop".into();
        texts.share(&mut c);
        assert!(Arc::ptr_eq(&a, &c), "what is in use stays");
    }
}

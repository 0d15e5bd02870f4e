//! Objects, what they are called, and the steps in which a source tells of them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::{EndpointSlice, Namespace, Pod, Service, ServiceEntry, ServiceImport, TableRow, WorkloadEntry};

/// Namespace and name of an object, as stored. A clone shares both texts.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// Its namespace; empty for objects outside namespaces.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl ObjectName {
    /// Both parts.
    pub fn new(namespace: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The kinds of objects that matter to DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A namespace.
    Namespace,
    /// A service of Kubernetes.
    Service,
    /// A set of endpoints; Endpoints objects become these.
    EndpointSlice,
    /// A pod.
    Pod,
    /// A service of another cluster.
    ServiceImport,
    /// A service of the mesh.
    ServiceEntry,
    /// A machine of the mesh.
    WorkloadEntry,
    /// A row of istiod's name table; it has no namespace and is called by its host.
    TableRow,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 8] = [
        Kind::Namespace,
        Kind::Service,
        Kind::EndpointSlice,
        Kind::Pod,
        Kind::ServiceImport,
        Kind::ServiceEntry,
        Kind::WorkloadEntry,
        Kind::TableRow,
    ];

    /// The name as manifests write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Namespace => "Namespace",
            Kind::Service => "Service",
            Kind::EndpointSlice => "EndpointSlice",
            Kind::Pod => "Pod",
            Kind::ServiceImport => "ServiceImport",
            Kind::ServiceEntry => "ServiceEntry",
            Kind::WorkloadEntry => "WorkloadEntry",
            Kind::TableRow => "name table row",
        }
    }
}

/// What one object is called.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace and name.
    pub name: ObjectName,
}

impl Key {
    /// Reads the form `Kind/namespace/name`, such as `Service/shop/web`; the letter case of the kind does not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (kind, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || namespace.is_empty() || name.is_empty() {
            return None;
        }
        let kind = Kind::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(kind))?;
        Some(Self { kind, name: ObjectName::new(namespace, name) })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An object of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A namespace.
    Namespace(Namespace),
    /// A service of Kubernetes.
    Service(Service),
    /// A set of endpoints.
    EndpointSlice(EndpointSlice),
    /// A pod.
    Pod(Pod),
    /// A service of another cluster.
    ServiceImport(ServiceImport),
    /// A service of the mesh.
    ServiceEntry(ServiceEntry),
    /// A machine of the mesh.
    WorkloadEntry(WorkloadEntry),
    /// A row of istiod's name table.
    TableRow(TableRow),
}

impl Object {
    /// What it is called.
    pub fn key(&self) -> Key {
        let (kind, name) = match self {
            Object::Namespace(o) => (Kind::Namespace, ObjectName::new("", o.name.clone())),
            Object::Service(o) => (Kind::Service, o.name.clone()),
            Object::EndpointSlice(o) => (Kind::EndpointSlice, o.name.clone()),
            Object::Pod(o) => (Kind::Pod, o.name.clone()),
            Object::ServiceImport(o) => (Kind::ServiceImport, o.name.clone()),
            Object::ServiceEntry(o) => (Kind::ServiceEntry, o.name.clone()),
            Object::WorkloadEntry(o) => (Kind::WorkloadEntry, o.name.clone()),
            Object::TableRow(o) => (Kind::TableRow, ObjectName::new("", o.host.text.clone())),
        };
        Key { kind, name }
    }
}

/// One step in what a source knows.
#[derive(Clone, Debug)]
pub enum Change {
    /// Everything it knows, after a (re)start; whatever is missing is gone.
    Replace(Vec<Object>),
    /// One object, new or changed.
    Upsert(Object),
    /// By key alone: an object that is deleted need not decode.
    Remove(Key),
    /// A complete list of one kind came to its end, in one namespace or in all: what is not in it is gone.
    Retain {
        /// The kind.
        kind: Kind,
        /// The namespace that was listed; `None`: all of them.
        namespace: Option<Box<str>>,
        /// What was in the list.
        names: BTreeSet<ObjectName>,
    },
    /// Several steps that readers should see close together: an endpoint that moves from one slice to another
    /// must not vanish in between.
    Batch(Vec<Change>),
}

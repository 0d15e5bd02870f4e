//! A namespace of a test's own.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use super::api::{Api, until};
use super::plane::ControlPlane;
use super::resource::NAMESPACES;

/// A namespace with a name that nobody else has. It is an [`Api`] that is confined to it. It is deleted in the end, which
/// nobody waits for.
pub(crate) struct Namespace<'a> {
    /// Its name.
    pub(crate) name: String,
    plane: &'a ControlPlane,
    api: Api,
}

impl<'a> Namespace<'a> {
    pub(super) fn create(plane: &'a ControlPlane, name: &str) -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(1);
        let name = format!("{name}-{}", SERIAL.fetch_add(1, Ordering::Relaxed));
        plane.api().apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}"));
        Self { api: plane.api().within(&name), plane, name }
    }

    /// Lets a service account of the namespace do this everywhere: the `rules` of a ClusterRole.
    pub(crate) fn grant(&self, account: &str, rules: &str) {
        self.plane.grant(&self.name, account, rules);
    }

    /// Deletes it and waits until it is gone. The controller takes at least 5 s.
    pub(crate) fn delete_now(&self) {
        let all = self.plane.api();
        all.delete(NAMESPACES, &self.name);
        until("namespace gone", || all.get(NAMESPACES, &self.name).is_none().then_some(()));
    }
}

impl Deref for Namespace<'_> {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.plane.last_words());
        } else {
            self.plane.api().try_delete(NAMESPACES, &self.name);
        }
    }
}

//! What is counted of an answer: which type was asked for, in which kind of zone, and what knows the name.
//!
//! Rules: a few octets that are filled in on the way, so that every answer can have them. The first finding counts: what an
//! alias leads to says nothing about the name that was asked for.

use super::Notes;
use crate::model::ZoneKind;

/// In which kind of zone a name lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// In none of ours, or no name was read.
    #[default]
    None,
    /// Services, pods, and mesh hosts in a zone of the settings.
    Cluster,
    /// Services imported from other clusters.
    ClusterSet,
    /// Addresses.
    Reverse,
    /// A mesh host that is a zone of its own.
    Mesh,
}

/// What knows a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nothing.
    #[default]
    None,
    /// Objects of Kubernetes.
    Kubernetes,
    /// ServiceEntries, or the name table of istiod.
    Istio,
    /// The zone itself: names that every zone has.
    Zone,
    /// A resolver that was asked for the target of an alias.
    Upstream,
}

impl From<ZoneKind> for Scope {
    fn from(kind: ZoneKind) -> Self {
        match kind {
            ZoneKind::Cluster => Self::Cluster,
            ZoneKind::ClusterSet => Self::ClusterSet,
            ZoneKind::Reverse => Self::Reverse,
        }
    }
}

/// What is counted of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The record type; none if no question could be read.
    pub kind: Option<u16>,
    /// Where the name lies.
    pub scope: Scope,
    /// What knows it.
    pub origin: Origin,
}

impl Notes for Facts {
    fn say(&mut self, _step: impl FnOnce() -> super::Step) {}

    fn asked(&mut self, kind: u16) {
        self.kind = Some(kind);
    }

    fn lies_in(&mut self, scope: Scope) {
        if self.scope == Scope::None {
            self.scope = scope;
        }
    }

    fn known_to(&mut self, origin: Origin) {
        if self.origin == Origin::None {
            self.origin = origin;
        }
    }
}

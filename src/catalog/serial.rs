//! SOA serials made of content.

use std::sync::atomic::{AtomicU64, Ordering};

/// Whose serial.
#[derive(Clone, Copy)]
pub(super) enum Area {
    /// Zones of the cluster, and what mesh hosts lie in them.
    Cluster,
    /// Multicluster zones.
    ClusterSet,
}

/// Sums of the content hashes of all units, one per area. Addition makes them independent of order, and lets a
/// change be applied without looking at anything else.
#[derive(Default)]
pub(super) struct Serials {
    cluster: AtomicU64,
    cluster_set: AtomicU64,
}

impl Serials {
    fn area(&self, area: Area) -> &AtomicU64 {
        match area {
            Area::Cluster => &self.cluster,
            Area::ClusterSet => &self.cluster_set,
        }
    }

    /// Takes `old` out and `new` in.
    pub(super) fn replace(&self, area: Area, old: u64, new: u64) {
        if old != new {
            self.area(area).fetch_add(new.wrapping_sub(old), Ordering::Relaxed);
        }
    }

    /// The serial: the sum folded to 32 bits.
    pub(super) fn get(&self, area: Area) -> u32 {
        fold(self.area(area).load(Ordering::Relaxed))
    }
}

/// A content hash as a serial.
pub(super) fn fold(sum: u64) -> u32 {
    (sum ^ (sum >> 32)) as u32
}

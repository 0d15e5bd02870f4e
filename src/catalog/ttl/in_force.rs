//! The TTL settings in force, which can be replaced while answers are given.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::{Class, Clock, GivenTtl, TtlPolicy, UnitTtl};
use crate::model::{Labels, Ttl};

/// TTL settings that can be replaced. A unit that was compiled under the settings before is answered by these until it is
/// compiled anew, so no answer is half by the ones and half by the others.
#[derive(Debug)]
pub struct TtlPolicies {
    in_force: ArcSwap<InForce>,
    clock: Arc<Clock>,
}

/// The settings at one moment.
#[derive(Debug)]
pub struct InForce {
    generation: u32,
    current: Arc<TtlPolicy>,
    previous: Option<Arc<TtlPolicy>>,
    clock: Arc<Clock>,
}

impl TtlPolicies {
    /// Begins with these.
    pub fn new(policy: TtlPolicy) -> Self {
        let clock = Arc::new(Clock::default());
        let current = Arc::new(policy);
        let in_force = InForce { generation: 0, current, previous: None, clock: Arc::clone(&clock) };
        Self { in_force: ArcSwap::from_pointee(in_force), clock }
    }

    /// By which it is known how long records have stayed the same. Somebody has to tell it the time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The settings of this moment.
    pub fn load(&self) -> Guard<Arc<InForce>> {
        self.in_force.load()
    }

    /// From now on these. If it says so, units have to be compiled anew, and then [`TtlPolicies::settle`] to be called.
    pub fn replace(&self, policy: TtlPolicy) -> bool {
        let old = self.in_force.load_full();
        let asks = policy.asks_for_objects() || old.current.asks_for_objects();
        self.in_force.store(Arc::new(InForce {
            // Without rules about objects no unit has anything of the old ones in it.
            generation: if asks { old.generation.wrapping_add(1) } else { old.generation },
            current: Arc::new(policy),
            previous: asks.then(|| old.current.clone()),
            clock: Arc::clone(&self.clock),
        }));
        asks
    }

    /// No unit is of the settings before any more.
    pub fn settle(&self) {
        let InForce { generation, current, .. } = &*self.in_force.load_full();
        let (current, clock) = (Arc::clone(current), Arc::clone(&self.clock));
        self.in_force.store(Arc::new(InForce { generation: *generation, current, previous: None, clock }));
    }
}

impl From<TtlPolicy> for TtlPolicies {
    fn from(policy: TtlPolicy) -> Self {
        Self::new(policy)
    }
}

impl Clone for TtlPolicies {
    fn clone(&self) -> Self {
        Self::new(TtlPolicy::clone(self.load().current()))
    }
}

impl InForce {
    /// The newest settings: those of everything that is no unit's.
    pub fn current(&self) -> &TtlPolicy {
        &self.current
    }

    /// The settings under which a unit was compiled.
    pub fn under(&self, unit: UnitTtl) -> &TtlPolicy {
        match &self.previous {
            Some(previous) if unit.generation != self.generation => previous,
            _ => &self.current,
        }
    }

    /// The TTL of records of a class under a name (lower-case wire form) that are of a unit.
    pub fn give(&self, class: Class, name: &[u8], unit: UnitTtl) -> GivenTtl {
        self.under(unit).give(class, name, unit, &self.clock)
    }

    /// What an object of this namespace with these labels says of TTLs.
    pub fn of_object(&self, namespace: &str, labels: &Labels, annotation: Option<Ttl>) -> UnitTtl {
        UnitTtl {
            annotation,
            rules: self.current.rules_for(namespace, labels),
            generation: self.generation,
            changed: None,
        }
    }

    /// What nobody's objects say, for answers that are no unit's.
    pub fn of_nothing(&self) -> UnitTtl {
        UnitTtl { generation: self.generation, ..UnitTtl::default() }
    }
}

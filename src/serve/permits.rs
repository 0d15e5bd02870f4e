//! How many connections may be open: of a listener, and of one source address.
//!
//! Rules: who comes beyond a limit is closed at once, so that those inside are still served. An IPv4 address that
//! arrives in IPv6 form is the same source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::gauge::Gauge;

/// The permits of one listener, shared by all workers.
#[derive(Clone, Debug)]
pub struct Permits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    total: usize,
    per_source: usize,
    gauge: Gauge,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    sources: HashMap<IpAddr, usize>,
}

/// The right to be open; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    permits: Permits,
    source: Option<IpAddr>,
}

impl Permits {
    /// At most `total` at once, at most `per_source` of them of one address.
    pub fn new(total: usize, per_source: usize, gauge: Gauge) -> Self {
        Self(Arc::new(Shared { total, per_source, gauge, open: Mutex::default() }))
    }

    /// A permit, unless a limit is reached. A peer without an address counts towards the total only.
    pub fn admit(&self, source: Option<IpAddr>) -> Option<Permit> {
        let source = source.map(|address| address.to_canonical());
        let mut open = self.open();
        if open.total >= self.0.total {
            return None;
        }
        if let Some(address) = source {
            let held = open.sources.entry(address).or_default();
            if *held >= self.0.per_source {
                return None;
            }
            *held += 1;
        }
        open.total += 1;
        self.0.gauge.inc();
        Some(Permit { permits: self.clone(), source })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.permits.open();
        open.total -= 1;
        self.permits.0.gauge.dec();
        if let Some(address) = self.source
            && let Some(held) = open.sources.get_mut(&address)
        {
            *held -= 1;
            if *held == 0 {
                open.sources.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn the_total_is_a_limit_and_a_dropped_permit_makes_room() {
        let permits = Permits::new(2, 2, Gauge::default());
        let first = permits.admit(None).unwrap();
        let _second = permits.admit(address("10.0.0.1")).unwrap();
        assert!(permits.admit(None).is_none());
        drop(first);
        assert!(permits.admit(None).is_some());
    }

    #[test]
    fn one_source_cannot_take_everything() {
        let permits = Permits::new(10, 1, Gauge::default());
        let _held = permits.admit(address("10.0.0.1")).unwrap();
        assert!(permits.admit(address("::ffff:10.0.0.1")).is_none());
        assert!(permits.admit(address("10.0.0.2")).is_some());
    }

    #[test]
    fn sources_are_forgotten_when_they_left() {
        let permits = Permits::new(10, 1, Gauge::default());
        drop(permits.admit(address("10.0.0.1")));
        assert!(permits.open().sources.is_empty());
    }
}

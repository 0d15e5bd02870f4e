//! The SRV records of a whole service, put together when they are first asked for.

use std::sync::{Arc, OnceLock};

use super::{PortFilter, ServiceSet};
use crate::model::Port;

/// One set for all ports, and one for each named port.
#[derive(Debug, Default)]
pub(super) struct ServiceSets {
    all: OnceLock<Arc<ServiceSet>>,
    /// Most services are never asked for a port.
    by_port: OnceLock<Box<[ByPort]>>,
}

#[derive(Debug)]
struct ByPort {
    name: Box<str>,
    protocol: Box<str>,
    set: OnceLock<Arc<ServiceSet>>,
}

/// Room for the sets of these ports.
fn room<'p>(ports: impl Iterator<Item = &'p Port>) -> Box<[ByPort]> {
    let mut by_port: Vec<ByPort> = Vec::new();
    for port in ports.filter(|port| !port.name.is_empty() && !port.protocol.is_empty()) {
        if !by_port.iter().any(|known| known.name == port.name && known.protocol == port.protocol) {
            let (name, protocol) = (port.name.clone(), port.protocol.clone());
            by_port.push(ByPort { name, protocol, set: OnceLock::new() });
        }
    }
    by_port.into()
}

impl ServiceSets {
    /// The set for a filter: the one that is kept, or the one that `build` gives, which is kept from then on. Filters
    /// that leave a part open are rare, and nothing is kept for them. Two that ask first at once may both build.
    pub(super) fn get<'p, P: Iterator<Item = &'p Port>>(
        &self,
        filter: Option<PortFilter<'_>>,
        ports: impl FnOnce() -> P,
        build: impl FnOnce() -> ServiceSet,
    ) -> Arc<ServiceSet> {
        let slot = match filter {
            None => Some(&self.all),
            Some(filter) => self
                .by_port
                .get_or_init(|| room(ports()))
                .iter()
                .find(|port| {
                    filter.port.eq_ignore_ascii_case(port.name.as_bytes())
                        && filter.protocol.eq_ignore_ascii_case(port.protocol.as_bytes())
                })
                .map(|port| &port.set),
        };
        if let Some(set) = slot.and_then(OnceLock::get) {
            return set.clone();
        }
        let set = Arc::new(build());
        if let Some(slot) = slot {
            // Somebody else may have been first; both sets are the same.
            let _ = slot.set(set.clone());
        }
        set
    }
}

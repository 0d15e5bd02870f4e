//! Computed addresses where names collide: istiod takes colliding names in an order that changes from push to push, so its
//! addresses must be those of some order.

use std::collections::BTreeSet;
use std::net::IpAddr;

use meshdns::allocate::{Allocation, Allocator, HashAllocator};
use meshdns::inventory::Inventory;
use meshdns::model::{Change, Host, Object};
use meshdns::report::ReportedDifference;
use meshdns::source::manifests::load_text;

use crate::support::random::Random;

/// As many orders as make it all but certain that the right one of a few names is among them.
const ORDERS: usize = 400;

/// Whether some order of creation gives every host the addresses that istiod has.
pub(super) fn explain(objects: &str, moved: &[ReportedDifference]) -> bool {
    let mut objects = load_text("set", objects).objects;
    let mut random = Random::new(1);
    (0..ORDERS).any(|_| {
        for object in &mut objects {
            if let Object::ServiceEntry(entry) = object {
                entry.created = random.between(0, 1 << 30) as i64;
            }
        }
        let mut inventory = Inventory::default();
        let touched = inventory.apply(0, Change::Replace(objects.clone()));
        let mut allocator = HashAllocator::default();
        allocator.update(&inventory, &touched);
        moved.iter().all(|difference| fits(&allocator, difference))
    })
}

/// Whether the automatic addresses that istiod has for a host are those of this order.
fn fits(allocator: &HashAllocator, difference: &ReportedDifference) -> bool {
    let host = Host::parse(difference.host.trim_end_matches('.')).unwrap();
    let namespaces: BTreeSet<&str> =
        difference.entries.iter().filter_map(|entry| Some(entry.split_once('/')?.0)).collect();
    let automatic = |addresses: &[IpAddr]| -> BTreeSet<IpAddr> {
        addresses.iter().copied().filter(|address| super::compare::is_automatic(*address)).collect()
    };
    let (ours, theirs) = (automatic(&difference.ours), automatic(&difference.theirs));
    ours.len() == theirs.len()
        && namespaces.iter().any(|namespace| match allocator.allocation(namespace, &host) {
            Allocation::Given(given) => {
                let given = [given.v4.map(IpAddr::V4), given.v6.map(IpAddr::V6)];
                theirs.iter().any(|address| given.contains(&Some(*address)))
            }
            _ => false,
        })
}

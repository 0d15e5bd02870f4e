//! Serials: those of equal data are equal, however it came; a change that anyone can see moves them.

use std::sync::Arc;

use hickory_proto::rr::RData;
use meshdns::catalog::Catalog;
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Object};
use proptest::prelude::*;

use super::ask::{KINDS, ask, names};
use super::{cases, cluster, policy};

fn serials(catalog: &Catalog) -> (u32, u32) {
    (catalog.serial(), catalog.cluster_set_serial())
}

/// Everything that zones of the cluster answer, but for SOA records.
fn seen(catalog: &Catalog, names: &std::collections::BTreeSet<String>) -> Vec<String> {
    let mut seen = Vec::new();
    for name in names.iter().filter(|name| name.ends_with("cluster.local")) {
        for kind in KINDS {
            let reply = ask(catalog, name, kind);
            let mut lines: Vec<String> = reply
                .answers
                .iter()
                .chain(&reply.additionals)
                .filter(|record| !matches!(record.data, RData::SOA(_)))
                .map(ToString::to_string)
                .collect();
            lines.sort();
            seen.push(format!("{name} {kind} {:?} {lines:?}", reply.metadata.response_code));
        }
    }
    seen
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn order_and_detours_do_not_matter(
        (objects, shuffled) in cluster::objects().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        detours in proptest::collection::vec(cluster::object(), 0..6),
    ) {
        let built = cluster::catalog(policy::plain(), objects.clone());
        let wandered = Arc::new(Catalog::new(policy::plain()));
        let mut keeper = Keeper::new(wandered.clone());
        let known = |object: &Object| objects.iter().any(|known| known.key() == object.key());
        for detour in detours.iter().filter(|object| !known(object)) {
            keeper.apply(0, Change::Upsert(detour.clone()));
        }
        for object in shuffled {
            keeper.apply(0, Change::Upsert(object));
        }
        for detour in detours.iter().filter(|object| !known(object)) {
            keeper.apply(0, Change::Remove(detour.key()));
        }
        prop_assert_eq!(serials(&built), serials(&wandered));
    }

    #[test]
    fn what_anyone_can_see_moves_the_serial(objects in cluster::objects(), more in cluster::object()) {
        let catalog = Arc::new(Catalog::new(policy::plain()));
        let mut keeper = Keeper::new(catalog.clone());
        keeper.apply(0, Change::Replace(objects));
        let asked = names(&catalog);
        let (before, serial) = (seen(&catalog, &asked), catalog.serial());
        keeper.apply(0, Change::Upsert(more));
        let after = seen(&catalog, &asked);
        let moved = catalog.serial() != serial;
        prop_assert!(before == after || moved, "the serial stays");
    }
}

//! A catalog that was changed step by step answers like one built at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use meshdns::catalog::Catalog;
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Key, Object};
use meshdns::wire::Transport;
use proptest::collection::vec;
use proptest::prelude::*;

use super::ask::{KINDS, names, query, reply};
use super::{cases, cluster, policy};

/// A change of one of two sources. What is removed is found by a number among the objects that might be there.
fn change() -> impl Strategy<Value = Change> {
    let simple = prop_oneof![
        6 => cluster::object().prop_map(Change::Upsert),
        3 => cluster::object().prop_map(|object| Change::Remove(object.key())),
    ];
    prop_oneof![
        8 => simple.clone(),
        2 => vec(simple, 0..6).prop_map(Change::Batch),
        1 => cluster::objects().prop_map(Change::Replace),
    ]
}

/// What a source knows after a change, done the simple way.
fn fold(known: &mut BTreeMap<Key, Object>, change: &Change) {
    match change {
        Change::Replace(objects) => *known = objects.iter().map(|o| (o.key(), o.clone())).collect(),
        Change::Upsert(object) => {
            known.insert(object.key(), object.clone());
        }
        Change::Remove(key) => {
            known.remove(key);
        }
        Change::Batch(changes) => changes.iter().for_each(|change| fold(known, change)),
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn step_by_step_is_as_at_once(
        policy in policy::any(),
        changes in vec((0..2u8, change()), 1..24),
        rotation: u32,
    ) {
        let stepped = Arc::new(Catalog::new(policy.clone()));
        let mut keeper = Keeper::new(stepped.clone());
        let mut known: [BTreeMap<Key, Object>; 2] = Default::default();
        for (source, change) in changes {
            fold(&mut known[usize::from(source)], &change);
            keeper.apply(source, change);
        }
        let built = Arc::new(Catalog::new(policy));
        let mut keeper = Keeper::new(built.clone());
        for (source, objects) in known.into_iter().enumerate() {
            keeper.apply(source as u8, Change::Replace(objects.into_values().collect()));
        }
        prop_assert_eq!(stepped.serial(), built.serial());
        prop_assert_eq!(stepped.cluster_set_serial(), built.cluster_set_serial());
        prop_assert_eq!(stepped.records(), built.records());
        let mut asked = names(&stepped);
        asked.extend(names(&built));
        for name in asked {
            for kind in KINDS {
                let packet = query(&name, kind, None);
                let replies = [&stepped, &built].map(|catalog| reply(catalog, &packet, Transport::Grpc, rotation));
                prop_assert_eq!(&replies[0], &replies[1], "{} {}", name, kind);
            }
        }
    }
}

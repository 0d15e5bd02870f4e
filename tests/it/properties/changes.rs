//! A catalog that was changed step by step answers like one built at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use meshdns::catalog::Catalog;
use meshdns::inventory::TABLE;
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Key, Object};
use meshdns::report::{ParityReport, conflicts};
use meshdns::wire::Transport;
use proptest::collection::vec;
use proptest::prelude::*;

use super::ask::{KINDS, names, query, reply};
use super::{cases, cluster, policy};

/// A change of one source. What is removed is found by a number among the objects that might be there.
fn change(object: impl Strategy<Value = Object> + Clone + 'static) -> impl Strategy<Value = Change> {
    let simple = prop_oneof![
        6 => object.clone().prop_map(Change::Upsert),
        3 => object.clone().prop_map(|object| Change::Remove(object.key())),
    ];
    let all = vec(object.clone(), 0..24).prop_map(|objects| {
        let by_key: BTreeMap<Key, Object> = objects.into_iter().map(|o| (o.key(), o)).collect();
        Change::Replace(by_key.into_values().collect())
    });
    let listed = (object.clone(), any::<bool>(), vec(object, 0..12)).prop_map(|(one, everywhere, listed)| {
        let Key { kind, name } = one.key();
        let of_kind = listed.iter().map(Object::key).filter(|key| key.kind == kind);
        Change::Retain {
            kind,
            namespace: (!everywhere).then(|| name.namespace.as_ref().into()),
            names: of_kind.map(|key| key.name).collect(),
        }
    });
    prop_oneof![
        8 => simple.clone(),
        2 => vec(simple, 0..6).prop_map(Change::Batch),
        1 => all,
        1 => listed,
    ]
}

/// A change of one of two sources of objects, or of istiod's name table.
fn change_of_any() -> impl Strategy<Value = (u8, Change)> {
    let (object, row) = (cluster::object().boxed(), cluster::row().boxed());
    prop_oneof![4 => (0..2u8, change(object)), 1 => (Just(TABLE), change(row))]
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
        Change::Retain { kind, namespace, names } => {
            let elsewhere = |key: &Key| namespace.as_deref().is_some_and(|only| *key.name.namespace != *only);
            known.retain(|key, _| key.kind != *kind || elsewhere(key) || names.contains(&key.name));
        }
        Change::Batch(changes) => changes.iter().for_each(|change| fold(known, change)),
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn step_by_step_is_as_at_once(
        policy in policy::any(),
        changes in vec(change_of_any(), 1..24),
        rotation: u32,
    ) {
        let stepped = Arc::new(Catalog::new(policy.clone()));
        let mut keeper = Keeper::new(stepped.clone());
        let mut known: BTreeMap<u8, BTreeMap<Key, Object>> = BTreeMap::new();
        for (source, change) in changes {
            if !known.contains_key(&source) {
                // A source begins with everything it knows.
                keeper.apply(source, Change::Replace(Vec::new()));
            }
            fold(known.entry(source).or_default(), &change);
            keeper.apply(source, change);
        }
        let built = Arc::new(Catalog::new(policy));
        let mut keeper = Keeper::new(built.clone());
        for (source, objects) in known {
            keeper.apply(source, Change::Replace(objects.into_values().collect()));
        }
        prop_assert_eq!(stepped.serial(), built.serial());
        prop_assert_eq!(stepped.cluster_set_serial(), built.cluster_set_serial());
        prop_assert_eq!(stepped.records(), built.records());
        prop_assert_eq!(conflicts(&stepped), conflicts(&built));
        let parity = ParityReport::of(&built);
        prop_assert_eq!(&ParityReport::of(&stepped), &parity);
        prop_assert_eq!(stepped.tallies().contested(), built.tallies().contested());
        prop_assert_eq!(stepped.tallies().different(), built.tallies().different());
        prop_assert!(stepped.tallies().different() >= parity.differences.len() as u64);
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

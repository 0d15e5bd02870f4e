use super::*;
#[test]
fn quick() {
    let mut x = 1u64;
    let mut next = |limit: u64| {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (x >> 33) % limit
    };
    for _ in 0..50 {
        let mut world =
            World::with(Rules { cooling: 0, ..rules(&["192.0.2.0/26", "2001:db8::/122"]) }, vec![]);
        let mut here = BTreeSet::new();
        for step in 0..500 {
            if next(40) == 0 {
                let mut again = world.restarted(1);
                let all: Vec<_> = here
                    .iter()
                    .map(|h: &String| {
                        Change::Upsert(Object::ServiceEntry(entry(&format!("shop/{h}"), 0, &[h])))
                    })
                    .collect();
                again.change(Change::Batch(all));
                again.ledger.tell_time(2);
                again.store_all();
                world = again;
            }
            let mut changes = vec![];
            for _ in 0..=next(6) {
                let host = format!("h{}.example", next(200));
                if here.remove(&host) {
                    changes.push(Change::Remove(Key {
                        kind: Kind::ServiceEntry,
                        name: ObjectName::new("shop", host.as_str()),
                    }));
                } else if here.len() < 50 {
                    changes.push(Change::Upsert(Object::ServiceEntry(entry(
                        &format!("shop/{host}"),
                        0,
                        &[&host],
                    ))));
                    here.insert(host);
                }
            }
            world.change(Change::Batch(changes));
            world.ledger.tell_time(2);
            world.store_all();
            let mut owners = BTreeMap::new();
            for (key, row) in &world.store {
                for a in row.addresses.iter() {
                    if let Some(o) = owners.insert(a, key) {
                        panic!("step {step} {a} {o} {key} ");
                    }
                }
            }
            assert_eq!(world.store.len(), here.len());
        }
    }
}

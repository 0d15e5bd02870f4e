use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::*;

/// Two of each group.
fn address(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 + number / 2 * 256 + number % 2).into()
}

/// The addresses between which the group of this one lies.
fn ends(address: IpAddr) -> (IpAddr, IpAddr) {
    let IpAddr::V4(address) = address else { return (address, address) };
    let [a, b, c, _] = address.octets();
    (Ipv4Addr::new(a, b, c, 0).into(), Ipv4Addr::new(a, b, c, 255).into())
}

fn owner(number: u32) -> Owner {
    let key = number.to_be_bytes();
    match number % 3 {
        0 => Owner::ClusterIp(key.into()),
        1 => Owner::Endpoint(key.into()),
        _ => Owner::Host(Name::parse(&format!("host-{number}.example")).unwrap()),
    }
}

fn give(reverse: &Reverse, at: IpAddr, owner: &Owner) {
    reverse.replace(std::iter::empty(), [(at, owner)].into_iter());
}

fn take(reverse: &Reverse, at: IpAddr, owner: &Owner) {
    reverse.replace([(at, owner)].into_iter(), std::iter::empty());
}

fn listed(reverse: &Reverse, at: IpAddr) -> Vec<Owner> {
    reverse.owners(at).iter().flat_map(Owners::iter).map(|held| held.clone()).collect()
}

/// Where they are kept: another place is another copy of all of them.
fn place(reverse: &Reverse, at: IpAddr) -> Option<*const ()> {
    reverse.owners(at).map(|owners| match owners {
        Owners::One(Owner::ClusterIp(key) | Owner::Endpoint(key)) => Arc::as_ptr(&key).cast(),
        Owners::One(Owner::Host(name)) => name.wire().as_ptr().cast(),
        Owners::Few(list) => Arc::as_ptr(&list).cast(),
        Owners::Many(set) => Arc::as_ptr(&set).cast(),
    })
}

proptest! {
    #[test]
    fn it_has_what_an_ordinary_map_has(
        steps in proptest::collection::vec((any::<bool>(), 0u32..120, 0u32..4), 0..400),
    ) {
        let (reverse, mut map) = (Reverse::default(), BTreeMap::<IpAddr, BTreeSet<Owner>>::new());
        for (gives, number, at) in steps {
            let (owner, at) = (owner(number), address(at));
            let set = map.entry(at).or_default();
            if gives {
                give(&reverse, at, &owner);
                set.insert(owner);
            } else {
                take(&reverse, at, &owner);
                set.remove(&owner);
            }
            prop_assert_eq!(listed(&reverse, at), set.iter().cloned().collect::<Vec<_>>());
            let (low, high) = ends(at);
            let some = map.range(low..=high).any(|(_, owners)| !owners.is_empty());
            prop_assert_eq!(reverse.any_between(low, high), some);
        }
    }
}

/// A service that becomes another kind of owner of the same address has it all the time: what it is now is given before
/// what it was is taken.
#[test]
fn what_stays_is_not_touched() {
    let reverse = Reverse::default();
    let (a, again, b) = (owner(1), owner(1), owner(2));
    give(&reverse, address(0), &a);
    let before = place(&reverse, address(0));
    reverse.replace(
        [(address(0), &a), (address(1), &a)].into_iter(),
        [(address(0), &again), (address(2), &b)].into_iter(),
    );
    assert!(
        before.is_some_and(|before| place(&reverse, address(0)).is_some_and(|after| ptr::eq(before, after)))
    );
    assert_eq!(listed(&reverse, address(1)), []);
    assert_eq!(listed(&reverse, address(2)), [b]);
}

#[test]
fn very_many_owners_are_not_copied_for_each_that_comes_or_goes() {
    const MANY: u32 = 20_000;
    let reverse = Reverse::default();
    let at = address(0);
    // The last copy is held on to, so that no other can be made in its place.
    let (mut copies, mut last, mut held) = (0, None, None);
    let mut look = |reverse: &Reverse| {
        let now = place(reverse, at);
        if now != last {
            (copies, last, held) = (copies + 1, now, reverse.owners(at));
        }
    };
    for number in 0..MANY {
        give(&reverse, at, &owner(number));
        look(&reverse);
    }
    assert_eq!(listed(&reverse, at).len(), 4096, "an answer looks at a bounded number");
    for number in (0..MANY).rev() {
        take(&reverse, at, &owner(number));
        look(&reverse);
    }
    drop(held);
    assert!(copies <= 100, "the owners of an address were copied {copies} times");
    assert!(reverse.owners(at).is_none() && !reverse.any_between(at, at));
}

#[test]
fn a_reader_never_misses_an_owner_that_stays() {
    let reverse = Reverse::default();
    let (at, stays) = (address(0), owner(50));
    give(&reverse, at, &stays);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..200 {
                (0..100).filter(|number| *number != 50).for_each(|number| give(&reverse, at, &owner(number)));
                (0..100).filter(|number| *number != 50).for_each(|number| take(&reverse, at, &owner(number)));
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            assert!(listed(&reverse, at).contains(&stays));
        }
    });
}

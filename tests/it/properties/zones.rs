//! What must be true of every answer that a cluster gives.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use meshdns::catalog::{Catalog, NegativePending};
use meshdns::model::reverse_name;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::ask::{KINDS, ask, names};
use super::{cases, cluster, policy};

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn every_answer_is_sound(policy in policy::any(), objects in cluster::objects()) {
        let pending = policy.ttl.load().current().negative_pending == NegativePending::Uncached;
        let catalog = cluster::catalog(policy, objects);
        let (mut missing, mut existing) = (BTreeSet::new(), BTreeSet::new());
        for name in names(&catalog) {
            for kind in KINDS {
                let reply = ask(&catalog, &name, kind);
                let context = format!("{name} {kind}");
                sound(&reply, pending).map_err(|error| said(&context, &error))?;
                targets_resolve(&catalog, &reply).map_err(|error| said(&context, &error))?;
                match reply.metadata.response_code {
                    ResponseCode::NXDomain => { missing.insert(parsed(&name)); }
                    ResponseCode::NoError if !reply.answers.is_empty() => { existing.insert(parsed(&name)); }
                    _ => {}
                }
            }
        }
        for name in &existing {
            let mut above = name.clone();
            while !above.is_root() {
                prop_assert!(!missing.contains(&above), "{above} is NXDOMAIN, but {name} exists");
                above = above.base_name();
            }
        }
    }
}

fn said(context: &str, error: &TestCaseError) -> TestCaseError {
    TestCaseError::fail(format!("{context}: {error}"))
}

fn parsed(name: &str) -> Name {
    Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).unwrap()
}

/// Owners, labels, TTLs and SOA of one reply.
fn sound(reply: &Message, may_lack_soa: bool) -> Result<(), TestCaseError> {
    let asked = reply.queries[0].name();
    let mut owner = asked.clone();
    for record in &reply.answers {
        prop_assert_eq!(&record.name, &owner, "an owner that nobody asked for");
        if let RData::CNAME(target) = &record.data {
            owner = target.0.clone();
        }
    }
    let all = || reply.answers.iter().chain(&reply.authorities).chain(&reply.additionals);
    for name in all().flat_map(names_in) {
        prop_assert!(name.iter().all(|label| label != b"*"), "a star in {}", name);
    }
    let ttls: BTreeSet<u32> = all().map(|record| record.ttl).collect();
    prop_assert!(ttls.len() <= 1, "TTLs {:?}", ttls);
    let negative = reply.answers.is_empty()
        && matches!(reply.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain);
    if negative {
        let lacks = reply.authorities.is_empty()
            && may_lack_soa
            && reply.metadata.response_code == ResponseCode::NXDomain;
        let one_soa = reply.authorities.len() == 1 && reply.authorities[0].record_type() == RecordType::SOA;
        prop_assert!(lacks || one_soa, "no SOA");
        for soa in &reply.authorities {
            prop_assert!(soa.name.zone_of(asked), "the SOA of {}", soa.name);
        }
    } else {
        prop_assert!(reply.authorities.is_empty());
    }
    Ok(())
}

fn names_in(record: &Record) -> Vec<&Name> {
    let mut names = vec![&record.name];
    match &record.data {
        RData::CNAME(name) => names.push(&name.0),
        RData::PTR(name) => names.push(&name.0),
        RData::NS(name) => names.push(&name.0),
        RData::SRV(srv) => names.push(&srv.target),
        RData::SOA(soa) => names.extend([&soa.mname, &soa.rname]),
        _ => {}
    }
    names
}

/// The addresses that a name has.
fn addresses(catalog: &Catalog, name: &Name) -> BTreeSet<IpAddr> {
    let text = name.to_ascii();
    let replies = [RecordType::A, RecordType::AAAA].map(|kind| ask(catalog, &text, kind));
    replies.iter().flat_map(|reply| reply.answers.iter().filter_map(address)).collect()
}

fn address(record: &Record) -> Option<IpAddr> {
    match record.data {
        RData::A(address) => Some(address.0.into()),
        RData::AAAA(address) => Some(address.0.into()),
        _ => None,
    }
}

/// Targets of SRV and NS have the addresses beside them; targets of PTR lead back.
fn targets_resolve(catalog: &Catalog, reply: &Message) -> Result<(), TestCaseError> {
    let mut beside: BTreeMap<&Name, BTreeSet<IpAddr>> = BTreeMap::new();
    for record in &reply.additionals {
        beside.entry(&record.name).or_default().extend(address(record));
    }
    for record in &reply.answers {
        let target = match &record.data {
            RData::SRV(srv) => &srv.target,
            RData::NS(name) => &name.0,
            RData::PTR(target) => {
                let asked = reply.queries[0].name();
                let back = addresses(catalog, &target.0);
                prop_assert!(
                    back.iter().any(|address| parsed(&reverse_name(*address).to_string()) == *asked),
                    "{} has {:?}",
                    target.0,
                    back
                );
                continue;
            }
            _ => continue,
        };
        let none = BTreeSet::new();
        let given = beside.get(target).unwrap_or(&none);
        let found = addresses(catalog, target);
        prop_assert!(
            !given.is_empty() && given.is_subset(&found),
            "{} has {:?}, given {:?}",
            target,
            found,
            given
        );
    }
    Ok(())
}

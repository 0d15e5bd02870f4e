//! Names below `in-addr.arpa` and `ip6.arpa`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hickory_proto::rr::RecordType;

use super::super::facts::Facts;
use super::super::question::kind;
use super::super::reply::{Line, Reply};
use super::{Rule, exists, is_missing};

pub(super) static RULES: [Rule; 7] = [
    Rule {
        name: "reverse names, other types",
        question: "the reverse name of an address that has a PTR record, another type",
        coredns: "NXDOMAIN",
        meshdns: "NODATA",
        why: "the name exists (RFC 2308 section 2.2)",
        apply: |context, reply, _| {
            let has = || {
                Facts::address_of(&context.name).is_some_and(|ip| context.facts.pointers.contains_key(&ip))
            };
            context.question.kind != kind::PTR && exists(reply, has)
        },
    },
    Rule {
        name: "above reverse names",
        question: "a shortened reverse name, above one that has a PTR record",
        coredns: "NXDOMAIN",
        meshdns: "NODATA",
        why: "names exist below it (RFC 8020 section 2); resolvers that ask label by label (RFC 9156) would stop there",
        apply: |context, reply, _| exists(reply, || context.facts.is_above(&context.name)),
    },
    Rule {
        name: "no services in reverse zones",
        question: "`svc` and `pod` directly below a reverse zone",
        coredns: "NODATA",
        meshdns: "NXDOMAIN",
        why: "nothing exists at or below them (RFC 8020 section 2)",
        apply: |context, reply, _| {
            let Reply::Said(said) = reply else { return false };
            let holds = context.is_reverse()
                && matches!(context.labels()[..], ["svc" | "pod"])
                && context.question.kind != kind::SOA
                && said.is_no_data();
            if holds {
                is_missing(context, said);
            }
            holds
        },
    },
    Rule {
        name: "mapped addresses",
        question: "PTR of an IPv4-mapped IPv6 address",
        coredns: "the owner of the IPv4 address",
        meshdns: "NXDOMAIN",
        why: "it is another address, which nothing has (RFC 4291 section 2.5.5.2)",
        apply: |context, reply, _| {
            let mapped = match Facts::address_of(&context.name) {
                Some(IpAddr::V6(address)) => address.to_ipv4_mapped().is_some(),
                _ => false,
            };
            let Reply::Said(said) = reply else { return false };
            let holds = mapped && !said.answer.is_empty();
            if holds {
                is_missing(context, said);
            }
            holds
        },
    },
    Rule {
        name: "endpoints of no service",
        question: "PTR of an endpoint or a cluster IP whose service does not exist or is filtered out",
        coredns: "the name that it would have",
        meshdns: "NXDOMAIN, or the names of others with the address",
        why: "the name that the record leads to does not exist, and so has no address either (RFC 1912 section 2.1)",
        apply: |context, reply, _| {
            let Some(address) = Facts::address_of(&context.name) else { return false };
            let known = context.facts.pointers.get(&address);
            let Reply::Said(said) = reply else { return false };
            if context.question.kind != kind::PTR || said.answer.is_empty() {
                return false;
            }
            let before = said.answer.len();
            said.answer.retain(|line| known.is_some_and(|known| known.contains(&line.data)));
            let holds = said.answer.len() < before;
            match known {
                // A cluster IP that is not served kept the plugin from looking at endpoints.
                Some(known) if said.answer.is_empty() => {
                    let (owner, ttl) = (format!("{}.", context.question.name), context.facts.variant.ttl);
                    let lines = known.iter().map(|target| Line::new(&owner, ttl, RecordType::PTR, target));
                    said.answer = lines.collect();
                }
                None => is_missing(context, said),
                Some(_) => {}
            }
            holds
        },
    },
    Rule {
        name: "slices of no service",
        question: "PTR of an endpoint in a slice that names no service",
        coredns: "no reply: the name would have an empty label",
        meshdns: "NXDOMAIN, or the names of services with the address",
        why: "a query has a reply; the name cannot be written (RFC 1035 section 3.1)",
        apply: |context, reply, ours| {
            let (Reply::Silence, Some(address)) = (&*reply, Facts::misread(&context.name)) else {
                return false;
            };
            let Reply::Said(said) = ours else { return false };
            let known =
                Facts::address_of(&context.name).and_then(|address| context.facts.pointers.get(&address));
            let targets: BTreeSet<&String> = said.answer.iter().map(|line| &line.data).collect();
            let holds = context.facts.is_unowned(address)
                && context.question.kind == kind::PTR
                && said.is_no_such_name() == known.is_none()
                && targets == known.into_iter().flatten().collect();
            if holds {
                *reply = ours.clone();
            }
            holds
        },
    },
    Rule {
        name: "labels before reverse names",
        question: "PTR of up to three labels before the reverse name of an IPv6 address",
        coredns: "the names of the address",
        meshdns: "NXDOMAIN",
        why: "32 labels are the address (RFC 3596 section 2.5); below it nothing exists",
        apply: |context, reply, _| {
            let Reply::Said(said) = reply else { return false };
            let holds = context.zone == "ip6.arpa"
                && (33..36).contains(&context.labels.len())
                && !said.answer.is_empty();
            if holds {
                is_missing(context, said);
            }
            holds
        },
    },
];

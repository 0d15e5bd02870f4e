//! Endpoints, and services of other clusters.

use std::collections::BTreeSet;

use hickory_proto::rr::RecordType;
use serde_json::Value;

use super::super::facts::{Context, Facts, Named};
use super::super::question::kind;
use super::super::reply::{Line, Reply, Said};
use super::super::world::{dashed, is_alias, texts};
use super::{Rule, is_missing};

pub(super) static RULES: [Rule; 7] = [
    Rule {
        name: "above a cluster's endpoints",
        question: "`C.S.N.svc.Z` in a multicluster zone, where endpoints of S are in cluster C",
        coredns: "NXDOMAIN",
        meshdns: "NODATA",
        why: "`E.C.S.N.svc.Z` exists below it (RFC 8020 section 2)",
        apply: |context, reply, _| {
            super::exists(reply, || {
                let Some(named) = context.named() else { return false };
                let [label] = named.before else { return false };
                let mut endpoints = named.endpoints(context.facts).into_iter();
                named.imported
                    && endpoints.any(|(slice, _)| {
                        slice["metadata"]["labels"]["multicluster.kubernetes.io/source-cluster"]
                            == label.as_str()
                    })
            })
        },
    },
    Rule {
        name: "endpoints of imports without ports",
        question: "an endpoint of a ServiceImport with cluster set IPs and no ports",
        coredns: "its addresses, although the import itself is NXDOMAIN",
        meshdns: "NXDOMAIN",
        why: "nothing exists below a name that does not exist (RFC 8020 section 2)",
        apply: |context, reply, _| {
            let Reply::Said(said) = reply else { return false };
            let Some(named) = context.named().filter(Named::lacks_ports) else { return false };
            let holds =
                !named.before.is_empty() && !said.is_no_such_name() && context.question.kind != kind::SOA;
            if holds {
                is_missing(context, said);
            }
            holds
        },
    },
    Rule {
        name: "pod names with dots",
        question: "an endpoint without hostname whose pod has a dot in its name, with `endpoint_pod_names`",
        coredns: "a target of several labels, which does not resolve; the name made of the address does not exist",
        meshdns: "the endpoint is called by its address",
        why: "the target of an SRV record must have address records (RFC 2782)",
        apply: pod_names_with_dots,
    },
    Rule {
        name: "slices of names",
        question: "a service with slices of the address type FQDN",
        coredns: "an alias for each name, also beside each other and beside addresses",
        meshdns: "one alias, and only where there is no address",
        why: "an alias is the only record of its name (RFC 1034 section 3.6.2); to Kubernetes the type has no meaning \
              (`discovery/v1/types.go`)",
        apply: slices_of_names,
    },
    Rule {
        name: "below an alias",
        question: "`_._.S.N.svc.Z` where S is an ExternalName service",
        coredns: "the alias of S, while `_.S.N.svc.Z` is NXDOMAIN",
        meshdns: "NXDOMAIN",
        why: "nothing exists below a name that does not exist (RFC 8020 section 2)",
        apply: |context, reply, _| {
            let Reply::Said(said) = reply else { return false };
            let Some(named) = context.named().filter(|named| is_alias(named.object)) else { return false };
            let holds =
                named.before == ["_", "_"] && !said.is_no_such_name() && context.question.kind != kind::SOA;
            if holds {
                is_missing(context, said);
            }
            holds
        },
    },
    Rule {
        name: "above zonal names",
        question: "`_zone.S.N.svc.Z` and `pin._zone.S.N.svc.Z`, with `zonal`",
        coredns: "NXDOMAIN",
        meshdns: "NODATA",
        why: "`ZONE.pin._zone.S.N.svc.Z` exists below them (RFC 8020 section 2)",
        apply: |context, reply, _| {
            super::exists(reply, || {
                let Some(named) = context.named().filter(|named| named.is_zonal(context.facts)) else {
                    return false;
                };
                let directive = |label: &str| ["pin", "prefer"].contains(&label);
                match named.before {
                    [label] => label == "_zone",
                    [first, label] => label == "_zone" && directive(first),
                    _ => false,
                }
            })
        },
    },
    Rule {
        name: "names that may come",
        question: "what an endpoint that becomes ready may make: a headless service without ready endpoints; one that `ignore \
                   empty_service` leaves out; their ports, and those that a headless service says to have; endpoints of a headless \
                   service; endpoints of any service that are there and not ready",
        coredns: "NXDOMAIN with an SOA; for zonal names of a service without ready endpoints NODATA with an SOA",
        meshdns: "NXDOMAIN without an SOA (`ttl.negativePending`)",
        why: "pods that start look each other up: without an SOA no cache keeps what changes in a moment (RFC 2308 section 5)",
        apply: |context, reply, _| {
            let Reply::Said(said) = reply else { return false };
            let Some(named) = context.named().filter(|named| named.may_come(context.facts)) else {
                return false;
            };
            let zonal = named.before.last().is_some_and(|label| label == "_zone");
            let none = named.is_headless() && named.endpoints(context.facts).is_empty();
            if none && zonal && said.is_no_data() && context.question.kind != kind::SOA {
                is_missing(context, said);
            }
            let holds = said.is_no_such_name();
            if holds {
                said.authority.clear();
            }
            holds
        },
    },
];

/// Ours with the addresses of such endpoints replaced by their pods is what the plugin says; and their addresses are names.
fn pod_names_with_dots(context: &Context<'_>, reply: &mut Reply, ours: &Reply) -> bool {
    let (Reply::Said(said), Reply::Said(ours)) = (&mut *reply, ours) else { return false };
    if !context.facts.variant.pod_names {
        return false;
    }
    if context.question.kind == kind::PTR
        && let Some(address) = Facts::address_of(&context.name)
    {
        let before = said.answer.clone();
        for line in &mut said.answer {
            // Beside the labels of service, namespace, `svc` and zone there is one for the endpoint.
            while line.data.split('.').count() > 7 {
                let rest = line.data.split_once('.').unwrap().1.split_once('.').unwrap().1;
                line.data = format!("{}.{rest}", dashed(&address.to_string()));
            }
        }
        said.sort();
        said.answer.dedup();
        return said.answer != before;
    }
    let Some(named) = context.named() else { return false };
    let pods = dotted_pods(&named, context.facts);
    if pods.is_empty() {
        return false;
    }
    if let ([label], true) = (named.before, said.is_no_such_name()) {
        let is_it = pods.iter().any(|(address, _)| address == label);
        if is_it && only_of(ours, label) {
            said.rcode = ours.rcode;
            said.answer.clone_from(&ours.answer);
            said.additional.clone_from(&ours.additional);
            said.authority.clone_from(&ours.authority);
        }
        return is_it;
    }
    let renamed = |lines: &[Line]| -> BTreeSet<Line> {
        let rename = |text: &str| {
            pods.iter().fold(format!(" {text}"), |text, (address, pod)| {
                text.replace(&format!(" {address}."), &format!(" {pod}."))
            })
        };
        let renamed = lines.iter().map(|line| Line {
            owner: if line.kind == RecordType::SRV {
                line.owner.clone()
            } else {
                rename(&line.owner).trim_start().to_owned()
            },
            data: if line.kind == RecordType::SRV {
                rename(&line.data).trim_start().to_owned()
            } else {
                line.data.clone()
            },
            ..line.clone()
        });
        renamed.collect()
    };
    let set = |lines: &[Line]| lines.iter().cloned().collect::<BTreeSet<_>>();
    let holds = context.question.kind == kind::SRV
        && said.answer != ours.answer
        && renamed(&ours.answer) == set(&said.answer)
        && renamed(&ours.additional) == set(&said.additional);
    if holds {
        said.answer.clone_from(&ours.answer);
        said.additional.clone_from(&ours.additional);
    }
    holds
}

/// Whether these are records of an endpoint that is called so by its address, or none.
fn only_of(said: &Said, label: &str) -> bool {
    said.answer.iter().all(|line| match line.kind {
        RecordType::SRV => {
            line.data.split(' ').next_back().is_some_and(|target| target.starts_with(&format!("{label}.")))
        }
        _ => dashed(&line.data) == *label,
    }) && said.additional.iter().all(|line| dashed(&line.data) == *label)
}

/// Address and pod, as labels, of ready endpoints without hostname whose pod has a dot in its name.
fn dotted_pods(named: &Named<'_>, facts: &Facts<'_>) -> BTreeSet<(String, String)> {
    let of = |endpoint: &Value| {
        let pod = endpoint["targetRef"]["name"]
            .as_str()
            .filter(|name| name.contains('.') && name.len() < 64)?
            .to_owned();
        endpoint["hostname"].is_null().then_some(pod)
    };
    let endpoints =
        named.endpoints(facts).into_iter().filter_map(|(_, endpoint)| Some((endpoint, of(endpoint)?)));
    endpoints
        .flat_map(|(endpoint, pod)| {
            texts(&endpoint["addresses"]).map(move |address| (dashed(address), pod.clone()))
        })
        .collect()
}

fn slices_of_names(context: &Context<'_>, reply: &mut Reply, ours: &Reply) -> bool {
    let (Reply::Said(said), Reply::Said(ours)) = (reply, ours) else { return false };
    let Some(named) = context.named() else { return false };
    let owner = format!("{}.", context.question.name);
    let is_alias = |line: &&Line| line.kind == RecordType::CNAME && line.owner == owner;
    let aliases = said.answer.iter().filter(is_alias).count();
    let asked = named.asked(context.facts);
    let targets: BTreeSet<String> = asked
        .iter()
        .filter(|(slice, _)| slice["addressType"] == "FQDN")
        .map(|(_, address)| format!("{address}."))
        .collect();
    if aliases == 0 || targets.is_empty() {
        return false;
    }
    if asked.iter().any(|(slice, _)| slice["addressType"] != "FQDN") {
        said.answer.retain(|line| line.owner == owner && line.kind != RecordType::CNAME);
        if said.answer.is_empty() {
            said.becomes_no_data(context.soa());
        }
        return true;
    }
    let chosen: Vec<&Line> = ours.answer.iter().filter(is_alias).collect();
    let fits = match chosen[..] {
        // The first leads to nothing in the zone.
        [] => ours.is_no_data() && targets.iter().any(|target| target.ends_with(".cluster.local.")),
        [alias] => {
            let of_plugin = |line: &Line| said.answer.contains(line) || context.question.kind == kind::CNAME;
            targets.contains(&alias.data) && ours.answer.iter().all(of_plugin)
        }
        _ => false,
    };
    let differs = said.answer != ours.answer;
    if fits && differs {
        said.answer.clone_from(&ours.answer);
        said.authority.clone_from(&ours.authority);
    }
    differs
}

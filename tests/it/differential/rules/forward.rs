//! Names of services, pods and zones.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::super::facts::Context;
use super::super::question::kind;
use super::super::reply::{Line, Reply};
use super::{Rule, exists};

pub(super) static RULES: [Rule; 9] = [
    Rule {
        name: "text above names",
        question: "TXT at the apex of a zone, at `svc.Z` and `pod.Z`, at a namespace",
        coredns: "NXDOMAIN, while other types get NODATA",
        meshdns: "NODATA",
        why: "NXDOMAIN says that nothing exists below the name either (RFC 8020 section 2): a resolver that asked for TXT could \
              lose the zone",
        apply: |context, reply, _| {
            let above = match context.labels()[..] {
                [] => true,
                ["svc" | "pod"] => !context.is_reverse(),
                _ => !context.is_reverse() && context.is_known_namespace(),
            };
            exists(reply, || above && context.question.kind == kind::TXT)
        },
    },
    Rule {
        name: "version",
        question: "`dns-version.Z`, another type than TXT",
        coredns: "NXDOMAIN",
        meshdns: "NODATA",
        why: "the name has a TXT record, so it exists (RFC 2308 section 2.2)",
        apply: |context, reply, _| {
            exists(reply, || context.labels() == ["dns-version"] && context.question.kind != kind::TXT)
        },
    },
    Rule {
        name: "above the name server",
        question: "`dns.Z`",
        coredns: "NXDOMAIN",
        meshdns: "NODATA",
        why: "`ns.dns.Z` exists below it (RFC 8020 section 2)",
        apply: |context, reply, _| exists(reply, || context.labels() == ["dns"]),
    },
    Rule {
        name: "name server, letter case",
        question: "`Z NS` and `ns.dns.Z` with capitals in Z",
        coredns: "NODATA without the name servers, and NXDOMAIN",
        meshdns: "as in lower case",
        why: "names are equal whatever their letter case (RFC 4343 section 3)",
        apply: name_server_in_capitals,
    },
    Rule {
        name: "name servers of other zones",
        question: "NS of a reverse or multicluster zone, where a service of the cluster has the server as an endpoint",
        coredns: "targets below that zone",
        meshdns: "targets in the first forward zone",
        why: "services have no names in that zone, and the target of an NS record must have addresses (RFC 2181 section 10.3)",
        apply: |context, reply, _| {
            let Reply::Said(said) = reply else { return false };
            let (zone, mut holds) = (context.zone_as_asked(), false);
            let Some(other) = (context.zone != "cluster.local").then(|| format!(".svc.{zone}")) else {
                return false;
            };
            let mut rename = |name: &mut String| {
                if let Some(service) = name.strip_suffix(&other) {
                    *name = format!("{service}.svc.cluster.local.");
                    holds = true;
                }
            };
            if context.labels().is_empty() && context.question.kind == kind::NS {
                said.answer.iter_mut().for_each(|line| rename(&mut line.data));
                said.additional.iter_mut().for_each(|line| rename(&mut line.owner));
            }
            holds
        },
    },
    Rule {
        name: "name server, other types",
        question: "`ns.dns.Z` TXT and PTR",
        coredns: "NXDOMAIN",
        meshdns: "NODATA",
        why: "the name exists (RFC 2308 section 2.2)",
        apply: |context, reply, _| {
            let other = [kind::TXT, kind::PTR].contains(&context.question.kind);
            exists(reply, || context.labels() == ["ns", "dns"] && other)
        },
    },
    Rule {
        name: "above ports",
        question: "`_tcp.S.N.svc.Z` where S has a port with this protocol",
        coredns: "NXDOMAIN, unless an endpoint is called so",
        meshdns: "NODATA",
        why: "`_port._tcp.S.N.svc.Z` exists below it (RFC 8020 section 2)",
        apply: |context, reply, _| {
            exists(reply, || {
                let Some(named) = context.named().filter(|named| named.exists(context.facts)) else {
                    return false;
                };
                let [label] = named.before else { return false };
                let protocol = label.strip_prefix('_').unwrap_or(label);
                named.protocols(context.facts).iter().any(|one| protocol.is_empty() || one == protocol)
            })
        },
    },
    Rule {
        name: "pod addresses in other spellings",
        question: "a pod name made of another spelling of the pod's IPv6 address, with `pods verified`",
        coredns: "NXDOMAIN, also for `fd00--0`, which is how an endpoint with the address `fd00::` is called",
        meshdns: "the address",
        why: "all spellings are one address (RFC 4291 section 2.2)",
        apply: |context, reply, ours| {
            let (Reply::Said(said), Reply::Said(ours)) = (reply, ours) else { return false };
            let Some(address) = context.pod_in_other_spelling() else { return false };
            // A pod that was being deleted when it was first seen is not known.
            let holds = said.is_no_such_name() && !ours.is_no_such_name();
            if holds {
                said.rcode = ResponseCode::NoError;
                if context.question.kind == kind::AAAA {
                    let (owner, ttl) = (format!("{}.", context.question.name), context.facts.variant.ttl);
                    said.answer = vec![Line::new(&owner, ttl, RecordType::AAAA, &address.to_string())];
                    said.authority.clear();
                }
            }
            holds
        },
    },
    Rule {
        name: "port of a pod",
        question: "SRV at a pod name",
        coredns: "a record with port 0, and the address",
        meshdns: "NODATA",
        why: "nothing listens on port 0; the DNS specification of Kubernetes (section 2.3) has no SRV there",
        apply: |context, reply, _| {
            let is_pod = context.labels.last().is_some_and(|label| label == "pod");
            let Reply::Said(said) = reply else { return false };
            let holds = is_pod && context.question.kind == kind::SRV && !said.answer.is_empty();
            if holds {
                said.becomes_no_data(context.soa());
            }
            holds
        },
    },
];

/// What is said in lower case, in the letter case of the question.
fn name_server_in_capitals(context: &Context<'_>, reply: &mut Reply, _: &Reply) -> bool {
    let (Reply::Said(said), Some(_), Some(Reply::Said(lower))) =
        (reply, context.in_lower_case(), context.otherwise)
    else {
        return false;
    };
    let (zone, name) = (context.zone_as_asked(), format!("{}.", context.question.name));
    let as_asked = |lines: &[Line]| -> Vec<Line> {
        let zoned = |text: &str| text.replace(&format!("{}.", context.zone), &zone);
        let owner = |text: &str| if text.eq_ignore_ascii_case(&name) { name.clone() } else { zoned(text) };
        lines
            .iter()
            .map(|line| Line { owner: owner(&line.owner), data: zoned(&line.data), ..line.clone() })
            .collect()
    };
    let before = said.clone();
    said.rcode = lower.rcode;
    said.answer = as_asked(&lower.answer);
    said.authority = as_asked(&lower.authority);
    said.additional = as_asked(&lower.additional);
    *said != before
}

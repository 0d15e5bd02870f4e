//! What is about messages, whatever the name; and what has to come first.

use std::collections::BTreeSet;

use hickory_proto::op::ResponseCode;

use super::super::facts::Context;
use super::super::question::IN;
use super::super::reply::{Line, Reply, Said};
use super::super::world::texts;
use super::Rule;

const NOTIFY: u8 = 4;

/// Before all others.
pub(super) static FIRST: [Rule; 4] = [
    Rule {
        name: "imports under a namespace selector",
        question: "a ServiceImport, with `namespace_labels`",
        coredns: "it exists if its own labels match, in a namespace that matches",
        meshdns: "it exists in a namespace that matches",
        why: "the selector is one of namespaces (CoreDNS, plugin/kubernetes/README.md)",
        apply: |context, reply, _| {
            let (Some(_), Some(unfiltered)) = (context.unfiltered(), context.otherwise) else { return false };
            let differ = reply != unfiltered;
            if differ {
                *reply = unfiltered.clone();
            }
            differ
        },
    },
    Rule {
        name: "NOTIFY",
        question: "any name, with the operation NOTIFY",
        coredns: "the answer to an ordinary query",
        meshdns: "NOTIMP",
        why: "nobody here is a secondary server (RFC 1996 section 3.11)",
        apply: |context, reply, _| {
            let Reply::Said(said) = reply else { return false };
            let holds = context.question.operation == NOTIFY && context.reaches_us();
            if holds {
                // Flags that CoreDNS repeats of queries only.
                becomes_bare(said, ResponseCode::NotImp);
                said.head = format!("Response Notify {}", context.question.repeated_flags());
            }
            holds
        },
    },
    Rule {
        name: "other classes",
        question: "any name in another class than IN, where a block on the same port uses `forward`",
        coredns: "records of class IN, or a negative answer",
        meshdns: "REFUSED, as without such a block",
        why: "there is no data of that class (RFC 1034 section 3.6)",
        apply: |context, reply, _| {
            let Reply::Said(said) = reply else { return false };
            let holds =
                context.question.class != IN && context.question.operation == 0 && context.reaches_us();
            if holds {
                becomes_bare(said, ResponseCode::Refused);
                said.head = said.head.replace(" aa", " ").replace("  ", " ");
            }
            holds
        },
    },
    Rule {
        name: "more than a message holds",
        question: "SRV with so many endpoints that records and addresses take more than 65,535 octets",
        coredns: "as many records as fit and TC, over TCP too; always the same ones",
        meshdns: "all SRV records with the addresses that fit; where the records alone are too many, others each time, without TC",
        why: "TC asks to come back over TCP (RFC 2181 section 9), which the client did already; additional records are optional",
        apply: more_than_a_message_holds,
    },
];

/// After all others.
pub(super) static LAST: [Rule; 1] = [Rule {
    name: "EDNS options",
    question: "any name, with EDNS options such as NSID, COOKIE or PADDING",
    coredns: "repeats the options of the query, which take room in the reply",
    meshdns: "no options",
    why: "a cookie without the server's part is malformed in a reply (RFC 7873 section 5.2.2), and options that are not \
          supported are left out (RFC 6891 section 6.1.2)",
    apply: |context, reply, _| {
        let Reply::Said(said) = reply else { return false };
        let Some(edns) = &mut said.edns else { return false };
        let holds = context.reaches_us() && !edns.options.is_empty();
        if holds {
            edns.options.clear();
        }
        holds
    },
}];

fn more_than_a_message_holds(context: &Context<'_>, reply: &mut Reply, ours: &Reply) -> bool {
    let (Reply::Said(said), Reply::Said(ours), Some(named)) = (reply, ours, context.named()) else {
        return false;
    };
    let endpoints = named.endpoints(context.facts).into_iter();
    let labels: BTreeSet<String> = endpoints
        .flat_map(|(_, endpoint)| {
            texts(&endpoint["addresses"]).map(move |address| context.facts.label(endpoint, address))
        })
        .collect();
    let is_one = |name: &str| name.split_once('.').is_some_and(|(label, _)| labels.contains(label));
    let target = |line: &Line| line.data.rsplit(' ').next().is_some_and(is_one);
    // Addresses are left out before records are.
    let complete = said.answer.iter().all(|line| ours.answer.contains(line));
    let as_many = ours.additional.is_empty() && ours.answer.len() * 10 > said.answer.len() * 9;
    let holds = context.question.over_tcp
        && said.truncated
        && (complete || as_many)
        && ours.answer.iter().all(target)
        && ours.additional.iter().all(|line| is_one(&line.owner));
    if holds {
        said.truncated = false;
        said.answer.clone_from(&ours.answer);
        said.additional.clone_from(&ours.additional);
    }
    holds
}

fn becomes_bare(said: &mut Said, rcode: ResponseCode) {
    said.rcode = rcode;
    said.truncated = false;
    said.answer.clear();
    said.authority.clear();
    said.additional.clear();
}

impl Context<'_> {
    /// Whether CoreDNS asks a plugin at all, and does not answer by itself.
    fn reaches_us(&self) -> bool {
        let version = self.question.edns.as_ref().map_or(0, |edns| edns.version);
        version == 0 && (self.question.class == IN || self.facts.variant.beside_forward)
    }
}

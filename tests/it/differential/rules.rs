//! The differences that are meant.
//!
//! A rule makes what CoreDNS's kubernetes plugin answers into what we must answer. It looks at the question, at the objects and
//! at the plugin's answer, and where it holds, ours must be what it says. Few rules cannot say everything: those look at our
//! answer too, check what it may be, and let it be.

mod endpoints;
mod forward;
mod protocol;
mod reverse;

use hickory_proto::op::ResponseCode;

use super::facts::Context;
use super::reply::{Reply, Said};

/// A difference that is meant.
pub(super) struct Rule {
    /// What it is called in the docs.
    pub(super) name: &'static str,
    /// What is asked.
    pub(super) question: &'static str,
    /// What the kubernetes plugin answers.
    pub(super) coredns: &'static str,
    /// What meshdns answers.
    pub(super) meshdns: &'static str,
    /// Why, with its source.
    pub(super) why: &'static str,
    /// Makes the plugin's reply into ours, and says whether it is about this question. Ours comes last.
    pub(super) apply: fn(&Context<'_>, &mut Reply, &Reply) -> bool,
}

impl Rule {
    /// Whether it looks at such a reply: rules about names do not if the question was refused.
    fn holds_for(&self, reply: &Reply) -> bool {
        let Reply::Said(said) = reply else { return true };
        let answered = [ResponseCode::NoError, ResponseCode::NXDomain].contains(&said.rcode);
        answered || protocol::FIRST.iter().chain(&protocol::LAST).any(|rule| rule.name == self.name)
    }
}

/// A difference that an API server lets nobody make, or no answer shows.
pub(super) struct Unseen {
    /// What is asked.
    pub(super) question: &'static str,
    /// What the kubernetes plugin answers.
    pub(super) coredns: &'static str,
    /// What meshdns answers.
    pub(super) meshdns: &'static str,
    /// Why it does not show.
    pub(super) because: &'static str,
}

/// All rules, in the order in which they are applied.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    protocol::FIRST
        .iter()
        .chain(&forward::RULES)
        .chain(&endpoints::RULES)
        .chain(&reverse::RULES)
        .chain(&protocol::LAST)
}

/// What is different besides.
pub(super) static UNSEEN: [Unseen; 4] = [
    Unseen {
        question: "SOA serial",
        coredns: "the time of the last change",
        meshdns: "made of the content: equal on replicas with equal data",
        because: "serials are not compared",
    },
    Unseen {
        question: "a ClusterIP service without an address yet",
        coredns: "an alias to the root",
        meshdns: "NODATA",
        because: "an API server gives every service its address at once",
    },
    Unseen {
        question: "endpoints with addresses in unusual spelling (`FD00::A`)",
        coredns: "two addresses, of which one has no PTR record",
        meshdns: "one address",
        because: "an API server of today refuses them; objects of before may have them",
    },
    Unseen {
        question: "types other than A and AAAA at an ExternalName service",
        coredns: "a lookup elsewhere whose result is thrown away",
        meshdns: "no lookup",
        because: "the answer is the same",
    },
];

/// The reply that we must give, with the rules that made it of the plugin's.
pub(super) fn expected(context: &Context<'_>, theirs: &Reply, ours: &Reply) -> (Reply, Vec<&'static str>) {
    let mut reply = theirs.clone();
    let mut applied = Vec::new();
    for rule in all() {
        if rule.holds_for(&reply) && (rule.apply)(context, &mut reply, ours) {
            applied.push(rule.name);
        }
    }
    if let Reply::Said(said) = &mut reply {
        said.sort();
    }
    (reply, applied)
}

/// "No such name" becomes "no such record", if it was said and this holds.
fn exists(reply: &mut Reply, holds: impl FnOnce() -> bool) -> bool {
    let Reply::Said(said) = reply else { return false };
    if !said.is_no_such_name() || !holds() {
        return false;
    }
    said.rcode = ResponseCode::NoError;
    true
}

/// Whatever was said becomes "no such name".
fn is_missing(context: &Context<'_>, said: &mut Said) {
    said.becomes_no_data(context.soa());
    said.rcode = ResponseCode::NXDomain;
}

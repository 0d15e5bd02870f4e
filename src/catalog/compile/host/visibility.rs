//! Which of the entries that name a host a caller is told of, and in which order.

use crate::catalog::{CompilePolicy, PassedOver, Visibility};
use crate::model::ServiceEntry;

/// The entries that give the answer, in their order, and those that do not.
pub(super) struct Choice<'a> {
    /// All of one namespace.
    pub(super) chosen: Vec<&'a ServiceEntry>,
    /// Each with the reason.
    pub(super) passed_over: Vec<PassedOver>,
}

/// Chooses as istiod does for a proxy in one of the namespaces that the policy names, if it names any
/// (`pilot/pkg/model/sidecar.go`, `push_context.go`): the caller's own namespace, else the oldest entry's, entries
/// exported by name ahead of public ones.
pub(super) fn choose<'a>(entries: Vec<&'a ServiceEntry>, policy: &CompilePolicy) -> Choice<'a> {
    let callers = &policy.visible_to;
    let (mut seen, mut passed_over) = (Vec::new(), Vec::new());
    for entry in entries {
        match reach(entry, callers) {
            Some(reach) => seen.push((reach, entry)),
            None => {
                let nobody = entry.is_hidden().then_some("it is exported to nobody (exportTo)");
                let reason = nobody.unwrap_or_else(|| hidden(callers));
                passed_over.push(PassedOver { entry: entry.name.clone(), reason, hidden: true });
            }
        }
    }
    seen.sort_by_key(|(reach, entry)| (*reach, entry.created, &entry.name));
    let own = |namespace: &str| seen.iter().find(|(_, entry)| *entry.name.namespace == *namespace);
    let first = callers.namespaces.iter().find_map(|namespace| own(namespace)).or(seen.first());
    let winner = first.map(|(_, entry)| *entry);
    let mut chosen = Vec::new();
    for (_, entry) in seen {
        match winner {
            Some(winner) if winner.name.namespace != entry.name.namespace => passed_over.push(PassedOver {
                entry: entry.name.clone(),
                reason: goes_after(entry, winner, callers),
                hidden: false,
            }),
            _ => chosen.push(entry),
        }
    }
    Choice { chosen, passed_over }
}

/// Why an entry that may be seen goes after another of another namespace.
fn goes_after(entry: &ServiceEntry, winner: &ServiceEntry, callers: &Visibility) -> &'static str {
    if callers.namespaces.iter().any(|namespace| **namespace == *winner.name.namespace) {
        "the caller's own namespace declares the host (serviceEntries.exportedTo)"
    } else if reach(entry, callers) != reach(winner, callers) {
        "an entry that is exported by name declares the host (serviceEntries.exportedTo)"
    } else if entry.created != winner.created {
        "an older entry in another namespace declares the host"
    } else {
        "an entry of the same age in a namespace that sorts before declares the host"
    }
}

fn hidden(callers: &Visibility) -> &'static str {
    if callers.namespaces.is_empty() {
        "it is not exported to all namespaces (exportTo)"
    } else {
        "it is not exported to the namespaces of serviceEntries.exportedTo (exportTo)"
    }
}

/// How an entry reaches a caller; the order is that in which Istio lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// It names the caller's namespace.
    Named,
    /// It is for everybody.
    Public,
}

fn reach(entry: &ServiceEntry, callers: &Visibility) -> Option<Reach> {
    if entry.is_public() {
        return callers.public.then_some(Reach::Public);
    }
    let names = |namespace: &str| {
        entry.export_to.iter().any(|to| match &**to {
            "." => *entry.name.namespace == *namespace,
            to => to == namespace,
        })
    };
    (!entry.is_hidden() && callers.namespaces.iter().any(|namespace| names(namespace)))
        .then_some(Reach::Named)
}

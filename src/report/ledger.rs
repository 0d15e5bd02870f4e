//! What `records --ledger` lists: who has which automatic address, and what was contested.

use serde::{Deserialize, Serialize};

use super::render::table;
use crate::allocate::ledger::{Conflict, Listed, Listing, State};

/// Everything that the ledger has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedLedger {
    /// Every host, by namespace and name.
    pub hosts: Vec<ReportedHost>,
    /// The last conflicts, oldest first.
    pub conflicts: Vec<ReportedConflict>,
}

/// A host and its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedHost {
    /// Namespace of the entries that name it.
    pub namespace: String,
    /// The host.
    pub host: String,
    /// Its addresses, IPv4 first; empty while it waits.
    pub addresses: Vec<String>,
    /// Who gave them: `own`, `status`, `hash` or `istiod`.
    pub origin: Option<String>,
    /// When they were given, in Unix seconds.
    pub since: Option<u64>,
    /// `in use`, `storing` (given, but not answered before it is stored), `cooling` (the host is gone) or `waiting`
    /// (every address is taken).
    pub state: String,
    /// Until when addresses cool, in Unix seconds.
    pub until: Option<u64>,
    /// The conflict for which the host has other addresses than it would have.
    pub conflict: Option<String>,
}

/// An address that two entries wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedConflict {
    /// The address.
    pub address: String,
    /// The entry that keeps it, as `namespace/name`.
    pub kept: String,
    /// Why that one.
    pub why: String,
    /// The entry whose hosts got others.
    pub moved: String,
    /// When, in Unix seconds.
    pub at: u64,
}

impl ReportedLedger {
    /// The ledger as it is told.
    pub fn of(listing: &Listing) -> Self {
        Self {
            hosts: listing.hosts.iter().map(ReportedHost::from).collect(),
            conflicts: listing.conflicts.iter().map(ReportedConflict::from).collect(),
        }
    }
}

impl From<&Listed> for ReportedHost {
    fn from(listed: &Listed) -> Self {
        let (state, until) = match listed.state {
            State::InUse => ("in use", None),
            State::Storing => ("storing", None),
            State::Cooling { until } => ("cooling", Some(until)),
            State::Waiting => ("waiting", None),
        };
        Self {
            namespace: listed.key.namespace.to_string(),
            host: listed.key.host(),
            addresses: listed.addresses.iter().map(|address| address.to_string()).collect(),
            origin: listed.origin.map(|origin| origin.as_str().to_owned()),
            since: listed.since,
            state: state.to_owned(),
            until,
            conflict: listed.moved.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&Conflict> for ReportedConflict {
    fn from(conflict: &Conflict) -> Self {
        Self {
            address: conflict.address.to_string(),
            kept: conflict.kept.to_string(),
            why: conflict.why.as_str().to_owned(),
            moved: conflict.moved.to_string(),
            at: conflict.at,
        }
    }
}

/// The ledger as a table without head: namespace, host, addresses, origin, age, state; then the conflicts.
pub fn ledger_text(ledger: &ReportedLedger, now: u64) -> String {
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let rows: Vec<[String; 6]> = ledger
        .hosts
        .iter()
        .map(|host| {
            let mut state = host.state.clone();
            if let Some(until) = host.until {
                state.push_str(&format!(" for {}", span(until.saturating_sub(now))));
            }
            if host.conflict.is_some() {
                state.push_str(", after a conflict");
            }
            [
                host.namespace.clone(),
                host.host.clone(),
                dash(Some(host.addresses.join(" ")).filter(|text| !text.is_empty())),
                dash(host.origin.clone()),
                dash(host.since.map(|since| span(now.saturating_sub(since)))),
                state,
            ]
        })
        .collect();
    let mut text = table(&rows);
    if !ledger.conflicts.is_empty() {
        text.push_str("\nconflicts\n");
    }
    for conflict in &ledger.conflicts {
        let ReportedConflict { address, kept, why, moved, at } = conflict;
        let ago = span(now.saturating_sub(*at));
        text.push_str(&format!(
            "  {address}: ServiceEntry {kept} keeps it because it {why}; ServiceEntry {moved} gets others ({ago} ago)\n"
        ));
    }
    text
}

/// A span of time in its largest whole unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_people_ask() {
        let host = |name: &str, state: &str, until, conflict: Option<&str>| ReportedHost {
            namespace: "shop".into(),
            host: name.into(),
            addresses: if state == "waiting" {
                Vec::new()
            } else {
                vec!["240.240.0.1".into(), "2001:2::1".into()]
            },
            origin: (state != "waiting").then(|| "own".into()),
            since: (state != "waiting").then_some(1000),
            state: state.into(),
            until,
            conflict: conflict.map(Into::into),
        };
        let conflict = ReportedConflict {
            address: "240.240.0.1".into(),
            kept: "shop/a".into(),
            why: "is older".into(),
            moved: "shop/b".into(),
            at: 7000,
        };
        let hosts = vec![
            host("a.example", "in use", None, None),
            host("b.example", "cooling", Some(200_000), None),
            host("c.example", "waiting", None, Some("…")),
        ];
        let text = ledger_text(&ReportedLedger { hosts, conflicts: vec![conflict] }, 8200);
        let expected = "\
shop  a.example  240.240.0.1 2001:2::1  own  2h  in use
shop  b.example  240.240.0.1 2001:2::1  own  2h  cooling for 2d
shop  c.example  -                      -    -   waiting, after a conflict

conflicts
  240.240.0.1: ServiceEntry shop/a keeps it because it is older; ServiceEntry shop/b gets others (20m ago)
";
        assert_eq!(text, expected);
    }
}

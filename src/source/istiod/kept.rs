//! A table that outlives the process: what is kept of it, and whether it may be used at the next start.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{IstiodSettings, Table};

/// A table to be kept, or one of an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose view of which mesh it is.
    pub view: View,
    /// The table.
    pub table: Arc<Table>,
    /// When it was last known to be what istiod says.
    pub confirmed: SystemTime,
}

/// Whose view of which mesh a table is: everything that was said about us and that may change what istiod sends, one
/// line each. The name of the pod and its service account change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View(pub Arc<str>);

/// Why a table of an earlier run is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUsed {
    /// It was sent to somebody else, or by somebody else.
    #[error("it was taken as `{was}`, which is `{is}` now")]
    OtherView {
        /// The first line of its view that is another one.
        was: String,
        /// The same of ours.
        is: String,
    },
    /// Nobody has confirmed it for too long.
    #[error(
        "it was confirmed {} s ago, and sources.istiod.keep allows {} s", age.as_secs(), limit.as_secs()
    )]
    TooOld {
        /// Since when.
        age: Duration,
        /// What is allowed.
        limit: Duration,
    },
    /// It was confirmed at a time that is yet to come, so its age is not known.
    #[error("it was confirmed {} s from now: the clock was changed", ahead.as_secs())]
    Unborn {
        /// How far off that time is.
        ahead: Duration,
    },
}

impl Kept {
    /// Whether it may be used by a source with these settings. A clock that was set back does not matter as long as
    /// the difference is an age that would do.
    pub fn check(&self, settings: &IstiodSettings, now: SystemTime) -> Result<(), NotUsed> {
        let view = settings.view();
        if self.view != view {
            let (was, is) = self.view.difference(&view);
            return Err(NotUsed::OtherView { was, is });
        }
        let limit = settings.keep;
        match now.duration_since(self.confirmed) {
            Ok(age) if age > limit => Err(NotUsed::TooOld { age, limit }),
            Err(ahead) if ahead.duration() > limit => Err(NotUsed::Unborn { ahead: ahead.duration() }),
            _ => Ok(()),
        }
    }
}

impl View {
    /// The first lines that differ.
    fn difference(&self, other: &Self) -> (String, String) {
        let (mut ours, mut theirs) = (self.0.lines(), other.0.lines());
        loop {
            let (ours, theirs) = (ours.next(), theirs.next());
            if ours != theirs || ours.is_none() {
                let line = |line: Option<&str>| line.unwrap_or("nothing").to_owned();
                return (line(ours), line(theirs));
            }
        }
    }
}

impl IstiodSettings {
    /// What a table is that these settings lead to.
    pub fn view(&self) -> View {
        let node = &self.node;
        let addresses: Vec<String> = node.addresses.iter().map(ToString::to_string).collect();
        let mut lines = vec![
            format!("istiod {}", self.endpoint),
            format!("namespace {}", node.namespace),
            format!("addresses {}", addresses.join(",")),
            format!("cluster {}", node.cluster_id),
            format!("network {}", node.network),
            format!("domain {}", node.domain),
            format!("computed addresses {}", node.auto_allocate),
        ];
        // Values may have several lines.
        lines.extend(node.metadata.iter().map(|(key, value)| format!("metadata {key:?} {value:?}")));
        View(lines.join("\n").into())
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::istiod::{Endpoint, Limits, NodeIdentity};

    type Edit = fn(&mut IstiodSettings);

    const HOUR: Duration = Duration::from_secs(3600);

    fn settings(change: impl FnOnce(&mut IstiodSettings)) -> IstiodSettings {
        let endpoint = Endpoint { host: "istiod".into(), port: 15_010 };
        let (node, limits) = (NodeIdentity::default(), Limits::default());
        let mut settings = IstiodSettings { endpoint, tls: None, token: None, node, keep: HOUR, limits };
        change(&mut settings);
        settings
    }

    fn kept(confirmed: SystemTime) -> Kept {
        let table = Table { rows: Default::default(), version: String::new(), received: confirmed };
        Kept { view: settings(|_| {}).view(), table: Arc::new(table), confirmed }
    }

    #[test]
    fn it_is_used_until_it_is_too_old() {
        let confirmed = SystemTime::UNIX_EPOCH + HOUR * 500_000;
        let check = |now| kept(confirmed).check(&settings(|_| {}), now);
        let second = Duration::from_secs(1);
        assert_eq!(check(confirmed), Ok(()));
        assert_eq!(check(confirmed + HOUR), Ok(()));
        assert_eq!(check(confirmed - HOUR), Ok(()));
        let old = check(confirmed + HOUR + second).unwrap_err().to_string();
        assert_eq!(old, "it was confirmed 3601 s ago, and sources.istiod.keep allows 3600 s");
        let unborn = check(confirmed - HOUR - second).unwrap_err().to_string();
        assert_eq!(unborn, "it was confirmed 3601 s from now: the clock was changed");
    }

    #[test]
    fn what_changes_the_table_makes_it_another_one() {
        let now = SystemTime::now();
        let told = |change: Edit| kept(now).check(&settings(change), now).err().map(|why| why.to_string());
        let cases: [(Edit, &str, &str); 8] = [
            (|s| s.endpoint.port = 15_012, "istiod istiod:15010", "istiod istiod:15012"),
            (|s| s.node.namespace = "shop".into(), "namespace default", "namespace shop"),
            (
                |s| s.node.addresses.push([192, 0, 2, 2].into()),
                "addresses 192.0.2.1",
                "addresses 192.0.2.1,192.0.2.2",
            ),
            (|s| s.node.cluster_id = "b".into(), "cluster Kubernetes", "cluster b"),
            (|s| s.node.network = "n".into(), "network ", "network n"),
            (|s| s.node.domain = "b.local".into(), "domain cluster.local", "domain b.local"),
            (|s| s.node.auto_allocate = true, "computed addresses false", "computed addresses true"),
            (
                |s| drop(s.node.metadata.insert("A".into(), "1\n2".into())),
                "nothing",
                r#"metadata "A" "1\n2""#,
            ),
        ];
        for (change, was, is) in cases {
            let expected = format!("it was taken as `{was}`, which is `{is}` now");
            assert_eq!(told(change), Some(expected));
        }
        assert_eq!(told(|s| s.node.name = "other-pod".into()), None);
        assert_eq!(told(|s| s.node.service_account = "other".into()), None);
    }
}

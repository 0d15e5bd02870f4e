//! Permissions, as roles grant them.

use std::fmt;

/// One rule of a Role or ClusterRole (`rbac.authorization.k8s.io/v1`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// The API group; empty: the core group.
    pub group: &'static str,
    /// The resource, in plural.
    pub resource: &'static str,
    /// What is done with it.
    pub verbs: &'static [&'static str],
    /// The namespace whose Role has it; `None`: a ClusterRole.
    pub namespace: Option<String>,
}

/// As YAML on one line, after the kind of role that it belongs to.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            None => f.write_str("ClusterRole")?,
            Some(namespace) => write!(f, "Role in {namespace}")?,
        }
        let Self { group, resource, verbs, .. } = self;
        write!(
            f,
            " rules: [{{apiGroups: [\"{group}\"], resources: [{resource}], verbs: [{}]}}]",
            verbs.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_yaml_to_paste() {
        let rule =
            |group, namespace| Rule { group, resource: "services", verbs: &["list", "watch"], namespace };
        assert_eq!(
            rule("", None).to_string(),
            "ClusterRole rules: [{apiGroups: [\"\"], resources: [services], verbs: [list, watch]}]"
        );
        assert_eq!(
            rule("discovery.k8s.io", Some("shop".to_owned())).to_string(),
            "Role in shop rules: [{apiGroups: [\"discovery.k8s.io\"], resources: [services], verbs: [list, watch]}]"
        );
    }
}

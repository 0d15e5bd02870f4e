//! Names of services that may come any moment.

use super::part::Part;
use crate::catalog::{Catalog, ServiceKind};

/// Whether a name that does not exist may come any moment.
pub(super) fn may_come(_catalog: &Catalog, part: &Part<'_>) -> bool {
    let headless = matches!(part.unit.kind, ServiceKind::Headless);
    headless && (part.unit.endpoints.is_empty() || part.before == 1 || part.before == 2 && part.names_cluster())
}

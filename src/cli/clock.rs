//! The clock by which TTLs follow churn.

use std::sync::Arc;
use std::time::Duration;

use meshdns::catalog::Catalog;
use meshdns::store::unix_seconds;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Pause between two tellings; TTLs are whole seconds.
const INTERVAL: Duration = Duration::from_secs(1);

/// Tells the catalog the time as long as the server runs: that of the start, and the seconds since. So somebody who sets the
/// machine's clock makes nothing older or younger.
pub(super) async fn tick(catalog: Arc<Catalog>) {
    let (began, at) = (Instant::now(), unix_seconds());
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let now = at + began.elapsed().as_secs();
        catalog.policy.ttl.clock().tell(now, catalog.staleness().get());
        ticks.tick().await;
    }
}

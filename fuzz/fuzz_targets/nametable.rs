//! Any octets as a response of istiod: no panic; what is taken can be told to the keeper, and what is wrong is told in
//! one line each.
#![no_main]

use std::sync::Arc;
use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::source::SourceId;
use meshdns::source::istiod::proto::DiscoveryResponse;
use meshdns::source::istiod::{Exchange, NodeIdentity, Step, Subscriptions, Table};
use prost::Message;

fuzz_target!(|octets: &[u8]| {
    let Ok(response) = DiscoveryResponse::decode(octets) else { return };
    let mut exchange = Exchange::new(&NodeIdentity::default(), Subscriptions::WithListeners);
    let (step, reply) = exchange.take(response);
    let refused = reply.as_ref().is_some_and(|reply| reply.error_detail.is_some());
    match step {
        Step::Table(rows, version) => {
            assert!(!refused);
            assert!(rows.defects.iter().all(|defect| defect.to_string().lines().count() == 1));
            let table = Table { rows: rows.rows, version, received: SystemTime::UNIX_EPOCH };
            assert!(table.changes_since(&table).is_empty());
            let settings = Settings::read("", "zones: [cluster.local]", &Overrides::default()).expect("settings");
            let mut keeper = Keeper::new(Arc::new(Catalog::new(settings.policy())));
            keeper.apply(SourceId::ISTIOD.0, table.replacement());
        }
        Step::BadTable(_) | Step::BadListeners(_) => assert!(refused),
        Step::Listeners(_) | Step::Nothing => assert!(!refused),
        Step::Strange(_) => assert!(reply.is_none()),
    }
});

//! The shards and how they are written, without an API server.

mod histories;
mod skew;
mod text;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::layout::Layout;
use super::shard::Shard;
use super::view::{Slot, View};
use crate::allocate::{Assigned, HostKey, Origin, Row, Slices};
use crate::model::Cidr;

fn view(shards: u32, ranges: &[&str]) -> View {
    let ranges: Vec<Cidr> = ranges.iter().map(|range| Cidr::parse(range).unwrap()).collect();
    let first = Shard::new(1, ranges.clone(), true);
    let layout = Layout::new(Slices::new(NonZeroU32::new(shards).unwrap()), ranges);
    View { layout, slots: vec![Slot::Good(Arc::new(first)); shards as usize] }
}

fn key(host: &str) -> Arc<HostKey> {
    Arc::new(HostKey::parse("shop", host).unwrap())
}

fn row(addresses: &[IpAddr], since: u64) -> Row {
    let mut assigned = Assigned::default();
    addresses.iter().for_each(|address| assigned.set(*address));
    Row { addresses: assigned, origin: Origin::Own, since, freed: None }
}

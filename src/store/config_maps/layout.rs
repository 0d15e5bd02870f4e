//! Which shard owns which host and which address.

use std::net::IpAddr;

use crate::allocate::{HostKey, Slices};
use crate::model::Cidr;

/// The shards of a ledger, counted from 0, and the ranges that each has a slice of.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    slices: Slices,
    ranges: Vec<Cidr>,
}

impl Layout {
    pub(super) fn new(slices: Slices, ranges: Vec<Cidr>) -> Self {
        Self { slices, ranges }
    }

    /// How many shards there are.
    pub(super) fn shards(&self) -> usize {
        self.slices.count() as usize
    }

    /// All ranges that any writer has used, each cut into as many slices as there are shards.
    pub(super) fn ranges(&self) -> &[Cidr] {
        &self.ranges
    }

    /// The shard that has the row of a host.
    pub(super) fn home(&self, key: &HostKey) -> usize {
        self.slices.of_host(key) as usize
    }

    /// The shard that decides whose an address is; none for addresses that were not given by us.
    pub(super) fn owner(&self, address: IpAddr) -> Option<usize> {
        let range = self.ranges.iter().find(|range| {
            range.network().is_ipv4() == address.is_ipv4()
                && range.network() <= address
                && address <= range.last()
        })?;
        Some(self.slices.of_address(range, address) as usize)
    }

    /// Knows these ranges too. One that overlaps another that is known cannot be: its slices would be others.
    pub(super) fn add(&mut self, ranges: &[Cidr]) -> Result<(), String> {
        for range in ranges {
            match self.ranges.iter().find(|known| known.overlaps(range)) {
                Some(known) if known == range => {}
                Some(known) => {
                    return Err(format!(
                        "{range} overlaps {known}, for which this ledger was made (serviceEntries.ranges); take that \
                         range, others, or another name for the ledger"
                    ));
                }
                None => self.ranges.push(*range),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn ranges_are_added_and_never_cut_otherwise() {
        let cidr = |text: &str| Cidr::parse(text).unwrap();
        let slices = Slices::new(NonZeroU32::new(64).unwrap());
        let mut layout = Layout::new(slices, vec![cidr("240.240.0.0/16")]);
        let owner = |layout: &Layout, text: &str| layout.owner(text.parse().unwrap());
        assert_eq!(owner(&layout, "240.240.4.1"), Some(1));
        assert_eq!(owner(&layout, "2001:2::1"), None);
        layout.add(&[cidr("2001:2::/48"), cidr("240.240.0.0/16")]).unwrap();
        assert_eq!((owner(&layout, "2001:2::1"), owner(&layout, "240.240.4.1")), (Some(0), Some(1)));
        assert_eq!(layout.ranges().len(), 2);
        let refused = layout.add(&[cidr("240.240.0.0/17")]).unwrap_err();
        assert!(refused.contains("240.240.0.0/17 overlaps 240.240.0.0/16"), "{refused}");
    }
}

//! The SRV records of one owner, with the addresses of their targets.

use std::net::IpAddr;

/// SRV records in the form in which they are put into messages. All targets lie below one base name, which the
/// answer knows: a service's zone as it was asked, or the name of a mesh host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSet {
    /// `max(1, floor(100 / n))`, where `n` counts every address times every port that the answer stands for.
    pub weight: u16,
    /// The targets, each once.
    pub targets: Vec<ServiceTarget>,
    /// The records, each once.
    pub records: Vec<ServiceRecord>,
}

/// A target and its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceTarget {
    /// Its labels in front of the base, in wire form without a root octet, as stored.
    pub labels: Vec<u8>,
    /// Its addresses, each once.
    pub addresses: Vec<IpAddr>,
}

/// One SRV record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceRecord {
    /// Which of the targets.
    pub target: u32,
    /// The port.
    pub port: u16,
}

impl ServiceSet {
    /// Adds an address of a target, and ports under which it is reached. Targets must come grouped.
    pub(crate) fn add(&mut self, labels: &[u8], address: IpAddr, ports: impl Iterator<Item = u16>) {
        if self.targets.last().is_none_or(|target| target.labels != labels) {
            self.targets.push(ServiceTarget { labels: labels.to_vec(), addresses: Vec::new() });
        }
        let target = (self.targets.len() - 1) as u32;
        let mut any = false;
        for port in ports {
            any = true;
            let record = ServiceRecord { target, port };
            let same_target = self.records.iter().rev().take_while(|known| known.target == target);
            if !same_target.clone().any(|known| *known == record) {
                self.records.push(record);
            }
        }
        if let Some(last) = self.targets.last_mut()
            && any
            && !last.addresses.contains(&address)
        {
            last.addresses.push(address);
        }
    }

    /// Sets the weight for `entries` addresses times ports.
    pub(crate) fn weigh(&mut self, entries: usize) {
        self.weight = (100 / entries.clamp(1, 100)) as u16;
    }
}

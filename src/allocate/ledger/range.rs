//! A range of addresses, and which of it are free.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::allocate::slices::{Slices, number};
use crate::model::Cidr;

/// One range, cut into slices of equal size. Everything is taken or free; the prefix's own address is neither.
#[derive(Debug)]
pub(super) struct Range {
    cidr: Cidr,
    slices: Vec<Slice>,
    taken: u64,
}

/// Part of a range. Numbers are addresses as integers.
#[derive(Debug)]
struct Slice {
    /// Its place in the range, counted from 0.
    place: u32,
    first: u128,
    last: u128,
    /// Where the next search begins.
    pointer: u128,
    /// Free intervals: first to last.
    free: BTreeMap<u128, u128>,
}

impl Range {
    /// All of it free.
    pub(super) fn new(cidr: Cidr, slices: Slices) -> Self {
        let (network, last) = (number(cidr.network()), number(cidr.last()));
        let size = slices.size(&cidr);
        let mut cut = Vec::new();
        let (mut first, mut place) = (network, 0);
        while first <= last {
            let end = first.saturating_add(size - 1).min(last);
            // The prefix's own address is not given.
            let begin = first.max(network + 1);
            if begin <= end {
                cut.push(Slice {
                    place,
                    first: begin,
                    last: end,
                    pointer: begin,
                    free: [(begin, end)].into(),
                });
            }
            match end.checked_add(1) {
                Some(next) => (first, place) = (next, place + 1),
                None => break,
            }
        }
        Self { cidr, slices: cut, taken: 0 }
    }

    /// The range as written.
    pub(super) fn cidr(&self) -> Cidr {
        self.cidr
    }

    /// How many addresses it has to give; very many are shown as the most that can be counted.
    pub(super) fn capacity(&self) -> u64 {
        u64::try_from(number(self.cidr.last()) - number(self.cidr.network())).unwrap_or(u64::MAX)
    }

    /// How many of them are taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether this address can be given from here.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.cidr.network().is_ipv4()
            && self.cidr.network() < address
            && address <= self.cidr.last()
    }

    /// Takes the next free address of the slice at this place, or of those behind it.
    pub(super) fn next(&mut self, place: u32) -> Option<IpAddr> {
        let count = self.slices.len();
        let start = self.slices.partition_point(|slice| slice.place < place);
        let found = (0..count).find_map(|step| self.slices[(start + step) % count].next())?;
        self.taken += 1;
        Some(self.address(found))
    }

    /// Takes this address; says whether it was free.
    pub(super) fn take(&mut self, address: IpAddr) -> bool {
        let number = number(address);
        let slice = self.slices.iter_mut().find(|slice| slice.first <= number && number <= slice.last);
        let free = slice.is_some_and(|slice| slice.take(number));
        self.taken += u64::from(free);
        free
    }

    /// Frees this address, which must be taken.
    pub(super) fn free(&mut self, address: IpAddr) {
        let number = number(address);
        if let Some(slice) =
            self.slices.iter_mut().find(|slice| slice.first <= number && number <= slice.last)
        {
            slice.free(number);
            self.taken -= 1;
        }
    }

    fn address(&self, number: u128) -> IpAddr {
        match self.cidr.network() {
            IpAddr::V4(_) => IpAddr::V4((number as u32).into()),
            IpAddr::V6(_) => IpAddr::V6(number.into()),
        }
    }
}

impl Slice {
    /// The first free number from the pointer upwards, then from the beginning.
    fn next(&mut self) -> Option<u128> {
        let here = self.free.range(..=self.pointer).next_back().filter(|(_, end)| **end >= self.pointer);
        let found = match here {
            Some(_) => self.pointer,
            None => *self.free.range(self.pointer..).next().or_else(|| self.free.iter().next())?.0,
        };
        self.take(found);
        self.pointer = if found == self.last { self.first } else { found + 1 };
        Some(found)
    }

    fn take(&mut self, number: u128) -> bool {
        let Some((&begin, &end)) = self.free.range(..=number).next_back().filter(|(_, end)| **end >= number)
        else {
            return false;
        };
        self.free.remove(&begin);
        if begin < number {
            self.free.insert(begin, number - 1);
        }
        if number < end {
            self.free.insert(number + 1, end);
        }
        true
    }

    fn free(&mut self, number: u128) {
        let (mut begin, mut end) = (number, number);
        if let Some((&before, &last)) = self.free.range(..number).next_back()
            && last + 1 == number
        {
            begin = before;
        }
        if number < self.last
            && let Some(after) = self.free.remove(&(number + 1))
        {
            end = after;
        }
        self.free.insert(begin, end);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn range(text: &str, slices: u32) -> Range {
        Range::new(Cidr::parse(text).unwrap(), Slices::new(NonZeroU32::new(slices).unwrap()))
    }

    fn texts(range: &mut Range, count: usize) -> Vec<String> {
        (0..count).map_while(|_| range.next(0)).map(|address| address.to_string()).collect()
    }

    #[test]
    fn the_pointer_goes_up_and_wraps_once() {
        let mut range = range("192.0.2.0/29", 1);
        assert_eq!(texts(&mut range, 2), ["192.0.2.1", "192.0.2.2"]);
        range.free("192.0.2.1".parse().unwrap());
        assert_eq!(range.taken(), 1);
        assert!(range.take("192.0.2.4".parse().unwrap()), "free");
        assert!(!range.take("192.0.2.4".parse().unwrap()), "taken");
        assert!(!range.take("192.0.2.0".parse().unwrap()), "the prefix's own address");
        assert_eq!(texts(&mut range, 9), ["192.0.2.3", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.1"]);
        assert_eq!((range.taken(), range.capacity()), (7, 7));
    }

    #[test]
    fn octets_0_and_255_and_the_last_address_are_used() {
        let mut range = range("240.240.0.0/23", 1);
        let all = texts(&mut range, 1000);
        assert_eq!(all.len(), 511);
        for address in ["240.240.0.255", "240.240.1.0", "240.240.1.255"] {
            assert!(all.contains(&address.to_owned()), "{address}");
        }
    }

    #[test]
    fn the_whole_of_a_family_is_a_range() {
        assert_eq!(texts(&mut range("::/0", 1), 1), ["::1"]);
        let mut all = range("0.0.0.0/0", 1);
        assert!(all.take("255.255.255.255".parse().unwrap()));
        all.free("255.255.255.255".parse().unwrap());
        assert_eq!(all.taken(), 0);
    }

    #[test]
    fn a_slice_gives_from_its_part_until_it_is_full() {
        let mut range = range("192.0.2.0/28", 4);
        let from = |range: &mut Range, slice| range.next(slice).unwrap().to_string();
        assert_eq!(from(&mut range, 1), "192.0.2.4");
        assert_eq!(from(&mut range, 0), "192.0.2.1");
        assert_eq!(from(&mut range, 3), "192.0.2.12");
        for last in ["13", "14", "15"] {
            assert_eq!(from(&mut range, 3), format!("192.0.2.{last}"));
        }
        assert_eq!(from(&mut range, 3), "192.0.2.2", "the next slice");
    }

    #[test]
    fn a_range_with_fewer_addresses_than_slices_has_slices_of_one() {
        let mut range = range("192.0.2.0/30", 64);
        let from = |range: &mut Range, place| range.next(place).map(|address| address.to_string());
        assert_eq!(from(&mut range, 2), Some("192.0.2.2".into()));
        assert_eq!(from(&mut range, 63), Some("192.0.2.1".into()), "the first behind it, around the end");
        assert_eq!(from(&mut range, 0), Some("192.0.2.3".into()));
        assert_eq!(from(&mut range, 0), None);
    }
}

//! Into which parts ranges are cut when several writers share a ledger, and to which part a host belongs.
//!
//! Stores that keep parts in different places follow this: it never changes for a given number of parts.

use std::net::IpAddr;
use std::num::NonZeroU32;

use super::HostKey;
use crate::model::Cidr;

/// Ranges are cut into this many slices of equal size, the last of which may be smaller or missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices(NonZeroU32);

impl Slices {
    /// This many.
    pub fn new(count: NonZeroU32) -> Self {
        Self(count)
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.0.get()
    }

    /// The slice from which a host's addresses come while that has any (FNV-1a of its key, 64 bit).
    pub fn of_host(self, key: &HostKey) -> u32 {
        if self.count() == 1 {
            return 0;
        }
        let octets = key.namespace.bytes().chain([b'/']).chain(key.host().into_bytes());
        let hash = octets.fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        u32::try_from(hash % u64::from(self.count())).unwrap_or(0)
    }

    /// The slice that an address of a range lies in.
    pub fn of_address(self, range: &Cidr, address: IpAddr) -> u32 {
        let offset = number(address).saturating_sub(number(range.network()));
        u32::try_from(offset / self.size(range)).unwrap_or(u32::MAX).min(self.count() - 1)
    }

    /// How many addresses a slice of a range has.
    pub(super) fn size(self, range: &Cidr) -> u128 {
        ((number(range.last()) - number(range.network())) / u128::from(self.count())).saturating_add(1)
    }
}

/// An address as an integer.
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(count: u32) -> Slices {
        Slices::new(NonZeroU32::new(count).unwrap())
    }

    #[test]
    fn sixty_four_slices_of_a_16_are_22s() {
        let range = Cidr::parse("240.240.0.0/16").unwrap();
        for (address, slice) in
            [("240.240.0.0", 0), ("240.240.3.255", 0), ("240.240.4.0", 1), ("240.240.255.255", 63)]
        {
            assert_eq!(slices(64).of_address(&range, address.parse().unwrap()), slice, "{address}");
        }
        let wide = Cidr::parse("2001:2::/48").unwrap();
        assert_eq!(slices(64).of_address(&wide, "2001:2:0:3ff::".parse().unwrap()), 0);
        assert_eq!(slices(64).of_address(&wide, "2001:2:0:400::".parse().unwrap()), 1);
        let all = Cidr::parse("::/0").unwrap();
        assert_eq!(slices(1).of_address(&all, "ffff::".parse().unwrap()), 0);
        assert_eq!(slices(2).of_address(&all, "8000::".parse().unwrap()), 1);
    }

    #[test]
    fn the_slice_of_a_host_never_changes() {
        let of = |host: &str| slices(64).of_host(&HostKey::parse("shop", host).unwrap());
        assert_eq!([of("api.example.com"), of("API.example.com."), of("*.example.com")], [5, 5, 7]);
    }
}

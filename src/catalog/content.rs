//! A hash of what DNS can see of a unit.
//!
//! It must be the same on every replica, in every version and on every platform, so it is written down here:
//! 64-bit FNV-1a over the fields in a fixed order, each preceded by its length, finished by one multiplication
//! and shift that spreads small differences over all bits (the sum of many hashes becomes the SOA serial).

/// The running hash.
pub(super) struct Content(u64);

impl Content {
    /// Starts a hash for one kind of unit.
    pub(super) fn of(kind: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).bytes(kind.as_bytes())
    }

    /// Adds octets, length first.
    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self.number(bytes.len() as u64), Self::octet)
    }

    /// Adds a number.
    pub(super) fn number(self, number: u64) -> Self {
        number.to_be_bytes().iter().fold(self, Self::octet)
    }

    /// Adds an address.
    pub(super) fn address(self, address: std::net::IpAddr) -> Self {
        match address {
            std::net::IpAddr::V4(address) => self.bytes(&address.octets()),
            std::net::IpAddr::V6(address) => self.bytes(&address.octets()),
        }
    }

    fn octet(self, octet: &u8) -> Self {
        Self((self.0 ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    /// The hash; never 0, which stands for "no unit".
    pub(super) fn finish(self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 29)).max(1)
    }
}

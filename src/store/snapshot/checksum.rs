//! CRC-64/XZ: finds every damage that lies within 64 bits, and all but one in 2^64 of the others.
//!
//! Parameters as in the catalogue of parametrised CRC algorithms (reveng.sourceforge.io/crc-catalogue): the polynomial of
//! ECMA-182, reflected, all bits set before and inverted behind. Eight octets are taken at once, each by a table of its own.

/// The polynomial, reflected.
const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;
const TABLES: [[u64; 256]; 8] = tables();

/// The checksum of the octets so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checksum(u64);

impl Checksum {
    /// Of nothing.
    pub(super) const fn new() -> Self {
        Self(u64::MAX)
    }

    /// With more octets.
    pub(super) fn update(&mut self, octets: &[u8]) {
        let mut state = self.0;
        let (eights, rest) = octets.as_chunks::<8>();
        for eight in eights {
            let mixed = (state ^ u64::from_le_bytes(*eight)).to_le_bytes();
            state = 0;
            for (table, octet) in TABLES.iter().rev().zip(mixed) {
                state ^= table[usize::from(octet)];
            }
        }
        for octet in rest {
            state = TABLES[0][usize::from(state as u8 ^ octet)] ^ (state >> 8);
        }
        self.0 = state;
    }

    /// As a number.
    pub(super) const fn value(self) -> u64 {
        !self.0
    }
}

/// Table 0 is what one octet does; table N is what it does N octets later.
const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut octet = 0;
    while octet < 256 {
        let (mut value, mut bit) = (octet as u64, 0);
        while bit < 8 {
            value = (value >> 1) ^ if value & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        tables[0][octet] = value;
        octet += 1;
    }
    let mut later = 1;
    while later < 8 {
        let mut octet = 0;
        while octet < 256 {
            let before = tables[later - 1][octet];
            tables[later][octet] = tables[0][(before & 0xff) as usize] ^ (before >> 8);
            octet += 1;
        }
        later += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_catalogue_however_the_octets_come() {
        let mut whole = Checksum::new();
        whole.update(b"123456789");
        assert_eq!(whole.value(), 0x995d_c9bb_df19_39fa);
        for cut in 0..=9 {
            let mut parts = Checksum::new();
            parts.update(&b"123456789"[..cut]);
            parts.update(&b"123456789"[cut..]);
            assert_eq!(parts.value(), whole.value(), "{cut}");
        }
    }
}

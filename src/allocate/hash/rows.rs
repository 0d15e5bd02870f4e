//! From slots to addresses: rows of 254, and how they shift.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::walk::SLOTS;
use crate::allocate::Assigned;

/// Numbers in a row; the first is given to nobody.
const ROW: u32 = 255;

/// Where addresses shift. Slots count upwards from number 1, and every slot that would get the first number of a row,
/// if it is taken, moves itself and all above by one. So there are at most 256 shifts, and where one shift is decides
/// where the next can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shifts(Vec<u16>);

impl Shifts {
    /// Looks only at slots on a row's first number: at most 256.
    pub(super) fn of(taken: impl Fn(u16) -> bool) -> Self {
        let mut shifts = Vec::new();
        let mut slot = ROW - 1;
        while slot < SLOTS {
            if taken(slot as u16) {
                shifts.push(slot as u16);
                slot += ROW - 1;
            } else {
                slot += ROW;
            }
        }
        Self(shifts)
    }

    /// By how much the address of a slot is shifted.
    pub(super) fn at(&self, slot: u16) -> u32 {
        self.0.partition_point(|shift| *shift <= slot) as u32
    }

    /// The ranges of slots that two lists shift differently.
    pub(super) fn differing(&self, other: &Self) -> Vec<Range<u16>> {
        let mut bounds: Vec<u16> = self.0.iter().chain(&other.0).copied().collect();
        bounds.sort_unstable();
        bounds.dedup();
        bounds.push(SLOTS as u16);
        let ranges = bounds.windows(2).map(|pair| pair[0]..pair[1]);
        ranges.filter(|range| self.at(range.start) != other.at(range.start)).collect()
    }

    /// The addresses of a taken slot: `240.240.row.column`, and in `2001:2::f0f0:0/112` the digits of row and column
    /// written behind each other without padding, which is why two slots may share the one of IPv6.
    pub(super) fn addresses(&self, slot: u16) -> Assigned {
        let number = u32::from(slot) + 1 + self.at(slot);
        let (row, column) = ((number / ROW) as u8, (number % ROW) as u8);
        let (high, low) = (u16::from(row), u16::from(column));
        let group = if low < 16 { high * 16 + low } else { high * 256 + low };
        Assigned {
            v4: Some(Ipv4Addr::new(240, 240, row, column)),
            v6: Some(Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0xf0f0, group)),
        }
    }
}

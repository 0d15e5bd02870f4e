//! Where a host may have its slot, in the order in which the slots are tried.
//!
//! The numbers are those of istiod 1.22 and later
//! (Istio `pilot/pkg/serviceregistry/serviceentry/auto_allocation.go`).

/// How many slots there are: 256 rows of 254.
pub(super) const SLOTS: u32 = 65_024;
/// What a walk wraps at: it never comes to the last slot.
const WALKED: u32 = 65_023;
/// The largest stride.
const STRIDES: u32 = 65_011;
/// How many slots are tried at most, repeats included. Strides that share a divisor with what the walk wraps at return to the
/// same slots for a long time, and once only the last slot is free istiod walks for ever. The hosts with which
/// Istio's test takes all slots find them within this.
pub(super) const LIMIT: u32 = 1 << 20;

/// The slots of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    hash: u32,
    stride: u32,
}

impl Walk {
    /// The key is the namespace, a slash, and the host as written.
    pub(super) fn of(namespace: &str, host: &str) -> Self {
        let key = namespace.bytes().chain([b'/']).chain(host.bytes());
        // FNV-1a of 32 bits.
        let hash =
            key.fold(2_166_136_261, |hash: u32, octet| (hash ^ u32::from(octet)).wrapping_mul(16_777_619));
        Self { hash, stride: STRIDES - hash % STRIDES }
    }

    /// The slot that is tried after `turn` others. The sum is one of 32 bits and wraps.
    pub(super) fn slot(self, turn: u32) -> u16 {
        let slot = match turn {
            0 => self.hash % SLOTS,
            _ => self.hash.wrapping_add(turn.wrapping_mul(self.stride)) % WALKED,
        };
        slot as u16
    }
}

//! The name in a question.

use crate::model::Name;

/// A name as a question asks it: lower-case wire form for comparing, and where each label begins. The letter case
/// of the question stays in the message, which owner names point into.
#[derive(Clone)]
pub struct Asked {
    wire: [u8; 255],
    length: u8,
    starts: [u8; 128],
    labels: u8,
}

/// Why octets are not a name in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskedError {
    /// The octets end before the name does.
    #[error("the name in the question is cut off")]
    CutOff,
    /// A label that is a pointer or of an unknown type: the first name of a message cannot be compressed.
    #[error("the name in the question is compressed or has a label of unknown type")]
    LabelType,
    /// More than 255 octets (RFC 1035 §2.3.4).
    #[error("the name in the question is longer than 255 octets")]
    TooLong,
}

impl Asked {
    /// Reads a name at the start of `octets`.
    pub fn read(octets: &[u8]) -> Result<Self, AskedError> {
        let mut asked = Self { wire: [0; 255], length: 0, starts: [0; 128], labels: 0 };
        let mut at = 0;
        loop {
            let length = usize::from(*octets.get(at).ok_or(AskedError::CutOff)?);
            if length == 0 {
                asked.length = (at + 1) as u8;
                return Ok(asked);
            }
            if length > 63 {
                return Err(AskedError::LabelType);
            }
            let end = at + 1 + length;
            if end >= 255 {
                return Err(AskedError::TooLong);
            }
            let label = octets.get(at + 1..end).ok_or(AskedError::CutOff)?;
            asked.starts[usize::from(asked.labels)] = at as u8;
            asked.labels += 1;
            asked.wire[at] = length as u8;
            for (to, from) in asked.wire[at + 1..end].iter_mut().zip(label) {
                *to = from.to_ascii_lowercase();
            }
            at = end;
        }
    }

    /// The question for a name of our own.
    pub fn of(name: &Name) -> Self {
        let mut asked = Self { wire: [0; 255], length: 0, starts: [0; 128], labels: 0 };
        let wire = name.wire();
        asked.wire[..wire.len()].copy_from_slice(wire);
        asked.length = wire.len() as u8;
        let mut at = 0;
        while wire[at] != 0 {
            asked.starts[usize::from(asked.labels)] = at as u8;
            asked.labels += 1;
            at += usize::from(wire[at]) + 1;
        }
        asked
    }

    /// The lower-case wire form, root octet included.
    pub fn wire(&self) -> &[u8] {
        &self.wire[..usize::from(self.length)]
    }

    /// How many labels there are, the root not counted.
    pub fn count(&self) -> usize {
        usize::from(self.labels)
    }

    /// Where label `index` from the left begins; for `index == count()`, where the root octet stands.
    pub fn start(&self, index: usize) -> usize {
        if index < self.count() { usize::from(self.starts[index]) } else { usize::from(self.length) - 1 }
    }

    /// Label `index` from the left, without its length octet.
    pub fn label(&self, index: usize) -> &[u8] {
        let start = self.start(index);
        &self.wire[start + 1..=start + usize::from(self.wire[start])]
    }

    /// The name from label `index` on, root octet included.
    pub fn from(&self, index: usize) -> &[u8] {
        &self.wire()[self.start(index)..]
    }

    /// How many labels stand left of offset `at`, which is where a label begins.
    pub fn labels_before(&self, at: usize) -> usize {
        self.starts[..self.count()].partition_point(|start| usize::from(*start) < at)
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::model::dotted(self.wire()))
    }
}

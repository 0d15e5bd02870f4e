//! The objects of one block, as octets.

use prost::Message;

use super::{decode, encode, proto};
use crate::model::Object;

/// Objects as read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The objects.
    pub objects: Vec<Object>,
    /// How many more there are, which a later version wrote and this one cannot use.
    pub unknown: u64,
}

impl Block {
    /// Reads what [`append`](Self::append) has written.
    pub fn read(octets: &[u8]) -> Result<Self, prost::DecodeError> {
        let messages = proto::Block::decode(octets)?.objects;
        let all = messages.len();
        let objects: Vec<Object> = messages.into_iter().filter_map(decode::object).collect();
        Ok(Self { unknown: (all - objects.len()) as u64, objects })
    }

    /// Appends one object, unless it is a row of istiod's name table. Says whether it did.
    pub fn append(object: &Object, octets: &mut Vec<u8>) -> bool {
        let Some(object) = encode::object(object) else { return false };
        // Messages one behind the other are one message with the objects of all.
        proto::Block { objects: vec![object] }.encode(octets).is_ok()
    }
}

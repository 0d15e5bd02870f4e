//! Values that aliases stand for.
//!
//! Rules: an alias is a copy of what its anchor named; all copies of one document together stay within
//! [`MAX_COPIED`], so that a few lines of aliases to aliases cannot fill the memory.

use std::collections::HashMap;

use super::build::MAX_DEPTH;
use super::{Node, Value};

/// How many values and octets of text the anchors and aliases of one document may copy.
const MAX_COPIED: usize = 1 << 20;

/// The anchors of one document so far.
#[derive(Default)]
pub(super) struct Anchors {
    by_id: HashMap<usize, Anchored>,
    copied: usize,
}

struct Anchored {
    value: Value,
    size: Size,
}

/// Why an anchor or alias cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("an alias cannot stand inside the value that it names")]
    Unfinished,
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("anchors and aliases make the document too large")]
    TooLarge,
}

/// Extent of a tree.
#[derive(Clone, Copy)]
struct Size {
    /// Values and octets of text.
    weight: usize,
    /// Levels below the root.
    depth: usize,
}

impl Anchors {
    /// Remembers a finished node.
    pub(super) fn keep(&mut self, id: usize, node: &Node) -> Result<(), Refused> {
        let size = size(node);
        self.charge(size)?;
        self.by_id.insert(id, Anchored { value: node.value.clone(), size });
        Ok(())
    }

    /// A copy of what an alias names, if it has at most `levels` below its root.
    pub(super) fn copy(&mut self, id: usize, levels: usize) -> Result<Value, Refused> {
        let size = self.by_id.get(&id).ok_or(Refused::Unfinished)?.size;
        if size.depth > levels {
            return Err(Refused::TooDeep);
        }
        self.charge(size)?;
        self.by_id.get(&id).map(|anchored| anchored.value.clone()).ok_or(Refused::Unfinished)
    }

    fn charge(&mut self, size: Size) -> Result<(), Refused> {
        self.copied = self.copied.saturating_add(size.weight);
        if self.copied > MAX_COPIED { Err(Refused::TooLarge) } else { Ok(()) }
    }
}

fn size(node: &Node) -> Size {
    let mut size = Size { weight: 1, depth: 0 };
    let mut add = |child: &Node, text: usize| {
        let below = self::size(child);
        size.weight += below.weight + text;
        size.depth = size.depth.max(below.depth + 1);
    };
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| add(item, 0)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| add(&entry.value, entry.key.len())),
        Value::String(text) => size.weight += text.len(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
    }
    size
}

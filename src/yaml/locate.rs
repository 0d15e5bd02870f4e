//! Where a path such as `spec.ports[0].port` was written.

use super::{Entry, Node, Value};

impl Node {
    /// Line and column of what `path` names, or of the deepest part of it that exists: the key of a mapping, the
    /// item of a list. Paths are those that serde_path_to_error prints; keys may contain dots, and may stand in brackets.
    pub fn locate(&self, path: &str) -> (u32, u32) {
        let (mut node, mut rest, mut place) = (self, path, (self.line, self.column));
        loop {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            match &node.value {
                Value::Sequence(items) => {
                    let Some((item, after)) = indexed(items, rest) else { return place };
                    (node, rest, place) = (item, after, (item.line, item.column));
                }
                Value::Mapping(entries) => {
                    let Some((entry, after)) = keyed(entries, rest) else { return place };
                    (node, rest, place) = (&entry.value, after, (entry.line, entry.column));
                }
                _ => return place,
            }
        }
    }
}

/// The item that a path beginning with `[index]` names, and the path behind it.
fn indexed<'n, 'p>(items: &'n [Node], path: &'p str) -> Option<(&'n Node, &'p str)> {
    let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
    Some((items.get(index.parse::<usize>().ok()?)?, rest))
}

/// The entry that a path beginning with `[key]` names, else the one with the longest key that it begins with, and the path
/// behind it.
fn keyed<'n, 'p>(entries: &'n [Entry], path: &'p str) -> Option<(&'n Entry, &'p str)> {
    if let Some((key, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) {
        return Some((entries.iter().find(|entry| entry.key == key)?, rest));
    }
    let behind = |entry: &Entry| {
        path.strip_prefix(entry.key.as_str())
            .filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            .filter(|_| !entry.key.is_empty())
    };
    entries.iter().filter_map(|entry| Some((entry, behind(entry)?))).min_by_key(|(_, rest)| rest.len())
}

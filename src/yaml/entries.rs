//! What the entries of one mapping must keep to: each key once, and `<<` fills up what is not there
//! (yaml.org/type/merge.html: own keys win, then the first of several sources).

use std::collections::HashSet;

use super::{Entry, Node, Value, YamlError};

/// Refuses the first key that was there before.
pub(super) fn unique(entries: &[Entry]) -> Result<(), YamlError> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let repeated = sorted.windows(2).filter(|pair| pair[0].key == pair[1].key).map(|pair| (pair[0], pair[1]));
    match repeated.min_by_key(|(_, second)| (second.line, second.column)) {
        None => Ok(()),
        Some((first, second)) => Err(YamlError {
            line: second.line,
            column: second.column,
            message: format!("`{}` is already given at line {}", second.key, first.line),
        }),
    }
}

/// Adds what the values of `<<` have and `entries` lack.
pub(super) fn merge(entries: &mut Vec<Entry>, merges: Vec<Entry>) -> Result<(), YamlError> {
    if merges.is_empty() {
        return Ok(());
    }
    let mut known: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    for entry in merges.into_iter().flat_map(|merge| sources(merge.value)) {
        for entry in mapping(entry)? {
            if known.insert(entry.key.clone()) {
                entries.push(entry);
            }
        }
    }
    Ok(())
}

/// The values that one `<<` takes over: a list stands for its items.
fn sources(value: Node) -> Vec<Node> {
    match value.value {
        Value::Sequence(items) => items,
        _ => vec![value],
    }
}

fn mapping(node: Node) -> Result<Vec<Entry>, YamlError> {
    match node.value {
        Value::Mapping(entries) => Ok(entries),
        _ => {
            let message = "`<<` takes a mapping or a list of mappings".to_owned();
            Err(YamlError { line: node.line, column: node.column, message })
        }
    }
}

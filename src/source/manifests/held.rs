//! What all files say together: which object is in use, and what a change to some files changes.
//!
//! The cost of a change is that of the changed files, whatever the number of the others.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::documents::{Contents, Given};
use crate::model::{Change, Defect, Key, Kind, Object, ObjectName};
use crate::source::Report;
use crate::source::objects::namespace;

/// The contents of all files.
#[derive(Debug, Default)]
pub(super) struct Held {
    files: BTreeMap<Arc<Path>, Contents>,
    /// Who gives an object of this key; the first is in use.
    claims: BTreeMap<Key, BTreeSet<Claim>>,
    /// Keys with several claims.
    contested: BTreeSet<Key>,
    /// How many claims are of objects in each namespace.
    living: BTreeMap<Arc<str>, usize>,
    /// Objects in use, by kind.
    objects: BTreeMap<Kind, u64>,
    /// Objects of other kinds, by `apiVersion/kind`.
    skipped: BTreeMap<String, u64>,
}

/// One given object: the file, and its number there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    file: Arc<Path>,
    index: usize,
}

impl Held {
    /// Takes in what some files say now, `None` for those that are gone, and tells what differs for our readers.
    pub(super) fn apply(&mut self, files: Vec<(Arc<Path>, Option<Contents>)>) -> Vec<Change> {
        let mut touched = BTreeSet::new();
        let mut renewed = Vec::with_capacity(files.len());
        for (path, contents) in files {
            let old = self.files.get(&path);
            let contents = contents.map(|new| match old {
                Some(old) => keep_good(old, new),
                None => new,
            });
            for given in [old, contents.as_ref()].into_iter().flatten().flat_map(|contents| &contents.given) {
                touched.insert(given.key.clone());
                touched.extend(namespace_key(&given.key.name.namespace));
            }
            renewed.push((path, contents));
        }
        let mut before: BTreeMap<Key, Object> = touched.iter().flat_map(|key| self.in_use(key)).collect();
        for (path, contents) in renewed {
            self.renew(path, contents);
        }
        let mut changes = Vec::new();
        for (key, object) in touched.iter().flat_map(|key| self.in_use(key)).collect::<Vec<_>>() {
            let known = before.remove(&key);
            if known.is_none() {
                *self.objects.entry(key.kind).or_default() += 1;
            }
            if known.as_ref() != Some(&object) {
                changes.push(Change::Upsert(object));
            }
        }
        for key in before.into_keys() {
            subtract(&mut self.objects, &key.kind, 1);
            changes.push(Change::Remove(key));
        }
        changes
    }

    /// How much is in use, and what is wrong with the files; `problems` are those with paths that cannot be listed.
    pub(super) fn report(&self, problems: &BTreeMap<PathBuf, String>) -> Report {
        let mut defects: Vec<(&Path, u32, Defect)> = Vec::new();
        for (path, message) in problems {
            let place = path.display().to_string();
            defects.push((path, 0, Defect { place, ..Defect::of_field("", message.as_str()) }));
        }
        for (path, contents) in &self.files {
            defects.extend(contents.defects.iter().map(|(line, defect)| (&**path, *line, defect.clone())));
        }
        for key in &self.contested {
            let mut given = self.claims.get(key).into_iter().flatten().filter_map(|claim| self.given(claim));
            let Some((path, used)) = given.next() else { continue };
            let used = used.place.of(path.display());
            for (path, given) in given {
                let place = given.place.of(path.display());
                let message = format!("is not used: {used} has the same object");
                let defect = Defect { place, object: Some(key.clone()), field: String::new(), message };
                defects.push((path, given.place.line, defect));
            }
        }
        defects.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        Report {
            objects: self.objects.clone(),
            skipped: self.skipped.clone(),
            defects: defects.into_iter().map(|(_, _, defect)| defect).collect(),
            reloads: 0,
        }
    }

    /// Replaces what one file says.
    fn renew(&mut self, path: Arc<Path>, contents: Option<Contents>) {
        let old = self.files.remove(&path);
        for (index, given) in old.iter().flat_map(|old| &old.given).enumerate() {
            self.claim(&given.key, |claims| claims.remove(&Claim { file: path.clone(), index }));
            subtract(&mut self.living, &given.key.name.namespace, 1);
        }
        for (kind, count) in old.iter().flat_map(|old| &old.skipped) {
            subtract(&mut self.skipped, kind, *count);
        }
        let Some(contents) = contents else { return };
        for (index, given) in contents.given.iter().enumerate() {
            self.claim(&given.key, |claims| claims.insert(Claim { file: path.clone(), index }));
            *self.living.entry(given.key.name.namespace.clone()).or_default() += 1;
        }
        for (kind, count) in &contents.skipped {
            *self.skipped.entry(kind.clone()).or_default() += count;
        }
        self.files.insert(path, contents);
    }

    fn claim(&mut self, key: &Key, change: impl FnOnce(&mut BTreeSet<Claim>) -> bool) {
        let claims = self.claims.entry(key.clone()).or_default();
        change(claims);
        match claims.len() {
            0 => {
                self.claims.remove(key);
            }
            1 => {
                self.contested.remove(key);
            }
            _ => {
                self.contested.insert(key.clone());
            }
        }
    }

    fn given(&self, claim: &Claim) -> Option<(&Path, &Given)> {
        let (path, contents) = self.files.get_key_value(&claim.file)?;
        Some((path, contents.given.get(claim.index)?))
    }

    /// The objects that `key` stands for now, by their own keys.
    fn in_use(&self, key: &Key) -> Vec<(Key, Object)> {
        let first = self.claims.get(key).and_then(BTreeSet::first);
        if let Some((_, given)) = first.and_then(|claim| self.given(claim)) {
            return given.objects.iter().map(|object| (object.key(), object.clone())).collect();
        }
        if key.kind == Kind::Namespace && self.living.contains_key(&key.name.name) {
            return vec![(key.clone(), Object::Namespace(namespace::implied(&key.name.name)))];
        }
        Vec::new()
    }
}

/// Adds to what a file says now what it said before and may say still.
fn keep_good(old: &Contents, mut new: Contents) -> Contents {
    if !new.obscure && new.refused.is_empty() {
        return new;
    }
    let mut known: HashSet<Key> = new.given.iter().map(|given| given.key.clone()).collect();
    for given in &old.given {
        let kept = new.obscure || new.refused.contains(&given.key);
        if kept && known.insert(given.key.clone()) {
            new.given.push(given.clone());
        }
    }
    new
}

fn namespace_key(name: &str) -> Option<Key> {
    (!name.is_empty()).then(|| Key { kind: Kind::Namespace, name: ObjectName::new("", name) })
}

/// Takes from a count, and forgets one that is used up.
fn subtract<K: Ord, N: Copy + PartialOrd + std::ops::SubAssign>(counts: &mut BTreeMap<K, N>, key: &K, by: N) {
    if let Some(count) = counts.get_mut(key) {
        if *count <= by {
            counts.remove(key);
        } else {
            *count -= by;
        }
    }
}

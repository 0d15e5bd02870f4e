//! The files and variables that Corefiles refer to.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use meshdns::corefile::{self, Corefile, World};

/// Those of this process.
pub(super) struct Surroundings;

impl World for Surroundings {
    fn variable(&self, name: &str) -> Option<String> {
        Some(std::env::var_os(name)?.to_string_lossy().into_owned())
    }

    fn matching(&self, from: &str, pattern: &str) -> std::result::Result<Vec<String>, String> {
        if pattern.contains('[') {
            return Err("the pattern has a `[` without a `]`".to_owned());
        }
        let whole = Path::new(from).parent().unwrap_or(Path::new("")).join(pattern);
        let mut found = vec![PathBuf::new()];
        for part in whole.components() {
            match part {
                Component::Normal(name) if name.to_string_lossy().contains(['*', '?']) => {
                    let pattern: Vec<char> = name.to_string_lossy().chars().collect();
                    found = found.iter().flat_map(|folder| inside(folder, &pattern)).collect();
                }
                part => found.iter_mut().for_each(|path| path.push(part)),
            }
        }
        Ok(found
            .iter()
            .filter(|path| path.exists())
            .map(|path| path.to_string_lossy().into_owned())
            .collect())
    }

    fn text(&self, path: &str) -> std::result::Result<String, String> {
        // CoreDNS does not mind octets that are no UTF-8, in comments for example.
        fs::read(path)
            .map(|octets| String::from_utf8_lossy(&octets).into_owned())
            .map_err(|error| error.to_string())
    }
}

/// Reads Corefiles; the inner error is what CoreDNS would say of one.
pub(super) fn corefiles(paths: &[PathBuf]) -> Result<Result<Vec<Corefile>, corefile::Error>> {
    let read = |path: &PathBuf| {
        let file = path.display().to_string();
        Ok(Corefile::read(&file, &text(path)?, &Surroundings))
    };
    paths.iter().map(read).collect()
}

/// The text of a Corefile.
pub(super) fn text(path: &Path) -> Result<String> {
    let file = path.display().to_string();
    Surroundings.text(&file).map_err(anyhow::Error::msg).context(file)
}

/// An address, whose port may be left out as in a Corefile.
pub(super) fn dns_address(text: &str) -> Result<SocketAddr> {
    let with_default_port = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    text.parse()
        .ok()
        .or_else(with_default_port)
        .with_context(|| format!("`{text}` is not an address, such as 10.96.0.53 or 127.0.0.1:5353"))
}

/// What is in a folder and has such a name, in the order of names. A folder that cannot be read has nothing.
fn inside(folder: &Path, pattern: &[char]) -> Vec<PathBuf> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.retain(|name| matches(pattern, &name.to_string_lossy().chars().collect::<Vec<_>>()));
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// Whether a name has this form: `*` stands for any letters, `?` for one.
fn matches(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        (Some(('?', pattern)), Some((_, name))) => matches(pattern, name),
        (Some((wanted, pattern)), Some((letter, name))) if wanted == letter => matches(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        let matches = |pattern: &str, name: &str| {
            matches(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
        };
        assert!(matches("*.server", "a.server"));
        assert!(matches("*", ".hidden"));
        assert!(matches("a?c*", "abc"));
        assert!(!matches("*.server", "a.server.old"));
        assert!(!matches("a?c", "ac"));
    }
}

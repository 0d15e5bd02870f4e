//! Unix sockets, as settings name them: `unix://` and an absolute path.

use std::path::PathBuf;

/// Longest path of a Unix socket on Linux, in octets (unix(7)).
const LONGEST: usize = 107;

/// The path, or what is wrong with it; none, if it does not begin as a socket does.
pub(super) fn socket(text: &str) -> Option<Result<PathBuf, String>> {
    let path = text.strip_prefix("unix://")?;
    Some(if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
        Err(format!(
            "`{text}` does not name a socket by its absolute path, such as unix:///run/meshdns/dns.sock"
        ))
    } else if path.len() > LONGEST {
        Err(format!("`{text}` is too long: the path of a socket has at most {LONGEST} octets"))
    } else {
        Ok(PathBuf::from(path))
    })
}

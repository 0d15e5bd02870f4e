//! Where files go that nobody has named.

use std::path::PathBuf;

/// The state directory that the environment names: systemd's `STATE_DIRECTORY`, or that of the user (XDG Base Directory
/// Specification).
pub(super) fn state_directory(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    // Systemd names several, separated by colons.
    let system = set("STATE_DIRECTORY").and_then(|all| all.split(':').next().map(PathBuf::from));
    let user = || set("XDG_STATE_HOME").map(PathBuf::from).map(|path| path.join("meshdns"));
    let home = || set("HOME").map(PathBuf::from).map(|path| path.join(".local/state/meshdns"));
    system.or_else(user).or_else(home)
}

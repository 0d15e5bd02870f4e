//! Unix sockets to listen on.
//!
//! Rules: unix(7). A socket file that nobody listens on is left over and replaced; one that somebody listens on is
//! refused; anything else at the path is not ours to remove. The directory must be there. Every user may connect who
//! can reach the directory: CoreDNS often runs as another one, and who may ask is what the directory says. The file
//! goes when the listener does, unless another has taken its place.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

const EVERYBODY: u32 = 0o666;

/// A bound Unix socket.
#[derive(Debug)]
pub struct UnixSocket {
    /// To accept on.
    pub listener: UnixListener,
    /// Removes the file.
    pub file: SocketFile,
}

/// The file of a Unix socket; removed when dropped.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// Why a Unix socket cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum UnixError {
    /// Another process answers there.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// Something else lies there.
    #[error("{} is not a socket: remove it, or choose another path", .0.display())]
    NotASocket(PathBuf),
    /// There is nowhere to put it.
    #[error("the directory {} does not exist", .0.display())]
    NoDirectory(PathBuf),
    /// The system refuses.
    #[error("cannot listen on {}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Listens at `path`.
pub fn bind(path: &Path) -> Result<UnixSocket, UnixError> {
    let failed = |source| UnixError::Io { path: path.to_owned(), source };
    if let Some(directory) = path.parent().filter(|directory| !directory.is_dir()) {
        return Err(UnixError::NoDirectory(directory.to_owned()));
    }
    make_room(path)?;
    let listener = UnixListener::bind(path).map_err(failed)?;
    let file = SocketFile { path: path.to_owned(), identity: identity(path).map_err(failed)? };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(EVERYBODY)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(UnixSocket { listener, file })
}

/// Removes a socket that was left over.
fn make_room(path: &Path) -> Result<(), UnixError> {
    let failed = |source| UnixError::Io { path: path.to_owned(), source };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(status) if !status.file_type().is_socket() => {
            return Err(UnixError::NotASocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(UnixError::InUse(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let status = std::fs::symlink_metadata(path)?;
    Ok((status.dev(), status.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "socket file stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own, removed afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("meshdns-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_left_over_socket_is_replaced_and_removed_at_the_end() {
        let scratch = Scratch::new("stale");
        let path = scratch.0.join("dns.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let socket = bind(&path).unwrap();
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_live_socket_is_refused_and_stays() {
        let scratch = Scratch::new("live");
        let path = scratch.0.join("dns.sock");
        let _live = UnixListener::bind(&path).unwrap();
        assert!(matches!(bind(&path), Err(UnixError::InUse(_))));
        assert!(path.exists());
    }

    #[test]
    fn other_files_and_missing_directories_are_refused() {
        let scratch = Scratch::new("other");
        let path = scratch.0.join("dns.sock");
        std::fs::write(&path, "notes").unwrap();
        assert!(matches!(bind(&path), Err(UnixError::NotASocket(_))));
        assert!(path.exists());
        assert!(matches!(bind(&scratch.0.join("gone/dns.sock")), Err(UnixError::NoDirectory(_))));
    }

    #[test]
    fn a_file_that_took_the_place_is_left_alone() {
        let scratch = Scratch::new("taken");
        let path = scratch.0.join("dns.sock");
        let socket = bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "another's").unwrap();
        drop(socket);
        assert!(path.exists());
    }
}

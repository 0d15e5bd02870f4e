//! Which upstreams there are.
//!
//! Rules: resolv.conf(5), of which only `nameserver` matters here: names that we look up are absolute. The file is
//! looked at again when it changed, at most once a second; while it cannot be read or names nobody, the servers that
//! it named before stay. A lookup begins with the server that answered last, so that a dead one costs time once.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const DNS_PORT: u16 = 53;
/// How long a look at the file holds.
const FRESH: Duration = Duration::from_secs(1);

/// Who looks up names outside our zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstreams {
    /// These.
    Servers(Vec<SocketAddr>),
    /// The name servers of a file like `/etc/resolv.conf`.
    ResolvConf(PathBuf),
}

/// The upstreams, as they are now.
#[derive(Debug)]
pub(super) struct Servers {
    file: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    servers: Vec<SocketAddr>,
    /// Which of them answered last.
    preferred: Option<SocketAddr>,
    /// Which file that was.
    version: Option<Version>,
    looked: Option<Instant>,
}

/// What changes when a file does.
type Version = (u64, u64, i64, i64);

impl Servers {
    pub(super) fn new(upstreams: Upstreams) -> Self {
        let (file, servers) = match upstreams {
            Upstreams::Servers(servers) => (None, servers),
            Upstreams::ResolvConf(path) => (Some(path), Vec::new()),
        };
        Self { file, known: Mutex::new(Known { servers, ..Known::default() }) }
    }

    /// All of them, the best first.
    pub(super) fn in_order(&self) -> Vec<SocketAddr> {
        let mut known = self.known();
        if let Some(path) = &self.file
            && known.looked.is_none_or(|looked| looked.elapsed() >= FRESH)
        {
            known.looked = Some(Instant::now());
            known.look_at(path);
        }
        let mut servers = known.servers.clone();
        if let Some(first) = servers.iter().position(|server| Some(*server) == known.preferred) {
            servers.rotate_left(first);
        }
        servers
    }

    /// This one answered.
    pub(super) fn prefer(&self, server: SocketAddr) {
        self.known().preferred = Some(server);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn look_at(&mut self, path: &Path) {
        match self.changed(path) {
            Ok(None) => {}
            Ok(Some(servers)) if servers.is_empty() => {
                tracing::warn!(file = %path.display(), "no name server in the resolver configuration");
            }
            Ok(Some(servers)) => self.servers = servers,
            Err(error) => {
                tracing::debug!(file = %path.display(), %error, "resolver configuration cannot be read");
            }
        }
    }

    fn changed(&mut self, path: &Path) -> io::Result<Option<Vec<SocketAddr>>> {
        let status = std::fs::metadata(path)?;
        let version = (status.ino(), status.size(), status.mtime(), status.mtime_nsec());
        if self.version == Some(version) {
            return Ok(None);
        }
        let servers = name_servers(&std::fs::read_to_string(path)?);
        self.version = Some(version);
        Ok(Some(servers))
    }
}

fn name_servers(text: &str) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() == Some("nameserver")
            && let Some(Ok(address)) = words.next().map(str::parse::<IpAddr>)
        {
            let server = SocketAddr::new(address, DNS_PORT);
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_name_servers_are_read() {
        let text = "# nameserver 9.9.9.9\nsearch a b\nnameserver 10.96.0.10\nnameserver\t2001:db8::1 # x\n\
                    nameserver 10.96.0.10\nnameserver nonsense\noptions ndots:5\n";
        let expected: [SocketAddr; 2] =
            ["10.96.0.10:53".parse().unwrap(), "[2001:db8::1]:53".parse().unwrap()];
        assert_eq!(name_servers(text), expected);
    }

    #[test]
    fn the_server_that_answered_last_comes_first() {
        let list: Vec<SocketAddr> =
            ["10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53"].map(|text| text.parse().unwrap()).to_vec();
        let servers = Servers::new(Upstreams::Servers(list.clone()));
        assert_eq!(servers.in_order(), list);
        servers.prefer(list[1]);
        assert_eq!(servers.in_order(), [list[1], list[2], list[0]]);
    }

    #[test]
    fn a_changed_file_is_read_again_and_a_bad_one_changes_nothing() {
        let path = std::env::temp_dir().join(format!("meshdns-resolv-{}", std::process::id()));
        let mut known = Known::default();
        std::fs::write(&path, "nameserver 10.0.0.1\n").unwrap();
        known.look_at(&path);
        assert_eq!(known.servers, ["10.0.0.1:53".parse().unwrap()]);
        std::fs::write(&path, "nameserver 10.0.0.1\nnameserver 10.0.0.2\n").unwrap();
        known.look_at(&path);
        assert_eq!(known.servers.len(), 2);
        std::fs::write(&path, "").unwrap();
        known.look_at(&path);
        assert_eq!(known.servers.len(), 2);
        std::fs::remove_file(&path).unwrap();
        known.look_at(&path);
        assert_eq!(known.servers.len(), 2);
    }
}

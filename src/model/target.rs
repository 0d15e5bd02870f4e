//! Where an endpoint of the mesh is.

use std::net::IpAddr;

use super::Name;

/// The address of a ServiceEntry endpoint or a WorkloadEntry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An IP address.
    Address(IpAddr),
    /// A host name, which DNS leads to.
    Host {
        /// Compared without regard to case.
        name: Name,
        /// As written.
        text: Box<str>,
    },
    /// What no DNS answer can say: a Unix socket, or nothing at all (an endpoint behind its network's gateway).
    Unanswerable,
}

impl Target {
    /// Reads an address, a host name, or `unix:///path`. An error says in words what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.starts_with("unix://") {
            return Ok(Target::Unanswerable);
        }
        if let Ok(address) = text.parse() {
            return Ok(Target::Address(address));
        }
        match Name::parse(text) {
            Ok(name) if name.wire().len() > 1 => Ok(Target::Host { name, text: text.into() }),
            _ => Err(format!("`{text}` is neither an IP address nor a host name nor unix:///PATH")),
        }
    }
}

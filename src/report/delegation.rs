//! Server blocks that lead every name that is declared to us, for each way in which clusters have their DNS, and what is
//! wrong with those that are there. `docs/corefile.md` documents the shapes.
//!
//! Rules: names in zones of the settings come to us by the zones; every other host of a ServiceEntry is a key of its own,
//! unless a shorter one holds it. What is printed is read back as CoreDNS reads it, and its caches get the bounds that our
//! TTLs need, by the code with which `check` finds fault with them.

mod artifact;
mod block;
mod coverage;
mod declared;
mod keys;
mod platform;
mod text;

use std::net::SocketAddr;

use serde::Serialize;

use crate::config::Settings;
use crate::corefile::{self, Corefile, Corefiles, Nowhere, Server};
use crate::model::Name;
pub use artifact::MARK;
use artifact::printed;
use block::{Block, blocks};
pub use block::{ClientTls, MeshdnsAt};
pub use coverage::{Gap, ReportedGap};
pub use declared::{Declared, DeclaredHost, Fate};
use keys::Keys;
pub use platform::Platform;
pub use text::gaps_text;

/// Without objects there are zones only.
const NOBODY_LOOKED: &str = "no objects are read, so hosts of ServiceEntries are not known: give --server URL, --manifests PATH or sources in the settings";

/// What blocks are wanted for.
#[derive(Clone, Debug)]
pub struct Wanted<'w> {
    /// What has the cluster's DNS.
    pub platform: Platform,
    /// The settings of the server.
    pub settings: &'w Settings,
    /// What is declared.
    pub declared: &'w Declared,
    /// What there is already, in the order from the client.
    pub corefiles: &'w Corefiles,
    /// The text of the Corefile that the blocks go to, if it is there.
    pub before: Option<&'w str>,
    /// Where meshdns is asked; none: as the Corefiles or the settings have it.
    pub at: Vec<MeshdnsAt>,
    /// How `grpc` speaks TLS; none: plaintext.
    pub tls: Option<ClientTls>,
    /// The domain of the cluster, which some platforms keep for themselves.
    pub cluster_domain: Name,
    /// What a node's cache listens on; none: as its Corefile has it.
    pub bind: Vec<String>,
}

/// Why nothing can be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An address of meshdns that cannot be one here.
    #[error("--meshdns-at: {0}")]
    Address(String),
    /// TLS on one side only.
    #[error("--tls: {0}")]
    Tls(String),
    /// The whole Corefile is needed.
    #[error("--corefile: the value is the whole Corefile, so give the one that is there")]
    NoCorefile,
    /// What would be printed is none.
    #[error("this would be no Corefile: {0}")]
    Unreadable(#[from] corefile::Error),
}

/// What to print, and what to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delegation {
    /// What has the cluster's DNS.
    #[serde(rename = "for")]
    pub platform: &'static str,
    /// Zones of the settings that are led to us by it, as written.
    pub zones: Vec<String>,
    /// Hosts outside the zones, and suffixes of wildcards, that are.
    pub hosts: Vec<String>,
    /// What to apply, word for word.
    pub text: String,
    /// What does not come to us, or should not.
    pub findings: Vec<ReportedGap>,
    /// What is worth knowing and not wrong.
    pub notes: Vec<String>,
}

impl Wanted<'_> {
    /// The Corefile that blocks go to.
    fn home(&self) -> Option<&Corefile> {
        match self.platform {
            Platform::NodeLocal => self.corefiles.iter().next(),
            _ => self.corefiles.iter().last(),
        }
    }
}

impl Delegation {
    /// For what is wanted.
    pub fn of(wanted: &Wanted<'_>) -> Result<Self, Refused> {
        if wanted.platform == Platform::Eks && wanted.before.is_none() {
            return Err(Refused::NoCorefile);
        }
        let mut findings = Vec::new();
        let mut notes = Vec::new();
        if wanted.declared.census().is_none() {
            notes.push(NOBODY_LOOKED.to_owned());
        }
        let keys = Keys::of(wanted, &mut findings, &mut notes);
        let upstreams = block::upstreams(wanted, &mut notes)?;
        let blocks = fitted(wanted, blocks(wanted, &keys, &upstreams))?;
        let text = printed(wanted, &keys, &blocks, &upstreams);
        coverage::check(wanted, &mut findings, &mut notes);
        let written = |zones: &[corefile::Zone]| zones.iter().map(corefile::Zone::written).collect();
        Ok(Self {
            platform: wanted.platform.as_str(),
            zones: written(&keys.zones),
            hosts: written(&keys.hosts),
            text,
            findings,
            notes,
        })
    }
}

/// The blocks with the bounds that our TTLs need.
fn fitted(wanted: &Wanted<'_>, mut blocks: Vec<Block>) -> Result<Vec<Block>, Refused> {
    let text: String = blocks.iter().map(Block::to_string).collect();
    let read = Corefile::read("blocks", &text, &Nowhere)?;
    let asked: Vec<SocketAddr> = blocks.iter().flat_map(|block| block.plain.iter().copied()).collect();
    let files = Corefiles::new(vec![read], asked);
    let census = wanted.declared.census();
    let bounds = super::corefile::fitting(&files, wanted.settings, census);
    let servers = files.iter().flat_map(|file| &file.servers);
    for (block, server) in blocks.iter_mut().zip(servers) {
        let of = |(known, _): &&(&Server, _)| std::ptr::eq(*known, server);
        if let Some((_, bounds)) = bounds.iter().find(of) {
            block.bounds = *bounds;
        }
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests;

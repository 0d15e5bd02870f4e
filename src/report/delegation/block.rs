//! A server block that asks us, and whom it asks.
//!
//! Rules: `grpc` takes at most fifteen addresses and Unix sockets, and no names (CoreDNS `plugin/grpc/setup.go`); NodeLocal DNSCache
//! has no `grpc` (kubernetes/dns `cmd/node-cache/main.go`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::keys::Keys;
use super::{Platform, Refused, Wanted};
use crate::config::GrpcAddress;
use crate::corefile::Zone;

/// The most addresses that `grpc` and `forward` take.
const MOST_UPSTREAMS: usize = 15;
/// The port of gRPC where none is said.
const GRPC_PORT: u16 = 8053;
/// What NodeLocal DNSCache listens on where its manifests were not changed.
const NODE_ADDRESS: &str = "169.254.20.10";
/// Keys of a block stand in one line up to this many letters.
const WIDTH: usize = 110;

/// Where meshdns is asked, as it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeshdnsAt {
    /// An address, with a port or the usual one.
    Address(IpAddr, Option<u16>),
    /// A Unix socket, for gRPC.
    Unix(PathBuf),
}

/// How `grpc` speaks TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// `CERT KEY CA`, `CERT KEY` or `CA`, as CoreDNS finds them.
    pub files: Vec<String>,
    /// The name in the certificate of meshdns.
    pub server_name: Option<String>,
}

/// Whom blocks ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Upstreams {
    /// As `grpc` and `forward` take them.
    pub(super) words: Vec<String>,
    /// Over plain DNS.
    pub(super) plain: Vec<SocketAddr>,
}

/// A server block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    comment: &'static str,
    keys: Vec<String>,
    platform: Platform,
    /// For each sign the largest and the smallest TTL of its cache.
    pub(super) bounds: [(u32, u32); 2],
    bind: Vec<String>,
    asked: String,
    tls: Option<ClientTls>,
    /// Whom it asks over plain DNS.
    pub(super) plain: Vec<SocketAddr>,
}

/// Whom to ask, and whether TLS fits.
pub(super) fn upstreams(wanted: &Wanted<'_>, notes: &mut Vec<String>) -> Result<Upstreams, Refused> {
    let found = if wanted.platform.is_plain() { plain(wanted)? } else { grpc(wanted, notes)? };
    match found.words.len() {
        0 => Err(Refused::Address("meshdns listens nowhere that could be asked".to_owned())),
        count if count > MOST_UPSTREAMS => {
            Err(Refused::Address(format!("{count} addresses are given: {MOST_UPSTREAMS} are the most")))
        }
        _ => Ok(found),
    }
}

fn plain(wanted: &Wanted<'_>) -> Result<Upstreams, Refused> {
    if wanted.tls.is_some() {
        return Err(Refused::Tls(format!(
            "`--for {}` asks plain DNS, which has no TLS",
            wanted.platform.as_str()
        )));
    }
    let given = wanted.at.iter().map(|at| match at {
        MeshdnsAt::Address(ip, port) => Ok(SocketAddr::new(*ip, port.unwrap_or(53))),
        MeshdnsAt::Unix(path) => Err(Refused::Address(format!(
            "unix://{}: `--for {}` asks plain DNS, at an address",
            path.display(),
            wanted.platform.as_str()
        ))),
    });
    let mut plain = given.collect::<Result<Vec<_>, _>>()?;
    if plain.is_empty() {
        let listening = wanted.settings.listen.dns.iter().filter(|at| !at.ip().is_unspecified());
        plain.extend(listening);
    }
    if plain.is_empty() {
        return Err(Refused::Address(format!(
            "`--for {}` asks plain DNS (`listen.dns`): give the address of the Service before it, such as 10.96.0.53",
            wanted.platform.as_str()
        )));
    }
    let word = |at: &SocketAddr| if at.port() == 53 { at.ip().to_string() } else { at.to_string() };
    Ok(Upstreams { words: plain.iter().map(word).collect(), plain })
}

fn grpc(wanted: &Wanted<'_>, notes: &mut Vec<String>) -> Result<Upstreams, Refused> {
    let listen = &wanted.settings.listen;
    let mut words: Vec<String> = wanted.at.iter().map(given).collect();
    if words.is_empty() {
        let known = wanted.corefiles.iter().flat_map(|corefile| &corefile.servers);
        let known = known.filter_map(|server| server.grpc.as_ref()).find(|grpc| grpc.misfits.is_empty());
        words = known.map(|grpc| grpc.to.clone()).unwrap_or_default();
    }
    if words.is_empty() {
        words.extend(listen.grpc.first().map(listening));
        notes.extend(words.first().map(|at| {
            format!("meshdns is asked at {at}, where it listens by the settings: say --meshdns-at where CoreDNS is not beside it")
        }));
    }
    let is_socket = |word: &String| word.starts_with("unix://");
    let over_network = words.iter().any(|word| !is_socket(word));
    let refused = |message: &str| Err(Refused::Tls(message.to_owned()));
    match (&wanted.tls, &listen.grpc_tls) {
        (Some(_), _) if words.iter().any(is_socket) => refused("Unix sockets of meshdns do not speak TLS"),
        (None, Some(_)) if over_network => refused(
            "meshdns speaks TLS (`listen.grpcTls`): give the files as CoreDNS finds them, CERT,KEY,CA",
        ),
        (Some(_), None) => refused("meshdns does not speak TLS (there is no `listen.grpcTls`)"),
        (Some(tls), Some(ours)) if ours.client_ca.is_some() && tls.files.len() < 2 => refused(
            "meshdns requires a certificate of its clients (`listen.grpcTls.clientCa`): give CERT,KEY,CA",
        ),
        _ => Ok(Upstreams { words, plain: Vec::new() }),
    }
}

fn given(at: &MeshdnsAt) -> String {
    match at {
        MeshdnsAt::Address(ip, port) => SocketAddr::new(*ip, port.unwrap_or(GRPC_PORT)).to_string(),
        MeshdnsAt::Unix(path) => format!("unix://{}", path.display()),
    }
}

fn listening(at: &GrpcAddress) -> String {
    match at {
        GrpcAddress::Tcp(at) if at.ip().is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, at.port())).to_string()
        }
        at => at.to_string(),
    }
}

/// A block for the zones, and one for hosts outside of them.
pub(super) fn blocks(wanted: &Wanted<'_>, keys: &Keys, upstreams: &Upstreams) -> Vec<Block> {
    if wanted.platform.has_stub_domains() {
        return Vec::new();
    }
    let is_node = wanted.platform == Platform::NodeLocal;
    let home = wanted.home().and_then(|corefile| corefile.servers.first());
    let port = home.and_then(|server| server.keys.first()).map_or(53, |key| key.port);
    let mut bind = wanted.bind.clone();
    if bind.is_empty() {
        bind.extend(home.iter().flat_map(|server| server.bind.clone()));
    }
    if bind.is_empty() && is_node {
        bind.push(NODE_ADDRESS.to_owned());
    }
    let sets = [
        ("Zones of meshdns.", &keys.zones),
        ("Hosts of ServiceEntries outside these zones. Each takes the names below it with it.", &keys.hosts),
    ];
    let block = |(comment, zones): (&'static str, &Vec<Zone>)| Block {
        comment,
        keys: zones.iter().map(|zone| zone.key(port)).collect(),
        platform: wanted.platform,
        bounds: [(30, 0), (if is_node { 5 } else { 30 }, 0)],
        bind: bind.clone(),
        asked: upstreams.words.join(" "),
        tls: wanted.tls.clone(),
        plain: upstreams.plain.clone(),
    };
    sets.into_iter().filter(|(_, zones)| !zones.is_empty()).map(block).collect()
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_short = self.keys.iter().map(|key| key.len() + 1).sum::<usize>() <= WIDTH;
        writeln!(f, "# {}", self.comment)?;
        writeln!(f, "{} {{", self.keys.join(if is_short { " " } else { ",\n" }))?;
        writeln!(f, "    errors")?;
        let is_node = self.platform == Platform::NodeLocal;
        if !is_node {
            writeln!(f, "    cancel 2s")?;
        }
        let [(cap, floor), (negative_cap, negative_floor)] = self.bounds;
        writeln!(f, "    cache {{")?;
        writeln!(f, "        success 9984 {cap} {floor}")?;
        writeln!(f, "        denial 9984 {negative_cap} {negative_floor}")?;
        writeln!(f, "    }}")?;
        if is_node {
            writeln!(f, "    reload\n    loop")?;
        }
        if !self.bind.is_empty() {
            writeln!(f, "    bind {}", self.bind.join(" "))?;
        }
        match &self.tls {
            _ if is_node => writeln!(f, "    forward . {} {{\n        force_tcp\n    }}", self.asked)?,
            None => writeln!(f, "    grpc . {}", self.asked)?,
            Some(tls) => {
                writeln!(f, "    grpc . {} {{\n        tls {}", self.asked, tls.files.join(" "))?;
                if let Some(name) = &tls.server_name {
                    writeln!(f, "        tls_servername {name}")?;
                }
                writeln!(f, "    }}")?;
            }
        }
        if !is_node {
            writeln!(f, "    loadbalance")?;
        }
        writeln!(f, "    prometheus :{}\n}}", if is_node { 9253 } else { 9153 })
    }
}

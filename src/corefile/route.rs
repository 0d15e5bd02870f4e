//! Where a name goes: from a server block through its plugins, and on to other blocks and Corefiles.

use std::net::SocketAddr;

use super::cache::Cache;
use super::error::Place;
use super::filter::Filter;
use super::forward::{Forward, Upstream};
use super::grpc::Grpc;
use super::key::{Key, Transport};
use super::server::{Corefile, Server};
use super::zone::{Zone, within};

/// One Corefile or several, in the order from the client, and where meshdns is asked over plain DNS.
#[derive(Clone, Debug)]
pub struct Corefiles {
    files: Vec<Corefile>,
    meshdns: Vec<SocketAddr>,
}

/// A server block that clients ask.
#[derive(Clone, Copy, Debug)]
pub struct Start<'c>(pub &'c Server);

/// A server block on the way.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'c> {
    /// The Corefile.
    pub corefile: &'c Corefile,
    /// The server block.
    pub server: &'c Server,
}

/// What is looked for, and the server blocks that were looked at.
struct Search<'s, 'c> {
    name: &'s Zone,
    seen: &'s mut Vec<&'c Server>,
}

impl<'c> Search<'_, 'c> {
    fn again(&mut self) -> Search<'_, 'c> {
        Search { name: self.name, seen: self.seen }
    }
}

/// The way of a name.
#[derive(Clone, Debug)]
pub struct Route<'c> {
    /// The name.
    pub name: Zone,
    /// Server blocks, that of the client first.
    pub hops: Vec<Hop<'c>>,
    /// What answers a part of the names before they come to the end.
    pub before: Vec<&'c Filter>,
    /// Who answers.
    pub end: End<'c>,
}

/// Who answers a name.
#[derive(Clone, Copy, Debug)]
pub enum End<'c> {
    /// meshdns.
    Meshdns(Through<'c>),
    /// A plugin, out of data of its own.
    Answered(&'c Filter),
    /// Somebody who is not known to be meshdns.
    Forwarded(&'c Forward),
    /// Nothing in the block takes it.
    Nobody,
}

/// How meshdns is asked.
#[derive(Clone, Copy, Debug)]
pub enum Through<'c> {
    /// By the plugin `grpc`.
    Grpc(&'c Grpc),
    /// Over plain DNS, by `forward`.
    Plain(&'c Forward),
}

impl Through<'_> {
    /// Where the plugin begins.
    pub fn place(&self) -> &Place {
        match self {
            Through::Grpc(grpc) => &grpc.place,
            Through::Plain(forward) => &forward.place,
        }
    }
}

impl<'c> Route<'c> {
    /// Whether meshdns answers.
    pub fn leads_to_meshdns(&self) -> bool {
        matches!(self.end, End::Meshdns(_))
    }

    /// The caches that answers pass on their way to the client.
    pub fn caches(&self) -> impl Iterator<Item = &'c Cache> {
        let caches = self.hops.iter().rev().filter_map(|hop| hop.server.cache.as_ref());
        caches.filter(|cache| cache.takes(&self.name))
    }
}

impl Corefiles {
    /// Corefiles in the order from the client; `meshdns` are the addresses at which meshdns is asked over plain DNS.
    pub fn new(files: Vec<Corefile>, meshdns: Vec<SocketAddr>) -> Self {
        Self { files, meshdns }
    }

    /// They, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Corefile> {
        self.files.iter()
    }

    /// The server blocks that clients ask: those of the first file that are not there for another block only.
    pub fn starts(&self) -> Vec<Start<'_>> {
        let Some(first) = self.files.first() else { return Vec::new() };
        let asked = |server: &&Server| server.keys.iter().any(|key| !is_inner(first, server, key));
        let found: Vec<_> = first.servers.iter().filter(asked).map(Start).collect();
        // Where all ask each other, clients ask any.
        if found.is_empty() { first.servers.iter().map(Start).collect() } else { found }
    }

    /// The zones in which a server block treats names differently: its own, those of its plugins, and those of `wanted`
    /// that come to it.
    pub fn zones_of(&self, start: Start<'_>, wanted: &[Zone]) -> Vec<Zone> {
        let server = start.0;
        let mut zones: Vec<Zone> = server.keys.iter().map(|key| key.zone.clone()).collect();
        zones.extend_from_slice(wanted);
        for forward in &server.forwards {
            zones.push(forward.from.clone());
            zones.extend_from_slice(&forward.except);
        }
        if let Some(grpc) = &server.grpc {
            zones.push(grpc.from.clone());
            zones.extend_from_slice(&grpc.except);
        }
        let mut found = Vec::new();
        for zone in zones {
            if self.comes_to(start, &zone) && !found.contains(&zone) {
                found.push(zone);
            }
        }
        found
    }

    /// Whether names in a zone come to a server block, and not to one with a longer zone.
    pub fn comes_to(&self, start: Start<'_>, zone: &Zone) -> bool {
        let Some(first) = self.files.first() else { return false };
        let served = |key: &Key| serving(first, key.transport, key.port, zone);
        let keys = start.0.keys.iter().filter(|key| key.zone.holds(zone));
        // Blocks with `view` share their zones.
        keys.filter_map(served).any(|server| std::ptr::eq(server, start.0) || start.0.view.is_some())
    }

    /// The way of a name from a server block.
    pub fn route<'c>(&'c self, start: Start<'c>, name: &Zone) -> Route<'c> {
        self.follow(Search { name, seen: &mut Vec::new() }, 0, start.0, Vec::new())
    }

    fn follow<'c>(
        &'c self,
        mut search: Search<'_, 'c>,
        file: usize,
        server: &'c Server,
        mut hops: Vec<Hop<'c>>,
    ) -> Route<'c> {
        let name = search.name;
        search.seen.push(server);
        hops.push(Hop { corefile: &self.files[file], server });
        let mut route = Route { name: name.clone(), hops, before: Vec::new(), end: End::Nobody };
        for filter in server.filters.iter().filter(|filter| filter.takes(name)) {
            if !filter.leaves(name) {
                route.end = End::Answered(filter);
                return route;
            }
            route.before.push(filter);
        }
        for forward in server.forwards.iter().filter(|forward| forward.takes(name)) {
            let mut on = None;
            for upstream in &forward.to {
                let Some(way) = self.ask(search.again(), file, forward, upstream, &route.hops) else {
                    continue;
                };
                let leads = way.leads_to_meshdns();
                // Of several that do not lead to meshdns the first one says why.
                if leads || on.is_none() {
                    on = Some(way);
                }
                if leads {
                    break;
                }
            }
            if let Some(mut way) = on.filter(|way| way.leads_to_meshdns() || !forward.hands_on) {
                way.before.splice(0..0, route.before);
                return way;
            }
            route.end = End::Forwarded(forward);
            if !forward.hands_on {
                return route;
            }
        }
        if let (End::Nobody, Some(grpc)) = (route.end, server.grpc.as_ref().filter(|grpc| grpc.takes(name))) {
            route.end = End::Meshdns(Through::Grpc(grpc));
        }
        route
    }

    /// The way on from a `forward`, where we know who is asked.
    fn ask<'c>(
        &'c self,
        search: Search<'_, 'c>,
        file: usize,
        forward: &'c Forward,
        upstream: &Upstream,
        hops: &[Hop<'c>],
    ) -> Option<Route<'c>> {
        let name = search.name;
        let on = |search: Search<'_, 'c>, file: usize, port: u16| {
            let server = serving(self.files.get(file)?, Transport::Dns, port, name)?;
            // What a block does with a name does not depend on who asks it.
            let is_new = !search.seen.iter().any(|known| std::ptr::eq(*known, server));
            is_new.then(|| self.follow(search, file, server, hops.to_vec()))
        };
        if let Upstream::Plain(address) = upstream {
            if is_own(&self.files[file], *address) {
                return on(search, file, address.port());
            }
            if self.is_meshdns(*address) {
                let end = End::Meshdns(Through::Plain(forward));
                return Some(Route { name: name.clone(), hops: hops.to_vec(), before: Vec::new(), end });
            }
        }
        let port = match upstream {
            Upstream::Plain(address) => address.port(),
            Upstream::Other(_) => 53,
        };
        let next = self.files.get(file + 1).filter(|_| upstream.is_near())?;
        on(search, file + 1, asked_port(next, port)?)
    }

    fn is_meshdns(&self, asked: SocketAddr) -> bool {
        self.meshdns.iter().any(|ours| {
            let everywhere = ours.ip().is_unspecified() && asked.ip().is_loopback();
            ours.port() == asked.port() && (ours.ip() == asked.ip() || everywhere)
        })
    }
}

/// The server block to which a name goes: the one with the longest zone (`core/dnsserver/server.go`).
fn serving<'c>(corefile: &'c Corefile, transport: Transport, port: u16, name: &Zone) -> Option<&'c Server> {
    let mut best: Option<(usize, &Server)> = None;
    // One with `view` takes some clients, so another is what holds for all.
    for server in corefile
        .servers
        .iter()
        .filter(|server| server.view.is_none())
        .chain(corefile.servers.iter().filter(|server| server.view.is_some()))
    {
        let keys = server.keys.iter().filter(|key| (key.transport, key.port) == (transport, port));
        let zones = keys.map(|key| &key.zone).filter(|zone| within(std::slice::from_ref(zone), name));
        if let Some(length) = zones.map(Zone::length).max()
            && best.is_none_or(|(known, _)| length > known)
        {
            best = Some((length, server));
        }
    }
    best.map(|(_, server)| server)
}

/// Whether a block of the same Corefile listens there.
fn is_own(corefile: &Corefile, asked: SocketAddr) -> bool {
    corefile.servers.iter().any(|server| {
        let here = match server.bind.is_empty() {
            true => asked.ip().is_loopback(),
            false => server.bind.iter().any(|bound| *bound == asked.ip().to_string()),
        };
        let there = |key: &Key| (key.transport, key.port) == (Transport::Dns, asked.port());
        here && server.keys.iter().any(there)
    })
}

/// Whether a key of a server block is there for another block of the file, which forwards to its port.
fn is_inner(corefile: &Corefile, server: &Server, key: &Key) -> bool {
    let others = corefile.servers.iter().filter(|other| !std::ptr::eq(*other, server));
    let mut asked = others.flat_map(|other| &other.forwards).flat_map(|forward| &forward.to);
    key.transport == Transport::Dns
        && asked.any(|upstream| match upstream {
            Upstream::Plain(address) => address.port() == key.port && is_own(corefile, *address),
            Upstream::Other(_) => false,
        })
}

/// The port that stands behind the Service of a cluster's DNS: that of the Service if there is one, else the only one that
/// clients can ask.
fn asked_port(corefile: &Corefile, wanted: u16) -> Option<u16> {
    let keys = corefile.servers.iter().flat_map(|server| server.keys.iter().map(move |key| (server, key)));
    let asked = |(server, key): &(&Server, &Key)| {
        key.transport == Transport::Dns && (key.port == wanted || !is_inner(corefile, server, key))
    };
    let mut ports: Vec<u16> = keys.filter(asked).map(|(_, key)| key.port).collect();
    ports.sort_unstable();
    ports.dedup();
    match &ports[..] {
        ports if ports.contains(&wanted) => Some(wanted),
        [only] => Some(*only),
        _ => None,
    }
}

//! The `forward` plugin: who else is asked, and for which names (CoreDNS `plugin/forward/setup.go`).

use std::net::{IpAddr, SocketAddr};

use super::error::{Error, Place};
use super::grpc::{address, policy};
use super::key::Transport;
use super::lexer::Token;
use super::stanza::{Property, Stanza};
use super::zone::{Zone, within};

/// Properties that change neither who is asked nor for what, and how many arguments they have.
const OTHERS: [(&str, std::ops::RangeInclusive<usize>); 20] = [
    ("max_fails", 1..=1),
    ("max_connect_attempts", 1..=1),
    ("health_check", 1..=usize::MAX),
    ("force_tcp", 0..=0),
    ("prefer_udp", 0..=0),
    ("tls", 0..=3),
    ("tls_servername", 1..=1),
    ("expire", 1..=1),
    ("max_age", 1..=1),
    ("max_idle_conns", 1..=1),
    ("read_timeout", 1..=1),
    ("doh_method", 1..=1),
    ("policy", 1..=1),
    ("max_concurrent", 1..=1),
    ("next_on_nodata", 0..=0),
    ("failfast_all_unhealthy_upstreams", 0..=0),
    ("failover", 1..=usize::MAX),
    ("resolver", 1..=usize::MAX),
    ("source_address", 1..=1),
    ("next", 1..=usize::MAX),
];

/// One `forward` of a server block.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// Where it begins.
    pub place: Place,
    /// Names below this go to it.
    pub from: Zone,
    /// But not these.
    pub except: Vec<Zone>,
    /// Whom it asks.
    pub to: Vec<Upstream>,
    /// Whether names that do not exist there go to the next `forward` of the block.
    pub hands_on: bool,
}

/// Whom `forward` asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// An address, over plain DNS.
    Plain(SocketAddr),
    /// Anything else, as written: a file such as /etc/resolv.conf, a name, another protocol.
    Other(String),
}

impl Upstream {
    fn of(text: &str) -> Self {
        match Transport::split(text) {
            (Transport::Dns, host) => match address(host) {
                Some((address, port)) => Upstream::Plain(SocketAddr::new(address, port)),
                None => Upstream::Other(text.to_owned()),
            },
            _ => Upstream::Other(text.to_owned()),
        }
    }

    /// Whether it can be inside a cluster: an address that is not public.
    pub fn is_near(&self) -> bool {
        match self {
            Upstream::Plain(address) => match address.ip() {
                IpAddr::V4(ip) => {
                    let [first, second, ..] = ip.octets();
                    let shared = first == 100 && (64..128).contains(&second);
                    ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared
                }
                IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
            },
            // What NodeLocal DNSCache replaces by the address of the cluster's DNS when it starts.
            Upstream::Other(text) => text == "__PILLAR__CLUSTER__DNS__",
        }
    }
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Upstream::Plain(address) if address.port() == 53 => write!(f, "{}", address.ip()),
            Upstream::Plain(address) => write!(f, "{address}"),
            Upstream::Other(text) => f.write_str(text),
        }
    }
}

impl Forward {
    /// All of a server block, in the order in which they are asked.
    pub(super) fn all(words: &[Token]) -> Result<Vec<Self>, Error> {
        Stanza::all(words).iter().map(Self::read).collect()
    }

    fn read(stanza: &Stanza) -> Result<Self, Error> {
        let place = &stanza.place;
        let Some((from, to)) = stanza.arguments.split_first().filter(|(_, to)| !to.is_empty()) else {
            return Err(Error::new(place, "`forward` takes a zone, and one upstream or more"));
        };
        let Some(zone) = Zone::of_argument(&from.text).into_iter().next() else {
            return Err(Error::new(place, format!("`forward {}`: that is no zone", from.text)));
        };
        let to = to.iter().map(|upstream| Upstream::of(&upstream.text)).collect();
        let mut forward = Self { place: place.clone(), from: zone, except: Vec::new(), to, hands_on: false };
        for property in &stanza.properties {
            forward.read_property(property)?;
        }
        Ok(forward)
    }

    fn read_property(&mut self, property: &Property) -> Result<(), Error> {
        if property.name == "except" {
            let zones = property.counted(1..=usize::MAX)?;
            self.except.extend(zones.iter().flat_map(|zone| Zone::of_argument(&zone.text)));
            return Ok(());
        }
        let Some((name, count)) = OTHERS.iter().find(|(name, _)| *name == property.name) else {
            let message = format!("`{}` is no property of `forward`", property.name);
            return Err(Error::new(&property.place, message));
        };
        let arguments = property.counted(count.clone())?;
        match *name {
            "policy" => policy(&arguments[0])?,
            "next" => {
                let negative = |rcode: &Token| rcode.text.eq_ignore_ascii_case("NXDOMAIN");
                self.hands_on |= arguments.iter().any(negative);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether it asks for a name.
    pub fn takes(&self, name: &Zone) -> bool {
        self.from.holds(name) && !within(&self.except, name)
    }
}

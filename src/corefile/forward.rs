//! The `forward` plugin: who else is asked, and for which names (CoreDNS `plugin/forward/setup.go`).

use std::net::{IpAddr, SocketAddr};

use super::duration::seconds;
use super::error::{Error, Place};
use super::grpc::{address, policy};
use super::key::Transport;
use super::lexer::Token;
use super::stanza::{Property, Stanza};
use super::zone::{Zone, within};

/// Properties besides `except`: how many arguments they have, and what these are.
const PROPERTIES: [(&str, std::ops::RangeInclusive<usize>, Value); 20] = [
    ("max_fails", 1..=1, Value::Count),
    ("max_connect_attempts", 1..=1, Value::Count),
    ("health_check", 1..=4, Value::HealthCheck),
    ("force_tcp", 0..=0, Value::Any),
    ("prefer_udp", 0..=0, Value::Any),
    ("tls", 0..=3, Value::Any),
    ("tls_servername", 1..=1, Value::Any),
    ("expire", 1..=1, Value::Duration),
    ("max_age", 1..=1, Value::Duration),
    ("max_idle_conns", 1..=1, Value::Count),
    ("read_timeout", 1..=1, Value::Duration),
    ("doh_method", 1..=1, Value::Method),
    ("policy", 1..=1, Value::Policy),
    ("max_concurrent", 1..=1, Value::Count),
    ("next_on_nodata", 0..=0, Value::Any),
    ("failfast_all_unhealthy_upstreams", 0..=0, Value::Any),
    ("failover", 1..=usize::MAX, Value::Rcode),
    ("resolver", 1..=usize::MAX, Value::Address),
    ("source_address", 1..=1, Value::Address),
    ("next", 1..=usize::MAX, Value::Rcode),
];

/// Names of RCODEs (miekg/dns `StringToRcode`).
const RCODES: [&str; 21] = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "NOTIMPL",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "DSOTYPENI",
    "BADSIG",
    "BADKEY",
    "BADTIME",
    "BADMODE",
    "BADNAME",
    "BADALG",
    "BADTRUNC",
    "BADCOOKIE",
];

/// What the arguments of a property are.
#[derive(Clone, Copy)]
enum Value {
    Any,
    Count,
    Duration,
    /// A duration and how to ask.
    HealthCheck,
    Method,
    Policy,
    Rcode,
    Address,
}

impl Value {
    fn check(self, property: &Property, arguments: &[Token]) -> Result<(), Error> {
        let arguments = match self {
            Value::HealthCheck => &arguments[..1],
            _ => arguments,
        };
        for argument in arguments {
            let text = argument.text.as_str();
            let (is_right, expected) = match self {
                Value::Any => (true, ""),
                Value::Count => (text.parse::<u32>().is_ok(), "a number"),
                Value::Duration | Value::HealthCheck => {
                    (seconds(text).is_some_and(|seconds| seconds >= 0.0), "a duration such as 5s")
                }
                Value::Method => (matches!(text, "GET" | "POST"), "GET or POST"),
                Value::Policy => return policy(argument),
                Value::Rcode => {
                    (RCODES.iter().any(|rcode| rcode.eq_ignore_ascii_case(text)), "an RCODE such as NXDOMAIN")
                }
                Value::Address => (address(text).is_some(), "an address"),
            };
            if !is_right {
                let message = format!("`{} {text}`: {expected} is expected", property.name);
                return Err(Error::new(&argument.place, message));
            }
        }
        Ok(())
    }
}

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
        for upstream in to {
            let (transport, _) = Transport::split(&upstream.text);
            if !matches!(transport, Transport::Dns | Transport::Tls | Transport::Https) {
                let message = format!("`{}`: `forward` asks over dns, tls or https", upstream.text);
                return Err(Error::new(&upstream.place, message));
            }
        }
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
        let Some((name, count, value)) = PROPERTIES.iter().find(|(name, _, _)| *name == property.name) else {
            let message = format!("`{}` is no property of `forward`", property.name);
            return Err(Error::new(&property.place, message));
        };
        let arguments = property.counted(count.clone())?;
        value.check(property, arguments)?;
        // `next` before another `forward` hands on to that.
        let negative = |rcode: &Token| rcode.text.eq_ignore_ascii_case("NXDOMAIN");
        self.hands_on |= *name == "next" && arguments.iter().any(negative);
        Ok(())
    }

    /// Whether it asks for a name.
    pub fn takes(&self, name: &Zone) -> bool {
        self.from.holds(name) && !within(&self.except, name)
    }
}

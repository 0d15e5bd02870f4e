//! The `grpc` plugin: whom it asks for which names (CoreDNS `plugin/grpc/setup.go`).

use std::net::IpAddr;

use super::error::{Error, Place};
use super::key::Transport;
use super::lexer::Token;
use super::stanza::Stanza;
use super::world::World;
use super::zone::{Zone, within};

/// The most upstreams.
const MOST_UPSTREAMS: usize = 15;

/// `grpc` in a server block.
#[derive(Clone, Debug, PartialEq)]
pub struct Grpc {
    /// Where it begins.
    pub place: Place,
    /// Names below this go to it.
    pub from: Zone,
    /// What is written for `from`, if that is a range of which only the first reverse zone counts.
    pub cut: Option<String>,
    /// But not these.
    pub except: Vec<Zone>,
    /// Whom it asks, as written.
    pub to: Vec<String>,
    /// Those of them that it cannot ask.
    pub misfits: Vec<(String, Misfit)>,
    /// How it speaks TLS; none: plaintext.
    pub tls: Option<GrpcTls>,
    /// Where it says that NXDOMAIN goes to the next plugin.
    pub fall_through: Option<Place>,
}

/// `tls` and `tls_servername` of `grpc` (CoreDNS `plugin/pkg/tls/tls.go`).
#[derive(Clone, Debug, PartialEq)]
pub struct GrpcTls {
    /// Where `tls` stands.
    pub place: Place,
    /// Whether it has a certificate to show: `tls CERT KEY [CA]`.
    pub has_certificate: bool,
    /// The name that is expected in the certificate of the server; none: its address.
    pub server_name: Option<String>,
}

/// Why an upstream of `grpc` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Neither an address nor a file: CoreDNS does not start.
    Name,
    /// An address with `grpc://`: CoreDNS starts, and every query fails.
    Scheme,
}

impl Grpc {
    pub(super) fn read(words: &[Token], world: &dyn World) -> Result<Option<Self>, Error> {
        let stanzas = Stanza::all(words);
        let Some((stanza, more)) = stanzas.split_first() else { return Ok(None) };
        if let Some(second) = more.first() {
            return Err(Error::new(&second.place, "`grpc` stands twice in one server block"));
        }
        let place = &stanza.place;
        let Some((from, to)) = stanza.arguments.split_first().filter(|(_, to)| !to.is_empty()) else {
            return Err(Error::new(place, "`grpc` takes a zone, and one upstream or more"));
        };
        if to.len() > MOST_UPSTREAMS {
            let message = format!("`grpc` has {} upstreams: {MOST_UPSTREAMS} are the most", to.len());
            return Err(Error::new(place, message));
        }
        let zones = Zone::of_argument(&from.text);
        let Some(first) = zones.first() else {
            return Err(Error::new(place, format!("`grpc {}`: that is no zone", from.text)));
        };
        let mut grpc = Self {
            place: place.clone(),
            from: first.clone(),
            cut: (zones.len() > 1).then(|| from.text.clone()),
            except: Vec::new(),
            to: to.iter().map(|upstream| upstream.text.clone()).collect(),
            misfits: Vec::new(),
            tls: None,
            fall_through: None,
        };
        for upstream in to {
            grpc.misfits.extend(misfit(upstream, world)?.map(|misfit| (upstream.text.clone(), misfit)));
        }
        let mut server_name = None;
        for property in &stanza.properties {
            match property.name.as_str() {
                "except" => {
                    let zones = property.counted(1..=usize::MAX)?;
                    grpc.except.extend(zones.iter().flat_map(|zone| Zone::of_argument(&zone.text)));
                }
                "tls" => {
                    let files = property.counted(0..=3)?.len();
                    let place = property.place.clone();
                    grpc.tls = Some(GrpcTls { place, has_certificate: files > 1, server_name: None });
                }
                "tls_servername" => server_name = Some(property.counted(1..=1)?[0].text.clone()),
                "policy" => policy(&property.counted(1..=1)?[0])?,
                "fallthrough" => grpc.fall_through = Some(property.place.clone()),
                name => {
                    return Err(Error::new(&property.place, format!("`{name}` is no property of `grpc`")));
                }
            }
        }
        if let Some(tls) = &mut grpc.tls {
            tls.server_name = server_name;
        }
        Ok(Some(grpc))
    }

    /// Whether it asks for a name.
    pub fn takes(&self, name: &Zone) -> bool {
        self.from.holds(name) && !within(&self.except, name)
    }
}

/// `policy`, of `grpc` and of `forward`.
pub(super) fn policy(argument: &Token) -> Result<(), Error> {
    match argument.text.as_str() {
        "random" | "round_robin" | "sequential" => Ok(()),
        other => {
            let message = format!("`policy {other}`: random, round_robin or sequential is expected");
            Err(Error::new(&argument.place, message))
        }
    }
}

fn misfit(upstream: &Token, world: &dyn World) -> Result<Option<Misfit>, Error> {
    let (transport, host) = Transport::split(&upstream.text);
    if host.is_empty() {
        return Err(Error::new(&upstream.place, format!("`{}` is no address", upstream.text)));
    }
    if transport == Transport::Unix {
        return Ok(None);
    }
    if address(host).is_none() {
        return Ok(if world.text(host).is_ok() { None } else { Some(Misfit::Name) });
    }
    // With the port left out, CoreDNS puts the scheme before the address too, unless it is dns.
    let plain = transport == Transport::Dns && !upstream.text.starts_with("dns://");
    Ok(if plain { None } else { Some(Misfit::Scheme) })
}

/// The address and the port of `ADDRESS[:PORT]`; port 53 where it has none.
pub(super) fn address(text: &str) -> Option<(IpAddr, u16)> {
    let without_scope = |host: &str| host.split('%').next().unwrap_or_default().parse().ok();
    if let Some(address) = without_scope(text.trim_matches(['[', ']'])) {
        return Some((address, 53));
    }
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').map_or(Some(host), |rest| rest.strip_suffix(']'))?;
    Some((without_scope(host)?, port.parse().ok()?))
}

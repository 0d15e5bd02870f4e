//! `upstreams`: who resolves the targets of aliases that lie outside our zones.

use std::net::{IpAddr, SocketAddr};

use super::overrides::Overrides;
use super::report::{Placed, Report};
use super::section::Section;

/// The port of DNS.
const DNS_PORT: u16 = 53;
const SERVER: &str = "the address of a server, such as 10.96.0.10, 10.96.0.10:53 or [2001:db8::1]:53";

/// Who resolves names outside our zones, as used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upstreams {
    /// The servers of `/etc/resolv.conf`. The default.
    #[default]
    ResolvConf,
    /// These, at least one, each once.
    Servers(Vec<SocketAddr>),
}

impl Upstreams {
    /// Reads `upstreams` of the root section.
    pub(super) fn read(report: &Report, root: &mut Section<'_>, overrides: &Overrides) -> Self {
        let written = root.take("upstreams").and_then(|field| {
            if field.is_empty_list() {
                return field
                    .problem("the list is empty: name a server, or leave it out to use /etc/resolv.conf");
            }
            field.list(SERVER, server)
        });
        let Some(given) = report.flags("--upstream", &overrides.upstreams, server).or(written) else {
            return Self::default();
        };
        let mut servers = Vec::new();
        for Placed { value, place } in given {
            if servers.contains(&value) {
                report.add(&place, &format!("{value} is given twice"));
            }
            servers.push(value);
        }
        Self::Servers(servers)
    }
}

fn server(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, DNS_PORT));
    match address.or_else(|_| text.parse::<SocketAddr>()) {
        Ok(server) if server.port() == 0 => Err(format!("`{text}` has port 0, where no server listens")),
        Ok(server) => Ok(server),
        Err(_) => Err(format!("`{text}` is not {SERVER}")),
    }
}

//! `listen`: where we are asked.
//!
//! Rules: addresses are numeric and have a port; port 0 takes any free one. A Unix socket is `unix://` and an
//! absolute path that fits a socket address. No address twice. Times are whole seconds.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::field::Field;
use super::overrides::Overrides;
use super::report::{Place, Placed, Report};
use super::section::Section;
use super::socket::socket;
use super::tls::{self, read_plaintext};
use crate::tls::TlsSettings;

/// A day: nobody waits longer for clients to spread.
const OLDEST_CONNECTION: u64 = 86_400;
/// Longer than any list of endpoints takes to arrive everywhere.
const LONGEST_LAMEDUCK: u64 = 300;
const ADDRESS: &str = "an address with a port, such as 127.0.0.1:8053 or [::1]:8053";
const GRPC_ADDRESS: &str = "an address with a port, such as 127.0.0.1:8053, or unix:///run/meshdns/dns.sock";
const ADMIN_ADDRESS: &str = "an address with a port, such as 127.0.0.1:8081, or off";

/// Where we are asked, as used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// gRPC, for CoreDNS. Default: 127.0.0.1:8053.
    pub grpc: Vec<GrpcAddress>,
    /// TLS of gRPC over TCP. Default: none, and then only this machine may ask, unless it was said otherwise.
    pub grpc_tls: Option<TlsSettings>,
    /// Plain DNS over UDP and TCP. Default: none.
    pub dns: Vec<SocketAddr>,
    /// Health, metrics and explanations over HTTP. Default: 127.0.0.1:8081; `off` for none.
    pub admin: Option<SocketAddr>,
    /// Who may see what is answered, and why, over HTTP. Default: who asks from this machine.
    pub inspect: Inspect,
    /// About how old a gRPC connection becomes, a tenth more or less. Default: ten minutes.
    pub grpc_max_connection_age: Duration,
    /// How long everything goes on once we are told to stop. Default: not at all.
    pub lameduck: Duration,
}

/// Where a gRPC listener is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcAddress {
    /// A TCP address.
    Tcp(SocketAddr),
    /// An absolute path of a Unix socket.
    Unix(PathBuf),
}

/// Who may see the pages of the admin listener that show names and objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inspect {
    /// Who asks from this machine (in a pod: from the pod).
    #[default]
    Local,
    /// Who can reach the listener.
    Anywhere,
}

impl Default for Listen {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            grpc: vec![GrpcAddress::Tcp(local(8053))],
            grpc_tls: None,
            dns: Vec::new(),
            admin: Some(local(8081)),
            inspect: Inspect::default(),
            grpc_max_connection_age: Duration::from_secs(600),
            lameduck: Duration::ZERO,
        }
    }
}

impl Listen {
    /// Reads `listen` of the root section.
    pub(super) fn read(report: &Report, root: &mut Section<'_>, overrides: &Overrides) -> Self {
        let mut listen = Self::default();
        let (grpc, plaintext, dns, admin) = root.section("listen", |section| {
            let grpc = section.take("grpc").and_then(|field| field.list(GRPC_ADDRESS, grpc_address));
            listen.grpc_tls = tls::read(section);
            let plaintext = read_plaintext(section);
            let dns = section.take("dns").and_then(|field| field.list(ADDRESS, address));
            let admin = section.take("admin").and_then(admin_field);
            section.set("inspect", &mut listen.inspect, |field| {
                field.choice(&[("local", Some(Inspect::Local)), ("anywhere", Some(Inspect::Anywhere))])
            });
            section.set("grpcMaxConnectionAge", &mut listen.grpc_max_connection_age, |field| {
                seconds(field, 1, OLDEST_CONNECTION)
            });
            section.set("lameduck", &mut listen.lameduck, |field| seconds(field, 0, LONGEST_LAMEDUCK));
            (grpc, plaintext, dns, admin)
        });
        let grpc = report.flags("--grpc-listen", &overrides.grpc_listen, grpc_address).or(grpc);
        let dns = report.flags("--dns-listen", &overrides.dns_listen, address).or(dns);
        let flag = report.flags("--admin-listen", overrides.admin_listen.as_slice(), admin_address);
        let admin = flag.and_then(|mut given| given.pop()).or(admin);
        check_distinct(report, &grpc, &dns, &admin);
        tls::check(report, overrides, plaintext, listen.grpc_tls.as_ref(), grpc.as_deref());
        if let Some(grpc) = grpc {
            listen.grpc = grpc.into_iter().map(|placed| placed.value).collect();
        }
        if let Some(dns) = dns {
            listen.dns = dns.into_iter().map(|placed| placed.value).collect();
        }
        if let Some(admin) = admin {
            listen.admin = admin.value;
        }
        if listen.grpc.is_empty()
            && listen.dns.is_empty()
            && !report.knows(&["listen", "--grpc-listen", "--dns-listen"])
        {
            report.add_missing("listen", "grpc and dns are both empty: nobody could ask");
        }
        listen
    }
}

/// Reports addresses that would be bound twice. All listeners use TCP, plain DNS too.
fn check_distinct(
    report: &Report,
    grpc: &Option<Vec<Placed<GrpcAddress>>>,
    dns: &Option<Vec<Placed<SocketAddr>>>,
    admin: &Option<Placed<Option<SocketAddr>>>,
) {
    let tcp = |place, address: &SocketAddr| (place, GrpcAddress::Tcp(*address));
    let grpc = grpc.iter().flatten().map(|placed| (&placed.place, placed.value.clone()));
    let dns = dns.iter().flatten().map(|placed| tcp(&placed.place, &placed.value));
    let admin = admin.iter().filter_map(|placed| Some(tcp(&placed.place, placed.value.as_ref()?)));
    let mut seen: Vec<(&Place, GrpcAddress)> = Vec::new();
    for (place, address) in grpc.chain(dns).chain(admin) {
        let free = matches!(&address, GrpcAddress::Tcp(address) if address.port() == 0);
        if !free && let Some((first, _)) = seen.iter().find(|(_, known)| *known == address) {
            report.add(place, &format!("{address} is already taken by {first}"));
        }
        seen.push((place, address));
    }
}

impl std::fmt::Display for GrpcAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// Whole seconds within these bounds.
fn seconds(field: Field<'_>, least: u64, most: u64) -> Option<Duration> {
    let expected = format!("seconds from {least} to {most}");
    field.integer(&expected, |number| {
        let seconds = u64::try_from(number).ok().filter(|seconds| (least..=most).contains(seconds));
        seconds.map(Duration::from_secs).ok_or_else(|| format!("{number} is out of range: {expected}"))
    })
}

/// `admin` of the file.
fn admin_field(field: Field<'_>) -> Option<Placed<Option<SocketAddr>>> {
    let place = field.place.clone();
    Some(Placed { value: field.parsed(ADMIN_ADDRESS, admin_address)?, place })
}

fn admin_address(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("`{text}` is not {ADMIN_ADDRESS}"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not {ADDRESS}"))
}

fn grpc_address(text: &str) -> Result<GrpcAddress, String> {
    let tcp = || text.parse().map(GrpcAddress::Tcp).map_err(|_| format!("`{text}` is not {GRPC_ADDRESS}"));
    socket(text).map_or_else(tcp, |path| path.map(GrpcAddress::Unix))
}

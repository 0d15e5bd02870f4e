//! Which istiod is asked, how, and as whom.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::NodeIdentity;

/// Where istiod speaks TLS (`--secureGRPCAddr`).
pub const TLS_PORT: u16 = 15_012;
/// Where istiod speaks without (`--grpcAddr`).
pub const PLAINTEXT_PORT: u16 = 15_010;

/// What the source needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IstiodSettings {
    /// Where istiod is.
    pub endpoint: Endpoint,
    /// How it proves who it is; `None`: in the clear.
    pub tls: Option<Tls>,
    /// File with a bearer token, read anew for every connection.
    pub token: Option<PathBuf>,
    /// Whom we say we are.
    pub node: NodeIdentity,
    /// How old a table of an earlier run may be at a start to be used; zero: none is kept.
    pub keep: Duration,
    /// Limits that are no settings.
    pub limits: Limits,
}

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// Reads `name:port`, `address:port` or `[address]:port`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a host with a port, such as istiod.istio-system.svc:15012 or 10.96.0.9:15010"
            )
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let digits = port.bytes().all(|octet| octet.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits).filter(|port| *port != 0).ok_or_else(wrong)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let fits = match bracketed {
            Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host != "." && crate::model::Name::parse(host).is_ok(),
        };
        if !fits {
            return Err(wrong());
        }
        Ok(Self { host: bracketed.unwrap_or(host).to_owned(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How istiod proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// PEM file with the certificates that are trusted, and no others; read anew for every connection. In a mesh it is
    /// `root-cert.pem` of the ConfigMap `istio-ca-root-cert`.
    pub ca: PathBuf,
    /// The name that its certificate must have.
    pub server_name: String,
}

/// Limits chosen to hold for everybody; they stand together so that tests can make them small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Looking up the name, connecting and the TLS handshake, together.
    pub connect: Duration,
    /// How often a silent istiod is asked for a sign of life. It takes more than one ping in 15 s for an attack
    /// (`pilot/pkg/grpc/grpc.go`).
    pub ping_every: Duration,
    /// How long it may take to give one.
    pub ping_within: Duration,
    /// Largest message, in octets.
    pub message: usize,
    /// The first pause before connecting again is at most this long; each further one twice as long.
    pub first_pause: Duration,
    /// No pause is longer than this.
    pub longest_pause: Duration,
    /// A stream that stood so long with a table makes pauses begin anew.
    pub healthy_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            ping_every: Duration::from_secs(30),
            ping_within: Duration::from_secs(10),
            message: 256 << 20,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            healthy_after: Duration::from_secs(10),
        }
    }
}

//! Keys of server blocks: `[SCHEME://]ZONE[:PORT]`.

use std::fmt;

use super::error::{Error, Place};
use super::lexer::Token;
use super::zone::{Zone, split_port};

/// Over what a server block is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP and TCP.
    Dns,
    /// TLS.
    Tls,
    /// QUIC.
    Quic,
    /// gRPC.
    Grpc,
    /// HTTP/3.
    Https3,
    /// HTTPS.
    Https,
    /// A Unix socket: nobody is asked there, but it is read as a scheme.
    Unix,
}

impl Transport {
    const ALL: [Transport; 7] = [
        Transport::Tls,
        Transport::Dns,
        Transport::Quic,
        Transport::Grpc,
        Transport::Https3,
        Transport::Https,
        Transport::Unix,
    ];

    /// Takes the scheme off a text.
    pub(super) fn split(text: &str) -> (Self, &str) {
        let with_scheme = |transport: Self| {
            text.strip_prefix(transport.scheme())
                .and_then(|rest| rest.strip_prefix("://"))
                .map(|rest| (transport, rest))
        };
        Self::ALL.into_iter().find_map(with_scheme).unwrap_or((Transport::Dns, text))
    }

    /// Its name.
    pub const fn scheme(self) -> &'static str {
        match self {
            Transport::Dns => "dns",
            Transport::Tls => "tls",
            Transport::Quic => "quic",
            Transport::Grpc => "grpc",
            Transport::Https3 => "https3",
            Transport::Https => "https",
            Transport::Unix => "unix",
        }
    }

    /// The port where none is given (CoreDNS `plugin/pkg/transport`).
    const fn port(self) -> i64 {
        match self {
            Transport::Dns | Transport::Unix => 53,
            Transport::Tls | Transport::Quic => 853,
            Transport::Grpc | Transport::Https | Transport::Https3 => 443,
        }
    }
}

/// A zone that a server block takes on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The zone.
    pub zone: Zone,
    /// The port.
    pub port: u16,
    /// Over what.
    pub transport: Transport,
    /// Where it is written.
    pub place: Place,
}

impl Key {
    /// What is written stands for: several keys for a range that is no single reverse zone.
    pub(super) fn read(token: &Token) -> Result<Vec<Self>, Error> {
        let (transport, rest) = Transport::split(&token.text);
        let wrong = |message: String| Error::new(&token.place, message);
        let (zones, port) = split_port(rest).map_err(wrong)?;
        let port = port.unwrap_or(transport.port());
        let port = u16::try_from(port).map_err(|_| wrong(format!("`{}`: {port} is no port", token.text)))?;
        let key = |zone| Self { zone, port, transport, place: token.place.clone() };
        Ok(zones.into_iter().map(key).collect())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.transport != Transport::Dns {
            write!(f, "{}://", self.transport.scheme())?;
        }
        write!(f, "{}:{}", self.zone.written(), self.port)
    }
}

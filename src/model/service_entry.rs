//! A service that the mesh knows beside those of Kubernetes.

use std::fmt;
use std::net::IpAddr;

use super::{AnswerMode, Labels, Name, NameError, ObjectName, Port, Stamp, Target, Ttl};

/// What DNS needs of an Istio ServiceEntry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEntry {
    /// Namespace and name.
    pub name: ObjectName,
    /// Labels.
    pub labels: Labels,
    /// Its hosts, in order, without those that are no names.
    pub hosts: Vec<Host>,
    /// Whether `spec.addresses` had anything in it, CIDRs included: then it takes no automatic address.
    pub declares_addresses: bool,
    /// The plain addresses of `spec.addresses`, full-length CIDRs included, in order.
    pub addresses: Vec<IpAddr>,
    /// Its ports.
    pub ports: Vec<Port>,
    /// How proxies find its endpoints.
    pub resolution: Resolution,
    /// `spec.endpoints`, in order.
    pub endpoints: Vec<Target>,
    /// `spec.workloadSelector`: pods and WorkloadEntries of its namespace that have all of these labels are its
    /// endpoints. One without labels selects all.
    pub selector: Option<Labels>,
    /// Annotation `meshdns.io/answer`: instead of the setting.
    pub answer: Option<AnswerMode>,
    /// Annotation `meshdns.io/ttl`.
    pub ttl: Option<Ttl>,
    /// Namespaces that may see it; empty means what the mesh defaults to, which is all.
    pub export_to: Vec<Box<str>>,
    /// Creation time in whole Unix seconds; 0 when the object does not say.
    pub created: i64,
    /// `status.addresses`: automatic addresses, each with the host it was given to, as written.
    pub assigned: Vec<(Box<str>, IpAddr)>,
    /// When the API server last wrote it, if it says so (`metadata.managedFields`).
    pub written: Option<Stamp>,
}

impl ServiceEntry {
    /// Whether entries of every namespace may see it (`exportTo` empty or with a `*`).
    pub fn is_public(&self) -> bool {
        self.export_to.is_empty() || self.export_to.iter().any(|to| &**to == "*")
    }

    /// Whether nobody may see it, not even its own namespace (`exportTo` with a `~` and no `*`).
    pub fn is_hidden(&self) -> bool {
        !self.is_public() && self.export_to.iter().any(|to| &**to == "~")
    }

    /// Whether Istio's status allocator gives addresses to this entry
    /// (`pilot/pkg/networking/serviceentry/ip_autoallocation.go`).
    pub fn takes_automatic_addresses(&self) -> bool {
        let opted_out = self
            .labels
            .get("networking.istio.io/enable-autoallocate-ip")
            .is_some_and(|value| value.eq_ignore_ascii_case("false"));
        self.resolution != Resolution::None && !self.declares_addresses && !opted_out
    }
}

/// `spec.resolution` of a ServiceEntry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Pass-through to the address that the caller chose.
    #[default]
    None,
    /// The listed endpoints.
    Static,
    /// A DNS lookup by the proxy.
    Dns,
    /// A DNS lookup of which one address is used.
    DnsRoundRobin,
    /// A DNS lookup of the name in each request.
    DynamicDns,
}

/// A host of a ServiceEntry.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host {
    /// The name itself; of a wildcard, what stands after the star.
    pub name: Name,
    /// Whether it began with `*.`.
    pub wildcard: bool,
    /// The text as written: status addresses are found by it.
    pub text: Box<str>,
}

/// Why a text is not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Not a domain name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A star that stands for everything.
    #[error(
        "`*` alone is refused: a wildcard host names the domain below which it applies, as in `*.example.com`"
    )]
    BareStar,
    /// A star anywhere else than as the whole first label.
    #[error("`{0}` has a star that is not the whole first label")]
    MisplacedStar(String),
}

impl Host {
    /// Reads `name` or `*.name`.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let (wildcard, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None if text == "*" => return Err(HostError::BareStar),
            None => (false, text),
        };
        if rest.contains('*') {
            return Err(HostError::MisplacedStar(text.to_owned()));
        }
        let name = Name::parse(rest)?;
        if name.wire().len() == 1 {
            return Err(NameError::EmptyLabel(text.to_owned()).into());
        }
        Ok(Self { name, wildcard, text: text.into() })
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

//! The names of clients that are let in.
//!
//! Rules: an entry is a DNS name, a URI, or the beginning of URIs (`spiffe://cluster.local/ns/kube-system/*`: whatever is below
//! that path). DNS names are compared without regard to letter case, URIs octet by octet; a wildcard name in a certificate
//! is a name like any other and lets nobody in. What a client calls itself in a certificate with several SPIFFE IDs does not
//! count, as the X.509-SVID standard has it (§2: exactly one URI), and nor do URIs that could climb out of a path.

use std::fmt;
use std::str::FromStr;

use super::certificate::Certificate;

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientName {
    /// A DNS name, in lower case.
    Dns(String),
    /// A URI.
    Uri(String),
    /// All URIs below this one, which ends with a slash.
    Below(String),
}

/// An entry that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a DNS name, nor a URI such as spiffe://cluster.local/ns/kube-system/sa/coredns, nor a URI that ends with /*"
)]
pub struct BadClientName(String);

impl ClientName {
    /// Whether a certificate has this name.
    pub fn is_of(&self, certificate: &Certificate) -> bool {
        let uri = match certificate.uris.as_slice() {
            [one] => Some(one.as_str()),
            _ => None,
        };
        match self {
            Self::Dns(name) => certificate.dns_names.iter().any(|found| found.eq_ignore_ascii_case(name)),
            Self::Uri(name) => uri == Some(name),
            Self::Below(path) => uri
                .and_then(|uri| uri.strip_prefix(path.as_str()))
                .is_some_and(|rest| rest.split('/').all(is_segment)),
        }
    }
}

/// What may stand between two slashes of a SPIFFE ID (SPIFFE-ID §2.2).
fn is_segment(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    !matches!(text, "" | "." | "..") && text.bytes().all(allowed)
}

impl FromStr for ClientName {
    type Err = BadClientName;

    fn from_str(text: &str) -> Result<Self, BadClientName> {
        let bad = || BadClientName(text.to_owned());
        let Some((scheme, rest)) = text.split_once("://") else {
            let is_name = rustls::pki_types::DnsName::try_from(text).is_ok();
            return if is_name { Ok(Self::Dns(text.to_ascii_lowercase())) } else { Err(bad()) };
        };
        let (path, below) = match rest.strip_suffix("/*") {
            Some(path) => (path, true),
            None => (rest, false),
        };
        let starts_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_scheme = starts_well
            && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
        let is_path = !path.is_empty()
            && !path.starts_with('/')
            && path.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'*');
        match (is_scheme && is_path, below) {
            (false, _) => Err(bad()),
            (true, false) => Ok(Self::Uri(text.to_owned())),
            (true, true) => Ok(Self::Below(format!("{scheme}://{path}/"))),
        }
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Uri(name) => f.write_str(name),
            Self::Below(path) => write!(f, "{path}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(entry: &str, uris: &[&str], dns_names: &[&str]) -> bool {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let certificate =
            Certificate { uris: owned(uris), dns_names: owned(dns_names), ..Certificate::default() };
        entry.parse::<ClientName>().unwrap().is_of(&certificate)
    }

    #[test]
    fn names_are_compared_as_a_whole() {
        assert!(takes("CoreDNS.kube-system.svc", &[], &["other", "coredns.KUBE-system.svc"]));
        assert!(!takes("coredns.kube-system.svc", &[], &["coredns.kube-system.svc.evil.example"]));
        assert!(!takes("coredns.kube-system.svc", &[], &["*.kube-system.svc"]));
        assert!(!takes("coredns", &["spiffe://coredns"], &[]));
        assert!(takes("spiffe://a/ns/x/sa/y", &["spiffe://a/ns/x/sa/y"], &[]));
        assert!(!takes("spiffe://a/ns/x/sa/y", &["spiffe://a/ns/x/sa/Y"], &[]));
        assert!(!takes("spiffe://a/ns/x/sa/y", &["spiffe://a/ns/x/sa/y/z"], &[]));
    }

    #[test]
    fn a_star_takes_what_is_below_and_nothing_beside() {
        let entry = "spiffe://a/ns/kube-system/*";
        assert!(takes(entry, &["spiffe://a/ns/kube-system/sa/coredns"], &[]));
        for other in [
            "spiffe://a/ns/kube-system",
            "spiffe://a/ns/kube-system/",
            "spiffe://a/ns/kube-system-2/sa/coredns",
            "spiffe://a/ns/kube-system/../web/sa/coredns",
            "spiffe://a/ns/kube-system/%2e%2e/web",
            "spiffe://a/ns/kube-system/sa//x",
            "spiffe://a/ns/kube-system/sa?x",
            "spiffe://b/ns/kube-system/sa/coredns",
        ] {
            assert!(!takes(entry, &[other], &[]), "{other}");
        }
        assert!(
            takes("spiffe://a/*", &["spiffe://a/x"], &[]) && !takes("spiffe://a/*", &["spiffe://a.b/x"], &[])
        );
    }

    #[test]
    fn a_certificate_with_two_uris_is_nobody() {
        assert!(!takes("spiffe://a/x", &["spiffe://a/x", "spiffe://a/y"], &[]));
        assert!(!takes("spiffe://a/*", &["spiffe://a/x", "spiffe://a/y"], &[]));
    }

    #[test]
    fn entries_that_are_none_are_refused() {
        for text in [
            "",
            "*",
            "*.example",
            "a b",
            "spiffe://",
            "spiffe:///x",
            "spiffe://*/x",
            "spiffe://a/*/b",
            "://a",
            "1:2",
        ] {
            assert!(text.parse::<ClientName>().is_err(), "{text}");
        }
        for text in ["coredns", "spiffe://a/b", "spiffe://a/*", "https://a.example/b"] {
            assert_eq!(text.parse::<ClientName>().unwrap().to_string(), text);
        }
    }
}

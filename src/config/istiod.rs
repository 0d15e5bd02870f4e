//! `sources.istiod`: which istiod is asked for its name table, and as whom.
//!
//! Rules: without `address` nothing else may be given. Whether TLS is spoken must be clear: istiod's port 15012 always
//! does and 15010 never, for any other port it must be said, except on loopback. TLS needs the file of its CA, and a token travels over TLS
//! only. Cross-checks with other sections: the domain of the node is that of the first zone, and addresses that
//! istiod computes are asked for when we would compute them too (`serviceEntries.addresses: hash`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::field::Field;
use super::kubernetes::namespace;
use super::overrides::Overrides;
use super::report::Report;
use super::section::Section;
use super::service_entries::ServiceEntrySettings;
use super::sources::path;
use crate::catalog::AutomaticAddresses;
use crate::model::{Name, Zone, ZoneKind, Zones};
use crate::source::istiod::{Endpoint, IstiodSettings, Limits, NodeIdentity, PLAINTEXT_PORT, TLS_PORT, Tls};
use crate::yaml::Value;

/// A day: addresses of ServiceEntry hosts stay for years, those of pods do not.
const KEEP: Duration = Duration::from_secs(86_400);
/// A year, in seconds.
const LONGEST_KEEP: i64 = 31_536_000;
const ADDRESS: &str = "a host with a port, such as istiod.istio-system.svc:15012";
/// What istiod's certificate is for, besides revisions of it (`pilot/pkg/bootstrap/istio_ca.go`).
const SERVER_NAME: &str = "istiod.istio-system.svc";
/// Metadata that has a setting of its own.
const SETTINGS: [(&str, &str); 5] = [
    ("NAMESPACE", "namespace"),
    ("CLUSTER_ID", "clusterID"),
    ("INSTANCE_IPS", "ips"),
    ("NETWORK", "network"),
    ("SERVICE_ACCOUNT", "serviceAccount"),
];

/// `tls` as written.
enum Written {
    /// Not at all.
    Unsaid,
    Off,
    On {
        ca: Option<PathBuf>,
        server_name: Option<String>,
    },
}

/// Reads the section `sources.istiod`.
pub(super) fn read(
    report: &Report,
    section: &mut Section<'_>,
    overrides: &Overrides,
) -> Option<IstiodSettings> {
    let is_empty = section.is_empty();
    let flag = report.flags("--istiod", overrides.istiod.as_slice(), Endpoint::parse);
    let field = section.take("address");
    let given = flag.is_some() || field.is_some();
    let written = field.and_then(|field| field.parsed(ADDRESS, Endpoint::parse));
    let endpoint = flag.and_then(|mut given| given.pop()).map(|placed| placed.value).or(written);
    let tls = read_tls(section);
    let token = section.take("token");
    let token_place = token.as_ref().map(|field| field.place.clone());
    let token = token.and_then(|field| field.parsed("a path", path));
    let node = section.section("node", read_node);
    let mut kept_for = KEEP;
    section.set("keep", &mut kept_for, |field| field.integer("seconds", keep));
    if !given && !is_empty {
        section.missing("address", &format!("{ADDRESS} is expected"));
    }
    let endpoint = endpoint?;
    let tls = if report.knows(&["sources.istiod.tls"]) { None } else { checked_tls(section, &endpoint, tls) };
    if let (Some(place), None) = (token_place, &tls)
        && !report.knows(&["sources.istiod.tls"])
    {
        section.problem(&place, "without TLS anybody on the way could read it: give `tls: {ca: FILE}` too");
    }
    Some(IstiodSettings { endpoint, tls, token, node, keep: kept_for, limits: Limits::default() })
}

/// Fills in what other sections say.
pub(super) fn complete(settings: &mut IstiodSettings, zones: &Zones, entries: &ServiceEntrySettings) {
    // The root has no name to go by.
    let named = |zone: &&Zone| zone.kind == ZoneKind::Cluster && zone.name != Name::root();
    if let Some(zone) = zones.iter().find(named) {
        zone.name.to_string().trim_end_matches('.').clone_into(&mut settings.node.domain);
    }
    settings.node.auto_allocate = entries.addresses == AutomaticAddresses::Hash;
}

fn read_tls(section: &mut Section<'_>) -> Written {
    if section.says("tls", "off") {
        section.take("tls");
        return Written::Off;
    }
    section.section("tls", |section| {
        if section.is_empty() {
            return Written::Unsaid;
        }
        let ca = section.take("ca").and_then(|field| field.parsed("a path", path));
        let name = section.take("serverName");
        let server_name = name.and_then(|field| field.parsed("a name", server_name));
        Written::On { ca, server_name }
    })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn checked_tls(section: &Section<'_>, endpoint: &Endpoint, written: Written) -> Option<Tls> {
    const HOW: &str = "give `tls: {ca: FILE}`, such as root-cert.pem of the ConfigMap istio-ca-root-cert";
    match (written, endpoint.port) {
        (Written::Off, TLS_PORT) => {
            section.missing("tls", &format!("istiod always speaks TLS on port {TLS_PORT}: {HOW}"));
            None
        }
        (Written::On { .. }, PLAINTEXT_PORT) => {
            section.missing(
                "tls",
                &format!("istiod never speaks TLS on port {PLAINTEXT_PORT}: take port {TLS_PORT}"),
            );
            None
        }
        (Written::Off, _) | (Written::Unsaid, PLAINTEXT_PORT) => None,
        // A forwarded port, such as kubectl opens: what travels there does not leave the machine.
        (Written::Unsaid, port) if port != TLS_PORT && is_loopback(&endpoint.host) => None,
        (Written::On { ca: Some(ca), server_name }, _) => {
            let server_name = server_name.unwrap_or_else(|| match endpoint.host.parse::<IpAddr>() {
                Ok(_) => SERVER_NAME.to_owned(),
                Err(_) => endpoint.host.clone(),
            });
            Some(Tls { ca, server_name })
        }
        (Written::On { ca: None, .. }, _) => {
            section.missing(
                "tls.ca",
                "a PEM file is expected, such as root-cert.pem of the ConfigMap istio-ca-root-cert",
            );
            None
        }
        (Written::Unsaid, TLS_PORT) => {
            section.missing("tls", &format!("istiod speaks TLS on port {TLS_PORT}: {HOW}"));
            None
        }
        (Written::Unsaid, port) => {
            section.missing(
                "tls",
                &format!("on port {port} it is not clear whether TLS is spoken: {HOW}, or `tls: off`"),
            );
            None
        }
    }
}

fn read_node(section: &mut Section<'_>) -> NodeIdentity {
    let mut used = NodeIdentity::default();
    section.set("namespace", &mut used.namespace, |field| field.parsed("the name of a namespace", namespace));
    section.set("name", &mut used.name, |field| field.parsed("the name of a pod", pod));
    if let Some(field) = section.take("ips") {
        if field.is_empty_list() {
            field.problem::<()>("the list is empty: name an address, or leave it out");
        } else if let Some(addresses) = field.distinct("an address, such as 10.244.0.9", address)
            && !addresses.is_empty()
        {
            used.addresses = addresses;
        }
    }
    section.set("clusterID", &mut used.cluster_id, |field| field.parsed("the name of a cluster", word));
    section.set("network", &mut used.network, |field| field.parsed("the name of a network", word));
    section.set("serviceAccount", &mut used.service_account, |field| {
        field.parsed("the name of a service account", word)
    });
    section.set("metadata", &mut used.metadata, |field| Some(metadata(field)));
    used
}

fn keep(seconds: i64) -> Result<Duration, String> {
    let range = || format!("{seconds} is out of range: seconds from 0 to {LONGEST_KEEP}");
    let within = u64::try_from(seconds).ok().filter(|_| seconds <= LONGEST_KEEP);
    within.map(Duration::from_secs).ok_or_else(range)
}

/// Texts, and what istiod takes as text: booleans and whole numbers.
fn metadata(field: Field<'_>) -> BTreeMap<String, String> {
    let (report, place) = (field.report, field.place.clone());
    let mut found = BTreeMap::new();
    for entry in field.entries() {
        let place = place.key(&entry.key, entry.line);
        if let Some((_, setting)) = SETTINGS.iter().find(|(key, _)| *key == entry.key) {
            report.add(&place, &format!("there is a setting for this: sources.istiod.node.{setting}"));
            continue;
        }
        let text = match &entry.value.value {
            Value::String(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            _ => {
                report.add(&place, &format!("{} stands where text is expected", entry.value.value.kind()));
                continue;
            }
        };
        found.insert(entry.key.clone(), text);
    }
    found
}

fn server_name(text: &str) -> Result<String, String> {
    let name = Name::parse(text).map_err(|error| error.to_string())?;
    Ok(name.to_string().trim_end_matches('.').to_owned())
}

/// Pod names are subdomains (RFC 1123), and the id of a node has its own use for `~`.
fn pod(text: &str) -> Result<String, String> {
    Name::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address, such as 10.244.0.9"))
}

/// What also fits into a header of HTTP.
fn word(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not one word of visible ASCII characters"))
    }
}

//! `listen.grpcTls` and `listen.grpcPlaintext`: how gRPC is protected on the network.
//!
//! Rules: with TLS every TCP address of `listen.grpc` speaks it. Without it, addresses that other machines can reach are
//! refused unless the settings say that they are meant. Files are named here and read by the server, which can wait for them.

use std::path::PathBuf;

use super::field::Field;
use super::listen::GrpcAddress;
use super::overrides::Overrides;
use super::report::{Placed, Report};
use super::section::Section;
use crate::tls::TlsSettings;

/// Where gRPC may be asked without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Plaintext {
    /// On this machine.
    #[default]
    Local,
    /// From anywhere.
    Anywhere,
}

const PLAINTEXT: [(&str, Option<Plaintext>); 2] =
    [("local", Some(Plaintext::Local)), ("anywhere", Some(Plaintext::Anywhere))];
const PATH: &str = "the path of a file";
const CLIENT_NAME: &str = "a DNS name or a URI";

/// Reads `grpcTls` of the section `listen`.
pub(super) fn read(listen: &mut Section<'_>) -> Option<TlsSettings> {
    if !listen.has("grpcTls") {
        listen.section("grpcTls", |_| ());
        return None;
    }
    listen.section("grpcTls", |section| {
        let certificate = section.take("certificate").and_then(path);
        let key = section.take("key").and_then(path);
        let client_ca = section.take("clientCa").and_then(path);
        let names = section.take("clientNames");
        let place = names.as_ref().map(|field| field.place.clone());
        let names = names.and_then(|field| {
            field.distinct(CLIENT_NAME, |text| {
                text.parse().map_err(|error: crate::tls::BadClientName| error.to_string())
            })
        });
        for (given, key) in [(section.has("certificate"), "certificate"), (section.has("key"), "key")] {
            if !given {
                section.missing(key, "is missing: TLS needs a certificate and its key, both PEM files");
            }
        }
        if let Some(place) = place.filter(|_| !section.has("clientCa")) {
            section.problem(
                &place,
                "names of clients are in their certificates: clientCa must say who may have signed these",
            );
        }
        let client_names = names.unwrap_or_default();
        Some(TlsSettings { certificate: certificate?, key: key?, client_ca, client_names })
    })
}

/// Reads `grpcPlaintext` of the section `listen`.
pub(super) fn read_plaintext(listen: &mut Section<'_>) -> Option<Placed<Plaintext>> {
    let field = listen.take("grpcPlaintext")?;
    let place = field.place.clone();
    Some(Placed { value: field.choice(&PLAINTEXT)?, place })
}

/// Reports addresses that would be open to others without anybody having said so, and TLS without an address.
pub(super) fn check(
    report: &Report,
    overrides: &Overrides,
    written: Option<Placed<Plaintext>>,
    tls: Option<&TlsSettings>,
    grpc: Option<&[Placed<GrpcAddress>]>,
) {
    let word = |text: &str| {
        let known = PLAINTEXT.iter().find(|(word, _)| *word == text).and_then(|(_, value)| *value);
        known.ok_or_else(|| format!("`{text}` is unknown: local or anywhere is expected"))
    };
    let flag = report.flags("--grpc-plaintext", overrides.grpc_plaintext.as_slice(), word);
    let plaintext = flag.and_then(|mut given| given.pop()).or(written);
    if tls.is_some() {
        if let Some(Placed { value: Plaintext::Anywhere, place }) = &plaintext {
            report.add(
                place,
                "with grpcTls all TCP addresses speak TLS, and none plaintext: remove one of the two",
            );
        }
        let over_tcp = |placed: &Placed<GrpcAddress>| matches!(placed.value, GrpcAddress::Tcp(_));
        let without_tcp = grpc.is_some_and(|grpc| !grpc.iter().any(over_tcp));
        if without_tcp && !report.knows(&["listen.grpc", "--grpc-listen"]) {
            report.add_missing(
                "listen.grpcTls",
                "no address of listen.grpc is one of TCP, and Unix sockets speak no TLS",
            );
        }
        return;
    }
    let said = plaintext.is_some_and(|placed| placed.value == Plaintext::Anywhere);
    if said || report.knows(&["listen.grpcTls", "listen.grpcPlaintext", "--grpc-plaintext"]) {
        return;
    }
    for Placed { value, place } in grpc.unwrap_or_default() {
        if let GrpcAddress::Tcp(address) = value
            && !address.ip().to_canonical().is_loopback()
        {
            report.add(
                place,
                &format!(
                    "{address} can be reached from other machines, and gRPC would be in plaintext there: set \
                     listen.grpcTls, or listen.grpcPlaintext to anywhere"
                ),
            );
        }
    }
}

fn path(field: Field<'_>) -> Option<PathBuf> {
    field.parsed(
        PATH,
        |text| if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(text.into()) },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Problems, Settings};

    fn listen(text: &str) -> Result<Settings, Problems> {
        let text = format!("zones: [example.org]\nlisten: {text}\n");
        Settings::read("meshdns.yaml", &text, &Overrides::default())
    }

    #[test]
    fn files_and_names_are_taken_as_written() {
        let pair = "certificate: c.pem, key: k.pem";
        let read = |tls: &str| listen(&format!("{{grpcTls: {tls}}}")).unwrap().listen.grpc_tls.unwrap();
        let alone = read(&format!("{{{pair}}}"));
        assert_eq!((alone.client_ca, alone.client_names), (None, vec![]));
        let mutual = read(&format!("{{{pair}, clientCa: ca.pem, clientNames: [a.svc, 'spiffe://td/ns/*']}}"));
        assert_eq!((mutual.certificate, mutual.key), ("c.pem".into(), "k.pem".into()));
        assert_eq!(mutual.client_ca, Some("ca.pem".into()));
        let names: Vec<String> = mutual.client_names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a.svc", "spiffe://td/ns/*"]);
        assert_eq!(listen("{grpcTls: }").unwrap().listen.grpc_tls, None);
    }

    #[test]
    fn plaintext_stays_on_this_machine_unless_it_is_meant() {
        for text in [
            "{grpc: ['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', '[::ffff:127.0.0.1]:1', 'unix:///run/x']}",
            "{grpc: ['10.0.0.1:1', '[::]:1'], grpcPlaintext: anywhere}",
            "{grpc: ['10.0.0.1:1', '[::]:1'], grpcTls: {certificate: c, key: k}}",
            "{dns: ['0.0.0.0:53']}",
        ] {
            listen(text).unwrap();
        }
        for address in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1"] {
            let told = listen(&format!("{{grpc: ['127.0.0.1:1', '{address}']}}")).unwrap_err().to_string();
            let expected = format!(
                "meshdns.yaml:2: listen.grpc[1]: {address} can be reached from other machines, and gRPC would be in \
                 plaintext there: set listen.grpcTls, or listen.grpcPlaintext to anywhere"
            );
            assert_eq!(told, expected);
        }
        let flags = Overrides { grpc_listen: vec!["10.0.0.1:1".to_owned()], ..Overrides::default() };
        let told = Settings::read("", "zones: [a]", &flags).unwrap_err().to_string();
        assert!(told.starts_with("--grpc-listen: 10.0.0.1:1 can be reached"), "{told}");
        let flags = Overrides { grpc_plaintext: Some("anywhere".to_owned()), ..flags };
        Settings::read("", "zones: [a]", &flags).unwrap();
    }

    #[test]
    fn each_mistake_is_told() {
        for (text, expected) in [
            (
                "{grpcTls: {key: k}}",
                "meshdns.yaml: listen.grpcTls.certificate: is missing: TLS needs a certificate and its key",
            ),
            ("{grpcTls: {certificate: c}}", "meshdns.yaml: listen.grpcTls.key: is missing"),
            ("{grpcTls: {certificate: c, key: ''}}", "listen.grpcTls.key: the path is empty"),
            (
                "{grpcTls: {cert: c}}",
                "listen.grpcTls.cert: unknown setting; known here: certificate, key, clientCa, clientNames",
            ),
            (
                "{grpcTls: {certificate: c, key: k, clientNames: [a]}}",
                "2: listen.grpcTls.clientNames: names of clients are in their certificates",
            ),
            (
                "{grpcTls: {certificate: c, key: k, clientCa: a, clientNames: ['*.a']}}",
                "clientNames[0]: `*.a` is neither a DNS name, nor a URI",
            ),
            (
                "{grpcTls: {certificate: c, key: k, clientCa: a, clientNames: [a, a]}}",
                "clientNames[1]: `a` is given twice",
            ),
            (
                "{grpcTls: {certificate: c, key: k}, grpc: ['unix:///run/x']}",
                "listen.grpcTls: no address of listen.grpc is one of TCP",
            ),
            (
                "{grpcTls: {certificate: c, key: k}, grpcPlaintext: anywhere}",
                "2: listen.grpcPlaintext: with grpcTls all TCP addresses speak TLS",
            ),
            (
                "{grpcPlaintext: nowhere}",
                "listen.grpcPlaintext: `nowhere` is unknown: local or anywhere is expected",
            ),
            ("{inspect: remote}", "listen.inspect: `remote` is unknown: local or anywhere is expected"),
        ] {
            let told = listen(text).unwrap_err().to_string();
            assert!(told.contains(expected), "{text}: {told}");
        }
        let flags = Overrides { grpc_plaintext: Some("here".to_owned()), ..Overrides::default() };
        let told = Settings::read("", "zones: [a]", &flags).unwrap_err().to_string();
        assert_eq!(told, "--grpc-plaintext: `here` is unknown: local or anywhere is expected");
    }
}

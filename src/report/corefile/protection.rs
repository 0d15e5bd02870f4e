//! `grpc` that speaks TLS where we do not, or the other way round.
//!
//! Rules: all upstreams of one `grpc` are asked alike (CoreDNS `plugin/grpc/setup.go`), and all TCP addresses of ours are. Where nothing is
//! known of an upstream, it is taken for ours, as everywhere in this report.

use std::net::SocketAddr;

use super::Seen;
use super::finding::{ReportedFinding, ReportedNote, listed};
use crate::corefile::{Grpc, GrpcTls};
use crate::tls::TlsSettings;

/// Findings about TLS, and what a certificate of ours must have.
pub(super) fn check(seen: &Seen<'_>, findings: &mut Vec<ReportedFinding>, notes: &mut Vec<ReportedNote>) {
    for grpc in seen.corefiles.iter().flat_map(|corefile| &corefile.servers).filter_map(|s| s.grpc.as_ref()) {
        let (sockets, addresses): (Vec<&String>, _) =
            grpc.to.iter().partition(|to| to.starts_with("unix://"));
        if let (Some(tls), Some(socket)) = (&grpc.tls, sockets.first()) {
            findings.push(over_socket(grpc, tls, socket));
        }
        if !addresses.is_empty() {
            findings.extend(over_network(grpc, seen.settings.listen.grpc_tls.as_ref()));
            notes.extend(expected_name(grpc, &addresses));
        }
    }
}

fn over_socket(grpc: &Grpc, tls: &GrpcTls, socket: &str) -> ReportedFinding {
    let message =
        format!("`grpc` speaks TLS to {socket} too, and Unix sockets of meshdns do not: those queries fail");
    let change = "in a server block of its own, in place of the socket here".to_owned();
    ReportedFinding::new(&tls.place, message, change, vec![format!("grpc {} {socket}", grpc.from.written())])
}

fn over_network(grpc: &Grpc, ours: Option<&TlsSettings>) -> Option<ReportedFinding> {
    let files = |tls: &TlsSettings| match tls.client_ca {
        Some(_) => "tls CERT KEY CA",
        None => "tls CA",
    };
    match (&grpc.tls, ours) {
        (None, Some(ours)) => Some(ReportedFinding::new(
            &grpc.place,
            "`grpc` asks in plaintext, and meshdns speaks TLS (`listen.grpcTls`): every query fails".to_owned(),
            format!("into the block of `grpc` at line {}", grpc.place.line),
            vec![files(ours).to_owned(), "tls_servername NAME-IN-THE-CERTIFICATE".to_owned()],
        )),
        (Some(theirs), None) => Some(ReportedFinding::new(
            &theirs.place,
            "`grpc` speaks TLS, and meshdns does not (there is no `listen.grpcTls`): every query fails".to_owned(),
            "into `listen` of the settings of meshdns, if `tls` is to stay here".to_owned(),
            vec!["grpcTls: {certificate: CERT, key: KEY, clientCa: CA, clientNames: [NAME]}".to_owned()],
        )),
        (Some(theirs), Some(ours)) if ours.client_ca.is_some() && !theirs.has_certificate => {
            Some(ReportedFinding::new(
                &theirs.place,
                "`grpc` has no certificate to show, and meshdns requires one (`listen.grpcTls.clientCa`): every query fails"
                    .to_owned(),
                format!("in place of line {}", theirs.place.line),
                vec![files(ours).to_owned()],
            ))
        }
        _ => None,
    }
}

fn expected_name(grpc: &Grpc, addresses: &[&String]) -> Option<ReportedNote> {
    let tls = grpc.tls.as_ref().filter(|tls| tls.server_name.is_none())?;
    let host = |to: &&String| to.parse().map_or_else(|_| (*to).clone(), |at: SocketAddr| at.ip().to_string());
    let hosts: Vec<String> = addresses.iter().map(host).collect();
    let message = format!(
        "without `tls_servername` the certificate of meshdns must have the address {} in it",
        listed(&hosts)
    );
    Some(ReportedNote::new(&tls.place, message))
}

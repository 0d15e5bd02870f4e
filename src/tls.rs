//! TLS of the gRPC listener: files, what is in them, and whom they let in. The only home of rustls, but for the handshake
//! itself (`serve/tls.rs`).
//!
//! Rules: TLS 1.2 and 1.3, ALPN `h2` and nothing else (RFC 9113 §3.2). A server certificate, its key and the authorities
//! of clients are one [`Identity`]: they change together or not at all. Sessions are not resumed: who connects is
//! looked at each time, and CoreDNS connects rarely.

mod certificate;
mod client_name;
mod files;
mod identity;
mod refusal;
mod trust;
mod validity;

use std::path::PathBuf;

pub use certificate::Certificate;
pub use client_name::{BadClientName, ClientName};
pub use files::{FileProblem, TlsFiles, examined};
pub use identity::{Identity, Reception};
pub use refusal::Refusal;
pub use rustls::pki_types::CertificateDer;

/// The files of a listener, and whom it lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM: the server's certificate, then the intermediate ones.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// PEM: who may have signed the certificates of clients. None: clients need no certificate.
    pub client_ca: Option<PathBuf>,
    /// Names of which a client's certificate must have one; empty: any certificate of these authorities will do.
    pub client_names: Vec<ClientName>,
}

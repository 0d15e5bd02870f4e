//! Whether a client is let in, by its certificate.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};

use super::certificate::Certificate;
use super::client_name::ClientName;
use super::refusal::Refusal;
use crate::telemetry::metrics::Handshake;

/// The authorities of clients, and the names that they must have.
#[derive(Debug)]
pub(super) struct Trust {
    chains: Arc<dyn ClientCertVerifier>,
    names: Vec<ClientName>,
    /// The file of the authorities.
    ca: PathBuf,
}

impl Trust {
    pub(super) fn new(
        roots: RootCertStore,
        names: Vec<ClientName>,
        ca: &Path,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let chains = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let chains = chains.map_err(|error| error.to_string())?;
        Ok(Self { chains, names, ca: ca.to_owned() })
    }

    /// Whether this client is to be let in.
    pub(super) fn check(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), (Refusal, Error)> {
        let certificate = Certificate::read(leaf);
        if let Err(error) = self.chains.verify_client_cert(leaf, between, now) {
            let (now, ca) = (now.as_secs(), self.ca.display());
            return Err((Refusal::of_certificate(&error, certificate.as_ref(), now, ca), error));
        }
        let certificate = certificate.unwrap_or_default();
        if self.names.is_empty() || self.names.iter().any(|name| name.is_of(&certificate)) {
            return Ok(());
        }
        let detail =
            format!("none of the names in its certificate is in listen.grpcTls.clientNames: {certificate}");
        // Clients are told "access denied".
        let error = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        Err((Refusal::new(Handshake::Name, detail), error))
    }
}

/// Looks at one client, and remembers what was wrong with it.
#[derive(Debug)]
pub(super) struct Doorkeeper {
    pub(super) trust: Arc<Trust>,
    pub(super) found: Arc<OnceLock<Refusal>>,
}

impl ClientCertVerifier for Doorkeeper {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Given any, clients with a certificate of somebody else show none at all (RFC 8446 §4.2.4, and so does Go), and
        // nobody learns why they are refused.
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.trust.check(leaf, between, now) {
            Ok(()) => Ok(ClientCertVerified::assertion()),
            Err((refusal, error)) => {
                // It is asked once for each connection.
                let _ = self.found.set(refusal);
                Err(error)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.chains.supported_verify_schemes()
    }
}

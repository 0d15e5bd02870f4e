//! A certificate with its key and the authorities of clients, ready for use.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{Error, RootCertStore, ServerConfig};

use super::TlsSettings;
use super::certificate::Certificate;
use super::files::{Contents, FileProblem};
use super::refusal::Refusal;
use super::trust::{Doorkeeper, Trust};
use crate::model::Utc;

/// The only protocol that is spoken inside.
pub(super) const H2: &[u8] = b"h2";
/// A certificate that nobody renews is told about in the last tenth of its time, and in the last week at the earliest.
const WEEK: u64 = 7 * 86_400;
const LAST_TENTH: u64 = 10;

/// What a listener shows and whom it trusts.
#[derive(Debug)]
pub struct Identity {
    provider: Arc<CryptoProvider>,
    resolver: Arc<dyn ResolvesServerCert>,
    trust: Option<Arc<Trust>>,
    /// The server's certificate.
    pub certificate: Certificate,
    /// When the first certificate of its chain expires, in Unix seconds.
    pub expires: u64,
}

/// How one connection is received.
#[derive(Debug)]
pub struct Reception {
    /// For the handshake.
    pub config: Arc<ServerConfig>,
    found: Arc<OnceLock<Refusal>>,
}

impl Identity {
    /// Of these contents of the files, at this time.
    pub(super) fn new(settings: &TlsSettings, contents: &Contents, now: u64) -> Result<Self, FileProblem> {
        let provider = Arc::new(ring::default_provider());
        let bad = |message: String| FileProblem::new(&settings.certificate, message);
        let chain = certificates(contents.certificate()?).map_err(bad)?;
        let mut expires = u64::MAX;
        for (place, der) in chain.iter().enumerate() {
            let what =
                || if place == 0 { String::new() } else { format!("certificate {} in it ", place + 1) };
            let read = Certificate::read(der).ok_or_else(|| bad(format!("{}cannot be read", what())))?;
            if let Some(when) = read.untimely(now) {
                return Err(bad(format!("{}{when}", what())));
            }
            expires = expires.min(read.not_after);
        }
        let certificate = chain.first().and_then(Certificate::read).unwrap_or_default();
        let bad_key = |message: String| FileProblem::new(&settings.key, message);
        let key = PrivateKeyDer::from_pem_slice(contents.key()?);
        let key = key.map_err(|_| bad_key("has no private key in PEM in it".to_owned()))?;
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|error| bad_key(format!("cannot be used: {error}")))?;
        let pair = CertifiedKey::new(chain, key);
        if pair.keys_match().is_err() {
            let certificate = settings.certificate.display();
            return Err(bad_key(format!("is not the key of the certificate in {certificate}")));
        }
        let trust = match (&settings.client_ca, contents.client_ca()?) {
            (Some(path), Some(octets)) => {
                let bad = |message: String| FileProblem::new(path, message);
                let roots = roots(octets).map_err(bad)?;
                let trust = Trust::new(roots, settings.client_names.clone(), path, Arc::clone(&provider));
                Some(Arc::new(trust.map_err(bad)?))
            }
            _ => None,
        };
        let resolver = Arc::new(SingleCertAndKey::from(pair));
        Ok(Self { provider, resolver, trust, certificate, expires })
    }

    /// What is worth mending though it can be used.
    pub fn warnings(&self, now: u64) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.certificate.has_names {
            warnings
                .push("has no subject alternative name: CoreDNS accepts no certificate without".to_owned());
        }
        let lifetime = self.expires.saturating_sub(self.certificate.not_before);
        if self.expires.saturating_sub(now) < WEEK.min(lifetime / LAST_TENTH) {
            warnings.push(format!("expires at {}, and nobody has renewed it", Utc(self.expires)));
        }
        warnings
    }

    /// For one connection: what is found out about its client stays with it.
    pub fn receive(&self) -> Result<Reception, Error> {
        let found = Arc::new(OnceLock::new());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12])?;
        let builder = match &self.trust {
            Some(trust) => builder.with_client_cert_verifier(Arc::new(Doorkeeper {
                trust: Arc::clone(trust),
                found: Arc::clone(&found),
            })),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&self.resolver));
        config.alpn_protocols = vec![H2.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Reception { config: Arc::new(config), found })
    }

    /// Whether a client that was let in with these certificates would be let in now.
    pub fn still_trusts(&self, chain: &[CertificateDer<'_>]) -> Result<(), Refusal> {
        match (&self.trust, chain.split_first()) {
            (Some(trust), Some((leaf, between))) => {
                trust.check(leaf, between, UnixTime::now()).map_err(|(refusal, _)| refusal)
            }
            _ => Ok(()),
        }
    }
}

impl Reception {
    /// What was wrong when the handshake failed.
    pub fn refusal(&self, error: &io::Error) -> Refusal {
        self.found.get().cloned().unwrap_or_else(|| Refusal::of_handshake(error))
    }

    /// Whether a protocol that was agreed on is the one that is spoken here. Clients that agree on none do not speak it
    /// (RFC 9113 §3.2).
    pub fn is_h2(protocol: Option<&[u8]>) -> bool {
        protocol == Some(H2)
    }
}

/// All certificates of a PEM file.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err("has no certificate in PEM in it".to_owned()),
        Err(error) => Err(format!("is no PEM file: {error}")),
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (place, der) in certificates(pem)?.into_iter().enumerate() {
        roots.add(der).map_err(|error| format!("certificate {} in it cannot be used: {error}", place + 1))?;
    }
    Ok(roots)
}

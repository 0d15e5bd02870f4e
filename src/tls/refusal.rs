//! Why a client was not let in, for the log and for metrics.

use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use super::certificate::Certificate;
use crate::telemetry::metrics::Handshake;

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it counts as.
    pub outcome: Handshake,
    /// The same in words, with names.
    pub detail: String,
}

impl Refusal {
    /// In these words.
    pub fn new(outcome: Handshake, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into() }
    }

    /// Of a certificate that does not lead to the authorities in `ca`.
    pub(super) fn of_certificate(
        error: &Error,
        certificate: Option<&Certificate>,
        now: u64,
        ca: impl fmt::Display,
    ) -> Self {
        let Some(certificate) = certificate else {
            return Self::new(Handshake::BadCertificate, "its certificate cannot be read");
        };
        let Error::InvalidCertificate(invalid) = error else {
            return Self::new(Handshake::BadCertificate, format!("its certificate ({certificate}): {error}"));
        };
        match invalid {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                let what = match certificate.untimely(now) {
                    Some(when) => format!("its certificate ({certificate}) {when}"),
                    None => {
                        format!("a certificate between its own ({certificate}) and {ca} is not valid now")
                    }
                };
                Self::new(Handshake::Expired, what)
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::new(
                Handshake::UnknownIssuer,
                format!("its certificate ({certificate}) was signed by nobody in {ca}"),
            ),
            other => {
                Self::new(Handshake::BadCertificate, format!("its certificate ({certificate}): {other:?}"))
            }
        }
    }

    /// Of a handshake that failed by itself.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
            return Self::new(Handshake::Broken, format!("the connection broke off: {error}"));
        };
        match error {
            Error::NoCertificatesPresented => {
                Self::new(Handshake::NoCertificate, "it has no certificate, and one is required")
            }
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::new(
                Handshake::NotTls,
                "it does not speak TLS: is `tls` missing in the `grpc` block of its Corefile?",
            ),
            Error::NoApplicationProtocol => Self::no_h2(),
            Error::AlertReceived(alert) => {
                let why = match alert {
                    AlertDescription::UnknownCA => "it does not know who signed our certificate",
                    AlertDescription::CertificateExpired => "our certificate has expired for it",
                    AlertDescription::BadCertificate => {
                        "our certificate does not suit it: is it of an authority that the client knows, and for the name or \
                         address that it asks for?"
                    }
                    _ => "it broke off",
                };
                Self::new(Handshake::Refused, format!("{why} (alert {alert:?})"))
            }
            other => Self::new(Handshake::Broken, other.to_string()),
        }
    }

    /// Of a client that wants something else than HTTP/2.
    pub fn no_h2() -> Self {
        Self::new(Handshake::NoH2, "it does not offer HTTP/2 (ALPN h2), which gRPC needs")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

//! How handshakes of the gRPC listener end, and how its certificate fares.
//!
//! Rules: nothing is shown when no TLS is spoken, and no expiry before there is a certificate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};

use super::Label;

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handshake {
    /// The client was let in.
    Accepted,
    /// It has no certificate.
    NoCertificate,
    /// Its certificate is not valid now.
    Expired,
    /// Nobody that we trust signed its certificate.
    UnknownIssuer,
    /// None of its names is on the list.
    Name,
    /// Something else is wrong with its certificate.
    BadCertificate,
    /// It does not speak TLS.
    NotTls,
    /// It does not speak HTTP/2.
    NoH2,
    /// It does not like ours.
    Refused,
    /// It took too long.
    TimedOut,
    /// Too many handshakes were under way.
    TooMany,
    /// We have no certificate that can be used.
    NotReady,
    /// The connection broke off, or the peer broke the protocol.
    Broken,
}

const HANDSHAKES: [(Handshake, &str); 13] = [
    (Handshake::Accepted, "accepted"),
    (Handshake::NoCertificate, "no_certificate"),
    (Handshake::Expired, "expired"),
    (Handshake::UnknownIssuer, "unknown_issuer"),
    (Handshake::Name, "name"),
    (Handshake::BadCertificate, "bad_certificate"),
    (Handshake::NotTls, "not_tls"),
    (Handshake::NoH2, "no_h2"),
    (Handshake::Refused, "refused_by_client"),
    (Handshake::TimedOut, "timed_out"),
    (Handshake::TooMany, "too_many"),
    (Handshake::NotReady, "not_ready"),
    (Handshake::Broken, "broken"),
];

impl Handshake {
    /// How many ways there are.
    pub const COUNT: usize = HANDSHAKES.len();

    /// The label's value.
    pub fn as_str(self) -> &'static str {
        HANDSHAKES[self as usize].1
    }
}

/// The figures; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct TlsMetrics(Arc<Figures>);

#[derive(Debug, Default)]
struct Figures {
    spoken: AtomicBool,
    handshakes: [AtomicU64; Handshake::COUNT],
    under_way: Gauge,
    /// 0: there is no certificate yet.
    expires: AtomicU64,
    applied: AtomicU64,
    refused: AtomicU64,
    is_refused: AtomicBool,
}

impl TlsMetrics {
    /// TLS is spoken from now on.
    pub fn begin(&self) {
        self.0.spoken.store(true, Relaxed);
    }

    /// Counts a handshake.
    pub fn ended(&self, outcome: Handshake) {
        self.0.handshakes[outcome as usize].fetch_add(1, Relaxed);
    }

    /// The gauge of handshakes that have not ended.
    pub fn under_way(&self) -> Gauge {
        self.0.under_way.clone()
    }

    /// A certificate is in force that expires then (Unix seconds).
    pub fn applied(&self, expires: u64) {
        self.0.expires.store(expires, Relaxed);
        self.0.applied.fetch_add(1, Relaxed);
        self.0.is_refused.store(false, Relaxed);
    }

    /// The files cannot be used.
    pub fn refused(&self) {
        self.0.refused.fetch_add(1, Relaxed);
        self.0.is_refused.store(true, Relaxed);
    }
}

impl Collector for TlsMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let figures = &self.0;
        if !figures.spoken.load(Relaxed) {
            return Ok(());
        }
        let help = "TLS handshakes of the gRPC listener, by how they ended";
        let mut ended =
            encoder.encode_descriptor("meshdns_tls_handshakes", help, None, MetricType::Counter)?;
        for (outcome, value) in HANDSHAKES {
            let total = figures.handshakes[outcome as usize].load(Relaxed);
            let label = Label { name: "outcome", value };
            ended.encode_family(&label)?.encode_counter::<NoLabelSet, u64, u64>(&total, None)?;
        }
        let help = "Certificate files read anew after a change, by outcome";
        let mut reloads =
            encoder.encode_descriptor("meshdns_tls_reloads", help, None, MetricType::Counter)?;
        for (value, count) in [("applied", &figures.applied), ("refused", &figures.refused)] {
            let label = Label { name: "outcome", value };
            let total = count.load(Relaxed);
            reloads.encode_family(&label)?.encode_counter::<NoLabelSet, u64, u64>(&total, None)?;
        }
        let mut gauge = |name, help, value: i64| {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(encoder)
        };
        gauge(
            "meshdns_tls_handshakes_under_way",
            "TLS handshakes that have not ended",
            figures.under_way.get(),
        )?;
        let help = "Whether the certificate files cannot be used, so that older ones are in force, or none";
        gauge("meshdns_tls_files_refused", help, i64::from(figures.is_refused.load(Relaxed)))?;
        let expires = figures.expires.load(Relaxed);
        if expires > 0 {
            let help = "When the certificate of the gRPC listener expires, in Unix seconds";
            let value = i64::try_from(expires).unwrap_or(i64::MAX);
            gauge("meshdns_tls_certificate_expiry_timestamp_seconds", help, value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn every_outcome_has_its_name() {
        for (place, (outcome, _)) in HANDSHAKES.iter().enumerate() {
            assert_eq!(*outcome as usize, place);
        }
    }

    #[test]
    fn nothing_is_shown_without_tls_and_no_expiry_without_a_certificate() {
        let metrics = Metrics::new();
        assert!(!metrics.text().contains("meshdns_tls"));
        metrics.tls().begin();
        metrics.tls().refused();
        let text = metrics.text();
        assert!(text.contains("\nmeshdns_tls_files_refused 1\n") && !text.contains("expiry"), "{text}");
        metrics.tls().applied(1_000_000_000);
        let text = metrics.text();
        for line in [
            "files_refused 0",
            "certificate_expiry_timestamp_seconds 1000000000",
            "handshakes_total{outcome=\"unknown_issuer\"} 0",
            "reloads_total{outcome=\"applied\"} 1",
        ] {
            assert!(text.contains(&format!("\nmeshdns_tls_{line}\n")), "{line}\n{text}");
        }
    }
}

//! Certificates and who signs them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};

/// Longer than any test.
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub(crate) pem: String,
}

/// A certificate and its key, both PEM.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for servers and clients with this name, a DNS name or a URI; valid for a year.
    pub(crate) fn pair(&self, name: &str) -> Pair {
        self.pair_until(name, SystemTime::now() + YEAR)
    }

    /// One that was good in its time.
    pub(crate) fn expired_pair(&self, name: &str) -> Pair {
        self.pair_until(name, UNIX_EPOCH + 51 * YEAR)
    }

    /// One that expires then.
    pub(crate) fn pair_until(&self, name: &str, until: SystemTime) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = match name {
            "" => Vec::new(),
            uri if uri.contains("://") => vec![SanType::URI(uri.try_into().unwrap())],
            name => vec![SanType::DnsName(name.try_into().unwrap())],
        };
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(1970, 1, 1) + until.duration_since(UNIX_EPOCH).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

//! Certificates of a control plane, and the key of its service accounts.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// What a control plane proves itself with. The files have the names that [`Pki::write`] gives them.
pub(crate) struct Pki {
    /// The certificate of the authority that signed the server's.
    authority: String,
    /// The same in binary.
    pub(super) authority_der: Vec<u8>,
    /// The certificate of the server, for 127.0.0.1 and localhost.
    certificate: String,
    /// Its key.
    key: String,
    service_accounts: KeyPair,
}

impl Pki {
    pub(super) fn new() -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "kubernetes");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().unwrap();
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"];
        let params = CertificateParams::new(names.map(str::to_owned)).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self {
            authority: authority.pem(),
            authority_der: authority.der().to_vec(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            service_accounts: KeyPair::generate().unwrap(),
        }
    }

    pub(super) fn write(&self, directory: &Path) {
        let files = [
            ("ca.crt", self.authority.as_str()),
            ("server.crt", &self.certificate),
            ("server.key", &self.key),
            ("accounts.key", &self.service_accounts.serialize_pem()),
            ("accounts.pub", &self.service_accounts.public_key_pem()),
        ];
        for (name, content) in files {
            std::fs::write(directory.join(name), content).unwrap();
        }
    }
}

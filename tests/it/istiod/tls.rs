//! Who istiod is, and who we are: certificates and tokens.

use std::net::SocketAddr;
use std::path::PathBuf;

use meshdns::source::istiod::{IstiodError, IstiodSettings, Limits, Subscriptions, Tls, fetch};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tonic::transport::Identity;

use super::peer::Peer;
use super::source::{Running, file, settings, within, write};

const NAME: &str = "istiod.istio-system.svc";

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a name, good until the end of a year.
    fn identity(&self, name: &str, year: i32) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity::from_pem(certificate.pem(), key.serialize_pem())
    }
}

async fn serve(identity: Identity) -> Peer {
    Peer::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), Some(identity)).await
}

fn over_tls(address: SocketAddr, ca: PathBuf) -> IstiodSettings {
    IstiodSettings { tls: Some(Tls { ca, server_name: NAME.to_owned() }), ..settings(address) }
}

/// Why nothing can be fetched.
async fn refusal(settings: &IstiodSettings) -> IstiodError {
    within(fetch(settings, Subscriptions::NameTable, std::time::Duration::from_secs(60))).await.unwrap_err()
}

#[tokio::test]
async fn the_certificate_that_is_expected_is_accepted_and_the_token_sent() {
    let (authority, directory) = (Authority::new("ours"), TempDir::new().unwrap());
    let mut peer = serve(authority.identity(NAME, 2999)).await;
    let mut settings = over_tls(peer.address, file(&directory, "ca.pem", &authority.pem));
    settings.token = Some(file(&directory, "token", "first\n"));
    let mut source = Running::start(settings);
    let mut stream = peer.stream().await;
    assert_eq!(stream.metadata.get("authorization").unwrap(), "Bearer first");
    assert_eq!(stream.metadata.get("clusterid").unwrap(), "Kubernetes");
    stream.request().await;
    stream.accepted_table("1", &[("a.internal", "10.0.0.1")]).await;
    assert_eq!(source.update().await, ["= a.internal 10.0.0.1"]);
}

#[tokio::test]
async fn other_certificates_are_refused_with_the_reason() {
    let (authority, other, directory) =
        (Authority::new("ours"), Authority::new("theirs"), TempDir::new().unwrap());
    let ca = file(&directory, "ca.pem", &authority.pem);
    for (identity, cause) in [
        (other.identity(NAME, 2999), "UnknownIssuer"),
        (authority.identity("istiod.elsewhere.svc", 2999), "not valid for name \"istiod.istio-system.svc\""),
        (authority.identity(NAME, 2021), "expired"),
    ] {
        let peer = serve(identity).await;
        let error = refusal(&over_tls(peer.address, ca.clone())).await;
        let told = error.to_string();
        assert!(matches!(error, IstiodError::Tls { .. }), "{told}");
        assert!(told.starts_with(&format!("istiod at {}: TLS failed: ", peer.address)), "{told}");
        assert!(told.contains(cause), "{told}");
    }
}

#[tokio::test]
async fn tls_and_plaintext_do_not_meet() {
    let (authority, directory) = (Authority::new("ours"), TempDir::new().unwrap());
    let plain = Peer::start().await;
    let told =
        refusal(&over_tls(plain.address, file(&directory, "ca.pem", &authority.pem))).await.to_string();
    assert!(told.contains("TLS failed: ") && told.contains("does not speak TLS on this port"), "{told}");
    let secure = serve(authority.identity(NAME, 2999)).await;
    let told = refusal(&settings(secure.address)).await.to_string();
    assert!(told.contains("broke off"), "{told}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let (authority, directory) = (Authority::new("ours"), TempDir::new().unwrap());
    let peer = serve(authority.identity(NAME, 2999)).await;
    let missing = directory.path().join("missing");
    let broken = "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n";
    for (ca, cause) in [
        (missing.clone(), "cannot be read: "),
        (file(&directory, "empty", ""), "has no certificate in PEM in it"),
        (file(&directory, "broken", broken), "cannot be used: "),
    ] {
        let told = refusal(&over_tls(peer.address, ca.clone())).await.to_string();
        let expected = format!("istiod at {}: the CA file {} {cause}", peer.address, ca.display());
        assert!(told.starts_with(&expected), "{told}");
    }
    for (token, cause) in
        [(missing, "cannot be read: "), (file(&directory, "blank", " \n"), "has no token in it")]
    {
        let ca = file(&directory, "ca.pem", &authority.pem);
        let settings = IstiodSettings { token: Some(token.clone()), ..over_tls(peer.address, ca) };
        let told = refusal(&settings).await.to_string();
        let expected = format!("istiod at {}: the token file {} {cause}", peer.address, token.display());
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[tokio::test]
async fn a_new_token_is_taken_up() {
    let (authority, directory) = (Authority::new("ours"), TempDir::new().unwrap());
    let mut peer = serve(authority.identity(NAME, 2999)).await;
    *peer.accepts.lock().unwrap() = Some("Bearer second".to_owned());
    let token = file(&directory, "token", "first");
    let mut settings = over_tls(peer.address, file(&directory, "ca.pem", &authority.pem));
    settings.token = Some(token.clone());
    let mut source = Running::start(settings);
    let cause = source.failure().await;
    assert!(cause.contains("refuses us: ") && cause.contains("authentication failure"), "{cause}");
    write(&token, "second");
    let mut stream = peer.stream().await;
    stream.request().await;
    stream.accepted_table("1", &[("a.internal", "10.0.0.1")]).await;
    source.update().await;
    // While a stream stands, a token may expire.
    *peer.accepts.lock().unwrap() = Some("Bearer third".to_owned());
    write(&token, "third");
    stream.accepted_table("2", &[]).await;
    stream.fail(tonic::Status::unauthenticated("expired")).await;
    assert_eq!(peer.stream().await.metadata.get("authorization").unwrap(), "Bearer third");
}

#[tokio::test]
async fn a_refused_token_that_was_replaced_is_no_reason_to_wait() {
    let (authority, directory) = (Authority::new("ours"), TempDir::new().unwrap());
    let mut peer = serve(authority.identity(NAME, 2999)).await;
    let token = file(&directory, "token", "first");
    let mut settings = over_tls(peer.address, file(&directory, "ca.pem", &authority.pem));
    settings.token = Some(token.clone());
    // Longer than any test waits.
    let hour = std::time::Duration::from_secs(3600);
    settings.limits = Limits { first_pause: 1000 * hour, longest_pause: 1000 * hour, ..settings.limits };
    let _source = Running::start(settings);
    let stream = peer.stream().await;
    write(&token, "second");
    stream.fail(tonic::Status::unauthenticated("expired")).await;
    assert_eq!(peer.stream().await.metadata.get("authorization").unwrap(), "Bearer second");
}

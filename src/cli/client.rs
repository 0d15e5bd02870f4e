//! Asks a running server over its admin listener, with plain HTTP.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

/// How long an answer may take: the list of a large catalog takes the longest.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server has at `path` for these parameters. `server` is its base URL, such as `http://127.0.0.1:8081`.
pub(super) fn get<T: DeserializeOwned>(server: &str, path: &str, parameters: &[(&str, &str)]) -> Result<T> {
    let query: Vec<String> =
        parameters.iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    let uri = format!("{}{path}?{}", server.trim_end_matches('/'), query.join("&"));
    let uri: Uri = uri.parse().with_context(|| format!("--server: `{server}` is not a URL"))?;
    ensure!(uri.scheme_str() == Some("http"), "--server: `{server}` does not begin with http://");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let body = runtime
        .block_on(async { tokio::time::timeout(PATIENCE, fetch(&uri)).await })
        .with_context(|| format!("{server}: no answer within {} s", PATIENCE.as_secs()))?
        .with_context(|| server.to_owned())?;
    serde_json::from_slice(&body).with_context(|| format!("{server}: the answer is not that of a meshdns"))
}

async fn fetch(uri: &Uri) -> Result<Bytes> {
    let host = uri.host().context("the URL names no host")?;
    let port = uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
    let stream = stream.context("cannot be asked; is its admin listener there?")?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    let request = Request::get(target).header(header::HOST, authority).body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    driver.abort();
    if !status.is_success() {
        bail!("refuses with {status}: {}", String::from_utf8_lossy(&body).trim());
    }
    Ok(body)
}

/// A value in a query (RFC 3986 §2.1).
fn encoded(value: &str) -> String {
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~".contains(octet);
    value
        .bytes()
        .map(|octet| if plain(&octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded() {
        assert_eq!(encoded("web.shop_1"), "web.shop_1");
        assert_eq!(encoded("Service/a&b=ü"), "Service%2Fa%26b%3D%C3%BC");
    }
}

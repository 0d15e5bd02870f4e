//! Addresses that are given and remembered, by real processes that are killed.

mod crash;
mod failures;
mod serving;
mod shared;
mod tables;

use std::path::{Path, PathBuf};

use crate::support::dig::{data, dig};
use crate::support::process::{Meshdns, written};

/// A ServiceEntry that takes automatic addresses.
fn entry(name: &str, host: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  \
         hosts: [{host}]\n  resolution: STATIC\n  ports: [{{name: tcp, number: 80, protocol: TCP}}]\n  endpoints: \
         [{{address: 10.0.0.1}}]\n"
    )
}

/// A directory with manifests, and one for the ledger beside it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let place = Self(written("README", "").parent().unwrap().to_owned());
        std::fs::create_dir(place.manifests()).unwrap();
        place
    }

    fn manifests(&self) -> PathBuf {
        self.0.join("manifests")
    }

    fn ledger(&self) -> PathBuf {
        self.0.join("ledger.redb")
    }

    /// Writes entries `n0`, `n1` and so on, one file each, for `n0.example`, `n1.example` and so on.
    fn declare(&self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            let text = entry(&format!("n{number}"), &format!("n{number}.example"));
            put(&self.manifests().join(format!("{number}.yaml")), &text);
        }
    }

    fn settings(&self, more: &str) -> String {
        let (manifests, ledger) = (self.manifests(), self.ledger());
        format!(
            "zones: [cluster.local]\nsources:\n  manifests: [{}]\nserviceEntries:\n  ledger: {{file: {}}}\n  {more}\n",
            manifests.display(),
            ledger.display()
        )
    }
}

/// Writes a file so that nobody sees half of it.
fn put(path: &Path, text: &str) {
    let part = path.with_extension("part");
    std::fs::write(&part, text).unwrap();
    std::fs::rename(part, path).unwrap();
}

/// The IPv4 and IPv6 addresses of a host.
fn addresses(server: &Meshdns, host: &str) -> Vec<String> {
    let ask = |kind| data(&dig(server.dns, [host, kind]).answer).join(" ");
    [ask("A"), ask("AAAA")].into_iter().filter(|answer| !answer.is_empty()).collect()
}

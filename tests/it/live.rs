//! Manifests that change under a running server.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::dig::{self, dig};
use crate::support::process::{Meshdns, written};

fn service(address: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec:\n  clusterIP: {address}\n  \
         ports: [{{name: http, port: 80}}]\n"
    )
}

fn start(directory: &Path) -> Meshdns {
    Meshdns::start(&format!("zones: [cluster.local]\nsources:\n  manifests: [{}]\n", directory.display()))
}

/// The addresses that `web.shop` has now.
fn addresses(server: &Meshdns) -> Vec<String> {
    let reply: dig::Reply = dig(server.dns, ["web.shop.svc.cluster.local", "A"]);
    reply.answer.into_iter().map(|record| record.data).collect()
}

/// Waits until the answer is this one; says what it was instead, if that does not come.
fn becomes(server: &Meshdns, expected: &[&str]) {
    let start = Instant::now();
    let mut last = addresses(server);
    while last != expected {
        assert!(start.elapsed() < Duration::from_secs(20), "{last:?} instead of {expected:?}");
        last = addresses(server);
    }
}

fn directory() -> PathBuf {
    written("web.yaml", &service("10.96.0.20")).parent().unwrap().to_owned()
}

#[test]
fn an_edit_is_answered_and_a_broken_one_changes_nothing() {
    let directory = directory();
    let server = start(&directory);
    becomes(&server, &["10.96.0.20"]);
    std::fs::write(directory.join("web.yaml"), service("10.96.0.21")).unwrap();
    becomes(&server, &["10.96.0.21"]);
    std::fs::write(directory.join("web.yaml"), "apiVersion: v1\nkind: Service\nmetadata: {name: [").unwrap();
    std::fs::write(directory.join("more.yaml"), service("10.96.0.9").replace("web", "more")).unwrap();
    // Once the new file is answered, the broken one has been read as well.
    let start = Instant::now();
    while dig(server.dns, ["more.shop.svc.cluster.local", "A"]).answer.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "the new file is not taken up");
    }
    assert_eq!(addresses(&server), ["10.96.0.21"]);
    std::fs::remove_file(directory.join("web.yaml")).unwrap();
    becomes(&server, &[]);
}

#[test]
fn the_symlink_swap_of_a_mounted_configmap_is_answered() {
    let directory = directory();
    std::fs::remove_file(directory.join("web.yaml")).unwrap();
    let put = |version: &str, address: &str| {
        std::fs::create_dir(directory.join(version)).unwrap();
        std::fs::write(directory.join(version).join("web.yaml"), service(address)).unwrap();
        std::os::unix::fs::symlink(version, directory.join("..data_tmp")).unwrap();
        std::fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
    };
    put("..2026_01", "10.96.0.20");
    std::os::unix::fs::symlink("..data/web.yaml", directory.join("web.yaml")).unwrap();
    let server = start(&directory);
    becomes(&server, &["10.96.0.20"]);
    put("..2026_02", "10.96.0.22");
    std::fs::remove_dir_all(directory.join("..2026_01")).unwrap();
    becomes(&server, &["10.96.0.22"]);
}

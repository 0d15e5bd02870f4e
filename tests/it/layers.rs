//! The layout holds: pure modules do no I/O, dependencies point inward, each framework has one home, files are short.

use std::path::{Path, PathBuf};

/// The pure core, from the left: each may use those before it and itself.
const CORE: [&str; 8] = ["model", "corefile", "inventory", "allocate", "catalog", "answer", "wire", "keeper"];

/// Words that a pure module does not have. What they stand for comes in as an argument.
const IMPURE: [&str; 14] = [
    "tokio::",
    "kube::",
    "tonic::",
    "axum::",
    "tracing::",
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "std::thread",
    "std::process",
    "Instant::now",
    "SystemTime",
    "rand::",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file of a module: `foo.rs` and all below `foo/`, tests left out.
fn files(module: &str) -> Vec<(PathBuf, String)> {
    let mut found = vec![source().join(format!("{module}.rs"))];
    let mut folders = vec![source().join(module)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                found.push(path);
            }
        }
    }
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect()
}

/// Code without its unit tests and without what only the server has.
fn pure_part(text: &str) -> &str {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    let end = text[..end].find("#[cfg(feature = \"server\")]").unwrap_or(end);
    &text[..end]
}

#[test]
fn pure_modules_do_no_io() {
    for module in CORE {
        for (path, text) in files(module) {
            for word in IMPURE {
                assert!(!pure_part(&text).contains(word), "{} names {word}", path.display());
            }
        }
    }
}

#[test]
fn dependencies_point_inward() {
    let outside = [
        "apiserver",
        "random",
        "source",
        "store",
        "serve",
        "config",
        "run",
        "cli",
        "telemetry",
        "tls",
        "yaml",
    ];
    for (place, module) in CORE.iter().enumerate() {
        for (path, text) in files(module) {
            for other in CORE[place + 1..].iter().chain(&outside) {
                let word = format!("crate::{other}");
                assert!(!pure_part(&text).contains(&word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn each_framework_has_one_home() {
    let homes: [(&str, &[&str]); 10] = [
        ("opentelemetry", &["telemetry"]),
        ("hickory_proto::", &["wire"]),
        ("tonic::", &["serve", "run", "source"]),
        ("granit_parser::", &["yaml"]),
        ("redb::", &["store"]),
        (" rustls::", &["tls"]),
        ("webpki::", &["tls"]),
        ("tokio_rustls::", &["serve"]),
        ("kube::", &["apiserver", "source", "store"]),
        ("k8s_openapi::", &["apiserver", "source", "store"]),
    ];
    let modules: Vec<String> = std::fs::read_dir(source())
        .unwrap()
        .filter_map(|entry| entry.unwrap().path().file_stem()?.to_str().map(str::to_owned))
        .filter(|module| !matches!(module.as_str(), "lib" | "main"))
        .collect();
    for (word, allowed) in homes {
        for module in modules.iter().filter(|module| !allowed.contains(&module.as_str())) {
            for (path, text) in files(module).iter().filter(|(path, _)| path.exists()) {
                assert!(!pure_part(text).contains(word), "{} names {word}", path.display());
            }
        }
    }
}

#[test]
fn files_are_short() {
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.file_name().is_some_and(|name| name == "tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text[..text.find("#[cfg(test)]").unwrap_or(text.len())].lines().count();
            assert!(lines <= 500, "{} has {lines} lines: a second noun is hiding in it", path.display());
        }
    }
}

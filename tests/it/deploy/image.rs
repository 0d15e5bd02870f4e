//! The root file system of the image, as `scripts/rootfs` lays it out: nothing but meshdns, which needs nothing else to run.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::dig::{data, dig};
use crate::support::process::{Meshdns, Ports, written};

const OBJECTS: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}}
";

/// It is made once, or `MESHDNS_ROOTFS` says where it is.
fn rootfs() -> &'static Path {
    static ROOTFS: OnceLock<PathBuf> = OnceLock::new();
    ROOTFS.get_or_init(|| match std::env::var_os("MESHDNS_ROOTFS") {
        Some(path) => path.into(),
        None => rootfs_for(own_architecture()),
    })
}

fn rootfs_for(architecture: &str) -> PathBuf {
    let path = written("beside", "").with_file_name("rootfs");
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/rootfs"));
    // Any commit, so that the next one does not mean to build anew.
    script.env("MESHDNS_COMMIT", "test").arg(&path).args([architecture, "dev"]);
    let status = script.status().unwrap();
    assert!(status.success(), "{script:?} failed");
    path
}

fn own_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Every path in a directory, with what it is.
fn contents(directory: &Path, below: &Path, all: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        all.insert(format!(
            "{} {:o}",
            path.strip_prefix(below).unwrap().display(),
            metadata.permissions().mode()
        ));
        if metadata.is_dir() {
            contents(&path, below, all);
        }
    }
}

#[test]
fn there_is_nothing_but_meshdns() {
    let mut all = BTreeSet::new();
    contents(rootfs(), rootfs(), &mut all);
    let expected = [
        "etc 40755",
        "etc/group 100644",
        "etc/meshdns 40755",
        "etc/passwd 100644",
        "meshdns 100755",
        "run 40755",
        "run/meshdns 40755",
        "var 40755",
        "var/lib 40755",
        "var/lib/meshdns 40755",
    ];
    assert_eq!(all, expected.map(str::to_owned).into());
    for directory in ["run/meshdns", "var/lib/meshdns"] {
        let owner = rootfs().join(directory).metadata().unwrap().uid();
        // Only root can give directories to others.
        let made_by = rootfs().metadata().unwrap().uid();
        assert_eq!(owner, if made_by == 0 { 65532 } else { made_by }, "{directory}");
    }
}

#[test]
fn the_executable_needs_no_library() {
    needs_no_library(rootfs());
}

fn needs_no_library(rootfs: &Path) {
    let mut readelf = Command::new("readelf");
    readelf.args(["--program-headers", "--dynamic", "--wide"]).arg(rootfs.join("meshdns"));
    let printed = String::from_utf8(readelf.output().unwrap().stdout).unwrap();
    assert!(printed.contains("LOAD"), "{printed}");
    assert!(!printed.contains("INTERP") && !printed.contains("(NEEDED)"), "{printed}");
}

#[test]
fn it_answers_where_there_is_nothing_else() {
    answers(rootfs(), None);
}

/// What cannot run here by itself does so by an emulator, which is all that is put beside it.
#[test]
#[ignore = "builds everything for arm64, which takes minutes, and needs qemu-user-static"]
fn the_executable_for_arm64_answers_too() {
    let rootfs = rootfs_for("arm64");
    needs_no_library(&rootfs);
    answers(&rootfs, Some(Path::new("/usr/bin/qemu-aarch64-static")));
}

/// meshdns of a root file system answers with that as its root.
fn answers(rootfs: &Path, emulator: Option<&Path>) {
    let ports = Ports::free();
    let settings = format!(
        "zones: [cluster.local]\nsources: {{manifests: [/etc/meshdns/objects.yaml]}}\n\
         listen: {{grpc: [\"{}\", \"unix:///run/meshdns/dns.sock\"], dns: [\"{}\"], admin: \"{}\"}}\n",
        ports.grpc, ports.dns, ports.admin
    );
    // A copy with files of this test in it, as a pod would mount them.
    let root = written("meshdns.yaml", &settings).with_file_name("root");
    let copied = Command::new("cp").arg("--archive").arg(rootfs).arg(&root).status().unwrap();
    assert!(copied.success());
    std::fs::write(root.join("etc/meshdns/meshdns.yaml"), settings).unwrap();
    std::fs::write(root.join("etc/meshdns/objects.yaml"), OBJECTS).unwrap();
    let mut command = Command::new("unshare");
    // Its own user where the test may become one; elsewhere the test's user, as root of nothing.
    match rootfs.metadata().unwrap().uid() {
        0 => command.args(["--setgid", "65532", "--setuid", "65532"]),
        _ => command.args(["--user", "--map-root-user"]),
    };
    command.arg("--root").arg(&root);
    if let Some(emulator) = emulator {
        std::fs::copy(emulator, root.join("emulator")).unwrap();
        command.arg("/emulator");
    }
    command.args(["/meshdns", "serve", "--config", "/etc/meshdns/meshdns.yaml"]).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    let mut meshdns = Meshdns::started(ports, &mut command);
    meshdns.wait_until_ready();
    let reply = dig(meshdns.dns, ["web.shop.svc.cluster.local", "A"]);
    assert_eq!(data(&reply.answer), ["10.0.0.1"], "{}", reply.text);
    assert!(root.join("run/meshdns/dns.sock").exists());
}

/// The builder has the toolchain that everything else is built with, and needs to fetch none.
#[test]
fn the_dockerfile_has_the_toolchain_of_the_project() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let (toolchain, dockerfile) = (read("rust-toolchain.toml"), read("deploy/image/Dockerfile"));
    let channel =
        toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    for line in [format!(" rust:{channel}-bookworm AS build\n"), format!("ENV RUSTUP_TOOLCHAIN={channel}\n")]
    {
        assert!(dockerfile.contains(&line), "{line:?} is not in\n{dockerfile}");
    }
}

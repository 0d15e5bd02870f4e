//! A mount namespace in which a container of the chart runs as it would in a pod: its arguments, its files, its service account.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::chart::Release;
use crate::support::kube::{ControlPlane, Identity};
use crate::support::process::written;

/// Directories that stand for those of a pod. What they are not mounted over is the machine's.
pub(super) struct Cell {
    root: PathBuf,
}

/// Mounts them, and becomes the program.
const ENTER: &str = "mount --rbind \"$0/etc\" /etc && mount --rbind \"$0/run\" /run && mount --rbind \"$0/lib\" /var/lib && exec \"$@\"";
/// Where a pod has its service account, below `/run`, which `/var/run` leads to.
const ACCOUNT: &str = "run/secrets/kubernetes.io/serviceaccount";

impl Cell {
    /// With the volumes of the pods of a release.
    pub(super) fn new(release: &Release) -> Self {
        let root = written("cell", "").parent().unwrap().to_owned();
        for directory in ["etc", "run", "lib"] {
            std::fs::create_dir(root.join(directory)).unwrap();
        }
        for file in ["resolv.conf", "hosts", "nsswitch.conf"] {
            let _ = std::fs::copy(Path::new("/etc").join(file), root.join("etc").join(file));
        }
        let this = Self { root };
        let spec = &release.pod()["spec"];
        for container in spec["containers"].as_array().unwrap() {
            for mount in container["volumeMounts"].as_array().unwrap() {
                let volumes = spec["volumes"].as_array().unwrap();
                let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
                this.mount(mount["mountPath"].as_str().unwrap(), volume, release);
            }
        }
        this
    }

    fn mount(&self, at: &str, volume: &Value, release: &Release) {
        let directory = self.path(at);
        std::fs::create_dir_all(&directory).unwrap();
        if let Some(name) = volume["configMap"]["name"].as_str() {
            let map = release.all("ConfigMap").find(|map| map["metadata"]["name"] == name).unwrap();
            for (file, content) in map["data"].as_object().unwrap() {
                std::fs::write(directory.join(file), content.as_str().unwrap()).unwrap();
            }
        }
    }

    /// Where a path of the pod is outside.
    pub(super) fn path(&self, inside: &str) -> PathBuf {
        let inside = inside.trim_start_matches('/');
        let inside =
            inside.strip_prefix("var/lib").map_or_else(|| inside.to_owned(), |rest| format!("lib{rest}"));
        let inside = inside.strip_prefix("var/run").map_or(inside.clone(), |rest| format!("run{rest}"));
        self.root.join(inside)
    }

    /// Gives it a service account.
    pub(super) fn let_be(&self, identity: &Identity, plane: &ControlPlane, namespace: &str) {
        let account = self.root.join(ACCOUNT);
        std::fs::create_dir_all(&account).unwrap();
        std::fs::write(account.join("token"), identity.token.as_bytes()).unwrap();
        std::fs::write(account.join("namespace"), namespace).unwrap();
        std::fs::copy(plane.authority(), account.join("ca.crt")).unwrap();
    }

    /// A program in it, with the arguments of a container.
    pub(super) fn command(&self, program: &Path, container: &Value, plane: &ControlPlane) -> Command {
        let arguments =
            container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", ENTER]).arg(&self.root);
        command.arg(program).args(arguments);
        let address = plane.address();
        command.env("KUBERNETES_SERVICE_HOST", address.ip().to_string());
        command.env("KUBERNETES_SERVICE_PORT", address.port().to_string());
        command.env_remove("KUBECONFIG");
        command
    }
}

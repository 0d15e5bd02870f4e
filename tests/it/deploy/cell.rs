//! What a kubelet makes of a pod, as far as its programs notice: volumes, a service account, who they run as and what they may not do.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::prelude::{BASE64_STANDARD as BASE64, Engine};
use serde_json::Value;

use super::node::Node;
use crate::support::kube::{Api, CONFIG_MAPS, ControlPlane, Identity, SECRETS};
use crate::support::process::{is_root, written};

/// A mount namespace for the programs of a pod. What nothing is mounted over is the machine's.
pub(super) struct Cell {
    root: PathBuf,
    pod: Value,
    /// Directories of the node, and where they are in the pod.
    shared: Vec<(PathBuf, String)>,
}

/// Directories that a pod has of its own, and what they are called outside.
const OWN: [(&str, &str); 3] = [("/etc", "etc"), ("/run", "run"), ("/var/lib", "lib")];
/// Where a program is in a pod: whoever it runs as can get there, which may not be so where it was built.
const PROGRAM: &str = "/etc/program";
/// Where a pod has its service account. `/var/run` leads to `/run`.
const ACCOUNT: &str = "/run/secrets/kubernetes.io/serviceaccount";

impl Cell {
    /// With the volumes of a pod on a node: ConfigMaps and Secrets are those of the namespace.
    pub(super) fn new(pod: &Value, namespace: &Api, node: &Node) -> Self {
        let root = written("cell", "").parent().unwrap().to_owned();
        OWN.iter().for_each(|(_, directory)| std::fs::create_dir(root.join(directory)).unwrap());
        let mut this = Self { root, pod: pod.clone(), shared: Vec::new() };
        for file in ["resolv.conf", "hosts", "nsswitch.conf"] {
            let _ = std::fs::copy(Path::new("/etc").join(file), this.path(&format!("/etc/{file}")));
        }
        std::fs::write(this.path(PROGRAM), "").unwrap();
        let spec = &pod["spec"];
        for container in spec["containers"].as_array().unwrap() {
            for mount in container["volumeMounts"].as_array().unwrap() {
                let volumes = spec["volumes"].as_array().unwrap();
                let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
                this.mount(mount["mountPath"].as_str().unwrap(), volume, namespace, node);
            }
        }
        this
    }

    fn mount(&mut self, at: &str, volume: &Value, namespace: &Api, node: &Node) {
        let directory = self.path(at);
        std::fs::create_dir_all(&directory).unwrap();
        if let Some(name) = volume["configMap"]["name"].as_str() {
            let map = namespace.get(CONFIG_MAPS, name).unwrap_or_else(|| panic!("no ConfigMap {name}"));
            for (file, content) in map["data"].as_object().unwrap() {
                std::fs::write(directory.join(file), content.as_str().unwrap()).unwrap();
            }
        } else if let Some(name) = volume["secret"]["secretName"].as_str() {
            let secret = namespace.get(SECRETS, name).unwrap_or_else(|| panic!("no Secret {name}"));
            for (file, content) in secret["data"].as_object().unwrap() {
                std::fs::write(directory.join(file), BASE64.decode(content.as_str().unwrap()).unwrap())
                    .unwrap();
            }
        } else if let Some(path) = volume["hostPath"]["path"].as_str() {
            self.shared.push((node.directory(path), at.to_owned()));
        } else {
            assert!(volume["emptyDir"].is_object(), "nobody mounts {volume}");
            std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o777)).unwrap();
        }
    }

    /// Where a path of the pod is outside.
    pub(super) fn path(&self, inside: &str) -> PathBuf {
        let own = OWN.iter().find_map(|(at, outside)| {
            let rest = inside.strip_prefix(at)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{outside}{rest}"))
        });
        self.root.join(own.unwrap_or_else(|| panic!("the pod has {inside} not for itself")))
    }

    /// Changes a file of the pod.
    pub(super) fn edit(&self, inside: &str, change: impl FnOnce(String) -> String) {
        let path = self.path(inside);
        std::fs::write(&path, change(std::fs::read_to_string(&path).unwrap())).unwrap();
    }

    /// Gives it a service account.
    pub(super) fn let_be(&self, identity: &Identity, plane: &ControlPlane, namespace: &str) {
        let account = self.path(ACCOUNT);
        std::fs::create_dir_all(&account).unwrap();
        std::fs::write(account.join("token"), identity.token.as_bytes()).unwrap();
        std::fs::write(account.join("namespace"), namespace).unwrap();
        std::fs::copy(plane.authority(), account.join("ca.crt")).unwrap();
    }

    /// A program in it, as one of its containers: with its arguments, as its user where the test may become another one, and
    /// without any capability.
    pub(super) fn command(&self, program: &Path, container: &str, plane: &ControlPlane) -> Command {
        let spec = &self.pod["spec"];
        let containers = spec["containers"].as_array().unwrap();
        let container = containers.iter().find(|other| other["name"] == container).unwrap();
        let mut command = Command::new("unshare");
        // Only root may become another user.
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "sh", "-ec", &self.mounts()]).arg(program);
        command.args(["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]);
        if is_root() {
            let context = &spec["securityContext"];
            let groups = context["fsGroup"].as_u64();
            command.args(["--reuid", &context["runAsUser"].to_string()]);
            command.args(["--regid", &context["runAsGroup"].to_string()]);
            command.arg(groups.map_or("--clear-groups".to_owned(), |group| format!("--groups={group}")));
        }
        let arguments = container["args"].as_array().unwrap().iter();
        command.arg(PROGRAM).args(arguments.map(|argument| argument.as_str().unwrap()));
        let address = plane.address();
        command.env("KUBERNETES_SERVICE_HOST", address.ip().to_string());
        command.env("KUBERNETES_SERVICE_PORT", address.port().to_string());
        command.env_remove("KUBECONFIG");
        command
    }

    /// Mounts everything, and becomes the program.
    fn mounts(&self) -> String {
        let own = OWN.iter().map(|(at, outside)| (self.root.join(outside), (*at).to_owned()));
        let mounts = own.chain(self.shared.iter().cloned());
        let mounts = mounts.map(|(outside, at)| format!("mount --rbind '{}' '{at}'\n", outside.display()));
        format!("{}mount --bind \"$0\" {PROGRAM}\nexec \"$@\"", mounts.collect::<String>())
    }
}

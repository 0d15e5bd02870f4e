//! meshdns starts while the API server is away: what was known in an earlier run is answered.

use std::path::{Path, PathBuf};

use super::Served;
use crate::support::dig::dig;
use crate::support::faults::FaultyProxy;
use crate::support::kube::{ADMIN, ControlPlane, Namespace, SERVICES, until};
use crate::support::process::written;

fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 80}}]}}\n---\n"
    )
}

struct Setting {
    shop: Namespace<'static>,
    proxy: FaultyProxy,
    kubeconfig: PathBuf,
    snapshot: PathBuf,
}

impl Setting {
    fn new() -> Self {
        let plane = ControlPlane::shared();
        let shop = plane.namespace("shop");
        let proxy = FaultyProxy::before(plane);
        let kubeconfig = plane.kubeconfig_to(&proxy.url(), &ADMIN);
        let snapshot = written("nothing", "").with_file_name("snapshot");
        Self { shop, proxy, kubeconfig, snapshot }
    }

    fn begin(&self, max_age: u32) -> Served {
        let snapshot =
            format!("snapshot: {{file: \"{}\", every: 1, maxAge: {max_age}}}", self.snapshot.display());
        Served::with_kubeconfig(&self.kubeconfig, &format!("istio: false, {snapshot}"), "")
    }

    fn name(&self, service: &str) -> String {
        format!("{service}.{}.svc.cluster.local", self.shop.name)
    }

    fn address(&self, service: &str) -> String {
        self.shop.get(SERVICES, service).unwrap()["spec"]["clusterIP"].as_str().unwrap().to_owned()
    }

    /// Waits until a service has its address.
    fn answers(&self, server: &Served, service: &str) {
        server.becomes(&self.name(service), "A", "NOERROR", &[&self.address(service)]);
    }

    /// A first run that knows `web`, until that is in the snapshot.
    fn first_run(&self) {
        let mut server = self.begin(3600);
        server.meshdns.wait_until_ready();
        self.shop.apply(&(service("web") + &service("old")));
        self.answers(&server, "web");
        self.answers(&server, "old");
        until("snapshot of it", || has(&self.snapshot, &self.shop.name, "old").then_some(()));
    }
}

/// Whether a file has both texts.
fn has(file: &Path, one: &str, other: &str) -> bool {
    let octets = std::fs::read(file).unwrap_or_default();
    let contains = |text: &str| octets.windows(text.len()).any(|part| part == text.as_bytes());
    contains(one) && contains(other)
}

#[test]
fn a_snapshot_is_answered_until_the_api_server_is_back() {
    let setting = Setting::new();
    setting.first_run();
    setting.proxy.part();
    let old = setting.address("old");
    setting.shop.delete(SERVICES, "old");
    let mut server = setting.begin(3600);
    server.meshdns.wait_until_ready();
    setting.answers(&server, "web");
    server.becomes(&setting.name("old"), "A", "NOERROR", &[&old]);
    let ede = dig(server.meshdns.dns, [setting.name("web").as_str(), "A"]).text;
    assert!(ede.contains("EDE: 3 (Stale Answer): (Kubernetes API unreachable, snapshot of "), "{ede}");
    assert_eq!(server.metrics("meshdns_stale "), [1.0]);
    let before = std::fs::read(&setting.snapshot).unwrap();
    setting.shop.apply(&service("new"));
    setting.proxy.rejoin();
    setting.answers(&server, "new");
    server.becomes(&setting.name("old"), "A", "NXDOMAIN", &[]);
    setting.answers(&server, "web");
    until("fresh", || {
        let text = dig(server.meshdns.dns, [setting.name("web").as_str(), "A"]).text;
        (!text.contains("EDE") && server.metrics("meshdns_stale ") == [0.0]).then_some(())
    });
    until("another snapshot", || (std::fs::read(&setting.snapshot).unwrap() != before).then_some(()));
}

#[test]
fn a_snapshot_that_is_damaged_or_too_old_is_not_used_and_does_no_harm() {
    let setting = Setting::new();
    setting.first_run();
    setting.proxy.part();
    let good = std::fs::read(&setting.snapshot).unwrap();
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x20;
    std::fs::write(&setting.snapshot, &damaged).unwrap();
    let mut server = setting.begin(3600);
    server.meshdns.wait_for_log("the snapshot of an earlier run is not used");
    let page = until("told", || {
        Some(server.meshdns.page("/readyz"))
            .filter(|page| page.contains("unreachable") || page.contains("cannot be reached"))
    });
    assert!(page.starts_with("503 "), "{page}");
    assert_eq!(std::fs::read(&setting.snapshot).unwrap(), damaged, "it is left for whoever looks into it");
    setting.proxy.rejoin();
    server.meshdns.wait_until_ready();
    setting.answers(&server, "web");
    until("a good snapshot again", || (std::fs::read(&setting.snapshot).unwrap() != damaged).then_some(()));
    drop(server);

    setting.proxy.part();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let mut server = setting.begin(1);
    server.meshdns.wait_for_log("the snapshot of an earlier run is not used");
    assert!(server.meshdns.page("/readyz").starts_with("503 "));
}

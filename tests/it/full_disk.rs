//! The disk is full: what is kept on it is not, what was known is answered, and everything is made up for when there is room.

use std::path::Path;

use serde_json::json;

use crate::kubernetes::Served;
use crate::support::dig::dig;
use crate::support::kube::{ADMIN, ControlPlane, CustomResources, Namespace, SERVICES, until};
use crate::support::small_disk::SmallDisk;

const SNAPSHOT: &str = "snapshot";
const LEDGER: &str = "ledger.redb";

/// Declares a Service, and a host that takes an automatic address.
fn declare(shop: &Namespace<'_>, name: &str) {
    shop.apply(&format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{ports: [{{port: 80}}]}}}}"
    ));
    let entry = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": name},
        "spec": {"hosts": [host(shop, name)], "ports": [{"number": 80, "name": "http"}], "resolution": "STATIC",
            "endpoints": [{"address": "192.0.2.1"}]},
    });
    shop.apply(&entry.to_string());
}

/// Declares more hosts than the file of the ledger has room for by itself.
fn declare_many(shop: &Namespace<'_>) {
    for entry in 0..MANY / HOSTS {
        let hosts: Vec<_> = (0..HOSTS).map(|number| host(shop, &format!("n{number}.entry{entry}"))).collect();
        let entry = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": format!("many{entry}")},
            "spec": {"hosts": hosts, "ports": [{"number": 80, "name": "http"}], "resolution": "STATIC",
                "endpoints": [{"address": "192.0.2.1"}]},
        });
        shop.apply(&entry.to_string());
    }
}

const MANY: usize = 4000;
/// As many as an entry may have.
const HOSTS: usize = 250;

fn host(shop: &Namespace<'_>, name: &str) -> String {
    format!("{name}.{}.example", shop.name)
}

/// Waits until the Service is answered, which no disk has a part in.
fn is_answered(server: &Served, shop: &Namespace<'_>, name: &str) {
    let service = shop.get(SERVICES, name).unwrap();
    let address = service["spec"]["clusterIP"].as_str().unwrap();
    server.becomes(&format!("{name}.{}.svc.cluster.local", shop.name), "A", "NOERROR", &[address]);
}

/// The address that the host has been given; none before it is stored.
fn address(server: &Served, host: &str) -> Option<String> {
    dig(server.meshdns.dns, [host, "A"]).answer.first().map(|record| record.data.clone())
}

#[test]
fn a_full_disk_holds_up_what_is_kept_on_it_and_nothing_else() {
    let plane = ControlPlane::shared();
    plane.install(CustomResources::ServiceEntry);
    let shop = plane.namespace("shop");
    declare(&shop, "early");
    let disk = SmallDisk::new();
    let mut command = disk.give(env!("CARGO_BIN_EXE_meshdns"), 16 << 20);
    let source = format!(
        "namespaces: [{}], snapshot: {{file: \"{}\", every: 1}}",
        shop.name,
        disk.file(SNAPSHOT).display()
    );
    let entries = format!(
        "serviceEntries: {{addresses: ledger, ledger: {{file: \"{}\"}}}}\n",
        disk.file(LEDGER).display()
    );
    let mut server = Served::begin_by(&mut command, &plane.kubeconfig(&ADMIN), &source, &entries);
    server.meshdns.wait_until_ready();
    let (program, early, late) = (server.meshdns.id(), host(&shop, "early"), host(&shop, "late"));
    let kept = |text: &str| {
        let snapshot = disk.read(program, SNAPSHOT);
        snapshot.windows(text.len()).any(|part| part == text.as_bytes())
    };
    until("a snapshot of it", || kept(&early).then_some(()));
    let given = until("an address", || address(&server, &early));

    disk.fill(program);
    declare_many(&shop);
    let full = "No space left on device";
    for (told, file) in [("no snapshot can be written", SNAPSHOT), ("addresses are not stored", LEDGER)] {
        server.meshdns.wait_for_log(told);
        let lines = server.meshdns.log_lines(told);
        let path = disk.file(file);
        let names_it = |line: &String| line.contains(full) && line.contains(path.to_str().unwrap());
        assert!(lines.iter().any(names_it), "{lines:?}");
    }
    for count in ["meshdns_snapshot_failures_total", "meshdns_ledger_store_errors_total"] {
        until(count, || (server.metrics(count) > vec![0.0]).then_some(()));
    }
    declare(&shop, "late");
    is_answered(&server, &shop, "early");
    is_answered(&server, &shop, "late");
    assert_eq!(address(&server, &early).as_ref(), Some(&given));
    let waiting = dig(server.meshdns.dns, [late.as_str(), "A"]);
    assert_eq!((waiting.status.as_str(), waiting.authority.len()), ("NXDOMAIN", 0), "no cache keeps it");
    assert!(server.meshdns.page("/readyz").starts_with("200 "));
    // The last one is whole, and nothing half-written lies about.
    assert!(kept(&early) && !kept(&late));
    until("nothing beside", || (disk.listed(program) == [LEDGER, SNAPSHOT]).then_some(()));

    disk.make_room(program);
    server.meshdns.wait_for_log("snapshots can be written again");
    server.meshdns.wait_for_log("addresses can be stored again");
    until("a snapshot of everything", || (kept(&early) && kept(&late)).then_some(()));
    let other = until("an address", || address(&server, &late));
    assert_ne!(other, given);
    assert_eq!(address(&server, &early), Some(given));
    assert!(!Path::new(&disk.file(LEDGER)).exists(), "the disk is the program's alone");
}

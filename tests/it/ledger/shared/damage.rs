//! Shards that were edited, deleted or made for others, and an API server that is away.

use serde_json::{Value, json};

use super::gate::Gate;
use super::*;

/// The shards with a row, each with the hosts that it has.
fn hosts_by_shard(mesh: &Mesh) -> Vec<(String, Vec<String>)> {
    let maps = mesh.namespace.list(CONFIG_MAPS).into_iter();
    let maps = maps.filter(|map| map["data"]["rows"].as_str().is_some_and(|rows| !rows.is_empty()));
    let host = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
    maps.map(|map| {
        let rows = map["data"]["rows"].as_str().unwrap().lines().map(host).collect();
        (map["metadata"]["name"].as_str().unwrap().to_owned(), rows)
    })
    .collect()
}

#[test]
fn an_edited_shard_is_named_and_the_others_go_on() {
    let mesh = Mesh::new();
    let replica = mesh.replica();
    replica.declare(0..24);
    let mut server = replica.start();
    let before: Vec<_> = (0..24).map(|host| given(&server, &format!("n{host}.example"))).collect();
    let shards = hosts_by_shard(&mesh);
    let (broken, lost) = shards.iter().max_by_key(|(_, hosts)| hosts.len()).unwrap().clone();
    // Somebody gives all of them away.
    mesh.namespace.merge(CONFIG_MAPS, &broken, &json!({"data": {"rows": ""}}));
    server.wait_for_log("its checksum does not fit");
    let ready = server.page("/readyz");
    assert!(ready.starts_with("200 ok\n") && ready.contains(&format!("/{broken}: its checksum")), "{ready}");
    assert!(server.page("/metrics").contains("meshdns_ledger_unusable_shards 1\n"));
    // A replica that starts now does not know its hosts, and gives their addresses to nobody.
    let newcomer = mesh.replica();
    newcomer.declare(0..60);
    let second = newcomer.start();
    let mut waiting = 0;
    for (host, before) in before.iter().enumerate() {
        let name = format!("n{host}.example");
        assert_eq!(&addresses(&server, &name), before, "known hosts are answered");
        if lost.contains(&name) {
            waiting += 1;
            assert!(addresses(&second, &name).is_empty(), "{name}");
        } else {
            assert_eq!(&given(&second, &name), before);
        }
    }
    assert_eq!(waiting, lost.len());
    let lost_addresses: Vec<&String> = (0..24)
        .filter(|host| lost.contains(&format!("n{host}.example")))
        .flat_map(|host| &before[host])
        .collect();
    let mut others = 0;
    for host in 24..60 {
        let found = addresses(&second, &format!("n{host}.example"));
        assert!(!found.iter().any(|address| lost_addresses.contains(&address)), "{found:?} is given twice");
        others += usize::from(!found.is_empty());
    }
    assert!(others > 20, "only {others} new hosts got an address");
    // Begun anew, it is filled by the one that knows.
    mesh.namespace.merge(
        CONFIG_MAPS,
        &broken,
        &json!({"metadata": {"annotations": {"meshdns.io/begin-anew": "yes"}}}),
    );
    for (host, before) in before.iter().enumerate() {
        assert_eq!(&given(&second, &format!("n{host}.example")), before, "{host}");
        assert_eq!(&given(&server, &format!("n{host}.example")), before, "{host}");
    }
    until("nothing is wrong any more", || (server.page("/readyz") == "200 ok\n").then_some(()));
}

#[test]
fn a_deleted_shard_is_not_begun_anew_unasked() {
    let mesh = Mesh::new();
    let replica = mesh.replica();
    replica.declare(0..8);
    let server = replica.start();
    let before: Vec<_> = (0..8).map(|host| given(&server, &format!("n{host}.example"))).collect();
    let (gone, _) = hosts_by_shard(&mesh)[0].clone();
    let copy = mesh.namespace.get(CONFIG_MAPS, &gone).unwrap();
    mesh.namespace.delete(CONFIG_MAPS, &gone);
    until("told", || server.page("/readyz").contains(&format!("/{gone}: it was deleted")).then_some(()));
    let mut second = mesh.replica().begin();
    second.wait_until_ready();
    assert!(second.page("/readyz").contains(&format!("/{gone}: it was deleted")));
    assert_eq!(mesh.namespace.get(CONFIG_MAPS, &gone), None, "nobody makes it again");
    // Restored from a copy.
    let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": copy["data"].clone()});
    for part in ["name", "labels", "annotations"] {
        map["metadata"][part] = copy["metadata"][part].clone();
    }
    mesh.namespace.apply(&map.to_string());
    until("nothing is wrong any more", || (second.page("/readyz") == "200 ok\n").then_some(()));
    for (host, before) in before.iter().enumerate() {
        assert_eq!(&addresses(&server, &format!("n{host}.example")), before, "{host}");
    }
}

#[test]
fn another_number_of_shards_or_other_ranges_are_refused_with_what_to_do() {
    let mesh = Mesh::new();
    let replica = mesh.replica();
    drop(replica.start());
    let refused = |other: Replica, told: &str| {
        let mut server = other.begin();
        server.wait_for_log(told);
        let ready = server.page("/readyz");
        assert!(ready.starts_with("503 ") && ready.contains(told), "{ready}");
        let (_, _, errors) = other.command(&["records", "--ledger"]);
        assert!(errors.contains("/") || errors.is_empty(), "{errors}");
    };
    refused(
        Replica { shards: 16, ..mesh.replica() },
        "the ledger has 8 shards, and serviceEntries.ledger.kubernetes.shards says 16",
    );
    refused(
        Replica { more: "ranges: [240.240.0.0/17]".into(), ..mesh.replica() },
        "240.240.0.0/17 overlaps 240.240.0.0/16, for which this ledger was made",
    );
    // One more at the end is fine.
    let more = "ranges: [240.240.0.0/16, '2001:2::/48', 10.9.0.0/16]".into();
    let wider = Replica { more, ..mesh.replica() };
    wider.declare([1]);
    given(&wider.start(), "n1.example");
    let header = |map: Value| map["data"]["header"].as_str().map(str::to_owned).unwrap_or_default();
    let first = header(mesh.namespace.get(CONFIG_MAPS, "meshdns-ledger-0").unwrap());
    assert!(first.contains("10.9.0.0/16"), "{first}");
}

#[test]
fn an_api_server_that_is_away_holds_up_the_start_and_later_only_new_hosts() {
    let mesh = Mesh::new();
    let plane = ControlPlane::shared();
    let gate = Gate::new(plane.address());
    gate.close();
    let kubeconfig = plane.kubeconfig_to(&format!("https://{}", gate.address), &mesh.account);
    let replica = Replica { kubeconfig, ..mesh.replica() };
    replica.declare([1]);
    let mut server = replica.begin();
    server.wait_for_log("the ledger cannot be read; not ready until it can");
    let ready = server.page("/readyz");
    assert!(ready.starts_with("503 ") && ready.contains("the API server cannot be reached"), "{ready}");
    gate.open();
    server.wait_until_ready();
    let known = given(&server, "n1.example");
    gate.close();
    replica.declare([2]);
    server.wait_for_log("addresses are not stored");
    assert_eq!(addresses(&server, "n1.example"), known);
    assert!(addresses(&server, "n2.example").is_empty());
    gate.open();
    given(&server, "n2.example");
    assert_eq!(addresses(&server, "n1.example"), known);
}

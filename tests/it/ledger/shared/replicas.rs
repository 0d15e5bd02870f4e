//! Several replicas that give addresses at the same time, and start and stop.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::*;

/// What all hosts have by the list of a server.
fn list(server: &Meshdns) -> BTreeMap<String, Vec<String>> {
    let text = server.page("/records?ledger=true");
    let Some((_, body)) = text.split_once(' ') else { return BTreeMap::new() };
    let Ok(found) = serde_json::from_str::<serde_json::Value>(body) else { return BTreeMap::new() };
    let hosts = found["hosts"].as_array().cloned().unwrap_or_default();
    let in_use = hosts.iter().filter(|host| host["state"] == "in use");
    let texts = |host: &serde_json::Value| {
        host["addresses"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    in_use.map(|host| (host["host"].as_str().unwrap().to_owned(), texts(host))).collect()
}

#[test]
fn a_storm_of_new_hosts_at_three_replicas_gives_each_one_address() {
    const HOSTS: usize = 500;
    let mesh = Mesh::new();
    let mut replicas: Vec<Replica> = (0..3).map(|_| mesh.replica()).collect();
    for (at, replica) in replicas.iter_mut().enumerate() {
        replica.shards = 64;
        // Orders differ, so that all want to give other addresses.
        replica.declare((0..HOSTS).map(|host| (host * (2 * at + 1)) % HOSTS).collect::<BTreeSet<_>>());
    }
    let begin = Instant::now();
    let mut servers: Vec<Meshdns> = replicas.iter().map(Replica::begin).collect();
    servers.iter_mut().for_each(Meshdns::wait_until_ready);
    let all = until("all hosts answered", || {
        let lists: Vec<_> = servers.iter().map(list).collect();
        (lists.iter().all(|list| list.len() == HOSTS)).then_some(lists)
    });
    let took = begin.elapsed();
    assert!(all[0] == all[1] && all[1] == all[2], "replicas do not agree");
    let distinct: BTreeSet<&String> = all[0].values().flatten().collect();
    assert_eq!(distinct.len(), 2 * HOSTS, "an address has two hosts");
    assert_eq!(mesh.rows().len(), HOSTS);
    let writes = |outcome: &str| -> u64 {
        let name = format!("meshdns_ledger_shard_writes_total{{outcome=\"{outcome}\"}} ");
        let of = |server: &Meshdns| {
            let text = server.page("/metrics");
            text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
        };
        servers.iter().map(of).sum()
    };
    let (stored, conflict) = (writes("stored"), writes("conflict"));
    assert!(stored >= 64 && writes("failed") == 0, "{stored} stored, {} failed", writes("failed"));
    println!("{HOSTS} hosts at 3 replicas in {took:?}: {stored} writes stored, {conflict} conflicts");
}

#[test]
fn a_new_entry_is_answered_alike_and_stays_over_restarts() {
    let mesh = Mesh::new();
    let (one, two) = (mesh.replica(), mesh.replica());
    one.declare([1, 2]);
    two.declare([2, 3]);
    let (first, second) = (one.start(), two.start());
    let given: BTreeMap<usize, Vec<String>> = [(1, &first), (2, &first), (3, &second)]
        .map(|(host, server)| (host, given(server, &format!("n{host}.example"))))
        .into();
    assert_eq!(addresses(&second, "n2.example"), given[&2]);
    drop(first);
    // What only the killed one named is kept for it; whoever comes to name it gets that.
    two.declare([1]);
    assert_eq!(super::given(&second, "n1.example"), given[&1]);
    drop(second);
    one.declare([3]);
    let again = one.start();
    for host in 1..4 {
        assert_eq!(super::given(&again, &format!("n{host}.example")), given[&host], "{host}");
    }
}

#[test]
fn hosts_overflow_into_other_shards_and_a_full_range_says_so() {
    let mesh = Mesh::new();
    let mut replicas: Vec<Replica> = (0..3).map(|_| mesh.replica()).collect();
    for replica in &mut replicas {
        // Two addresses of IPv4 to each shard, and one to the first: most hosts find theirs taken.
        "ranges: [192.0.2.0/28, '2001:db8::/124']".clone_into(&mut replica.more);
        replica.declare(0..15);
    }
    let mut servers: Vec<Meshdns> = replicas.iter().map(Replica::begin).collect();
    servers.iter_mut().for_each(Meshdns::wait_until_ready);
    let all = until("all addresses given", || {
        let lists: Vec<_> = servers.iter().map(list).collect();
        let full = |list: &BTreeMap<String, Vec<String>>| list.values().map(Vec::len).sum::<usize>() == 30;
        lists.iter().all(full).then_some(lists)
    });
    assert!(all[0] == all[1] && all[1] == all[2], "{all:?}");
    let distinct: BTreeSet<&String> = all[0].values().flatten().collect();
    assert_eq!(distinct.len(), 30);
    let maps = mesh.namespace.list(CONFIG_MAPS);
    let reserved: usize =
        maps.iter().filter_map(|map| Some(map["data"]["reserved"].as_str()?.lines().count())).sum();
    assert!(reserved > 0, "nothing lies in the part of another shard");
    replicas[0].declare([99]);
    servers[0].wait_for_log("no address is left for the host");
    // A replica that starts reads one answer.
    let newcomer = mesh.replica();
    let mut newcomer = Replica { more: replicas[0].more.clone(), ..newcomer };
    newcomer.kubeconfig = replicas[0].kubeconfig.clone();
    newcomer.declare(0..15);
    let server = newcomer.start();
    until("the same at a newcomer", || (list(&server) == all[0]).then_some(()));
}

#[test]
fn commands_read_the_ledger_and_write_nothing() {
    let mesh = Mesh::new();
    let replica = mesh.replica();
    replica.declare([1]);
    let (code, _, told) = replica.command(&["check"]);
    assert_eq!((code, told.as_str()), (0, ""), "a ledger that was not begun is empty");
    assert_eq!(mesh.rows(), Vec::<String>::new());
    assert!(
        !mesh.namespace.list(CONFIG_MAPS).iter().any(|map| map["metadata"]["name"] == "meshdns-ledger-0")
    );
    let server = replica.start();
    let address = given(&server, "n1.example").join(" ");
    let rows = mesh.rows();
    replica.declare([2]);
    given(&server, "n2.example");
    drop(server);
    let stored = mesh.rows();
    replica.declare([3]);
    let (_, listed, _) = replica.command(&["records", "--ledger"]);
    let line = listed.lines().find(|line| line.contains("n1.example")).unwrap();
    assert!(line.contains(&address), "{line} instead of {address}");
    assert!(listed.contains("n3.example"), "what it would get: {listed}");
    assert_eq!(replica.command(&["check"]).0, 0);
    let new = written("new.yaml", &entry("n4", "n4.example"));
    let (code, planned, told) = replica.command(&["plan", "-f", new.to_str().unwrap()]);
    assert!(code == 0 && planned.contains("n4.example"), "{planned}{told}");
    assert_eq!(mesh.rows(), stored);
    assert_eq!(rows.len(), 1);
}

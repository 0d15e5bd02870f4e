//! What is missing is named with its rule, and the rest works.

use super::*;

const ALL: [&str; 5] = ["get", "list", "watch", "create", "update"];

fn rule(mesh: &Mesh, verb: &str) -> String {
    format!(
        "Role in {} rules: [{{apiGroups: [\"\"], resources: [configmaps], verbs: [{verb}]}}]",
        mesh.namespace.name
    )
}

#[test]
fn without_a_permission_to_read_everything_works_and_the_rule_is_named() {
    let mesh = Mesh::new();
    // Another replica with all rights, at work all the time.
    let other = mesh.replica();
    other.declare([100]);
    let busy = other.start();
    let mut number = 0;
    for verb in ["get", "list", "watch", "create"] {
        let rest: Vec<&str> = ALL.into_iter().filter(|other| *other != verb).collect();
        mesh.allow(&rest);
        let replica = mesh.replica();
        replica.declare([number, 100]);
        let server = replica.start();
        let ready = server.page("/readyz");
        assert!(ready.starts_with("200 ok\n") && ready.contains(&rule(&mesh, verb)), "{verb}: {ready}");
        let metric = format!("meshdns_ledger_permission_missing{{verb=\"{verb}\"}} 1\n");
        assert!(server.page("/metrics").contains(&metric), "{verb}");
        let own = given(&server, &format!("n{number}.example"));
        assert_eq!(given(&server, "n100.example"), given(&busy, "n100.example"), "{verb}");
        // What the other one gives from now on is heard of.
        other.declare([number + 1, number]);
        let theirs = given(&busy, &format!("n{}.example", number + 1));
        replica.declare([number + 1]);
        assert_eq!(given(&server, &format!("n{}.example", number + 1)), theirs, "{verb}");
        assert_eq!(given(&busy, &format!("n{number}.example")), own, "{verb}");
        number += 2;
    }
}

#[test]
fn without_the_permission_to_write_known_hosts_are_answered_and_new_ones_wait_and_are_named() {
    let mesh = Mesh::new();
    let replica = mesh.replica();
    replica.declare([1]);
    let server = replica.start();
    let known = given(&server, "n1.example");
    drop(server);
    mesh.allow(&["get", "list", "watch"]);
    let mut server = replica.start();
    assert_eq!(given(&server, "n1.example"), known);
    replica.declare([2]);
    server.wait_for_log("may not update");
    let explained = until("named", || {
        let text = server.page("/explain?name=n2.example");
        text.contains("waits until its address can be stored").then_some(text)
    });
    assert!(explained.contains("verbs: [update]"), "{explained}");
    assert!(addresses(&server, "n2.example").is_empty());
    let ready = server.page("/readyz");
    assert!(ready.starts_with("200 ok\n") && ready.contains(&rule(&mesh, "update")), "{ready}");
    assert!(server.page("/metrics").contains("meshdns_ledger_permission_missing{verb=\"update\"} 1\n"));
    // Granted, it goes on by itself.
    mesh.allow(&ALL);
    given(&server, "n2.example");
    until("nothing is wrong any more", || (server.page("/readyz") == "200 ok\n").then_some(()));
}

#[test]
fn without_any_permission_it_is_not_ready_and_says_what_would_do() {
    let mesh = Mesh::without_rights();
    let replica = mesh.replica();
    let mut server = replica.begin();
    server.wait_for_log("the ledger cannot be read; not ready until it can");
    let ready = server.page("/readyz");
    assert!(ready.starts_with("503 ") && ready.contains(&rule(&mesh, "list")), "{ready}");
    mesh.allow(&["get", "list", "watch"]);
    server.wait_until_ready();
    // Nobody may begin the ledger: hosts wait.
    replica.declare([1]);
    until("told", || server.page("/readyz").contains(&rule(&mesh, "create")).then_some(()));
    mesh.allow(&ALL);
    given(&server, "n1.example");
}

#[test]
fn a_namespace_that_is_missing_is_named() {
    let kubeconfig = ControlPlane::shared().kubeconfig(&ADMIN);
    let replica = Replica::new("nowhere", kubeconfig);
    let mut server = replica.begin();
    server.wait_for_log("the namespace nowhere does not exist: create it");
    assert!(server.page("/readyz").starts_with("503 "));
}

//! What `check --corefile` tells of TTLs that objects ask for.

use crate::commands::{path, run};
use crate::support::process::written;

const COREFILE: &str = ".:1053 {\n cache 30\n grpc . 127.0.0.1:8053\n}\n";
const RULE: &str = "{name: canary, namespaces: [shop], classes: [clusterIP], ttl: 20}";

fn service(number: usize, ttl: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: shop, annotations: {{meshdns.io/ttl: '{ttl}'}}}}\n\
         spec: {{clusterIP: 10.96.0.{number}, ports: [{{name: http, port: 80}}]}}\n"
    )
}

/// What is told of services that ask for these TTLs.
fn told(ttls: &[&str], output: &str) -> String {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n".to_owned();
    let services = ttls.iter().enumerate().map(|(number, ttl)| service(number, ttl));
    let manifests = written("objects.yaml", &(namespace + &services.collect::<String>()));
    let settings = format!(
        "zones: [cluster.local]\nsources: {{manifests: [{}]}}\nttl: {{annotations: {{min: 1, max: 600}}, rules: [{RULE}]}}\n",
        manifests.display()
    );
    let (config, corefile) = (written("meshdns.yaml", &settings), written("Corefile", COREFILE));
    let found = run(&["check", "--config", path(&config), "--corefile", path(&corefile), "--output", output]);
    found.stdout.replace(path(&corefile), "Corefile")
}

/// The lines of a class, from the table of the zone.
fn lines<'t>(text: &'t str, class: &str) -> Vec<&'t str> {
    let table = text.split("\ncluster.local: ").nth(1).unwrap_or_else(|| panic!("no table:\n{text}"));
    let from = table.lines().skip_while(|line| !line.starts_with(&format!("  {class} ")));
    let own = |(number, line): &(usize, &str)| *number == 0 || line.starts_with("   ");
    from.enumerate().take_while(own).map(|(_, line)| line).collect()
}

fn columns(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect()
}

#[test]
fn each_ttl_that_objects_ask_for_has_a_line() {
    let text = told(&["2", "400", "2", "601"], "text");
    let table: Vec<_> = lines(&text, "clusterIP").into_iter().map(columns).collect();
    let floor = "cache floor at Corefile:2, CoreDNS's default";
    let expected: [&[&str]; 4] = [
        &["clusterIP", "ttl.default", "5 s", "5 s", "5 s", "as meshdns says"],
        &["ttl.rules[0], canary", "20 s", "20 s", "20 s", "as meshdns says"],
        &["annotation meshdns.io/ttl: 2 objects, such as Service shop/s0", "2 s", "5 s", "5 s", floor],
        &["annotation meshdns.io/ttl: Service shop/s1", "400 s", "30 s", "30 s", "cache cap at Corefile:2"],
    ];
    assert_eq!(table, expected, "{text}");
    for finding in [
        "raises TTLs of meshdns to 5 s, its smallest where none is written: 2 s of what 2 objects ask for, such as Service shop/s0",
        "lowers TTLs of meshdns to 30 s: 400 s of what Service shop/s1 asks for",
    ] {
        assert!(text.lines().any(|line| line == format!("Corefile:2: `cache` {finding}")), "{text}");
    }
    // The lines that mend it let all of them through.
    assert!(text.contains("        success 9984 400 0\n        denial 9984 30 5\n"), "{text}");
}

#[test]
fn many_ttls_are_one_line_and_programs_get_all() {
    let ttls = ["2", "3", "6", "7", "8", "9"];
    let text = told(&ttls, "text");
    let expected = [
        "annotation meshdns.io/ttl: 6 objects, such as Service shop/s0",
        "2 to 9 s",
        "5 to 9 s",
        "9 s",
        "6 TTLs: --output json has them one by one",
    ];
    assert_eq!(columns(lines(&text, "clusterIP").last().unwrap()), expected, "{text}");
    let json: serde_json::Value = serde_json::from_str(&told(&ttls, "json")).unwrap();
    let routes = json["corefile"]["routes"].as_array().unwrap();
    let route = routes.iter().find(|route| route["zones"][0] == "cluster.local").unwrap();
    let rows: Vec<_> =
        route["ttls"].as_array().unwrap().iter().filter(|ttl| ttl["class"] == "clusterIP").collect();
    assert_eq!(rows.len(), 2 + ttls.len(), "{route}");
    assert_eq!((&rows[0]["from"], &rows[0]["objects"]["count"]), (&"ttl.default".into(), &0.into()));
    let asked = |row: &serde_json::Value| row["from"] == "annotation meshdns.io/ttl";
    let seen: Vec<_> =
        rows.iter().filter(|row| asked(row)).map(|row| row["meshdns"]["smallest"].to_string()).collect();
    assert_eq!(seen, ttls);
    assert_eq!(rows[2]["objects"]["first"], serde_json::json!(["Service shop/s0"]));
}

/// Without objects the bounds are what can be, and that is no finding.
#[test]
fn what_objects_may_ask_for_is_told_when_there_are_none() {
    let corefile = written("Corefile", COREFILE);
    let ran = |more: &str| {
        let config = written("meshdns.yaml", &format!("zones: [cluster.local]\n{more}"));
        run(&["check", "--config", path(&config), "--corefile", path(&corefile)])
    };
    let found = ran("ttl: {annotations: {min: 2, max: 600}}\n");
    let table: Vec<_> = lines(&found.stdout, "annotated").into_iter().map(columns).collect();
    assert_eq!(
        table[0][..5],
        ["annotated", "ttl.annotations", "2 to 600 s", "5 to 30 s", "30 s"],
        "{}",
        found.stdout
    );
    assert_eq!(found.code, 0, "{}", found.stdout);
    let ignored = ran("ttl: {annotations: ignored}\n").stdout;
    assert!(!ignored.contains("annotated"), "{ignored}");
}

//! What texts give: objects, and defects with their places.

use super::*;

#[test]
fn a_document_that_cannot_be_read_leaves_the_others() {
    let text = format!("{}---\nkind: [\n---\n{}", service("a", "10.0.0.1"), service("b", "10.0.0.2"));
    let loaded = load_text("m/x.yaml", &text);
    assert_eq!(
        summary(&loaded.objects),
        ["Namespace shop", "Service shop/a [10.0.0.1]", "Service shop/b [10.0.0.2]"]
    );
    assert_eq!(defects(&loaded), ["m/x.yaml:9 (document 2): unclosed bracket '[' (column 7)"]);
}

#[test]
fn a_defect_names_its_place_object_and_field() {
    for (text, expected) in [
        (
            service("web", "10.0.0.1").replace(
                "  namespace: shop\n",
                "  namespace: shop\n  annotations:\n    other: x\n    meshdns.io/ttl: 5s\n",
            ),
            vec![
                "x.yaml:8: Service shop/web: metadata.annotations[meshdns.io/ttl]: `5s` is no whole number of seconds from 0 to 3600",
            ],
        ),
        (
            service("web", "10.0.0.300"),
            vec!["x.yaml:7: Service shop/web: spec.clusterIP: `10.0.0.300` is not an IP address"],
        ),
        (
            service("web", "10.0.0.1")
                + "  ports:\n    - name: a\n      port: 80\n    - port: 0\n    - port: x\n",
            vec![
                "x.yaml:12: Service shop/web: spec.ports[2].port: invalid type: string \"x\", expected a whole number",
            ],
        ),
        (
            service("web", "10.0.0.1")
                + "  ports:\n    - name: a\n      port: 80\n    - port: 0\n    - name: b\n",
            vec![
                "x.yaml:11: Service shop/web: spec.ports[1].port: 0 is not a port: 1 to 65535",
                "x.yaml:12: Service shop/web: spec.ports[2].port: is missing",
            ],
        ),
        (
            service("web", "10.0.0.1") + "---\n" + &service("Web", "10.0.0.1"),
            vec![
                "x.yaml:12 (document 2): metadata.name: `Web` is not an object name: up to 63 lower-case letters, \
                 digits and `-`, a letter or digit at both ends",
            ],
        ),
        (
            service("web", "10.0.0.1") + "---\n" + &service("web", "10.0.0.2"),
            vec![
                "x.yaml:9 (document 2): Service shop/web: is not used: x.yaml:1 (document 1) has the same object",
            ],
        ),
        ("# values\nreplicas: 3\n".to_owned(), vec!["x.yaml:2: kind: is missing"]),
        ("kind: Service\n".to_owned(), vec!["x.yaml:1: apiVersion: is missing"]),
        ("- a\n".to_owned(), vec!["x.yaml:1: an object with apiVersion and kind is expected, not a list"]),
        (
            "kind: ServiceEntry\napiVersion: networking.istio.io/v2\nmetadata: {name: a}\n".to_owned(),
            vec![
                "x.yaml:2: ServiceEntry default/a: apiVersion: `networking.istio.io/v2` is not a version of \
                 ServiceEntry that is read: v1, v1beta1, v1alpha3",
            ],
        ),
        (
            "apiVersion: v1\nkind: List\nitems:\n  - 5\n  - kind: Service\n".to_owned(),
            vec![
                "x.yaml:4: items[0]: an object with apiVersion and kind is expected, not a number",
                "x.yaml:5: apiVersion: is missing",
            ],
        ),
        ("apiVersion: v1\nkind: List\nitems: {}\n".to_owned(), vec!["x.yaml:3: items: a list is expected"]),
    ] {
        assert_eq!(defects(&load_text("x.yaml", &text)), expected, "{text}");
    }
}

#[test]
fn a_defect_does_not_repeat_a_value_of_any_length() {
    let loaded = load_text("x.yaml", &service("web", &"é".repeat(100_000)));
    let message = &loaded.report.defects[0].message;
    assert_eq!(message.chars().count(), 501);
    assert!(message.starts_with("`éé") && message.ends_with("éé…"));
}

#[test]
fn texts_without_objects_are_fine() {
    for text in ["", "---\n", "# nothing\n", "null\n", "apiVersion: v1\nkind: List\n", "---\n---\n"] {
        for name in ["x.yaml", "x.json"] {
            if name == "x.yaml" || !text.contains("---") {
                let loaded = load_text(name, text);
                assert_eq!((loaded.objects.len(), defects(&loaded)), (0, vec![]), "{text} as {name}");
            }
        }
    }
}

#[test]
fn lists_stand_for_their_items() {
    let loaded = load_text(
        "x.yaml",
        "apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: 10.0.0.1}}
  - apiVersion: v1
    kind: ServiceList
    items:
      - {metadata: {name: b}, spec: {clusterIP: 10.0.0.2, ports: [{port: 0}]}}
      - {kind: Service, apiVersion: v1, metadata: {name: c}, spec: {clusterIP: None}}
  - {apiVersion: apps/v1, kind: DeploymentList, items: [{}, {}]}
  - {apiVersion: apps/v1, kind: Deployment}
  - {apiVersion: example.org/v1, kind: AllowList}
",
    );
    assert_eq!(
        summary(&loaded.objects),
        [
            "Namespace default",
            "Service default/a [10.0.0.1]",
            "Service default/b [10.0.0.2]",
            "Service default/c Headless"
        ]
    );
    assert_eq!(
        defects(&loaded),
        ["x.yaml:8: Service default/b: spec.ports[0].port: 0 is not a port: 1 to 65535"]
    );
    let skipped: Vec<_> = loaded.report.skipped.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(skipped, [("apps/v1/Deployment", 3), ("example.org/v1/AllowList", 1)]);
}

#[test]
fn json_has_places_too() {
    let json = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Service\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\
                \"spec\": {\n\t\t\"clusterIP\": \"x\"\n\t}\n}\n";
    let loaded = load_text("x.json", json);
    assert_eq!(counted(&loaded, Kind::Service), 1);
    assert_eq!(defects(&loaded), ["x.json:6: Service default/a: spec.clusterIP: `x` is not an IP address"]);
    let loaded = load_text("x.json", "{\"kind\": \"Service\",\n \"x\": \"\\ud83d\\ude00\",, }");
    assert_eq!(loaded.report.defects.len(), 1);
    assert!(loaded.report.defects[0].place.starts_with("x.json:2"), "{:?}", defects(&loaded));
    let emoji = "{\"kind\": \"Service\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"a\", \"labels\": \
                 {\"x\": \"\\ud83d\\ude00\"}}}";
    let loaded = load_text("x.json", emoji);
    assert_eq!((counted(&loaded, Kind::Service), defects(&loaded)), (1, vec![]));
}

#[test]
fn objects_imply_their_namespaces() {
    let text = service("a", "10.0.0.1")
        + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {x: y}}\n";
    let loaded = load_text("x.yaml", &text);
    let namespaces: Vec<_> = loaded
        .objects
        .iter()
        .filter_map(|object| match object {
            Object::Namespace(namespace) => Some((&*namespace.name, namespace.labels.get("x"))),
            _ => None,
        })
        .collect();
    assert_eq!(namespaces, [("other", Some("y")), ("shop", None)]);
    assert_eq!(counted(&loaded, Kind::Namespace), 2);
}

#[test]
fn the_examples_are_without_defects() {
    let loaded = load(&["examples/manifests".into()]);
    assert_eq!(defects(&loaded), [] as [&str; 0]);
    assert!(counted(&loaded, Kind::Service) > 0 && counted(&loaded, Kind::ServiceEntry) > 0);
}

#[test]
fn paths_that_cannot_be_read_are_defects() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    std::fs::create_dir(at("empty")).unwrap();
    std::fs::write(at("latin.yaml"), b"a: b\nc: \xe9\n").unwrap();
    std::fs::File::create(at("huge.yaml")).unwrap().set_len((64 << 20) + 1).unwrap();
    std::os::unix::fs::symlink("nowhere", at("lost.yaml")).unwrap();
    let loaded = load(&[at("none"), at("empty"), root.path().to_owned()]);
    let name = |name: &str| at(name).display().to_string();
    assert_eq!(
        defects(&loaded),
        [
            format!("{}: the file is larger than 64 MiB", name("huge.yaml")),
            format!("{}:2: the text is not UTF-8", name("latin.yaml")),
            format!("{}: no such file or directory", name("lost.yaml")),
            format!("{}: no such file or directory", name("none")),
        ]
    );
}

#[test]
fn links_count_once_and_end() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    std::fs::create_dir_all(at("b/c")).unwrap();
    std::fs::create_dir(at(".git")).unwrap();
    for (file, name) in [("b/c/x.yml", "x"), (".git/y.yaml", "y"), (".z.yaml", "z"), ("b/readme.md", "w")] {
        std::fs::write(at(file), service(name, "10.0.0.1")).unwrap();
    }
    for (target, link) in [("..", "b/c/loop"), ("b", "a"), ("b/c/x.yml", "again.yaml"), (".git", "git")] {
        std::os::unix::fs::symlink(target, at(link)).unwrap();
    }
    let loaded = load(&[root.path().to_owned(), at("b"), at("b/c/x.yml"), at("b/readme.md")]);
    assert_eq!(
        summary(&loaded.objects),
        [
            "Namespace shop",
            "Service shop/w [10.0.0.1]",
            "Service shop/x [10.0.0.1]",
            "Service shop/y [10.0.0.1]"
        ]
    );
    assert_eq!(defects(&loaded), [] as [&str; 0]);
}

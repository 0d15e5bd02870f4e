use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Node, YamlError> {
    let mut all = documents(text);
    let first = all.next().expect("a document");
    assert_eq!(all.next(), None, "one document");
    first.parse()
}

fn json(text: &str) -> serde_json::Value {
    read(text).unwrap().to_json()
}

fn refused(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn starts(text: &str) -> Vec<(u32, &str)> {
    documents(text).map(|document| (document.line, document.text)).collect()
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    for (text, expected) in [
        ("~", json!(null)),
        ("null", json!(null)),
        ("true", json!(true)),
        ("FALSE", json!(false)),
        ("yes", json!("yes")),
        ("Off", json!("Off")),
        ("12", json!(12)),
        ("-3", json!(-3)),
        ("+4", json!(4)),
        ("010", json!(10)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("-0x1F", json!("-0x1F")),
        ("1_000", json!("1_000")),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("1e3", json!(1000.0)),
        ("9223372036854775807", json!(i64::MAX)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808.0)),
        ("1.2.3", json!("1.2.3")),
        ("10.0.0.1", json!("10.0.0.1")),
        ("2001-01-01", json!("2001-01-01")),
        (".inf", json!(".inf")),
        ("-.inf", json!("-.inf")),
        (".nan", json!(".nan")),
        ("inf", json!("inf")),
        ("+-1.5", json!("+-1.5")),
        ("'true'", json!("true")),
        ("\"12\"", json!("12")),
        ("!!str 12", json!("12")),
        ("! 12", json!("12")),
        ("!!int '12'", json!(12)),
        ("!!float 1", json!(1.0)),
    ] {
        if text == "!!float 1" {
            assert_eq!(read(text).unwrap().value, Value::Float(1.0));
        } else {
            assert_eq!(json(text), expected, "{text}");
        }
    }
}

#[test]
fn old_booleans_are_text_that_can_be_told() {
    let told = |text: &str| read(text).unwrap().old_boolean();
    assert_eq!(told("yes"), Some(true));
    assert_eq!(told("OFF"), Some(false));
    assert_eq!(told("true"), None);
    assert_eq!(told("maybe"), None);
}

#[test]
fn json_is_yaml() {
    let text = "{\n\t\"a\": [1, \"x\\u00e9\\/\", {\"b\": null}],\n\t\"c\": \"\\ud83d\\ude00\"\n}\n";
    assert_eq!(json(text), serde_json::from_str::<serde_json::Value>(text).unwrap());
}

#[test]
fn values_know_their_place() {
    let node = read("# top\na:\n  b: 1\n  c:\n    - x\n    -\n").unwrap();
    let Value::Mapping(entries) = &node.value else { panic!("a mapping") };
    assert_eq!((entries[0].line, entries[0].column), (2, 1));
    let b = node.get("a").unwrap().get("b").unwrap();
    assert_eq!((b.line, b.column), (3, 6));
    assert_eq!(node.locate("a.c[0]"), (5, 7));
}

#[test]
fn nothing_stands_behind_its_key() {
    let node = read("a:\nb:\n\n\nc: 1\n").unwrap();
    assert_eq!(node.get("b").unwrap(), &Node { line: 2, column: 2, value: Value::Null });
    assert_eq!(json("a: !!str\nb: !!null\nc: \"\"\n"), json!({"a": "", "b": null, "c": ""}));
    assert_eq!(json("- \n-\n- ~\n"), json!([null, null, null]));
}

#[test]
fn paths_lead_to_keys_and_items() {
    let text = "kind: Service\nmetadata:\n  annotations:\n    meshdns.io/ttl: x\n    meshdns: y\nspec:\n  ports:\n  - name: a\n    port: zero\n  - port: 2\n";
    let node = read(text).unwrap();
    for (path, place) in [
        ("", (1, 1)),
        (".", (1, 1)),
        ("kind", (1, 1)),
        ("spec", (6, 1)),
        ("spec.ports[0].port", (9, 5)),
        ("spec.ports[1]", (10, 5)),
        ("spec.ports[1].name", (10, 5)),
        ("spec.ports[7].port", (7, 3)),
        ("spec.ports[x", (7, 3)),
        ("spec.selector", (6, 1)),
        ("metadata.annotations.meshdns.io/ttl", (4, 5)),
        ("metadata.annotations.meshdns", (5, 5)),
        ("metadata.annotations[meshdns.io/ttl]", (4, 5)),
        ("metadata.annotations[meshdns]", (5, 5)),
        ("metadata.annotations[meshdns.io]", (3, 3)),
        ("nothing[0]", (1, 1)),
    ] {
        assert_eq!(node.locate(path), place, "{path}");
    }
}

#[test]
fn a_key_stands_once() {
    assert_eq!(
        refused("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n"),
        "line 5, column 3: `c` is already given at line 3"
    );
    assert_eq!(refused("{\"a\": 1,\n \"a\": 2}"), "line 2, column 2: `a` is already given at line 1");
    assert_eq!(refused("<<: {a: 1}\n<<: {b: 1}\n"), "line 2, column 1: `<<` is already given at line 1");
}

#[test]
fn keys_are_scalars() {
    assert_eq!(json("1: a\ntrue: b\n0x10: c\n"), json!({"1": "a", "true": "b", "0x10": "c"}));
    assert!(refused("? [a, b]\n: c\n").contains("a key must be text"));
    assert!(refused("~: c\n").contains("a key is missing"));
}

#[test]
fn aliases_and_merges_are_copies() {
    let text = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\n\
                one:\n  <<: *base\n  b: 5\ntwo:\n  <<: [*base, *other]\nthree: *base\nquoted: {'<<': 1}\n";
    assert_eq!(
        json(text),
        json!({
            "base": {"a": 1, "b": 2}, "other": {"b": 3, "c": 4},
            "one": {"a": 1, "b": 5}, "two": {"a": 1, "b": 2, "c": 4}, "three": {"a": 1, "b": 2},
            "quoted": {"<<": 1},
        })
    );
    assert_eq!(refused("a:\n  <<: 1\n"), "line 2, column 7: `<<` takes a mapping or a list of mappings");
}

#[test]
fn bombs_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(refused(&bomb).contains("make the document too large"), "{}", refused(&bomb));
    let large = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(20));
    assert!(refused(&large).contains("make the document too large"));
    assert!(refused("a: &a [*a]\n").contains("cannot stand inside"));
    assert!(refused("a: *b\n").starts_with("line 1, column 4: "));
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    assert!(read(&nested(MAX_DEPTH + 1)).is_err());
    let blocks: String = (0..100).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert!(
        read(&format!("{blocks}{}{}\n", " ".repeat(100), nested(40))).unwrap_err().message.contains("128")
    );
    let mut chain = "a0: &a0 x\n".to_owned();
    for level in 1..140 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(refused(&chain).contains("128"));
}

#[test]
fn mistakes_have_a_place_and_a_reason() {
    let error = read("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
    assert!(error.line >= 2 && !error.message.is_empty(), "{error}");
    assert_eq!(refused("a: !Ref b\n"), "line 1, column 9: the tag !Ref is not supported here");
    assert_eq!(refused("a: !!int b\n"), "line 1, column 10: `b` does not fit its tag !!int");
    assert_eq!(refused("a: 1\nb: \0\n"), "line 2, column 4: a NUL character is not allowed");
}

#[test]
fn files_split_at_markers() {
    assert_eq!(
        starts("a: 1\n---\nb: 2\n...\nc: 3\n"),
        [(1, "a: 1\n"), (2, "---\nb: 2\n...\n"), (5, "c: 3\n")]
    );
    assert_eq!(starts("---\n---\n# only this\n--- # and this\n...\n\n"), []);
    assert_eq!(starts("--- {a: 1}\n--- 2"), [(1, "--- {a: 1}\n"), (2, "--- 2")]);
    assert_eq!(starts("a: ---\n----\n---b\n"), [(1, "a: ---\n----\n---b\n")]);
    assert_eq!(starts("%YAML 1.2\n# c\n---\na: 1\n"), [(1, "%YAML 1.2\n# c\n---\na: 1\n")]);
    assert_eq!(starts("\u{feff}---\r\na: 1\r\n---\r\nb: 2"), [(1, "---\r\na: 1\r\n"), (3, "---\r\nb: 2")]);
    assert_eq!(starts("# licence\n---\na: 1\n"), [(2, "---\na: 1\n")]);
}

#[test]
fn a_broken_document_leaves_the_others() {
    let read: Vec<_> = documents("a: 1\n---\nb: [\n---\nc: 3\nd: |\n  text\n---\n e: {\n")
        .map(|document| document.parse())
        .collect();
    assert_eq!(read[0].as_ref().unwrap().to_json(), json!({"a": 1}));
    assert!(read[1].as_ref().unwrap_err().line >= 3);
    let third = read[2].as_ref().unwrap();
    assert_eq!(third.to_json(), json!({"c": 3, "d": "text\n"}));
    assert_eq!(third.locate("d"), (6, 1));
    assert!(read[3].as_ref().unwrap_err().line >= 9);
}

/// Text made of what has a meaning in YAML.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("---"),
        Just("..."),
        Just("\n"),
        Just("\n  "),
        Just("\n- "),
        Just(": "),
        Just("? "),
        Just("a"),
        Just("&a "),
        Just("*a"),
        Just("<<"),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(","),
        Just("\""),
        Just("'"),
        Just("|"),
        Just(">-"),
        Just("#"),
        Just(" "),
        Just("\t"),
        Just("!"),
        Just("!!int "),
        Just("%"),
        Just("\r"),
        Just("1"),
        Just("\\u"),
        Just("é"),
        Just("\u{feff}"),
        Just("\u{85}"),
        Just("~"),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn check_any(text: &str) {
    let lines = u32::try_from(text.chars().filter(|c| matches!(c, '\n' | '\r')).count()).unwrap() + 1;
    for document in documents(text) {
        match document.parse() {
            Ok(node) => {
                node.to_json();
                node.locate("a.b[0]");
                assert!(node.line >= document.line && node.line <= lines);
            }
            Err(error) => assert!(error.line >= document.line && error.line <= lines + 1, "{error}"),
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check_any(&text);
    }

    #[test]
    fn anything_like_yaml_is_read_or_refused(text in yaml_like()) {
        check_any(&text);
    }

    #[test]
    fn splitting_loses_no_content(text in yaml_like()) {
        let stripped = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for document in documents(&text) {
            prop_assert!(stripped.contains(document.text));
        }
    }

    #[test]
    fn json_text_reads_as_serde_json_reads_it(keys in proptest::collection::btree_map("[ -~é😀]{0,12}", any::<i64>(), 0..8)) {
        let value = serde_json::json!(keys);
        prop_assert_eq!(read(&value.to_string()).unwrap().to_json(), value);
    }
}

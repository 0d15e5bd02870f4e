use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::model::{Kind, Object};

mod follow;
mod text;

/// A Service with one cluster IP.
fn service(name: &str, address: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  clusterIP: {address}\n"
    )
}

/// A slice of the service `web` with such addresses.
fn slice(name: &str, addresses: &[&str]) -> String {
    let mut text = format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: {name}\n  namespace: shop\n  \
         labels: {{kubernetes.io/service-name: web}}\naddressType: IPv4\nendpoints:\n"
    );
    for address in addresses {
        writeln!(text, "  - addresses: [{address}]").unwrap();
    }
    text
}

/// What each object is, in a few words.
fn summary(objects: &[Object]) -> Vec<String> {
    let mut all: Vec<String> = objects
        .iter()
        .map(|object| match object {
            Object::Service(service) => match &service.addressing {
                crate::model::Addressing::ClusterIps(ips) => format!("{} {ips:?}", object.key()),
                other => format!("{} {other:?}", object.key()),
            },
            Object::EndpointSlice(slice) => {
                let addresses: Vec<_> = slice.endpoints.iter().flat_map(|e| &e.addresses).collect();
                format!("{} {addresses:?}", object.key())
            }
            _ => object.key().to_string(),
        })
        .collect();
    all.sort();
    all
}

fn defects(loaded: &Loaded) -> Vec<String> {
    loaded.report.defects.iter().map(ToString::to_string).collect()
}

fn counted(loaded: &Loaded, kind: Kind) -> u64 {
    loaded.report.objects.get(&kind).copied().unwrap_or_default()
}

proptest! {
    #[test]
    fn any_text_gives_the_same_twice(text in "\\PC*|([a-zA-Z:{}\\[\\]\"'&*!|>%@,#\n -]|kind: |List|items:|---\n){0,80}") {
        for name in ["x.yaml", "x.json"] {
            let (first, second) = (load_text(name, &text), load_text(name, &text));
            prop_assert_eq!(&first.objects, &second.objects);
            prop_assert_eq!(&first.report, &second.report);
        }
    }

    #[test]
    fn a_good_text_with_something_wrong_in_it_is_still_read(at in 0usize..2000, what in "\\PC{0,3}|\n|\t|---\n") {
        let good = [
            service("web", "10.0.0.1"), slice("web-1", &["10.1.0.1", "10.1.0.2"]), service("db", "None")
        ].join("---\n");
        let at = at % (good.len() + 1);
        let text = format!("{}{what}{}", &good[..at], &good[at..]);
        let loaded = load_text("x.yaml", &text);
        let total: u64 = loaded.report.objects.values().sum();
        prop_assert_eq!(total, loaded.objects.len() as u64);
        prop_assert!(total >= 2 || !loaded.report.defects.is_empty());
        prop_assert!(loaded.report.defects.iter().all(|defect| defect.place.starts_with("x.yaml:")));
    }
}

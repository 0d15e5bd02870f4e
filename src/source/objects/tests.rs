mod endpoint_slice;
mod endpoints;
mod pod;
mod service;
mod service_entry;
mod service_import;
mod workload_entry;

use serde_json::json;

use super::*;
use crate::model::{
    Addressing, EndpointAddress, EndpointSlice, Imported, Kind, Labels, Name, ObjectName, Pod, Port,
    Resolution, Service, ServiceEntry, ServiceImport, Target, WorkloadEntry,
};

/// Reads an object called `web` in namespace `shop`, and its defects as `field: message`.
fn read_named(kind: ApiKind, mut json: Value, origin: Origin) -> (Option<Vec<Object>>, Vec<String>) {
    let metadata = json.as_object_mut().unwrap().entry("metadata").or_insert_with(|| json!({}));
    for (key, value) in [("name", "web"), ("namespace", "shop")] {
        metadata.as_object_mut().unwrap().entry(key).or_insert_with(|| json!(value));
    }
    let reading = read(kind, json, origin);
    let defects = reading.defects.iter().map(|defect| {
        assert_eq!(defect.object, reading.key);
        format!("{}: {}", defect.field, defect.message)
    });
    let defects = defects.collect();
    (reading.objects, defects)
}

macro_rules! reader {
    ($function:ident, $kind:ident) => {
        fn $function(json: Value) -> (Option<$kind>, Vec<String>) {
            let (objects, defects) = read_named(ApiKind::$kind, json, Origin::Manifest);
            let object = objects.map(|mut objects| match objects.pop() {
                Some(Object::$kind(object)) if objects.is_empty() => object,
                other => panic!("{other:?}"),
            });
            (object, defects)
        }
    };
}

reader!(service, Service);
reader!(slice, EndpointSlice);
reader!(pod, Pod);
reader!(import, ServiceImport);
reader!(entry, ServiceEntry);
reader!(workload, WorkloadEntry);

fn endpoints(json: Value) -> (Vec<EndpointSlice>, Vec<String>) {
    let (objects, defects) = read_named(ApiKind::Endpoints, json, Origin::Manifest);
    let slices = objects.unwrap().into_iter().map(|object| match object {
        Object::EndpointSlice(slice) => slice,
        other => panic!("{other:?}"),
    });
    (slices.collect(), defects)
}

fn port(name: &str, protocol: &str, number: u16) -> Port {
    Port { name: name.into(), protocol: protocol.into(), number: Some(number) }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| ip(text)).collect()
}

#[test]
fn kinds_are_told_by_group_and_kind() {
    use Recognised::{Foreign, Known, OtherVersion};
    for (api_version, kind, expected) in [
        ("v1", "Namespace", Known(ApiKind::Namespace)),
        ("v1", "Service", Known(ApiKind::Service)),
        ("v1", "Pod", Known(ApiKind::Pod)),
        ("v1", "Endpoints", Known(ApiKind::Endpoints)),
        ("v2", "Service", OtherVersion(ApiKind::Service)),
        ("serving.knative.dev/v1", "Service", Foreign),
        ("discovery.k8s.io/v1", "EndpointSlice", Known(ApiKind::EndpointSlice)),
        ("discovery.k8s.io/v1beta1", "EndpointSlice", Known(ApiKind::EndpointSlice)),
        ("discovery.k8s.io/v2", "EndpointSlice", OtherVersion(ApiKind::EndpointSlice)),
        ("v1", "EndpointSlice", Foreign),
        ("multicluster.x-k8s.io/v1alpha1", "ServiceImport", Known(ApiKind::ServiceImport)),
        ("multicluster.x-k8s.io/v7", "ServiceImport", Known(ApiKind::ServiceImport)),
        ("networking.istio.io/v1", "ServiceEntry", Known(ApiKind::ServiceEntry)),
        ("networking.istio.io/v1beta1", "ServiceEntry", Known(ApiKind::ServiceEntry)),
        ("networking.istio.io/v1alpha3", "WorkloadEntry", Known(ApiKind::WorkloadEntry)),
        ("networking.istio.io/v1alpha1", "WorkloadEntry", OtherVersion(ApiKind::WorkloadEntry)),
        ("networking.istio.io/v1", "VirtualService", Foreign),
        ("apps/v1", "Deployment", Foreign),
    ] {
        assert_eq!(recognise(api_version, kind), expected, "{api_version} {kind}");
    }
}

#[test]
fn names_are_checked() {
    let defect = |kind, metadata: Value| {
        let reading = read(kind, json!({"metadata": metadata, "spec": {"hosts": ["a.b"]}}), Origin::Manifest);
        let defect = reading.defects.into_iter().next();
        (
            reading.key.map(|key| key.to_string()),
            defect.map(|defect| format!("{}: {}", defect.field, defect.message)),
        )
    };
    let named = |kind, name: &str| defect(kind, json!({"name": name}));
    assert_eq!(named(ApiKind::Service, "web"), (Some("Service default/web".into()), None));
    assert_eq!(named(ApiKind::Namespace, "web"), (Some("Namespace web".into()), None));
    assert_eq!(
        named(ApiKind::ServiceEntry, "api.example.com").0.unwrap(),
        "ServiceEntry default/api.example.com"
    );
    assert_eq!(named(ApiKind::Endpoints, "db").0.unwrap(), "EndpointSlice default/db-mirrored-0");
    assert_eq!(named(ApiKind::Service, &"x".repeat(63)).1, None);
    for (kind, name) in [
        (ApiKind::Service, "a.b"),
        (ApiKind::Service, "Web"),
        (ApiKind::Service, "-a"),
        (ApiKind::Service, "a-"),
        (ApiKind::Namespace, "a_b"),
        (ApiKind::ServiceEntry, "a..b"),
        (ApiKind::Pod, "é"),
    ] {
        let (key, message) = named(kind, name);
        assert_eq!(key, None, "{name}");
        assert!(message.unwrap().starts_with(&format!("metadata.name: `{name}` is not an object name: ")));
    }
    assert!(named(ApiKind::Service, &"x".repeat(64)).1.unwrap().contains("63"));
    assert!(named(ApiKind::Pod, &"x.".repeat(127)).1.unwrap().contains("253"));
    for metadata in
        [json!({}), json!(null), json!({"name": null}), json!({"name": ""}), json!({"generateName": "a"})]
    {
        assert_eq!(defect(ApiKind::Pod, metadata).1.unwrap(), "metadata.name: is missing");
    }
    let lost = defect(ApiKind::Pod, json!({"name": "a", "namespace": "A"})).1.unwrap();
    assert!(lost.starts_with("metadata.namespace: `A` is not a namespace"), "{lost}");
    let found = defect(ApiKind::Pod, json!({"name": "a", "namespace": ""})).0;
    assert_eq!(found.unwrap(), "Pod default/a");
}

#[test]
fn a_wrong_type_refuses_the_object_and_names_the_field() {
    for (kind, json, expected) in [
        (
            ApiKind::Service,
            json!({"spec": {"ports": [{"port": 80}, {"port": "x"}]}}),
            "spec.ports[1].port: invalid type: string \"x\", expected a whole number",
        ),
        (ApiKind::Service, json!({"spec": []}), "spec: invalid type: sequence, expected a mapping"),
        (
            ApiKind::EndpointSlice,
            json!({"endpoints": [{"conditions": [false]}]}),
            "endpoints[0].conditions: invalid type: sequence, expected a mapping",
        ),
        (
            ApiKind::Service,
            json!({"metadata": {"labels": {"a.b/c": 1}}}),
            "metadata.labels.a.b/c: invalid type: integer `1`, expected a string",
        ),
        (
            ApiKind::EndpointSlice,
            json!({"endpoints": [{"conditions": {"ready": "yes"}}]}),
            "endpoints[0].conditions.ready: invalid type: string \"yes\", expected a boolean",
        ),
        (
            ApiKind::ServiceEntry,
            json!({"spec": {"hosts": "a.b"}}),
            "spec.hosts: invalid type: string \"a.b\", expected a sequence",
        ),
    ] {
        assert_eq!(read_named(kind, json, Origin::Manifest), (None, vec![expected.to_owned()]));
    }
}

#[test]
fn a_namespace_has_the_label_of_its_name() {
    let json =
        json!({"metadata": {"name": "shop", "labels": {"team": "a", "kubernetes.io/metadata.name": "x"}}});
    let reading = read(ApiKind::Namespace, json, Origin::ApiServer);
    let Some([Object::Namespace(namespace)]) = reading.objects.as_deref() else { panic!("{reading:?}") };
    assert_eq!(&*namespace.name, "shop");
    assert_eq!(namespace.labels, Labels::from_iter([("team", "a"), ("kubernetes.io/metadata.name", "shop")]));
}

#[test]
fn the_kind_of_each_key_is_that_of_its_object() {
    for (kind, expected) in [
        (ApiKind::Pod, Kind::Pod),
        (ApiKind::Endpoints, Kind::EndpointSlice),
        (ApiKind::ServiceImport, Kind::ServiceImport),
    ] {
        let key = key(kind, &json!({"metadata": {"name": "a"}})).unwrap();
        assert_eq!((key.kind, &*key.name.namespace), (expected, "default"));
    }
    assert_eq!(key(ApiKind::Pod, &json!({"metadata": {"name": "a", "namespace": 1}})), None);
    assert_eq!(key(ApiKind::Pod, &json!([])), None);
}

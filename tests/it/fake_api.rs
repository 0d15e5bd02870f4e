//! The API server that lies says exactly what it is told to say.

use std::time::Duration;

use meshdns::apiserver::{ApiServer, ApiServerSettings};

use crate::support::fake_api::{Events, FakeApi, Reply, bookmark, end_of_list, event, list};
use crate::support::faults::{Kind, Requests};
use crate::support::kube::{ADMIN, Api};

const SERVICES: Requests = Requests::to("services");

#[test]
fn lists_come_page_by_page_and_watches_as_they_are_pushed() {
    let events = Events::default();
    events.push(&event("ADDED", r#"{"metadata":{"name":7}}"#));
    let watched = events.clone();
    let api = FakeApi::start(move |asked| match (asked.resource.as_str(), asked.kind) {
        ("services", Kind::List) => Reply::text(list("5", "more", &["1"])),
        ("services", Kind::NextPage) => Reply::text(list("5", "", &["2", "null"])),
        ("services", Kind::Watch) => Reply::events(&watched),
        ("pods", _) => Reply::status(403),
        _ => Reply::quiet(asked),
    });
    let client = Api::at(&api.url(), &ADMIN);
    let first = r#"{"kind":"List","apiVersion":"v1","metadata":{"continue":"more","resourceVersion":"5"},"items":[1]}"#;
    assert_eq!(client.text("/api/v1/services").unwrap(), first);
    assert!(client.text("/api/v1/services?continue=more").unwrap().ends_with(r#""items":[2,null]}"#));
    let watch = client.open("/api/v1/services?watch=true").unwrap();
    assert_eq!(
        watch.next().unwrap().unwrap(),
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":7}}}\n"
    );
    assert!(watch.silent_for(Duration::from_millis(100)));
    events.push("half a line, ");
    events.push(&bookmark("6"));
    assert!(watch.next().unwrap().unwrap().starts_with(r#"half a line, {"type":"BOOKMARK","#));
    events.push("and no end of the line");
    events.end();
    assert_eq!(watch.next().unwrap().unwrap(), "and no end of the line");
    assert_eq!(watch.next(), None);
    // A second watch gets everything again.
    let again = client.open("/api/v1/services?watch=true").unwrap();
    assert!(again.next().unwrap().unwrap().contains("ADDED"));
    assert!(client.text("/api/v1/pods").is_err());
    api.wait_for(SERVICES.of(&[Kind::Watch]), 2);
    let kinds: Vec<_> = api.asked(SERVICES).iter().map(|asked| asked.kind).collect();
    assert_eq!(kinds, [Kind::List, Kind::NextPage, Kind::Watch, Kind::Watch]);
}

#[tokio::test]
async fn a_quiet_one_is_an_empty_cluster() {
    let api = FakeApi::start(Reply::quiet);
    let settings = ApiServerSettings { kubeconfig: Some(api.kubeconfig()), context: None };
    let server = ApiServer::find(&settings).await.unwrap();
    assert!(server.client().apiserver_version().await.is_err(), "it has resources only");
    let client = Api::at(&api.url(), &ADMIN);
    assert!(client.text("/apis/networking.istio.io/v1/serviceentries").unwrap().ends_with(r#""items":[]}"#));
    let streamed = client.open("/api/v1/services?watch=1&sendInitialEvents=true").unwrap();
    assert_eq!(streamed.next().unwrap().unwrap(), end_of_list("1"));
    let watch = client.open("/api/v1/services?watch=1").unwrap();
    assert!(streamed.silent_for(Duration::from_millis(100)) && watch.silent_for(Duration::from_millis(100)));
}

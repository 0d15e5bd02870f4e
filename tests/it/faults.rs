//! The proxy before an API server fails as it is told to: every fault, seen by a client, at a real API server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use meshdns::apiserver::{ApiServer, ApiServerSettings};
use serde_json::{Value, json};

use crate::support::faults::{Fault, FaultyProxy, Kind, Requests};
use crate::support::kube::{ADMIN, Api, CONFIG_MAPS, ControlPlane, Lines, MESHDNS, Namespace, until};

const MAPS: Requests = Requests::to("configmaps");
const WATCHES: Requests = MAPS.of(&[Kind::Watch]);

/// A proxy, a namespace, and that namespace seen through the proxy.
struct Stage {
    proxy: FaultyProxy,
    namespace: Namespace<'static>,
    through: Api,
}

impl Stage {
    fn new() -> Self {
        let plane = ControlPlane::shared();
        let (proxy, namespace) = (FaultyProxy::before(plane), plane.namespace("faults"));
        let through = Api::at(&proxy.url(), &ADMIN).within(&namespace.name);
        Self { proxy, namespace, through }
    }

    /// A watch through the proxy of what is created from now on.
    fn watch(&self) -> Lines {
        let list = self.namespace.text(&self.namespace.query(CONFIG_MAPS, "")).unwrap();
        let list: Value = serde_json::from_str(&list).unwrap();
        let version = list["metadata"]["resourceVersion"].as_str().unwrap();
        let query = format!("watch=1&allowWatchBookmarks=true&resourceVersion={version}");
        self.through.open(&self.through.query(CONFIG_MAPS, &query)).unwrap()
    }

    /// Creates an object, past the proxy.
    fn create(&self, name: &str) {
        self.namespace.apply(&format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}"));
    }

    fn list(&self) -> kube::Result<String> {
        self.through.text(&self.through.query(CONFIG_MAPS, ""))
    }

    /// The answer to a request for the list, head and body, as it comes.
    fn raw_list(&self) -> String {
        let path = self.through.query(CONFIG_MAPS, "");
        let mut stream = TcpStream::connect(self.proxy.url().strip_prefix("http://").unwrap()).unwrap();
        let token = &ADMIN.token;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: proxy\r\nAuthorization: Bearer {token}\r\n\r\n")
            .unwrap();
        let mut reply = Vec::new();
        // A connection that breaks off is told from one that ends by what has come.
        let _ = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    }
}

/// Type and name of an event.
fn event(lines: &Lines) -> (String, String) {
    let line = lines.next().unwrap().unwrap();
    let event: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/type"), text("/object/metadata/name"))
}

fn added(name: &str) -> (String, String) {
    ("ADDED".to_owned(), name.to_owned())
}

fn code<T>(result: kube::Result<T>) -> u16 {
    match result {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn without_a_fault_nothing_is_changed_and_everything_noted() {
    let stage = Stage::new();
    stage.create("one");
    assert_eq!(stage.through.list(CONFIG_MAPS), stage.namespace.list(CONFIG_MAPS));
    let watch = stage.watch();
    stage.through.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: two}, data: {written: through}}");
    assert_eq!(event(&watch), added("two"));
    stage.proxy.wait_for(WATCHES, 1);
    assert_eq!(stage.proxy.running(Requests::WATCHES), 1);
    drop(watch);
    until("watch over", || (stage.proxy.running(Requests::WATCHES) == 0).then_some(()));
    let meshdns = Api::at(&stage.proxy.url(), &MESHDNS);
    assert_eq!(meshdns.who_am_i(), "system:serviceaccount:meshdns:meshdns");
    let asked = stage.proxy.asked(Requests::ALL);
    let kinds: Vec<_> =
        asked.iter().map(|asked| (asked.resource.as_str(), asked.kind, asked.answered)).collect();
    let expected = [
        ("configmaps", Kind::List, Some(200)),
        ("configmaps", Kind::Watch, Some(200)),
        ("", Kind::Get, Some(200)),
        ("configmaps", Kind::Write, Some(201)),
        ("selfsubjectreviews", Kind::Write, Some(201)),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(asked[4].token.as_deref(), Some(&*MESHDNS.token));
    assert!(asked[1].target.contains("allowWatchBookmarks=true") && asked.is_sorted_by_key(|asked| asked.at));
}

#[tokio::test]
async fn a_kubeconfig_may_lead_through_it() {
    let plane = ControlPlane::shared();
    let proxy = FaultyProxy::before(plane);
    let kubeconfig = plane.kubeconfig_to(&proxy.url(), &MESHDNS);
    let settings = ApiServerSettings { kubeconfig: Some(kubeconfig), context: None };
    let server = ApiServer::find(&settings).await.unwrap();
    server.client().apiserver_version().await.unwrap();
    assert_eq!(proxy.asked(Requests::ALL)[0].token.as_deref(), Some(&*MESHDNS.token));
}

#[test]
fn lists_and_their_pages_are_told_apart() {
    let stage = Stage::new();
    for name in ["one", "two", "three"] {
        stage.create(name);
    }
    let page = |token: &str| {
        let page = stage.through.text(&stage.through.query(CONFIG_MAPS, &format!("limit=1{token}")))?;
        let page: Value = serde_json::from_str(&page).unwrap();
        Ok(page["metadata"]["continue"].as_str().unwrap().to_owned())
    };
    let more = page("").unwrap();
    // In the middle of a list, as after a compaction.
    stage.proxy.inflict(MAPS.of(&[Kind::NextPage]), Fault::Answer { code: 410, retry_after: None });
    assert_eq!(code(page(&format!("&continue={more}"))), 410);
    assert_eq!(code(page("")), 200);
    stage.proxy.heal(MAPS.of(&[Kind::NextPage]));
    assert_eq!(code(page(&format!("&continue={more}"))), 200);
}

#[test]
fn answers_are_a_status_for_those_who_are_meant() {
    let stage = Stage::new();
    for expected in [401, 403, 404, 410, 429, 500, 503] {
        stage.proxy.inflict(MAPS, Fault::Answer { code: expected, retry_after: Some(7) });
        assert_eq!(code(stage.list()), expected);
        let raw = stage.raw_list();
        assert!(
            raw.starts_with(&format!("HTTP/1.0 {expected} ")) && raw.contains("\r\nretry-after: 7\r\n"),
            "{raw}"
        );
        assert_eq!(code(stage.through.text("/api/v1/services")), 200);
        stage.proxy.heal(MAPS);
        assert_eq!(code(stage.list()), 200);
    }
}

#[test]
fn streamed_lists_alone_can_be_refused() {
    let stage = Stage::new();
    let streamed = || {
        let query =
            "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        stage.through.open(&stage.through.query(CONFIG_MAPS, query))
    };
    stage
        .proxy
        .inflict(Requests::ALL.of(&[Kind::StreamedList]), Fault::Answer { code: 422, retry_after: None });
    assert_eq!(code(streamed()), 422);
    assert_eq!(code(stage.list()), 200);
    stage.proxy.heal(Requests::ALL.of(&[Kind::StreamedList]));
    assert_eq!(event(&streamed().unwrap()).0, "BOOKMARK");
}

#[test]
fn a_page_is_no_status() {
    let stage = Stage::new();
    stage.proxy.inflict(MAPS, Fault::Page(502));
    let raw = stage.raw_list();
    assert!(raw.starts_with("HTTP/1.0 502 ") && raw.ends_with("</html>"), "{raw}");
}

#[test]
fn a_fault_can_be_for_some_requests_only() {
    let stage = Stage::new();
    stage.proxy.inflict_times(2, MAPS, Fault::Answer { code: 503, retry_after: None });
    let codes = [stage.list(), stage.list(), stage.list()].map(code);
    assert_eq!(codes, [503, 503, 200]);
    // The last one that was inflicted holds.
    stage.proxy.inflict(MAPS, Fault::Answer { code: 500, retry_after: None });
    stage.proxy.inflict_times(1, MAPS, Fault::Answer { code: 403, retry_after: None });
    assert_eq!([stage.list(), stage.list()].map(code), [403, 500]);
}

#[test]
fn delays_are_kept() {
    let stage = Stage::new();
    let delay = Duration::from_millis(200);
    stage.proxy.inflict(MAPS, Fault::Delay(delay));
    let begin = Instant::now();
    assert_eq!(code(stage.list()), 200);
    assert!(begin.elapsed() >= delay);
}

#[test]
fn a_partition_breaks_everything_off_until_it_ends() {
    let stage = Stage::new();
    let watch = stage.watch();
    stage.proxy.part();
    assert!(matches!(watch.next(), Some(Err(_))), "the watch breaks off");
    assert!(matches!(stage.list(), Err(kube::Error::HyperError(_) | kube::Error::Service(_))));
    stage.proxy.rejoin();
    assert_eq!(code(stage.list()), 200);
}

#[test]
fn what_is_frozen_goes_on_when_it_thaws() {
    let stage = Stage::new();
    let watch = stage.watch();
    stage.create("before");
    assert_eq!(event(&watch), added("before"));
    stage.proxy.inflict(MAPS, Fault::Freeze);
    stage.create("meanwhile");
    let api = stage.through.clone();
    let list = std::thread::spawn(move || api.list(CONFIG_MAPS).len());
    assert!(watch.silent_for(Duration::from_millis(300)));
    assert!(!list.is_finished());
    assert_eq!(stage.proxy.running(WATCHES), 1);
    stage.proxy.heal(MAPS);
    assert_eq!(event(&watch), added("meanwhile"));
    assert_eq!(list.join().unwrap(), 2);
}

#[test]
fn whoever_is_hung_up_on_gets_no_answer() {
    let stage = Stage::new();
    let watch = stage.watch();
    stage.proxy.inflict(MAPS, Fault::HangUp);
    assert_eq!(stage.raw_list(), "");
    assert!(matches!(watch.next(), Some(Err(_))), "the watch breaks off");
}

#[test]
fn lists_and_watches_are_cut_where_it_is_said() {
    let stage = Stage::new();
    let watch = stage.watch();
    stage.create("one");
    assert_eq!(event(&watch), added("one"));
    stage.proxy.inflict(MAPS, Fault::Cut { after: 20 });
    stage.create("two");
    let broken = watch.next().unwrap().unwrap_err();
    assert!(broken.starts_with(r#"{"type":"ADDED","obj and then "#), "{broken}");
    let list = stage.through.open(&stage.through.query(CONFIG_MAPS, "")).unwrap();
    let broken = list.next().unwrap().unwrap_err();
    assert!(broken.starts_with(r#"{"kind":"ConfigMapLi and then "#), "{broken}");
}

#[test]
fn octets_are_garbled_where_it_is_said() {
    let stage = Stage::new();
    let watch = stage.watch();
    stage.proxy.inflict(MAPS, Fault::Garble { after: 9, with: b'!' });
    stage.create("one");
    let line = watch.next().unwrap().unwrap();
    assert!(line.starts_with(r#"{"type":"!!!!!!!!!!!!!!!!{"kind":"ConfigMap""#), "{line}");
    assert!(stage.list().unwrap().starts_with(r#"{"kind":"!!!!!!!!!!!!!!!!"#));
}

#[test]
fn watches_end_with_an_error_event() {
    let stage = Stage::new();
    let running = stage.watch();
    stage.proxy.inflict(MAPS, Fault::ErrorEvent { code: 410 });
    for watch in [running, stage.watch()] {
        let line = watch.next().unwrap().unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
        assert_eq!(watch.next(), None);
    }
    assert_eq!(code(stage.list()), 200);
}

#[test]
fn events_are_doubled_and_swapped_and_lost() {
    let stage = Stage::new();
    let watch = stage.watch();
    stage.proxy.inflict(WATCHES, Fault::Duplicate);
    stage.create("twin");
    assert_eq!([event(&watch), event(&watch)], [added("twin"), added("twin")]);
    stage.proxy.heal(WATCHES);
    stage.proxy.inflict(WATCHES, Fault::Reorder);
    stage.create("first");
    stage.create("second");
    assert_eq!([event(&watch), event(&watch)], [added("second"), added("first")]);
    stage.proxy.heal(WATCHES);
    stage.proxy.inflict(WATCHES, Fault::Lose("DELETED"));
    stage.namespace.delete(CONFIG_MAPS, "twin");
    stage.create("last");
    assert_eq!(event(&watch), added("last"));
}

#[test]
fn a_trickle_is_slow_and_complete() {
    let stage = Stage::new();
    let watch = stage.watch();
    stage.proxy.inflict(WATCHES, Fault::Trickle { octets: 50, every: Duration::from_millis(20) });
    let begin = Instant::now();
    stage.create("slow");
    assert_eq!(event(&watch), added("slow"));
    // The event is more than 200 octets.
    assert!(begin.elapsed() >= Duration::from_millis(80));
}

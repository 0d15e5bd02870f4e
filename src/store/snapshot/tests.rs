//! Snapshots: what is written is read, whatever else is in the file is refused and says why.

use std::io::Cursor;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::{option, string::string_regex};

use super::*;
use crate::model::*;

const SCOPE: &str = "cluster a, all namespaces";
const HOUR: Duration = Duration::from_secs(3600);
/// When the snapshots of these tests were taken.
const LIVE: u64 = 1_800_000_000;

const WANTED: Wanted<'_> = Wanted { scope: SCOPE, now: LIVE + 60, most: HOUR };

fn taken() -> Taken {
    Taken { live: LIVE, scope: SCOPE.into() }
}

fn text() -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        3 => select(&["", "web", "Upper_Case", "zone-ä", "日本", "a/b", "\0", " ", "*", "10.0.0.1"][..]).prop_map(Box::from),
        1 => any::<String>().prop_map(Box::from),
    ]
}

fn shared() -> impl Strategy<Value = Arc<str>> {
    text().prop_map(Arc::from)
}

fn name() -> impl Strategy<Value = ObjectName> {
    (shared(), shared()).prop_map(|(namespace, name)| ObjectName { namespace, name })
}

fn labels() -> impl Strategy<Value = Labels> {
    vec((text(), text()), 0..4).prop_map(Labels::from_iter)
}

fn addresses() -> impl Strategy<Value = Vec<IpAddr>> {
    vec(any::<IpAddr>(), 0..4)
}

fn ports() -> impl Strategy<Value = Vec<Port>> {
    let port = (text(), text(), any::<Option<u16>>());
    vec(port.prop_map(|(name, protocol, number)| Port { name, protocol, number }), 0..3)
}

fn domain() -> impl Strategy<Value = String> {
    string_regex("[a-zA-Z0-9_-]{1,63}(\\.[a-zA-Z0-9_-]{1,20}){0,4}\\.?").unwrap()
}

fn host() -> impl Strategy<Value = Host> {
    (any::<bool>(), domain())
        .prop_map(|(wildcard, name)| Host::parse(&if wildcard { format!("*.{name}") } else { name }).unwrap())
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        any::<IpAddr>().prop_map(Target::Address),
        domain().prop_map(|name| Target::parse(&name).unwrap()),
        Just(Target::Unanswerable),
    ]
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let place = prop_oneof![
        3 => any::<IpAddr>().prop_map(EndpointAddress::Ip),
        1 => domain().prop_map(|name| EndpointAddress::Name(Name::parse(&name).unwrap())),
    ];
    let place = vec(place, 0..3).prop_map(|places| places.into_iter().collect());
    let conditions = (any::<bool>(), any::<bool>(), any::<bool>());
    (place, option::of(shared()), conditions, option::of(shared()), option::of(shared())).prop_map(
        |(addresses, hostname, (ready, serving, terminating), target, zone)| Endpoint {
            addresses,
            hostname,
            ready,
            serving,
            terminating,
            target,
            zone,
        },
    )
}

fn entry() -> impl Strategy<Value = ServiceEntry> {
    use Resolution::{Dns, DnsRoundRobin, DynamicDns, None, Static};
    let resolution = select(&[None, Static, Dns, DnsRoundRobin, DynamicDns][..]);
    let first = (name(), labels(), vec(host(), 0..3), any::<bool>(), addresses(), ports(), resolution);
    let answer = option::of(select(&AnswerMode::ALL[..]));
    let assigned = vec((text(), any::<IpAddr>()), 0..3);
    let answer = (answer, ttl(), stamp());
    let rest = (vec(target(), 0..3), option::of(labels()), answer, vec(text(), 0..3), any::<i64>(), assigned);
    (first, rest).prop_map(|(first, rest)| {
        let (name, labels, hosts, declares_addresses, addresses, ports, resolution) = first;
        let (endpoints, selector, (answer, ttl, written), export_to, created, assigned) = rest;
        ServiceEntry {
            name,
            labels,
            hosts,
            declares_addresses,
            addresses,
            ports,
            resolution,
            endpoints,
            selector,
            answer,
            ttl,
            export_to,
            created,
            assigned,
            written,
        }
    })
}

fn stamp() -> impl Strategy<Value = Option<Stamp>> {
    any::<u32>().prop_map(|seconds| Stamp::new(seconds.into()))
}

fn ttl() -> impl Strategy<Value = Option<Ttl>> {
    option::of((0_i64..=3600).prop_map(|seconds| Ttl::new(seconds).unwrap()))
}

/// Objects of every kind that a snapshot has, with everything in them that can be.
fn object() -> impl Strategy<Value = Object> {
    let addressing = prop_oneof![
        addresses().prop_map(Addressing::ClusterIps),
        Just(Addressing::Headless),
        text().prop_map(Addressing::ExternalName),
        Just(Addressing::Unassigned),
    ];
    let imported = (shared(), text()).prop_map(|(service, cluster)| Imported { service, cluster });
    let owners = (option::of(shared()), option::of(imported));
    prop_oneof![
        (shared(), labels()).prop_map(|(name, labels)| Object::Namespace(Namespace { name, labels })),
        (name(), labels(), addressing, ports(), any::<bool>(), (ttl(), stamp())).prop_map(
            |(name, labels, addressing, ports, selects_pods, (ttl, written))| {
                Object::Service(Service {
                    name,
                    labels,
                    addressing,
                    ports: ports.into(),
                    selects_pods,
                    ttl,
                    written,
                })
            }
        ),
        (name(), labels(), owners, ports(), vec(endpoint(), 0..4), (any::<bool>(), stamp())).prop_map(
            |(name, labels, (service, import), ports, endpoints, (mirrored, written))| {
                Object::EndpointSlice(EndpointSlice {
                    name,
                    labels,
                    service,
                    import,
                    ports: ports.into(),
                    endpoints,
                    mirrored,
                    written,
                })
            }
        ),
        (name(), labels(), any::<Option<IpAddr>>(), any::<[bool; 3]>()).prop_map(
            |(name, labels, address, [ready, finished, terminating])| {
                Object::Pod(Pod { name, labels, address, ready, finished, terminating })
            }
        ),
        (name(), labels(), option::of(addresses()), ports(), stamp()).prop_map(
            |(name, labels, addresses, ports, written)| {
                Object::ServiceImport(ServiceImport { name, labels, addresses, ports, written })
            }
        ),
        entry().prop_map(Object::ServiceEntry),
        (name(), labels(), target(), any::<bool>()).prop_map(|(name, labels, target, healthy)| {
            Object::WorkloadEntry(WorkloadEntry { name, labels, target, healthy })
        }),
    ]
}

fn written(path: &Path, objects: &[Object]) -> Written {
    let mut writer = SnapshotWriter::create(path, &taken()).unwrap();
    for page in objects.chunks(7) {
        writer.push(page).unwrap();
    }
    writer.finish().unwrap()
}

fn read(path: &Path) -> Result<Vec<Object>, SnapshotError> {
    collected(Snapshot::open(path, &WANTED)?.expect("a file"))
}

fn collected<R: std::io::Read + std::io::Seek>(snapshot: Snapshot<R>) -> Result<Vec<Object>, SnapshotError> {
    let mut all = Vec::new();
    for block in snapshot.blocks()? {
        all.extend(block?.objects);
    }
    Ok(all)
}

/// The same for octets that are in no file.
fn read_octets(octets: &[u8]) -> Result<Vec<Object>, SnapshotError> {
    let length = octets.len() as u64;
    collected(Snapshot::check(Path::new("state/snapshot.meshdns"), Cursor::new(octets), length, &WANTED)?)
}

fn told(octets: &[u8]) -> String {
    read_octets(octets).unwrap_err().to_string()
}

/// A directory and a name in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("snapshot.meshdns");
    (directory, path)
}

fn service(name: &str) -> Object {
    Object::Service(Service {
        written: None,
        name: ObjectName::new("shop", name),
        labels: Labels::default(),
        addressing: Addressing::ClusterIps(vec!["10.96.0.1".parse().unwrap()]),
        ports: [].into(),
        selects_pods: true,
        ttl: None,
    })
}

/// A snapshot of few objects.
fn small() -> Vec<u8> {
    let (_directory, path) = place();
    written(&path, &["a", "b"].map(service));
    std::fs::read(path).unwrap()
}

/// One of three blocks, cut into its frames behind the beginning.
fn frames() -> (Vec<u8>, Vec<Vec<u8>>) {
    let (_directory, path) = place();
    let large: String = "x".repeat(300 << 10);
    let slice = |name: &str| {
        let labels = Labels::from_iter([(large.clone(), String::new())]);
        Object::Namespace(Namespace { name: name.into(), labels })
    };
    written(&path, &["a", "b", "c"].map(slice));
    let octets = std::fs::read(path).unwrap();
    let (beginning, mut rest) = octets.split_at(12);
    let mut frames = Vec::new();
    while let Some(length) = rest.get(1..5) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let (frame, behind) = rest.split_at(5 + length + 8);
        frames.push(frame.to_vec());
        rest = behind;
    }
    (beginning.to_vec(), frames)
}

proptest! {
    #[test]
    fn every_object_is_read_as_it_was(objects in vec(object(), 0..8)) {
        let mut octets = Vec::new();
        for object in &objects {
            prop_assert!(Block::append(object, &mut octets));
        }
        prop_assert_eq!(Block::read(&octets).unwrap(), Block { objects, unknown: 0 });
    }

    #[test]
    fn any_octets_are_refused_or_read(octets in vec(any::<u8>(), 0..200)) {
        let _ = Block::read(&octets);
        prop_assert!(read_octets(&octets).is_err());
    }
}

#[test]
fn a_snapshot_of_many_blocks_is_read_as_it_was_written() {
    let (directory, path) = place();
    let objects: Vec<Object> = (0..20_000).map(|number| service(&format!("service-{number}"))).collect();
    let result = written(&path, &objects);
    let about = std::fs::metadata(&path).unwrap();
    assert_eq!((result.objects, result.octets), (20_000, about.len()));
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    let snapshot = Snapshot::open(&path, &WANTED).unwrap().unwrap();
    assert_eq!((snapshot.objects(), snapshot.taken()), (20_000, &taken()));
    assert!(snapshot.blocks().unwrap().count() > 2);
    assert_eq!(read(&path).unwrap(), objects);

    written(&path, &[]);
    assert_eq!(read(&path).unwrap(), [], "it was replaced");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "and nothing is left beside it");
    assert!(Snapshot::open(&directory.path().join("none"), &WANTED).unwrap().is_none());
}

#[test]
fn rows_of_the_name_table_are_left_out() {
    let (_directory, path) = place();
    let host = Host::parse("a.example").unwrap();
    let row = TableRow { host, addresses: Vec::new(), registry: Registry::External };
    assert_eq!(written(&path, &[Object::TableRow(row), service("a")]).objects, 1);
    assert_eq!(read(&path).unwrap(), [service("a")]);
}

#[test]
fn no_octet_can_change_and_none_be_missing() {
    let whole = small();
    assert_eq!(read_octets(&whole).unwrap().len(), 2);
    for at in 0..whole.len() {
        for change in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut octets = whole.clone();
            octets[at] ^= change;
            assert!(read_octets(&octets).is_err(), "octet {at} with {change}");
        }
        let cut = told(&whole[..at]);
        assert!(cut.contains(&format!("the snapshot is cut off: it ends after {at} octets")), "{at}: {cut}");
        let more = [&whole, &whole[..=at]].concat();
        assert!(told(&more).ends_with(&format!("{} octets stand behind its end", at + 1)));
    }
}

#[test]
fn blocks_cannot_be_missing_or_twice_or_elsewhere() {
    let (beginning, frames) = frames();
    let put_together = |order: &[usize]| {
        let picked = order.iter().flat_map(|at| frames[*at].clone());
        beginning.iter().copied().chain(picked).collect::<Vec<u8>>()
    };
    assert_eq!(read_octets(&put_together(&[0, 1, 2, 3, 4])).unwrap().len(), 3);
    for order in [&[0, 1, 2, 4][..], &[0, 1, 2, 2, 3, 4], &[0, 2, 1, 3, 4], &[0, 4]] {
        let error = told(&put_together(order));
        assert!(error.ends_with("damaged: the checksum of the whole differs"), "{order:?}: {error}");
    }
    assert!(told(&put_together(&[0, 1, 0, 2, 3, 4])).ends_with("block 2 is a second header"));
    assert!(told(&put_together(&[1, 2, 3, 4])).ends_with("it has no header"));
    let mut damaged = frames[2].clone();
    damaged[100] ^= 1;
    let octets = [&beginning, &frames[0], &frames[1], &damaged, &frames[3], &frames[4]].map(|part| &part[..]);
    assert!(told(&octets.concat()).ends_with("damaged: the checksum of block 2 differs"));
}

#[test]
fn what_is_wrong_is_told_with_the_file() {
    let whole = small();
    let file = "state/snapshot.meshdns: ";
    let with = |at: usize, octets: &[u8]| {
        let mut changed = whole.clone();
        changed[at..at + octets.len()].copy_from_slice(octets);
        told(&changed)
    };
    for error in [with(0, b"M"), told(b"PK\x03\x04"), told(b"m\n")] {
        assert!(error.starts_with(&format!("{file}it is no snapshot; nothing is changed in it")), "{error}");
    }
    assert_eq!(with(8, &[0, 0, 0, 2]), format!("{file}the snapshot has format 2, this version knows 1"));
    assert_eq!(
        with(13, &[0xff; 4]),
        format!("{file}the snapshot is damaged: its header claims to have 4294967295 octets")
    );
    assert_eq!(
        with(13, &[0, 0x3f, 0xff, 0xff]),
        format!("{file}the snapshot is cut off: it ends after {} octets, in its header", whole.len())
    );
}

#[test]
fn a_snapshot_of_another_cluster_or_time_is_not_used() {
    let whole = small();
    let check = |wanted: Wanted<'_>| {
        let length = whole.len() as u64;
        let checked = Snapshot::check(Path::new("file"), Cursor::new(&whole), length, &wanted);
        checked.map(drop).map_err(|error| error.to_string())
    };
    let at = |now| check(Wanted { now, ..WANTED });
    assert_eq!(at(LIVE), Ok(()));
    assert_eq!(at(LIVE + 3600), Ok(()));
    assert_eq!(at(LIVE - 3600), Ok(()), "a clock that was set back a little");
    assert_eq!(at(LIVE + 3601), Err("file: the snapshot is 3601 s old, and 3600 s are allowed".into()));
    let unborn = "file: the snapshot was taken 3601 s from now: the clock was changed";
    assert_eq!(at(LIVE - 3601), Err(unborn.into()));
    assert_eq!(
        check(Wanted { scope: "cluster b", ..WANTED }),
        Err("file: the snapshot is that of `cluster a, all namespaces`, and not of `cluster b`".into())
    );
}

#[test]
fn one_that_is_not_finished_leaves_the_last_one() {
    let (directory, path) = place();
    written(&path, &[service("old")]);
    let files = || std::fs::read_dir(directory.path()).unwrap().count();
    let mut writer = SnapshotWriter::create(&path, &taken()).unwrap();
    writer.push(&[service("new")]).unwrap();
    assert_eq!(files(), 2);
    // What a crash left behind goes; what somebody is writing and what is called otherwise stays.
    for name in [
        "snapshot.meshdns.999-0.part",
        "snapshot.meshdns.part",
        "other.1-0.part",
        "snapshot.meshdns.a-0.part",
    ] {
        std::fs::write(directory.path().join(name), "half").unwrap();
    }
    let second = SnapshotWriter::create(&path, &taken()).unwrap();
    assert_eq!(files(), 6, "two that are written, three of others, and the old one");
    drop(writer);
    assert_eq!(read(&path).unwrap(), [service("old")]);
    second.finish().unwrap();
    assert_eq!(read(&path).unwrap(), []);
    assert_eq!(files(), 4);
}

#[test]
fn something_else_is_never_replaced() {
    let (directory, path) = place();
    for octets in [&b"redb\x1a\x0a\xa9\x0d\x0a"[..], b"zones: [cluster.local]\n", b"m\n"] {
        std::fs::write(&path, octets).unwrap();
        let error = SnapshotWriter::create(&path, &taken()).unwrap_err().to_string();
        assert!(error.contains("snapshot.meshdns: it is no snapshot; nothing is changed in it"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), octets);
    }
    // Nothing is lost by replacing one that is empty or damaged.
    for octets in [&b""[..], b"mesh", b"meshdns\x1a\0\0\0\x07"] {
        std::fs::write(&path, octets).unwrap();
        written(&path, &[]);
    }
    let error = SnapshotWriter::create(&directory.path().join("none/a"), &taken()).unwrap_err().to_string();
    assert!(error.contains("none/a: cannot create a file beside it: No such file or directory"), "{error}");
    let error = Snapshot::open(directory.path(), &WANTED).unwrap_err().to_string();
    assert!(error.contains("it is no snapshot"), "{error}");
}

#[test]
fn an_object_of_any_size_is_written_or_named() {
    let (_directory, path) = place();
    let of = |octets: usize| {
        let labels = Labels::from_iter([("x".repeat(octets), "")]);
        Object::Namespace(Namespace { name: "large".into(), labels })
    };
    let fitting = [of(200 << 10), of((4 << 20) - 64), service("a")];
    written(&path, &fitting);
    assert_eq!(read(&path).unwrap(), fitting);
    let mut writer = SnapshotWriter::create(&path, &taken()).unwrap();
    let error = writer.push(&[of(4 << 20)]).unwrap_err().to_string();
    assert!(error.contains("snapshot.meshdns: Namespace large takes 41943"), "{error}");
}

#[test]
fn what_a_later_version_adds_is_skipped() {
    // An object of a kind with the number 99; a namespace `a` with a field 99; a pod whose address has five octets.
    let kind = [0x0a, 3, 0x9a, 6, 0];
    let field = [0x0a, 9, 0x0a, 7, 0x0a, 1, b'a', 0x9a, 6, 1, b'x'];
    let address = [0x0a, 9, 0x22, 7, 0x22, 5, 1, 2, 3, 4, 5];
    let block = Block::read(&[&kind[..], &field, &address].concat()).unwrap();
    let namespace = Object::Namespace(Namespace { name: "a".into(), labels: Labels::default() });
    assert_eq!(block, Block { objects: vec![namespace], unknown: 2 });
}

/// Format 1, put together by hand of the description in `frame.rs` and the messages.
#[test]
fn what_was_written_in_this_format_stays_readable() {
    let octets = include_bytes!("../../../fuzz/corpus/snapshot/whole");
    let wanted = Wanted { scope: "fuzz", ..WANTED };
    let snapshot =
        Snapshot::check(Path::new("whole"), Cursor::new(octets), octets.len() as u64, &wanted).unwrap();
    assert_eq!((snapshot.taken().live, snapshot.objects()), (LIVE, 9));
    let objects = collected(snapshot).unwrap();
    let keys: Vec<String> = objects.iter().map(|object| object.key().to_string()).collect();
    let expected = [
        "Namespace shop",
        "Service shop/web",
        "Service shop/out",
        "Service shop/db",
        "EndpointSlice shop/db-x",
        "Pod shop/db-0",
        "ServiceImport shop/web",
        "ServiceEntry shop/e",
        "WorkloadEntry shop/vm",
    ];
    assert_eq!(keys, expected);
    let Object::ServiceEntry(entry) = &objects[7] else { panic!("{:?}", objects[7]) };
    assert_eq!((entry.resolution, entry.answer), (Resolution::Dns, Some(AnswerMode::Endpoints)));
    let Object::EndpointSlice(slice) = &objects[4] else { panic!("{:?}", objects[4]) };
    let endpoint = &slice.endpoints[0];
    assert_eq!(endpoint.zone.as_deref(), Some("eu-1"));
    // It was written before these were: they are what they are where a slice does not say.
    assert_eq!((endpoint.serving, endpoint.terminating), (endpoint.ready, false));
    let addresses = [
        "10.96.0.1".parse().map(EndpointAddress::Ip).unwrap(),
        EndpointAddress::Name(Name::parse("a.example").unwrap()),
    ];
    assert_eq!(*endpoint.addresses, addresses);
}

//! Ten thousand ServiceEntries with three hosts each, by every way in which a host gets its addresses: how long until all of
//! them are answered, what a host takes in memory, and how long from a changed entry to its new answer.
//!
//! What runs is what `meshdns serve` runs: the keeper's task, and the task that writes to the ledger's store. Memory is that
//! of a process of its own for each mode.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::{Inbox, Keeper, keep};
use meshdns::model::{Change, Host, Object, ObjectName, Registry, ServiceEntry, TableRow};
use meshdns::source::{SourceId, Update, manifests};
use meshdns::store::{FileStore, Journal, MemoryStore, Store};
use meshdns::telemetry::metrics::Metrics;
use meshdns::wire::{Transport, respond};
use tokio::sync::mpsc;

const ENTRIES: usize = 10_000;
/// Entries in one file of manifests.
const PER_FILE: usize = 100;
/// How many entries are changed, one after the other.
const CHANGES: usize = 1_000;
/// How often everything is loaded.
const LOADS: usize = 5;

/// Where the addresses of a host are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// `spec.addresses`.
    Literal,
    /// `status.addresses`, of both families.
    Status,
    /// Computed.
    Hash,
    /// The ledger, in memory.
    LedgerMemory,
    /// The ledger, in its file.
    LedgerFile,
    /// The name table, beside entries that have none.
    Istiod,
}

const MODES: [(Mode, &str, &str); 6] = [
    (Mode::Literal, "literal", "off"),
    (Mode::Status, "status", "status"),
    (Mode::Hash, "hash", "hash"),
    (Mode::LedgerMemory, "ledger in memory", "ledger"),
    (Mode::LedgerFile, "ledger in a file", "ledger"),
    (Mode::Istiod, "istiod", "off"),
];

impl Mode {
    fn settings(self) -> Settings {
        let addresses = MODES.iter().find(|(mode, ..)| *mode == self).unwrap().2;
        let text = format!("zones: [cluster.local]\nserviceEntries: {{addresses: {addresses}}}");
        Settings::read("settings", &text, &Overrides::default()).unwrap()
    }
}

fn hosts(entry: usize) -> [String; 3] {
    ["api", "www", "data"].map(|part| format!("{part}.service-{entry}.mesh.example"))
}

/// An address of each family that no other number has.
fn addresses(number: usize) -> [IpAddr; 2] {
    let v6 = Ipv6Addr::from((0x2001_0db8 << 96) + number as u128);
    [Ipv4Addr::from(0xf100_0000 + number as u32).into(), v6.into()]
}

/// An entry whose hosts have the addresses from a number on, if the mode has them in the object.
fn entry(mode: Mode, index: usize, first: usize) -> Object {
    let Object::ServiceEntry(like) = support::entry("like.example", 0) else { unreachable!() };
    let literal = mode == Mode::Literal;
    let given =
        |(n, host): (usize, &String)| addresses(first + n).map(|address| (host.as_str().into(), address));
    let hosts = hosts(index);
    Object::ServiceEntry(ServiceEntry {
        name: ObjectName::new(format!("team-{}", index % 50), format!("entry-{index}")),
        hosts: hosts.iter().map(|host| Host::parse(host).unwrap()).collect(),
        declares_addresses: literal,
        addresses: if literal { addresses(first).into() } else { Vec::new() },
        created: (index * 7919 % 9973) as i64,
        assigned: if mode == Mode::Status {
            hosts.iter().enumerate().flat_map(given).collect()
        } else {
            Vec::new()
        },
        ..like
    })
}

/// What istiod tells of these hosts.
fn rows(index: usize, first: usize) -> impl Iterator<Item = Object> {
    hosts(index).into_iter().enumerate().map(move |(n, host)| {
        let addresses = addresses(first + n).into();
        Object::TableRow(TableRow {
            host: Host::parse(&host).unwrap(),
            addresses,
            registry: Registry::External,
        })
    })
}

/// One change of an entry: new, or its hosts have other addresses. Computed and remembered addresses change when the entry's
/// author writes one.
fn change(mode: Mode, index: usize, first: Option<usize>) -> Update {
    let upserts =
        |objects: &mut dyn Iterator<Item = Object>| Change::Batch(objects.map(Change::Upsert).collect());
    let number = first.unwrap_or(index * 3);
    match (mode, first) {
        (Mode::Istiod, _) => Update::new(SourceId::ISTIOD, upserts(&mut rows(index, number))),
        (Mode::Literal | Mode::Status, _) | (_, None) => manifest(Change::Upsert(entry(mode, index, number))),
        (_, Some(_)) => manifest(Change::Upsert(entry(Mode::Literal, index, number))),
    }
}

fn manifest(change: Change) -> Update {
    Update::new(SourceId::MANIFESTS, change)
}

/// All of it, source by source.
fn everything(mode: Mode) -> Vec<Update> {
    let entries = (0..ENTRIES).map(|index| entry(mode, index, index * 3)).collect();
    with_table(mode, entries)
}

fn with_table(mode: Mode, entries: Vec<Object>) -> Vec<Update> {
    let table = || (0..ENTRIES).flat_map(|index| rows(index, index * 3)).collect();
    let table = (mode == Mode::Istiod).then(|| Update::new(SourceId::ISTIOD, Change::Replace(table())));
    std::iter::once(manifest(Change::Replace(entries))).chain(table).collect()
}

/// The entries as files.
fn write_manifests(mode: Mode, directory: &Path) {
    for from in (0..ENTRIES).step_by(PER_FILE) {
        let mut text = String::new();
        for index in from..from + PER_FILE {
            let Object::ServiceEntry(entry) = entry(mode, index, index * 3) else { unreachable!() };
            let list = |addresses: &[IpAddr]| {
                addresses.iter().map(|a| format!("'{a}'")).collect::<Vec<_>>().join(", ")
            };
            write!(
                text,
                "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n  name: {}\n  namespace: {}\n\
                 spec:\n  hosts: [{}]\n  addresses: [{}]\n  resolution: STATIC\n  ports:\n  - name: http\n    number: 80\n    \
                 protocol: TCP\nstatus:\n  addresses:\n",
                entry.name.name,
                entry.name.namespace,
                hosts(index).join(", "),
                list(&entry.addresses),
            )
            .unwrap();
            for (host, address) in &entry.assigned {
                writeln!(text, "  - {{host: {host}, value: '{address}'}}").unwrap();
            }
        }
        std::fs::write(directory.join(format!("{from}.yaml")), text).unwrap();
    }
}

/// A keeper at work.
struct Running {
    catalog: Arc<Catalog>,
    updates: mpsc::Sender<Update>,
    listed: mpsc::UnboundedReceiver<SourceId>,
    reply: Vec<u8>,
}

impl Running {
    async fn start(mode: Mode, directory: &Path) -> Self {
        match mode {
            Mode::LedgerMemory => Self::remembering(mode, MemoryStore::default()).await,
            Mode::LedgerFile => {
                // Each its own: the file of the one before may still be closed.
                let count = std::fs::read_dir(directory).unwrap().count();
                Self::remembering(mode, FileStore::new(directory.join(format!("ledger-{count}.redb")))).await
            }
            _ => Self::with(mode, Journal::none(), mode.settings().allocator()),
        }
    }

    async fn remembering<S: Store + 'static>(mode: Mode, mut store: S) -> Self {
        let rows = store.load().await.unwrap();
        let allocator = mode.settings().allocator_from(store.slices(), 1, rows);
        let sources = BTreeSet::from([SourceId::MANIFESTS]);
        let (journal, writer) = Journal::connect(store, sources, Metrics::new().ledger().clone());
        tokio::spawn(writer.run());
        Self::with(mode, journal, allocator)
    }

    fn with(mode: Mode, journal: Journal, allocator: Box<dyn meshdns::allocate::Allocator>) -> Self {
        let catalog = Arc::new(Catalog::new(mode.settings().policy()));
        let keeper = Keeper::with_allocator(Arc::clone(&catalog), allocator);
        let (updates, incoming) = mpsc::channel(8);
        let (tell, listed) = mpsc::unbounded_channel();
        let (inbox, _) = Inbox::new(incoming);
        tokio::spawn(keep(inbox, keeper, journal, move |source| {
            let _ = tell.send(source);
        }));
        Self { catalog, updates, listed, reply: Vec::new() }
    }

    /// Loads everything and waits until the keeper says that it is published.
    async fn load(&mut self, everything: Vec<Update>) {
        let sources = everything.len();
        for update in everything {
            self.updates.send(update).await.unwrap();
        }
        for _ in 0..sources {
            self.listed.recv().await.unwrap();
        }
    }

    /// Whether a host is answered, with this address if it is given.
    fn answers(&mut self, packet: &[u8], address: Option<IpAddr>) -> bool {
        respond(&self.catalog, packet, Transport::Grpc, 0, &mut self.reply);
        let octets = |address| if let IpAddr::V4(address) = address { address.octets() } else { [0; 4] };
        self.reply[7] > 0
            && address.is_none_or(|address| self.reply.windows(4).any(|part| part == octets(address)))
    }

    /// From a change that is sent to the answer.
    async fn until_answered(&mut self, update: Update, host: &str, address: Option<IpAddr>) -> Duration {
        let packet = support::query(host, 1);
        assert!(address.is_some() || !self.answers(&packet, None));
        let begin = Instant::now();
        self.updates.send(update).await.unwrap();
        while !self.answers(&packet, address) {
            tokio::task::yield_now().await;
        }
        begin.elapsed()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// From objects, or from the files of a directory, to everything being answered.
async fn ready(mode: Mode, directory: &Path, files: Option<&PathBuf>) -> Duration {
    let mut running = Running::start(mode, directory).await;
    let prepared = if files.is_none() { everything(mode) } else { Vec::new() };
    let begin = Instant::now();
    let everything = match files {
        None => prepared,
        Some(files) => with_table(mode, manifests::load(std::slice::from_ref(files)).objects),
    };
    running.load(everything).await;
    let time = begin.elapsed();
    for index in (0..ENTRIES).step_by(97) {
        assert!(hosts(index).iter().all(|host| running.answers(&support::query(host, 1), None)));
    }
    time
}

/// New hosts, then other addresses for hosts that are there.
async fn changes(mode: Mode, directory: &Path) -> [[Duration; 2]; 2] {
    let mut running = Running::start(mode, directory).await;
    running.load(everything(mode)).await;
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..CHANGES {
        let new = ENTRIES + turn;
        times[0].push(running.until_answered(change(mode, new, None), &hosts(new)[0], None).await);
        let (known, first) = (turn * 7 % ENTRIES, 6 * ENTRIES + turn * 3);
        let address = addresses(first)[0];
        let update = change(mode, known, Some(first));
        times[1].push(running.until_answered(update, &hosts(known)[0], Some(address)).await);
    }
    times.map(|mut times| {
        times.sort_unstable();
        [times[CHANGES / 2], times[CHANGES * 99 / 100]]
    })
}

/// What a host takes of a process that holds all of them. They come one by one, so that no second copy is counted.
async fn held(mode: Mode, directory: &Path) -> usize {
    let mut running = Running::start(mode, directory).await;
    let before = support::resident();
    running.load(with_table(mode, Vec::new()).into_iter().take(1).collect()).await;
    for index in 0..ENTRIES {
        let first = index * 3;
        running.updates.send(manifest(Change::Upsert(entry(mode, index, first)))).await.unwrap();
        if mode == Mode::Istiod {
            running.updates.send(change(mode, index, Some(first))).await.unwrap();
        }
        let packet = support::query(&hosts(index)[2], 1);
        while !running.answers(&packet, None) {
            tokio::task::yield_now().await;
        }
    }
    support::resident().saturating_sub(before) / (ENTRIES * 3)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = runtime();
    let directory = tempfile::tempdir().unwrap();
    if let [hold, what] = arguments.as_slice()
        && hold == "hold"
    {
        let mode = MODES.iter().find(|(_, name, _)| name == what).unwrap().0;
        println!("{}", runtime.block_on(held(mode, directory.path())));
        return;
    }
    println!(
        "| 30,000 hosts | ready, ms | from YAML, ms | bytes per host | new entry, us | 99% | other address, us | 99% |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (mode, name, _) in MODES {
        let written = tempfile::tempdir().unwrap();
        write_manifests(mode, written.path());
        let files = written.path().to_path_buf();
        let millis = |files: Option<&PathBuf>| {
            let load = || runtime.block_on(ready(mode, directory.path(), files));
            support::median((0..LOADS).map(|_| load()).collect()).as_secs_f64() * 1e3
        };
        let (ready, loaded) = (millis(None), millis(Some(&files)));
        let bytes = support::in_a_process(&["hold", name]);
        let times = runtime.block_on(changes(mode, directory.path()));
        let [new, other] = times.map(|times| times.map(|time| time.as_secs_f64() * 1e6));
        println!(
            "| {name} | {ready:.0} | {loaded:.0} | {bytes} | {:.0} | {:.0} | {:.0} | {:.0} |",
            new[0], new[1], other[0], other[1]
        );
    }
}

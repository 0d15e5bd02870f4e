//! Three replicas are killed, stopped and cut off while entries come and go, and everything that they answer is written
//! down. Afterwards: no address was ever answered for two hosts, no host ever had two, and all agree.
//!
//! Addresses rest for a day, so within the test nothing changes hands by right. The ranges hardly suffice, so that many
//! hosts have their address in another shard than their row.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};

use super::gate::Gate;
use super::*;

const HOSTS: usize = 24;
const REPLICAS: usize = 3;
const LASTS: Duration = Duration::from_secs(20);

/// Numbers that look random (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

/// An answer with addresses that a replica gave.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "shown when something is wrong")]
struct Seen {
    at: Duration,
    replica: usize,
    host: usize,
    address: String,
}

/// Asks a server for all hosts, again and again.
fn observe(
    replica: usize,
    server: SocketAddr,
    begin: Instant,
    seen: Sender<Seen>,
    stop: Arc<AtomicBool>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut packet = [0; 1500];
        while !stop.load(Ordering::SeqCst) {
            for (host, kind) in (0..HOSTS).flat_map(|host| [(host, RecordType::A), (host, RecordType::AAAA)])
            {
                let mut query = Message::new(u16::try_from(host).unwrap(), MessageType::Query, OpCode::Query);
                let name = Name::from_ascii(format!("n{host}.example.")).unwrap();
                query.add_query(Query::query(name, kind));
                let _ = socket.send_to(&query.to_vec().unwrap(), server);
            }
            while let Ok((length, _)) = socket.recv_from(&mut packet) {
                let reply = Message::from_vec(&packet[..length]).unwrap();
                for record in &reply.answers {
                    let host = usize::from(reply.metadata.id);
                    let address = record.data.to_string();
                    let _ = seen.send(Seen { at: begin.elapsed(), replica, host, address });
                }
            }
        }
    })
}

/// A replica, what became of it, and who asks it.
struct Running {
    replica: Replica,
    gate: Gate,
    server: Option<Meshdns>,
    stopped: bool,
    names: BTreeSet<usize>,
    observer: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Running {
    fn signal(&self, signal: &str) {
        let Some(server) = &self.server else { return };
        let id = server.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn end(&mut self) {
        if let Some((stop, observer)) = self.observer.take() {
            stop.store(true, Ordering::SeqCst);
            observer.join().unwrap();
        }
        (self.server, self.stopped) = (None, false);
    }

    fn begin(&mut self, at: usize, begin: Instant, seen: &Sender<Seen>) {
        let server = self.replica.begin();
        let stop = Arc::new(AtomicBool::new(false));
        let observer = observe(at, server.dns, begin, seen.clone(), Arc::clone(&stop));
        (self.server, self.observer) = (Some(server), Some((stop, observer)));
    }

    fn toggle(&mut self, host: usize) {
        if self.names.remove(&host) {
            self.replica.drop_entry(host);
        } else {
            self.names.insert(host);
            self.replica.declare([host]);
        }
    }
}

#[test]
fn no_address_is_given_twice_and_none_moves_whatever_happens_to_replicas() {
    let seed: u64 = match std::env::var("MESHDNS_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
    };
    let mut numbers = Numbers(seed);
    let mesh = Mesh::new();
    let plane = ControlPlane::shared();
    let mut running: Vec<Running> = (0..REPLICAS)
        .map(|_| {
            let gate = Gate::new(plane.address());
            let kubeconfig = plane.kubeconfig_to(&format!("https://{}", gate.address), &mesh.account);
            let mut replica = Replica { kubeconfig, ..mesh.replica() };
            "ranges: [192.0.2.0/27, '2001:db8::/123']".clone_into(&mut replica.more);
            // Two addresses of IPv4 in each part: not enough for the hosts of some.
            replica.shards = 16;
            let (server, stopped, names, observer) = (None, false, BTreeSet::new(), None);
            Running { replica, gate, server, stopped, names, observer }
        })
        .collect();
    let (begin, (seen, heard)) = (Instant::now(), channel());
    let mut did = BTreeMap::new();
    for (at, one) in running.iter_mut().enumerate() {
        for host in 0..HOSTS / 2 {
            if numbers.below(2) == 0 {
                one.toggle(host);
            }
        }
        one.begin(at, begin, &seen);
    }
    while begin.elapsed() < LASTS {
        let at = numbers.below(REPLICAS);
        let one = &mut running[at];
        let what = match numbers.below(20) {
            0 | 1 => {
                one.end();
                one.gate.open();
                one.begin(at, begin, &seen);
                "killed"
            }
            2 | 3 if !one.stopped => {
                one.signal("-STOP");
                one.stopped = true;
                "stopped"
            }
            2..6 => {
                one.signal("-CONT");
                one.stopped = false;
                "continued"
            }
            6 => {
                one.gate.silence();
                "silenced"
            }
            7 => {
                one.gate.close();
                "cut off"
            }
            8..11 => {
                one.gate.open();
                "connected"
            }
            _ => {
                for _ in 0..=numbers.below(4) {
                    one.toggle(numbers.below(HOSTS));
                }
                "changed"
            }
        };
        *did.entry(what).or_insert(0) += 1;
        // Long enough for a batch to begin, not always for it to end.
        thread::sleep(Duration::from_millis(20 + numbers.below(160) as u64));
    }
    // In the end all name all hosts, and nothing stands in their way.
    for (at, one) in running.iter_mut().enumerate() {
        one.gate.open();
        one.signal("-CONT");
        for host in 0..HOSTS {
            if !one.names.contains(&host) {
                one.toggle(host);
            }
        }
        if one.server.is_none() {
            one.begin(at, begin, &seen);
        }
    }
    let last = until("all replicas agree", || {
        let answers = |one: &Running| -> Vec<Vec<String>> {
            let server = one.server.as_ref().unwrap();
            (0..HOSTS).map(|host| addresses(server, &format!("n{host}.example"))).collect()
        };
        let all: Vec<_> = running.iter().map(answers).collect();
        let complete = all[0].iter().all(|found| found.len() == 2);
        (complete && all.iter().all(|one| *one == all[0])).then(|| all[0].clone())
    });
    running.iter_mut().for_each(Running::end);
    drop(seen);
    let (mut by_host, mut by_address) =
        (BTreeMap::<(usize, bool), Seen>::new(), BTreeMap::<String, Seen>::new());
    let mut count = 0;
    for seen in heard {
        count += 1;
        let family = seen.address.contains(':');
        if let Some(other) = by_address.get(&seen.address) {
            assert_eq!(other.host, seen.host, "given twice: {other:?} and {seen:?} (MESHDNS_SEED={seed})");
        }
        if let Some(before) = by_host.get(&(seen.host, family)) {
            assert_eq!(before.address, seen.address, "moved: {before:?} and {seen:?} (MESHDNS_SEED={seed})");
        }
        by_address.insert(seen.address.clone(), seen.clone());
        by_host.insert((seen.host, family), seen);
    }
    for (host, found) in last.iter().enumerate() {
        for address in found {
            assert_eq!(by_address[address].host, host, "MESHDNS_SEED={seed}");
        }
    }
    let reserved: usize = mesh
        .namespace
        .list(CONFIG_MAPS)
        .iter()
        .filter_map(|map| Some(map["data"]["reserved"].as_str()?.lines().count()))
        .sum();
    assert!(count > 2000, "only {count} answers: nothing is shown by that (MESHDNS_SEED={seed})");
    assert!(reserved > 0, "no address lies in another shard (MESHDNS_SEED={seed})");
    println!(
        "seed {seed}: {count} answers of {} hosts, {reserved} addresses in other shards; {did:?}",
        by_host.len() / 2
    );
}

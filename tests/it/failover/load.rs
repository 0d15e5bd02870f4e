//! A steady load of queries over UDP, with what became of each of them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

/// What every name of the load has. `objects()` says so.
const ADDRESS: [u8; 4] = [10, 20, 30, 50];
/// How long a reply is waited for: longer than CoreDNS tries anything.
const GIVEN_UP: Duration = Duration::from_secs(7);
/// Between two looks at the clock.
const PACE: Duration = Duration::from_millis(50);
/// Whoever wanted to send and could not for so long was not running: nor, maybe, was CoreDNS, whose queries have a time
/// and whose socket has room for a second or two.
const STANDSTILL: Duration = Duration::from_millis(400);
/// How often a run is repeated in which the machine stood still.
const TRIES: usize = 4;

/// The objects that give every name below `load.internal` an address.
pub(crate) fn objects() -> &'static str {
    "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: load, namespace: mesh}
spec:
  hosts: ['*.load.internal']
  addresses: [10.20.30.50]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: NONE
"
}

/// Asks at a steady pace, each query for a name of its own, so that no cache can answer it.
pub(crate) struct Load {
    sent: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    sender: JoinHandle<Vec<Instant>>,
    receiver: JoinHandle<BTreeMap<u16, (Instant, Said)>>,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// The one right answer.
    Right,
    /// What else.
    Wrong(String),
}

/// What became of one query.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The right answer, after that time.
    Answered(Duration),
    /// Something else, after that time.
    Failed(Duration, String),
    /// Nothing.
    Lost,
}

impl Load {
    /// Begins to ask.
    pub(crate) fn start(server: SocketAddr, every: Duration) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(PACE)).unwrap();
        let (sent, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let sender = {
            let (socket, sent, stop) = (socket.try_clone().unwrap(), Arc::clone(&sent), Arc::clone(&stop));
            thread::spawn(move || send(&socket, every, &sent, &stop))
        };
        let receiver = {
            let (sent, stop) = (Arc::clone(&sent), Arc::clone(&stop));
            thread::spawn(move || receive(&socket, &sent, &stop))
        };
        Self { sent, stop, sender, receiver }
    }

    /// How many queries were sent.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// Goes on until that many more queries were sent.
    pub(crate) fn send_more(&self, queries: usize) {
        let until = self.sent() + queries;
        while self.sent() < until {
            assert!(!self.sender.is_finished(), "the load ended");
            thread::sleep(PACE);
        }
    }

    /// Ends, when the last query is answered or given up.
    pub(crate) fn stop(self) -> Report {
        self.stop.store(true, Ordering::SeqCst);
        let sent = self.sender.join().unwrap();
        let mut said = self.receiver.join().unwrap();
        let gap = |pair: &[Instant]| pair[1] - pair[0];
        let longest_gap = sent.windows(2).map(gap).max().unwrap_or_default();
        let outcome = |(number, at): (usize, Instant)| match said.remove(&u16::try_from(number).unwrap()) {
            Some((when, Said::Right)) => Outcome::Answered(when - at),
            Some((when, Said::Wrong(what))) => Outcome::Failed(when - at, what),
            None => Outcome::Lost,
        };
        Report { outcomes: sent.into_iter().enumerate().map(outcome).collect(), longest_gap }
    }
}

fn send(socket: &UdpSocket, every: Duration, sent: &AtomicUsize, stop: &AtomicBool) -> Vec<Instant> {
    let mut times = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let number = u16::try_from(times.len()).expect("a load of fewer queries than there are numbers");
        times.push(Instant::now());
        socket.send(&query(number)).unwrap();
        sent.fetch_add(1, Ordering::SeqCst);
        // What was not sent in time is not made up for: that would be a flood.
        thread::sleep(every);
    }
    times
}

fn receive(socket: &UdpSocket, sent: &AtomicUsize, stop: &AtomicBool) -> BTreeMap<u16, (Instant, Said)> {
    let mut said = BTreeMap::new();
    let mut buffer = [0; 4096];
    let mut stopped = None;
    loop {
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let now = Instant::now();
                let (number, what) = read(&buffer[..length]);
                // A second reply would be a second thing to be wrong.
                said.entry(number).or_insert((now, what));
            }
            Err(error) => assert!(is_timeout(&error), "{error}"),
        }
        if stop.load(Ordering::SeqCst) {
            let since = *stopped.get_or_insert_with(Instant::now);
            if said.len() == sent.load(Ordering::SeqCst) || since.elapsed() > GIVEN_UP {
                return said;
            }
        }
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

fn query(number: u16) -> Vec<u8> {
    let mut message = Message::new(number, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name(number), RecordType::A));
    message.to_vec().unwrap()
}

fn name(number: u16) -> Name {
    Name::from_ascii(format!("q{number}.load.internal.")).unwrap()
}

fn read(packet: &[u8]) -> (u16, Said) {
    let message = Message::from_vec(packet).unwrap();
    let number = message.metadata.id;
    let right = message.metadata.response_code == ResponseCode::NoError
        && message.queries.len() == 1
        && message.queries[0].name() == &name(number)
        && matches!(&message.answers[..], [record]
            if matches!(&record.data, RData::A(address) if address.octets() == ADDRESS));
    if right {
        return (number, Said::Right);
    }
    let answers: Vec<_> = message.answers.iter().map(ToString::to_string).collect();
    (
        number,
        Said::Wrong(
            format!("{} {}", message.metadata.response_code, answers.join(", ")).trim_end().to_owned(),
        ),
    )
}

/// What became of every query.
#[derive(Debug)]
pub(crate) struct Report {
    /// In the order of sending.
    pub(crate) outcomes: Vec<Outcome>,
    /// The longest time in which nothing was sent.
    longest_gap: Duration,
}

/// What `run` reports when the machine runs, too: one that stands still loses queries by itself.
pub(crate) fn undisturbed(run: impl Fn() -> Report) -> Report {
    let mut report = run();
    for _ in 1..TRIES {
        if report.failed() == 0 || report.longest_gap < STANDSTILL {
            break;
        }
        report = run();
    }
    report
}

impl Report {
    /// Queries without the right answer.
    pub(crate) fn failed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| !matches!(outcome, Outcome::Answered(_))).count()
    }

    /// How long clients waited, for an answer or a failure; those that waited in vain are left out.
    fn times(&self) -> Vec<Duration> {
        let time = |outcome: &Outcome| match outcome {
            Outcome::Answered(time) | Outcome::Failed(time, _) => Some(*time),
            Outcome::Lost => None,
        };
        let mut times: Vec<_> = self.outcomes.iter().filter_map(time).collect();
        times.sort_unstable();
        times
    }

    /// The time that this share of the queries did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let times = self.times();
        let place = (times.len() as f64 * share) as usize;
        times[place.min(times.len() - 1)]
    }

    /// Queries whose client had to wait longer than this.
    pub(crate) fn slower_than(&self, limit: Duration) -> usize {
        self.outcomes.len() - self.times().partition_point(|time| *time <= limit)
    }

    /// Of the queries after the first `number`, the share that failed or took longer than a tenth of a second.
    pub(crate) fn late_after(&self, number: usize) -> f64 {
        let rest = &self.outcomes[number..];
        let limit = Duration::from_millis(100);
        let late = rest.iter().filter(|outcome| !matches!(outcome, Outcome::Answered(time) if *time < limit));
        late.count() as f64 / rest.len() as f64
    }

    /// Fails unless each of at least that many queries got the right answer.
    #[track_caller]
    pub(crate) fn all_answered(&self, least: usize) {
        assert!(self.outcomes.len() >= least, "only {} queries: this shows nothing", self.outcomes.len());
        assert_eq!(self.failed(), 0, "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (place, outcome) in self.outcomes.iter().enumerate() {
            let kind = match outcome {
                Outcome::Answered(_) => "answered",
                Outcome::Failed(_, what) => what,
                Outcome::Lost => "lost",
            };
            kinds.entry(kind).or_insert((0, place)).0 += 1;
        }
        for (kind, (count, first)) in kinds {
            writeln!(f, "{count} of {}: {kind}, first number {first}", self.outcomes.len())?;
        }
        write!(f, "nothing was sent for {:?}", self.longest_gap)
    }
}

//! Programs that a test runs: their output is kept for failures, and they end with the test.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to become ready: far more than it needs, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at while a program prints nothing.
const PACE: Duration = Duration::from_millis(20);
/// How many lines are the last ones that a program printed.
const LAST_WORDS: usize = 20;

/// A running program.
pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    printed: Vec<String>,
    /// How long to wait for what it should do.
    pub(crate) patience: Duration,
}

impl Process {
    /// Starts it in the project's directory, with nothing to read.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_reading(command, Stdio::null())
    }

    /// The same, and it is listened to.
    pub(crate) fn start_talking(command: &mut Command) -> (Self, ChildStdin) {
        let mut process = Self::start_reading(command, Stdio::piped());
        let stdin = process.child.stdin.take().unwrap();
        (process, stdin)
    }

    /// The same for a shell that holds another program, out of reach of what is typed at a terminal.
    pub(crate) fn start_tethered(shell: &mut Command, name: &str) -> (Self, ChildStdin) {
        let (mut process, stdin) = Self::start_talking(shell.process_group(0));
        process.name = name.to_owned();
        (process, stdin)
    }

    fn start_reading(command: &mut Command, stdin: Stdio) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let (sender, lines) = channel();
        pass_on(child.stdout.take().unwrap(), sender.clone());
        pass_on(child.stderr.take().unwrap(), sender);
        Self { name, child, lines, printed: Vec::new(), patience: PATIENCE }
    }

    /// Waits for a line that begins so.
    pub(crate) fn wait_for_line(&mut self, beginning: &str) {
        self.wait_until(beginning, |printed| printed.iter().any(|line| line.starts_with(beginning)));
    }

    /// Waits until `met` says so of what was printed so far or of the world; panics when the program ends before.
    pub(crate) fn wait_until(&mut self, what: &str, met: impl FnMut(&[String]) -> bool) {
        self.try_wait_until(what, met).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The same, with a text of what went wrong.
    pub(crate) fn try_wait_until(
        &mut self,
        what: &str,
        mut met: impl FnMut(&[String]) -> bool,
    ) -> Result<(), String> {
        let begin = Instant::now();
        while !met(&self.printed) {
            let line = self.next_line(what, begin)?;
            self.printed.extend(line);
        }
        Ok(())
    }

    /// Waits for the next line that begins so, which then does not count as printed.
    pub(crate) fn reply(&mut self, beginning: &str) -> String {
        let begin = Instant::now();
        loop {
            match self.next_line(beginning, begin).unwrap_or_else(|error| panic!("{error}")) {
                Some(line) if line.starts_with(beginning) => return line,
                line => self.printed.extend(line),
            }
        }
    }

    /// The next line, if there is one soon; an error when `what` was waited for since `begin` and is not to be had.
    fn next_line(&mut self, what: &str, begin: Instant) -> Result<Option<String>, String> {
        if begin.elapsed() >= self.patience {
            return Err(format!("{} did not get to `{what}`:\n{}", self.name, self.output()));
        }
        match self.lines.recv_timeout(PACE) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                // The shell of a tethered program outlives it.
                let status = self.child.try_wait();
                Err(format!("{} ended before `{what}` ({status:?}):\n{}", self.name, self.output()))
            }
        }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) {
        let _ = self.child.wait();
    }

    /// The last lines that it printed.
    pub(crate) fn last_words(&mut self) -> String {
        self.printed.extend(self.lines.try_iter());
        self.printed[self.printed.len().saturating_sub(LAST_WORDS)..].join("\n")
    }

    /// Sends it this signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{} does not take {name}", self.name);
    }

    /// Waits until it ends by itself, or by what it was sent.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // Its last words may still be on their way; who holds its pipes longer is not waited for.
                while let Ok(line) = self.lines.recv_timeout(PACE) {
                    self.printed.push(line);
                }
                return status;
            }
            assert!(begin.elapsed() < self.patience, "{} does not end:\n{}", self.name, self.output());
            self.printed.extend(self.lines.recv_timeout(PACE));
        }
    }

    fn output(&self) -> String {
        self.printed.join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            self.printed.extend(self.lines.try_iter());
            eprintln!("--- {} said:\n{}", self.name, self.output());
        }
    }
}

/// Reads to the end, so that the program never waits for us.
fn pass_on(output: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
}

/// A loopback address that nobody uses, for UDP and TCP, never given twice.
pub(crate) fn free_address() -> SocketAddr {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap();
    let given = given.get_or_insert_default();
    loop {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap();
        if UdpSocket::bind(address).is_ok() && given.insert(address.port()) {
            return address;
        }
    }
}

/// A file of this name and content, in a directory of its own.
pub(crate) fn written(name: &str, content: &str) -> PathBuf {
    let port_as_serial = free_address().port().to_string();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(port_as_serial);
    // A run before this one may have left files there.
    if let Err(error) = std::fs::remove_dir_all(&directory) {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}: {error}", directory.display());
    }
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// Whether the test runs as root.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// meshdns, to be given its arguments, without capabilities: root could read every file.
pub(crate) fn powerless() -> Command {
    let meshdns = env!("CARGO_BIN_EXE_meshdns");
    if !is_root() {
        return Command::new(meshdns);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", meshdns]);
    command
}

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// gRPC.
    pub(crate) grpc: SocketAddr,
    /// Plain DNS.
    pub(crate) dns: SocketAddr,
    /// Admin HTTP.
    pub(crate) admin: SocketAddr,
}

impl Ports {
    /// Where nobody listens yet.
    pub(crate) fn free() -> Self {
        Self { grpc: free_address(), dns: free_address(), admin: free_address() }
    }
}

/// A running `meshdns serve`.
pub(crate) struct Meshdns {
    process: Process,
    /// Its gRPC listener.
    pub(crate) grpc: SocketAddr,
    /// Its plain DNS listener.
    pub(crate) dns: SocketAddr,
    /// Its admin listener.
    pub(crate) admin: SocketAddr,
    /// Its settings file.
    pub(crate) settings: PathBuf,
}

impl Meshdns {
    /// Starts it with these settings, listening on free ports, and waits until it is ready.
    pub(crate) fn start(settings: &str) -> Self {
        Self::start_with(settings, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(settings: &str, arguments: &[&str]) -> Self {
        let mut server = Self::begin(&mut Command::new(env!("CARGO_BIN_EXE_meshdns")), settings, arguments);
        server.wait_until_ready();
        server
    }

    /// Starts it by a command that takes its arguments, and does not wait.
    pub(crate) fn begin(command: &mut Command, settings: &str, arguments: &[&str]) -> Self {
        Self::begin_on(Ports::free(), command, settings, arguments)
    }

    /// The same at addresses that are known already.
    pub(crate) fn begin_on(ports: Ports, command: &mut Command, settings: &str, arguments: &[&str]) -> Self {
        let Ports { grpc, dns, admin } = ports;
        let settings = written("meshdns.yaml", settings);
        let process = Process::start(
            command
                .args(["serve", "--config"])
                .arg(&settings)
                .args(["--grpc-listen", &grpc.to_string()])
                .args(["--dns-listen", &dns.to_string()])
                .args(["--admin-listen", &admin.to_string()])
                .args(arguments),
        );
        Self { process, grpc, dns, admin, settings }
    }

    /// Starts it by a command that says everything, these addresses included.
    pub(crate) fn started(ports: Ports, command: &mut Command) -> Self {
        let Ports { grpc, dns, admin } = ports;
        Self { process: Process::start(command), grpc, dns, admin, settings: PathBuf::new() }
    }

    pub(crate) fn wait_until_ready(&mut self) {
        let admin = self.admin;
        self.process.wait_until("ready", |_| readiness(admin).starts_with("200 "));
    }

    /// Waits until it logs a line with this in it.
    pub(crate) fn wait_for_log(&mut self, part: &str) {
        self.process.wait_until(part, |printed| printed.iter().any(|line| line.contains(part)));
    }

    /// In how many lines that it has logged this stands.
    pub(crate) fn logged(&mut self, part: &str) -> usize {
        self.process.printed.extend(self.process.lines.try_iter());
        self.process.printed.iter().filter(|line| line.contains(part)).count()
    }

    /// The lines that it has logged in which this stands.
    pub(crate) fn log_lines(&mut self, part: &str) -> Vec<String> {
        self.process.printed.extend(self.process.lines.try_iter());
        self.process.printed.iter().filter(|line| line.contains(part)).cloned().collect()
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it this signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Waits until it ends.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        self.process.wait_for_end()
    }

    /// Waits until `met` says so of the server.
    pub(crate) fn wait_until(&mut self, what: &str, met: impl Fn(Metrics) -> bool) {
        let admin = self.admin;
        self.process.wait_until(what, |_| met(Metrics::of(admin)));
    }

    /// What it counts now.
    pub(crate) fn metrics(&self) -> Metrics {
        Metrics::of(self.admin)
    }

    /// Puts a text there: status code, a blank, and the body.
    pub(crate) fn put(&self, path: &str, text: &str) -> String {
        let head = format!("PUT {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}", text.len());
        exchange(self.admin, &format!("{head}\r\n\r\n{text}"))
    }

    /// A page of its admin listener: status code, a blank, and the body.
    pub(crate) fn page(&self, path: &str) -> String {
        page(self.admin, path)
    }
}

/// Queries of `/metrics` that came in there and got this RCODE.
pub(crate) fn queries(text: &str, listener: &str, rcode: &str) -> u64 {
    let (listener, rcode) = (format!("listener=\"{listener}\""), format!("rcode=\"{rcode}\""));
    let of = |line: &str| {
        let (labels, count) = line.strip_prefix("meshdns_queries_total{")?.split_once("} ")?;
        let has = |label: &str| labels.split(',').any(|given| given == label);
        (has(&listener) && has(&rcode)).then(|| count.parse::<u64>().ok())?
    };
    text.lines().filter_map(of).sum()
}

/// What a server counts.
pub(crate) struct Metrics(String);

impl Metrics {
    fn of(admin: SocketAddr) -> Self {
        Self(page(admin, "/metrics"))
    }

    /// The sample of this name and these labels, as they are printed; 0 if there is none, or nobody to ask.
    pub(crate) fn sample(&self, name: &str) -> u64 {
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        self.0.lines().find_map(value).unwrap_or_default()
    }

    /// Queries that came in there and got this RCODE.
    pub(crate) fn queries(&self, listener: &str, rcode: &str) -> u64 {
        queries(&self.0, listener, rcode)
    }

    /// Queries over gRPC that were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.queries("grpc", "NOERROR")
    }

    /// Open gRPC connections.
    pub(crate) fn connections(&self) -> u64 {
        self.sample(r#"meshdns_connections{listener="grpc"}"#)
    }
}

/// What `/readyz` says: status code, a blank, and the body.
pub(crate) fn readiness(admin: SocketAddr) -> String {
    page(admin, "/readyz")
}

/// A page over plain HTTP: status code, a blank, and the body; empty when nobody listens.
pub(crate) fn page(admin: SocketAddr, path: &str) -> String {
    exchange(admin, &format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"))
}

fn exchange(admin: SocketAddr, request: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(admin) else { return String::new() };
    let mut reply = String::new();
    if stream.write_all(request.as_bytes()).is_err() || stream.read_to_string(&mut reply).is_err() {
        return String::new();
    }
    let status = reply.split(' ').nth(1).unwrap_or_default();
    let body = reply.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    format!("{status} {body}")
}

//! Questions asked with BIND's `dig` and `nslookup`, as people ask them.

use std::net::SocketAddr;
use std::process::Command;

use super::process::free_address;

/// What `dig` understood of a reply.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// For example `NXDOMAIN`.
    pub(crate) status: String,
    /// For example `qr`, `aa`, `rd`.
    pub(crate) flags: Vec<String>,
    pub(crate) answer: Vec<Record>,
    pub(crate) authority: Vec<Record>,
    pub(crate) additional: Vec<Record>,
    /// All that it printed.
    pub(crate) text: String,
}

/// One record, in the words of `dig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// With the final dot, in the letter case of the reply.
    pub(crate) owner: String,
    pub(crate) ttl: u32,
    pub(crate) kind: String,
    pub(crate) data: String,
}

impl Reply {
    /// Whether this flag is set.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|set| set == flag)
    }
}

/// The data of these records, in alphabetical order: the order of arrival means nothing.
pub(crate) fn data(records: &[Record]) -> Vec<&str> {
    let mut data: Vec<_> = records.iter().map(|record| record.data.as_str()).collect();
    data.sort_unstable();
    data
}

/// Asks `server` once. The arguments are those of `dig`: name, type, options.
pub(crate) fn dig<'a>(server: SocketAddr, arguments: impl IntoIterator<Item = &'a str>) -> Reply {
    let arguments: Vec<&str> = arguments.into_iter().collect();
    let ask = || {
        let output = Command::new("dig")
            .args([&format!("@{}", server.ip()), "-p", &server.port().to_string()])
            .args(["-r", "+noidnin", "+tries=1", "+time=8", "+ignore"])
            .args(&arguments)
            .output()
            .expect("dig comes with scripts/setup");
        parsed(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let reply = ask();
    // The kernel may give dig the port of a server that shares its own, and then dig hears itself.
    if reply.has("qr") { reply } else { ask() }
}

/// Asks `server` several questions, each once and in order, over UDP, from a port that no server has: of the ports that the
/// kernel gives, dig would share one with a server that shares it too, and hear itself. A question is name and type, or `-x` and an address.
pub(crate) fn dig_all<'a>(server: SocketAddr, questions: impl IntoIterator<Item = &'a str>) -> Vec<Reply> {
    let output = Command::new("dig")
        .args(["-r", "+noidnin", "+tries=1", "+time=8", "+ignore", "+notcp"])
        .args(["-b", &format!("127.0.0.1#{}", free_address().port())])
        .args([&format!("@{}", server.ip()), "-p", &server.port().to_string()])
        .args(questions.into_iter().flat_map(|question| question.split(' ')))
        .output()
        .expect("dig comes with scripts/setup");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split(";; Got answer:").skip(1).map(|reply| parsed(reply.to_owned())).collect()
}

/// What `nslookup` prints. The arguments go before the name of the server.
pub(crate) fn nslookup<'a>(server: SocketAddr, arguments: impl IntoIterator<Item = &'a str>) -> String {
    let output = Command::new("nslookup")
        .arg(format!("-port={}", server.port()))
        .args(arguments)
        .arg(server.ip().to_string())
        .output()
        .expect("nslookup comes with scripts/setup");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn parsed(text: String) -> Reply {
    let mut reply = Reply::default();
    let mut section = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix(";; ").and_then(|rest| rest.strip_suffix(" SECTION:")) {
            section = name;
        } else if let Some((_, rest)) = line.split_once(", status: ") {
            reply.status = rest.split(',').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix(";; flags: ") {
            let set = rest.split(';').next().unwrap_or_default();
            reply.flags = set.split_whitespace().map(str::to_owned).collect();
        } else if let Some(record) = record(line) {
            match section {
                "ANSWER" => reply.answer.push(record),
                "AUTHORITY" => reply.authority.push(record),
                "ADDITIONAL" => reply.additional.push(record),
                other => panic!("a record in section `{other}`: {line}"),
            }
        }
    }
    assert!(!reply.status.is_empty(), "dig got no reply:\n{text}");
    reply.text = text;
    reply
}

/// `owner TTL class type data`; nothing for comments and empty lines.
fn record(line: &str) -> Option<Record> {
    if line.starts_with(';') {
        return None;
    }
    let mut words = line.split_whitespace();
    let (owner, ttl, _class, kind) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let data = words.collect::<Vec<_>>().join(" ");
    Some(Record { owner: owner.to_owned(), ttl: ttl.parse().ok()?, kind: kind.to_owned(), data })
}

//! The text of a scenario file as steps.

use std::time::UNIX_EPOCH;

use hickory_proto::rr::{DNSClass, RecordType};
use meshdns::source::objects::system_time;

use super::expect::Expected;

/// A scenario.
#[derive(Default)]
pub(crate) struct Script {
    /// The settings file's content, if it has one of its own.
    pub(crate) settings: Option<String>,
    /// When it begins, in Unix seconds.
    pub(crate) begin: Option<u64>,
    /// Objects that are there from the start, as YAML documents.
    pub(crate) objects: String,
    /// Texts that some defect of the objects must contain.
    pub(crate) defects: Vec<String>,
    /// What the upstream resolver knows.
    pub(crate) upstream: Vec<Scripted>,
    /// What happens, in order.
    pub(crate) steps: Vec<Step>,
}

pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) action: Action,
}

pub(crate) enum Action {
    /// New or changed objects.
    Apply(String),
    /// istiod's name table, one row a line.
    Table(Vec<String>),
    /// An object goes: its kind, namespace and name.
    Delete(String),
    /// It is so late, in Unix seconds.
    Now(u64),
    /// A question and its answer.
    Ask(Question, Expected),
}

#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) kind: RecordType,
    pub(crate) class: DNSClass,
    pub(crate) edns: bool,
    pub(crate) recursion: bool,
}

/// What the upstream resolver answers to one question.
pub(crate) struct Scripted {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) rcode: String,
    pub(crate) records: Vec<String>,
}

/// A section: its first line, and the lines that are indented below it.
struct Section {
    line: usize,
    words: String,
    body: Vec<String>,
}

impl Script {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with("# ") {
            return Err("the first line does not say which rule it shows".to_owned());
        }
        let mut script = Script::default();
        let mut sections = sections(text)?.into_iter().peekable();
        while let Some(section) = sections.next() {
            let at = |problem: &str| format!("line {}: {problem}: {}", section.line, section.words);
            let (keyword, rest) = section.words.split_once(' ').unwrap_or((&section.words, ""));
            let body = section.body.join("\n");
            let action = match keyword {
                "settings" => {
                    script.settings = Some(body);
                    continue;
                }
                "objects" => {
                    let text = if rest.is_empty() { body } else { read(rest)? };
                    script.objects.push_str(&format!("\n---\n{text}"));
                    continue;
                }
                "defect" => {
                    script.defects.push(rest.to_owned());
                    continue;
                }
                "upstream" => {
                    let [name, kind, rcode] = words(rest).ok_or_else(|| at("NAME TYPE RCODE expected"))?;
                    script.upstream.push(Scripted { name, kind, rcode, records: section.body });
                    continue;
                }
                "now" => {
                    let now = system_time(rest).and_then(|now| now.duration_since(UNIX_EPOCH).ok());
                    let now =
                        now.ok_or_else(|| at("a time such as 2026-01-31T12:00:00Z expected"))?.as_secs();
                    if script.steps.is_empty() {
                        script.begin = Some(now);
                        continue;
                    }
                    Action::Now(now)
                }
                "apply" => Action::Apply(body),
                "table" => Action::Table(section.body),
                "delete" => Action::Delete(rest.to_owned()),
                "ask" => {
                    let question = question(rest).map_err(|problem| at(&problem))?;
                    let expect = sections.next_if(|next| next.words.starts_with("expect "));
                    let expect = expect.ok_or_else(|| at("no `expect` follows"))?;
                    let head = expect.words.trim_start_matches("expect ");
                    Action::Ask(question, Expected::parse(head, &expect.body)?)
                }
                _ => return Err(at("unknown section")),
            };
            script.steps.push(Step { line: section.line, action });
        }
        Ok(script)
    }
}

fn sections(text: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(inner) = line.strip_prefix("  ") {
            let section = sections.last_mut().ok_or("indented text before any section")?;
            section.body.push(inner.to_owned());
        } else {
            let words = line.split(" #").next().unwrap_or(line).trim().to_owned();
            sections.push(Section { line: index + 1, words, body: Vec::new() });
        }
    }
    Ok(sections)
}

fn read(path: &str) -> Result<String, String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn words<const N: usize>(text: &str) -> Option<[String; N]> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    words.try_into().ok()
}

fn question(text: &str) -> Result<Question, String> {
    let mut words = text.split_whitespace();
    let name = words.next().ok_or("no name")?.to_owned();
    let kind = words.next().ok_or("no type")?;
    let kind = match kind.strip_prefix("TYPE").and_then(|number| number.parse::<u16>().ok()) {
        Some(number) => RecordType::from(number),
        None if kind == "IXFR" => RecordType::IXFR,
        None => kind.parse().map_err(|_| format!("unknown type {kind}"))?,
    };
    let mut question = Question { name, kind, class: DNSClass::IN, edns: false, recursion: true };
    for word in words {
        match word {
            "+edns" => question.edns = true,
            "+norec" => question.recursion = false,
            class => question.class = class.parse().map_err(|_| format!("unknown option {class}"))?,
        }
    }
    Ok(question)
}

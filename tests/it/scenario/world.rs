//! The catalog that a scenario asks, built as the server builds it.

use std::sync::Arc;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::Name;
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Key, Kind, Object};
use meshdns::source::manifests;
use meshdns::wire::{Chase, Transport, Verdict, respond};

use super::expect::Serials;
use super::script::{Question, Script, Scripted};

/// Everything that one scenario has built so far.
pub(crate) struct World<'s> {
    catalog: Arc<Catalog>,
    keeper: Keeper,
    upstream: &'s [Scripted],
    rotation: u32,
    pub(crate) serials: Serials,
}

impl<'s> World<'s> {
    pub(crate) fn new(script: &'s Script) -> Result<Self, String> {
        let settings = script.settings.as_deref().unwrap_or("zones: [cluster.local]");
        let settings =
            Settings::parse("settings", settings, &Overrides::default()).map_err(|p| p.to_string())?;
        let catalog = Arc::new(Catalog::new(settings.policy()));
        let mut keeper = Keeper::new(catalog.clone());
        let loaded = manifests::load_text("objects", &script.objects);
        let defects: Vec<String> = loaded.report.defects.iter().map(ToString::to_string).collect();
        for wanted in &script.defects {
            if !defects.iter().any(|defect| defect.contains(wanted)) {
                return Err(format!("no defect contains `{wanted}`: {defects:?}"));
            }
        }
        if script.defects.is_empty() && !defects.is_empty() {
            return Err(format!("unexpected defects: {defects:?}"));
        }
        keeper.apply(0, Change::Replace(loaded.objects));
        Ok(Self { catalog, keeper, upstream: &script.upstream, rotation: 0, serials: Serials::new() })
    }

    pub(crate) fn apply(&mut self, text: &str) -> Result<(), String> {
        let loaded = manifests::load_text("apply", text);
        if let Some(defect) = loaded.report.defects.first() {
            return Err(format!("unexpected defect: {defect}"));
        }
        // A namespace that is merely implied must not take the labels of one that is declared.
        let known = |object: &Object| match object {
            Object::Namespace(namespace) => {
                self.keeper.inventory().namespace(&namespace.name).is_some()
                    && !text.contains("kind: Namespace")
            }
            _ => false,
        };
        let upserts =
            loaded.objects.into_iter().filter(|object| !known(object)).map(Change::Upsert).collect();
        self.keeper.apply(0, Change::Batch(upserts));
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: &Key) -> Result<(), String> {
        if key.kind == Kind::Namespace && self.keeper.inventory().namespace(&key.name.name).is_none() {
            return Err(format!("{key} is not there"));
        }
        if self.keeper.apply(0, Change::Remove(key.clone())) == 0 {
            return Err(format!("{key} is not there"));
        }
        Ok(())
    }

    /// Asks, and follows an alias to the scripted upstream.
    pub(crate) fn ask(&mut self, question: &Question) -> Result<Vec<u8>, String> {
        let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = question.recursion;
        let name = Name::from_ascii(&question.name).map_err(|error| error.to_string())?;
        let mut query = Query::query(name, question.kind);
        query.set_query_class(question.class);
        message.add_query(query);
        if question.edns {
            message.set_edns(Edns::new());
        }
        let packet = message.to_vec().map_err(|error| error.to_string())?;
        let mut reply = Vec::new();
        self.rotation = self.rotation.wrapping_add(1);
        match respond(&self.catalog, &packet, Transport::Grpc, self.rotation, &mut reply) {
            Verdict::Reply => {}
            Verdict::Chase(chase) => {
                let upstream = self.look_up(&chase)?;
                chase.finish(Some(&upstream), &mut reply);
            }
            verdict => return Err(format!("no reply: {verdict:?}")),
        }
        let decoded = Message::from_vec(&reply).map_err(|error| error.to_string())?;
        let echoed = reply.get(12..packet.len().min(reply.len()));
        if decoded.metadata.id != 4711 || decoded.metadata.message_type != MessageType::Response {
            return Err("the reply has another id or is no response".to_owned());
        }
        if decoded.metadata.recursion_desired != question.recursion || decoded.metadata.recursion_available {
            return Err("RD is not copied, or RA is set".to_owned());
        }
        if decoded.edns.is_some() != question.edns {
            return Err("OPT is there without being asked for, or missing".to_owned());
        }
        let question_octets = packet.len() - if question.edns { 11 } else { 0 } - 12;
        if echoed.map(|octets| &octets[..question_octets]) != packet.get(12..12 + question_octets) {
            return Err("the question is not repeated exactly".to_owned());
        }
        Ok(reply)
    }

    fn look_up(&self, chase: &Chase) -> Result<Vec<u8>, String> {
        let query = Message::from_vec(&chase.query(7)).map_err(|error| error.to_string())?;
        let asked = query.queries.first().ok_or("the upstream query has no question")?;
        let scripted = self
            .upstream
            .iter()
            .find(|scripted| {
                scripted.name.eq_ignore_ascii_case(&asked.name().to_string())
                    && scripted.kind == asked.query_type().to_string()
            })
            .ok_or_else(|| {
                format!("nobody expected the upstream query {} {}", asked.name(), asked.query_type())
            })?;
        let mut reply = Message::new(7, MessageType::Response, OpCode::Query);
        reply.metadata.response_code = match scripted.rcode.as_str() {
            "NOERROR" => ResponseCode::NoError,
            "NXDOMAIN" => ResponseCode::NXDomain,
            "SERVFAIL" => ResponseCode::ServFail,
            other => return Err(format!("unknown RCODE {other}")),
        };
        reply.add_query(asked.clone());
        for line in &scripted.records {
            reply.add_answer(record(line)?);
        }
        let packet = reply.to_vec().map_err(|error| error.to_string())?;
        if !chase.accepts(7, &packet) {
            return Err("the upstream's answer is not accepted".to_owned());
        }
        Ok(packet)
    }
}

/// Reads `OWNER TTL IN TYPE DATA` for the types that aliases lead to.
fn record(line: &str) -> Result<hickory_proto::rr::Record, String> {
    use hickory_proto::rr::rdata::{A, AAAA, CNAME};
    use hickory_proto::rr::{RData, Record};
    let words: Vec<&str> = line.split_whitespace().collect();
    let [owner, ttl, "IN", kind, data] = words.as_slice() else { return Err(format!("bad record: {line}")) };
    let name = |text: &str| Name::from_ascii(text).map_err(|error| error.to_string());
    let bad = |_| format!("bad record: {line}");
    let data = match *kind {
        "A" => RData::A(A(data.parse().map_err(bad)?)),
        "AAAA" => RData::AAAA(AAAA(data.parse().map_err(bad)?)),
        "CNAME" => RData::CNAME(CNAME(name(data)?)),
        _ => return Err(format!("bad type: {line}")),
    };
    Ok(Record::from_rdata(name(owner)?, ttl.parse().map_err(|_| format!("bad TTL: {line}"))?, data))
}

//! The catalog that a scenario asks, built as the server builds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::Name;
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::inventory::TABLE;
use meshdns::keeper::Keeper;
use meshdns::model::{Change, Host, Key, Object, Registry, TableRow};
use meshdns::source::manifests;
use meshdns::wire::{Chase, Transport, Verdict, respond};

use super::expect::Serials;
use super::script::{Question, Script, Scripted};

/// Everything that one scenario has built so far.
pub(crate) struct World<'s> {
    catalog: Arc<Catalog>,
    keeper: Keeper,
    /// The objects as written, by `KIND NAMESPACE/NAME`.
    documents: BTreeMap<String, String>,
    /// The objects as read.
    objects: BTreeMap<Key, Object>,
    upstream: &'s [Scripted],
    rotation: u32,
    pub(crate) serials: Serials,
}

impl<'s> World<'s> {
    pub(crate) fn new(script: &'s Script) -> Result<Self, String> {
        let settings = script.settings.as_deref().unwrap_or("zones: [cluster.local]");
        let settings =
            Settings::read("settings", settings, &Overrides::default()).map_err(|p| p.to_string())?;
        let catalog = Arc::new(Catalog::new(settings.policy()));
        let allocator = settings.allocator();
        let mut keeper = Keeper::with_allocator(catalog.clone(), allocator);
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
        let objects = loaded.objects.iter().map(|object| (object.key(), object.clone())).collect();
        if let Some(begin) = script.begin {
            catalog.policy.ttl.clock().tell(begin, None);
        }
        keeper.apply(0, Change::Replace(loaded.objects));
        keeper.store_nowhere();
        keeper.listed(0);
        Ok(Self {
            catalog,
            keeper,
            documents: documents(&script.objects)?,
            objects,
            upstream: &script.upstream,
            rotation: 0,
            serials: Serials::new(),
        })
    }

    /// Adds or replaces objects, as somebody who edits the file.
    pub(crate) fn apply(&mut self, text: &str) -> Result<(), String> {
        self.documents.extend(documents(text)?);
        self.reload()
    }

    /// Takes a name table as istiod sent it: `HOST ADDRESS...`, and for a Service `HOST ADDRESS... of NAMESPACE SHORT`.
    pub(crate) fn table(&mut self, rows: &[String]) -> Result<(), String> {
        let mut objects = Vec::new();
        for row in rows {
            let (row, registry) = match row.split_once(" of ") {
                Some((row, service)) => {
                    let (namespace, short) = service.split_once(' ').ok_or("NAMESPACE SHORT expected")?;
                    (row, Registry::Kubernetes { short_name: short.into(), namespace: namespace.into() })
                }
                None => (row.as_str(), Registry::External),
            };
            let mut words = row.split_whitespace();
            let host = Host::parse(words.next().ok_or("no host")?).map_err(|error| error.to_string())?;
            let addresses: Result<Vec<_>, _> = words.map(str::parse).collect();
            let addresses = addresses.map_err(|error| format!("{row}: {error}"))?;
            objects.push(Object::TableRow(TableRow { host, addresses, registry }));
        }
        self.keeper.apply(TABLE, Change::Replace(objects));
        Ok(())
    }

    /// Lets time pass, or go back.
    pub(crate) fn tell_time(&self, now: u64) {
        self.catalog.policy.ttl.clock().tell(now, None);
    }

    /// Takes an object out of the file.
    pub(crate) fn delete(&mut self, key: &str) -> Result<(), String> {
        self.documents.remove(key).ok_or_else(|| format!("{key} is not there"))?;
        self.reload()
    }

    /// Reads the file anew, and tells the keeper what differs, as one batch.
    fn reload(&mut self) -> Result<(), String> {
        let text = self.documents.values().map(String::as_str).collect::<Vec<_>>().join("\n---\n");
        let loaded = manifests::load_text("objects", &text);
        let now: BTreeMap<Key, Object> =
            loaded.objects.into_iter().map(|object| (object.key(), object)).collect();
        let gone = self.objects.keys().filter(|key| !now.contains_key(key)).cloned().map(Change::Remove);
        let new = now.iter().filter(|(key, object)| self.objects.get(key) != Some(object));
        let changes = gone.chain(new.map(|(_, object)| Change::Upsert(object.clone()))).collect();
        self.keeper.apply(0, Change::Batch(changes));
        self.keeper.store_nowhere();
        self.objects = now;
        Ok(())
    }

    /// Asks, and follows an alias to the scripted upstream.
    pub(crate) fn ask(&mut self, question: &Question) -> Result<Vec<u8>, String> {
        let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = question.recursion;
        let name = name(&question.name)?;
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

/// A name as written; unlike host names, names in DNS may have labels that begin with a dash.
fn name(text: &str) -> Result<Name, String> {
    let labels = text.trim_end_matches('.').split('.').filter(|label| !label.is_empty());
    let mut name = Name::from_labels(labels.map(str::as_bytes)).map_err(|error| error.to_string())?;
    name.set_fqdn(true);
    Ok(name)
}

/// YAML documents by the kind, namespace and name of their object; those without a name by their text.
fn documents(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for document in meshdns::yaml::documents(text) {
        let key = document.parse().ok().and_then(|tree| {
            let metadata = tree.get("metadata")?;
            let kind = tree.get("kind")?.as_str()?.to_owned();
            let name = metadata.get("name")?.as_str()?.to_owned();
            let namespace = metadata.get("namespace").and_then(|node| node.as_str()).unwrap_or("default");
            let place = if kind == "Namespace" { name } else { format!("{namespace}/{name}") };
            Some(format!("{kind} {place}"))
        });
        // Objects with a key twice are a scenario of their own.
        let mut key = key.unwrap_or_else(|| format!("unnamed {}", found.len()));
        while found.contains_key(&key) {
            key.push('+');
        }
        found.insert(key, document.text.to_owned());
    }
    Ok(found)
}

/// Reads `OWNER TTL IN TYPE DATA` for the types that aliases lead to.
fn record(line: &str) -> Result<hickory_proto::rr::Record, String> {
    use hickory_proto::rr::rdata::{A, AAAA, CNAME};
    use hickory_proto::rr::{RData, Record};
    let words: Vec<&str> = line.split_whitespace().collect();
    let [owner, ttl, "IN", kind, data] = words.as_slice() else { return Err(format!("bad record: {line}")) };
    let bad = |_| format!("bad record: {line}");
    let data = match *kind {
        "A" => RData::A(A(data.parse().map_err(bad)?)),
        "AAAA" => RData::AAAA(AAAA(data.parse().map_err(bad)?)),
        "CNAME" => RData::CNAME(CNAME(name(data)?)),
        _ => return Err(format!("bad type: {line}")),
    };
    Ok(Record::from_rdata(name(owner)?, ttl.parse().map_err(|_| format!("bad TTL: {line}"))?, data))
}

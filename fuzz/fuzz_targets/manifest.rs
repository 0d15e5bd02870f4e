//! Any text as a manifest: no panic, and every name that then is listed gets an answer without error.
#![no_main]

use std::sync::Arc;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use libfuzzer_sys::fuzz_target;
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::Change;
use meshdns::source::manifests::load_text;
use meshdns::wire::{Transport, Verdict, respond};

fuzz_target!(|text: &str| {
    let loaded = load_text("fuzz.yaml", text);
    let settings = Settings::read("", "zones: [cluster.local, in-addr.arpa]", &Overrides::default());
    let catalog = Arc::new(Catalog::new(settings.expect("settings").policy()));
    Keeper::new(catalog.clone()).apply(0, Change::Replace(loaded.objects));
    for listed in catalog.records() {
        // A name that is too long to be asked is listed all the same.
        let Ok(name) = Name::from_ascii(listed.name.replace("*.", "x.")) else { continue };
        let Ok(kind) = listed.kind.parse::<RecordType>() else { panic!("{}", listed.kind) };
        let mut query = Message::new(1, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(name, kind));
        let Ok(packet) = query.to_vec() else { continue };
        let mut reply = Vec::new();
        if let Verdict::Chase(chase) = respond(&catalog, &packet, Transport::Grpc, 0, &mut reply) {
            chase.finish(None, &mut reply);
        }
        let reply = Message::from_vec(&reply).expect("a reply that can be read");
        assert_eq!(reply.metadata.response_code, ResponseCode::NoError, "{listed:?}");
    }
});

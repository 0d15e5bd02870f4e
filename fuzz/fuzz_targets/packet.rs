//! Any octets to every listener, over a catalog that has one of everything: no panic, and a reply of the right size
//! that another codec reads. An alias that leads elsewhere is finished with octets of the fuzzer as the upstream's.
#![no_main]

use std::sync::{Arc, LazyLock};

use hickory_proto::op::Message;
use libfuzzer_sys::fuzz_target;
use meshdns::catalog::Catalog;
use meshdns::config::{Overrides, Settings};
use meshdns::keeper::Keeper;
use meshdns::model::Change;
use meshdns::source::manifests::load_text;
use meshdns::wire::{Transport, Verdict, respond};

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
    let settings = Settings::read("settings", include_str!("catalog/settings.yaml"), &Overrides::default());
    let catalog = Arc::new(Catalog::new(settings.expect("settings").policy()));
    let loaded = load_text("objects.yaml", include_str!("catalog/objects.yaml"));
    assert!(loaded.report.defects.is_empty(), "{:?}", loaded.report.defects);
    Keeper::new(catalog.clone()).apply(0, Change::Replace(loaded.objects));
    catalog
});

fuzz_target!(|octets: &[u8]| {
    // The first octet says how many of the others are the query; the rest is what an upstream sends.
    let Some((&length, rest)) = octets.split_first() else { return };
    let (packet, upstream) = rest.split_at(usize::from(length).min(rest.len()));
    let mut reply = Vec::new();
    for (transport, most) in [(Transport::Grpc, 65_535), (Transport::Tcp, 65_535), (Transport::Udp, 1232)] {
        match respond(&CATALOG, packet, transport, u32::from(length), &mut reply) {
            Verdict::Drop | Verdict::Unreadable => continue,
            Verdict::Reply => check(packet, &reply, most),
            Verdict::Chase(chase) => {
                let _ = chase.accepts(7, upstream);
                for answer in [None, Some(upstream)] {
                    chase.finish(answer, &mut reply);
                    check(packet, &reply, most);
                }
            }
        }
    }
});

fn check(packet: &[u8], reply: &[u8], most: usize) {
    assert!(reply.len() <= most, "{} octets of {most}", reply.len());
    assert_eq!(reply[..2], packet[..2], "another id");
    let message = Message::from_vec(reply).expect("a reply that can be read");
    let label_is_star = |record: &hickory_proto::rr::Record| record.name.iter().any(|label| label == b"*");
    let asked_star = message.queries.iter().any(|query| query.name().iter().any(|label| label == b"*"));
    assert!(
        asked_star || upstreams(&message) || !message.answers.iter().any(label_is_star),
        "a star as owner"
    );
}

/// Whether records of an upstream may be among the answers: those are passed on as they are.
fn upstreams(message: &Message) -> bool {
    message.answers.iter().any(|record| record.record_type() == hickory_proto::rr::RecordType::CNAME)
}

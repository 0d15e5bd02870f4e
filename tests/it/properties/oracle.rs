//! Our messages as hickory-proto reads and writes them.

use hickory_proto::op::Message;
use meshdns::wire::Transport;
use proptest::prelude::*;

use super::ask::{KINDS, names, query, reply};
use super::{cases, cluster, policy};

/// Some letters in upper case, as resolvers do to tell forged replies.
fn mixed(name: &str, seed: u64) -> String {
    let upper = |at: usize| seed.rotate_left(at as u32) & 1 == 1;
    name.char_indices().map(|(at, c)| if upper(at) { c.to_ascii_uppercase() } else { c }).collect()
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn replies_survive_another_codec(policy in policy::any(), objects in cluster::objects(), seed: u64) {
        let catalog = cluster::catalog(policy, objects);
        for name in names(&catalog) {
            for kind in KINDS {
                let packet = query(&mixed(&name, seed), kind, Some(1232));
                let ours = reply(&catalog, &packet, Transport::Grpc, seed as u32).unwrap();
                let question = packet.len() - 11;
                prop_assert_eq!(&ours[12..question], &packet[12..question], "the letter case of the question");
                let read = Message::from_vec(&ours).unwrap();
                let again = Message::from_vec(&read.to_vec().unwrap()).unwrap();
                prop_assert_eq!(&read.answers, &again.answers);
                prop_assert_eq!(&read.authorities, &again.authorities);
                prop_assert_eq!(&read.additionals, &again.additionals);
                let ttls = |message: &Message| message.answers.iter().map(|r| r.ttl).collect::<Vec<_>>();
                prop_assert_eq!(ttls(&read), ttls(&again));
                let first = read.answers.iter().chain(&read.authorities).next();
                let case = first.map(|record| read.queries[0].name().to_ascii().ends_with(&record.name.to_ascii()));
                prop_assert_ne!(case, Some(false), "the letter case of the owner in {}", name);
            }
        }
    }
}
